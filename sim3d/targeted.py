"""Targeted sampling: every shower is turned so that something of it crosses the site's patch; the weights know it.

A pilot shower is followed from its first interaction in a world without field. Each place where one of its neutrinos
crosses the site's sphere is a crossing j with an importance. A rotation of the globe is drawn that brings a crossing to
the patch (:mod:`sim3d.aiming`), with the density, relative to the uniform measure of rotations,

    q(g) = f0 + (1 - f0) sum_j p_j k_j(g),

and the SAME random tape is followed again, from the rotated vertex and in the real field. Whatever then crosses the
patch is scored with the weight

    8 pi^2 r^2 Phi(E_top) [a(E_top) / a(E)] exp(-X / lambda) / (lambda h(c, T) pdf(E)) / (m q(g)),

the rate of first interactions per vertex radius, zenith cosine and energy over the density they are drawn from
(:mod:`sim3d.first_interaction`), and m the expected number of rotations of this pilot. Nothing here is an
approximation: how crossings are foretold, importances and margins change the error only. A pilot's rotations and all
its hits belong to one batch, and errors come from batches.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from atmosphere.kernels import vertical_depth
from hadronic.kernels import interaction_length
from sim3d.aiming import (
    A_KIND,
    A_SECTOR,
    A_SHARE,
    A_SHIFT,
    A_TURN,
    A_U,
    A_X,
    AIM_COLUMNS,
    AXIS,
    DOWN,
    FAR_TURN,
    N_SECTORS,
    STRONG_FIELD_NT,
    UP,
    aim_density,
    apply,
    draw_rotation,
    draw_uniform_rotation,
    foretold_squares,
    set_reference,
)
from sim3d.binning import N_ENERGY, energy_bin, inverse_cosine
from sim3d.detectors import S_RADIUS, sphere_crossings
from sim3d.event_records import PRIMARY_COLUMNS, describe_primary, record_hits
from sim3d.first_interaction import (
    draw_cosine,
    draw_depth,
    effective_radius,
    secant,
    trace_to_top,
    vertex_height,
)
from sim3d.gradient_scoring import primary_terms, score_patches
from sim3d.hit_weights import note_weight, reference_flux
from sim3d.hits import patch_hits
from sim3d.jit_cache import CACHE
from sim3d.lost import is_lost
from sim3d.particles import PROTON
from sim3d.primaries import (
    GROUP_CHARGE,
    GROUP_MASS_NUMBER,
    choose_group,
    energy_pdf,
    group_flux,
    nucleon_flux,
    rigidity,
    sample_energy,
)
from sim3d.production_height import score_patch_heights
from sim3d.random_streams import BRANCH_AIM, BRANCH_TAPE, child_key, primary_key, uniform
from sim3d.sampling import C_CROSSINGS, C_NEUTRINOS, C_PRIMARIES, C_ROTATIONS, comes_through
from sim3d.shower import (
    NEUTRINO_COLUMNS,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_SHIFT_X,
    NU_TURN,
    NU_UX,
    NU_UY,
    NU_UZ,
    NU_WEIGHT,
    NU_X,
    NU_Y,
    NU_Z,
    shower,
)
from sim3d.shower_gradients import carried_columns
from sim3d.shower_stack import new_stack
from sim3d.world import EARTH_RADIUS_KM

_SENSITIVE = 0.15
"""The importance of a crossing is asked azimuth by azimuth where the field may turn it by this share of its cosine."""
_NOT_FORETOLD = 0.3
"""Importance of azimuths without a foretold crossing, in units of 1/|cos|."""
_FAR_GAIN = 7.0
"""Crossings that the field turns far (FAR_TURN) get this many more rotations: their aims spread over the wide tail."""
_HORIZON_GAIN = 0.01
"""Further rotations beside the horizon, see :func:`_horizon`."""
_LEAST_UNSURE, _UNSURE_PER_TURN = 2.0e-4, 0.012
"""How well the square of a foretold zenith cosine is known: a floor, and a share of the turn in a strong field."""
_LEAST_ROTATIONS = 1.0e-3
FOLLOWED_BELOW = 0.9
"""Showers are followed down to this share of the lowest energy that is scored: a neutrino that the field lifts above it
must have been in the pilot."""
LARGEST_ENERGY_LOSS_GEV = 2.0
"""A primary loses less than this before its first interaction (a thousand g/cm2 of ionisation)."""


@njit(nogil=True)
def flavour_flux(flavour, energy):
    """What the importance of a flavour is divided by: a rough flux, times four.

    That of electron neutrinos is set below their flux (0.5 where 0.7 would fit), so that they get more of the work:
    they are what a table waits for. No mean depends on it.
    """
    if flavour < 2:
        return 1.3 * reference_flux(energy)
    return 0.5 * reference_flux(energy) * (1.0 + energy) ** -0.35


@njit(nogil=True)
def _fill_crossing(row, neutrino, kind, path):
    """Fill a row of the table of crossings, but for its importance."""
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    ux, uy, uz = neutrino[NU_UX], neutrino[NU_UY], neutrino[NU_UZ]
    nx, ny, nz = x + path * ux, y + path * uy, z + path * uz
    norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
    set_reference(row, nx * norm, ny * norm, nz * norm, ux, uy, uz)
    row[A_X], row[A_X + 1], row[A_X + 2] = x, y, z
    row[A_U], row[A_U + 1], row[A_U + 2] = ux, uy, uz
    row[A_TURN] = neutrino[NU_TURN]
    for i in range(3):
        row[A_SHIFT + i] = neutrino[NU_SHIFT_X + i]
    row[A_KIND] = kind


@njit(nogil=True)
def _mean_inverse_cosine(a, b, unsure):
    """Mean of 1/cos where the squared cosine lies between a and b, give or take ``unsure``; misses count as nothing."""
    low, high = min(a, b) - unsure, max(a, b) + unsure
    mean = 2.0 * (math.sqrt(max(high, 0.0)) - math.sqrt(max(low, 0.0))) / (high - low)
    return min(mean, inverse_cosine(0.0))


@njit(nogil=True)
def _horizon(inverse):
    """Importance of a crossing of a given 1/|cos|: more than in proportion, for grazing ones vary most."""
    return inverse * (1.0 + _HORIZON_GAIN * inverse)


@njit(nogil=True)
def _weigh(row, value, cosine, bends, site, aim, gauss, work, squares):
    """Set the importance of a crossing, by sectors of azimuth where the field can change its cosine much.

    Returns
    -------
    float
        Its expected number of rotations.
    """
    if not bends:
        share = value * _horizon(inverse_cosine(cosine))
        row[A_SHARE] = share / (1.0 + share / aim.most_per_crossing)
        return row[A_SHARE]
    foretold_squares(row, site, gauss, work, squares)
    reach = STRONG_FIELD_NT * abs(row[A_TURN])
    gain = 1.0 + _FAR_GAIN * min(1.0, reach / FAR_TURN) ** 3
    value *= gain
    unsure = _LEAST_UNSURE + _UNSURE_PER_TURN * reach
    total = 0.0
    for k in range(N_SECTORS):
        mean = _mean_inverse_cosine(squares[k], squares[(k + 1) % N_SECTORS], unsure)
        share = value * max(_NOT_FORETOLD, _horizon(mean))
        share /= 1.0 + share / (aim.most_per_crossing * gain)
        row[A_SECTOR + k] = share
        total += share
    for k in range(N_SECTORS):
        row[A_SECTOR + k] *= N_SECTORS / total
    row[A_SHARE] = total / N_SECTORS
    return row[A_SHARE]


@njit(nogil=True)
def list_crossings(neutrinos, n, site, scale, aim, gauss, bending, aims, work, squares):
    """Table of what can be aimed at: the crossings of a pilot's neutrinos with the site's sphere.

    Parameters
    ----------
    neutrinos : float64 array (>= n, NEUTRINO_COLUMNS)
    n : int
    site : float64 array (SITE_COLUMNS,)
    scale : float
        Importance of a crossing: scale * weight / (|cos| E F(E)) with F of :func:`flavour_flux`.
    aim : Aim
    gauss : float64 array
    bending : bool
        Whether the field bends; then neutrinos that miss the sphere, but may meet it once turned, are listed too.
    aims : float64 array (>= 2 n + 2, AIM_COLUMNS)
    work, squares : float64 arrays (3, 3) and (N_SECTORS,)

    Returns
    -------
    n_aims : int
    total : float
        Sum of the importances (expected rotations).
    """
    n_aims = 0
    total = 0.0
    radius = site[S_RADIUS]
    for i in range(n):
        energy = neutrinos[i, NU_ENERGY]
        if energy_bin(energy) >= N_ENERGY:
            continue
        x, y, z = neutrinos[i, NU_X], neutrinos[i, NU_Y], neutrinos[i, NU_Z]
        ux, uy, uz = neutrinos[i, NU_UX], neutrinos[i, NU_UY], neutrinos[i, NU_UZ]
        value = scale * neutrinos[i, NU_WEIGHT] / (energy * flavour_flux(int(neutrinos[i, NU_FLAVOUR]), energy))
        # the angle by which the field of a site can turn it
        reach = STRONG_FIELD_NT * abs(neutrinos[i, NU_TURN]) if bending else 0.0
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        cosine = 0.0
        bends = True
        if up > 0.0:
            nx, ny, nz = x + up * ux, y + up * uy, z + up * uz
            cosine = (nx * ux + ny * uy + nz * uz) / radius
            bends = reach > _SENSITIVE * cosine
        else:
            # a miss: by which angle, and could the field make up for it?
            r = math.sqrt(x * x + y * y + z * z)
            rise = (x * ux + y * uy + z * uz) / r
            if rise + math.sqrt(max(0.0, 1.0 - (radius / r) ** 2)) > reach:
                continue
            down = up = max(0.0, -(x * ux + y * uy + z * uz))
        if down > 0.0 or cosine == 0.0:
            _fill_crossing(aims[n_aims], neutrinos[i], DOWN, down)
            total += _weigh(aims[n_aims], value, cosine, bends, site, aim, gauss, work, squares)
            n_aims += 1
        _fill_crossing(aims[n_aims], neutrinos[i], UP, up)
        total += _weigh(aims[n_aims], value, cosine, bends, site, aim, gauss, work, squares)
        n_aims += 1
    return n_aims, total


@njit(nogil=True)
def add_axis(aims, n_aims, pose, radius, share):
    """Append the crossings of the shower's own axis; returns the new number of rows."""
    x, y, z, ux, uy, uz = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
    if up <= 0.0:
        down = up = max(0.0, -(x * ux + y * uy + z * uz))
    for path in (down, up):
        row = aims[n_aims]
        nx, ny, nz = x + path * ux, y + path * uy, z + path * uz
        norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
        set_reference(row, nx * norm, ny * norm, nz * norm, ux, uy, uz)
        row[A_KIND] = AXIS
        row[A_SHARE] = share
        n_aims += 1
    return n_aims


