"""Rotate each shower so that one of its neutrinos hits the site's patch; the importance weight corrects for the choice.

A pilot shower is simulated from its first interaction, without magnetic bending. Each point where one of its neutrinos
crosses the site's sphere is a crossing j with an importance p_j (:mod:`sim3d.sampling.pilot`). A rotation of the globe
is drawn that brings a crossing to the patch (:mod:`sim3d.sampling.aiming`). Its density relative to the uniform (Haar)
measure of rotations is

    q(g) = f0 + (1 - f0) sum_j p_j k_j(g).

The shower is then simulated again with the SAME random numbers, from the rotated vertex and in the real field. Every
neutrino that crosses the patch is scored with the importance weight

    8 pi^2 r^2 Phi(E_top) [a(E_top) / a(E)] exp(-X / lambda) / (lambda h(c, T) pdf(E)) / (m q(g)).

This is the rate of first interactions per vertex radius, zenith cosine and energy, divided by the density they are
drawn from (:mod:`sim3d.sampling.first_interaction`). m is the expected number of rotations of this pilot. The estimator
is unbiased: predictions, importances and margins change statistical errors, not expectation values. All hits of a
pilot, over all its rotations, belong to one batch; errors are computed from the scatter of batches.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomag.trajectories.early_verdicts import ALLOWED
from hadronic.interaction.kernels import interaction_length
from sim3d.conventions.particles import PROTON
from sim3d.jit_cache import CACHE
from sim3d.jit_options import UNCOUNTED
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER
from sim3d.primaries.spectrum import choose_group, group_flux, nucleon_flux, rigidity
from sim3d.sampling.aiming import (
    A_SHARE,
    AIM_COLUMNS,
    N_SECTORS,
    aim_density,
    apply,
    draw_rotation,
    draw_uniform_rotation,
)
from sim3d.sampling.counters import C_CROSSINGS, C_NEUTRINOS, C_PRIMARIES, C_ROTATIONS
from sim3d.sampling.energy_law import law_pdf
from sim3d.sampling.first_interaction import (
    draw_point,
    effective_radius,
    secant,
    trace_to_top,
)
from sim3d.sampling.lost import is_left_out
from sim3d.sampling.pilot import list_aims
from sim3d.sampling.source import draw_energy
from sim3d.sampling.verdicts import verdicts_of
from sim3d.scoring.event_records import RECORD_DTYPE, describe_primary
from sim3d.scoring.gradients import new_terms, primary_terms
from sim3d.scoring.hit_weights import note_primary
from sim3d.scoring.hits import HIT_DTYPE, hits_of_shower
from sim3d.scoring.shower_scores import score_shower
from sim3d.shower.gradients import carried_columns
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.random_streams import BRANCH_AIM, BRANCH_BREAKUP, BRANCH_SHOWER, child_key, primary_key, uniform
from sim3d.shower.stack import grown, new_stack

FOLLOWED_BELOW = 0.9
"""Showers are simulated down to this fraction of the lowest scored energy. The field can raise the energy of a neutrino
above the threshold, and such a neutrino must be in the pilot."""
BLOCK = 500
"""Primaries whose rotations are back-tracked together; more would only need more memory (some 5 kB each)."""
# columns of a primary of a block, and of a rotation and its way to the top
P_KINETIC, P_CONSTANT, P_LENGTH, P_FLOWN, P_CHARGE, PILOT_COLUMNS = 0, 1, 2, 3, 4, 5
W_ROTATION, W_TURNED, W_ENTRY = 0, 9, 18
W_DEPTH, W_KINETIC, W_SLOWING, W_RIGIDITY, W_SITE, W_FIRST, W_AIMS, W_EXPECTED = 24, 25, 26, 27, 28, 29, 30, 31
WAY_COLUMNS = 32
LARGEST_ENERGY_LOSS_GEV = 2.0
"""Upper bound of a primary's ionisation loss before its first interaction (a thousand g/cm2 of air)."""


