"""The layered formulas: continuity, inversion, derivative, with few and with many layers."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atmosphere import kernels, linsley
from atmosphere.profile import layers_from_densities

US = linsley()
# The same atmosphere cut into 60 layers: takes the bisection branch of the layer search.
FINE = layers_from_densities(
    [float(h) for h in np.linspace(0.0, 90.0, 61)],
    [float(x) for x in US.density(np.linspace(0.0, 90.0, 61))],
    112.0,
)


@pytest.mark.parametrize("layers", [US.layers, FINE], ids=["linsley", "60 layers"])
def test_density_is_minus_the_derivative_of_depth(layers):
    h = np.arange(0.31, 111.0, 0.37)
    inside = np.array([np.all(np.abs(layers[:, 0] - x) > 2e-3) for x in h])
    step = 1e-3
    for x in h[inside]:
        slope = (kernels.vertical_depth(x - step, layers) - kernels.vertical_depth(x + step, layers)) / (2 * step)
        # The difference of two depths of a few 100 g/cm2 keeps about 1e-10 g/cm3 absolute; relative to that
        # the comparison is exact.
        assert kernels.density(x, layers) == pytest.approx(slope / 1e5, rel=2e-6, abs=1e-15)


def test_depth_is_continuous_at_layer_boundaries():
    for layers, tolerance in ((US.layers, 2e-3), (FINE, 1e-6)):
        for bottom in layers[1:, 0]:
            below = kernels.vertical_depth(bottom - 1e-9, layers)
            above = kernels.vertical_depth(bottom + 1e-9, layers)
            assert abs(below - above) < tolerance


def test_nothing_above_the_top():
    assert kernels.top_height_km(US.layers) == pytest.approx(112.8292, abs=1e-4)
    assert kernels.top_height_km(FINE) == pytest.approx(112.0, abs=1e-6)
    for layers in (US.layers, FINE):
        top = kernels.top_height_km(layers)
        assert kernels.density(top + 1e-6, layers) == 0.0
        assert kernels.density(5000.0, layers) == 0.0
        assert kernels.vertical_depth(top + 1e-6, layers) == 0.0
        assert kernels.density(top - 1e-3, layers) > 0.0
        assert kernels.height_of_depth(0.0, layers) == pytest.approx(top)
        assert kernels.height_of_depth(-1.0, layers) == pytest.approx(top)


def test_a_little_under_the_ground_the_first_layer_goes_on():
    assert kernels.density(-0.1, US.layers) == pytest.approx(US.density(0.0) * math.exp(0.1 / 9.9418638))
    deep = kernels.vertical_depth(-0.1, US.layers)
    assert kernels.height_of_depth(deep, US.layers) == pytest.approx(-0.1)


@given(h=st.floats(0.0, 112.0), many=st.booleans())
def test_height_of_depth_inverts_depth(h, many):
    layers = FINE if many else US.layers
    h = min(h, 111.9)
    depth = kernels.vertical_depth(h, layers)
    # Inside a seam between two published layers two heights share a depth; 5 m covers the worst.
    assert kernels.height_of_depth(depth, layers) == pytest.approx(h, abs=5e-3)


@given(depth=st.floats(1e-5, 1036.0), many=st.booleans())
def test_depth_inverts_height_of_depth(depth, many):
    layers = FINE if many else US.layers
    h = kernels.height_of_depth(depth, layers)
    assert kernels.vertical_depth(h, layers) == pytest.approx(depth, rel=1e-4)


@given(h=st.lists(st.floats(-1.0, 130.0), min_size=2, max_size=10))
def test_depth_falls_and_density_is_never_negative(h):
    for layers in (US.layers, FINE):
        depth = [kernels.vertical_depth(x, layers) for x in sorted(h)]
        assert all(a >= b - 1e-3 for a, b in itertools.pairwise(depth))
        assert all(kernels.density(x, layers) >= 0.0 for x in h)


def test_slant_depth_is_vertical_depth_overhead():
    for h in (0.0, 3.0, 17.0, 60.0, 105.0):
        expected = kernels.vertical_depth(h, US.layers)
        # The published layers do not join exactly, so the integral of the density differs by those seams.
        assert kernels.slant_depth(h, 1.0, US.layers) == pytest.approx(expected, abs=1.5e-3)
        assert kernels.slant_depth(h, 1.0, FINE) == pytest.approx(kernels.vertical_depth(h, FINE), rel=1e-8)


def brute_slant(h_km, cosine, layers, n=400_000):
    """Midpoint rule along the line, out to where it leaves the atmosphere."""
    r0, top = 6371.2 + h_km, 6371.2 + kernels.top_height_km(layers)
    length = -r0 * cosine + math.sqrt(top**2 - r0**2 * (1 - cosine**2))
    s = (np.arange(n) + 0.5) * length / n
    height = np.sqrt(r0**2 + s**2 + 2 * r0 * s * cosine) - 6371.2
    return kernels.density_array(height, layers).sum() * length / n * 1e5


@pytest.mark.parametrize(
    ("h", "cosine"),
    [(0.0, 0.5), (0.0, 0.05), (0.0, 0.0), (20.0, -0.05), (40.0, -0.1), (105.0, 0.3), (0.5, 0.2)],
)
def test_slant_depth_against_a_brute_sum(h, cosine):
    assert kernels.slant_depth(h, cosine, US.layers) == pytest.approx(brute_slant(h, cosine, US.layers), rel=1e-4)


def test_slant_depth_horizontal_and_blocked():
    # Chapman's horizontal column of an exponential atmosphere is X sqrt(pi R / 2 h0), near 36,000 g/cm2.
    assert 35_000 < kernels.slant_depth(0.0, 0.0, US.layers) < 38_000
    assert kernels.slant_depth(30.0, -0.2, US.layers) == math.inf
    assert kernels.slant_depth(200.0, 0.5, US.layers) == 0.0
    assert kernels.slant_depth(200.0, -0.05, US.layers) == 0.0


@settings(max_examples=50)
@given(h=st.floats(5.0, 100.0), cosine=st.floats(0.001, 0.04))
def test_a_line_both_ways_is_the_whole_chord(h, cosine):
    """Outwards plus inwards from one point is the chord, the same from its mirror point."""
    impact = (6371.2 + h) * math.sqrt(1 - cosine**2)
    closest = impact - 6371.2
    if closest <= 0.0:
        return
    chord = 2 * kernels.slant_depth(closest, 0.0, US.layers)
    parts = kernels.slant_depth(h, cosine, US.layers) + kernels.slant_depth(h, -cosine, US.layers)
    assert parts == pytest.approx(chord, rel=1e-6)
