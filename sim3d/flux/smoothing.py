"""Smooth fluxes by fitting penalised splines to a table with statistical errors, and the pulls of the fit.

The logarithm of the flux is a tensor product of cubic B-splines in ln E and cos_zenith with a penalty on its second
differences (P-splines: Eilers and Marx, Statistical Science 11 (1996) 89). The fit is to the fluxes themselves, not to
their logarithms, by quasi-likelihood. A bin has expectation mu and variance phi mu, where phi is the contribution of
one effective hit, estimated from the table's errors around the bin. So empty bins enter with the correct weight, and a
bin that fluctuated down gets no larger weight for its small error. The strengths of the two penalties are determined
for each flavour by restricted maximum likelihood (the Fellner-Schall step of Wood and Fasiolo, Biometrics 73 (2017)
1071).

The zenith variable is arsinh(cos_zenith / 0.2), so that the peak at the horizon is resolved. The sum of the flavours is
fitted first, and each flavour as a factor on that shape: the penalty is on its deviation from the shape that all
flavours have in common, and not on the peak or the east-west valley.

The dependence on azimuth is a factor on the average: the exponential of three harmonics. Their coefficients are
(coarser) splines of the same kind with a penalty on first differences. The mean of the factor over azimuth is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.words import csv_conventions
from sim3d.errors import InputError
from sim3d.files.csv_files import write_lines
from sim3d.files.csv_tables import TABLE_COLUMNS, csv_rows
from sim3d.files.flux_table import EXTRAPOLATED, SAMPLE, FluxTable
from sim3d.flux.penalised_fit import Fit, basis, fit
from sim3d.results.bin_errors import FEW_BATCHES, BinErrors, bin_errors, neutrino_grid
from sim3d.results.tables import sample_table

if TYPE_CHECKING:
    from sim3d.results.result import Result


KNOTS_PER_DECADE, COS_KNOTS = 5.0, 12
"""Spline intervals of the azimuth average: per decade of energy, and in cos_zenith."""

HORIZON_WIDTH = 0.2
"""The splines are in arsinh(cos_zenith / this), in which their intervals at the horizon are 5 times denser than at the
vertical. The flux peaks there with a width of 0.1 to 0.2 (docs/reports/dimensions.md)."""

KNOWN_ERROR = 0.5
"""Relative error of the fit from which on it is an extrapolation."""

AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS, HARMONICS = 2.0, 5, 3
"""Spline intervals of the harmonics' coefficients (per decade, in cos_zenith), and the number of harmonics."""

FIELD_GEV = (10.0, 40.0)
"""Between these energies the influence of the geomagnetic field's date on a flux fades. Cutoffs reach 60 GV near the
horizon at the equator; a neutrino carries a tenth of its primary's energy on average."""

EFFECTIVE_HITS = 5.0
"""Fewest expected effective hits of a bin in the summary: with fewer its pull is not Gaussian."""

ZENITH_THIRDS = (("up", -1.0, -1.0 / 3.0), ("horizon", -1.0 / 3.0, 1.0 / 3.0), ("down", 1.0 / 3.0, 1.0))
"""Names and limits in cos_zenith of the regions for which pulls are summed."""


@dataclass(frozen=True)
class Smoothed:
    """A smoothed flux table, with the pulls and the leverages of the fit.

    Attributes
    ----------
    table : FluxTable
        The fitted flux, positive everywhere, and its errors. Where the relative error of the fit is 0.5 or more, the
        kind of the error is ``extrapolated``, and the error is at least the flux and the upper limit of the raw bin.
    pulls : float64 array, shape of ``table.flux``
        (table - fit) / sqrt(phi fit) of every bin, the empty ones included.
    effective_hits : float64 array, same shape
        Expected number of effective hits, fit / phi.
    leverage : float64 array, same shape
        Leverage of each bin on its own fitted value; the sum is the effective number of parameters.
    penalties : float64 array (flavour, 2)
        Strengths of the penalties in energy and zenith.
    """

    table: FluxTable
    pulls: Array
    effective_hits: Array
    leverage: Array
    penalties: Array


