"""Variance reduction inside a shower: Russian roulette of soft particles, splitting of kaons and of decays.

Expectation values are unchanged. The roulette saves time on particles that contribute little. The splitting, in which
several decays share the weight of one fast particle and several draws of neutrinos that of one decay, reduces the
errors of the products of rare decays.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.conventions.particles import KL, KM, KP, KS, MUM, MUP, PIM, PIP
from sim3d.jit_options import UNCOUNTED
from sim3d.shower.kaon_channels import CHANNEL_DRAWS, has_channels
from sim3d.shower.random_streams import uniform


class Sharing(NamedTuple):
    """Numbers of decays and draws that share the weight of a particle (numba argument); they change errors only.

    Attributes
    ----------
    muon_GeV, most_muon : float
        Kinetic energy (GeV) for each of the decays that share a muon's weight; their largest number.
    pion_GeV, kaon_GeV, long_kaon_GeV, most_meson : float
        The same of charged pions, charged kaons and K_L.
    draws : int
        Neutrino draws of each decay of a pion, kaon or muon, each with its part of the weight. Only the first draw
        hands on muons and pions.
    muon_draws_below_GeV : float
        Kinetic energy (GeV) from which a muon's decays have one draw: there are many decays then.
    channels_from_GeV : float
        Kinetic energy (GeV) from which kaons decay in fixed channels (:mod:`sim3d.shower.kaon_channels`); K_S from
        :data:`SHORT_KAON_FACTOR` times that.
    kaons, kaons_from_GeV : float
        Factor of the number of charged kaons and K_L that an interaction makes, each with its inverse as weight; the
        roulette undoes it below a kinetic energy (GeV).
    roulette : bool
        Whether muons and pions that shared decays hand on go through the roulette.
    """

    muon_GeV: float
    most_muon: float
    pion_GeV: float
    kaon_GeV: float
    long_kaon_GeV: float
    most_meson: float
    draws: int
    muon_draws_below_GeV: float
    channels_from_GeV: float
    kaons: float
    kaons_from_GeV: float
    roulette: bool


SHORT_KAON_FACTOR = 20.0
"""Neutrinos of K_S matter from a TeV on only."""
SINGLE_DECAYS = Sharing(math.inf, 1.0, math.inf, math.inf, math.inf, 1.0, 1, 0.0, math.inf, 1.0, math.inf, False)
"""One decay of each particle, with one draw: every weight is that of the parent."""
NEUTRINO_SHARING = Sharing(
    muon_GeV=2.5,  # about one decay of a fast muon in the air
    most_muon=400.0,
    pion_GeV=25.0,
    kaon_GeV=50.0,
    long_kaon_GeV=25.0,
    most_meson=100.0,
    draws=4,
    muon_draws_below_GeV=25.0,
    channels_from_GeV=10.0,
    kaons=4.0,
    kaons_from_GeV=10.0,
    roulette=True,
)
"""Settings of runs that score neutrinos, chosen by the errors per time of neutrinos from 0.1 GeV to 10 TeV."""
WITHOUT_ROULETTE = NEUTRINO_SHARING._replace(
    pion_GeV=math.inf, kaon_GeV=math.inf, long_kaon_GeV=math.inf, kaons=1.0, kaons_from_GeV=math.inf
)
"""The same for ``sampling.thinning`` = 0: nothing drops products, so only what has none to follow is split."""
MUON_SHARING = SINGLE_DECAYS._replace(pion_GeV=25.0, kaon_GeV=25.0, most_meson=12.0)
"""Settings of the showers in which muons are scored (:mod:`sim3d.sampling.muons`).

Most mesons above a hundred GeV interact. Without this the few muons from their decays would have large errors.
"""

# The roulette's table: ln of the wanted weight on a grid of ln E, E in GeV.
_FIRST_LN_E = math.log(1.0e-3)
_STEP = 0.25
_NODES = 105
GRID_GEV = np.exp(_FIRST_LN_E + _STEP * np.arange(_NODES))
"""Kinetic energies (GeV) of the roulette's table, 1 MeV to 2e8 GeV."""


def power_roulette(index: float) -> np.ndarray:
    """Tabulate the roulette's wanted weight as a power of energy, E^-index.

    Parameters
    ----------
    index : float

    Returns
    -------
    float64 array (nodes,)
        ln of the weight at :data:`GRID_GEV`.
    """
    return -index * np.log(GRID_GEV)


@njit(**UNCOUNTED)
def roulette_level(table, kinetic):
    """Look up the roulette's table, linearly in ln E.

    Parameters
    ----------
    table : float64 array (nodes,)
        ln of the wanted weight of a particle at :data:`GRID_GEV`, up to a constant; ``World.roulette``.
    kinetic : float
        Kinetic energy (GeV).

    Returns
    -------
    float
    """
    place = (math.log(kinetic) - _FIRST_LN_E) / _STEP
    k = min(max(int(place), 0), _NODES - 2)
    return table[k] + (place - k) * (table[k + 1] - table[k])