@njit(**UNCOUNTED)
def rotation_density(aims, n_aims, total, g, site, aim, coarse, bending, work):
    """Density q(g) with which a rotation is drawn, relative to the uniform measure of rotations.

    Parameters
    ----------
    aims : float64 array (>= n_aims, AIM_COLUMNS)
        Table of crossings, see :func:`sim3d.sampling.pilot.list_aims`.
    n_aims : int
        Rows in use.
    total : float
        Sum of the column A_SHARE.
    g : float64 array (3, 3)
        Rotation matrix.
    site : record of SITE_DTYPE
    aim : Aim
    coarse : float64 array
        Table of the field, from :func:`sim3d.sampling.coarse_field.coarse_field`.
    bending : bool
        Whether the field bends.
    work : float64 array (3, 3)
        Work space.

    Returns
    -------
    float
    """
    q = 0.0
    for j in range(n_aims):
        q += aims[j, A_SHARE] * aim_density(aims[j], g, site, aim, coarse, bending, work)
    return aim.uniform_share + (1.0 - aim.uniform_share) * q / total


@njit(**UNCOUNTED)
def draw_aim(aims, n_aims, expected, site, aim, coarse, bending, rng, g, work):
    """Draw a rotation with the density :func:`rotation_density`: uniformly, or for one crossing of the table.

    Parameters
    ----------
    aims, n_aims, site, aim, coarse, bending, work
        As for :func:`rotation_density`.
    expected : float
        Sum of the column A_SHARE.
    rng : uint64 array (1,)
        State of the random stream.
    g : float64 array (3, 3)
        Receives the rotation matrix.
    """
    if uniform(rng) < aim.uniform_share:
        draw_uniform_rotation(aims[0], site, rng, g)
        return
    left = uniform(rng) * expected
    j = 0
    while j < n_aims - 1 and left > aims[j, A_SHARE]:
        left -= aims[j, A_SHARE]
        j += 1
    draw_rotation(aims[j], site, aim, coarse, bending, rng, g, work)


@njit(**UNCOUNTED)
def draw_vertex(world, source, place, batch_size, rng, pose):
    """Draw the energy, nucleus and first-interaction point of a primary, with the vertex on the z axis.

    Parameters
    ----------
    world : World
    source : Source
    place, batch_size : int
        Index of the primary in its batch, and primaries of a batch: energies are stratified.
    rng : uint64 array (1,)
        State of the random stream.
    pose : float64 array (9,)
        Receives position (km), direction of flight and carried perpendicular vector.

    Returns
    -------
    kinetic : float
        Kinetic energy per nucleon at the vertex (GeV).
    group : int
        Mass group.
    constant : float
        8 pi^2 r^2 A / (h P(group) pdf B) (m2 GeV g/cm2), with B the batch size. The importance weight is this times
        Phi(E_top) a(E_top)/a(E) exp(-X/lambda) / lambda.
    nominal : float
        Estimate of the whole weight (s^-1) before the path through the field is known, with the density
        ``source.usual_law``.
    """
    low = max(world.kinetic_min[PROTON], source.energy_low - LARGEST_ENERGY_LOSS_GEV)
    kinetic, pdf = draw_energy(source, low, (place + uniform(rng)) / batch_size)
    group = choose_group(kinetic, uniform(rng), source.spectrum)
    nucleons = nucleon_flux(kinetic, source.spectrum)
    share = GROUP_MASS_NUMBER[group] * group_flux(kinetic, group, source.spectrum) / nucleons
    length = interaction_length(world.yields, PROTON, math.log(kinetic))
    gv = rigidity(kinetic, group)
    c, depth, r, density = draw_point(gv, length, source.sphere_km, world.layers, rng)
    sine = math.sqrt(max(0.0, 1.0 - c * c))
    pose[0], pose[1], pose[2] = 0.0, 0.0, r
    pose[3], pose[4], pose[5] = sine, 0.0, -c
    pose[6], pose[7], pose[8] = 0.0, 1.0, 0.0
    constant = 8.0 * math.pi**2 * (r * 1.0e3) ** 2 * GROUP_MASS_NUMBER[group] / (density * share * pdf * batch_size)
    usual = source.usual_law
    if usual.shape[0] > 0:
        pdf = law_pdf(kinetic, low, source.energy_high, usual)
    nominal = 8.0 * math.pi**2 * (r * 1.0e3) ** 2 * nucleons / (density * pdf * batch_size * length)
    slant = secant(c, effective_radius(gv)) * depth
    return kinetic, group, constant, nominal * math.exp(-min(slant / length, 15.0))


