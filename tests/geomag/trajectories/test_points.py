"""Points along a way: conserved quantities of a dipole, both ends, and the same ends as the kernel's."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction
from geomag.trajectories.asymptotic import asymptotic_directions
from geomag.trajectories.early_verdicts import CURVATURE
from geomag.trajectories.points import trace


def test_stoermers_integral_is_conserved_in_a_dipole() -> None:
    """The canonical momentum about the axis: r sin(theta) t_phi + b r_perp^2/r^3 with b = k B0 a^3/R."""
    dipole = FieldModel.dipole(29790.0)
    (way,) = trace(40.0, 10.0, 12.0, dipole, zenith_deg=50.0, azimuth_from_north_deg=250.0)
    x, y, z = way.xyz_km.T
    around = x * way.outwards[:, 1] - y * way.outwards[:, 0]
    r3 = (x * x + y * y + z * z) ** 1.5
    for sign in (1.0, -1.0):
        total = around + sign * CURVATURE / 12.0 * 29790.0 * 6371.2**3 * (x * x + y * y) / r3
        if np.ptp(total) < 1e-3:
            break
    else:
        pytest.fail("neither sign of the charge conserves the momentum about the axis")
    assert np.ptp(around) > 1000.0


def test_ends_are_those_of_the_asymptotic_kernel() -> None:
    field = FieldModel("2020-01-01")
    ways = trace(65.05, 25.47, [2.0, 10.0], field, spacing_km=2000.0)
    other = asymptotic_directions(65.05, 25.47, [2.0, 10.0], field)
    for j, way in enumerate(ways):
        assert way.end == "escaped"
        assert way.asymptotic_lat_deg == pytest.approx(other.lat_deg[0, j], abs=0.1)
        assert way.asymptotic_geomagnetic_lat_deg == pytest.approx(other.geomagnetic_lat_deg[0, j], abs=0.1)
        assert np.linalg.norm(way.xyz_km[-1]) == pytest.approx(25.0 * 6371.2, rel=1e-6)


def test_the_way_begins_at_the_place_and_reverses_the_momentum() -> None:
    (way,) = trace(-30.0, 179.9, 30.0, zenith_deg=20.0, azimuth_from_north_deg=45.0, spacing_km=500.0)
    np.testing.assert_allclose(way.outwards[0], -arrival_direction(-30.0, 179.9, 20.0, 45.0), atol=1e-12)
    lat, lon, height = way.geodetic
    assert (lat[0], lon[0], height[0]) == pytest.approx((-30.0, 179.9, 20.0), abs=1e-6)
    assert np.all(np.diff(way.path_km) > 0.0)
    gaps = np.linalg.norm(np.diff(way.xyz_km, axis=0), axis=1)
    assert gaps.max() <= 500.0 + 1e-6


def test_a_forbidden_way_ends_on_the_floor() -> None:
    (way,) = trace(0.0, 100.0, 5.0, spacing_km=50.0)
    assert way.end == "met the floor"
    assert np.isnan(way.asymptotic_lat_deg)
    assert way.geodetic[2][-1] == pytest.approx(20.0, abs=0.05)
    assert way.geodetic[2].min() > 19.9


def test_a_long_way_is_undecided() -> None:
    (way,) = trace(65.05, 25.47, 0.5, FieldModel("2020-01-01"), spacing_km=5000.0, max_path_radii=60.0)
    assert way.end == "path too long"
    assert way.path_km[-1] == pytest.approx(60.0 * 6371.2)


@pytest.mark.parametrize(
    ("keywords", "word"),
    [({"spacing_km": 0.0}, "spacing = 0"), ({"lat": -91.0}, "lat"), ({"floor_km": 30.0}, "floor = 30"),
     ({"spacing_km": 0.1, "max_path_radii": 1e5}, "10 million")],
)  # fmt: skip
def test_bad_input(keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        trace(**({"lat": 0.0, "lon": 0.0, "rigidity_GV": 20.0} | keywords))
