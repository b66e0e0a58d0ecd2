"""Smooth fluxes by fitting penalised splines to a table with statistical errors.

The logarithm of the flux is a tensor product of cubic B-splines in ln E and cos_zenith with a penalty on its second
differences (P-splines: Eilers and Marx, Statistical Science 11 (1996) 89). The fit is to the fluxes themselves, not to
their logarithms, by quasi-likelihood. A bin has expectation mu and variance phi mu, where phi is the contribution of
one effective hit, estimated from the table's errors around the bin. So empty bins enter with the correct weight, and a
bin that fluctuated down gets no larger weight for its small error. The strengths of the penalties, in energy and in
zenith and each at several energies, are determined for each flavour by restricted maximum likelihood (the
Fellner-Schall step of Wood and Fasiolo, Biometrics 73 (2017) 1071).

Bins of neighbouring energies share primaries, so that they fluctuate together. The fit takes their variance to be that
of a sum over many bins (:mod:`sim3d.flux.bin_correlation`); the pull of a single bin has the bin's own.

Where a flux without noise is given (the one-dimensional flux of the same models), the fit is a factor on it, and the
penalties are on first differences: at high energies the factor is nearly constant.

The zenith variable is arsinh(cos_zenith / 0.2), so that the peak at the horizon is resolved. The penalties are on the
logarithms of the product of the four fluxes and of their three ratios, each with strengths of its own: what all
flavours have in common, the peak at the horizon, is left to the data, and the ratios are smoother than the fluxes.

The dependence on azimuth is a factor on the average, fitted to the sum of the flavours first, and for each flavour as a
factor on that: the exponential of three harmonics. Their coefficients are
(coarser) splines of the same kind with penalties on first differences, of own strengths for each harmonic. Above the
energies at which the field acts a further penalty is on their size. The mean of the factor over azimuth is one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.flux_table import EXTRAPOLATED, SAMPLE, FluxTable
from sim3d.flux.bin_correlation import NO_CORRELATION, BinCorrelation, bin_correlation
from sim3d.flux.penalised_fit import PENALTY_RANGE, Fit, Penalty, basis, difference_penalty, fit
from sim3d.results.bin_errors import FEW_BATCHES, BinErrors, bin_errors, hit_values, neutrino_grid
from sim3d.results.tables import prompt_of_table, sample_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim3d.results.result import Result


KNOTS_PER_DECADE, COS_KNOTS = 5.0, 12
"""Spline intervals of the azimuth average: per decade of energy, and in cos_zenith."""

HORIZON_WIDTH = 0.2
"""The splines are in arsinh(cos_zenith / this), in which their intervals at the horizon are 5 times denser than at the
vertical. The flux peaks there with a width of 0.1 to 0.2 (docs/reports/dimensions.md)."""

STRENGTHS_GEV = (0.3, 3.0, 30.0, 300.0)
"""Each penalty has a strength at each of these energies, linear in ln E between them: where cutoffs act, the flux is
less smooth than above."""

SHAPE_ERROR = 0.01
"""Relative error of a given flux's shape over a decade of energy: cascade equations and simulation in one dimension
differ by 1% between 100 GeV and 10 TeV (docs/reports/decades.md). So no penalty on the factor is stronger."""

KNOWN_ERROR = 0.5
"""Relative error of the fit from which on it is an extrapolation."""

AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS, HARMONICS = 2.0, 5, 3
"""Spline intervals of the harmonics' coefficients (per decade, in cos_zenith), and the number of harmonics."""

FLAVOUR_MODES = np.array([[1.0, 1.0, 1.0, 1.0], [1.0, 1.0, -1.0, -1.0], [1.0, -1.0, 1.0, -1.0], [1.0, -1.0, -1.0, 1.0]])
"""Products of powers of the four fluxes (a column each): all of them, muon over electron flavours, neutrinos over
antineutrinos, and the difference of this ratio between muon and electron flavours."""

HITS_OF_A_VALUE = 100.0
"""Effective hits that a bin's hit value is taken from. Fewer know it too badly: it rises where a heavy hit raises the
flux, which then weighs less, so that the fit is too low (docs/reports/decades.md)."""

