"""Primaries that could not be simulated: left out of their batch, recorded, counted."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit


class Lost(NamedTuple):
    """A primary that was left out: its index in the run and why."""

    primary: int
    reason: str


@njit(nogil=True)
def is_lost(index, status):
    """Whether a batch kernel must leave out primary number ``index``.

    Parameters
    ----------
    index : int
    status : int64 array (1 + n,)
        First the index of the primary being followed, then those to leave out; or, second, -2 - k to leave out all
        but primary k.
    """
    if status.shape[0] > 1 and status[1] < -1:
        return index != -2 - status[1]
    for k in range(1, status.shape[0]):  # noqa: SIM110  (any() of a generator is slower in numba)
        if status[k] == index:
            return True
    return False


def status_of_one(primary: int) -> np.ndarray:
    """The status array of a batch kernel that leaves out all primaries but one."""
    return np.array([-1, -2 - primary], dtype=np.int64)


def new_status(lost: list[Lost]) -> np.ndarray:
    """The status array of a batch kernel that leaves out some primaries; -1 stands for none being followed."""
    return np.array([-1, *(one.primary for one in lost)], dtype=np.int64)
