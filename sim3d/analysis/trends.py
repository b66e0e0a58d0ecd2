"""Smooth curves through points with errors, and their standard errors, for the lines of figures.

A curve is a cubic B-spline whose third differences of neighbouring coefficients are penalised (P-splines: Eilers and
Marx, Statistical Science 11 (1996) 89), fitted by weighted least squares. The strength of the penalty maximises the
restricted likelihood, so that noise alone gives a parabola. The errors are the standard deviations of the posterior of
that penalty (Wahba, J. R. Statist. Soc. B 45 (1983) 133; both citations from memory).
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import BSpline

from sim3d.conventions.arrays import Array

LARGEST_RELATIVE_ERROR = 0.5
"""A flux with a larger relative error counts as not known: no curve and no axis extends to it."""

FEWEST_POINTS = 5
"""A curve through fewer points is not drawn."""

_STRENGTHS = np.geomspace(1e-3, 1e7, 41)
_ORDER = 3
_NEIGHBOURS = 2
_MOST_INTERVALS = 30


def smooth_curves(x: Array, y: Array, error: Array, at: Array, *, log: bool = True) -> tuple[Array, Array]:
    """Fit smooth curves to the points of several series, all with one penalty.

    Parameters
    ----------
    x : float64 array (n,)
        Positions, rising.
    y, error : float64 arrays (series, n)
        Values and one standard deviation of each.
    at : float64 array (m,)
        Positions of the curves; NaN is returned outside the points of a series that are used.
    log : bool
        Fit the logarithm of ``y``: for fluxes. Points that are not positive, or not known to
        :data:`LARGEST_RELATIVE_ERROR`, are left out. The errors are replaced by medians of neighbours, because a flux
        that is low by chance has too small an error.

    Returns
    -------
    curves, errors : float64 arrays (series, m)
        The curves and their standard errors; NaN for a series of fewer than :data:`FEWEST_POINTS` points.
    """
    curves = np.full((len(y), len(at)), np.nan)
    spreads = curves.copy()
    fits: dict[int, _Series] = {}
    for k, (values, sigmas) in enumerate(zip(y, error, strict=True)):
        used = np.isfinite(values) & np.isfinite(sigmas) & (sigmas > 0.0)
        if log:
            used &= (values > 0.0) & (sigmas < LARGEST_RELATIVE_ERROR * np.abs(values))
        if used.sum() < FEWEST_POINTS:
            continue
        value, sigma = values[used], sigmas[used]
        if log:
            value, sigma = np.log(value), sigma / value
        fits[k] = _Series(x[used], value, _median_of_neighbours(sigma))
    if not fits:
        return curves, spreads
    likelihoods = [sum(one.likelihood(strength) for one in fits.values()) for strength in _STRENGTHS]
    strength = float(_STRENGTHS[int(np.argmax(likelihoods))])
    for k, one in fits.items():
        inside = (at >= one.x[0]) & (at <= one.x[-1])
        curve, spread = one.curve(strength, at[inside])
        curves[k, inside] = np.exp(curve) if log else curve
        spreads[k, inside] = curves[k, inside] * spread if log else spread
    return curves, spreads


def smooth_curve(x: Array, y: Array, error: Array, at: Array, *, log: bool = True) -> tuple[Array, Array]:
    """Fit one smooth curve; parameters as in :func:`smooth_curves`, without the axis of series.

    Parameters
    ----------
    x, y, error : float64 arrays (n,)
    at : float64 array (m,)
    log : bool

    Returns
    -------
    curve, error : float64 arrays (m,)
    """
    curves, errors = smooth_curves(x, y[None], error[None], at, log=log)
    return curves[0], errors[0]


HORIZON_WIDTH = 0.2
"""Zenith cosine within which fluxes may change fast: the flux of low energies peaks at the horizon."""


def zenith_coordinate(cos_zenith: Array) -> Array:
    """Stretch zenith cosines near the horizon, so that a curve smooth in this may have a peak there.

    Parameters
    ----------
    cos_zenith : float64 array

    Returns
    -------
    float64 array
        ``arcsinh(cos_zenith / HORIZON_WIDTH)``.
    """
    return np.asarray(np.arcsinh(np.asarray(cos_zenith, dtype=float) / HORIZON_WIDTH))


def harmonics(azimuth_deg: Array, y: Array, error: Array, at_deg: Array, orders: int = 2) -> tuple[Array, Array]:
    """Fit a constant and the first harmonics in azimuth to bin averages.

    Parameters
    ----------
    azimuth_deg, y, error : float64 arrays (n,)
        Centres of equal bins over the whole turn, averages over the bins, one standard deviation of each.
    at_deg : float64 array (m,)
    orders : int
        Highest harmonic.

    Returns
    -------
    curve, error : float64 arrays (m,)
        NaN with fewer points than coefficients.
    """
    used = np.isfinite(y) & np.isfinite(error) & (error > 0.0)
    if used.sum() <= 2 * orders + 1:
        return np.full(np.shape(at_deg), np.nan), np.full(np.shape(at_deg), np.nan)
    width = np.radians(360.0 / len(azimuth_deg))
    # a bin's average of cos(k a) is that of its centre times sin(k w/2) / (k w/2)
    shrink = [float(np.sinc(0.5 * k * width / np.pi)) for k in range(1, orders + 1)]

    def rows(azimuth: Array, factors: list[float]) -> Array:
        angle = np.radians(azimuth)
        waves = [f * wave(k * angle) for k, f in enumerate(factors, start=1) for wave in (np.cos, np.sin)]
        return np.stack([np.ones_like(angle), *waves], axis=-1)

    design = rows(azimuth_deg[used], shrink) / error[used, None]
    covariance = np.linalg.inv(design.T @ design)
    coefficients = covariance @ design.T @ (y[used] / error[used])
    shown = rows(np.asarray(at_deg, dtype=float), [1.0] * orders)
    return shown @ coefficients, np.sqrt(np.einsum("ij,jk,ik->i", shown, covariance, shown))


def known_range(energies: Array, values: Array, errors: Array) -> tuple[float, float] | None:
    """Find the energies between which fluxes are known to :data:`LARGEST_RELATIVE_ERROR`.

    A point beyond two neighbouring unknown ones does not count: of many noisy bins a few have small errors by chance.

    Parameters
    ----------
    energies : float64 array (n,)
        Rising.
    values, errors : float64 arrays (flavour, n)

    Returns
    -------
    (float, float) or None
        Lowest and highest energy at which half of the flavours or more are known; None if there are none.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        known = (values > 0.0) & (errors < LARGEST_RELATIVE_ERROR * values)
    good = known.mean(axis=0) >= 0.5
    if not good.any():
        return None
    first = int(np.argmax(good))
    last = first
    for j in range(first, len(good)):
        if good[j]:
            last = j
        elif j - last >= 2:
            break
    return float(energies[first]), float(energies[last])