SmoothedPair = tuple[Smoothed, FluxTable]


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


def smooth_average(table: FluxTable) -> Smoothed:
    """Fit a smooth flux to a table averaged over azimuth.

    Parameters
    ----------
    table : FluxTable
        With errors and one azimuth bin.

    Returns
    -------
    Smoothed

    Raises
    ------
    InputError
        If it has no errors, or azimuth bins, or a flavour with no hit.
    """
    _check(table)
    if table.has_azimuth:
        raise InputError(f"{table.source}: smooth_average wants the azimuth average")
    bases = [*_bases(table, KNOTS_PER_DECADE, COS_KNOTS), np.ones((1, 1))]
    raw = _raw_errors(table)
    phi = raw.hit_value
    shape = _all_flavours(table, phi, bases, np.zeros(table.flux.shape[1:]), order=2)
    offset = np.log(shape.mean)
    fits = [fit(table.flux[f], phi[f], bases, offset, order=2) for f in range(len(phi))]
    relative = np.stack([np.hypot(one.relative_error, shape.relative_error) for one in fits])
    return _smoothed(table, np.stack([one.mean for one in fits]), relative, fits, shape, raw.limit)


def smooth_azimuth(table: FluxTable, average: Smoothed) -> Smoothed:
    """Fit a table with azimuth bins as an azimuth-dependent factor on its smoothed average.

    Parameters
    ----------
    table : FluxTable
        With errors.
    average : Smoothed
        From :func:`smooth_average`, with the same energies and zenith bins.

    Returns
    -------
    Smoothed

    Raises
    ------
    InputError
        If it has no errors or a flavour with no hit.
    """
    _check(table)
    angle = np.radians(_centres(table.azimuth_edges_deg))
    harmonics = [np.ones_like(angle)]
    for m in range(1, HARMONICS + 1):
        harmonics += [np.cos(m * angle), np.sin(m * angle)]
    bases = [*_bases(table, AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS), np.stack(harmonics, axis=1)]
    share = np.diff(table.azimuth_edges_deg) / 360.0
    raw = _raw_errors(table)
    phi = raw.hit_value
    base = np.broadcast_to(average.table.flux, table.flux.shape)
    all_base = np.log(base.sum(axis=0))
    shape = _all_flavours(table, phi, bases, all_base, order=1)
    common = np.log(shape.mean) - all_base
    fits, means = [], []
    for f in range(len(phi)):
        one = fit(table.flux[f], phi[f], bases, np.log(base[f]) + common, order=1)
        fits.append(one)
        factor = one.mean / base[f]
        means.append(base[f] * factor / (factor @ share)[..., None])
    assert average.table.error is not None
    of_average = average.table.error / average.table.flux
    relative = np.sqrt(np.stack([one.relative_error for one in fits]) ** 2 + shape.relative_error**2 + of_average**2)
    return _smoothed(table, np.stack(means), relative, fits, shape, raw.limit)


def factor_on(table: FluxTable, shared: FluxTable) -> tuple[Array, Array]:
    """Fit a factor on a smooth flux to a table at another date of the field, as flat as the table permits.

    The factor is common to flavours and azimuths, and 1 above :data:`FIELD_GEV`.

    Parameters
    ----------
    table, shared : FluxTable
        Averages over azimuth: one with sample errors, and the smooth flux.

    Returns
    -------
    factor, relative_error : float64 arrays (energy, cos_zenith, 1)
    """
    base = shared.flux.sum(axis=0)
    low, high = np.log(FIELD_GEV)
    fading = np.cos(0.5 * np.pi * np.clip((np.log(table.energies_GeV) - low) / (high - low), 0.0, 1.0)) ** 2
    energy, zenith = _bases(table, AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS)
    bases = [energy * fading[:, None], zenith, np.ones((1, 1))]
    made = _all_flavours(table, _raw_errors(table).hit_value, bases, np.log(base), order=1)
    return made.mean / base, made.relative_error


