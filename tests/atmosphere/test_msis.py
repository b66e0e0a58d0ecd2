"""NRLMSIS in layers: residual, physics of the seasons, wrong arguments."""

import numpy as np
import pytest

from atmosphere import AtmosphereInputError, from_msis, linsley

SOUTH_POLE = (-89.99, -63.45)
KAMIOKA = (36.43, 137.31)


@pytest.fixture
def pymsis():
    """The library, or a skip that says how to get it."""
    return pytest.importorskip("pymsis", reason="pymsis is not installed (pip install 'sim3d[msis]')")


@pytest.mark.parametrize("place", [SOUTH_POLE, KAMIOKA, (0.0, 0.0), (70.0, 20.0)])
@pytest.mark.parametrize("month", [1, 4, 7, 10])
def test_residual(pymsis, place, month):
    """The layers follow the model to 0.3% in density and 0.2% in depth to 60 km; the stated residual is measured."""
    found = from_msis(*place, month=month)
    low = found.height_km <= 60.0
    density = found.atmosphere.density(found.height_km[low])
    worst = np.abs(density / found.density_g_cm3[low] - 1.0).max()
    assert worst == pytest.approx(found.density_residual, rel=0.02, abs=1e-6)
    assert worst < 3e-3
    depth = np.trapezoid(found.density_g_cm3, found.height_km) * 1e5
    assert float(found.atmosphere.depth(0.0)) == pytest.approx(depth, rel=1e-3)
    assert found.depth_residual < 2e-3
    assert "of its density" in found.atmosphere.name


def test_against_the_library(pymsis):
    """Density at noon of the same day within the daily variation of a fraction of a per cent at 10 km."""
    found = from_msis(*KAMIOKA, date="2020-07-15")
    direct = pymsis.calculate(
        [np.datetime64("2020-07-15T03:00")], [137.31], [36.43], [10.0], [150.0], [150.0], [[4.0] * 7]
    )
    rho = float(direct.reshape(-1, 11)[0, pymsis.Variable.MASS_DENSITY]) * 1e-3
    assert float(found.atmosphere.density(10.0)) == pytest.approx(rho, rel=5e-3)


def test_seasons(pymsis):
    """Cold air is low: at the South Pole 10 g/cm2 lie far lower in July; the ground's depth stays."""
    january, july = (from_msis(*SOUTH_POLE, month=m).atmosphere for m in (1, 7))
    assert float(july.height(10.0)) < float(january.height(10.0)) - 2.0
    assert float(july.depth(0.0)) == pytest.approx(float(january.depth(0.0)), rel=0.01)
    standard = linsley()
    for month in (1, 7):
        air = from_msis(*KAMIOKA, month=month).atmosphere
        assert float(air.depth(0.0)) == pytest.approx(float(standard.depth(0.0)), rel=0.03)
        assert air.top_km == pytest.approx(standard.top_km, abs=0.01)


def test_indices_do_not_matter_below_60_km(pymsis):
    """F10.7 and ap move the density below 60 km by less than 1%."""
    quiet, active = (from_msis(*KAMIOKA, month=4, f107=f, ap=a).atmosphere for f, a in ((70.0, 2.0), (230.0, 30.0)))
    heights = np.arange(0.0, 60.0, 5.0)
    np.testing.assert_allclose(active.density(heights), quiet.density(heights), rtol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"lat": 91.0, "lon": 0.0, "month": 1}, "atmosphere.lat"),
        ({"lat": 0.0, "lon": float("nan"), "month": 1}, "atmosphere.lon"),
        ({"lat": 0.0, "lon": 0.0, "month": 13}, "atmosphere.month"),
        ({"lat": 0.0, "lon": 0.0}, "month or a date"),
        ({"lat": 0.0, "lon": 0.0, "month": 1, "date": "2020-01-01"}, "month or a date"),
        ({"lat": 0.0, "lon": 0.0, "date": "July"}, "atmosphere.date"),
        ({"lat": 0.0, "lon": 0.0, "month": 1, "f107": 5.0}, "atmosphere.f107"),
        ({"lat": 0.0, "lon": 0.0, "month": 1, "ap": -1.0}, "atmosphere.ap"),
    ],
)
def test_wrong_arguments(arguments, word):
    """One line that names the argument, with or without the library."""
    with pytest.raises(AtmosphereInputError, match=word):
        from_msis(**arguments)


def test_without_the_library(monkeypatch):
    """One line that says what to install."""
    monkeypatch.setitem(__import__("sys").modules, "pymsis", None)
    with pytest.raises(AtmosphereInputError, match=r"pymsis.*sim3d\[msis\]"):
        from_msis(0.0, 0.0, month=1)