@njit(**UNCOUNTED)
def draw_breakup(world, group, kinetic, key, rng):
    """Draw whether the nucleon that interacts at the vertex was alone there, and how far it had flown from its nucleus.

    A nucleus that interacts after its own length (:mod:`sim3d.primaries.nuclei`) wounds the nucleon with probability
    lambda_A / lambda_N; otherwise the depth that the nucleon flies alone is exponential. Under superposition, and for
    protons, nothing is drawn.

    Parameters
    ----------
    world : World
    group : int
        Mass group.
    kinetic : float
        Kinetic energy per nucleon at the vertex (GeV).
    key : uint64
        Key of the primary's random stream.
    rng : uint64 array (1,)
        Work space.

    Returns
    -------
    flown : float
        Depth flown alone (g/cm2), 0 for none.
    charge : float
        Of the nucleon if it was alone, else Z/A.
    """
    z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    ratio = world.nuclei[group, 1]
    if ratio >= 1.0:
        return 0.0, z_over_a
    rng[0] = child_key(key, BRANCH_BREAKUP)
    if uniform(rng) < ratio:
        return 0.0, z_over_a
    flown = -math.log(uniform(rng)) * interaction_length(world.yields, PROTON, math.log(kinetic))
    return flown, 1.0 if uniform(rng) < z_over_a else 0.0


@njit(**UNCOUNTED)
def first_interaction_rate(depth, flown, length, vertex_length, ratio):
    """Compute the rate of first interactions per depth, over the density that the breakup was drawn with.

    Parameters
    ----------
    depth, flown : float
        Slant depth of the vertex, and the part that the nucleon flew alone (g/cm2).
    length, vertex_length : float
        Interaction length of a nucleon (g/cm2) at the primary's and at the vertex's energy.
    ratio : float
        lambda_A / lambda_N.

    Returns
    -------
    float
        (g/cm2)^-1; its mean over breakups is exp(-depth / length) / length.
    """
    if flown > depth:
        return 0.0
    rate = math.exp(-(depth - flown) / (ratio * length)) / (ratio * length)
    if flown > 0.0:
        rate *= vertex_length / length * math.exp(flown / vertex_length - flown / length)
    return rate


@njit(**UNCOUNTED)
def turn_pose(g, pose, turned):
    """Rotate position, direction and perpendicular vector of ``pose`` (9,) by g (3, 3), into ``turned``."""
    for i in (0, 3, 6):
        turned[i], turned[i + 1], turned[i + 2] = apply(g, pose[i], pose[i + 1], pose[i + 2])


