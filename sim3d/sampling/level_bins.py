"""Find the bins of muons and nucleons that cross a level: momentum, zenith cosine, species (kernels)."""

from __future__ import annotations

import math

from numba import njit

from sim3d.scoring.muons import PARTICLE_CODES


@njit(nogil=True)
def momentum_bin(momentum, edges):
    """Index of the logarithmic momentum bin; -1 outside the range.

    Parameters
    ----------
    momentum : float
        GeV/c.
    edges : float64 array (n + 1,)
        GeV/c, equidistant in the logarithm.

    Returns
    -------
    int
    """
    n = edges.shape[0] - 1
    if momentum < edges[0] or momentum >= edges[n]:
        return -1
    return min(int(n * math.log(momentum / edges[0]) / math.log(edges[n] / edges[0])), n - 1)


@njit(nogil=True)
def find_bin(value, edges):
    """Index of the bin of a value; -1 outside the range, and the last edge belongs to the last bin.

    Parameters
    ----------
    value : float
    edges : float64 array (n + 1,)
        Ascending.

    Returns
    -------
    int
    """
    n = edges.shape[0] - 1
    if value < edges[0] or value > edges[n]:
        return -1
    i = 0
    while i < n - 1 and value >= edges[i + 1]:
        i += 1
    return i


@njit(nogil=True)
def particle_row(species):
    """Index of a species in PARTICLE_CODES; -1 if it is not scored.

    Parameters
    ----------
    species : int

    Returns
    -------
    int
    """
    for k in range(len(PARTICLE_CODES)):
        if PARTICLE_CODES[k] == species:
            return k
    return -1
