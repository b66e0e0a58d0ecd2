"""Coast lines: a whole Earth of short pieces."""

from __future__ import annotations

import numpy as np

from sim3d.plots.geomagnetic.coastlines import coastlines, draw_coastlines, map_axes
from sim3d.plots.style import subplots


def test_lines_stay_on_the_map_and_do_not_cross_it() -> None:
    lines = coastlines()
    points = np.concatenate(lines)
    assert len(points) > 5000
    assert np.abs(points[:, 0]).max() <= 180.0
    assert -86.0 < points[:, 1].min() < -84.0
    assert 83.0 < points[:, 1].max() < 84.0
    # no piece jumps over the map at 180 degrees
    assert max(np.abs(np.diff(line[:, 0])).max() for line in lines) < 30.0


def test_known_capes_are_on_a_coast() -> None:
    points = np.concatenate(coastlines())
    for lat, lon in ((-34.8, 20.0), (-55.8, -67.3), (36.0, -5.6)):  # Agulhas, Horn, Gibraltar
        assert np.hypot(points[:, 0] - lon, points[:, 1] - lat).min() < 1.5


def test_drawing_leaves_the_frame() -> None:
    _, ax = subplots(figsize=(4.0, 2.0))
    map_axes(ax)
    draw_coastlines(ax)
    assert ax.get_xlim() == (-180.0, 180.0)
    assert len(ax.collections) == 1
