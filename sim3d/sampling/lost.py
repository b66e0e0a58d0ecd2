"""List primaries that could not be simulated: they are left out of their batch, recorded and counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit


class Lost(NamedTuple):
    """A primary that was left out.

    Attributes
    ----------
    primary : int
        Index in the run.
    reason : str
        Message of the failure.
    """

    primary: int
    reason: str


@njit(nogil=True)
def is_left_out(index, left_out, only):
    """Whether a batch kernel must skip primary number ``index``.

    Parameters
    ----------
    index : int
    left_out : int64 array (n,)
        Primaries to skip.
    only : int
        The only primary to simulate; -1 for all.

    Returns
    -------
    bool
    """
    if only >= 0 and index != only:
        return True
    for k in range(left_out.shape[0]):  # noqa: SIM110  (any() of a generator is slower in numba)
        if left_out[k] == index:
            return True
    return False


def indices(lost: Iterable[Lost]) -> np.ndarray:
    """Collect the indices of lost primaries.

    Parameters
    ----------
    lost : iterable of Lost

    Returns
    -------
    int64 array (n,)
    """
    return np.array([one.primary for one in lost], dtype=np.int64)
