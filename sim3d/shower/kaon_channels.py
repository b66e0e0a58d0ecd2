"""Sample decays of kaons in fixed channels with a neutrino, so that rare channels occur in every run.

K_e3 decays of charged kaons, 5% of all, give most electron neutrinos above some hundred GeV. A kaon above an energy of
the settings therefore decays in each of its channels with a neutrino a fixed number of times, and each of these draws
has the branching ratio of its channel over that number as weight. Expectation values are those of decays whose channel
is drawn by branching ratio. K_S decays with a neutrino have a branching ratio of 1e-3 only, but a K_S above some TeV
decays where a K_L or K+- interacts.
"""

from __future__ import annotations

from numba import njit

from sim3d.conventions.particles import KL, KM, KP, KS, MASS_GEV, PI0
from sim3d.jit_options import UNCOUNTED
from sim3d.shower.branching_ratios import KCHARGED_BRANCHING, KL3_SLOPES, KLONG_BRANCHING, KSHORT_BRANCHING
from sim3d.shower.decays import (
    KL3_CHARGED_E,
    KL3_CHARGED_MU,
    MAX_DAUGHTERS,
    decay_neutral_l3,
    kl3,
    muon_and_neutrino,
)

CHANNEL_DRAWS = 5
"""Draws of each kaon: K+- 2 mu nu, 2 e3, 1 mu3; KL and KS 3 e3, 2 mu3. They change statistical errors only."""

_TWO_BODY, _CHARGED_E3 = 2, 2
_LONG_E3 = 3

_M_K = float(MASS_GEV[KP])
_M_PI0 = float(MASS_GEV[PI0])
_SLOPES_CHARGED_PLUS, _SLOPES_CHARGED_ZERO = KL3_SLOPES["K+-"]


def _share(table: dict[str, float], channel: str, draws: int) -> float:
    """Branching ratio of a channel, of which there are some draws, for each draw."""
    return table[channel] / sum(table.values()) / draws


_MU_NU = _share(KCHARGED_BRANCHING, "mu nu", _TWO_BODY)
_CHARGED_E = _share(KCHARGED_BRANCHING, "e3", _CHARGED_E3)
_CHARGED_MU = _share(KCHARGED_BRANCHING, "mu3", CHANNEL_DRAWS - _TWO_BODY - _CHARGED_E3)
_LONG_E = _share(KLONG_BRANCHING, "e3", _LONG_E3)
_LONG_MU = _share(KLONG_BRANCHING, "mu3", CHANNEL_DRAWS - _LONG_E3)
_SHORT_E = _share(KSHORT_BRANCHING, "e3", _LONG_E3)
_SHORT_MU = _share(KSHORT_BRANCHING, "mu3", CHANNEL_DRAWS - _LONG_E3)


@njit(nogil=True)
def has_channels(species):
    """Test whether a species decays in fixed channels: all kaons.

    Parameters
    ----------
    species : int

    Returns
    -------
    bool
    """
    return species in (KP, KM, KL, KS)


@njit(**UNCOUNTED)
def decay_in_channel(species, draw, energy, momentum, rng, codes, momenta, helicities):
    """Sample the decay in flight of a kaon in the channel of a draw.

    Parameters
    ----------
    species : int
        KP, KM, KL or KS.
    draw : int
        0 to CHANNEL_DRAWS - 1.
    energy, momentum, rng, codes, momenta, helicities
        As in :func:`sim3d.shower.decays.decay`.

    Returns
    -------
    n : int
        Number of daughters.
    probability : float
        Branching ratio of the channel over its number of draws: the weight of this draw.
    """
    for k in range(MAX_DAUGHTERS):
        helicities[k] = 0.0
    if species in (KL, KS):
        electron = draw < _LONG_E3
        n = decay_neutral_l3(electron, energy, momentum, rng, codes, momenta, helicities)
        if species == KL:
            return n, _LONG_E if electron else _LONG_MU
        return n, _SHORT_E if electron else _SHORT_MU
    positive = species == KP
    if draw < _TWO_BODY:
        return muon_and_neutrino(_M_K, positive, energy, momentum, rng, codes, momenta, helicities), _MU_NU
    electron = draw < _TWO_BODY + _CHARGED_E3
    n = kl3(
        _M_K, _M_PI0, PI0, positive, electron, _SLOPES_CHARGED_PLUS, _SLOPES_CHARGED_ZERO,
        KL3_CHARGED_E if electron else KL3_CHARGED_MU, energy, momentum, rng, codes, momenta, helicities,
    )  # fmt: skip
    return n, _CHARGED_E if electron else _CHARGED_MU
