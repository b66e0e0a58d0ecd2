"""The stack of particles of a shower that are still to be simulated: its columns, and functions that fill its rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.jit_options import HELPER

# Columns of a particle: position (km), direction, carried perpendicular vector, kinetic energy (GeV), statistical
# weight, helicity of a muon, turn (rad/nT) and shift (km rad/nT) of :mod:`sim3d.shower.kernel`, number of decays that
# still share the weight (0: not determined yet), depth over which a muon has scattered (g/cm2), path above
# the atmosphere, with that of the ancestors (km).
X, Y, Z, UX, UY, UZ, EX, EY, EZ, KINETIC, WEIGHT, HELICITY, TURN, SHIFT_X, SHIFT_Y, SHIFT_Z, DECAYS, CROSSED = range(18)
ABOVE = 18
STACK_COLUMNS = 19
STACK_RESERVE = 16384
"""Free rows that the stack has before each particle is simulated; one interaction makes far fewer secondaries."""


class Stack(NamedTuple):
    """Particles of a shower that are still to be simulated (numba argument).

    Attributes
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
        State of each particle.
    species : int64 array (capacity,)
        Codes of :mod:`sim3d.conventions.particles`.
    keys : uint64 array (capacity,)
        Keys of the random streams.
    """

    particles: np.ndarray
    species: np.ndarray
    keys: np.ndarray


@njit(nogil=True)
def new_stack(capacity, carried=0):
    """Allocate an empty :class:`Stack`.

    Parameters
    ----------
    capacity : int
        Number of rows.
    carried : int
        Columns for gradients (:func:`sim3d.shower.gradients.carried_columns`).

    Returns
    -------
    Stack
    """
    return Stack(
        np.empty((capacity, STACK_COLUMNS + carried)),
        np.empty(capacity, dtype=np.int64),
        np.empty(capacity, dtype=np.uint64),
    )


@njit(nogil=True)
def grown(array, rows):
    """Copy a 2-D array into a larger one.

    Parameters
    ----------
    array : float64 array (n, columns)
    rows : int
        Number of rows of the copy, at least n.

    Returns
    -------
    float64 array (rows, columns)
        The added rows are not initialised.
    """
    bigger = np.empty((rows, array.shape[1]))
    # element by element: for the assignment of a slice numba compiles a message about shapes, for 3 s
    for i in range(array.shape[0]):
        for j in range(array.shape[1]):
            bigger[i, j] = array[i, j]
    return bigger


@njit(nogil=True)
def grown_stack(particles, species_of, key_of):
    """Copy the three arrays of a stack into larger ones, with twice the rows and STACK_RESERVE more.

    Parameters
    ----------
    particles, species_of, key_of : arrays
        As in :class:`Stack`.

    Returns
    -------
    particles, species_of, key_of : arrays
    """
    old = species_of.shape[0]
    rows = 2 * old + STACK_RESERVE
    more_species = np.empty(rows, dtype=np.int64)
    more_keys = np.empty(rows, dtype=np.uint64)
    for i in range(old):
        more_species[i], more_keys[i] = species_of[i], key_of[i]
    return grown(particles, rows), more_species, more_keys


@njit(nogil=True)
def put_primary(particles, start, kinetic):
    """Write a primary into row 0 of the stack, with weight 1.

    Parameters
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
    start : float64 array (9,)
        Position (km), unit direction, carried perpendicular unit vector.
    kinetic : float
        Kinetic energy per nucleon (GeV).
    """
    for k in range(9):
        particles[0, k] = start[k]
    particles[0, KINETIC] = kinetic
    particles[0, WEIGHT] = 1.0
    for k in range(HELICITY, STACK_COLUMNS):
        particles[0, k] = 0.0


@njit(**HELPER)
def put_copy(particles, row, particle):
    """Copy a particle into a row of the stack.

    Parameters
    ----------
    particles : float64 array (capacity, columns)
    row : int
    particle : float64 array (columns,)
    """
    for k in range(particle.shape[0]):
        particles[row, k] = particle[k]


@njit(**HELPER)
def put_back(particles, key_of, row, particle, key):
    """Put a particle back on the stack, to go on from where it is with other random numbers.

    Parameters
    ----------
    particles, key_of : arrays
        As in :class:`Stack`.
    row : int
        Row to fill; its species is set by the caller.
    particle : float64 array (columns,)
    key : uint64
        Key of the random stream of what follows.

    Returns
    -------
    int
        Number of particles on the stack afterwards.
    """
    put_copy(particles, row, particle)
    key_of[row] = key
    return row + 1


@njit(**HELPER)
def put_daughter(particles, row, parent, ux, uy, uz, ex, ey, ez, kinetic, weight, helicity):
    """Write a daughter particle into a row of the stack, at the position where its parent ended.

    Parameters
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
    row : int
    parent : float64 array (columns,)
        Position, turn, shift, path above the atmosphere and carried columns are copied from it.
    ux, uy, uz, ex, ey, ez : float
        Unit direction and carried perpendicular unit vector.
    kinetic, weight, helicity : float
        Kinetic energy (GeV), statistical weight, helicity (longitudinal polarisation) of a muon.
    """
    put_copy(particles, row, parent)
    particles[row, UX], particles[row, UY], particles[row, UZ] = ux, uy, uz
    particles[row, EX], particles[row, EY], particles[row, EZ] = ex, ey, ez
    particles[row, KINETIC] = kinetic
    particles[row, WEIGHT] = weight
    particles[row, HELICITY] = helicity
    particles[row, DECAYS] = 0.0
    particles[row, CROSSED] = 0.0
