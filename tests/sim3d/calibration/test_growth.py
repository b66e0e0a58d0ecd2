"""Growth of a covariance: the smallest term that brings a truth inside, and none where it lies inside already."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.calibration.growth import ALLOWED, Truth, closure, grow, smallest_share
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_GEV

N = 4 * len(NEUTRINO_GEV) * len(NEUTRINO_COSINES)
ENERGY = np.log(np.repeat(NEUTRINO_GEV, len(NEUTRINO_COSINES)))
ENERGY = np.tile((ENERGY - ENERGY.mean()) / np.ptp(ENERGY), 4)
SLOPES = np.stack([np.full(N, 0.02), 0.03 * ENERGY], axis=1)
COVARIANCE = SLOPES @ SLOPES.T + 0.005**2 * np.eye(N)


def test_closure_of_differences_thrown_from_the_covariance_is_one():
    """Means of 300 throws: both are 1 within 3.5 standard errors."""
    root, rng = np.linalg.cholesky(COVARIANCE), np.random.default_rng(17)
    found = [closure(root @ rng.normal(size=N), COVARIANCE) for _ in range(300)]
    # 0.5% at single points is less than 0.125% of all of them
    assert found[0].modes == 2
    for values in ([one.per_mode for one in found], [one.per_point for one in found]):
        assert abs(np.mean(values) - 1.0) < 3.5 * np.std(values) / np.sqrt(300)


def test_modes_without_size_do_not_count():
    small = SLOPES @ SLOPES.T + 1e-9 * np.eye(N)
    assert closure(np.full(N, 0.01), small).modes == 2


def test_the_smallest_share_brings_a_truth_to_the_limit():
    difference = 0.1 * np.exp(-((ENERGY + 0.3) ** 2) / 0.02)
    assert closure(difference, COVARIANCE).worst > ALLOWED
    share = smallest_share(Truth("bump", 1.0, difference), COVARIANCE)
    assert 0.0 < share < 1.0
    term = np.outer(difference, difference)
    assert closure(difference, COVARIANCE + share**2 * term).worst == pytest.approx(ALLOWED, rel=1e-6)
    assert closure(difference, COVARIANCE + (0.99 * share) ** 2 * term).worst > ALLOWED
    assert smallest_share(Truth("inside", 1.0, 0.5 * SLOPES[:, 0]), COVARIANCE) == 0.0


def test_a_measurement_left_out_moves_no_point_by_more_than_its_error():
    moved = Truth("without it", 1.0, 0.06 * ENERGY, left_out=True)
    share = smallest_share(moved, COVARIANCE)
    grown = COVARIANCE + share**2 * np.outer(moved.difference, moved.difference)
    assert np.max(np.abs(moved.difference) / np.sqrt(np.diag(COVARIANCE))) > 1.0
    assert np.max(np.abs(moved.difference) / np.sqrt(np.diag(grown))) == pytest.approx(1.0, rel=1e-6)


def test_growth_until_all_truths_lie_inside():
    bump = np.exp(-((ENERGY + 0.3) ** 2) / 0.02)
    high = np.exp(-((ENERGY - 0.4) ** 2) / 0.02)
    truths = [Truth("good", 1.0, 0.5 * SLOPES[:, 1]), Truth("near", 1.0, 0.06 * bump), Truth("far", 1.0, 0.15 * bump)]
    truths.append(Truth("other", 1.0, -0.1 * high))
    found = grow(truths, COVARIANCE)
    assert found.modes.names[0] == "model:far"
    assert "model:other" in found.modes.names
    # the term of the farthest truth covers the one of the same shape; one that lay inside needs none
    assert "model:near" not in found.modes.names
    assert "model:good" not in found.modes.names
    assert found.before["near"].worst > ALLOWED
    assert all(one.worst <= ALLOWED * (1.0 + 1e-9) for one in found.after.values())
    record = {one["name"]: one for one in found.record}
    assert record["good"]["share"] == 0.0
    assert 0.0 < record["far"]["share"] < 1.0
    # the functions come back at their nodes, from below as from above
    at = found.modes.at(np.array(NEUTRINO_GEV), -np.array(NEUTRINO_COSINES))
    np.testing.assert_allclose(at[..., 0].ravel(), record["far"]["share"] * truths[2].difference, atol=1e-15)
