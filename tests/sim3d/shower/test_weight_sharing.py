"""Russian roulette and shared decays leave the mean weight as it is."""

import math

import numpy as np
import pytest

from sim3d.conventions.particles import KL, KM, MUM, MUP, PIP, PROTON
from sim3d.shower.levels import Levels, meson_decays
from sim3d.shower.weight_sharing import MOST_DECAYS, decays_to_come, muon_decays, survives_thinning

LEVELS = Levels(np.array([6371.2]), np.array([1036.0]), np.zeros((1, 10)))


@pytest.mark.parametrize("kinetic", [0.5, 5.0, 50.0])
def test_thinning(kinetic):
    rng = np.array([3], dtype=np.uint64)
    n = 20_000
    weights = np.array([survives_thinning(2.0, 0.7, 100.0, kinetic, 1.0, rng) for _ in range(n)])
    wanted = max(1.0, (100.0 / (2.0 * kinetic)) ** 0.7)
    assert set(weights) <= {0.0, 1.0, wanted}
    assert weights.mean() == pytest.approx(1.0, abs=5.0 * math.sqrt(wanted / n) if wanted > 1.0 else 1e-15)
    assert survives_thinning(0.0, 0.7, 100.0, kinetic, 0.3, rng) == 0.3


def test_muon_decays():
    assert [muon_decays(t, 2.5) for t in (0.1, 2.6, 5.1, 1e4)] == [1.0, 1.0, 2.0, MOST_DECAYS]
    assert muon_decays(1e4, math.inf) == 1.0


def test_decays_to_come():
    """Known ones count; muons share, mesons only where there are levels, others never."""
    assert decays_to_come(3.0, MUP, 100.0, 2.5, None) == 3.0
    assert decays_to_come(0.0, MUM, 6.0, 2.5, None) == muon_decays(6.0, 2.5) == 2.0
    for species in (PROTON, PIP, KM, KL):
        assert decays_to_come(0.0, species, 100.0, 2.5, None) == 1.0
    assert decays_to_come(0.0, PIP, 100.0, 2.5, LEVELS) == meson_decays(100.0) > 1.0
    assert decays_to_come(0.0, PROTON, 100.0, 2.5, LEVELS) == 1.0
