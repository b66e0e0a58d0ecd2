"""Axes towards the Sun, tilt of the dipole and magnetopause: known days, geopack's numbers, values of the formula."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere, gsm_axes, sun_direction
from geomag.field.tsyganenko import parameters, tsyganenko_1989

# the tilt (degrees), and the GSM components of a vector of length 1: recalc and geogsm of the package geopack 1.0.13
# with the coefficients of IGRF-14; that package fetches its coefficients, so that it cannot be asked in a test
GEOPACK = {
    "1965-03-03T05:00": (-18.3587, (-0.71434, -0.41775, 0.56143)),
    "1980-06-21T17:30": (34.3804, (0.76686, 0.51054, 0.38894)),
    "2000-01-01T00:00": (-25.8522, (-0.79687, 0.41042, 0.44334)),
    "2020-12-01T23:59": (-24.8546, (-0.81415, 0.38677, 0.4331)),
}
VECTOR = np.array([0.6, -0.48, 0.64])


@pytest.mark.parametrize("time", GEOPACK)
def test_axes_and_tilt_are_those_of_geopack(time: str) -> None:
    axes, tilt = gsm_axes(FieldModel(time), time)
    expected, parts = GEOPACK[time]
    assert math.degrees(tilt) == pytest.approx(expected, abs=0.005)
    np.testing.assert_allclose(axes @ VECTOR, parts, atol=5e-5)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(axes) == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("time", "declination"),
    [
        ("2000-03-20T07:35", 0.0),  # equinoxes and solstices of 2000 (Astronomical Almanac)
        ("2000-06-21T01:48", 23.438),
        ("2000-09-22T17:28", 0.0),
        ("2000-12-21T13:37", -23.438),
    ],
)
def test_sun_on_four_days(time: str, declination: float) -> None:
    assert math.degrees(math.asin(sun_direction(time)[2])) == pytest.approx(declination, abs=0.02)


def test_sun_is_near_the_meridian_at_noon_and_moves_west() -> None:
    for year in (1900, 1965, 2030):
        time = f"{year}-01-01"
        x, y, _ = sun_direction(f"{time}T00:00")
        # the equation of time is below 17 minutes
        assert abs(abs(math.degrees(math.atan2(y, x))) - 180.0) < 4.3
    noon, later = sun_direction("2000-02-29T12:00"), sun_direction("2000-02-29T13:00")
    turned = math.atan2(later[1], later[0]) - math.atan2(noon[1], noon[0])
    assert math.degrees(turned) == pytest.approx(-15.0, abs=0.01)


def test_magnetopause_is_shues() -> None:
    # r0 and alpha of the formula at P = 2 nPa and Bz = 0: 11.393 / 2^(1/6.6) and 0.58 (1 + 0.024 ln 2)
    one = Magnetosphere("2000-01-01")
    field = FieldModel("2000-01-01")
    assert one.nose_radii == pytest.approx(11.388 * 2.0 ** (-1.0 / 6.6), rel=1e-3)
    assert one.flare == pytest.approx(0.5896, abs=1e-4)
    axes, _ = gsm_axes(field, one.time)
    nose, flank = one.nose_radii * 6371.2 * axes[0], one.nose_radii * 2.0**one.flare * 6371.2 * axes[1]
    np.testing.assert_allclose(one.beyond_km(np.stack([nose, flank, -flank, 0.5 * nose]), field)[:3], 0.0, atol=1e-6)
    assert one.beyond_km(0.5 * nose, field) < 0.0
    # in the tail it is open
    assert one.beyond_km(-100.0 * nose, field) < 0.0
    # pressure and southward field press it in
    assert Magnetosphere("2000-01-01", pressure_nPa=10.0).nose_radii < one.nose_radii
    assert Magnetosphere("2000-01-01", bz_nT=-10.0).nose_radii < one.nose_radii


def test_field_is_turned_into_geographic_axes() -> None:
    one, field = Magnetosphere("2010-06-01T18:00", kp=3.7), FieldModel("2010-06-01")
    assert one.level == 4
    axes, tilt = gsm_axes(field, one.time)
    place = np.array([3.0, -5.0, 2.0])
    expected = np.array(tsyganenko_1989(*place, tilt, parameters()[4])) @ axes
    np.testing.assert_allclose(one.field_xyz(place @ axes * 6371.2, field), expected, rtol=1e-10)


@pytest.mark.parametrize(("kp", "level"), [(0.0, 0), (0.33, 0), (0.67, 1), (1.33, 1), (5.33, 5), (5.67, 6), (9.0, 6)])
def test_levels_of_kp(kp: float, level: int) -> None:
    assert Magnetosphere("2000-01-01", kp=kp).level == level


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"time": "yesterday"}, "date = 'yesterday'"),
        ({"kp": 9.5}, "kp = 9.5"),
        ({"kp": float("nan")}, "kp = nan"),
        ({"pressure_nPa": 0.0}, "pressure = 0"),
        ({"bz_nT": 100.0}, "bz = 100"),
    ],
)
def test_bad_input(keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        Magnetosphere(**({"time": "2000-01-01"} | keywords))
