"""Levels: spheres at chosen altitudes where muons and nucleons of a shower are noted as they come down."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from atmosphere.kernels import vertical_depth
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import MUM, MUP, NEUTRON, PROTON

# columns of the list of crossings; row 0 holds the number of crossings wanted so far in its first column
L_LEVEL, L_SPECIES, L_MOMENTUM, L_WEIGHT, L_X, L_Y, L_Z, L_UX, L_UY, L_UZ = range(10)
LEVEL_COLUMNS = 10

LEAST_MUON_LOSS_GEV_CM2_G = 1.75e-3
"""Below the stopping power of air for a muon of any energy (minimum 1.815 MeV cm2/g: D. E. Groom et al., At. Data Nucl.
Data Tables 78 (2001) 183, dry air)."""


KINETIC_PER_MESON_DECAY_GEV = 25.0
MOST_MESON_DECAYS = 12.0
"""See :func:`meson_decays`; they move errors only."""


class Levels(NamedTuple):
    """Where particles are noted (numba argument).

    Attributes
    ----------
    radius_km : float64 array (levels,)
        Distances from the Earth's centre, descending.
    depth : float64 array (levels,)
        Vertical depth there (g/cm2).
    crossings : float64 array (n, LEVEL_COLUMNS)
        Receives level, species, momentum (GeV/c), weight, position (km) and direction of every muon, free proton and
        neutron that comes down through a level. Rows that do not fit are counted only. Muons live for ever where there
        are levels; their weight holds the probability that they have not decayed.
    """

    radius_km: np.ndarray
    depth: np.ndarray
    crossings: np.ndarray


@njit(nogil=True)
def level_below(levels, r):
    """The highest level below the radius r (km), or the number of levels."""
    level = 0
    while level < levels.radius_km.shape[0] and levels.radius_km[level] >= r:
        level += 1
    return level


@njit(nogil=True)
def way_down(levels, level, r, rise):
    """Path (km) on which a particle at radius r comes down to a level; infinity if its straight line misses it."""
    radius = levels.radius_km[level]
    reach2 = radius * radius - r * r * (1.0 - rise * rise)
    if reach2 <= 0.0:
        return math.inf
    return max(-r * rise - math.sqrt(reach2), 0.0)


@njit(nogil=True)
def muon_stops_above(levels, kinetic, r, kinetic_min, layers):
    """Whether a muon cannot reach the next level below it with the lowest kinetic energy that is scored.

    Straight down is the least air, and LEAST_MUON_LOSS_GEV_CM2_G the least loss in it.
    """
    level = level_below(levels, r)
    if level == levels.radius_km.shape[0]:
        return True
    air = levels.depth[level] - vertical_depth(max(r - EARTH_RADIUS_KM, 0.0), layers)
    return kinetic - LEAST_MUON_LOSS_GEV_CM2_G * air <= kinetic_min


@njit(nogil=True)
def meson_decays(kinetic):
    """How many decays share the weight of a charged meson of this kinetic energy (GeV), as those of muons do.

    Most mesons above a hundred GeV interact, so that the muons of the few that decay would be rare.
    """
    return min(max(1.0, math.floor(kinetic / KINETIC_PER_MESON_DECAY_GEV)), MOST_MESON_DECAYS)


@njit(nogil=True)
def note_level(crossings, level, species, momentum, weight, x, y, z, ux, uy, uz):
    """Append a crossing if the species is scored, see :class:`Levels`."""
    if species != MUP and species != MUM and species != PROTON and species != NEUTRON:
        return
    crossings[0, 0] += 1.0
    row = int(crossings[0, 0])
    if row < crossings.shape[0]:
        crossings[row, L_LEVEL] = level
        crossings[row, L_SPECIES] = species
        crossings[row, L_MOMENTUM] = momentum
        crossings[row, L_WEIGHT] = weight
        crossings[row, L_X], crossings[row, L_Y], crossings[row, L_Z] = x, y, z
        crossings[row, L_UX], crossings[row, L_UY], crossings[row, L_UZ] = ux, uy, uz
