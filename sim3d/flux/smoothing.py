"""Smooth fluxes by fitting penalised splines to a table with statistical errors, and the pulls of the fit.

The logarithm of the flux is a tensor product of cubic B-splines in ln E and cos_zenith with a penalty on its second
differences (P-splines: Eilers and Marx, Statistical Science 11 (1996) 89). The fit is to the fluxes themselves, not to
their logarithms, by quasi-likelihood. A bin has expectation mu and variance phi mu, where phi is the contribution of
one effective hit, estimated from the table's errors around the bin. So empty bins enter with the correct weight, and a
bin that fluctuated down gets no larger weight for its small error. The strengths of the two penalties are determined
for each flavour by restricted maximum likelihood (the Fellner-Schall step of Wood and Fasiolo, Biometrics 73 (2017)
1071).

The dependence on azimuth is a factor on the average: the exponential of three harmonics. Their coefficients are
(coarser) splines of the same kind with a penalty on first differences. The mean of the factor over azimuth is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.interpolate import BSpline
from scipy.ndimage import gaussian_filter1d

from sim3d.conventions.arrays import Array
from sim3d.conventions.words import csv_conventions
from sim3d.errors import InputError
from sim3d.files.csv_files import write_lines
from sim3d.files.csv_tables import TABLE_COLUMNS, csv_rows
from sim3d.files.flux_table import FluxTable
from sim3d.results.tables import table_of_result

if TYPE_CHECKING:
    from sim3d.results.result import Result


KNOTS_PER_DECADE, COS_KNOTS = 5.0, 12
"""Spline intervals of the azimuth average: per decade of energy, and in cos_zenith."""

AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS, HARMONICS = 2.0, 5, 3
"""Spline intervals of the harmonics' coefficients (per decade, in cos_zenith), and the number of harmonics."""

PENALTY_RANGE = (1e-3, 1e7)
"""Lowest and highest strength of a penalty."""

EFFECTIVE_HITS = 5.0
"""Fewest expected effective hits of a bin in the summary: with fewer its pull is not Gaussian."""

_PHI_WIDTH_ENERGY, _PHI_WIDTH_COS = 4.0, 1.5
"""Standard deviations, in bins, of the Gaussian weights with which phi is averaged."""

_SPECTRUM = 3.0
"""The average for phi is of E^3 flux: neighbouring energies then have similar weights."""

_ITERATIONS = 60
_SMALL_STEP = 1e-3
"""Convergence: no ln flux changes by more than this (times the bin's relative error where that is above 1)."""