FIELD_GEV = (10.0, 40.0)
"""Between these energies the influence of the geomagnetic field's date on a flux fades. Cutoffs reach 60 GV near the
horizon at the equator; a neutrino carries a tenth of its primary's energy on average."""


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
    correlation : BinCorrelation
        Of the bins.
    leverage : float64 array, same shape
        Leverage of each bin on its own fitted value; the sum is the effective number of parameters.
    penalties : float64 array (flavour, penalties)
        Their strengths.
    """

    table: FluxTable
    pulls: Array
    effective_hits: Array
    correlation: BinCorrelation
    leverage: Array
    penalties: Array


SmoothedPair = tuple[Smoothed, FluxTable]


def smooth_average(
    table: FluxTable, shape: Array | None = None, correlation: BinCorrelation = NO_CORRELATION
) -> Smoothed:
    """Fit a smooth flux to a table averaged over azimuth.

    Parameters
    ----------
    table : FluxTable
        With errors and one azimuth bin.
    shape : float64 array (flavour, energy, cos_zenith), optional
        A flux without noise (:func:`sim3d.studies.run_shape.flux_shape`); the fit is a factor on it.
    correlation : BinCorrelation, optional
        Of the bins; by default they are independent.

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
    bases = [*_bases(table, KNOTS_PER_DECADE, COS_KNOTS), 0.5 * FLAVOUR_MODES]
    order = 2 if shape is None else 1
    penalties = [one for mode in np.eye(4) for one in _penalties(table, bases, order, mode)]
    raw = _raw_errors(table)
    flux, phi = (np.moveaxis(x[..., 0], 0, -1) for x in (table.flux, raw.hit_value * correlation.ratios))
    given = np.zeros(flux.shape) if shape is None else np.moveaxis(np.log(shape), 0, -1)
    lowest = np.min(np.where(flux > 0.0, flux, np.inf), axis=(0, 1))
    start, common = np.log(np.maximum(flux, lowest)), (correlation.total / correlation.ratios.mean(axis=0))[..., 0]
    # the standard deviation of a difference of neighbouring coefficients is strength^-1/2
    largest = PENALTY_RANGE[1] if shape is None else KNOTS_PER_DECADE / SHAPE_ERROR**2
    found = fit(flux, phi, bases, given, penalties, start=start, common=common, largest=largest)
    mean, relative, leverage = (
        np.moveaxis(x, -1, 0)[..., None] for x in (found.mean, found.relative_error, found.leverage)
    )
    return _smoothed(table, mean, relative, leverage, found.penalties, raw, correlation)


def smooth_azimuth(table: FluxTable, average: Smoothed, correlation: BinCorrelation = NO_CORRELATION) -> Smoothed:
    """Fit a table with azimuth bins as an azimuth-dependent factor on its smoothed average.

    Parameters
    ----------
    table : FluxTable
        With errors.
    average : Smoothed
        From :func:`smooth_average`, with the same energies and zenith bins.
    correlation : BinCorrelation, optional
        As for :func:`smooth_average`.

    Returns
    -------
    Smoothed

    Raises
    ------
    InputError
        If it has no errors or a flavour with no hit.
    """
    _check(table)
    angle = np.radians(centres(table.azimuth_edges_deg))
    harmonics = [np.ones_like(angle)]
    for m in range(1, HARMONICS + 1):
        harmonics += [np.cos(m * angle), np.sin(m * angle)]
    bases = [*_bases(table, AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS), np.stack(harmonics, axis=1)]
    penalties = _harmonic_penalties(table, bases)
    # the constant is normalised away below
    varying = bases[2] * (np.arange(bases[2].shape[1]) > 0)
    share = np.diff(table.azimuth_edges_deg) / 360.0
    raw = _raw_errors(table)
    phi = raw.hit_value
    of_flavours = phi * correlation.ratios
    base = np.broadcast_to(average.table.flux, table.flux.shape)
    all_base = np.log(base.sum(axis=0))
    shape = _all_flavours(table, phi * correlation.total, bases, all_base, penalties, varying)
    common = np.log(shape.mean) - all_base
    fits, means = [], []
    for f in range(len(phi)):
        one = fit(table.flux[f], of_flavours[f], bases, np.log(base[f]) + common, penalties, varying)
        fits.append(one)
        factor = one.mean / base[f]
        means.append(base[f] * factor / (factor @ share)[..., None])
    assert average.table.error is not None
    of_average = average.table.error / average.table.flux
    relative = np.sqrt(np.stack([one.relative_error for one in fits]) ** 2 + shape.relative_error**2 + of_average**2)
    # the parameters of the common shape are shared by the flavours
    leverage = np.stack([one.leverage for one in fits]) + shape.leverage / len(fits)
    strengths = np.array([one.penalties for one in fits])
    return _smoothed(table, np.stack(means), relative, leverage, strengths, raw, correlation)


