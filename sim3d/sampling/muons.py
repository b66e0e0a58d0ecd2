"""Sampling for muons and nucleons: primaries are drawn so that their straight-line extension passes near the site.

A muon ends within some tens of kilometres of its primary's straight line. Entries are therefore drawn by the point
where that line comes down through a level of the site (a sphere at an altitude of interest). The point is uniform in
one of several caps around the site, of increasing size; the zenith cosine has a density that favours the vertical. A
small fraction is drawn uniformly over the whole globe with isotropic directions. With A_j the area of a cap, s_j its
share, and g the density of the cosine c, the density per area, cosine and solid angle is

    q = s_0 / (4 pi^2 R_top^2) + (1 / levels) sum_levels sum_j s_j [inside cap j] g(c) / (2 pi c A_j).

It is positive for every entry. An isotropic flux has Phi(E) lines per area, cosine, solid angle, energy and time, so
the importance weight of a primary is Phi / (q pdf N). A particle that comes down through the patch at a level is scored
with weight / (area |cos|), as neutrinos are. Each site has its own showers.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from atmosphere.kernels import vertical_depth
from sim3d.config.schema import Config
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import LAMBDA, MASS_GEV, MUM, MUP, NEUTRON, PROTON
from sim3d.errors import InputError
from sim3d.jit_cache import CACHE
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import rigidity
from sim3d.sampling.counters import C_MUON_CROSSINGS, C_MUON_PRIMARIES
from sim3d.sampling.level_bins import find_bin, momentum_bin, particle_row
from sim3d.sampling.lost import is_left_out
from sim3d.sampling.source import comes_through, draw_entry, draw_primary
from sim3d.scoring.bins import inverse_cosine
from sim3d.scoring.detectors import Detector, inside_patch
from sim3d.scoring.gradients import add_columns, new_terms, primary_terms
from sim3d.scoring.muons import cos_edges, momentum_edges
from sim3d.shower.gradients import carried_columns
from sim3d.shower.kernel import shower
from sim3d.shower.levels import L_LEVEL, L_MOMENTUM, L_SPECIES, L_UX, L_WEIGHT, L_X, LEVEL_COLUMNS, Levels
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.random_streams import BRANCH_OVERHEAD, child_key, primary_key, uniform
from sim3d.shower.rotations import perpendicular, turn
from sim3d.shower.stack import new_stack
from sim3d.shower.weight_sharing import MUON_SHARING
from sim3d.shower.world import STOPPED_GEV, World

WIDER_RAD = (0.005, 0.026, 0.105, 0.35)
"""Angular radii of the caps beyond the patch's corners (rad): 32 km, 170 km, 670 km, 2200 km on the ground."""
CAP_SHARES = (0.80, 0.12, 0.05, 0.02)
GLOBE_SHARE = 0.01
STEEP_COSINE = 0.9
P_ISOTROPIC, P_EVEN, P_STEEP = 0.3, 0.4, 0.3
"""Fractions of zenith cosines drawn from the density 2 c (isotropic flux on a surface), uniformly, and uniformly above
STEEP_COSINE."""

NO_SLOPES = np.zeros((0, 0, 0, 0, 0, 0))
"""Array of the scores of a run without gradients of muons."""
STEEP_FROM = 0.5
P_DENSE = 0.45
"""Share of the zenith cosines that are drawn uniformly from each of the ranges of :func:`dense_cosines`."""


class Overhead(NamedTuple):
    """Levels and bins of the muon kernel (numba argument).

    Attributes
    ----------
    radius_km, depth : float64 arrays (sites, levels)
        Levels of each site, highest first: distance from the Earth's centre, vertical depth (g/cm2).
    momentum_edges : float64 array (n + 1,)
        GeV/c, equidistant in the logarithm.
    cos_edges : float64 array (m + 1,)
        Ascending.
    globe_share : float
        Fraction of the primaries drawn over the whole globe.
    dense_from : float64 array (2,)
        Lower ends of two ranges of the zenith cosine that are drawn often (:func:`dense_cosines`); negative: none.
    """

    radius_km: np.ndarray
    depth: np.ndarray
    momentum_edges: np.ndarray
    cos_edges: np.ndarray
    globe_share: float
    dense_from: np.ndarray


