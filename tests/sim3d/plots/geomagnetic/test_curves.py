"""Curves of cutoffs show the numbers given."""

from __future__ import annotations

import numpy as np

from geomag.cutoffs.curves import AzimuthCurve, LatitudeCurve
from geomag.cutoffs.series import CutoffSeries
from sim3d.plots.geomagnetic.curves import azimuth_figure, latitude_figure, series_figure


def test_series() -> None:
    value, flag = np.array([3.0, 2.0]), np.zeros(2, dtype=int)
    found = CutoffSeries(
        ("1900-01-01", "2000-01-01"), np.array([1900.0, 2000.0]), value + 1, value - 1, value, flag, flag > 0
    )
    (ax,) = series_figure(found, "t").axes
    np.testing.assert_array_equal(ax.lines[0].get_xydata(), [[1900.0, 3.0], [2000.0, 2.0]])


def test_latitudes_with_and_without_shares() -> None:
    lat, values = np.array([-40.0, 0.0, 40.0]), np.array([[5.0, 7.0], [14.0, 15.0], [5.0, 6.0]])
    for shares in (0, 2):
        found = LatitudeCurve(
            lat, values, values, values, values, np.arange(1.0, shares + 1.0), np.full((3, shares), 0.5)
        )
        figure = latitude_figure(found, "t")
        assert len(figure.axes) == (2 if shares else 1)
        np.testing.assert_array_equal(figure.axes[0].lines[0].get_ydata(), [6.0, 14.5, 5.5])


def test_azimuths_close() -> None:
    azimuth = np.arange(0.0, 360.0, 90.0)
    values = np.array([10.0, 20.0, 10.0, 5.0])
    (ax,) = azimuth_figure(AzimuthCurve(azimuth, values, values, values, values, values), "t").axes
    assert ax.lines[0].get_xydata()[-1].tolist() == [360.0, 10.0]
