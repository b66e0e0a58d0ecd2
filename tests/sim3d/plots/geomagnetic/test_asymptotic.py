"""The map of asymptotic directions: lines are cut at 180 degrees, forbidden rigidities are left out."""

from __future__ import annotations

import numpy as np

from geomag.field.igrf import FieldModel
from geomag.trajectories.asymptotic import AsymptoticDirections
from sim3d.plots.geomagnetic.asymptotic import asymptotic_figure, direction_name


def test_directions_are_named_by_the_compass() -> None:
    assert direction_name(0.0, 90.0) == "vertical"
    assert direction_name(30.0, 270.0) == "zenith 30, from west"
    assert direction_name(30.0, 315.0) == "zenith 30, from north-west"
    assert direction_name(30.0, 100.0) == "zenith 30, from azimuth 100"


def test_lines_and_points() -> None:
    rigidity = np.array([1.0, 2.0, 5.0, 10.0])
    verdict = np.array([[0, 1, 1, 1], [0, 0, 0, 0]])
    lon = np.array([[np.nan, -178.0, 178.0, 170.0], [np.nan] * 4])
    lat = np.array([[np.nan, 5.0, 6.0, 20.0], [np.nan] * 4])
    zero = np.zeros(2)
    found = AsymptoticDirections(rigidity, zero, zero, verdict, lat, lon, lat, np.ones((2, 4)))
    ax = asymptotic_figure(found, (60.0, 25.0), FieldModel.dipole(), "t").axes[0]
    points = ax.collections[1].get_offsets()
    assert len(points) == 3
    assert all(np.ptp(line.get_xdata()) < 20.0 for line in ax.lines if len(line.get_xdata()) in {1, 2})
    assert {text.get_text() for text in ax.texts} == {"2", "5", "10"}