def factor_on(table: FluxTable, shared: FluxTable, correlation: BinCorrelation = NO_CORRELATION) -> tuple[Array, Array]:
    """Fit a factor on a smooth flux to a table at another date of the field, as flat as the table permits.

    The factor is common to flavours and azimuths, and 1 above :data:`FIELD_GEV`.

    Parameters
    ----------
    table, shared : FluxTable
        Averages over azimuth: one with sample errors, and the smooth flux.
    correlation : BinCorrelation, optional
        As for :func:`smooth_average`.

    Returns
    -------
    factor, relative_error : float64 arrays (energy, cos_zenith, 1)
    """
    base = shared.flux.sum(axis=0)
    low, high = np.log(FIELD_GEV)
    fading = np.cos(0.5 * np.pi * np.clip((np.log(table.energies_GeV) - low) / (high - low), 0.0, 1.0)) ** 2
    energy, zenith = _bases(table, AZIMUTH_KNOTS_PER_DECADE, AZIMUTH_COS_KNOTS)
    bases = [energy * fading[:, None], zenith, np.ones((1, 1))]
    phi = _raw_errors(table).hit_value * correlation.total
    made = _all_flavours(table, phi, bases, np.log(base), _penalties(table, bases, 1))
    return made.mean / base, made.relative_error


def smooth_result(
    result: Result, site: str, binning: str, azimuth_bins: int | None = None, shape: Array | None = None
) -> list[SmoothedPair]:
    """Smooth the fluxes of one site of a result, averaged over azimuth and in azimuth bins.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.
    azimuth_bins : int, optional
        Merge azimuth bins first so that this many remain.
    shape : float64 array (flavour, energy, cos_zenith), optional
        As for :func:`smooth_average`.

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
    smooth = smooth_average(average, shape, correlation_of(result, site, average))
    around = smooth_azimuth(by_azimuth, smooth, correlation_of(result, site, by_azimuth))
    pairs = [(smooth, average), (around, by_azimuth)]
    if not result.record.prompt:
        return pairs
    # the fit is to what was simulated; the neutrinos of charm have no fluctuations
    prompt = prompt_of_table(result, site, binning)
    added = [
        replace(one.table, flux=one.table.flux + prompt, note=f"{one.table.note}; {raw.note}") for one, raw in pairs
    ]
    return [(replace(one, table=table), raw) for (one, raw), table in zip(pairs, added, strict=True)]


def correlation_of(result: Result, site: str, table: FluxTable) -> BinCorrelation:
    """Measure the correlation of the bins of a result's table.

    Parameters
    ----------
    result : Result
    site : str
    table : FluxTable
        With sample errors.

    Returns
    -------
    BinCorrelation
    """
    return bin_correlation(result, site, table, _raw_errors(table).hit_value)


def _check(table: FluxTable) -> None:
    if table.error is None:
        raise InputError(f"{table.source}: smoothing needs errors, there is no .err.d beside it")
    for f, flavour in enumerate(table.flavours):
        if not table.hit[f].any():
            raise InputError(f"{table.source}: {flavour} has no hit at all, nothing can be fitted")


def _bases(table: FluxTable, per_decade: float, cos_intervals: int) -> list[Array]:
    """Evaluate B-splines in ln E, and in a zenith variable in which the horizon is stretched."""
    logs = np.log(table.energies_GeV)
    cos = centres(table.cos_edges)
    return [
        basis(logs, max(1, round(per_decade * (logs[-1] - logs[0]) / np.log(10.0)))),
        basis(np.arcsinh(cos / HORIZON_WIDTH), min(cos_intervals, max(1, (len(cos) - 1) * 3 // 4))),
    ]


def _penalties(table: FluxTable, bases: list[Array], order: int, functions: Array | None = None) -> list[Penalty]:
    """Penalties in energy and in zenith, each with a strength for every one of :data:`STRENGTHS_GEV`."""
    a, b = bases[0].shape[1], bases[1].shape[1]
    functions = np.ones(bases[2].shape[1]) if functions is None else functions
    flat = difference_penalty(b, order)
    out = []
    for at_differences, at_coefficients in zip(_near(table, a, order), _near(table, a, 0), strict=True):
        out.append(Penalty(difference_penalty(a, order, at_differences), np.eye(b), functions))
        out.append(Penalty(np.diag(at_coefficients), flat, functions))
    return out


def _harmonic_penalties(table: FluxTable, bases: list[Array]) -> list[Penalty]:
    """Penalties of each harmonic's coefficients; above :data:`FIELD_GEV` also of their size."""
    low, high = np.log(FIELD_GEV)
    a, b = bases[0].shape[1], bases[1].shape[1]
    above = np.sin(0.5 * np.pi * np.clip((_places(table, a) - low) / (high - low), 0.0, 1.0)) ** 2
    out = []
    for m in range(HARMONICS + 1):
        own = np.zeros(bases[2].shape[1])
        own[max(0, 2 * m - 1) : 2 * m + 1] = 1.0
        out += _penalties(table, bases, 1, own)
        if m and above.any():
            out.append(Penalty(np.diag(above), np.eye(b), own))
    return out


