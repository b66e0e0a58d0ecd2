"""Steps of a flight: lengths, densities, energy loss, the field's reuse, scattering angles."""

import math

import numpy as np
import pytest

from atmosphere.kernels import CM_PER_KM, density
from atmosphere.layers import linsley
from geomag.field.igrf import FieldModel
from geomag.field.kernels import field_cartesian
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import MASS_GEV, MUP
from sim3d.shower.energy_loss import loss_table, stopping_power
from sim3d.shower.flight import density_of_step, field_near, lose_energy, scatter, step_to_ground, step_to_level
from sim3d.shower.levels import Levels

LAYERS = linsley().layers


@pytest.mark.parametrize("height", [0.05, 0.7, 0.99])
@pytest.mark.parametrize("rise", [-1.0, -0.8, -0.1, -0.01])
def test_a_step_ends_at_the_ground(height, rise):
    """Where the straight line meets the sphere within the step, and nowhere else."""
    r = EARTH_RADIUS_KM + height
    ds, at_ground = step_to_ground(r, rise, 1.0)
    end = math.sqrt(r * r + ds * ds + 2.0 * r * ds * rise)
    if at_ground:
        assert end == pytest.approx(EARTH_RADIUS_KM, abs=1e-9)
    else:
        assert ds == 1.0
        assert end > EARTH_RADIUS_KM


def test_steps_are_longer_in_thin_air():
    assert step_to_ground(EARTH_RADIUS_KM + 19.9, -0.5, 1.0) == (1.0, False)
    assert step_to_ground(EARTH_RADIUS_KM + 20.1, -0.5, 1.0) == (2.0, False)
    assert step_to_ground(EARTH_RADIUS_KM + 0.1, 0.5, 1.0) == (1.0, False)


def test_a_step_ends_at_a_level():
    levels = Levels(EARTH_RADIUS_KM + np.array([10.0, 0.0]), np.array([270.0, 1036.0]), np.zeros((2, 10)))
    r = EARTH_RADIUS_KM + 10.3
    ds, at_ground, at_level, below = step_to_level(levels, -1, r, -0.9, 1.0, False)
    assert (at_ground, at_level, below) == (False, True, 0)
    assert math.sqrt(r * r + ds * ds - 1.8 * r * ds) == pytest.approx(EARTH_RADIUS_KM + 10.0, abs=1e-9)
    assert step_to_level(levels, 0, r, 0.2, 1.0, False) == (1.0, False, False, -1)
    assert step_to_level(levels, -1, EARTH_RADIUS_KM + 9.0, -0.9, 1.0, False) == (1.0, False, False, 1)
    # the lowest level is the ground: the step ends at both
    ds, at_ground, at_level, below = step_to_level(levels, 1, EARTH_RADIUS_KM + 0.5, -1.0, 0.5, True)
    assert ds == pytest.approx(0.5, abs=1e-9)
    assert at_level


@pytest.mark.parametrize("rise", [-0.7, 0.0, 0.3])
def test_density_of_a_step(rise):
    """That of the air where the middle of the chord is."""
    r, ds = EARTH_RADIUS_KM + 12.0, 2.0
    middle = math.sqrt(r * r + 0.25 * ds * ds + r * ds * rise) - EARTH_RADIUS_KM
    assert density_of_step(r, rise, ds, LAYERS) == pytest.approx(density(middle, LAYERS) * CM_PER_KM, rel=1e-6)


@pytest.mark.parametrize("t", [0.05, 1.0, 100.0])
def test_energy_loss(t):
    """Slow particles take shorter steps, which cost about a tenth of their energy; fast ones the whole step."""
    mass, table = float(MASS_GEV[MUP]), loss_table()
    r, rise, wanted = EARTH_RADIUS_KM + 1.0, -0.5, 1.0
    momentum = math.sqrt(t * (t + 2.0 * mass))
    rho = density_of_step(r, rise, wanted, LAYERS)
    ds, rho_done, rate, middle = lose_energy(MUP, t, momentum, mass, 1.0, r, rise, wanted, rho, LAYERS, table)
    assert rate == pytest.approx(rho_done * stopping_power(MUP, momentum, mass, rho_done / CM_PER_KM, table), rel=1e-3)
    left = t - 0.5 * rate * ds
    assert middle == pytest.approx(math.sqrt(left * (left + 2.0 * mass)))
    if t < 0.1:
        assert ds < wanted
        assert rate * ds == pytest.approx(0.1 * t, rel=0.05)
    if t > 10.0:
        assert (ds, rho_done) == (wanted, rho)


def test_the_field_is_used_again_nearby():
    gauss = FieldModel("2020-01-01", 10).gauss
    anchor = np.zeros(6)
    first = field_near(0.0, 0.0, 6400.0, anchor, gauss, 16.0**2)
    assert first == field_cartesian(0.0, 0.0, 6400.0, gauss)
    assert field_near(10.0, 0.0, 6400.0, anchor, gauss, 16.0**2) == first
    assert field_near(20.0, 0.0, 6400.0, anchor, gauss, 16.0**2) == field_cartesian(20.0, 0.0, 6400.0, gauss)
    assert list(anchor[:3]) == [20.0, 0.0, 6400.0]


def test_scattering():
    """The mean square of the angle is twice the projected one; the carried vector stays perpendicular."""
    rng = np.array([7], dtype=np.uint64)
    momentum, mass, highland = 1.0, float(MASS_GEV[MUP]), 0.01
    squares = []
    for _ in range(4000):
        u = scatter(0.0, 0.0, 1.0, 1.0, 0.0, 0.0, momentum, mass, highland, rng)
        assert np.dot(u[:3], u[3:]) == pytest.approx(0.0, abs=1e-12)
        squares.append(math.hypot(u[0], u[1]) ** 2)
    beta_p = momentum**2 / math.hypot(momentum, mass)
    expected = 2.0 * (13.6e-3 / beta_p) ** 2 * highland
    assert np.mean(squares) == pytest.approx(expected, rel=5.0 / math.sqrt(4000))
    assert scatter(0.0, 0.0, 1.0, 1.0, 0.0, 0.0, momentum, mass, 0.0, rng) == (0.0, 0.0, 1.0, 1.0, 0.0, 0.0)
