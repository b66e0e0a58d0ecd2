"""Pulls of a smoothed flux table: by bin, by flavour, and summed over regions of energy, zenith and azimuth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim3d.conventions.words import csv_conventions
from sim3d.files.csv_files import write_lines
from sim3d.files.csv_tables import TABLE_COLUMNS, csv_rows
from sim3d.files.flux_table import EXTRAPOLATED, FluxTable
from sim3d.flux.smoothing import Smoothed, centres

EFFECTIVE_HITS = 5.0
"""Fewest expected effective hits of a bin in the summary: with fewer its pull is not Gaussian."""

ZENITH_THIRDS = (("up", -1.0, -1.0 / 3.0), ("horizon", -1.0 / 3.0, 1.0 / 3.0), ("down", 1.0 / 3.0, 1.0))
"""Names and limits in cos_zenith of the regions for which pulls are summed."""


@dataclass(frozen=True)
class PullSummary:
    """Statistics of the pulls of one flavour, in bins with 5 expected effective hits or more.

    Attributes
    ----------
    flavour : str
    bins : int
        Number of these bins.
    mean, rms : float
        Of the pulls.
    chi2, ndf : float
        Sum of the squared pulls, and the number of bins minus the sum of their leverages.
    beyond_3 : float
        Fraction of bins with a pull beyond +-3 (0.0027 if Gaussian).
    largest : float
        The pull of largest absolute value, with its sign.
    known_below_GeV : float
        Highest energy at which the fit's relative error is below one half in most directions. Above it, the smooth
        flux is an extrapolation.
    """

    flavour: str
    bins: int
    mean: float
    rms: float
    chi2: float
    ndf: float
    beyond_3: float
    largest: float
    known_below_GeV: float


def summary(smoothed: Smoothed) -> list[PullSummary]:
    """Summarise the pulls of a fit for each flavour.

    Parameters
    ----------
    smoothed : Smoothed

    Returns
    -------
    list of PullSummary
    """
    out = []
    table = smoothed.table
    assert table.error is not None
    for f, flavour in enumerate(table.flavours):
        chosen = smoothed.effective_hits[f] >= EFFECTIVE_HITS
        pulls = smoothed.pulls[f][chosen]
        assert table.kind is not None
        beyond = np.mean(table.kind[f] == EXTRAPOLATED, axis=(1, 2))
        known = np.flatnonzero(beyond < 0.5)
        n = len(pulls)
        out.append(
            PullSummary(
                flavour,
                n,
                float(pulls.mean()) if n else np.nan,
                float(np.sqrt(np.mean(pulls**2))) if n else np.nan,
                float(np.sum(pulls**2)),
                float(n - smoothed.leverage[f][chosen].sum()),
                float(np.mean(np.abs(pulls) > 3.0)) if n else np.nan,
                float(pulls[np.abs(pulls).argmax()]) if n else np.nan,
                float(table.energies_GeV[known[-1]]) if known.size else np.nan,
            )
        )
    return out


@dataclass(frozen=True)
class RegionPull:
    """Sum of the pulls of one flavour in a region of zenith, energy and azimuth; it shows what single pulls hide.

    Attributes
    ----------
    flavour, zenith, azimuth : str
        Zenith third (up, horizon, down); azimuth half (east, west), or ``all``.
    low_GeV, high_GeV : float
        A decade of energy.
    pull : float
        Sum of (table - fit) / phi over its standard deviation.
    deviation : float
        The same sum over its expectation: the mean relative deviation of the table from the fit.
    effective_hits : float
    """

    flavour: str
    zenith: str
    azimuth: str
    low_GeV: float
    high_GeV: float
    pull: float
    deviation: float
    effective_hits: float


def regions(smoothed: Smoothed) -> list[RegionPull]:
    """Sum the pulls by flavour, zenith third, decade of energy, and half of azimuth if the table has azimuth bins.

    Parameters
    ----------
    smoothed : Smoothed

    Returns
    -------
    list of RegionPull
        Without regions that expect fewer than 5 effective hits.
    """
    table = smoothed.table
    cos, angle = centres(table.cos_edges), centres(table.azimuth_edges_deg)
    halves = [("all", angle < 360.0)] if not table.has_azimuth else [("east", angle < 180.0), ("west", angle >= 180.0)]
    first, last = np.floor(np.log10(table.energies_GeV[[0, -1]]) + 1e-9)
    out = []
    for f, flavour in enumerate(table.flavours):
        for zenith, bottom, top in ZENITH_THIRDS:
            for low in 10.0 ** np.arange(first, last + 1.0):
                for half, inside in halves:
                    energies = (table.energies_GeV >= low * (1 - 1e-9)) & (table.energies_GeV < 10.0 * low * (1 - 1e-9))
                    place = np.ix_(energies, (cos > bottom) & (cos < top), inside)
                    expected = smoothed.effective_hits[f][place]
                    total = float(expected.sum())
                    if total < EFFECTIVE_HITS:
                        continue
                    # (table - fit) / phi
                    excess = float(np.sum(smoothed.pulls[f][place] * np.sqrt(expected)))
                    ratio = np.broadcast_to(smoothed.correlation.single, smoothed.pulls.shape)[f][place]
                    pull = excess / np.sqrt(float(np.sum(ratio * expected)))
                    out.append(RegionPull(flavour, zenith, half, low, 10.0 * low, pull, excess / total, total))
    return out


def write_pulls(smoothed: Smoothed, original: FluxTable, folder: Path, name: str) -> Path:
    """Write the pulls of a smoothing, as ``<name>-pulls-aa.csv`` or ``<name>-pulls-azimuth.csv``.

    The columns are those of a flux table, then the smooth ``fit``, the ``pull`` and the expected ``effective_hits``.

    Parameters
    ----------
    smoothed : Smoothed
    original : FluxTable
        The table that was fitted.
    folder : Path
    name : str

    Returns
    -------
    Path
        The file.
    """
    table = smoothed.table
    path = folder / f"{name}-pulls-{'azimuth' if table.has_azimuth else 'aa'}.csv"
    assert original.error is not None
    conventions = csv_conventions(original.azimuth_frame)
    about = (f"sim3d smoothing of {original.name}", *conventions, "pull: (flux - fit)/sqrt(fit^2 / effective_hits)")
    more = (table.flux, smoothed.pulls, smoothed.effective_hits)
    angles = (table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    rows = csv_rows(table.flavours, *angles, original.flux, original.error, *more)
    write_lines(path, about, (*TABLE_COLUMNS, "fit", "pull", "effective_hits"), rows)
    return path
