"""Errors of bins with few hits, and 90% upper limits of bins without hits, from the bins around them.

The sample error of a bin that few showers hit is too small on average: a bin that has not yet received a heavy hit has
a low flux and a low error. A bin without hits has no sample error. Both take two local means from the bins around: the
hit value phi, and the expected flux F.

Hits are a compound Poisson process. Showers that contribute values v to a bin at a mean number lambda give a flux with
mean lambda E[v] and variance lambda E[v^2], so phi = variance / mean = E[v^2] / E[v]. The variance is that of whole
batches; it contains that one shower hits a bin several times.

Expected error: sqrt(phi F). It does not depend on the fluctuation of the bin itself. The sample error is taken where
it is as well known as that: where many effective hits F / phi are expected.

Upper limit: for n hits the 90% Poisson limit is the mean mu with P(at most n hits; mu) = 10%, the 90% quantile of the
Gamma distribution of shape n + 1 (Garwood, Biometrika 28 (1936) 437); 2.303 for n = 0. So 2.303 phi is a limit from the
empty bin alone, as phi is at least the mean value of a hit. Where hits are rare it lies far above the flux, and the
limit that the hits of the bins around give is lower; it is taken there. Where the bins around expect more than 2.303
phi, the bin is empty by chance, and the limit is raised to theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaincinv

from sim3d.conventions.arrays import Array
from sim3d.files.flux_table import EXPECTED, LIMIT, NO_LIMIT, SAMPLE
from sim3d.scoring.hit_weights import reference_flux

CONFIDENCE = 0.9
"""Confidence level of upper limits."""

POISSON_LIMIT_90 = 2.302585093
"""Poisson upper limit at 90% confidence for zero observed hits, -ln(0.1)."""

FEW_HITS = 100.0
"""A bin with fewer expected effective hits F / phi has the expected error.

Of n effective hits the sample variance scatters by sqrt(8 / n) around phi F: that is the fourth moment of the hit
values of runs, at all energies from 0.1 GeV to 1 TeV (docs/reports/coverage.md). So it is worth n / 4 degrees of
freedom, 25 for 100 hits. A bin without its heavy hits has both a low flux and a low sample error; with 10 hits that is
frequent.
"""

RARE_HITS = 1.0
"""With fewer than this it has the larger of the expected and the sample error: the distribution is far from Gaussian,
and a bin with a hit is far above F."""

FEW_BATCHES = 20
"""With fewer batches every bin has the larger of the two: a sample error of 20 batches is itself known to 16%."""

HITS_NEAR = 2.0
"""Weighted effective hits that must be near for the bins around to give an upper limit."""

FEWEST_POOLED, MOST_POOLED = HITS_NEAR, 3.0
"""Effective hits that they count as, for the lower of two limits and for the higher: 2.66 and 2.23 times their mean.

The lower counts no more than are near in every case. Counting more would assume that the bin equals that mean: bins
that stayed empty are not a random choice among bins with equal neighbours.
"""

UNLIKELY = 1e-3
"""With a smaller chance to be empty the bins around do not describe an empty bin, and its limit is its own."""

ENERGY_WIDTH, COS_WIDTH, AZIMUTH_WIDTH_DEG = 0.1, 0.075, 45.0
"""Standard deviations of the Gaussian weights of the bins around for F: decades of energy, cos_zenith, degrees.

