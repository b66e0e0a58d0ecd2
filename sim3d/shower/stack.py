"""The stack of particles that a shower has still to follow: its columns, and how a particle is put on it."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.jit_options import HELPER

# Columns of a particle: position (km), direction, carried perpendicular vector, kinetic energy (GeV), statistical
# weight, helicity of a muon, turn (rad/nT) and shift (km rad/nT) of :mod:`sim3d.shower.kernel`, decays that still
# share the weight (0: not known yet), depth over which a muon has scattered (g/cm2).
X, Y, Z, UX, UY, UZ, EX, EY, EZ, KINETIC, WEIGHT, HELICITY, TURN, SHIFT_X, SHIFT_Y, SHIFT_Z, DECAYS, CROSSED = range(18)
STACK_COLUMNS = 18
STACK_RESERVE = 16384
"""A single interaction pushes far fewer particles than this; the stack is enlarged between interactions."""


class Stack(NamedTuple):
    """Particles waiting to be followed (numba argument).

    Attributes
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
    species : int64 array (capacity,)
    keys : uint64 array (capacity,)
        Keys of their random streams.
    """

    particles: np.ndarray
    species: np.ndarray
    keys: np.ndarray


@njit(nogil=True)
def new_stack(capacity, carried=0):
    """An empty :class:`Stack`, with ``carried`` columns for what :mod:`sim3d.shower.gradients` hands down."""
    return Stack(
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
def grown_stack(particles, species_of, key_of):
    """Copies of the three arrays of a stack with twice the rows and STACK_RESERVE more."""
    old = species_of.shape[0]
    rows = 2 * old + STACK_RESERVE
    more_species = np.empty(rows, dtype=np.int64)
    more_species[:old] = species_of
    more_keys = np.empty(rows, dtype=np.uint64)
    more_keys[:old] = key_of
    return grown(particles, rows), more_species, more_keys


@njit(nogil=True)
def put_primary(particles, start, kinetic):
    """Fill the lowest row of the stack with a primary.

    Parameters
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
    start : float64 array (9,)
        Position (km), direction, carried perpendicular vector.
    kinetic : float
        GeV.
    """
    for k in range(9):
        particles[0, k] = start[k]
    particles[0, KINETIC] = kinetic
    particles[0, WEIGHT] = 1.0
    for k in range(HELICITY, STACK_COLUMNS):
        particles[0, k] = 0.0


@njit(**HELPER)
def put_copy(particles, row, particle):
    """Copy a particle (float64 (columns,)) into a row of the stack."""
    for k in range(particle.shape[0]):
        particles[row, k] = particle[k]


@njit(**HELPER)
def put_daughter(particles, row, parent, ux, uy, uz, ex, ey, ez, kinetic, weight, helicity):
    """Fill a row of the stack with a particle that is made where its parent ends.

    Parameters
    ----------
    particles : float64 array (capacity, STACK_COLUMNS + carried)
    row : int
    parent : float64 array (columns,)
        Position, turn, shift and carried columns are copied from it.
    ux, uy, uz, ex, ey, ez : float
        Direction and carried perpendicular vector.
    kinetic, weight, helicity : float
        GeV; statistical weight; helicity of a muon.
    """
    put_copy(particles, row, parent)
    particles[row, UX], particles[row, UY], particles[row, UZ] = ux, uy, uz
    particles[row, EX], particles[row, EY], particles[row, EZ] = ex, ey, ez
    particles[row, KINETIC] = kinetic
    particles[row, WEIGHT] = weight
    particles[row, HELICITY] = helicity
    particles[row, DECAYS] = 0.0
    particles[row, CROSSED] = 0.0
