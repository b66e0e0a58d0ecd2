"""The coarse table of the field is the field to a few parts in a thousand, on all faces and at the edges."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from geomag.field.igrf import FieldModel
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.sampling.coarse_field import CELLS, HIGHEST, UPPER_KM, coarse_field, coarse_field_at

FIELD = FieldModel("2020-01-01", 13)


@njit
def _interpolated(places, table):
    out = np.empty_like(places)
    for i in range(len(places)):
        out[i] = coarse_field_at(places[i, 0], places[i, 1], places[i, 2], table)
    return out


def _places(n, low, high, seed=1):
    """Positions (km) in all directions, between two heights."""
    rng = np.random.default_rng(seed)
    up = rng.normal(size=(n, 3))
    return up / np.linalg.norm(up, axis=1, keepdims=True) * (EARTH_RADIUS_KM + rng.uniform(low, high, (n, 1)))


@pytest.mark.parametrize(("low", "high"), [(0.0, 112.0), (300.0, 3000.0)])
def test_it_is_the_field(low, high):
    """To 4e-3 of it in the air, 1e-3 in the mean; far above, where few are born, the dipole's part is right."""
    places = _places(100_000, low, high)
    true = FIELD.field_xyz(places)
    error = np.linalg.norm(_interpolated(places, coarse_field(FIELD)) - true, axis=1) / np.linalg.norm(true, axis=1)
    assert error.max() < (4e-3 if high < HIGHEST * UPPER_KM else 0.4)
    assert error.mean() < (1e-3 if high < HIGHEST * UPPER_KM else 0.08)


def test_its_points_and_edges():
    """It is exact at its points, also where faces meet, and the same on both sides of an edge."""
    side = np.linspace(-1.0, 1.0, CELLS + 1)
    for corner in ((1.0, 1.0, 1.0), (-1.0, 1.0, -1.0), (1.0, side[3], -1.0), (side[7], -1.0, side[40])):
        place = np.array(corner) / np.linalg.norm(corner) * (EARTH_RADIUS_KM + UPPER_KM)
        assert np.allclose(
            _interpolated(place[None], coarse_field(FIELD))[0], FIELD.field_xyz(place[None])[0], rtol=1e-9
        )
    for a, b in ((1.0 + 1e-9, 1.0), (1.0, 1.0 + 1e-9)):
        place = np.array([[a, b, 0.313], [a, 0.313, -b], [-0.313, -a, b]]) * 4600.0
        reference = np.array([[1.0, 1.0, 0.313], [1.0, 0.313, -1.0], [-0.313, -1.0, 1.0]]) * 4600.0
        table = coarse_field(FIELD)
        assert np.allclose(_interpolated(place, table), _interpolated(reference, table), rtol=1e-6)


def test_it_is_the_same_without_compiling():
    """The kernel is plain Python too."""
    places, table = _places(200, 0.0, 300.0, 2), coarse_field(FIELD)
    plain = [getattr(coarse_field_at, "py_func", coarse_field_at)(*place, table) for place in places]
    assert np.allclose(plain, _interpolated(places, table), rtol=1e-12)
