"""Linsley's layers against the US Standard Atmosphere 1976, computed here from its own definition."""

import math

import numpy as np
import pytest

from atmosphere import linsley

# Defining constants of the US Standard Atmosphere 1976 (NOAA/NASA/USAF, NOAA-S/T 76-1562): geopotential base
# heights (km), temperature gradients (K per geopotential km), and g0, R*, M, the Earth radius it uses.
BASE = (0.0, 11.0, 20.0, 32.0, 47.0, 51.0, 71.0, 84.852)
LAPSE = (-6.5, 0.0, 1.0, 2.8, 0.0, -2.8, -2.0)
G0, R_STAR, MOLAR, RADIUS = 9.80665, 8314.32, 28.9644, 6356.766


def us1976(z_km):
    """Pressure (Pa) and density (kg/m3) at GEOMETRIC height z (km)."""
    h = RADIUS * z_km / (RADIUS + z_km)
    temperature, pressure = 288.15, 101325.0
    for i, lapse in enumerate(LAPSE):
        rise = min(h, BASE[i + 1]) - BASE[i]
        k = G0 * MOLAR / R_STAR
        if lapse == 0.0:
            pressure *= math.exp(-k * rise * 1e3 / temperature)
        else:
            pressure *= (temperature / (temperature + lapse * rise)) ** (k / (lapse * 1e-3))
        temperature += lapse * rise
        if h <= BASE[i + 1]:
            break
    return pressure, pressure * MOLAR / (R_STAR * temperature)


def us1976_depth(z_km):
    """Vertical depth, g/cm2: the density summed to 80 km, and the rest as pressure over local gravity."""
    z = np.linspace(z_km, 80.0, 4001)
    rho = np.array([us1976(x)[1] for x in z])
    width = z[1] - z[0]
    simpson = (rho[0] + rho[-1] + 4 * rho[1:-1:2].sum() + 2 * rho[2:-1:2].sum()) * width / 3
    g80 = G0 * (RADIUS / (RADIUS + 80.0)) ** 2
    return simpson * 1e3 * 0.1 + us1976(80.0)[0] / g80 * 0.1


def test_the_reference_itself_reproduces_the_printed_tables():
    # Table I of the 1976 standard, geometric heights: pressure in hPa.
    for z, hpa in ((0, 1013.25), (5, 540.48), (10, 264.99), (15, 121.11), (20, 55.293), (30, 11.970)):
        assert us1976(z)[0] / 100 == pytest.approx(hpa, rel=3e-4)
    assert us1976(0)[1] == pytest.approx(1.2250, rel=1e-4)
    assert us1976(10)[1] == pytest.approx(0.41351, rel=1e-4)


def test_total_depth():
    assert linsley().depth(0.0) == pytest.approx(1036.0, rel=0.01)
    assert linsley().depth(0.0) == pytest.approx(us1976_depth(0.0), rel=0.005)


@pytest.mark.parametrize("z", [0, 2, 5, 8, 10, 12, 15, 20, 25, 30, 34.9])
def test_depth_below_35_km(z):
    assert linsley().depth(z) == pytest.approx(us1976_depth(z), rel=0.005)


@pytest.mark.parametrize("z", [40, 45, 50, 55, 60])
def test_depth_to_60_km(z):
    # The five layers are 3.07% too deep at 44 km; no better values with five layers are published.
    assert linsley().depth(z) == pytest.approx(us1976_depth(z), rel=0.031)


def test_density():
    us = linsley()
    assert us.density(0.0) == pytest.approx(1.225e-3, rel=0.015)
    for z in np.arange(0.0, 36.01, 0.25):
        # Just above its 10 km boundary the third layer is 3% too dense (its density jumps there).
        limit = 0.031 if 10.0 <= z <= 11.0 else 0.015
        assert us.density(z) == pytest.approx(us1976(z)[1] * 1e-3, rel=limit), z
    for z in np.arange(36.25, 72.1, 0.25):
        assert us.density(z) == pytest.approx(us1976(z)[1] * 1e-3, rel=0.07), z
