"""Statistical errors of quantities derived from fluxes, by the delete-one jackknife over groups of batches.

Neutrinos of one shower are correlated, and so are a numerator and a denominator that the same showers fill. The
jackknife leaves out one group of batches at a time, so its error includes these correlations for any function of the
means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array

if TYPE_CHECKING:
    pass


def jackknife(
    quantity: Callable[[Array], Array], groups: ArrayLike, weights: ArrayLike, *, signed: bool = False
) -> tuple[Array, Array]:
    """Compute a function of the mean over groups, and its jackknife error.

    Parameters
    ----------
    quantity : callable
        Takes a mean (an array of the shape of one group) and gives an array of any shape.  Divisions by zero
        in it are allowed; they give NaN.
    groups : array_like, shape (G, ...)
        Means of G independent groups.
    weights : array_like, shape (G,)
        Batches in each group; groups may differ slightly in size.
    signed : bool
        Whether values may be negative (derivatives); fluxes may not.

    Returns
    -------
    value, error : arrays
        ``quantity`` of the weighted mean, and one standard deviation; the error is NaN with fewer than two
        groups, or where a denominator is zero without one of the groups.

    Examples
    --------
    >>> value, error = jackknife(lambda mean: mean[0] / mean[1], [[1.0, 3.0], [2.0, 2.0], [1.0, 3.0]], [1, 1, 1])
    >>> float(value), round(float(error), 3)
    (0.5, 0.178)
    """
    means = np.asarray(groups, dtype=float)
    w = np.asarray(weights, dtype=float)
    # A short run has groups without a batch.
    means, w = means[w > 0], w[w > 0]
    total_weight = w.sum()
    total = np.tensordot(w, means, axes=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(quantity(total / total_weight))
        if len(w) < 2:
            return value, np.full(value.shape, np.nan)
        variance = np.zeros(value.shape)
        for mean, weight in zip(means, w, strict=True):
            # Rounding leaves a tiny (also negative) remainder where the exact difference is zero; set it to zero.
            rest = total - weight * mean
            rest[np.abs(rest) < 1e-12 * np.abs(total) if signed else rest < 1e-12 * total] = 0.0
            without = np.asarray(quantity(rest / (total_weight - weight)))
            # With equal groups this factor is the usual (G - 1)/G.
            variance += (1.0 - weight / total_weight) * (without - value) ** 2
    return value, np.sqrt(variance)
