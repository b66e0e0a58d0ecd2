"""Cutoffs over a detector's whole sky: where the lines of sight enter, and the cutoffs there."""

import numpy as np
import pytest

from geomag.cutoffs.cutoff import CutoffTracer
from geomag.cutoffs.whole_sky import entry_places, whole_sky_map
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction, cartesian_to_geodetic, geodetic_to_cartesian

LAT, LON = 36.4257, 137.3103


def test_lines_of_sight_end_at_the_altitude_in_their_direction():
    detector = geodetic_to_cartesian(LAT, LON, 0.0)
    cosines = np.array([1.0, 0.3, 1e-3, -1e-3, -0.3, -1.0])
    sources = -arrival_direction(LAT, LON, np.degrees(np.arccos(cosines)), 70.0)
    places = entry_places(detector, sources, 20.0)
    along = places - detector
    distance = np.linalg.norm(along, axis=-1)
    assert along / distance[:, None] == pytest.approx(sources, abs=1e-12)
    assert cartesian_to_geodetic(places)[2] == pytest.approx(20.0, abs=0.01)
    assert distance[0] == pytest.approx(20.0, abs=0.01)
    assert distance[2] == pytest.approx(distance[3], rel=0.03)
    assert 12700.0 < distance[-1] < 12780.0


def test_cutoffs_are_those_of_the_places_of_entry():
    field = FieldModel("2020-01-01", 10)
    sky = whole_sky_map(LAT, LON, field, cell_deg=45.0, step_GV=0.5)
    assert sky.effective_GV.shape == (4, 8)
    assert np.all((sky.lower_GV <= sky.effective_GV) & (sky.effective_GV <= sky.upper_GV))
    detector = geodetic_to_cartesian(LAT, LON, 0.0)
    for i, j in ((0, 3), (3, 6)):
        momentum = arrival_direction(LAT, LON, np.degrees(np.arccos(sky.cos_zenith[i])), sky.azimuth_from_north_deg[j])
        lat, lon, _ = cartesian_to_geodetic(entry_places(detector, -momentum[None], 20.0)[0])
        axes_zenith, axes_azimuth = _local_angles(float(lat), float(lon), -momentum)
        one = CutoffTracer(float(lat), float(lon), field=field, step_GV=0.5).cutoff(axes_zenith, axes_azimuth)
        assert sky.effective_GV[i, j] == pytest.approx(one.effective_GV, abs=0.51)


def _local_angles(lat, lon, source):
    from geomag.geodesy import local_axes

    east, north, up = local_axes(lat, lon) @ source
    return float(np.degrees(np.arccos(up))), float(np.degrees(np.arctan2(east, north)) % 360.0)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"cell_deg": 90.0}, "sky-cell"), ({"step_GV": 0.0}, "step"), ({"altitude_km": 0.0}, "altitude")],
)
def test_wrong_input(options, message):
    with pytest.raises(GeomagInputError, match=message):
        whole_sky_map(LAT, LON, **options)
