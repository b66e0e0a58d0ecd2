"""What the sampling modes share: drawing a primary and its place and direction of entry.

A primary that enters the sphere of radius R_top isotropically stands for pi * 4 pi R_top^2 * Phi(E) / pdf(E) / N
particles per second (design section 4.6). Phi is the all-nucleon flux; the nucleus it came in is drawn by its share.
Energies are stratified inside a batch: primary i of B takes the quantile (i + uniform) / B.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.primaries import choose_group, energy_pdf, nucleon_flux, sample_energy
from sim3d.random_streams import uniform
from sim3d.transport import turn
from sim3d.world import EARTH_RADIUS_KM

# counters a batch returns
C_PRIMARIES, C_NEUTRINOS, C_CROSSINGS, C_BACKTRACKED, C_FORBIDDEN, C_UNDECIDED = range(6)
COUNTERS = ("primaries", "neutrinos", "crossings", "backtracked", "forbidden", "undecided")
N_COUNTERS = len(COUNTERS)


class Source(NamedTuple):
    """Primary spectrum and how it is sampled (numba argument).

    Attributes
    ----------
    fits : float64 array (5, 2, 5)
        From :class:`sim3d.primaries.PrimaryModel`.
    delta_GV : float
        Solar potential relative to the fit's (GV).
    energy_low, energy_high, energy_index : float
        Kinetic energy per nucleon is drawn from E^-index in this range (GeV).
    """

    fits: np.ndarray
    delta_GV: float
    energy_low: float
    energy_high: float
    energy_index: float


@njit(nogil=True)
def draw_primary(source, place, batch_size, top_km, rng):
    """Draw the energy, nucleus and weight of primary number ``place`` of a batch.

    Returns
    -------
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Mass group.
    weight : float
        Nucleons per second this one stands for when a whole batch stands for the Earth.
    """
    energy = sample_energy(
        (place + uniform(rng)) / batch_size, source.energy_low, source.energy_high, source.energy_index
    )
    group = choose_group(energy, uniform(rng), source.fits, source.delta_GV)
    radius_m = (EARTH_RADIUS_KM + top_km) * 1.0e3
    surface = math.pi * 4.0 * math.pi * radius_m * radius_m
    pdf = energy_pdf(energy, source.energy_low, source.energy_high, source.energy_index)
    weight = surface * nucleon_flux(energy, source.fits, source.delta_GV) / pdf / batch_size
    return energy, group, weight


@njit(nogil=True)
def draw_entry(top_km, start, rng):
    """Draw an isotropic entry through the top of the atmosphere into ``start`` (float64 array (9,)).

    Position uniform on the sphere, direction inward with density proportional to the cosine to the normal, and a
    carried frame at a random angle.
    """
    r = EARTH_RADIUS_KM + top_km
    nz = 2.0 * uniform(rng) - 1.0
    s = math.sqrt(max(0.0, 1.0 - nz * nz))
    phi = 2.0 * math.pi * uniform(rng)
    cphi, sphi = math.cos(phi), math.sin(phi)
    nx, ny = s * cphi, s * sphi
    cos2 = uniform(rng)
    cos_in = math.sqrt(cos2)
    sin_in = math.sqrt(1.0 - cos2)
    psi = 2.0 * math.pi * uniform(rng)
    # a frame at the point: (d n / d latitude) and the carried vector turn with the direction
    ux, uy, uz, ex, ey, ez = turn(
        -nx, -ny, -nz, -nz * cphi, -nz * sphi, s, cos_in, sin_in, math.cos(psi), math.sin(psi)
    )
    start[0], start[1], start[2] = r * nx, r * ny, r * nz
    start[3], start[4], start[5] = ux, uy, uz
    start[6], start[7], start[8] = ex, ey, ez
