"""WGS84 round trips, local frames, and named sites."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geomag.errors import GeomagInputError
from geomag.geodesy import (
    WGS84_A_KM,
    WGS84_B_KM,
    arrival_direction,
    cartesian_to_geodetic,
    geodetic_to_cartesian,
    geodetic_to_geocentric,
    local_axes,
)
from geomag.sites import SITES, site


@given(
    lat=st.floats(-90.0, 90.0),
    lon=st.floats(-179.9, 179.9),
    altitude=st.floats(-100.0, 50000.0),
)
def test_round_trip(lat: float, lon: float, altitude: float) -> None:
    lat2, lon2, altitude2 = cartesian_to_geodetic(geodetic_to_cartesian(lat, lon, altitude))
    assert lat2 == pytest.approx(lat, abs=1e-9)
    assert altitude2 == pytest.approx(altitude, abs=1e-7)
    if abs(lat) < 89.999:
        assert lon2 == pytest.approx(lon, abs=1e-9)


def test_axes_of_the_ellipsoid() -> None:
    np.testing.assert_allclose(geodetic_to_cartesian(0.0, 90.0, 10.0), (0.0, WGS84_A_KM + 10.0, 0.0), atol=1e-9)
    np.testing.assert_allclose(geodetic_to_cartesian(-90.0, 0.0, 0.0), (0.0, 0.0, -WGS84_B_KM), atol=1e-9)


def test_geocentric_latitude_at_45_degrees() -> None:
    # tan(geocentric) = (b/a)^2 tan(geodetic): 11.5 minutes of arc
    lat, radius = geodetic_to_geocentric(45.0)
    assert lat == pytest.approx(44.80757678, abs=1e-7)
    assert radius == pytest.approx(6367.4895, abs=1e-3)


@given(lat=st.floats(-90.0, 90.0), lon=st.floats(-180.0, 180.0))
def test_up_is_where_the_altitude_grows_and_axes_are_right_handed(lat: float, lon: float) -> None:
    axes = local_axes(lat, lon)
    climb = geodetic_to_cartesian(lat, lon, 1.0) - geodetic_to_cartesian(lat, lon, 0.0)
    np.testing.assert_allclose(axes[2], climb, atol=1e-9)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-14)
    assert np.linalg.det(axes) == pytest.approx(1.0)


def test_arrival_direction_is_opposite_to_where_it_comes_from() -> None:
    east, north, up = local_axes(36.0, 137.0)
    np.testing.assert_allclose(arrival_direction(36.0, 137.0, 0.0, 0.0), -up, atol=1e-15)
    np.testing.assert_allclose(arrival_direction(36.0, 137.0, 90.0, 90.0), -east, atol=1e-15)
    np.testing.assert_allclose(arrival_direction(36.0, 137.0, 90.0, 0.0), -north, atol=1e-15)


def test_sites_are_all_there_in_lower_case() -> None:
    long_known = "arca frejus gransasso ino juno kamioka orca pyhasalmi sno soudan southpole surf"
    assert set(long_known.split()) <= set(SITES)
    assert all(name == name.lower() for name in SITES)
    assert site(" Kamioka ").lat == pytest.approx(36.4257)


def test_unknown_site_lists_the_names() -> None:
    with pytest.raises(GeomagInputError, match=r"'atlantis'.*arca.*surf"):
        site("atlantis")