@njit(nogil=True)
def rotation_density(aims, n_aims, total, g, site, aim, gauss, bending, work):
    """q(g): density of a rotation relative to the uniform measure; ``total`` is the sum of the shares."""
    q = 0.0
    for j in range(n_aims):
        q += aims[j, A_SHARE] * aim_density(aims[j], g, site, aim, gauss, bending, work)
    return aim.uniform_share + (1.0 - aim.uniform_share) * q / total


@njit(nogil=True)
def draw_vertex(world, source, place, batch_size, rng, pose):
    """Draw energy, nucleus and first interaction of a primary; ``pose`` (9,) receives it with the vertex on the z axis.

    Returns
    -------
    kinetic : float
        Kinetic energy per nucleon at the vertex (GeV).
    group : int
        Mass group.
    constant : float
        8 pi^2 r^2 A / (h P(group) pdf B) (m2 GeV g/cm2): what multiplies Phi(E_top) a(E_top)/a(E) exp(-X/lambda) /
        lambda.
    nominal : float
        A guess of the whole weight (s^-1).
    """
    low = max(world.kinetic_min[PROTON], source.energy_low - LARGEST_ENERGY_LOSS_GEV)
    kinetic = sample_energy((place + uniform(rng)) / batch_size, low, source.energy_high, source.energy_index)
    pdf = energy_pdf(kinetic, low, source.energy_high, source.energy_index)
    group = choose_group(kinetic, uniform(rng), source.spectrum)
    nucleons = nucleon_flux(kinetic, source.spectrum)
    share = GROUP_MASS_NUMBER[group] * group_flux(kinetic, group, source.spectrum) / nucleons
    length = interaction_length(world.yields, PROTON, math.log(kinetic))
    radius = effective_radius(rigidity(kinetic, group))
    c, density = draw_cosine(radius, rng)
    s = secant(c, radius)
    depth, density_of_depth = draw_depth(s, length, vertical_depth(0.0, world.layers), rng)
    density *= density_of_depth
    r = EARTH_RADIUS_KM + vertex_height(depth, world.layers)
    sine = math.sqrt(max(0.0, 1.0 - c * c))
    pose[0], pose[1], pose[2] = 0.0, 0.0, r
    pose[3], pose[4], pose[5] = sine, 0.0, -c
    pose[6], pose[7], pose[8] = 0.0, 1.0, 0.0
    constant = 8.0 * math.pi**2 * (r * 1.0e3) ** 2 * GROUP_MASS_NUMBER[group] / (density * share * pdf * batch_size)
    nominal = 8.0 * math.pi**2 * (r * 1.0e3) ** 2 * nucleons / (density * pdf * batch_size * length)
    return kinetic, group, constant, nominal * math.exp(-min(s * depth / length, 15.0))