@dataclass(frozen=True)
class Smoothed:
    """A smoothed flux table, with the pulls and the leverages of the fit.

    Attributes
    ----------
    table : FluxTable
        The fitted flux, positive everywhere; its errors are those of the fit (the statistical part alone).
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
        Highest energy at which the fit's relative error (median over directions) is below one half. Above it, the
        smooth flux is an extrapolation.
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
    logs = np.log(table.energies_GeV)
    bases = [
        _basis(logs, max(1, round(KNOTS_PER_DECADE * (logs[-1] - logs[0]) / np.log(10.0)))),
        _basis(_centres(table.cos_edges), min(COS_KNOTS, max(1, (len(table.cos_edges) - 1) * 3 // 5))),
        np.ones((1, 1)),
    ]
    offset = np.zeros(table.flux.shape[1:])
    fits = [_fit(table.flux[f], phi, bases, offset, order=2) for f, phi in enumerate(_hit_values(table))]
    relative = np.stack([fit.relative_error for fit in fits])
    return _smoothed(table, np.stack([fit.mean for fit in fits]), relative, fits)


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
    logs = np.log(table.energies_GeV)
    angle = np.radians(_centres(table.azimuth_edges_deg))
    harmonics = [np.ones_like(angle)]
    for m in range(1, HARMONICS + 1):
        harmonics += [np.cos(m * angle), np.sin(m * angle)]
    bases = [
        _basis(logs, max(1, round(AZIMUTH_KNOTS_PER_DECADE * (logs[-1] - logs[0]) / np.log(10.0)))),
        _basis(_centres(table.cos_edges), AZIMUTH_COS_KNOTS),
        np.stack(harmonics, axis=1),
    ]
    share = np.diff(table.azimuth_edges_deg) / 360.0
    fits, means = [], []
    for f, phi in enumerate(_hit_values(table)):
        base = average.table.flux[f]
        offset = np.log(np.broadcast_to(base, table.flux.shape[1:]))
        fit = _fit(table.flux[f], phi, bases, offset, order=1)
        fits.append(fit)
        factor = fit.mean / base
        means.append(base * factor / (factor @ share)[..., None])
    assert average.table.error is not None
    of_average = average.table.error / average.table.flux
    relative = np.sqrt(np.stack([fit.relative_error for fit in fits]) ** 2 + of_average**2)
    return _smoothed(table, np.stack(means), relative, fits)


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
    average = table_of_result(result, site, binning, azimuth=False)
    by_azimuth = table_of_result(result, site, binning, azimuth=True)
    if azimuth_bins is not None:
        by_azimuth = by_azimuth.with_azimuth_bins(azimuth_bins)
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
        relative = np.median((table.error[f] / table.flux[f]).reshape(len(table.energies_GeV), -1), axis=1)
        known = np.flatnonzero(relative < 0.5)
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
class _Fit:
    mean: Array
    relative_error: Array
    leverage: Array
    phi: Array
    penalties: tuple[float, float]


def _check(table: FluxTable) -> None:
    if table.error is None:
        raise InputError(f"{table.source}: smoothing needs errors, there is no .err.d beside it")
    for f, flavour in enumerate(table.flavours):
        if not table.hit[f].any():
            raise InputError(f"{table.source}: {flavour} has no hit at all, nothing can be fitted")


def _smoothed(table: FluxTable, mean: Array, relative: Array, fits: list[_Fit]) -> Smoothed:
    phi = np.stack([fit.phi for fit in fits])
    return Smoothed(
        replace(table, flux=mean, error=relative * mean, note="smoothed by penalised splines"),
        (table.flux - mean) / np.sqrt(phi * mean),
        mean / phi,
        np.stack([fit.leverage for fit in fits]),
        np.array([fit.penalties for fit in fits]),
    )


def _centres(edges: Array) -> Array:
    return 0.5 * (edges[1:] + edges[:-1])


def _basis(x: Array, intervals: int) -> Array:
    """Evaluate cubic B-splines on equal intervals over the range of x, (len(x), intervals + 3)."""
    step = (x[-1] - x[0]) / intervals
    knots = x[0] + step * np.arange(-3, intervals + 4)
    inside = np.clip(x, knots[3], knots[-4])
    return np.asarray(BSpline.design_matrix(inside, knots, 3).toarray())


def _hit_values(table: FluxTable) -> Array:
    """Estimate phi, variance over expectation: the ratio of local sums of squared errors and of fluxes."""
    assert table.error is not None
    weight = table.energies_GeV[None, :, None, None] ** _SPECTRUM
    variance = np.where(table.hit, table.error, 0.0) ** 2
    # phi of E^3 flux is E^3 times phi
    sums = [variance * weight**2, table.flux * weight]
    for i, total in enumerate(sums):
        total = gaussian_filter1d(total.mean(axis=3), _PHI_WIDTH_ENERGY, axis=1, mode="constant", truncate=6.0)
        sums[i] = gaussian_filter1d(total, _PHI_WIDTH_COS, axis=2, mode="nearest")
    with np.errstate(invalid="ignore", divide="ignore"):
        phi = np.where(sums[1] > 0.0, sums[0] / sums[1], np.nan)
    # phi is unknown where the errors are zero; it is interpolated in energy there.
    phi[~(phi > 0.0)] = np.nan
    for flavour_phi in phi:
        for column in flavour_phi.T:
            good = np.flatnonzero(~np.isnan(column))
            fill = np.nanmedian(flavour_phi) if good.size == 0 else None
            column[:] = fill if fill is not None else np.interp(np.arange(len(column)), good, column[good])
    return np.broadcast_to((phi / weight[..., 0])[..., None], table.flux.shape)


def _penalty(size: int, order: int) -> Array:
    differences = np.diff(np.eye(size), order, axis=0)
    return differences.T @ differences


def _fit(flux: Array, phi: Array, bases: list[Array], offset: Array, order: int) -> _Fit:
    """Fit one flavour by penalised quasi-likelihood (iteratively reweighted least squares), with its penalties."""
    sizes = [basis.shape[1] for basis in bases]
    total = int(np.prod(sizes))
    penalties = [_penalty(sizes[0], order), _penalty(sizes[1], order)]
    stiff = [
        np.kron(np.kron(penalties[0], np.eye(sizes[1])), np.eye(sizes[2])),
        np.kron(np.kron(np.eye(sizes[0]), penalties[1]), np.eye(sizes[2])),
    ]
    # the two commute, so the eigenvalues of their sum are sums of eigenvalues
    roots = [np.linalg.eigvalsh(p) * (np.arange(len(p)) >= order) for p in penalties]
    first, second = np.broadcast_arrays(roots[0][:, None], roots[1])
    squares = [(basis[:, :, None] * basis[:, None, :]).reshape(len(basis), -1) for basis in bases]
    eta = _start(flux, offset, bases[2].shape[1] > 1)
    strength = [10.0, 10.0]
    for count in range(_ITERATIONS):
        mean = np.exp(np.clip(eta, -200.0, 200.0))
        weight = mean / phi
        # limits the first steps of bins far above the fit; the limit grows by a factor of 4 with each iteration
        working = eta - offset + np.minimum((flux - mean) / mean, 20.0 * 4.0**count)
        normal = _gram(squares, weight, sizes)
        # the small ridge sets to 0 what neither the data nor the penalties determine
        penalty = strength[0] * stiff[0] + strength[1] * stiff[1] + 1e-6 * np.eye(total)
        inverse = np.asarray(np.linalg.inv(normal + penalty), dtype=np.float64)
        right = _evaluate([basis.T for basis in bases], weight * working)
        theta = inverse @ right.ravel()
        new = offset + _evaluate(bases, theta.reshape(sizes))
        step = float(np.max(np.abs(new - eta) * np.sqrt(np.minimum(weight, 1.0))))
        eta = new
        if step < _SMALL_STEP and count > 5:
            break
        sums = strength[0] * first + strength[1] * second
        free = sums > 1e-12 * sums.max()
        for i, root in enumerate((first, second)):
            expected = sizes[2] * float(np.sum(root[free] / sums[free])) - float(np.sum(inverse * stiff[i]))
            actual = float(theta @ stiff[i] @ theta)
            change = np.clip(expected / max(actual, 1e-12), 0.1, 10.0)
            strength[i] = float(np.clip(strength[i] * change, *PENALTY_RANGE))
    mean = np.exp(np.clip(eta, -200.0, 200.0))
    variance = _variance(squares, inverse, sizes)
    return _Fit(mean, np.sqrt(variance), variance * mean / phi, phi, (strength[0], strength[1]))


def _start(flux: Array, offset: Array, is_factor: bool) -> Array:
    """Return starting values of ln flux: the table's, its smallest flux in empty bins; for a factor the offset."""
    if is_factor:
        return np.array(offset)
    floor = flux[flux > 0.0].min()
    return np.log(np.maximum(flux, floor))


def _evaluate(matrices: list[Array], values: Array) -> Array:
    for matrix in matrices:
        rest = values.shape[1:]
        values = (matrix @ values.reshape(values.shape[0], -1)).T.reshape(*rest, -1)
    return values


def _gram(squares: list[Array], weight: Array, sizes: list[int]) -> Array:
    """Compute X^T W X of a tensor product without forming X."""
    out = _evaluate([square.T for square in squares], weight)
    a, b, c = sizes
    out = out.reshape(a, a, b, b, c, c).transpose(0, 2, 4, 1, 3, 5)
    return out.reshape(a * b * c, a * b * c)


def _variance(squares: list[Array], inverse: Array, sizes: list[int]) -> Array:
    """Compute the variance of ln flux in every bin."""
    a, b, c = sizes
    tensor = inverse.reshape(a, b, c, a, b, c).transpose(0, 3, 1, 4, 2, 5).reshape(a * a, b * b, c * c)
    return np.maximum(_evaluate(squares, tensor), 0.0)


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
