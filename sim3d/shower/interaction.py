"""Sample the secondaries of a hadron's interaction with a nucleus of air from the hadronic model's yields."""

from __future__ import annotations

import math

from numba import njit

from hadronic.interaction.kernels import sample_x, slot_survival, yield_angle
from sim3d.conventions.particles import LAMBDA, PIM, PIP
from sim3d.jit_options import HELPER
from sim3d.shower.gradients import add_angle, add_yield
from sim3d.shower.random_streams import child_key, poisson, uniform
from sim3d.shower.rotations import turn
from sim3d.shower.stack import EX, EY, EZ, KINETIC, STACK_COLUMNS, UX, UY, UZ, WEIGHT, put_daughter
from sim3d.shower.weight_sharing import kaon_factor, survives_roulette, wanted_weight


@njit(**HELPER)
def make_secondaries(
    world, particle, projectile, node, branch, primary_level, particles, species_of, key_of, n_stack, rng, gradients
):
    """Sample the secondaries of an interaction (species, number, energy, angle) and put them on the stack.

    The slots of the yield tables (projectile, secondary) are drawn independently of one another. Secondaries below
    their lowest kinetic energy (``World.kinetic_min``) are not drawn. Kaons may be drawn more often, with less weight.

    Parameters
    ----------
    world : World
    particle : float64 array (STACK_COLUMNS + carried columns,)
        State of the interacting particle at its interaction.
    projectile : int
        Species whose yields are used.
    node : int
        Index of the energy node of the yield tables.
    branch : uint64
        Key of the interaction's random stream.
    primary_level : float
        :func:`sim3d.shower.weight_sharing.roulette_level` of the shower's primary, for the Russian roulette.
    particles, species_of, key_of : arrays
        The stack; it must have free rows.
    n_stack : int
        Particles on it.
    rng : uint64 array (1,)
        Work space.
    gradients : Gradients or None
        Parameters whose derivatives are computed.

    Returns
    -------
    int
        Particles on the stack afterwards.
    """
    yields, masses, kinetic_min = world.yields, world.mass, world.kinetic_min
    slot_offset, slot_species = yields.slot_offset, yields.slot_species
    slot_mean, slot_kind = yields.slot_mean, yields.slot_kind
    roulette, sharing = world.roulette, world.sharing
    t = particle[KINETIC]
    ux, uy, uz = particle[UX], particle[UY], particle[UZ]
    ex, ey, ez = particle[EX], particle[EY], particle[EZ]
    for slot in range(slot_offset[projectile], slot_offset[projectile + 1]):
        secondary = slot_species[slot]
        if secondary > LAMBDA:
            continue  # pi0 decays to photons
        survival = slot_survival(yields, slot, node, kinetic_min[secondary] / t)
        factor = kaon_factor(sharing, secondary, slot_kind[slot] == 1)
        mean = slot_mean[slot, node] * survival * factor
        if mean <= 0.0:
            continue
        slot_key = child_key(branch, slot + 1)
        rng[0] = slot_key
        if slot_kind[slot] == 1:
            number = 1 if uniform(rng) < mean else 0
        else:
            number = poisson(mean, rng)
        for j in range(number):
            rng[0] = child_key(slot_key, j + 1)
            t_sec = t * sample_x(yields, slot, node, 1.0 - survival * uniform(rng))
            wanted = wanted_weight(world.thinning_ratio, roulette, primary_level, t_sec)
            if t_sec > sharing.kaons_from_GeV:
                wanted /= factor
            weight = survives_roulette(wanted, particle[WEIGHT] / factor, rng)
            if weight == 0.0:
                continue
            vx, vy, vz, gx, gy, gz = ux, uy, uz, ex, ey, ez
            if world.transverse:
                p_sec = math.sqrt(t_sec * (t_sec + 2.0 * masses[secondary]))
                sharper = world.pion_sharpness if secondary in (PIP, PIM) else 1.0
                c, s = yield_angle(yields, slot, node, t_sec / t, p_sec, uniform(rng), sharper)
                phi = 2.0 * math.pi * uniform(rng)
                vx, vy, vz, gx, gy, gz = turn(ux, uy, uz, ex, ey, ez, c, s, math.cos(phi), math.sin(phi))
            put_daughter(particles, n_stack, particle, vx, vy, vz, gx, gy, gz, t_sec, weight, 0.0)
            if gradients is not None:
                add_yield(particles[n_stack, STACK_COLUMNS:], gradients, slot, node, t_sec / t)
                if world.transverse:
                    add_angle(particles[n_stack, STACK_COLUMNS:], gradients, secondary, p_sec, c, sharper)
            species_of[n_stack] = secondary
            key_of[n_stack] = rng[0]
            n_stack += 1
    return n_stack
