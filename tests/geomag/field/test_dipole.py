"""Geomagnetic coordinates and Stoermer's formula."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.field.dipole import dipole_axes, geomagnetic_coordinates, geomagnetic_direction, stoermer_cutoff_GV
from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction, geodetic_to_cartesian


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2020-01-01")


def test_the_pole_is_that_of_the_published_coefficients(field: FieldModel) -> None:
    # g10, g11, h11 = -29404.8, -1450.9, 4652.5 nT in 2020 (P. Alken et al., Earth, Planets and Space 73 (2021) 49)
    north = dipole_axes(field)[2]
    assert np.degrees(np.arccos(north[2])) == pytest.approx(np.degrees(np.arctan(4873.5 / 29404.8)), abs=0.01)
    assert np.degrees(np.arctan2(north[1], north[0])) == pytest.approx(-72.68, abs=0.01)


def test_axes_are_a_right_handed_frame(field: FieldModel) -> None:
    axes = dipole_axes(field)
    np.testing.assert_allclose(axes @ axes.T, np.eye(3), atol=1e-12)
    assert np.linalg.det(axes) == pytest.approx(1.0)
    # the geographic south pole lies on the meridian 0
    assert geomagnetic_coordinates(field, np.array([0.0, 0.0, -1.0]))[1] == pytest.approx(0.0, abs=1e-9)


def test_there_and_back(field: FieldModel) -> None:
    lat, lon = np.array([-89.0, 0.0, 45.0]), np.array([10.0, -170.0, 120.0])
    back = geomagnetic_coordinates(field, 7000.0 * geomagnetic_direction(field, lat, lon))
    np.testing.assert_allclose(back, [lat, lon], atol=1e-9)


def test_stoermer_of_an_axial_dipole() -> None:
    dipole = FieldModel.dipole(29790.0)
    equator = np.array([6371.2, 0.0, 0.0])
    up = arrival_direction(0.0, 0.0, 0.0, 0.0)
    assert stoermer_cutoff_GV(dipole, equator, up) == pytest.approx(14.225, abs=5e-3)
    # from the horizon in the east and in the west: 4 / (1 + sqrt(1 -+ 1))^2 of the vertical one
    east, west = (stoermer_cutoff_GV(dipole, equator, arrival_direction(0.0, 0.0, 90.0, a)) for a in (90.0, 270.0))
    assert east == pytest.approx(4.0 * 14.225, abs=0.02)
    assert west == pytest.approx(4.0 * 14.225 / (1.0 + np.sqrt(2.0)) ** 2, abs=0.02)


def test_stoermer_vanishes_at_the_geomagnetic_pole(field: FieldModel) -> None:
    pole = 6371.2 * dipole_axes(field)[2]
    assert stoermer_cutoff_GV(field, pole, -pole / 6371.2) == pytest.approx(0.0, abs=1e-12)
    place = geodetic_to_cartesian(0.0, 100.0, 0.0)
    assert stoermer_cutoff_GV(field, np.stack([place, pole]), np.array([0.0, 0.0, 1.0])).shape == (2,)
