"""The stack of particles that a shower has still to follow: its columns, and how a particle is put on it."""

from __future__ import annotations

import numpy as np
from numba import njit

# columns of the stack of particles waiting to be followed
X, Y, Z, UX, UY, UZ, EX, EY, EZ, KINETIC, WEIGHT, HELICITY, TURN, SHIFT_X, SHIFT_Y, SHIFT_Z, DECAYS, CROSSED = range(18)
STACK_COLUMNS = 18


@njit(nogil=True)
def new_stack(capacity, carried=0):
    """Empty work arrays of the shower kernel: particles (capacity, columns), their species and stream keys.

    There are STACK_COLUMNS columns, and ``carried`` further ones for what :mod:`sim3d.shower_gradients` hands down.
    """
    return (
        np.empty((capacity, STACK_COLUMNS + carried)),
        np.empty(capacity, dtype=np.int64),
        np.empty(capacity, dtype=np.uint64),
    )


@njit(nogil=True)
def grown(array, rows):
    """A copy of a 2-D array with more rows."""
    bigger = np.empty((rows, array.shape[1]))
    bigger[: array.shape[0]] = array
    return bigger


@njit(nogil=True)
def put(stack, row, x, y, z, ux, uy, uz, ex, ey, ez, kinetic, weight, helicity, field_turn, shift_x, shift_y, shift_z):
    """Fill a row of the stack: a particle at its birth, or one that goes on.

    Parameters
    ----------
    stack : float64 array (capacity, STACK_COLUMNS)
    row : int
    x, y, z, ux, uy, uz, ex, ey, ez : float
        Position (km), direction, carried perpendicular vector.
    kinetic, weight, helicity : float
        GeV; statistical weight; helicity of a muon.
    field_turn, shift_x, shift_y, shift_z : float
        Turn (rad/nT) and shift (km rad/nT), see :mod:`sim3d.shower`.
    """
    stack[row, X], stack[row, Y], stack[row, Z] = x, y, z
    stack[row, UX], stack[row, UY], stack[row, UZ] = ux, uy, uz
    stack[row, EX], stack[row, EY], stack[row, EZ] = ex, ey, ez
    stack[row, KINETIC], stack[row, WEIGHT], stack[row, HELICITY] = kinetic, weight, helicity
    stack[row, TURN] = field_turn
    stack[row, SHIFT_X], stack[row, SHIFT_Y], stack[row, SHIFT_Z] = shift_x, shift_y, shift_z
    stack[row, DECAYS] = stack[row, CROSSED] = 0.0