def dense_cosines(config: Config) -> np.ndarray:
    """Choose the ranges of the zenith cosine that are drawn often in a run that scores steep directions only.

    A muon of momentum p keeps its primary's direction within some 0.05 rad + 0.3 GeV/p (transverse momentum, bending
    and scattering of its ancestors). The choice changes statistical errors, not expectation values.

    Parameters
    ----------
    config : Config

    Returns
    -------
    float64 array (2,)
        Lower ends: for the steepest zenith bin and for all of them; -1 if the bins reach below :data:`STEEP_FROM`.
    """
    edges = cos_edges(config)
    if edges[0] < STEEP_FROM or edges[-1] < 1.0:
        return np.array([-1.0, -1.0])
    spread = 0.05 + np.array([0.15, 0.3]) / config.muons.momentum_GeV[0]
    return np.cos(np.minimum(np.arccos(edges[[-2, 0]]) + spread, 1.5))


def level_altitudes(config: Config, detector: Detector, layers: np.ndarray) -> np.ndarray:
    """Altitudes (km) of the levels of a site, highest first.

    Parameters
    ----------
    config : Config
    detector : Detector
    layers : float64 array
        Layers of the atmosphere, see :mod:`atmosphere.kernels`.

    Returns
    -------
    float64 array (levels,)
    """
    from atmosphere.kernels import height_of_depth_array

    chosen = list(config.muons.altitudes_km)
    if config.muons.depths_g_cm2:
        chosen += [float(h) for h in height_of_depth_array(np.array(config.muons.depths_g_cm2), layers)]
    if config.muons.ground:
        chosen.append(max(detector.altitude_m, 0.0) * 1e-3)
    return np.array(sorted(chosen, reverse=True))


def make_overhead(config: Config, detectors: tuple[Detector, ...], layers: np.ndarray) -> Overhead:
    """Collect the levels and bins of a run for the muon kernel.

    Parameters
    ----------
    config : Config
    detectors : tuple of Detector
    layers : float64 array
        Layers of the atmosphere, see :mod:`atmosphere.kernels`.

    Returns
    -------
    Overhead
    """
    altitudes = np.array([level_altitudes(config, detector, layers) for detector in detectors])
    depth = getattr(vertical_depth, "py_func", vertical_depth)
    return Overhead(
        radius_km=EARTH_RADIUS_KM + altitudes,
        depth=np.array([[depth(float(h), layers) for h in row] for row in altitudes]),
        momentum_edges=momentum_edges(config),
        cos_edges=cos_edges(config),
        globe_share=GLOBE_SHARE,
        dense_from=dense_cosines(config),
    )


def check_levels(overhead: Overhead, top_km: float) -> None:
    """Check that all levels lie below the top of the atmosphere, where primaries start.

    Parameters
    ----------
    overhead : Overhead
    top_km : float
        Height of the top of the atmosphere (km).

    Raises
    ------
    InputError
        If a level is at the top or above it.
    """
    highest = float(overhead.radius_km.max()) - EARTH_RADIUS_KM
    if highest >= top_km:
        raise InputError("muons.altitudes_km", round(highest, 3), f"below the top of this atmosphere, {top_km:g} km")


def muon_world(world: World, momentum_min_GeV: float) -> World:
    """Copy a world with kinetic-energy thresholds for muons and nucleons of a lowest momentum.

    A muon has at most the total energy of the meson it comes from, so mesons below that energy need not be simulated.
    Neutrinos are not listed, and weights are shared as is best for muons (MUON_SHARING).

    Parameters
    ----------
    world : World
    momentum_min_GeV : float
        Lowest momentum that is scored (GeV/c).

    Returns
    -------
    World
    """
    least = np.full_like(world.kinetic_min, STOPPED_GEV)
    muon_energy = math.hypot(momentum_min_GeV, float(MASS_GEV[MUP]))
    for species in range(least.size):
        mass = float(MASS_GEV[species])
        if species in (PROTON, NEUTRON):
            least[species] = max(STOPPED_GEV, math.hypot(momentum_min_GeV, mass) - mass)
        elif species != LAMBDA:
            least[species] = max(STOPPED_GEV, muon_energy - mass)
    least[MUP] = least[MUM] = max(STOPPED_GEV, muon_energy - float(MASS_GEV[MUP]))
    return world._replace(kinetic_min=least, energy_min=math.inf, sharing=MUON_SHARING)


