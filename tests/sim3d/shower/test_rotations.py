"""Carried frames and helical steps: geometry that every shower relies on."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from sim3d.shower.rotations import KAPPA, perpendicular, rotate_about_field, turn

ANGLES = st.floats(-math.pi, math.pi)
ROTATIONS = st.tuples(ANGLES, ANGLES, ANGLES).map(lambda a: Rotation.from_euler("zyz", a).as_matrix())


def do_turn(u, e, theta, phi):
    """The turned direction and frame vector."""
    out = turn(*u, *e, math.cos(theta), math.sin(theta), math.cos(phi), math.sin(phi))
    return np.array(out[:3]), np.array(out[3:])


@given(frame=ROTATIONS, theta=st.floats(0.0, math.pi), phi=ANGLES)
def test_turn_keeps_the_frame_orthonormal_and_turns_by_theta(frame, theta, phi):
    """Unit vectors stay unit and perpendicular; the angle turned is theta, towards the azimuth phi."""
    u, e = frame[:, 0], frame[:, 1]
    v, g = do_turn(u, e, theta, phi)
    assert v @ v == pytest.approx(1, abs=1e-13)
    assert g @ g == pytest.approx(1, abs=1e-13)
    assert abs(v @ g) < 1e-13
    assert v @ u == pytest.approx(math.cos(theta), abs=1e-13)
    assert v @ e == pytest.approx(math.sin(theta) * math.cos(phi), abs=1e-13)
    assert v @ np.cross(u, e) == pytest.approx(math.sin(theta) * math.sin(phi), abs=1e-13)


@given(frame=ROTATIONS, theta=st.floats(0.0, math.pi), phi=ANGLES, rotation=ROTATIONS)
def test_turn_commutes_with_rotations_of_space(frame, theta, phi, rotation):
    """Turning a rotated frame gives the rotated turned frame: a rotated shower is the same shower."""
    u, e = frame[:, 0], frame[:, 1]
    v, g = do_turn(u, e, theta, phi)
    w, h = do_turn(rotation @ u, rotation @ e, theta, phi)
    np.testing.assert_allclose(w, rotation @ v, atol=1e-12)
    np.testing.assert_allclose(h, rotation @ g, atol=1e-12)


@given(frame=ROTATIONS, theta=st.floats(0.0, math.pi), phi=ANGLES)
def test_turn_undone(frame, theta, phi):
    """The same turn backwards (phi + pi) restores direction and frame: parallel transport along a great circle."""
    u, e = frame[:, 0], frame[:, 1]
    v, g = do_turn(u, e, theta, phi)
    w, h = do_turn(v, g, theta, phi + math.pi)
    np.testing.assert_allclose(w, u, atol=1e-12)
    np.testing.assert_allclose(h, e, atol=1e-12)


@given(frame=ROTATIONS, tilt=st.floats(-1e-3, 1e-3))
def test_turn_repairs_a_frame_that_is_not_quite_perpendicular(frame, tilt):
    """Rounding errors of helical steps do not survive."""
    u, e = frame[:, 0], frame[:, 1]
    v, g = do_turn(u, e + tilt * u, 0.3, 1.0)
    assert abs(v @ g) < 1e-13
    assert np.linalg.norm(g) == pytest.approx(1, abs=1e-13)


@given(ROTATIONS)
def test_perpendicular(frame):
    """A unit vector at right angles, at the poles too."""
    for u in (frame[:, 0], np.array([0, 0, 1.0]), np.array([0, 0, -1.0]), np.array([1.0, 0, 0])):
        e = np.array(perpendicular(*u))
        assert abs(u @ e) < 1e-14
        assert np.linalg.norm(e) == pytest.approx(1, abs=1e-14)


@given(frame=ROTATIONS, length=st.floats(0.0, 0.3), rotation=ROTATIONS)
def test_rotation_about_the_field(frame, length, rotation):
    """Keeps the norm and the component along the field, turns clockwise by 2 atan |t|, commutes with rotations."""
    v, t = frame @ np.array([0.6, 0.0, 0.8]), length * frame[:, 2]
    w = np.array(rotate_about_field(*v, *t))
    assert np.linalg.norm(w) == pytest.approx(1, abs=1e-14)
    assert w @ frame[:, 2] == pytest.approx(0.8, abs=1e-14)
    angle = -2 * math.atan(length)
    expected = frame @ np.array([0.6 * math.cos(angle), 0.6 * math.sin(angle), 0.8])
    np.testing.assert_allclose(w, expected, atol=1e-13)
    np.testing.assert_allclose(rotate_about_field(*(rotation @ v), *(rotation @ t)), rotation @ w, atol=1e-12)


def test_larmor_radius():
    """p = 0.2998 GeV/c per T m: 1 GeV/c in 30,000 nT turns with a radius of 111.2 km."""
    momentum, field = 1.0, 3e4
    radius = 1.0 / (KAPPA * field / momentum)
    assert radius == pytest.approx(momentum / (0.299792458 * field * 1e-9) * 1e-3, rel=1e-12)
    assert radius == pytest.approx(111.2, abs=0.1)


def test_direction_of_turning():
    """F = q v x B: a positive particle going east (x) in a northward field (y) is pushed up (z)."""
    t = 0.5 * KAPPA * 1.0 * 3e4
    w = rotate_about_field(1.0, 0.0, 0.0, 0.0, t, 0.0)
    assert w[2] > 0


@pytest.mark.parametrize(("step", "turns"), [(1.0, 2), (4.0, 2)])
def test_helix_of_many_steps(step, turns):
    """The shower kernel's step (mean of old and new direction) against the closed helix, 1 GeV/c in 30,000 nT."""
    radius = 1.0 / (KAPPA * 3e4)
    n = int(turns * 2 * math.pi * radius / step)
    u = np.array([0.6, 0.0, 0.8])
    x = np.zeros(3)
    f = 0.5 * KAPPA * step * 3e4
    for _ in range(n):
        v = np.array(rotate_about_field(*u, 0.0, 0.0, f))
        x += 0.5 * step * (u + v)
        u = v
    angle = n * step / radius
    exact = np.array([0.6 * radius * math.sin(angle), 0.6 * radius * (math.cos(angle) - 1), 0.8 * n * step])
    # a chord of phase d falls short of its arc by d^2/24 and its phase by d^3/12: relative errors of d^2/12
    d = step / radius
    assert np.abs(x - exact).max() < d**2 / 4 * turns * 2 * math.pi * radius
    assert np.linalg.norm(x[:2] - [0, -0.6 * radius]) == pytest.approx(0.6 * radius, rel=d**2)
    assert x[2] == pytest.approx(exact[2], rel=1e-12)
