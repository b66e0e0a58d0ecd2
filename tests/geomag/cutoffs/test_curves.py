"""Cutoffs by geomagnetic latitude and azimuth: a dipole's are Stoermer's and symmetric."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.curves import azimuth_curve, geomagnetic_places, latitude_curve
from geomag.errors import GeomagInputError
from geomag.field.dipole import geomagnetic_coordinates
from geomag.field.igrf import FieldModel
from geomag.geodesy import geodetic_to_cartesian


@pytest.fixture(scope="module")
def dipole() -> FieldModel:
    return FieldModel.dipole(29790.0)


def test_latitude_curve_of_a_dipole(dipole: FieldModel) -> None:
    found = latitude_curve(
        dipole, [-30.0, 0.0, 30.0], longitudes=3, rigidity_GV=[5.0, 500.0], step_GV=0.05, altitude_km=20.0
    )
    # on the equator there is no penumbra: Stoermer's, within the step
    np.testing.assert_allclose(found.effective_GV[1], found.stoermer_GV[1], atol=0.06)
    # elsewhere the Earth shadows more: never below Stoermer's
    assert (found.lower_GV > found.stoermer_GV - 0.06).all()
    # north and south, and all longitudes, are alike
    np.testing.assert_allclose(found.effective_GV[0], found.effective_GV[2], atol=0.06)
    assert np.ptp(found.effective_GV, axis=1).max() < 0.06
    assert found.allowed_share[1, 0] == 0.0
    assert (found.allowed_share[:, 1] == 1.0).all()
    assert found.allowed_share[0, 0] == pytest.approx(found.allowed_share[2, 0], abs=0.02)


def test_azimuth_curve_of_a_dipole_on_the_equator(dipole: FieldModel) -> None:
    found = azimuth_curve(0.0, 0.0, 60.0, dipole, [0.0, 90.0, 180.0, 270.0], step_GV=0.05)
    north, east, south, west = found.effective_GV
    assert east > north > west
    assert north == pytest.approx(south, abs=0.06)
    np.testing.assert_allclose(found.lower_GV[[1, 3]], found.stoermer_GV[[1, 3]], atol=0.35)
    assert (found.lower_GV > found.stoermer_GV - 0.06).all()


def test_places_have_the_latitudes_asked_for() -> None:
    field = FieldModel("1900-01-01")
    lats = np.array([-90.0, -60.0, 0.0, 35.0])
    lat, lon = geomagnetic_places(field, lats, 4, 20.0)
    found, _ = geomagnetic_coordinates(field, geodetic_to_cartesian(lat, lon, 20.0))
    np.testing.assert_allclose(found, np.repeat(lats[:, None], 4, axis=1), atol=1e-6)


@pytest.mark.parametrize(
    ("keywords", "word"),
    [({"lat_deg": [95.0]}, "latitude = 95"), ({"longitudes": 0}, "longitudes"), ({"rigidity_GV": [-1.0]}, "rigidity")],
)
def test_bad_input(dipole: FieldModel, keywords: dict, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        latitude_curve(dipole, **({"lat_deg": [0.0], "step_GV": 1.0} | keywords))