@njit(nogil=True, cache=CACHE)
def targeted_batch(
    world,
    source,
    seed,
    first_index,
    batch_size,
    sites,
    cutoff,
    trace,
    pilot_world,
    aim,
    events,
    scores,
    hits,
    weights,
    counters,
    status,
    gradients=None,
    heights=None,
):
    """Simulate one batch of pilots, each aimed at every site in turn, and add what crosses the patches to the scores.

    Parameters are those of :func:`sim3d.analog.analog_batch`, and

    pilot_world : World
        ``world`` without bending.
    aim : Aim
    """
    rng = np.empty(1, dtype=np.uint64)
    pose = np.empty(9)
    turned = np.empty(9)
    entry = np.empty(6)
    g = np.empty((3, 3))
    work = np.empty((3, 3))
    squares = np.empty(N_SECTORS)
    carried = 0
    if gradients is not None:
        carried = carried_columns(gradients)
        terms = np.empty(gradients.scores.shape[4])
    stack, species_of, key_of = new_stack(32768, carried)
    pilot = np.empty((4096, NEUTRINO_COLUMNS))
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS + carried))
    aims = np.empty((1024, AIM_COLUMNS))
    hit_bins = np.empty((1024, 5), dtype=np.int64)
    hit_values = np.empty(1024)
    n_azimuth = scores.shape[4]
    first_place = 0
    if events is not None:
        first_place, rows, n_rows = events.first_place, events.rows, 0
        about = np.empty(PRIMARY_COLUMNS)
    for place in range(first_place, batch_size):
        if events is not None and n_rows >= events.full:
            return rows, n_rows, place
        index = first_index + place
        status[0] = index
        if is_lost(index, status):
            continue
        counters[C_PRIMARIES] += 1
        own_key = primary_key(seed, index)
        rng[0] = own_key
        kinetic, group, constant, nominal = draw_vertex(world, source, place, batch_size, rng, pose)
        z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
        tape = child_key(own_key, BRANCH_TAPE)
        n_pilot, pilot, stack, species_of, key_of = shower(
            pilot_world, pose, kinetic, z_over_a, tape, stack, species_of, key_of, pilot, True
        )
        counters[C_NEUTRINOS] += n_pilot
        if 2 * n_pilot + 2 > aims.shape[0]:
            aims = np.empty((4 * n_pilot, AIM_COLUMNS))
        for k in range(sites.shape[0]):
            site = sites[k]
            radius = site[S_RADIUS]
            scale = aim.effort * nominal * batch_size / (16.0 * math.pi**2 * (radius * 1.0e3) ** 2)
            n_aims, wanted = list_crossings(
                pilot, n_pilot, site, scale, aim, world.gauss, world.bending, aims, work, squares
            )
            expected = wanted / (1.0 + wanted / aim.most_per_pilot)
            for j in range(n_aims):
                aims[j, A_SHARE] *= expected / wanted
            # what a neutrino of 1 GeV along the axis would be worth, should the real shower have one that the pilot
            # had not
            unseen = scale * inverse_cosine(min(1.0, math.sqrt(pose[5] ** 2 + 0.01))) / reference_flux(1.0)
            axis = 0.5 * (aim.axis_share * expected + aim.unseen * unseen / (1.0 + unseen) + _LEAST_ROTATIONS)
            n_aims = add_axis(aims, n_aims, pose, radius, axis)
            expected += 2.0 * axis
            rng[0] = child_key(child_key(own_key, BRANCH_AIM), k)
            for _ in range(int(expected + uniform(rng))):
                counters[C_ROTATIONS] += 1
                if uniform(rng) < aim.uniform_share:
                    draw_uniform_rotation(aims[0], site, rng, g)
                else:
                    left = uniform(rng) * expected
                    j = 0
                    while j < n_aims - 1 and left > aims[j, A_SHARE]:
                        left -= aims[j, A_SHARE]
                        j += 1
                    draw_rotation(aims[j], site, aim, world.gauss, world.bending, rng, g, work)
                for i in (0, 3, 6):
                    turned[i], turned[i + 1], turned[i + 2] = apply(g, pose[i], pose[i + 1], pose[i + 2])
                length = interaction_length(world.yields, PROTON, math.log(kinetic))
                depth, top_kinetic, slowing = trace_to_top(world, turned, kinetic, z_over_a, length, entry)
                if depth == math.inf or not source.energy_low <= top_kinetic <= source.energy_high:
                    continue
                if cutoff and not comes_through(
                    world, trace, entry[:3], entry[3:], rigidity(top_kinetic, group), counters
                ):
                    continue
                n, neutrinos, stack, species_of, key_of = shower(
                    world,
                    turned,
                    kinetic,
                    z_over_a,
                    tape,
                    stack,
                    species_of,
                    key_of,
                    neutrinos,
                    True,
                    gradients=gradients,
                )
                if 2 * n + 2 > hit_values.shape[0]:
                    hit_bins = np.empty((4 * n, 5), dtype=np.int64)
                    hit_values = np.empty(4 * n)
                n_hits = 0
                for i in range(n):
                    if neutrinos[i, NU_ENERGY] < aim.energy_min:
                        continue
                    n_hits = patch_hits(neutrinos[i], sites[k : k + 1], n_azimuth, hit_bins, hit_values, n_hits)
                if n_hits == 0:
                    continue
                counters[C_CROSSINGS] += n_hits
                length = interaction_length(world.yields, PROTON, math.log(top_kinetic))
                weight = constant * group_flux(top_kinetic, group, source.spectrum)
                weight *= slowing * math.exp(-depth / length) / length
                q = rotation_density(aims, n_aims, expected, g, site, aim, world.gauss, world.bending, work)
                weight /= expected * q
                for i in range(n_hits):
                    f, e, c, a = hit_bins[i, 1], hit_bins[i, 2], hit_bins[i, 3], hit_bins[i, 4]
                    value = weight * hit_values[i]
                    scores[k, f, e, c, a] += value
                    hits[k, f, e, c, a] += 1
                    note_weight(weights[k], f, e, value * batch_size)
                if gradients is not None:
                    primary_terms(terms, gradients, source.spectrum, top_kinetic, group, depth / length)
                    score_patches(gradients, terms, neutrinos, n, aim.energy_min, sites[k : k + 1], k, weight)
                if heights is not None:
                    score_patch_heights(heights, neutrinos, n, aim.energy_min, sites[k : k + 1], k, weight)
                if events is not None:
                    describe_primary(about, index, top_kinetic, group, entry[:3], entry[3:])
                    rows, n_rows = record_hits(
                        rows, n_rows, about, neutrinos, n, aim.energy_min, sites[k : k + 1], k, n_azimuth, weight
                    )
    if events is not None:
        return rows, n_rows, batch_size
