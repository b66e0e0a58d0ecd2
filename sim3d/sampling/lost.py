"""Primaries that could not be simulated: left out of their batch, recorded, counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numba import njit


class Lost(NamedTuple):
    """A primary that was left out: its index in the run and why."""

    primary: int
    reason: str


@njit(nogil=True)
def is_left_out(index, left_out, only):
    """Whether a batch kernel must leave out primary number ``index``.

    Parameters
    ----------
    index : int
    left_out : int64 array (n,)
        Primaries to leave out.
    only : int
        The only primary to simulate; -1 for all.
    """
    if only >= 0 and index != only:
        return True
    for k in range(left_out.shape[0]):  # noqa: SIM110  (any() of a generator is slower in numba)
        if left_out[k] == index:
            return True
    return False


def indices(lost: Iterable[Lost]) -> np.ndarray:
    """Indices of lost primaries, int64 (n,)."""
    return np.array([one.primary for one in lost], dtype=np.int64)