@njit(**UNCOUNTED)
def keep_way(way, g, turned, entry, depth, top_kinetic, slowing):
    """Write a rotation and its way to the top into a row of WAY_COLUMNS."""
    for i in range(9):
        way[W_ROTATION + i] = g[i // 3, i % 3]
        way[W_TURNED + i] = turned[i]
    for i in range(6):
        way[W_ENTRY + i] = entry[i]
    way[W_DEPTH], way[W_KINETIC], way[W_SLOWING] = depth, top_kinetic, slowing


@njit(**UNCOUNTED)
def read_way(way, g, turned, entry):
    """Read what :func:`keep_way` has written, except numbers."""
    for i in range(9):
        g[i // 3, i % 3] = way[W_ROTATION + i]
        turned[i] = way[W_TURNED + i]
    for i in range(6):
        entry[i] = way[W_ENTRY + i]


@njit(nogil=True, cache=CACHE)
def targeted_batch(task, scores, pilot_world, aim, events, gradients, heights):
    """Simulate one batch of pilot showers, rotate each towards every site in turn, and score the hits.

    Primaries are worked off in blocks: first all pilots with their rotations and ways to the top, then the verdicts of
    the back-tracking, sixteen at a time, then the showers of the rotations that are allowed. Draws, verdicts and the
    order of the sums do not depend on the block.

    Parameters
    ----------
    task, scores, events, gradients, heights
        As for :func:`sim3d.sampling.analog.analog_batch`.
    pilot_world : World
        ``task.world`` without bending.
    aim : Aim
        Settings of the rotations.

    Returns
    -------
    rows, n_rows, place
        As for :func:`sim3d.sampling.analog.analog_batch`.
    """
    world, source, sites = task.world, task.source, task.sites
    coarse, bending = aim.coarse, world.bending
    size, left_out, n_sites = task.batch_size, task.left_out, sites.shape[0]
    # of the types that the other sampling modes have: one compiled shower serves all
    interacts, alone = np.bool_(True), np.ones(2)
    counters, followed, n_azimuth = scores.counters, scores.followed, scores.flux.shape[4]
    rng = np.empty(1, dtype=np.uint64)
    pose, turned, entry = np.empty(9), np.empty(9), np.empty(6)
    g, work = np.empty((3, 3)), np.empty((3, 3))
    squares = np.empty(N_SECTORS)
    carried = carried_columns(gradients)
    terms = new_terms(gradients)
    stack = new_stack(32768, carried)
    pilot = np.empty((4096, NEUTRINO_COLUMNS))
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS + carried))
    hits = np.empty(1024, HIT_DTYPE)
    primary = np.empty(1, RECORD_DTYPE)
    # of a block: primaries, their tables of crossings, and their rotations that reach the top
    pilots, groups, last_way = np.empty((BLOCK, PILOT_COLUMNS)), np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    aims, ways, n_ways = np.empty((8192, AIM_COLUMNS)), np.empty((2 * BLOCK, WAY_COLUMNS)), 0
    rows, n_rows = events.rows, np.int64(0)  # a literal 0 would compile score_shower a second time
    for first in range(events.first_place, size, BLOCK):
        if n_rows >= events.full:
            return rows, n_rows, first
        end = min(first + BLOCK, size)
        n_listed = n_ways = 0
        for place in range(first, end):
            index = task.first_index + place
            followed[0] = index
            last_way[place - first] = n_ways
            if is_left_out(index, left_out, task.only):
                continue
            counters[C_PRIMARIES] += 1
            own_key = primary_key(task.seed, index)
            rng[0] = own_key
            kinetic, group, constant, nominal = draw_vertex(world, source, place, size, rng, pose)
            vertex_length = interaction_length(world.yields, PROTON, math.log(kinetic))
            z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
            flown, charge = draw_breakup(world, group, kinetic, own_key, rng)
            groups[place - first] = group
            own = pilots[place - first]
            own[P_KINETIC], own[P_CONSTANT], own[P_LENGTH] = kinetic, constant, vertex_length
            own[P_FLOWN], own[P_CHARGE] = flown, charge
            n_pilot, pilot, stack = shower(
                pilot_world, pose, kinetic, charge, child_key(own_key, BRANCH_SHOWER), stack, pilot, interacts, None,
                None, None, alone,
            )  # fmt: skip
            counters[C_NEUTRINOS] += n_pilot
            for k in range(n_sites):
                if n_listed + 2 * n_pilot + 2 > aims.shape[0]:
                    aims = grown(aims, 2 * (n_listed + 2 * n_pilot + 2))
                listed = aims[n_listed:]
                n_aims, expected = list_aims(
                    pilot, n_pilot, pose, nominal, size, sites[k], aim, coarse, bending, listed, work, squares
                )
                rng[0] = child_key(child_key(own_key, BRANCH_AIM), k)
                used = False
                for _ in range(int(expected + uniform(rng))):
                    counters[C_ROTATIONS] += 1
                    draw_aim(listed, n_aims, expected, sites[k], aim, coarse, bending, rng, g, work)
                    turn_pose(g, pose, turned)
                    depth, top_kinetic, slowing = trace_to_top(
                        world, turned, kinetic, z_over_a, world.nuclei[group, 0], flown, charge, vertex_length, entry
                    )
                    if depth == math.inf or depth < flown or not source.energy_low <= top_kinetic <= source.energy_high:
                        continue
                    if n_ways == ways.shape[0]:
                        ways = grown(ways, 2 * n_ways)
                    keep_way(ways[n_ways], g, turned, entry, depth, top_kinetic, slowing)
                    way = ways[n_ways]
                    way[W_SITE], way[W_FIRST], way[W_AIMS], way[W_EXPECTED] = k, n_listed, n_aims, expected
                    way[W_RIGIDITY] = rigidity(top_kinetic, group)
                    n_ways += 1
                    used = True
                if used:
                    n_listed += n_aims
            last_way[place - first] = n_ways
        verdicts = np.full(n_ways, ALLOWED, dtype=np.int8)
        if task.cutoff:
            verdicts_of(
                ways[:n_ways, W_ENTRY : W_ENTRY + 3].copy(),
                ways[:n_ways, W_ENTRY + 3 : W_ENTRY + 6].copy(),
                ways[:n_ways, W_RIGIDITY].copy(),
                n_ways, world.gauss, task.singles, task.trace, task.bounds, counters, verdicts,
            )  # fmt: skip
        i_way = 0
        for place in range(first, end):
            index = task.first_index + place
            followed[0] = index
            while i_way < last_way[place - first]:
                way = ways[i_way]
                i_way += 1
                if verdicts[i_way - 1] != ALLOWED:
                    continue
                own, group, k = pilots[place - first], groups[place - first], int(way[W_SITE])
                read_way(way, g, turned, entry)
                n, neutrinos, stack = shower(
                    world, turned, own[P_KINETIC], own[P_CHARGE],
                    child_key(primary_key(task.seed, index), BRANCH_SHOWER), stack, neutrinos, interacts, None, None,
                    gradients, alone,
                )  # fmt: skip
                hits, n_hits = hits_of_shower(
                    neutrinos, n, aim.energy_min, sites[k : k + 1], task.surfaces, k, n_azimuth, hits
                )
                if n_hits == 0:
                    continue
                counters[C_CROSSINGS] += n_hits
                depth, top_kinetic = way[W_DEPTH], way[W_KINETIC]
                length = interaction_length(world.yields, PROTON, math.log(top_kinetic))
                weight = own[P_CONSTANT] * group_flux(top_kinetic, group, source.spectrum)
                weight *= way[W_SLOWING] * first_interaction_rate(
                    depth, own[P_FLOWN], length, own[P_LENGTH], world.nuclei[group, 1]
                )
                listed = aims[int(way[W_FIRST]) :]
                q = rotation_density(listed, int(way[W_AIMS]), way[W_EXPECTED], g, sites[k], aim, coarse, bending, work)
                weight /= way[W_EXPECTED] * q
                if gradients is not None:
                    primary_terms(terms, gradients, source.spectrum, top_kinetic, group, depth / length)
                if events.wanted:
                    describe_primary(primary[0], index, top_kinetic, group, entry[:3], entry[3:])
                rows, n_rows = score_shower(
                    scores, hits, n_hits, neutrinos, weight, size, gradients, terms, heights, events.wanted, rows,
                    n_rows, primary,
                )  # fmt: skip
            note_primary(scores.weights, scores.of_primary)
    return rows, n_rows, size