They are the least; where too few hits are near they are doubled, up to four times. For phi, which changes slowly,
they are twice as wide, over all azimuths.
"""

_FLUX_HITS, _VALUE_HITS = 10.0, 30.0
"""Weighted effective hits that the mean F, and the mean phi, are taken from."""

TREND_DECADES = 1.0
"""Decades of energy below the last hits nearby that the trend of phi is fitted to."""

TREND_RANGE = (0.0, 3.0)
"""Range of its exponent, relative to the reference spectrum."""

_SCALES = (1.0, 2.0, 4.0, 8.0, 16.0)

_POOL_SCALE = 4.0
"""Widest weights that hits are pooled with for an upper limit: a hit further away says little about the bin."""


class Grid(NamedTuple):
    """Centres of the bins of a flux array (row, energy, cos_zenith, azimuth), and the shape of the spectrum.

    Attributes
    ----------
    energies : float64 array (energy,)
        Energies (GeV) or momenta (GeV/c).
    cos_zeniths : float64 array (cos_zenith,)
    azimuths_deg : float64 array (azimuth,)
        Equally spaced; one for an azimuth average.
    reference : float64 array (energy,)
        Approximate shape of the spectrum, in any unit: bins of different energy are compared after division by it.
    """

    energies: Array
    cos_zeniths: Array
    azimuths_deg: Array
    reference: Array


@dataclass(frozen=True)
class BinErrors:
    """Errors and limits of an array of fluxes.

    Attributes
    ----------
    error : float64 array (row, energy, cos_zenith, azimuth)
        One standard deviation, in bins without hits the upper limit; never 0.
    kind : int8 array, same shape
        :data:`~sim3d.files.flux_table.SAMPLE`, :data:`~sim3d.files.flux_table.EXPECTED` or
        :data:`~sim3d.files.flux_table.LIMIT`.
    limit : float64 array, same shape
        90% upper limit of the flux of a bin without hits; infinite where none is known (rows without hits).
    hit_value, expected : float64 arrays, same shape
        phi and F, in the unit of the flux; NaN for a row without hits.
    """

    error: Array
    kind: NDArray[np.int8]
    limit: Array
    hit_value: Array
    expected: Array

    def reshaped(self, shape: tuple[int, ...]) -> BinErrors:
        """Return the same with every array in another shape.

        Parameters
        ----------
        shape : tuple of int

        Returns
        -------
        BinErrors
        """
        return BinErrors(
            self.error.reshape(shape),
            self.kind.reshape(shape),
            self.limit.reshape(shape),
            self.hit_value.reshape(shape),
            self.expected.reshape(shape),
        )


def neutrino_grid(energies_GeV: Array, cos_edges: Array, azimuth_edges_deg: Array) -> Grid:
    """Make the grid of a table of neutrino fluxes.

    Parameters
    ----------
    energies_GeV : float64 array (energy,)
    cos_edges, azimuth_edges_deg : float64 arrays

    Returns
    -------
    Grid
        With the approximate neutrino spectrum of :func:`sim3d.scoring.hit_weights.reference_flux`.
    """
    reference = getattr(reference_flux, "py_func", reference_flux)(energies_GeV)
    middles = [0.5 * (edges[1:] + edges[:-1]) for edges in (cos_edges, azimuth_edges_deg)]
    return Grid(energies_GeV, middles[0], middles[1], reference)


def bin_errors(flux: Array, error: Array, grid: Grid, batches: int) -> BinErrors:
    """Compute errors and upper limits of fluxes, none of them 0, from their sample errors.

    Parameters
    ----------
    flux, error : float64 arrays (row, energy, cos_zenith, azimuth)
        Flux and its sample error, both 0 in bins without hits. Rows (flavours, particles) are treated one by one.
    grid : Grid
    batches : int
        Number of batches that the sample errors are of.

    Returns
    -------
    BinErrors
    """
    error = np.nan_to_num(error)
    phi = hit_values(flux, error**2, grid)
    expected, limit = _expected_and_limit(flux, phi, grid)
    hit = flux != 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        from_mean = np.sqrt(phi * expected)
        few = (expected >= RARE_HITS * phi) & (expected < FEW_HITS * phi)
        larger = (from_mean > error) & ((expected < RARE_HITS * phi) | (batches < FEW_BATCHES))
    limit = np.where(np.isfinite(limit), limit, np.inf)
    # without a variance (one batch) nothing is known of the error
    from_mean = np.where(np.isfinite(from_mean), from_mean, NO_LIMIT)
    take = few | larger | (error <= 0.0)
    kind = np.where(hit, np.where(take, EXPECTED, SAMPLE), LIMIT).astype(np.int8)
    chosen = np.where(hit, np.where(take, from_mean, error), np.minimum(limit, NO_LIMIT))
    return BinErrors(chosen, kind, limit, phi, expected)


def with_prompt(errors: BinErrors, prompt: Array) -> BinErrors:
    """Give the errors of a simulated flux to its sum with a flux that is known exactly.

    Parameters
    ----------
    errors : BinErrors
        Of the simulated flux.
    prompt : float64 array
        Of a shape that broadcasts to that of the errors.

    Returns
    -------
    BinErrors
        A bin without hits has a flux then, so no limit but the expected error, where one is known; ``limit`` and the
        others stay those of the simulated flux.
    """
    expected = np.sqrt(errors.hit_value * errors.expected)
    take = (errors.kind == LIMIT) & (prompt > 0.0) & (expected > 0.0)
    kind = np.where(take, EXPECTED, errors.kind).astype(np.int8)
    return replace(errors, error=np.where(take, expected, errors.error), kind=kind)


def hit_values(flux: Array, variance: Array, grid: Grid, passes: int = 1, near: float = _VALUE_HITS) -> Array:
    """Compute the hit value phi, variance over mean, of the bins around each bin.

    Gaussian weights are summed over energy and zenith, and all azimuths. They widen until enough effective hits are
    near.
    Bins are compared after division by the reference spectrum and, beyond the energies with many hits, by the power of
    the energy that phi follows there (:func:`_trend`). Where even the widest weights find no hit, phi in this unit is
    that of the nearest energy.

    Parameters
    ----------
    flux, variance : float64 arrays (row, energy, cos_zenith, azimuth)
        The variance is the squared sample error; both are 0 in bins without hits.
    grid : Grid
    passes : int
        A mean over bins around is too large where phi varies by as much as e within the width of the weights: by 10%
        in a run of the default sampling. Each pass after the first takes the mean of phi over that of the pass before,
        which varies less.
    near : float
        Effective hits that are enough.

    Returns
    -------
    float64 array, same shape
        In the unit of the flux; NaN in rows without hits or variances.
    """
    positive = np.maximum(flux, 0.0)
    unit = grid.reference * _trend(
        _local_hit_values(positive, variance, grid, grid.reference[:, None, None], _SCALES[:1], near), grid
    )
    phi = _filled(_local_hit_values(positive, variance, grid, unit[:, None, None], _SCALES, near)) * unit[:, None, None]
    for _ in range(passes - 1):
        phi = phi * _filled(_local_hit_values(positive, variance, grid, phi, _SCALES, near))
    return np.broadcast_to(phi, flux.shape)


def _filled(phi: Array) -> Array:
    """Take what is not known from the nearest energies, for each row and zenith."""
    for row in phi[..., 0]:
        for column in row.T:
            good = np.flatnonzero(np.isfinite(column))
            if good.size:
                column[:] = np.interp(np.arange(len(column)), good, column[good])
    return phi


def _local_hit_values(
    flux: Array, variance: Array, grid: Grid, unit: Array, scales: Sequence[float], near: float
) -> Array:
    """Compute the hit value of the bins around, in the given unit of the flux: (energy, 1, 1) or one for each row.

    NaN where fewer effective hits than ``near`` are there at the widest scale; at the widest of :data:`_SCALES` their
    number does not matter.
    """
    # phi of flux / unit is phi / unit
    plain = np.sum(flux / unit, axis=3, keepdims=True)
    squares = np.sum(variance / unit**2, axis=3, keepdims=True)
    phi = np.full(plain.shape, np.nan)
    for scale in scales:
        kernels = _kernels(grid, 2.0 * scale)[:2]
        total, spread = _weighted(plain, kernels), _weighted(squares, kernels)
        with np.errstate(invalid="ignore", divide="ignore"):
            value = np.where((total > 0.0) & (spread > 0.0), spread / total, np.nan)
            enough = (total >= near * value) | (scale == _SCALES[-1])
        phi = np.where(np.isnan(phi) & enough, value, phi)
        if not np.isnan(phi).any():
            break
    return phi


def _trend(phi: Array, grid: Grid) -> Array:
    """Fit how the hit value rises at the energies where hits are rare: as a power law, common to all rows.

    Hits are rare at high energies because each counts much: relative to the flux, phi rises with energy. A mean over
    wide windows, which has most of its hits at lower energies, is too low there. The exponent is fitted to the highest
    decade in which phi is known from hits nearby.

    Parameters
    ----------
    phi : float64 array (row, energy, cos_zenith, 1)
        In units of the reference spectrum; NaN where it is not known.
    grid : Grid

    Returns
    -------
    float64 array (energy,)
        1 below that decade.
    """
    logs = np.log(grid.energies)
    known = np.mean(np.isfinite(phi), axis=(2, 3)) > 0.5
    slopes, starts = [], []
    decade = np.log(10.0) * TREND_DECADES
    for row, good in zip(phi, known, strict=True):
        last = good & (logs > logs[good].max(initial=-np.inf) - decade)
        if last.any() and np.ptp(logs[last]) > 0.5 * decade:
            slopes.append(np.polyfit(logs[last], np.nanmean(np.log(row[last]), axis=(1, 2)), 1)[0])
            starts.append(logs[last][0])
    if not slopes:
        return np.ones(len(logs))
    slope = np.clip(np.mean(slopes), *TREND_RANGE)
    return np.asarray(np.exp(slope * np.maximum(logs - np.mean(starts), 0.0)))


def _expected_and_limit(flux: Array, phi: Array, grid: Grid) -> tuple[Array, Array]:
    """Compute the expected flux F and the upper limit of bins without hits; NaN in rows without hits."""
    unit = grid.reference[None, :, None, None]
    plain, value = np.maximum(flux, 0.0) / unit, phi / unit
    ones = np.ones((1, *flux.shape[1:]))
    expected, pooled = np.full(flux.shape, np.nan), np.full(flux.shape, np.nan)
    for scale in _SCALES:
        kernels = _kernels(grid, scale)
        total, size = _weighted(plain, kernels), _weighted(ones, kernels)
        # weighted hits near: the weights are at most 1, so hits far away do not count
        hits = np.nan_to_num(total / value)
        last = scale == _SCALES[-1]
        expected = np.where(np.isnan(expected) & ((hits >= _FLUX_HITS) | last), total / size, expected)
        if scale <= _POOL_SCALE:
            pooled = np.where(np.isnan(pooled) & (hits >= HITS_NEAR), total / size, pooled)
    own = POISSON_LIMIT_90 * value
    most, least = (pooled * gammaincinv(n + 1.0, CONFIDENCE) / n for n in (FEWEST_POOLED, MOST_POOLED))
    # false where there is no pooled mean
    near = pooled < -np.log(UNLIKELY) * value
    limit = np.where(near, np.minimum(most, np.maximum(own, least)), own)
    return expected * unit, limit * unit


def _kernels(grid: Grid, scale: float) -> list[Array]:
    """Gaussian weights between the bins of each axis, wider than the least width by a factor."""
    turned = np.subtract.outer(grid.azimuths_deg, grid.azimuths_deg)
    return [
        _gaussian(np.subtract.outer(np.log10(grid.energies), np.log10(grid.energies)), scale * ENERGY_WIDTH),
        _gaussian(np.subtract.outer(grid.cos_zeniths, grid.cos_zeniths), scale * COS_WIDTH),
        _gaussian((turned + 180.0) % 360.0 - 180.0, scale * AZIMUTH_WIDTH_DEG),
    ]


def _gaussian(distance: Array, width: float) -> Array:
    return np.asarray(np.exp(-0.5 * (distance / width) ** 2))


def _weighted(values: Array, kernels: list[Array]) -> Array:
    """Sum with weights over the energy, zenith and azimuth axes, as many as there are kernels."""
    for axis, kernel in enumerate(kernels, start=1):
        if len(kernel) > 1:
            values = np.moveaxis(np.tensordot(kernel, values, axes=(1, axis)), 0, axis)
    return values