@njit(nogil=True)
def draw_steep_cosine(dense_from, rng):
    """Draw a zenith cosine in (0, 1) with the density :func:`cosine_density`.

    Parameters
    ----------
    dense_from : float64 array (2,)
        See :class:`Overhead`.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    float
    """
    if dense_from[0] >= 0.0:
        u = uniform(rng)
        for k in range(2):
            if u < P_DENSE * (k + 1):
                return dense_from[k] + (1.0 - dense_from[k]) * uniform(rng)
    u = uniform(rng)
    if u < P_ISOTROPIC:
        return math.sqrt(uniform(rng))
    if u < P_ISOTROPIC + P_EVEN:
        return uniform(rng)
    return STEEP_COSINE + (1.0 - STEEP_COSINE) * uniform(rng)


@njit(nogil=True)
def cosine_density(c, dense_from):
    """Probability density of the drawn zenith cosines: a mixture, see P_ISOTROPIC and P_DENSE.

    Parameters
    ----------
    c : float
        Zenith cosine.
    dense_from : float64 array (2,)
        See :class:`Overhead`.

    Returns
    -------
    float
    """
    g = P_ISOTROPIC * 2.0 * c + P_EVEN
    if c >= STEEP_COSINE:
        g += P_STEEP / (1.0 - STEEP_COSINE)
    if dense_from[0] >= 0.0:
        g *= 1.0 - 2.0 * P_DENSE
        for k in range(2):
            if c >= dense_from[k]:
                g += P_DENSE / (1.0 - dense_from[k])
    return g


@njit(nogil=True)
def cap_cosine(site, j):
    """Cosine of the angular radius of cap j around a site.

    Parameters
    ----------
    site : record of SITE_DTYPE
    j : int

    Returns
    -------
    float
    """
    return math.cos(min(math.acos(max(-1.0, min(1.0, site["cos_farthest"]))) + WIDER_RAD[j], math.pi))


@njit(nogil=True)
def line_density(start, site, radii, top_km, globe_share, dense_from):
    """Probability density q (m^-2 sr^-1) with which an entry is drawn; see the module's header.

    Parameters
    ----------
    start : float64 array (at least 6)
        Position (km) and direction of flight at the top of the atmosphere.
    site : record of SITE_DTYPE
    radii : float64 array (levels,)
        Distances of the levels from the Earth's centre (km).
    top_km : float
        Height of the top of the atmosphere (km).
    globe_share, dense_from
        See :class:`Overhead`.

    Returns
    -------
    float
    """
    top = (EARTH_RADIUS_KM + top_km) * 1.0e3
    q = globe_share / (4.0 * math.pi * math.pi * top * top)
    n_levels = radii.shape[0]
    along = start[0] * start[3] + start[1] * start[4] + start[2] * start[5]
    for level in range(n_levels):
        r = radii[level]
        disc = along * along - (start[0] ** 2 + start[1] ** 2 + start[2] ** 2) + r * r
        if disc <= 0.0:
            continue
        root = math.sqrt(disc)
        path = -along - root
        x, y, z = start[0] + path * start[3], start[1] + path * start[4], start[2] + path * start[5]
        inside = (x * site["up"][0] + y * site["up"][1] + z * site["up"][2]) / r
        c = root / r
        for j in range(len(WIDER_RAD)):
            edge = cap_cosine(site, j)
            if inside >= edge:
                area = 2.0 * math.pi * (r * 1.0e3) ** 2 * (1.0 - edge)
                share = (1.0 - globe_share) * CAP_SHARES[j] / (1.0 - GLOBE_SHARE) / n_levels
                q += share * cosine_density(c, dense_from) / (2.0 * math.pi * c * area)
    return q


