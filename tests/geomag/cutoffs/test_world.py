"""Cutoffs of many places: grids, limits of the Earth, and that the spreading of tasks changes nothing."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from geomag.cutoffs.cutoff import cutoff
from geomag.cutoffs.world import PLACES_PER_TASK, grid, place_cutoffs, world_cutoffs
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01")


def test_places_are_the_single_cutoffs(field: FieldModel) -> None:
    lat, lon = [36.4257, -41.0, 0.0], [137.3103, 20.0, -75.0]
    found = place_cutoffs(lat, lon, field, step_GV=0.1)
    for i in range(3):
        one = cutoff(lat[i], lon[i], field=field, step_GV=0.1)
        assert (found.upper_GV[i], found.lower_GV[i], found.effective_GV[i]) == (
            one.upper_GV,
            one.lower_GV,
            one.effective_GV,
        )


def test_directions_and_heights_may_differ_by_place(field: FieldModel) -> None:
    found = place_cutoffs(
        36.4257, 137.3103, field, zenith_deg=60.0, azimuth_from_north_deg=[90.0, 270.0], step_GV=0.5, floor_km=20.0
    )
    assert found.effective_GV[0] > 2.0 * found.effective_GV[1]
    high = place_cutoffs(0.0, 100.0, field, altitude_km=[20.0, 3000.0], step_GV=0.2)
    assert high.effective_GV[1] < 0.6 * high.effective_GV[0]


def test_threads_change_no_bit(field: FieldModel) -> None:
    alone = world_cutoffs(field, 30.0, step_GV=0.2)
    with ThreadPoolExecutor(2) as pool:
        shared = world_cutoffs(field, 30.0, step_GV=0.2, map_tasks=pool.map)
    for key in ("upper_GV", "lower_GV", "effective_GV", "undecided", "starts_allowed"):
        np.testing.assert_array_equal(getattr(alone, key), getattr(shared, key))
    assert len(alone.lat_deg) * len(alone.lon_deg) > 5 * PLACES_PER_TASK


def test_the_map_has_the_known_shape(field: FieldModel) -> None:
    world = world_cutoffs(field, 30.0, step_GV=0.2)
    assert world.effective_GV.shape == (6, 12)
    # the highest vertical cutoffs are near India, the lowest near the geomagnetic poles, where scans start allowed
    row, column = np.unravel_index(np.argmax(world.effective_GV), world.effective_GV.shape)
    assert world.lat_deg[row] == 15.0
    assert 60.0 < world.lon_deg[column] < 120.0
    assert 16.0 < world.effective_GV.max() < 18.0
    assert world.starts_allowed[[0, -1]].any()
    assert not world.starts_allowed[2:4].any()


def test_both_sides_of_180_degrees_and_both_names_of_a_place_agree(field: FieldModel) -> None:
    found = place_cutoffs([10.0] * 4, [180.0, -180.0, 179.999, -179.999], field, step_GV=0.1)
    assert found.effective_GV[0] == found.effective_GV[1]
    assert np.ptp(found.effective_GV) <= 0.1 + 1e-9
    turned = place_cutoffs([40.0, 40.0], [-75.0, 285.0], field, step_GV=0.1)
    assert turned.effective_GV[0] == turned.effective_GV[1]


def test_at_the_poles_longitude_only_turns_the_azimuth(field: FieldModel) -> None:
    # at the north pole azimuth is from the direction of longitude + 180; the same direction in space
    found = place_cutoffs(
        90.0, [0.0, 90.0], field, zenith_deg=85.0, azimuth_from_north_deg=[30.0, 120.0], step_GV=0.02, lowest_GV=0.1
    )
    assert found.upper_GV[0] == pytest.approx(found.upper_GV[1], abs=0.021)
    vertical = place_cutoffs([90.0, -90.0], [0.0, 0.0], field, step_GV=0.1)
    assert vertical.starts_allowed.all()


@pytest.mark.parametrize("date", ["1900-01-01", "2000-02-29", "2030-01-01"])
def test_first_last_and_leap_days(date: str) -> None:
    found = place_cutoffs([14.0], [80.0], FieldModel(date), step_GV=0.1)
    assert 15.5 < found.effective_GV[0] < 18.0


def test_a_scan_that_starts_allowed_says_so(field: FieldModel) -> None:
    found = place_cutoffs([0.0, 0.0], [100.0, 100.0], field, step_GV=0.5, lowest_GV=5.0)
    assert not found.starts_allowed.any()
    found = place_cutoffs([0.0], [100.0], field, step_GV=0.5, lowest_GV=20.0)
    assert found.starts_allowed[0]
    assert found.lower_GV[0] == 20.0


def test_grid_covers_the_earth() -> None:
    lat, lon = grid(5.0)
    assert len(lat) * len(lon) == 2592
    assert lat[[0, -1]] == pytest.approx([-87.5, 87.5])
    assert lon[[0, -1]] == pytest.approx([-177.5, 177.5])


@pytest.mark.parametrize(
    ("keywords", "word"),
    [
        ({"lat": [91.0]}, "lat = 91"),
        ({"lon": [400.0]}, "lon = 400"),
        ({"lat": []}, "at least one"),
        ({"lat": [1.0, 2.0, 3.0], "lon": [1.0, 2.0]}, "one shape"),
        ({"altitude_km": 10.0}, "floor = 20"),
        ({"max_path_radii": 10.0}, "max-path = 10"),
        ({"step_GV": 0.0}, "step = 0"),
    ],
)
def test_bad_input(field: FieldModel, keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        place_cutoffs(**({"lat": [0.0], "lon": [0.0], "field": field} | keywords))


def test_cells_must_divide_180() -> None:
    with pytest.raises(GeomagInputError, match="divide 180"):
        grid(7.0)
