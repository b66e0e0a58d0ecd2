"""Variance reduction inside a shower: Russian roulette of soft secondaries, and splitting of decays.

Expectation values are unchanged. The roulette saves time on secondaries that contribute little. The splitting, in which
several decays share the weight of one fast particle, reduces the errors of the products of rare decays.
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
    """Play Russian roulette with a soft secondary and return its new weight.

    Primaries are sampled from a spectrum flatter than the true one. A soft secondary of a primary of energy E0
    therefore contributes less to the flux than one of the same energy E from a softer primary. If its weight w in the
    shower is below W = (E0 / (ratio E))^index, it is kept with probability w / W and then has the weight W. The
    expectation value of the weight is unchanged.

    Parameters
    ----------
    ratio, index : float
        ``thinning_ratio`` and ``thinning_index`` of :class:`sim3d.shower.world.World`; ratio 0 turns it off.
    primary_kinetic, kinetic : float
        Kinetic energies (GeV) of the primary (per nucleon) and of the secondary.
    weight : float
        Weight of the particle that interacted.
    rng : uint64 array (1,)
        Random stream.

    Returns
    -------
    float
        0 if the secondary is dropped.
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
    """Choose the number of decays that share the statistical weight of a muon.

    Few fast muons decay before the ground. Several decays at independent proper times along one path, each with a share
    of the weight, have the expectation value of one decay and a smaller variance. The path is simulated once.

    Parameters
    ----------
    kinetic, kinetic_per_decay : float
        Kinetic energy (GeV), and the kinetic energy for each decay (``World.kinetic_per_decay``, GeV).

    Returns
    -------
    float
        A whole number from 1 to MOST_DECAYS.
    """
    return min(max(1.0, math.floor(kinetic / kinetic_per_decay)), MOST_DECAYS)


@njit(nogil=True)
def decays_to_come(known, species, kinetic, kinetic_per_decay, levels):
    """Return the number of decays that share the weight of a particle from here on.

    Parameters
    ----------
    known : float
        The number left after an earlier decay of the same particle, or 0 if there was none.
    species : int
    kinetic, kinetic_per_decay : float
        GeV; see :func:`muon_decays`.
    levels : Levels or None
        With levels, several decays share the weight of charged mesons, too (:func:`sim3d.shower.levels.meson_decays`).

    Returns
    -------
    float
        1 for particles other than muons and (with levels) charged mesons.
    """
    if known > 0.0:
        return known
    if species in (MUP, MUM):
        return muon_decays(kinetic, kinetic_per_decay)
    if levels is not None and PIP <= species <= KM:
        return meson_decays(kinetic)
    return 1.0
