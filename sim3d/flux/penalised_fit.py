"""Fit of a tensor product of penalised B-splines to fluxes whose variance is proportional to their expectation.

The logarithm of the flux is an offset plus a tensor product of B-splines in two variables and functions of a third
variable. Penalties on differences of neighbouring coefficients make it smooth (P-splines: Eilers and Marx, Statistical
Science 11 (1996) 89). The fit is to the fluxes themselves, not to their logarithms, by quasi-likelihood: a bin has
expectation mu and variance phi mu. The strengths of the two penalties are determined by restricted maximum likelihood
(the Fellner-Schall step of Wood and Fasiolo, Biometrics 73 (2017) 1071).

The fit is written here because pyGAM and statsmodels have one dispersion for all data (from memory), not one per bin.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline

from sim3d.conventions.arrays import Array
from sim3d.flux.spline import along_axes

PENALTY_RANGE = (1e-3, 1e7)
"""Lowest and highest strength of a penalty."""

_ITERATIONS = 60
_SMALL_STEP = 1e-3
"""Convergence: no ln flux changes by more than this (times the bin's relative error where that is above 1)."""


@dataclass(frozen=True)
class Fit:
    """Fitted flux of one flavour.

    Attributes
    ----------
    mean : float64 array (energy, cos_zenith, azimuth)
        Flux.
    relative_error : float64 array, same shape
        Standard deviation of its logarithm.
    leverage, phi : float64 arrays, same shape
        Leverage of each bin on its own fitted value, and the variance over the expectation.
    penalties : (float, float)
        Their strengths in the two variables.
    """

    mean: Array
    relative_error: Array
    leverage: Array
    phi: Array
    penalties: tuple[float, float]


def basis(x: Array, intervals: int) -> Array:
    """Evaluate cubic B-splines on equal intervals over the range of x.

    Parameters
    ----------
    x : float64 array (n,)
        Ascending.
    intervals : int

    Returns
    -------
    float64 array (n, intervals + 3)
    """
    step = (x[-1] - x[0]) / intervals
    knots = x[0] + step * np.arange(-3, intervals + 4)
    inside = np.clip(x, knots[3], knots[-4])
    return np.asarray(BSpline.design_matrix(inside, knots, 3).toarray())


def _penalty(size: int, order: int) -> Array:
    differences = np.diff(np.eye(size), order, axis=0)
    return differences.T @ differences


def fit(flux: Array, phi: Array, bases: list[Array], offset: Array, order: int) -> Fit:
    """Fit one flavour by penalised quasi-likelihood (iteratively reweighted least squares), with its penalties.

    Parameters
    ----------
    flux, phi : float64 arrays (energy, cos_zenith, azimuth)
        Flux, and variance over expectation of each bin.
    bases : list of three float64 arrays (bins, functions)
        Values of the basis functions in the bins of each axis; the first two are penalised.
    offset : float64 array, shape of ``flux``
        Added to the logarithm of the fitted flux.
    order : int
        Order of the differences of coefficients that are penalised.

    Returns
    -------
    Fit
    """
    sizes = [b.shape[1] for b in bases]
    total = int(np.prod(sizes))
    penalties = [_penalty(sizes[0], order), _penalty(sizes[1], order)]
    stiff = [
        np.kron(np.kron(penalties[0], np.eye(sizes[1])), np.eye(sizes[2])),
        np.kron(np.kron(np.eye(sizes[0]), penalties[1]), np.eye(sizes[2])),
    ]
    # the two commute, so the eigenvalues of their sum are sums of eigenvalues
    roots = [np.linalg.eigvalsh(p) * (np.arange(len(p)) >= order) for p in penalties]
    first, second = np.broadcast_arrays(roots[0][:, None], roots[1])
    squares = [(b[:, :, None] * b[:, None, :]).reshape(len(b), -1) for b in bases]
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
        right = along_axes([b.T for b in bases], weight * working)
        theta = inverse @ right.ravel()
        new = offset + along_axes(bases, theta.reshape(sizes))
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
    return Fit(mean, np.sqrt(variance), variance * mean / phi, phi, (strength[0], strength[1]))


def _start(flux: Array, offset: Array, is_factor: bool) -> Array:
    """Return starting values of ln flux: the table's, its smallest flux in empty bins; for a factor the offset."""
    if is_factor:
        return np.array(offset)
    floor = flux[flux > 0.0].min()
    return np.log(np.maximum(flux, floor))


def _gram(squares: list[Array], weight: Array, sizes: list[int]) -> Array:
    """Compute X^T W X of a tensor product without forming X."""
    out = along_axes([square.T for square in squares], weight)
    a, b, c = sizes
    out = out.reshape(a, a, b, b, c, c).transpose(0, 2, 4, 1, 3, 5)
    return out.reshape(a * b * c, a * b * c)


def _variance(squares: list[Array], inverse: Array, sizes: list[int]) -> Array:
    """Compute the variance of ln flux in every bin."""
    a, b, c = sizes
    tensor = inverse.reshape(a, b, c, a, b, c).transpose(0, 3, 1, 4, 2, 5).reshape(a * a, b * b, c * c)
    return np.maximum(along_axes(squares, tensor), 0.0)
