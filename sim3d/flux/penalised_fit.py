"""Fit of a tensor product of penalised B-splines to fluxes whose variance is proportional to their expectation.

The logarithm of the flux is an offset plus a tensor product of B-splines in two variables and functions of a third
variable. Penalties on differences of neighbouring coefficients make it smooth (P-splines: Eilers and Marx, Statistical
Science 11 (1996) 89). The fit is to the fluxes themselves, not to their logarithms, by quasi-likelihood: a bin has
expectation mu and variance phi mu. The strengths of the penalties are determined by restricted maximum likelihood
(the Fellner-Schall step of Wood and Fasiolo, Biometrics 73 (2017) 1071).

The fit is written here because pyGAM and statsmodels have one dispersion for all data (from memory), not one per bin.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import BSpline
from scipy.linalg import lapack

from sim3d.conventions.arrays import Array
from sim3d.flux.spline import along_axes

PENALTY_RANGE = (1e-3, 1e7)
"""Lowest and highest strength of a penalty."""

_ITERATIONS = 60
_SMALL_STEP = 1e-3
"""Convergence: no ln flux changes by more than this (times the bin's relative error where that is above 1)."""


@dataclass(frozen=True)
class Penalty:
    """A quadratic form of the coefficients, whose strength is determined by the data.

    Attributes
    ----------
    energy, zenith : float64 arrays (a, a), (b, b)
        Matrices on the coefficients of the two splines; the form is that of their tensor product.
    functions : float64 array (c,)
        Weights of the functions of the third variable; where it is 0 the penalty does not act.
    """

    energy: Array
    zenith: Array
    functions: Array


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
    penalties : float64 array
        Their strengths.
    """

    mean: Array
    relative_error: Array
    leverage: Array
    phi: Array
    penalties: Array


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


def difference_penalty(size: int, order: int, weights: Array | None = None) -> Array:
    """Compute the matrix of the sum of squared differences of neighbouring coefficients.

    Parameters
    ----------
    size : int
        Number of coefficients.
    order : int
        Of the differences.
    weights : float64 array (size - order,), optional
        Of the squared differences; by default 1.

    Returns
    -------
    float64 array (size, size)
    """
    differences = np.diff(np.eye(size), order, axis=0)
    return differences.T @ (differences if weights is None else weights[:, None] * differences)


def fit(
    flux: Array,
    phi: Array,
    bases: list[Array],
    offset: Array,
    penalties: Sequence[Penalty],
    with_error: Array | None = None,
    start: Array | None = None,
    common: Array | None = None,
    largest: float = PENALTY_RANGE[1],
) -> Fit:
    """Fit one flavour by penalised quasi-likelihood (iteratively reweighted least squares), with its penalties.

    Parameters
    ----------
    flux, phi : float64 arrays (energy, cos_zenith, azimuth)
        Flux, and variance over expectation of each bin.
    bases : list of three float64 arrays (bins, functions)
        Values of the basis functions in the bins of each axis.
    offset : float64 array, shape of ``flux``
        Added to the logarithm of the fitted flux.
    penalties : sequence of Penalty
    with_error : float64 array (bins, functions), optional
        Functions of the third axis for the error; by default those of ``bases``. A function that is 0 here is fitted
        and adds no error.
    start : float64 array, shape of ``flux``, optional
        First value of the logarithm of the fitted flux; by default ``offset``.
    common : float64 array (energy, cos_zenith), optional
        Variance over ``phi`` times expectation of what the bins of the third axis have in common: of the sum of their
        deviations in units of their errors. By default 1, as of independent bins.
    largest : float
        Highest strength of a penalty.

    Returns
    -------
    Fit
    """
    sizes = [b.shape[1] for b in bases]
    total = int(np.prod(sizes))
    penalised = _Penalties(penalties, sizes)
    squares = [(b[:, :, None] * b[:, None, :]).reshape(len(b), -1) for b in bases]
    eta = np.array(offset if start is None else start)
    strengths = np.full(len(penalties), 10.0)
    for count in range(_ITERATIONS):
        mean = np.exp(np.clip(eta, -200.0, 200.0))
        weight = mean / phi
        # limits the first steps of bins far above the fit; the limit grows by a factor of 4 with each iteration
        working = eta - offset + np.minimum((flux - mean) / mean, 20.0 * 4.0**count)
        normal, right = _gram(squares, weight, sizes), along_axes([b.T for b in bases], weight * working)
        if common is not None:
            scale = np.sqrt(weight / flux.shape[2])
            # the common deviation has another variance
            together = (scale @ bases[2])[..., None, :] * (1.0 / common - 1.0)[..., None, None]
            more = (together * (scale @ bases[2])[..., :, None]).reshape(*flux.shape[:2], -1)
            normal += _ordered(along_axes([squares[0].T, squares[1].T, np.eye(sizes[2] ** 2)], more), sizes)
            of_sum = together[..., 0, :] * np.sum(scale * working, axis=2, keepdims=True)
            right += along_axes([bases[0].T, bases[1].T, np.eye(sizes[2])], of_sum)
        # the small ridge sets to 0 what neither the data nor the penalties determine
        inverse = _inverse(normal + penalised.matrix(strengths) + 1e-6 * np.eye(total))
        theta = inverse @ right.ravel()
        new = offset + along_axes(bases, theta.reshape(sizes))
        step = float(np.max(np.abs(new - eta) * np.sqrt(np.minimum(weight, 1.0))))
        eta = new
        if step < _SMALL_STEP and count > 5:
            break
        strengths = np.minimum(penalised.next_strengths(strengths, theta, inverse), largest)
    mean = np.exp(np.clip(eta, -200.0, 200.0))
    variance = _variance(squares, inverse, sizes)
    leverage = variance * mean / phi
    if with_error is not None:
        third = (with_error[:, :, None] * with_error[:, None, :]).reshape(len(with_error), -1)
        variance = _variance([*squares[:2], third], inverse, sizes)
    return Fit(mean, np.sqrt(variance), leverage, phi, strengths)


class _Penalties:
    """Penalties of a fit, and the step of their strengths.

    The matrices of the penalties have few elements that are not 0; only these are kept.
    """

    def __init__(self, penalties: Sequence[Penalty], sizes: list[int]) -> None:
        self._sizes = sizes
        planes = [np.kron(one.energy, one.zenith) for one in penalties]
        self._elements = [(*np.nonzero(plane), plane[plane != 0.0]) for plane in planes]
        rows = np.array([one.functions for one in penalties])
        # functions of the third axis that the same penalties act on, and these in the space that they determine
        self._groups: list[tuple[np.ndarray, Array, list[int], Array]] = []
        for weights in dict.fromkeys(map(tuple, rows.T.tolist())):
            functions = [c for c in range(sizes[2]) if tuple(rows[:, c].tolist()) == weights]
            on = np.flatnonzero(np.array(weights) > 0.0)
            matrices = [weights[k] * planes[k] for k in on]
            values, vectors = np.linalg.eigh(sum(m / np.trace(m) for m in matrices))
            space = vectors[:, values > 1e-10 * values[-1]]
            reduced = np.array([space.T @ m @ space for m in matrices])
            self._groups.append((on, np.array(weights)[on], functions, reduced))

    def matrix(self, strengths: Array) -> Array:
        """Sum of the penalties with their strengths, for coefficients in C order."""
        a, b, c = self._sizes
        out = np.zeros((a * b, c, a * b, c))
        for on, weights, functions, _ in self._groups:
            for k, weight in zip(on.tolist(), weights.tolist(), strict=True):
                i, j, values = self._elements[k]
                for function in functions:
                    out[i, function, j, function] += strengths[k] * weight * values
        return out.reshape(a * b * c, a * b * c)

    def next_strengths(self, strengths: Array, theta: Array, inverse: Array) -> Array:
        """Fellner-Schall step: expected over actual size of each penalty."""
        a, b, c = self._sizes
        expected, actual = np.zeros(len(strengths)), np.zeros(len(strengths))
        coefficients = theta.reshape(a * b, c)
        blocks = inverse.reshape(a * b, c, a * b, c)
        for on, weights, functions, reduced in self._groups:
            whole = _inverse(np.tensordot(strengths[on], reduced, axes=1))
            # the trace of a product of symmetric matrices
            expected[on] += len(functions) * (reduced.reshape(len(on), -1) @ whole.ravel())
            for k, weight in zip(on.tolist(), weights.tolist(), strict=True):
                i, j, values = self._elements[k]
                for function in functions:
                    expected[k] -= weight * float(values @ blocks[i, function, j, function])
                    actual[k] += weight * float(values @ (coefficients[i, function] * coefficients[j, function]))
        change = np.clip(expected / np.maximum(actual, 1e-12), 0.1, 10.0)
        return np.clip(strengths * change, *PENALTY_RANGE)


def _inverse(matrix: Array) -> Array:
    """Inverse of a symmetric positive definite matrix."""
    factor, info = lapack.dpotrf(matrix, lower=True)
    if info:
        return np.asarray(np.linalg.inv(matrix), dtype=np.float64)
    # the upper triangle is 0 here
    inverse, _ = lapack.dpotri(factor, lower=True, overwrite_c=True)
    diagonal = inverse.diagonal().copy()
    inverse = inverse + inverse.T
    np.fill_diagonal(inverse, diagonal)
    return np.asarray(inverse)


def _gram(squares: list[Array], weight: Array, sizes: list[int]) -> Array:
    """Compute X^T W X of a tensor product without forming X."""
    return _ordered(along_axes([square.T for square in squares], weight), sizes)


def _ordered(out: Array, sizes: list[int]) -> Array:
    """Bring pairs of functions (a a, b b, c c) into the order of the matrix of all functions."""
    a, b, c = sizes
    out = out.reshape(a, a, b, b, c, c).transpose(0, 2, 4, 1, 3, 5)
    return out.reshape(a * b * c, a * b * c)


def _variance(squares: list[Array], inverse: Array, sizes: list[int]) -> Array:
    """Compute the variance of ln flux in every bin."""
    a, b, c = sizes
    tensor = inverse.reshape(a, b, c, a, b, c).transpose(0, 3, 1, 4, 2, 5).reshape(a * a, b * b, c * c)
    return np.maximum(along_axes(squares, tensor), 0.0)