def _median_of_neighbours(values: Array) -> Array:
    n = len(values)
    return np.array([np.median(values[max(0, i - _NEIGHBOURS) : min(n, i + _NEIGHBOURS + 1)]) for i in range(n)])


class _Series:
    """Penalised regression of one series of points."""

    def __init__(self, x: Array, value: Array, sigma: Array) -> None:
        self.x = x
        self.intervals = max(4, min(len(x) - 1, _MOST_INTERVALS))
        self._scaled = self._basis(x) / sigma[:, None]
        self._target = value / sigma
        size = self._scaled.shape[1]
        differences = np.diff(np.eye(size), _ORDER, axis=0)
        self._penalty = differences.T @ differences
        self._normal = self._scaled.T @ self._scaled
        self._ridge = 1e-9 * np.trace(self._normal) / size * np.eye(size)

    def _basis(self, at: Array) -> Array:
        """Evaluate cubic B-splines on equal intervals over the range of x."""
        step = (self.x[-1] - self.x[0]) / self.intervals
        knots = self.x[0] + step * np.arange(-3, self.intervals + 4)
        return np.asarray(BSpline.design_matrix(np.clip(at, knots[3], knots[-4]), knots, 3).toarray())

    def _matrix(self, strength: float) -> Array:
        return np.asarray(self._normal + strength * self._penalty + self._ridge)

    def likelihood(self, strength: float) -> float:
        """Compute the logarithm of the restricted likelihood of a penalty, but for a constant."""
        matrix = self._matrix(strength)
        coefficients = np.linalg.solve(matrix, self._scaled.T @ self._target)
        misfit = float(np.sum((self._target - self._scaled @ coefficients) ** 2))
        misfit += strength * float(coefficients @ self._penalty @ coefficients)
        rank = len(matrix) - _ORDER
        return -0.5 * float(misfit - rank * np.log(strength) + np.linalg.slogdet(matrix)[1])

    def curve(self, strength: float, at: Array) -> tuple[Array, Array]:
        """Return the curve at positions and its standard error."""
        inverse = np.linalg.inv(self._matrix(strength))
        rows = self._basis(at)
        spread = np.sqrt(np.maximum(np.einsum("ij,jk,ik->i", rows, inverse, rows), 0.0))
        return rows @ (inverse @ self._scaled.T @ self._target), spread
