"""Russian roulette, more kaons and shared decays leave the mean weight as it is."""

import math

import numpy as np
import pytest

from sim3d.conventions.particles import KL, KM, KP, KS, LAMBDA, MUM, MUP, PIP, PROTON
from sim3d.shower.kaon_channels import CHANNEL_DRAWS
from sim3d.shower.weight_sharing import (
    GRID_GEV,
    MUON_SHARING,
    NEUTRINO_SHARING,
    SINGLE_DECAYS,
    decays_of,
    decays_to_come,
    draws_of,
    kaon_factor,
    power_roulette,
    roulette_level,
    survives_roulette,
    wanted_weight,
)


@pytest.mark.parametrize("kinetic", [0.5, 5.0, 50.0])
def test_roulette(kinetic):
    """Kept ones have the wanted weight, and the mean stays; nothing is changed without a roulette."""
    rng = np.array([3], dtype=np.uint64)
    n = 20_000
    table = power_roulette(0.7)
    wanted = wanted_weight(2.0, table, roulette_level(table, 100.0), kinetic)
    assert wanted == pytest.approx((100.0 / (2.0 * kinetic)) ** 0.7, rel=1e-12)
    weights = np.array([survives_roulette(wanted, 1.0, rng) for _ in range(n)])
    expected = max(1.0, wanted)
    assert set(weights) <= {0.0, 1.0, expected}
    assert weights.mean() == pytest.approx(1.0, abs=5.0 * math.sqrt(expected / n) if expected > 1.0 else 1e-15)
    assert survives_roulette(wanted_weight(0.0, table, 0.0, kinetic), 0.3, rng) == 0.3


def test_levels_between_the_nodes_and_beyond():
    """Linear in ln E, and continued beyond both ends."""
    table = np.sin(np.arange(GRID_GEV.size))
    middle = math.sqrt(GRID_GEV[7] * GRID_GEV[8])
    assert roulette_level(table, middle) == pytest.approx(0.5 * (table[7] + table[8]))
    slope = power_roulette(1.3)
    for energy in (1e-4, 1e9):
        assert roulette_level(slope, energy) == pytest.approx(-1.3 * math.log(energy))


def test_numbers_of_decays():
    """Whole numbers between one and the largest; one for what does not share."""
    assert [decays_of(NEUTRINO_SHARING, MUM, t) for t in (0.1, 2.6, 5.1, 1e5)] == [1.0, 1.0, 2.0, 400.0]
    assert [decays_of(NEUTRINO_SHARING, PIP, t) for t in (1.0, 60.0, 1e5)] == [1.0, 2.0, 100.0]
    assert [decays_of(NEUTRINO_SHARING, s, 110.0) for s in (KP, KM, KL)] == [2.0, 2.0, 4.0]
    for species in (PROTON, KS, LAMBDA):
        assert decays_of(NEUTRINO_SHARING, species, 1e4) == 1.0
    for species in (PIP, KP, KL, MUP):
        assert decays_of(SINGLE_DECAYS, species, 1e6) == 1.0
    assert decays_of(MUON_SHARING, KP, 1e6) == 12.0
    assert decays_of(MUON_SHARING, MUP, 1e6) == 1.0


def test_decays_to_come():
    """A known number counts."""
    assert decays_to_come(3.0, NEUTRINO_SHARING, MUP, 100.0) == 3.0
    assert decays_to_come(0.0, NEUTRINO_SHARING, MUP, 100.0) == 40.0


def test_draws():
    """Four draws, one of muons with many decays and of what makes no neutrinos; fixed channels of fast kaons."""
    assert draws_of(NEUTRINO_SHARING, PIP, 1e3) == (4, False)
    assert [draws_of(NEUTRINO_SHARING, MUM, t) for t in (24.0, 26.0)] == [(4, False), (1, False)]
    assert [draws_of(NEUTRINO_SHARING, KS, t) for t in (199.0, 201.0)] == [(1, False), (1 + CHANNEL_DRAWS, True)]
    assert [draws_of(NEUTRINO_SHARING, KL, t) for t in (9.0, 11.0)] == [(4, False), (1 + CHANNEL_DRAWS, True)]
    for species in (LAMBDA, PROTON):
        assert draws_of(NEUTRINO_SHARING, species, 1e3) == (1, False)
    for species in (PIP, KP, KL, MUM):
        assert draws_of(SINGLE_DECAYS, species, 1e3) == (1, False)


def test_more_kaons():
    """Charged kaons and K_L only, and no leading particles."""
    assert [kaon_factor(NEUTRINO_SHARING, s, False) for s in (KP, KM, KL, KS, PIP, PROTON)] == [4, 4, 4, 1, 1, 1]
    assert kaon_factor(NEUTRINO_SHARING, KP, True) == kaon_factor(SINGLE_DECAYS, KP, False) == 1.0
