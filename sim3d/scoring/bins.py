"""Bin indices of an energy, a zenith cosine and an azimuth, for kernels."""

from __future__ import annotations

import math

from numba import njit

from sim3d.conventions.binning import COS_WIDTH, ENERGY_BINS_PER_DECADE, LOG10_ENERGY_LOW, N_COS, N_ENERGY, SUB_BINS

_INV_LN10_TIMES_BINS = ENERGY_BINS_PER_DECADE / math.log(10.0)

_OFFSET = LOG10_ENERGY_LOW * ENERGY_BINS_PER_DECADE


@njit(nogil=True)
def energy_bin(energy):
    """Index of the fine energy bin; -1 below the range, N_ENERGY above it.

    Parameters
    ----------
    energy : float
        GeV.

    Returns
    -------
    int
    """
    position = math.log(energy) * _INV_LN10_TIMES_BINS - _OFFSET
    if position < 0.0:
        return -1
    i = int(position)
    return i if i < N_ENERGY else N_ENERGY


@njit(nogil=True)
def cos_bin(cos_zenith):
    """Index of the fine zenith bin, ascending in cos_zenith.

    Parameters
    ----------
    cos_zenith : float

    Returns
    -------
    int
    """
    i = int((cos_zenith + 1.0) / COS_WIDTH)
    if i < 0:
        return 0
    return i if i < N_COS else N_COS - 1


@njit(nogil=True)
def inverse_cosine(cos_zenith):
    """Value of 1/|cos_zenith| at the middle of the sub-bin that contains |cos_zenith| (see SUB_BINS).

    Parameters
    ----------
    cos_zenith : float

    Returns
    -------
    float
    """
    width = COS_WIDTH / SUB_BINS
    i = min(int(abs(cos_zenith) / width), N_COS // 2 * SUB_BINS - 1)
    return 1.0 / (width * (i + 0.5))


@njit(nogil=True)
def azimuth_bin(azimuth, n_azimuth):
    """Index of the azimuth bin.

    Parameters
    ----------
    azimuth : float
        Radians, in [0, 2 pi).
    n_azimuth : int
        Number of bins.

    Returns
    -------
    int
    """
    i = int(azimuth * n_azimuth / (2.0 * math.pi))
    return i if i < n_azimuth else n_azimuth - 1