@njit(**UNCOUNTED)
def wanted_weight(ratio, table, primary_level, kinetic):
    """Compute the weight that the roulette gives to a particle of a shower.

    Primaries are sampled from a spectrum flatter than the true one. A soft particle of a primary of energy E0 therefore
    contributes less to the flux than one of the same energy E from a softer primary. With w(E) the importance weight of
    a primary of energy E, which falls with energy, the particle is given the weight W = w(ratio E) / w(E0).

    Parameters
    ----------
    ratio, table
        ``thinning_ratio`` and ``roulette`` of :class:`sim3d.shower.world.World`; a ratio of 0 turns the roulette off.
    primary_level : float
        :func:`roulette_level` of the primary's kinetic energy per nucleon.
    kinetic : float
        Kinetic energy of the particle (GeV).

    Returns
    -------
    float
        0 without a roulette.
    """
    if ratio <= 0.0:
        return 0.0
    return math.exp(roulette_level(table, ratio * kinetic) - primary_level)


@njit(**UNCOUNTED)
def survives_roulette(wanted, weight, rng):
    """Apply Russian roulette to a particle and return its new weight.

    If its weight w is below the wanted weight W, it is kept with probability w / W and then has the weight W. The
    expectation value of the weight is unchanged.

    Parameters
    ----------
    wanted, weight : float
        W of :func:`wanted_weight`, and w.
    rng : uint64 array (1,)
        Random stream.

    Returns
    -------
    float
        0 if the particle is dropped.
    """
    if wanted <= weight:
        return weight
    if uniform(rng) * wanted < weight:
        return wanted
    return 0.0


@njit(**UNCOUNTED)
def kaon_factor(sharing, secondary, discrete):
    """Return the factor by which the number of secondaries of a species is increased, at an inverse weight.

    Numbers of secondaries are Poisson distributed and independent, so that their mean may be changed.

    Parameters
    ----------
    sharing : Sharing
    secondary : int
        Species.
    discrete : bool
        Whether the number is 0 or 1 (leading particles), which cannot be increased.

    Returns
    -------
    float
    """
    if KP <= secondary <= KL and not discrete:
        return sharing.kaons
    return 1.0


@njit(**UNCOUNTED)
def decays_of(sharing, species, kinetic):
    """Choose the number of decays that share the statistical weight of a particle.

    Few fast muons decay before the ground, and most fast mesons interact. Several decays at independent proper times
    along one path, each with a share of the weight, have the expectation value of one decay and a smaller variance. The
    path is simulated once.

    Parameters
    ----------
    sharing : Sharing
    species : int
    kinetic : float
        Kinetic energy (GeV).

    Returns
    -------
    float
        A whole number, 1 or more; 1 for other species than muons, charged pions, charged kaons and K_L.
    """
    if species in (MUP, MUM):
        return min(max(1.0, math.floor(kinetic / sharing.muon_GeV)), sharing.most_muon)
    per = math.inf
    if species in (PIP, PIM):
        per = sharing.pion_GeV
    elif species in (KP, KM):
        per = sharing.kaon_GeV
    elif species == KL:
        per = sharing.long_kaon_GeV
    return min(max(1.0, math.floor(kinetic / per)), sharing.most_meson)


@njit(**UNCOUNTED)
def decays_to_come(known, sharing, species, kinetic):
    """Return the number of decays that share the weight of a particle from here on.

    Parameters
    ----------
    known : float
        The number left after an earlier decay of the same particle, or 0 if there was none.
    sharing, species, kinetic
        As for :func:`decays_of`.

    Returns
    -------
    float
    """
    return known if known > 0.0 else decays_of(sharing, species, kinetic)


@njit(**UNCOUNTED)
def draws_of(sharing, species, kinetic):
    """Choose the number of draws of one decay, and whether those after the first are in fixed channels.

    Parameters
    ----------
    sharing : Sharing
    species : int
    kinetic : float
        Kinetic energy (GeV) at the decay.

    Returns
    -------
    draws : int
        Without fixed channels every draw has the same part of the weight.
    fixed : bool
        Whether the neutrinos come from :data:`sim3d.shower.kaon_channels.CHANNEL_DRAWS` draws in fixed channels. The
        first draw, by branching ratio, then hands on muons and pions and gives no neutrinos.
    """
    if species == KS:
        fixed = kinetic >= SHORT_KAON_FACTOR * sharing.channels_from_GeV
        return (1 + CHANNEL_DRAWS, True) if fixed else (1, False)
    if has_channels(species):
        if kinetic >= sharing.channels_from_GeV:
            return 1 + CHANNEL_DRAWS, True
        return sharing.draws, False
    if species in (PIP, PIM) or (species in (MUP, MUM) and kinetic < sharing.muon_draws_below_GeV):
        return sharing.draws, False
    return 1, False
