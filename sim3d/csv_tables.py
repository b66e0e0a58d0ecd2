"""Flux tables as CSV: one row per flavour, energy, zenith and azimuth bin; of a result in FLUKA's binning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.convention_words import CSV_CONVENTIONS
from sim3d.csv_files import write_lines
from sim3d.honda_tables import flux_and_error

if TYPE_CHECKING:
    from sim3d.compare import Matched
    from sim3d.flux_table import FluxTable
    from sim3d.results import Result
    from sim3d.smoothing import Smoothed

COLUMNS = (
    "flavour",
    "energy_GeV",
    "cos_zenith_low",
    "cos_zenith_high",
    "azimuth_low_deg",
    "azimuth_high_deg",
    "flux",
    "error",
)

RATIO_COLUMNS = ("ratio", "ratio_error", "pull")


def write(result: Result, folder: Path) -> list[Path]:
    """Write ``<site>-aa.csv`` (averaged over azimuth) and ``<site>-azimuth.csv`` of every site.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
    """
    written = []
    energies = np.asarray(result.binning_energies("fluka"))
    cos_edges = np.asarray(result.binning_cos_edges("fluka"))
    azimuth_edges = np.asarray(result.azimuth_edges_deg)
    for name, site in result.sites.items():
        title = (
            f"sim3d atmospheric neutrino fluxes, {name}: latitude {site.lat_deg:.4f}, "
            f"longitude {site.lon_deg:.4f}, altitude {site.altitude_m:g} m, detector {site.patch}"
        )
        flux, error = flux_and_error(result, name, "fluka")
        mean, mean_error = flux_and_error(result, name, "fluka_aa")
        for ending, values, errors, edges in (
            ("aa", mean[..., np.newaxis], mean_error[..., np.newaxis], np.array([0.0, 360.0])),
            ("azimuth", flux, error, azimuth_edges),
        ):
            path = folder / f"{name}-{ending}.csv"
            rows = _rows(result.flavours, energies, cos_edges, edges, values, errors)
            write_lines(path, (title, *CSV_CONVENTIONS), COLUMNS, rows)
            written.append(path)
    return written


def write_table(table: FluxTable, folder: Path, name: str) -> Path:
    """Write one table, whatever it came from, as ``<name>-aa.csv`` or ``<name>-azimuth.csv``; no errors: nan."""
    path = folder / f"{name}-{'azimuth' if table.has_azimuth else 'aa'}.csv"
    energy = "a point, not a bin" if table.energy_kind == "points" else "log centre of a bin"
    about = [
        f"atmospheric neutrino fluxes, {table.name}",
        CSV_CONVENTIONS[0],
        f"energy_GeV: {energy}",
        *CSV_CONVENTIONS[2:],
    ]
    if table.note:
        about.append(table.note)
    error = np.full_like(table.flux, np.nan) if table.error is None else table.error
    angles = (table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    write_lines(path, about, COLUMNS, _rows(table.flavours, *angles, table.flux, error))
    return path


def write_pulls(smoothed: Smoothed, original: FluxTable, folder: Path, name: str) -> Path:
    """Write what a smoothing left, as ``<name>-pulls-aa.csv`` or ``<name>-pulls-azimuth.csv``.

    The columns of a table, then the smooth ``fit``, the ``pull`` and the expected ``effective_hits``.
    """
    table = smoothed.table
    path = folder / f"{name}-pulls-{'azimuth' if table.has_azimuth else 'aa'}.csv"
    assert original.error is not None
    about = (f"sim3d smoothing of {original.name}", *CSV_CONVENTIONS, "pull: (flux - fit)/sqrt(fit^2 / effective_hits)")
    more = (table.flux, smoothed.pulls, smoothed.effective_hits)
    angles = (table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    rows = _rows(table.flavours, *angles, original.flux, original.error, *more)
    write_lines(path, about, (*COLUMNS, "fit", "pull", "effective_hits"), rows)
    return path


def write_comparison(matched: Matched, path: Path, name: str, reference: str) -> Path:
    """Write every pair of a comparison: one row per flavour, energy and zenith; unknown errors are nan."""
    ratio, sigma = matched.ratio()
    unknown = np.full_like(ratio, np.nan)
    reference_error = unknown if matched.reference_error is None else matched.reference_error
    error = np.where(matched.error > 0.0, matched.error, np.nan)
    sigma = np.where(sigma > 0.0, sigma, np.nan)
    about = (
        f"flux: {name}",
        f"reference: {reference}",
        CSV_CONVENTIONS[0],
        CSV_CONVENTIONS[2],
        "errors: statistical, 1 sigma, absolute",
    )
    columns = ("flavour", "energy_GeV", "cos_zenith", "flux", "error", "reference", "reference_error", *RATIO_COLUMNS)
    numbers = (matched.flux, error, matched.reference, reference_error, ratio, sigma, (ratio - 1.0) / sigma)
    rows = (
        f"{flavour},{energy:.6g},{cosine:.4g}" + ",%.6e" * len(row) % row + "\n"
        for flavour, energy, cosine, *row_list in zip(
            matched.flavour, matched.energy_GeV, np.round(matched.cos_zenith, 6) + 0.0, *numbers, strict=True
        )
        for row in (tuple(row_list),)
    )
    write_lines(path, about, columns, rows)
    return path


def _rows(
    flavours: tuple[str, ...],
    energies: NDArray[np.float64],
    cos_edges: NDArray[np.float64],
    azimuth_edges: NDArray[np.float64],
    *columns: NDArray[np.float64],
) -> Iterator[str]:
    """Lines of the CSV, one string per flavour and energy; columns are [flavour, energy, cos, azimuth]."""
    angles = [
        f"{np.round(c0, 6) + 0.0:.4g},{np.round(c1, 6) + 0.0:.4g},{a0:.6g},{a1:.6g}"
        for c0, c1 in itertools.pairwise(cos_edges)
        for a0, a1 in itertools.pairwise(azimuth_edges)
    ]
    cells = ",%.6e" * len(columns) + "\n"
    for i, flavour in enumerate(flavours):
        for j, energy in enumerate(energies):
            start = f"{flavour},{energy:.6g},"
            numbers = np.stack([column[i, j].ravel() for column in columns], axis=1).tolist()
            yield "".join([f"{start}{angle}{cells % tuple(row)}" for angle, row in zip(angles, numbers, strict=True)])
