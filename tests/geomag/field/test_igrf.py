"""The field against ppigrf and against what any field of internal sources must obey."""

from __future__ import annotations

import datetime

import numpy as np
import ppigrf
import pytest

from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel, parse_date
from geomag.field.kernels import EARTH_RADIUS_KM, field_cartesian, field_cartesian_truncated


def _places(count: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    lat = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, count)))
    lat[:4] = 89.9999, -89.9999, 89.5, 0.0
    return lat, rng.uniform(-180.0, 180.0, count), rng.uniform(6371.2, 30000.0, count)


@pytest.mark.parametrize("date", ["1900-01-01", "1943-07-19", "1995-01-01", "2020-01-01", "2027-02-28", "2030-01-01"])
@pytest.mark.parametrize("degree", [1, 10, 13])
def test_field_is_that_of_ppigrf(date: str, degree: int) -> None:
    lat, lon, radius = _places(60)
    ours = FieldModel(date, degree).field_enu(lat, lon, radius)
    when = datetime.datetime.fromisoformat(date)
    up, south, east = ppigrf.igrf_gc(radius, 90.0 - lat, lon, when, max_degree=degree)
    theirs = np.stack([east[0], -south[0], up[0]], axis=-1)
    size = np.linalg.norm(theirs, axis=-1)
    assert (np.linalg.norm(ours - theirs, axis=-1) / size).max() < 1e-9


def test_field_is_finite_and_continuous_at_the_poles() -> None:
    field = FieldModel()
    for z in (EARTH_RADIUS_KM, -EARTH_RADIUS_KM):
        at = np.array(field_cartesian(0.0, 0.0, z, field.gauss))
        beside = np.array(field_cartesian(1e-3, -1e-3, z, field.gauss))
        assert np.isfinite(at).all()
        assert np.abs(at - beside).max() < 1e-1


def test_field_has_neither_sources_nor_curl() -> None:
    field = FieldModel("2020-01-01", 13)
    step = 1.0
    xyz = np.random.default_rng(3).normal(size=(50, 3))
    xyz *= 7000.0 / np.linalg.norm(xyz, axis=1)[:, None]
    jacobian = np.empty((50, 3, 3))
    for j in range(3):
        shift = np.zeros(3)
        shift[j] = step
        jacobian[:, :, j] = (field.field_xyz(xyz + shift) - field.field_xyz(xyz - shift)) / (2.0 * step)
    scale = np.abs(jacobian).max()
    assert np.abs(np.trace(jacobian, axis1=1, axis2=2)).max() < 1e-5 * scale
    assert np.abs(jacobian - np.swapaxes(jacobian, 1, 2)).max() < 1e-5 * scale


def test_truncated_evaluator_is_the_model_of_lower_degree() -> None:
    full, low = FieldModel("2010-05-05", 13), FieldModel("2010-05-05", 4)
    position = (3000.0, -5000.0, 4000.0)
    np.testing.assert_allclose(
        field_cartesian_truncated(*position, full.gauss, 4), field_cartesian(*position, low.gauss), rtol=1e-13
    )


def test_dipole_points_north_on_the_equator_and_falls_as_the_cube() -> None:
    gauss = FieldModel.dipole(29790.0).gauss
    np.testing.assert_allclose(field_cartesian(EARTH_RADIUS_KM, 0, 0, gauss), (0, 0, 29790.0), atol=1e-9)
    np.testing.assert_allclose(field_cartesian(0, 2 * EARTH_RADIUS_KM, 0, gauss), (0, 0, 29790.0 / 8), atol=1e-9)
    np.testing.assert_allclose(field_cartesian(0, 0, EARTH_RADIUS_KM, gauss), (0, 0, -2 * 29790.0), atol=1e-9)


def test_declination_of_kamioka_is_eight_degrees_west() -> None:
    assert FieldModel("2020-01-01", 13).declination_deg(36.2, 137.3) == pytest.approx(-8.0, abs=0.4)


def test_model_says_what_it_is() -> None:
    field = FieldModel("1995-01-01", 10)
    assert (field.date, field.degree) == ("1995-01-01", 10)
    assert field.generation.startswith("IGRF-")


def test_dates_in_every_form_are_the_same_day() -> None:
    day = datetime.datetime(2020, 7, 2)
    assert parse_date("2020-07-02") == parse_date(datetime.date(2020, 7, 2)) == parse_date(2020.5) == day


@pytest.mark.parametrize(
    ("date", "degree", "word"),
    [
        ("1899-12-31", 10, "1900-01-01"),
        ("2031-01-01", 10, "2030-01-01"),
        ("yesterday", 10, "YYYY-MM-DD"),
        (float("nan"), 10, "decimal year"),
        (True, 10, "date"),
        ("2020-01-01", 0, "between 1 and 13"),
        ("2020-01-01", 14, "between 1 and 13"),
        ("2020-01-01", 2.5, "whole number"),
        ("2020-01-01", "ten", "not a number"),
    ],
)
def test_bad_input_gets_one_line_that_says_what_is_allowed(date, degree, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word) as caught:
        FieldModel(date, degree)
    assert "\n" not in str(caught.value)
