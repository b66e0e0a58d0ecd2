"""LayeredAtmosphere: shapes, checks, messages."""

import numpy as np
import pytest

from atmosphere import AtmosphereInputError, LayeredAtmosphere, linsley

ONE = [[0.0, -1.0, 1000.0, 8.0]]


def test_methods_keep_the_shape():
    us = linsley()
    grid = np.linspace(0.0, 100.0, 6).reshape(2, 3)
    assert us.density(grid).shape == (2, 3)
    assert us.depth(grid).shape == (2, 3)
    assert us.height(us.depth(grid)) == pytest.approx(grid, abs=5e-3)
    assert us.density(5.0).shape == ()
    assert us.slant_depth(grid, 0.5).shape == (2, 3)
    assert us.slant_depth(0.0, [1.0, 0.5, 0.2]).shape == (3,)
    assert us.top_km == pytest.approx(112.8292)


def test_slant_depth_grows_towards_the_horizon():
    depth = linsley().slant_depth(0.0, np.linspace(0.0, 1.0, 21))
    assert np.all(np.diff(depth) < 0)
    # Secant law holds to a per cent at 60 degrees.
    assert depth[10] == pytest.approx(2 * depth[-1], rel=0.01)


def test_the_layers_are_read_only():
    with pytest.raises(ValueError, match="read-only"):
        linsley().layers[0, 0] = 1.0


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([0.0, 1.0, 2.0, 3.0], "shape"),
        (np.zeros((0, 4)), "shape"),
        ([[0.0, np.nan, 1.0, 1.0]], "not finite"),
        ([[0.0, -1.0, 1000.0, 8.0], [0.0, -1.0, 1000.0, 8.0]], "must rise"),
        ([[0.0, -1.0, -1000.0, 8.0]], "b must be positive"),
        ([[0.0, 0.0, 1000.0, 8.0]], "must reach 0"),
        ([[0.0, 0.0, 1000.0, 8.0], [10.0, -1.0, 900.0, 8.0]], "jumps by"),
    ],
)
def test_bad_layers(layers, message):
    with pytest.raises(AtmosphereInputError, match=message) as caught:
        LayeredAtmosphere("x", layers)
    assert "\n" not in str(caught.value)


def test_bad_arguments():
    us = LayeredAtmosphere("one", ONE)
    with pytest.raises(AtmosphereInputError, match="cos_zenith"):
        us.slant_depth(0.0, 1.5)
    with pytest.raises(AtmosphereInputError, match="h_km"):
        us.slant_depth(-1.0, 0.5)
    with pytest.raises(AtmosphereInputError, match="h_km"):
        us.density(np.nan)
    with pytest.raises(AtmosphereInputError, match="depth_g_cm2"):
        us.height(-3.0)
