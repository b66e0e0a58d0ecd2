"""How a shower's particles share weight: roulette on soft ones, several decays of fast ones. No mean changes."""

from __future__ import annotations

import math

from numba import njit

from sim3d.random_streams import uniform

MOST_DECAYS = 10.0


@njit(nogil=True)
def survives_thinning(world, primary_kinetic, kinetic, weight, rng):
    """Weight of a secondary after Russian roulette, or 0 if it is dropped.

    A soft secondary of a hard primary carries less statistical weight than one made by a primary near its own energy
    (primaries are sampled flatter than their spectrum). It is kept with the probability that brings its weight up to
    (E0 / (ratio E))^index, which is exact because the weight goes up by the inverse.
    """
    if world.thinning_ratio <= 0.0:
        return weight
    wanted = (primary_kinetic / (world.thinning_ratio * kinetic)) ** world.thinning_index
    if wanted <= weight:
        return weight
    if uniform(rng) * wanted < weight:
        return wanted
    return 0.0


@njit(nogil=True)
def muon_decays(kinetic, kinetic_per_decay):
    """How many decays share the weight of a muon of this kinetic energy (GeV).

    Few fast muons decay before the ground. Several decays at independent proper times along one path, each with its
    part of the weight, have the mean of one decay and less variance; the path is followed once.
    """
    return min(max(1.0, math.floor(kinetic / kinetic_per_decay)), MOST_DECAYS)
