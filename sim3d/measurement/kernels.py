"""Sums over the events of each bin, with their derivatives: the compiled loops of the expectation."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.jit_cache import CACHE


@njit(nogil=True, cache=CACHE)
def event_values(weights, factor, exponents, changes, plain, values):
    """Compute the weight of every event: weight x factor x exp(exponents x changes).

    Parameters
    ----------
    weights, factor : float64 arrays (n,)
    exponents : float64 array (n, m)
    changes : float64 array (m,)
    plain : float64 array (n,)
        Filled with the weights without the factor.
    values : float64 array (n,)
        Filled with the weights.
    """
    for i in range(weights.shape[0]):
        total = 0.0
        for j in range(changes.shape[0]):
            total += exponents[i, j] * changes[j]
        plain[i] = weights[i] * math.exp(total)
        values[i] = plain[i] * factor[i]


@njit(nogil=True, cache=CACHE)
def bin_sums(starts, values, others, exponents, plain, slopes):
    """Sum value x other over the events of each bin, with the derivatives through the value.

    Parameters
    ----------
    starts : int64 array (bins + 1,)
        Events are ordered by bin; those of bin b are starts[b] to starts[b + 1] - 1.
    values, others : float64 arrays (n,)
    exponents : float64 array (n, m)
        d ln(value) / d(parameter) of the first parameters.
    plain : float64 array (n,)
        Values without their factor.
    slopes : float64 array (n, k)
        d(factor) / d(parameter) of the other parameters.

    Returns
    -------
    sums : float64 array (bins,)
    derivatives : float64 array (m + k, bins)
    """
    n_bins, m, k = starts.shape[0] - 1, exponents.shape[1], slopes.shape[1]
    sums = np.zeros(n_bins)
    derivatives = np.zeros((m + k, n_bins))
    for b in range(n_bins):
        for i in range(starts[b], starts[b + 1]):
            product = values[i] * others[i]
            sums[b] += product
            for j in range(m):
                derivatives[j, b] += product * exponents[i, j]
            for j in range(k):
                derivatives[m + j, b] += plain[i] * slopes[i, j] * others[i]
    return sums, derivatives
