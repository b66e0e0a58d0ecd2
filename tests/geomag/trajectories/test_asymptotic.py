"""Asymptotic directions: straight at high rigidity, mirrored in a dipole, and those of an independent integrator."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, arrival_direction, geodetic_to_cartesian
from geomag.trajectories.asymptotic import asymptotic_directions
from geomag.trajectories.reference import reference_trace


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01")


def vector(lat: np.ndarray, lon: np.ndarray) -> np.ndarray:
    lat, lon = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)


def test_directions_are_those_of_the_reference(field: FieldModel) -> None:
    rigidities = [2.0, 3.0, 6.0, 15.0, 80.0]  # above Oulu's penumbra
    found = asymptotic_directions(65.05, 25.47, rigidities, field, zenith_deg=[0.0, 40.0], azimuth_from_north_deg=100.0)
    xyz = geodetic_to_cartesian(65.05, 25.47, 20.0)
    for i, zenith in enumerate((0.0, 40.0)):
        u = arrival_direction(65.05, 25.47, zenith, 100.0)
        for j, rigidity in enumerate(rigidities):
            other = reference_trace(
                xyz, u, rigidity, field, WGS84_A_KM + 20.0, WGS84_B_KM + 20.0, escape_radii=25.0, max_path_radii=200.0
            )
            assert found.verdict[i, j] == other.verdict == 1
            here = vector(found.lat_deg[i, j], found.lon_deg[i, j])
            assert np.degrees(np.arccos(min(here @ other.direction, 1.0))) < 0.02
            assert found.path_radii[i, j] == pytest.approx(other.path_km / 6371.2, rel=1e-3)


def test_at_a_very_high_rigidity_the_way_is_straight(field: FieldModel) -> None:
    found = asymptotic_directions(-40.0, 170.0, [10000.0], field, zenith_deg=70.0, azimuth_from_north_deg=200.0)
    straight = -arrival_direction(-40.0, 170.0, 70.0, 200.0)
    assert vector(found.lat_deg[0, 0], found.lon_deg[0, 0]) @ straight > np.cos(
        np.radians(0.5)
    )  # the dipole bends by 57 GV / R


def test_a_dipole_is_symmetric() -> None:
    """A rotation about the axis turns the direction; the mirror image about the equator turns its latitude."""
    dipole = FieldModel.dipole(29790.0)
    north = asymptotic_directions(50.0, 0.0, [5.0, 20.0], dipole)
    turned = asymptotic_directions(50.0, 100.0, [5.0, 20.0], dipole)
    south = asymptotic_directions(-50.0, 0.0, [5.0, 20.0], dipole)
    np.testing.assert_allclose(turned.lat_deg, north.lat_deg, atol=0.02)
    np.testing.assert_allclose((turned.lon_deg - north.lon_deg - 100.0 + 180.0) % 360.0 - 180.0, 0.0, atol=0.02)
    np.testing.assert_allclose(south.lat_deg, -north.lat_deg, atol=0.02)
    np.testing.assert_allclose(south.lon_deg, north.lon_deg, atol=0.02)
    np.testing.assert_allclose(north.geomagnetic_lat_deg, north.lat_deg, atol=1e-9)


def test_forbidden_ones_have_no_direction(field: FieldModel) -> None:
    found = asymptotic_directions(0.0, 100.0, [5.0, 30.0], field)
    assert list(found.verdict[0]) == [0, 1]
    assert np.isnan(found.lat_deg[0, 0])
    assert np.isfinite(found.lat_deg[0, 1])


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"rigidity_GV": []}, "at least one"),
        ({"rigidity_GV": [0.0]}, "rigidity = 0"),
        ({"rigidity_GV": ["x"]}, "list of numbers"),
        ({"lat": 91.0}, "lat = 91"),
        ({"zenith_deg": 95.0}, "zenith = 95"),
        ({"escape_radii": 1.0}, "escape-radii = 1"),
        ({"max_path_radii": 30.0}, "max-path = 30"),
        ({"zenith_deg": [[1.0]]}, "one-dimensional"),
    ],
)
def test_bad_input(field: FieldModel, keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        asymptotic_directions(**({"lat": 0.0, "lon": 0.0, "rigidity_GV": [20.0], "field": field} | keywords))