@njit(nogil=True)
def draw_overhead(site, radii, top_km, globe_share, dense_from, start, rng):
    """Draw an entry whose straight line passes near a site.

    Parameters
    ----------
    site, radii, top_km, globe_share, dense_from
        As for :func:`line_density`.
    start : float64 array (9,)
        Receives position (km), direction of flight and carried perpendicular vector.
    rng : uint64 array (1,)
        State of the random stream.

    Returns
    -------
    float
        1 / q (m2 sr), with q of :func:`line_density`.
    """
    u = uniform(rng)
    if u < globe_share:
        # the direction of draw_entry is weighted: redraw it with cos^2 uniform, as an isotropic flux enters
        draw_entry(top_km, start, rng)
        nx, ny, nz = start[0], start[1], start[2]
        r = math.sqrt(nx * nx + ny * ny + nz * nz)
        nx, ny, nz = nx / r, ny / r, nz / r
        c = math.sqrt(uniform(rng))
        _direct(start, nx, ny, nz, r, c, rng)
        return 1.0 / line_density(start, site, radii, top_km, globe_share, dense_from)
    u = (u - globe_share) / (1.0 - globe_share) * (1.0 - GLOBE_SHARE)
    j = 0
    while j < len(WIDER_RAD) - 1 and u >= CAP_SHARES[j]:
        u -= CAP_SHARES[j]
        j += 1
    r = radii[min(int(uniform(rng) * radii.shape[0]), radii.shape[0] - 1)]
    # a uniform point in the cap, whose axis is the site's vertical
    tilt = 1.0 - uniform(rng) * (1.0 - cap_cosine(site, j))
    psi = 2.0 * math.pi * uniform(rng)
    ax, ay, az = site["up"][0], site["up"][1], site["up"][2]
    px, py, pz = perpendicular(ax, ay, az)
    nx, ny, nz, _, _, _ = turn(
        ax, ay, az, px, py, pz, tilt, math.sqrt(max(0.0, 1.0 - tilt * tilt)), math.cos(psi), math.sin(psi)
    )
    c = draw_steep_cosine(dense_from, rng)
    _direct(start, nx, ny, nz, r, c, rng)
    top = EARTH_RADIUS_KM + top_km
    back = -r * c + math.sqrt((r * c) ** 2 + (top - r) * (top + r))
    for k in range(3):
        start[k] -= back * start[3 + k]
    return 1.0 / line_density(start, site, radii, top_km, globe_share, dense_from)


@njit(nogil=True)
def _direct(start, nx, ny, nz, r, c, rng):
    """Put ``start`` at the radius r along n, flying down at the zenith cosine c with a random azimuth."""
    ex, ey, ez = perpendicular(nx, ny, nz)
    psi = 2.0 * math.pi * uniform(rng)
    s = math.sqrt(max(0.0, 1.0 - c * c))
    ux, uy, uz, ex, ey, ez = turn(-nx, -ny, -nz, ex, ey, ez, c, s, math.cos(psi), math.sin(psi))
    start[0], start[1], start[2] = r * nx, r * ny, r * nz
    start[3], start[4], start[5] = ux, uy, uz
    start[6], start[7], start[8] = ex, ey, ez


@njit(nogil=True)
def follow_down(
    world, start, kinetic, z_over_a, key, radii, depths, stack, neutrinos, crossings, gradients, nucleus
):  # fmt: skip
    """Simulate a shower and list the muons and nucleons that cross the levels, with a larger array if they do not fit.

    Parameters
    ----------
    world, start, kinetic, z_over_a, key, stack, neutrinos
        As for :func:`sim3d.shower.kernel.shower`.
    radii, depths : float64 arrays (levels,)
        As in :class:`sim3d.shower.levels.Levels`.
    crossings : float64 array (capacity, LEVEL_COLUMNS + carried columns)
        Receives the crossings, from row 1 on.
    gradients : Gradients or None
        Parameters whose derivatives are computed.
    nucleus : float64 array (2,)
        As for :func:`sim3d.shower.kernel.shower`.

    Returns
    -------
    n : int
        Number of crossings.
    neutrinos, stack, crossings
        The (possibly larger) arrays.
    """
    while True:
        crossings[0, 0] = 0.0
        _, neutrinos, stack = shower(
            world, start, kinetic, z_over_a, key, stack, neutrinos, np.bool_(False), None,
            Levels(radii, depths, crossings), gradients, nucleus,
        )  # fmt: skip
        n = int(crossings[0, 0])
        if n < crossings.shape[0]:
            return n, neutrinos, stack, crossings
        crossings = np.empty((2 * n, crossings.shape[1]))


