"""The list of neutrinos that a shower produces: its columns, and a function that fills one row."""

from __future__ import annotations

from numba import njit

from sim3d.jit_options import HELPER
from sim3d.shower.stack import ABOVE, SHIFT_X, SHIFT_Y, SHIFT_Z, STACK_COLUMNS, TURN, X, Y, Z

NU_FLAVOUR, NU_ENERGY, NU_WEIGHT, NU_X, NU_Y, NU_Z, NU_UX, NU_UY, NU_UZ = range(9)
NU_TURN, NU_SHIFT_X, NU_SHIFT_Y, NU_SHIFT_Z, NU_TAG, NU_PARENT, NU_DECAY, NU_ABOVE = range(9, 17)
NEUTRINO_COLUMNS = 17


@njit(**HELPER)
def list_neutrino(neutrinos, row, parent, species, flavour, energy, weight, ux, uy, uz, tag, decay):
    """Write a neutrino into a row of the list, at the position where its parent decayed.

    Parameters
    ----------
    neutrinos : float64 array (capacity, NEUTRINO_COLUMNS + carried columns)
    row : int
    parent : float64 array (STACK_COLUMNS + carried columns,)
        The particle that decays; position, turn, shift, path above the atmosphere
        and carried columns are copied from it.
    species : int
        The parent's species.
    flavour : int
        Code of :mod:`sim3d.conventions.flavours`.
    energy, weight : float
        Energy (GeV), statistical weight.
    ux, uy, uz : float
        Unit direction of flight.
    tag : float
        Identifier of the neutrino's position in the decay tree.
    decay : float
        Identifier of the decay; neutrinos of one decay are consecutive rows.
    """
    neutrinos[row, NU_FLAVOUR] = flavour
    neutrinos[row, NU_ENERGY] = energy
    neutrinos[row, NU_WEIGHT] = weight
    neutrinos[row, NU_X], neutrinos[row, NU_Y], neutrinos[row, NU_Z] = parent[X], parent[Y], parent[Z]
    neutrinos[row, NU_UX], neutrinos[row, NU_UY], neutrinos[row, NU_UZ] = ux, uy, uz
    neutrinos[row, NU_TURN] = parent[TURN]
    neutrinos[row, NU_SHIFT_X] = parent[SHIFT_X]
    neutrinos[row, NU_SHIFT_Y] = parent[SHIFT_Y]
    neutrinos[row, NU_SHIFT_Z] = parent[SHIFT_Z]
    neutrinos[row, NU_TAG] = tag
    neutrinos[row, NU_PARENT] = species
    neutrinos[row, NU_DECAY] = decay
    neutrinos[row, NU_ABOVE] = parent[ABOVE]
    for k in range(parent.shape[0] - STACK_COLUMNS):
        neutrinos[row, NEUTRINO_COLUMNS + k] = parent[STACK_COLUMNS + k]
