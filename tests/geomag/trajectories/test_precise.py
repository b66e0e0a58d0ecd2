"""The integrator of order 8: its coefficients, an independent integrator, early verdicts, and the magnetosphere."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, arrival_direction, geodetic_to_cartesian
from geomag.trajectories import precise
from geomag.trajectories.asymptotic import asymptotic_directions
from geomag.trajectories.points import trace
from geomag.trajectories.precise import PreciseTracer
from geomag.trajectories.reference import reference_trace

FLOOR = {"floor_equator_km": WGS84_A_KM + 20.0, "floor_pole_km": WGS84_B_KM + 20.0}


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01")


def arrivals(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Places at 20 km and unit momenta from above the horizon."""
    rng = np.random.default_rng(seed)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count))), rng.uniform(-180.0, 180.0, count)
    zenith, azimuth = np.degrees(np.arccos(rng.uniform(0.0, 1.0, count))), rng.uniform(0.0, 360.0, count)
    momenta = [arrival_direction(*one) for one in zip(lat, lon, zenith, azimuth, strict=True)]
    return geodetic_to_cartesian(lat, lon, 20.0), np.array(momenta)


def test_coefficients_are_those_of_order_8() -> None:
    """Sums of products of an eighth-order method (quadrature conditions), and errors that vanish for a constant."""
    b = precise._B
    c = precise._A.sum(axis=1)
    for power in range(8):
        assert b @ c[: len(b)] ** power == pytest.approx(1.0 / (power + 1.0), abs=1e-14)
    assert precise._E3.sum() == pytest.approx(0.0, abs=1e-14)
    assert precise._E5.sum() == pytest.approx(0.0, abs=1e-14)


def test_ends_are_those_of_the_reference(field: FieldModel) -> None:
    places, momenta = arrivals(12, 3)
    rigidities = np.linspace(8.0, 40.0, 12)
    ends = PreciseTracer(field, 20.0, early=False).ends(places, momenta, rigidities)
    for i, end in enumerate(ends):
        other = reference_trace(places[i], momenta[i], rigidities[i], field, **FLOOR)
        assert end[0] == other.verdict
        if other.verdict == 1:
            np.testing.assert_allclose(end[1:4], other.position_km, atol=0.1)
            np.testing.assert_allclose(end[4:7], other.direction, atol=1e-6)
            assert end[7] == pytest.approx(other.path_km, abs=0.1)


def test_early_verdicts_change_nothing(field: FieldModel) -> None:
    places, momenta = arrivals(400, 4)
    rigidities = np.random.default_rng(5).uniform(1.0, 30.0, 400)
    quick = PreciseTracer(field, 20.0).verdicts(places, momenta, rigidities)
    slow = PreciseTracer(field, 20.0, early=False).verdicts(places, momenta, rigidities)
    np.testing.assert_array_equal(quick, slow)
    assert 0.2 < (quick == 1).mean() < 0.95


def test_a_path_over_the_limit_is_undecided(field: FieldModel) -> None:
    # trapped: low rigidity at middle latitude
    xyz, u = geodetic_to_cartesian(65.05, 25.47, 20.0), arrival_direction(65.05, 25.47, 0.0, 0.0)
    rigidities = np.arange(0.5, 0.9, 0.01)
    ends = PreciseTracer(field, 20.0).ends(xyz, u, rigidities)
    undecided = ends[:, 0] == 2
    assert undecided.any()
    np.testing.assert_allclose(ends[undecided, 7], 100.0 * 6371.2, atol=1.0)


def test_a_weak_external_field_changes_little_and_the_path_ends_on_the_magnetopause(field: FieldModel) -> None:
    state = Magnetosphere("2020-01-01T12:00", kp=2)
    places, momenta = arrivals(60, 6)
    ends = PreciseTracer(field, 20.0, state).ends(places, momenta, np.full(60, 60.0))
    escaped = ends[:, 0] == 1
    assert escaped.all()
    radius = np.linalg.norm(ends[:, 1:4], axis=1) - 25.0 * 6371.2
    beyond = np.maximum(state.beyond_km(ends[:, 1:4], field), radius)
    np.testing.assert_allclose(beyond, 0.0, atol=0.02)
    assert (radius < -6371.2).any()
    assert (np.abs(radius) < 0.02).any()


def test_directions_in_the_magnetosphere_are_those_of_another_integrator(field: FieldModel) -> None:
    state = Magnetosphere("2020-03-20T18:00", kp=4)
    rigidities = [1.5, 4.0, 12.0]
    found = asymptotic_directions(65.05, 25.47, rigidities, field, zenith_deg=20.0, external=state)
    ways = trace(65.05, 25.47, rigidities, field, zenith_deg=20.0, spacing_km=5000.0, external=state)
    without = asymptotic_directions(65.05, 25.47, rigidities, field, zenith_deg=20.0)
    for j, way in enumerate(ways):
        assert way.end == "escaped"
        assert way.asymptotic_lat_deg == pytest.approx(found.lat_deg[0, j], abs=0.01)
        assert way.asymptotic_lon_deg == pytest.approx(found.lon_deg[0, j], abs=0.01)
        assert way.path_km[-1] == pytest.approx(6371.2 * found.path_radii[0, j], abs=1.0)
    # and the magnetosphere matters at 1.5 GV
    assert abs(without.lat_deg[0, 0] - found.lat_deg[0, 0]) + abs(without.lon_deg[0, 0] - found.lon_deg[0, 0]) > 1.0