@njit(nogil=True, cache=CACHE)
def overhead_batch(task, scores, overhead, flux, gradients, slopes):
    """Simulate one batch of primaries over every site and score the muons and nucleons that cross the levels.

    Parameters
    ----------
    task : BatchTask
        Its world is from :func:`muon_world`.
    scores : BatchScores
        Only the counters are added to.
    overhead : Overhead
    flux : float64 array (sites, levels, particles, momentum, cos_zenith)
        Integral of the flux over each bin (m^-2 s^-1), added to in index order.
    gradients : Gradients or None
        Parameters whose derivatives are computed; its own scores are not used.
    slopes : float64 array (sites, levels, 2, momentum, cos_zenith, columns)
        Columns of the gradients of mu+ and mu-, added to; of size zero without gradients.
    """
    world, sites, counters = task.world, task.sites, scores.counters
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    carried = carried_columns(gradients)
    stack = new_stack(32768, carried)
    neutrinos = np.empty((64, NEUTRINO_COLUMNS + carried))
    crossings = np.empty((4096, LEVEL_COLUMNS + carried))
    terms = new_terms(gradients)
    top = (EARTH_RADIUS_KM + world.top_km) * 1.0e3
    whole = 4.0 * math.pi * math.pi * top * top
    for place in range(task.batch_size):
        index = task.first_index + place
        scores.followed[0] = index
        if is_left_out(index, task.left_out, task.only):
            continue
        for k in range(sites.shape[0]):
            counters[C_MUON_PRIMARIES] += 1
            radii, depths = overhead.radius_km[k], overhead.depth[k]
            rng[0] = child_key(child_key(primary_key(task.seed, index), BRANCH_OVERHEAD), k)
            energy, group, weight = draw_primary(task.source, place, task.batch_size, world.top_km, rng)
            weight *= draw_overhead(
                sites[k], radii, world.top_km, overhead.globe_share, overhead.dense_from, start, rng
            )
            weight /= whole
            z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
            n, neutrinos, stack, crossings = follow_down(
                world, start, energy, z_over_a, rng[0], radii, depths, stack, neutrinos, crossings, gradients,
                world.nuclei[group],
            )  # fmt: skip
            if gradients is not None and n > 0:
                primary_terms(terms, gradients, task.source.spectrum, energy, group, -1.0)
            through = not task.cutoff
            for i in range(1, n + 1):
                row = crossings[i]
                particle = particle_row(int(row[L_SPECIES]))
                p = momentum_bin(row[L_MOMENTUM], overhead.momentum_edges)
                if particle < 0 or p < 0:
                    continue
                r = math.sqrt(row[L_X] ** 2 + row[L_X + 1] ** 2 + row[L_X + 2] ** 2)
                nx, ny, nz = row[L_X] / r, row[L_X + 1] / r, row[L_X + 2] / r
                if not inside_patch(sites[k], nx, ny, nz):
                    continue
                cosine = -(nx * row[L_UX] + ny * row[L_UX + 1] + nz * row[L_UX + 2])
                c = find_bin(cosine, overhead.cos_edges)
                if c < 0:
                    continue
                if not through:
                    if not comes_through(world, task.trace, start[:3], start[3:6], rigidity(energy, group), counters):
                        break
                    through = True
                counters[C_MUON_CROSSINGS] += 1
                level = int(row[L_LEVEL])
                area = sites[k]["area_m2"] * (overhead.radius_km[k, level] / sites[k]["radius_km"]) ** 2
                value = weight * row[L_WEIGHT] * inverse_cosine(cosine) / area
                flux[k, level, particle, p, c] += value
                if gradients is not None and particle < slopes.shape[2]:
                    add_columns(gradients, terms, row, LEVEL_COLUMNS, slopes[k, level, particle, p, c], value)
