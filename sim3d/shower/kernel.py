"""Simulate one shower: follow a primary nucleon and all its descendants, and list the neutrinos they produce.

The kernel takes a start state, a random-stream key and a perpendicular unit vector. It does not depend on detectors,
weights of primaries or sampling modes; :mod:`sim3d.sampling.analog`, :mod:`sim3d.sampling.rotated` and
:mod:`sim3d.sampling.targeted` call it.

With bending off, the kernel also accumulates the first-order rotation angle and displacement that a uniform field
would cause; :mod:`sim3d.sampling.aiming` uses them to predict the crossing. Rotations in a uniform field have one axis,
so their angles add up along an ancestry. A neutrino's direction would be rotated about B by -T |B|, with the turn T the
sum of KAPPA q ds / p over its ancestors. Its point of production would be displaced by S x B to first order, with the
shift S the sum of T u ds. Scattering does not change this, because its azimuths are drawn relative to the carried
perpendicular vector, which rotates with the direction.

A fast muon or meson decays several times along one path, each time with a share of its statistical weight
(:mod:`sim3d.shower.weight_sharing`). Without this most fast muons would reach the ground undecayed and most fast mesons
would interact, so that neutrinos of high energies would be rare in the sample.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from hadronic.interaction.kernels import interaction_length, pick_node
from sim3d.conventions.particles import LAMBDA, MUM, MUP, NEUTRON, PROTON
from sim3d.jit_cache import CACHE
from sim3d.jit_options import UNCOUNTED
from sim3d.shower.above import follow_above
from sim3d.shower.decay_products import MOST_NEUTRINOS, list_decay_products
from sim3d.shower.decays import MAX_DAUGHTERS
from sim3d.shower.flight import DECAY, INTERACTION, LOST, fly, medium_of
from sim3d.shower.gradients import carried_columns, end_flight, new_ancestry
from sim3d.shower.interaction import make_secondaries
from sim3d.shower.levels import muon_stops_above
from sim3d.shower.random_streams import BRANCH_BREAKUP, BRANCH_INTERACTION, child_key, uniform
from sim3d.shower.stack import (
    DECAYS,
    KINETIC,
    STACK_COLUMNS,
    STACK_RESERVE,
    WEIGHT,
    Stack,
    X,
    Y,
    Z,
    grown,
    grown_stack,
    put_back,
    put_primary,
)
from sim3d.shower.track import T_END, T_START, note
from sim3d.shower.weight_sharing import decays_to_come, roulette_level


@njit(**UNCOUNTED)
def _follow(
    world, z_over_a, nucleus_loss, nucleus_length, interacts, particle, particles, species_of, key_of, n_stack,
    neutrinos, n_neutrinos, is_primary, rng, anchor, daughters, primary_level, track, levels, gradients,
):  # fmt: skip
    """Follow the particles on the stack, until it is empty or an array is full; the arguments are those of `shower`."""
    masses, charges, ctau_km, kinetic_min = world.mass, world.charge, world.ctau_km, world.kinetic_min
    yields, medium, sharing = world.yields, medium_of(world), world.sharing
    while n_stack > 0:
        if n_stack + STACK_RESERVE > particles.shape[0] or n_neutrinos + MOST_NEUTRINOS > neutrinos.shape[0]:
            break
        n_stack -= 1
        for k in range(particle.shape[0]):
            particle[k] = particles[n_stack, k]
        species, own_key = species_of[n_stack], key_of[n_stack]
        x, y, z, t = particle[X], particle[Y], particle[Z], particle[KINETIC]
        ctau = ctau_km[species]
        charge = z_over_a if is_primary else charges[species]
        is_hadron = species <= LAMBDA
        if track is not None:
            note(track, T_START, species, x, y, z, t, particle[WEIGHT])

        rng[0] = own_key
        optical_left = -math.log(uniform(rng))
        proper_left = ctau
        if ctau < math.inf:
            proper_left = -ctau * math.log(uniform(rng))
        length = interaction_length(yields, species, math.log(t)) if is_hadron else math.inf
        if is_primary:
            length *= nucleus_length
        particle[DECAYS] = decays_to_come(particle[DECAYS], sharing, species, t)
        proper_left /= particle[DECAYS]
        if levels is not None and species in (MUP, MUM):
            # with levels, muons do not decay: their weight is multiplied by their survival probability
            if muon_stops_above(levels, t, math.sqrt(x * x + y * y + z * z), kinetic_min[species], medium.layers):
                continue
            proper_left = math.inf

        fate = INTERACTION
        if not (is_primary and interacts):
            fate, optical_depth = fly(
                particle, species, own_key, charge, nucleus_loss if is_primary else 1.0, masses[species], ctau,
                kinetic_min[species], length, optical_left, proper_left, medium, anchor, rng, track, levels,
            )  # fmt: skip
            if gradients is not None and is_hadron:
                end_flight(particle[STACK_COLUMNS:], gradients, species, optical_depth, fate == INTERACTION)
            if world.albedo and levels is None and fate == LOST and charge != 0.0 and not is_primary:
                fate, n_stack = follow_above(
                    world, particle, species, own_key, medium, particles, species_of, key_of, n_stack, rng
                )
        if track is not None:
            note(
                track, T_END + fate, species, particle[X], particle[Y], particle[Z], particle[KINETIC], particle[WEIGHT]
            )
        if fate == INTERACTION and is_primary and nucleus_length < 1.0 and not interacts:
            rng[0] = child_key(own_key, BRANCH_BREAKUP)
            if uniform(rng) >= nucleus_length:
                is_primary = False
                particle[DECAYS] = 0.0
                species_of[n_stack] = PROTON if uniform(rng) < z_over_a else NEUTRON
                n_stack = put_back(particles, key_of, n_stack, particle, rng[0])
                continue
        if fate == INTERACTION:
            branch = child_key(own_key, BRANCH_INTERACTION)
            rng[0] = branch
            projectile = species
            if is_primary and uniform(rng) > z_over_a:
                projectile = NEUTRON
            node = pick_node(yields, math.log(particle[KINETIC]), uniform(rng))
            n_stack = make_secondaries(
                world, particle, projectile, node, branch, primary_level, particles, species_of, key_of, n_stack, rng,
                gradients,
            )  # fmt: skip
        elif fate == DECAY:
            n_stack, n_neutrinos = list_decay_products(
                world, particle, species, own_key, primary_level, particles, species_of, key_of, n_stack, neutrinos,
                n_neutrinos, rng, daughters,
            )  # fmt: skip
        is_primary = False
    return n_stack, n_neutrinos, is_primary


@njit(nogil=True, cache=CACHE)
def shower(
    world, start, kinetic, z_over_a, key, stack, neutrinos, interacts, track=None, levels=None, gradients=None,
    nucleus=None,
):  # fmt: skip
    """Simulate the shower of a primary nucleon (free or bound in a nucleus) and list its neutrinos.

    Parameters
    ----------
    world : World
        Atmosphere, magnetic field, hadronic model and transport settings.
    start : float64 array (9,)
        Position (km, geocentric), unit direction, carried perpendicular unit vector.
    kinetic : float
        Kinetic energy per nucleon (GeV).
    z_over_a : float
        Z/A of the primary, 1 for a proton. A nucleus bends with its Z/A until its first interaction; the projectile
        there is a proton (probability Z/A) or a neutron.
    key : uint64
        Key of this primary's random stream.
    stack : Stack
        Work space from :func:`sim3d.shower.stack.new_stack`.
    neutrinos : float64 array (n, NEUTRINO_COLUMNS)
        Receives flavour, energy (GeV), weight, position (km) and direction of every neutrino above the threshold.
        Without bending it also receives the turn (rad/nT) and the shift (km rad/nT), see the module's header. The last
        column is an identifier of the neutrino's position in the decay tree; showers with the same key give the same
        identifiers.
    interacts : bool
        True if the start position is the point of the primary's first interaction.
    track : float64 array (n, TRACK_COLUMNS), optional
        Receives the paths of all particles, see :func:`sim3d.shower.track.note`. numba compiles a separate version for
        None, without these branches; this holds for ``levels`` and ``gradients``, too.
    levels : Levels, optional
        Altitudes at which down-going muons and nucleons are recorded, see :class:`sim3d.shower.levels.Levels`.
    gradients : Gradients, optional
        Parameters whose derivatives are computed, see :mod:`sim3d.shower.gradients`; ``stack`` and ``neutrinos`` then
        have :func:`sim3d.shower.gradients.carried_columns` further columns.
    nucleus : float64 array (2,), optional
        Row of ``World.nuclei``: energy loss and interaction length of the primary; without it those of superposition,
        Z/A and 1. A nucleus with a length below 1 breaks up at its interaction. This nucleon of it then interacts with
        that probability, or flies on as a proton or neutron.

    Returns
    -------
    n : int
        Number of neutrinos.
    neutrinos : float64 array
        The list given, or a longer one if it was too short.
    stack : Stack
        The stack given, or a larger one if it was too small.
    """
    rng = np.empty(1, dtype=np.uint64)
    daughters = np.empty(MAX_DAUGHTERS, dtype=np.int64), np.empty((MAX_DAUGHTERS, 4)), np.empty(MAX_DAUGHTERS)
    anchor = np.zeros(6)
    particle = np.empty(STACK_COLUMNS + carried_columns(gradients))
    primary_level = roulette_level(world.roulette, kinetic)
    nucleus_loss, nucleus_length = z_over_a, 1.0
    if nucleus is not None:
        nucleus_loss, nucleus_length = nucleus[0], nucleus[1]
    particles, species_of, key_of = stack.particles, stack.species, stack.keys

    put_primary(particles, start, kinetic)
    if gradients is not None:
        ancestry = new_ancestry(gradients)
        for k in range(ancestry.shape[0]):
            particles[0, STACK_COLUMNS + k] = ancestry[k]
    species_of[0], key_of[0] = PROTON, key
    # not literals, for which numba would compile the loop a second time
    n_stack, n_neutrinos = np.int64(1), np.int64(0)
    is_primary = np.bool_(True)
    while n_stack > 0:
        if n_stack + STACK_RESERVE > particles.shape[0]:
            particles, species_of, key_of = grown_stack(particles, species_of, key_of)
        if n_neutrinos + MOST_NEUTRINOS > neutrinos.shape[0]:
            neutrinos = grown(neutrinos, 2 * neutrinos.shape[0] + MOST_NEUTRINOS)
        n_stack, n_neutrinos, is_primary = _follow(
            world, z_over_a, nucleus_loss, nucleus_length, interacts, particle, particles, species_of, key_of, n_stack,
            neutrinos, n_neutrinos, is_primary, rng, anchor, daughters, primary_level, track, levels, gradients,
        )  # fmt: skip

    return n_neutrinos, neutrinos, Stack(particles, species_of, key_of)