def smooth_result(result: Result, site: str, binning: str, azimuth_bins: int | None = None) -> list[SmoothedPair]:
    """Smooth the fluxes of one site of a result, averaged over azimuth and in azimuth bins.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.
    azimuth_bins : int, optional
        Merge azimuth bins first so that this many remain.

    Returns
    -------
    list of (Smoothed, FluxTable)
        Azimuth average and azimuth bins, each with the table it was fitted to.

    Raises
    ------
    InputError
        As :func:`smooth_average`, and for an unknown site or binning.
    """
    average = sample_table(result, site, binning, azimuth=False)
    by_azimuth = sample_table(result, site, binning, azimuth=True, azimuth_bins=azimuth_bins)
    smooth = smooth_average(average)
    return [(smooth, average), (smooth_azimuth(by_azimuth, smooth), by_azimuth)]


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
    cos, angle = _centres(table.cos_edges), _centres(table.azimuth_edges_deg)
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
                    pull = excess / np.sqrt(total)
                    out.append(RegionPull(flavour, zenith, half, low, 10.0 * low, pull, excess / total, total))
    return out


def _check(table: FluxTable) -> None:
    if table.error is None:
        raise InputError(f"{table.source}: smoothing needs errors, there is no .err.d beside it")
    for f, flavour in enumerate(table.flavours):
        if not table.hit[f].any():
            raise InputError(f"{table.source}: {flavour} has no hit at all, nothing can be fitted")


def _bases(table: FluxTable, per_decade: float, cos_intervals: int) -> list[Array]:
    """Evaluate B-splines in ln E, and in a zenith variable in which the horizon is stretched."""
    logs = np.log(table.energies_GeV)
    cos = _centres(table.cos_edges)
    return [
        basis(logs, max(1, round(per_decade * (logs[-1] - logs[0]) / np.log(10.0)))),
        basis(np.arcsinh(cos / HORIZON_WIDTH), min(cos_intervals, max(1, (len(cos) - 1) * 3 // 4))),
    ]


def _raw_errors(table: FluxTable) -> BinErrors:
    """Hit values and upper limits of the bins of a table, from its sample errors."""
    assert table.error is not None
    grid = neutrino_grid(table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    return bin_errors(table.flux, np.where(table.hit, table.error, 0.0), grid, FEW_BATCHES)


def _all_flavours(table: FluxTable, phi: Array, bases: list[Array], offset: Array, order: int) -> Fit:
    """Fit the sum of the flavours; their variances are added, as of independent hits."""
    total = table.flux.sum(axis=0)
    mean = table.flux.mean(axis=(2, 3), keepdims=True)
    value = (phi * mean).sum(axis=0) / np.maximum(mean.sum(axis=0), 1e-300)
    value = np.where(value > 0.0, value, phi.mean(axis=0))
    return fit(total, value, bases, offset, order)


def _smoothed(table: FluxTable, mean: Array, relative: Array, fits: list[Fit], shape: Fit, limit: Array) -> Smoothed:
    phi = np.stack([one.phi for one in fits])
    # the parameters of the common shape are shared by the flavours
    leverage = np.stack([one.leverage for one in fits]) + shape.leverage / len(fits)
    # one standard deviation of the logarithm, upward
    error = np.expm1(np.minimum(relative, 100.0)) * mean
    beyond = relative >= KNOWN_ERROR
    error = np.where(beyond, np.maximum(np.maximum(error, mean), limit), error)
    return Smoothed(
        replace(
            table,
            flux=mean,
            error=error,
            kind=np.where(beyond, EXTRAPOLATED, SAMPLE).astype(np.int8),
            note="; ".join(one for one in (table.note, "smoothed by penalised splines") if one),
        ),
        (table.flux - mean) / np.sqrt(phi * mean),
        mean / phi,
        leverage,
        np.array([one.penalties for one in fits]),
    )


def _centres(edges: Array) -> Array:
    return 0.5 * (edges[1:] + edges[:-1])


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
