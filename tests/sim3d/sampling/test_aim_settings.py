"""Tests of sim3d/sampling/aim_settings.py."""

import numpy as np
import pytest

from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.sampling.aim_settings import SLOW_GAIN, SLOW_GEV, make_aim, rotations_by_energy


def test_slow_neutrinos_get_more_rotations():
    factor = rotations_by_energy()
    assert np.all(np.diff(factor, axis=1) < 0.0)
    assert factor[:, 0] == pytest.approx(1.0 + np.array(SLOW_GAIN), rel=1e-3)
    assert factor[:, -1] == pytest.approx(1.0, abs=1e-9)
    edge = int(np.argmin(abs(ENERGY_EDGES_GEV - SLOW_GEV)))
    assert factor[:, edge - 1 : edge + 1].mean(axis=1) == pytest.approx(1.0 + 0.5 * np.array(SLOW_GAIN), rel=1e-3)


def test_the_factor_is_the_default_of_every_aim():
    assert np.array_equal(make_aim().by_energy, rotations_by_energy())