def _places(table: FluxTable, size: int) -> Array:
    """Logarithms of the energies at which the splines have their maxima."""
    logs = np.log(table.energies_GeV)
    step = (logs[-1] - logs[0]) / (size - 3)
    return logs[0] + step * (np.arange(size) - 1.0)


def _near(table: FluxTable, size: int, order: int) -> list[Array]:
    """Weights of the differences near each of :data:`STRENGTHS_GEV`, linear between them in ln E; they sum to 1."""
    places = np.convolve(_places(table, size), np.ones(order + 1) / (order + 1), mode="valid")
    nodes, logs = np.log(STRENGTHS_GEV), np.log(table.energies_GeV)
    inside = (nodes >= logs[0]) & (nodes <= logs[-1])
    nodes = nodes[inside] if inside.any() else nodes[:1]
    return [np.interp(places, nodes, row) for row in np.eye(len(nodes))]


def _raw_errors(table: FluxTable) -> BinErrors:
    """Hit values and upper limits of the bins of a table, from its sample errors."""
    assert table.error is not None
    grid = neutrino_grid(table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    error = np.where(table.hit, table.error, 0.0)
    found = bin_errors(table.flux, error, grid, FEW_BATCHES)
    return replace(found, hit_value=hit_values(table.flux, error * error, grid, near=HITS_OF_A_VALUE))


def _all_flavours(
    table: FluxTable, phi: Array, bases: list[Array], offset: Array, penalties: Sequence[Penalty],
    with_error: Array | None = None,
) -> Fit:  # fmt: skip
    """Fit the sum of the flavours; their variances are added, as of independent hits."""
    total = table.flux.sum(axis=0)
    mean = table.flux.mean(axis=(2, 3), keepdims=True)
    value = (phi * mean).sum(axis=0) / np.maximum(mean.sum(axis=0), 1e-300)
    value = np.where(value > 0.0, value, phi.mean(axis=0))
    return fit(total, value, bases, offset, penalties, with_error)


def _smoothed(
    table: FluxTable, mean: Array, relative: Array, leverage: Array, penalties: Array, raw: BinErrors,
    correlation: BinCorrelation,
) -> Smoothed:  # fmt: skip
    phi = raw.hit_value
    # one standard deviation of the logarithm, upward
    error = np.expm1(np.minimum(relative, 100.0)) * mean
    beyond = relative >= KNOWN_ERROR
    error = np.where(beyond, np.maximum(np.maximum(error, mean), raw.limit), error)
    return Smoothed(
        replace(
            table,
            flux=mean,
            error=error,
            kind=np.where(beyond, EXTRAPOLATED, SAMPLE).astype(np.int8),
            note="; ".join(one for one in (table.note, "smoothed by penalised splines") if one),
            smooth=True,
        ),
        (table.flux - mean) / np.sqrt(phi * mean),
        mean / phi,
        correlation,
        leverage,
        penalties,
    )


def centres(edges: Array) -> Array:
    """Compute the middles of bins.

    Parameters
    ----------
    edges : float64 array (n + 1,)

    Returns
    -------
    float64 array (n,)
    """
    return 0.5 * (edges[1:] + edges[:-1])
