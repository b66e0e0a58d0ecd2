"""World maps: contours where they belong, and names of sites that do not cover each other."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.world import WorldCutoffs
from sim3d.plots.geomagnetic.world import change_figure, world_figure

LAT, LON = np.arange(-80.0, 81.0, 20.0), np.arange(-170.0, 171.0, 20.0)


def made(scale: float) -> WorldCutoffs:
    values = scale * np.cos(np.radians(LAT))[:, None] ** 4 * np.ones(len(LON))
    zero = np.zeros(values.shape, dtype=int)
    return WorldCutoffs(LAT, LON, values, values, values, zero, zero > 0)


def test_map() -> None:
    sites = {"one": (45.0, 7.0), "two": (44.0, 6.0), "pole": (-90.0, 0.0), "east": (0.0, 179.0)}
    figure = world_figure(made(15.0), "title", sites)
    ax = figure.axes[0]
    names = [text for text in ax.texts if text.get_text() in sites]
    assert len(names) == 4
    places = [text.get_position() for text in names]
    assert all(-180.0 < x < 180.0 and -90.0 < y < 90.0 for x, y in places)
    assert abs(places[0][1] - places[1][1]) > 5.0 or abs(places[0][0] - places[1][0]) > 8.0
    assert ax.get_title() == "title"


def test_change_is_the_first_minus_the_second() -> None:
    figure = change_figure(made(10.0), made(12.0), "t", {})
    mesh = figure.axes[0].collections[0]
    assert mesh.get_array().min() == pytest.approx(-2.0)
    assert mesh.norm.vmax == -mesh.norm.vmin == pytest.approx(2.0)
