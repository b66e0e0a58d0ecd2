"""Record the muons and nucleons of a shower that cross levels, spheres at chosen altitudes, on their way down."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from atmosphere.kernels import vertical_depth
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import MUM, MUP, NEUTRON, PROTON
from sim3d.shower.stack import STACK_COLUMNS

# columns of the list of crossings; column 0 of row 0 is the number of crossings so far, with those that did not fit
L_LEVEL, L_SPECIES, L_MOMENTUM, L_WEIGHT, L_X, L_Y, L_Z, L_UX, L_UY, L_UZ = range(10)
LEVEL_COLUMNS = 10

LEAST_MUON_LOSS_GEV_CM2_G = 1.75e-3
"""Lower bound of the stopping power of air for a muon of any energy.

The minimum is 1.815 MeV cm2/g: D. E. Groom et al., At. Data Nucl. Data Tables 78 (2001) 183, dry air.
"""


class Levels(NamedTuple):
    """Levels at which down-going particles are recorded, and the list of their crossings (numba argument).

    Attributes
    ----------
    radius_km : float64 array (levels,)
        Distances from the Earth's centre, descending.
    depth : float64 array (levels,)
        Vertical depth of the atmosphere there (g/cm2).
    crossings : float64 array (n, LEVEL_COLUMNS + carried columns)
        Receives level, species, momentum (GeV/c), weight, position (km) and direction of every muon, free proton and
        neutron that crosses a level downwards, and what it carries for gradients. Rows that do not fit are counted
        only. In runs with levels muons do not decay; their weight is multiplied by their survival probability.
    """

    radius_km: np.ndarray
    depth: np.ndarray
    crossings: np.ndarray


@njit(nogil=True)
def level_below(levels, r):
    """Find the highest level below a radius.

    Parameters
    ----------
    levels : Levels
    r : float
        Distance from the Earth's centre (km).

    Returns
    -------
    int
        Index of the level; the number of levels if there is none below.
    """
    level = 0
    while level < levels.radius_km.shape[0] and levels.radius_km[level] >= r:
        level += 1
    return level


@njit(nogil=True)
def way_down(levels, level, r, rise):
    """Compute the path length along a straight line from radius r down to a level.

    Parameters
    ----------
    levels : Levels
    level : int
        Index of a level below r.
    r, rise : float
        Distance from the Earth's centre (km) and sine of the direction's elevation (negative).

    Returns
    -------
    float
        Path length (km); infinite if the line does not reach the level.
    """
    radius = levels.radius_km[level]
    reach2 = radius * radius - r * r * (1.0 - rise * rise)
    if reach2 <= 0.0:
        return math.inf
    return max(-r * rise - math.sqrt(reach2), 0.0)


@njit(nogil=True)
def muon_stops_above(levels, kinetic, r, kinetic_min, layers):
    """Test whether energy loss must bring a muon below the lowest recorded energy before the next level.

    The test uses the smallest possible loss: the vertical depth to the level times LEAST_MUON_LOSS_GEV_CM2_G. A muon
    for which it is true need not be transported.

    Parameters
    ----------
    levels : Levels
    kinetic, r, kinetic_min : float
        Kinetic energy (GeV), distance from the Earth's centre (km), lowest kinetic energy (GeV) that is recorded.
    layers : float64 array (n, 4)
        Atmosphere, as in :mod:`atmosphere.kernels`.

    Returns
    -------
    bool
        True also where there is no level below.
    """
    level = level_below(levels, r)
    if level == levels.radius_km.shape[0]:
        return True
    air = levels.depth[level] - vertical_depth(max(r - EARTH_RADIUS_KM, 0.0), layers)
    return kinetic - LEAST_MUON_LOSS_GEV_CM2_G * air <= kinetic_min


@njit(nogil=True)
def note_level(crossings, level, species, momentum, weight, x, y, z, ux, uy, uz, particle):
    """Append a crossing of a muon, proton or neutron to the list; other species are ignored.

    Parameters
    ----------
    crossings : float64 array (n, LEVEL_COLUMNS)
        See :class:`Levels`.
    level, species : int
        Index of the level; particle code.
    momentum, weight : float
        Momentum (GeV/c), statistical weight.
    x, y, z, ux, uy, uz : float
        Geocentric position (km) and unit direction.
    particle : float64 array (STACK_COLUMNS + carried columns,)
        Its carried columns (:mod:`sim3d.shower.gradients`) are copied. Those of a nucleon do not contain its present
        flight; those of a muon are complete.
    """
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
        for k in range(crossings.shape[1] - LEVEL_COLUMNS):
            crossings[row, LEVEL_COLUMNS + k] = particle[STACK_COLUMNS + k]
