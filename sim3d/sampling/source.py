"""Draw a primary's energy, nucleus, entry point and direction from the cosmic-ray spectrum, with its importance weight.

Primaries enter the sphere of radius R_top isotropically. Each of N primaries has the weight
pi * 4 pi R_top^2 * Phi(E) / pdf(E) / N particles per second (docs/methods/entry.md). Phi is the all-nucleon flux; the
nucleus that the nucleon is bound in is drawn by its share of Phi. Energies are stratified inside a batch: primary i of
B takes the quantile (i + uniform) / B. The sampling modes share these functions.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from geomag.trajectories.tracing import backtrack
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_options import UNCOUNTED
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import Spectrum, choose_group, nucleon_flux
from sim3d.sampling.counters import C_BACKTRACKED, C_FORBIDDEN, C_NEUTRINOS, C_PRIMARIES, C_UNDECIDED
from sim3d.sampling.energy_law import NO_LAW, energy_of_law, energy_pdf, law_pdf, sample_energy
from sim3d.shower.kernel import shower
from sim3d.shower.random_streams import primary_key, uniform
from sim3d.shower.rotations import turn

GRAZING_SHARE = 0.12
"""Fraction of the primaries drawn with a straight line that misses the ground (3.4% of an isotropic flux)."""


class Source(NamedTuple):
    """Primary spectrum and the energy range in which it is sampled (numba argument).

    Attributes
    ----------
    spectrum : sim3d.primaries.spectrum.Spectrum
    energy_low, energy_high : float
        Range of kinetic energy per nucleon (GeV).
    energy_index : float
        Power-law index of the sampling density (:func:`sim3d.sampling.energy_law.sample_energy`), without a law.
    law : float64 array (nodes,)
        Table of the sampling density (:func:`sim3d.sampling.energy_law.mixture_law`); of size zero for a power law.
    usual_law : float64 array (nodes,)
        Table of the density to which the rotations of targeted sampling are fitted; of size zero for that of ``law``.
        A primary of a given energy gets as many rotations whatever the density that it is drawn from.
    sphere_km : float
        Radius of the sphere (km) near whose horizon targeted sampling draws more vertices: that of the first site. Its
        value changes errors, not expectation values.
    """

    spectrum: Spectrum
    energy_low: float
    energy_high: float
    energy_index: float
    law: np.ndarray = NO_LAW
    usual_law: np.ndarray = NO_LAW
    sphere_km: float = EARTH_RADIUS_KM


@njit(**UNCOUNTED)
def draw_energy(source, low, u):
    """Draw the energy of a primary from the run's sampling density.

    Parameters
    ----------
    source : Source
    low : float
        Lower end of the range (GeV); the upper one is ``source.energy_high``.
    u : float
        Cumulative probability.

    Returns
    -------
    energy : float
        Kinetic energy per nucleon (GeV).
    pdf : float
        Its probability density (GeV^-1).
    """
    high, law = source.energy_high, source.law
    if law.shape[0] > 0:
        energy = energy_of_law(u, low, high, law)
        return energy, law_pdf(energy, low, high, law)
    energy = sample_energy(u, low, high, source.energy_index)
    return energy, energy_pdf(energy, low, high, source.energy_index)


@njit(**UNCOUNTED)
def draw_primary(source, place, batch_size, top_km, rng):
    """Draw the energy, nucleus and importance weight of primary number ``place`` of a batch.

    Parameters
    ----------
    source : Source
    place, batch_size : int
    top_km : float
        Height of the top of the atmosphere (km).
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Mass group.
    weight : float
        Nucleons per second that this primary represents, where one whole batch represents the flux on the Earth.
    """
    energy, pdf = draw_energy(source, source.energy_low, (place + uniform(rng)) / batch_size)
    group = choose_group(energy, uniform(rng), source.spectrum)
    radius_m = (EARTH_RADIUS_KM + top_km) * 1.0e3
    surface = math.pi * 4.0 * math.pi * radius_m * radius_m
    weight = surface * nucleon_flux(energy, source.spectrum) / pdf / batch_size
    return energy, group, weight


@njit(**UNCOUNTED)
def _entry_cosine(top_km, rng):
    """Draw the cosine of the angle of entry to the inward normal at the top, and its importance weight.

    An isotropic flux enters with cos^2 uniform in (0, 1). A straight line that reaches the ground meets it at a zenith
    cosine c with c^2 uniform as well, so that few would be near the horizon, where a crossing counts 1/c. Here a
    fraction GRAZING_SHARE of the lines misses the ground; the others take c from the density (1 + 2 c) / 2. The weight
    is the ratio of the densities and at most 1.47.
    """
    ratio = EARTH_RADIUS_KM / (EARTH_RADIUS_KM + top_km)
    miss = 1.0 - ratio * ratio
    if uniform(rng) < GRAZING_SHARE:
        return math.sqrt(miss * uniform(rng)), miss / GRAZING_SHARE
    # inverse of (c + c^2) / 2
    c = 2.0 * uniform(rng)
    c = 2.0 * c / (1.0 + math.sqrt(1.0 + 4.0 * c))
    weight = (1.0 - miss) / (1.0 - GRAZING_SHARE) * 4.0 * c / (1.0 + 2.0 * c)
    return math.sqrt(miss + (1.0 - miss) * c * c), weight


@njit(**UNCOUNTED)
def draw_entry(top_km, start, rng):
    """Draw an isotropic entry through the top of the atmosphere.

    The position is uniform on the sphere, the direction inward (see :func:`_entry_cosine`).

    Parameters
    ----------
    top_km : float
        Height of the top of the atmosphere (km).
    start : float64 array (9,)
        Receives position (km), direction, and a carried perpendicular unit vector at a random angle.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    float
        Importance weight that makes the entries an isotropic flux; its mean is 1.
    """
    r = EARTH_RADIUS_KM + top_km
    nz = 2.0 * uniform(rng) - 1.0
    s = math.sqrt(max(0.0, 1.0 - nz * nz))
    phi = 2.0 * math.pi * uniform(rng)
    cphi, sphi = math.cos(phi), math.sin(phi)
    nx, ny = s * cphi, s * sphi
    cos_in, weight = _entry_cosine(top_km, rng)
    sin_in = math.sqrt(1.0 - cos_in * cos_in)
    psi = 2.0 * math.pi * uniform(rng)
    # the carried vector starts as d n / d latitude and is rotated with the direction
    ux, uy, uz, ex, ey, ez = turn(
        -nx, -ny, -nz, -nz * cphi, -nz * sphi, s, cos_in, sin_in, math.cos(psi), math.sin(psi)
    )
    start[0], start[1], start[2] = r * nx, r * ny, r * nz
    start[3], start[4], start[5] = ux, uy, uz
    start[6], start[7], start[8] = ex, ey, ez
    return weight


@njit(nogil=True)
def next_shower(
    world, source, seed, batch_size, index, place, start, rng, stack, neutrinos, counters, gradients
):  # fmt: skip
    """Draw primary number ``index`` of a run (number ``place`` of its batch) and simulate its shower.

    Parameters
    ----------
    world : World
    source : Source
    seed, batch_size, index, place : int
    start : float64 array (9,)
        Receives the entry, see :func:`draw_entry`.
    rng : uint64 array (1,)
        State of the random stream.
    stack, neutrinos, gradients
        As for :func:`sim3d.shower.kernel.shower`.
    counters : int64 array (N_COUNTERS,)

    Returns
    -------
    weight : float
        Nucleons per second that this primary represents.
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Mass group.
    n, neutrinos, stack
        As :func:`sim3d.shower.kernel.shower` returns them.
    """
    rng[0] = primary_key(seed, index)
    energy, group, weight = draw_primary(source, place, batch_size, world.top_km, rng)
    weight *= draw_entry(world.top_km, start, rng)
    z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    n, neutrinos, stack = shower(
        world, start, energy, z_over_a, rng[0], stack, neutrinos, np.bool_(False), None, None, gradients,
        world.nuclei[group],
    )  # fmt: skip
    counters[C_PRIMARIES] += 1
    counters[C_NEUTRINOS] += n
    return weight, energy, group, n, neutrinos, stack


@njit(**UNCOUNTED)
def comes_through(world, trace, place, direction, rigidity_GV, counters):
    """Whether the back-traced trajectory of a primary is allowed by the geomagnetic field; counts the verdict.

    Parameters
    ----------
    world : World
    trace : float64 array
        Parameters of :func:`geomag.trajectories.tracing.backtrack`.
    place, direction : float64 arrays (3,)
        Position (km) and direction of flight at the top of the atmosphere.
    rigidity_GV : float
    counters : int64 array (N_COUNTERS,)

    Returns
    -------
    bool
        False for forbidden and for undecided trajectories.
    """
    counters[C_BACKTRACKED] += 1
    verdict = backtrack(
        place[0],
        place[1],
        place[2],
        direction[0],
        direction[1],
        direction[2],
        rigidity_GV,
        world.gauss,
        trace,
    )
    if verdict == 1:
        return True
    counters[C_FORBIDDEN] += 1
    if verdict == 2:
        counters[C_UNDECIDED] += 1
    return False
