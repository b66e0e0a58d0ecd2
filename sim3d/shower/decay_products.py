"""Simulate the decay of a particle in a shower: list its neutrinos and put its other daughters on the stack."""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.conventions.particles import N_SPECIES, PI0
from sim3d.jit_options import HELPER
from sim3d.shower.decays import NEUTRINO, decay
from sim3d.shower.kaon_channels import decay_in_channel
from sim3d.shower.neutrino_list import list_neutrino
from sim3d.shower.random_streams import BRANCH_DECAY, BRANCH_NEXT_DECAY, BRANCH_ROULETTE, FIRST_DRAW, child_key
from sim3d.shower.rotations import turn
from sim3d.shower.stack import DECAYS, EX, EY, EZ, HELICITY, KINETIC, UX, UY, UZ, WEIGHT, put_copy, put_daughter
from sim3d.shower.weight_sharing import decays_of, draws_of, survives_roulette, wanted_weight

MOST_NEUTRINOS = 64
"""Rows that the list of neutrinos must have free before a decay: at most two for each draw."""

_TAG_SHIFT = np.uint64(11)  # 64 - 11 = 53 bits, which a double holds exactly


@njit(**HELPER)
def list_decay_products(
    world, particle, species, key, primary_level, particles, species_of, key_of, n_stack, neutrinos, n_neutrinos, rng,
    daughters,
):  # fmt: skip
    """Sample the decay of a particle, list its neutrinos and put its other daughters on the stack.

    If several decays share the weight of one particle (:mod:`sim3d.shower.weight_sharing`), the products get one share.
    The particle then goes back on the stack with the remaining weight. A decay may be drawn several times; the draws
    share the weight of its neutrinos, and the other daughters are those of the first.

    Parameters
    ----------
    world : World
    particle : float64 array (STACK_COLUMNS + carried columns,)
        State of the particle at its decay; its column DECAYS is the number of decays that share its weight.
    species : int
    key : uint64
        Key of its random stream.
    primary_level : float
        :func:`sim3d.shower.weight_sharing.roulette_level` of the shower's primary, for the Russian roulette.
    particles, species_of, key_of : arrays
        The stack; it must have free rows.
    n_stack : int
        Particles on it.
    neutrinos : float64 array (capacity, NEUTRINO_COLUMNS + carried columns)
        The list of neutrinos; it must have MOST_NEUTRINOS free rows.
    n_neutrinos : int
        Neutrinos on the list.
    rng : uint64 array (1,)
        Work space.
    daughters : (int64 array (4,), float64 array (4, 4), float64 array (4,))
        Work space of :func:`sim3d.shower.decays.decay`.

    Returns
    -------
    n_stack, n_neutrinos : int
        Particles on the stack and neutrinos on the list afterwards.
    """
    masses, kinetic_min, sharing = world.mass, world.kinetic_min, world.sharing
    codes, momenta, helicities = daughters
    branch = child_key(key, BRANCH_DECAY)
    t, mass, decays_left = particle[KINETIC], masses[species], particle[DECAYS]
    momentum = math.sqrt(t * (t + 2.0 * mass))
    share = particle[WEIGHT] / decays_left
    shared = decays_left > 1.0 or decays_of(sharing, species, t) > 1.0
    if decays_left > 1.0:
        put_copy(particles, n_stack, particle)
        particles[n_stack, WEIGHT] = particle[WEIGHT] - share
        particles[n_stack, DECAYS] = decays_left - 1.0
        species_of[n_stack] = species
        key_of[n_stack] = child_key(key, BRANCH_NEXT_DECAY)
        n_stack += 1
    ux, uy, uz = particle[UX], particle[UY], particle[UZ]
    ex, ey, ez = particle[EX], particle[EY], particle[EZ]
    decay_tag = float(branch >> _TAG_SHIFT)
    draws, fixed = draws_of(sharing, species, t)
    for draw in range(draws):
        draw_key = branch if draw == 0 else child_key(branch, FIRST_DRAW + draw)
        rng[0] = draw_key
        if fixed and draw > 0:
            n, part = decay_in_channel(species, draw - 1, t + mass, momentum, rng, codes, momenta, helicities)
        else:
            n = decay(species, t + mass, momentum, particle[HELICITY], rng, codes, momenta, helicities)
            part = 0.0 if fixed else 1.0 / draws
        for k in range(n):
            code, energy = codes[k], momenta[k, 0]
            is_neutrino = code >= NEUTRINO
            if is_neutrino:
                if energy < world.energy_min or part == 0.0:
                    continue
            elif draw > 0 or code >= N_SPECIES or code == PI0:
                continue  # electrons and pi0 give no neutrinos
            elif energy - masses[code] <= kinetic_min[code]:
                continue
            daughter_key = child_key(draw_key, k + 1)
            weight = share
            if not is_neutrino and shared and sharing.roulette:
                rng[0] = child_key(daughter_key, BRANCH_ROULETTE)
                wanted = wanted_weight(world.thinning_ratio, world.roulette, primary_level, energy - masses[code])
                weight = survives_roulette(wanted, share, rng)
                if weight == 0.0:
                    continue
            vx, vy, vz, gx, gy, gz = ux, uy, uz, ex, ey, ez
            if world.transverse:
                px, py, pz = momenta[k, 1], momenta[k, 2], momenta[k, 3]
                pt = math.sqrt(px * px + py * py)
                p = math.sqrt(pt * pt + pz * pz)
                if pt > 0.0:
                    vx, vy, vz, gx, gy, gz = turn(ux, uy, uz, ex, ey, ez, pz / p, pt / p, px / pt, py / pt)
            if is_neutrino:
                tag = float(daughter_key >> _TAG_SHIFT)
                list_neutrino(
                    neutrinos, n_neutrinos, particle, species, code - NEUTRINO, energy, weight * part, vx, vy, vz, tag,
                    decay_tag,
                )  # fmt: skip
                n_neutrinos += 1
            else:
                kinetic = energy - masses[code]
                put_daughter(particles, n_stack, particle, vx, vy, vz, gx, gy, gz, kinetic, weight, helicities[k])
                species_of[n_stack] = code
                key_of[n_stack] = daughter_key
                n_stack += 1
    return n_stack, n_neutrinos
