"""Paths through the curved atmosphere: depths are those of the atmosphere package, steps cover the whole line."""

from __future__ import annotations

import numpy as np
import pytest

from atmosphere import linsley
from sim3d.cascade.path import density_of_height, make_path, with_equal_steps
from sim3d.conventions.constants import EARTH_RADIUS_KM


@pytest.fixture(scope="module")
def air():
    return linsley()


def test_density_is_that_of_the_atmosphere(air):
    heights = np.array([0.0, 3.9, 4.0, 12.0, 60.0, 105.0, air.top_km + 1.0])
    np.testing.assert_allclose(density_of_height(heights, air.layers), air.density(heights), rtol=1e-13)


@pytest.mark.parametrize(("cosine", "height"), [(1.0, 0.0), (0.5, 0.36), (0.05, 0.0), (0.0, 2.8)])
def test_slant_depth_is_that_of_the_atmosphere(air, cosine, height):
    path = make_path(air, cosine, height)
    assert path.depth_g_cm2[-1] == pytest.approx(float(air.slant_depth(height, cosine)), rel=2e-4)
    assert path.reaches_observer
    assert path.step_g_cm2.min() > 0.0
    assert path.length_km.min() > 0.0


def test_length_is_that_of_the_line(air):
    """Vertical: the whole height of the atmosphere; the density along the line falls back on the steps."""
    path = make_path(air, 1.0, 0.5)
    assert path.length_km.sum() == pytest.approx(air.top_km - 0.5, rel=1e-9)
    assert path.density_g_cm3[-1] == pytest.approx(float(air.density(0.5)), rel=0.02)


def test_from_below_the_path_is_that_of_the_far_side(air):
    below = make_path(air, -0.4, 0.0)
    above = make_path(air, 0.4, 0.0)
    assert not below.reaches_observer
    assert below.depth_g_cm2[-1] == pytest.approx(above.depth_g_cm2[-1], rel=1e-6)


def test_a_line_that_misses_the_ground_reaches_an_observer_above_it(air):
    height = 2.835
    horizon = -np.sqrt(1.0 - (EARTH_RADIUS_KM / (EARTH_RADIUS_KM + height)) ** 2)
    assert make_path(air, 0.9 * horizon, height).reaches_observer
    assert not make_path(air, 1.1 * horizon, height).reaches_observer


def test_equal_steps_keep_depth_and_length(air):
    paths = [make_path(air, cosine) for cosine in (1.0, 0.3)]
    depths, lengths = with_equal_steps(paths)
    assert depths.shape[1] == lengths.shape[1] + 1
    for i, path in enumerate(paths):
        assert depths[i, -1] == path.depth_g_cm2[-1]
        assert lengths[i].sum() == pytest.approx(path.length_km.sum(), rel=1e-12)
        assert np.diff(depths[i]).min() > 0.0
    # one of them is as it was
    np.testing.assert_array_equal(depths[1], paths[1].depth_g_cm2)
