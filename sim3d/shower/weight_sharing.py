"""Variance reduction inside a shower (expectation values are unchanged).

Soft secondaries go through Russian roulette, and the weight of a fast particle is shared among several decays.
"""

from __future__ import annotations

import math

from numba import njit

from sim3d.conventions.particles import KM, MUM, MUP, PIP
from sim3d.shower.levels import meson_decays
from sim3d.shower.random_streams import uniform

MOST_DECAYS = 10.0


@njit(nogil=True)
def survives_thinning(ratio, index, primary_kinetic, kinetic, weight, rng):
    """Weight of a secondary after Russian roulette, or 0 if it is dropped.

    A soft secondary of a hard primary carries less statistical weight than one made by a primary near its own energy
    (primaries are sampled flatter than their spectrum). It is kept with the probability that brings its weight up to
    (E0 / (ratio E))^index, which is exact because the weight goes up by the inverse.

    Parameters
    ----------
    ratio, index : float
        ``thinning_ratio`` and ``thinning_index`` of :class:`sim3d.shower.world.World`; ratio 0 turns it off.
    primary_kinetic, kinetic : float
        Kinetic energies (GeV) of the primary (per nucleon) and of the secondary.
    weight : float
        Of what interacted.
    rng : uint64 array (1,)
    """
    if ratio <= 0.0:
        return weight
    wanted = (primary_kinetic / (ratio * kinetic)) ** index
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


@njit(nogil=True)
def decays_to_come(known, species, kinetic, kinetic_per_decay, levels):
    """How many decays share the weight of a particle from here on; 1 for what has one decay or none.

    Parameters
    ----------
    known : float
        The number where it is known from an earlier decay, else 0.
    species : int
    kinetic, kinetic_per_decay : float
        GeV; see :func:`muon_decays`.
    levels : Levels or None
        Where there are levels, charged mesons share too (:func:`sim3d.shower.levels.meson_decays`).
    """
    if known > 0.0:
        return known
    if species in (MUP, MUM):
        return muon_decays(kinetic, kinetic_per_decay)
    if levels is not None and PIP <= species <= KM:
        return meson_decays(kinetic)
    return 1.0
