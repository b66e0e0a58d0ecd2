"""The picture of trajectories: two views, the place on the right, a legend with reasons."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.trajectories.points import Trajectory
from sim3d.plots.geomagnetic.trajectories import trajectory_figure


def made(rigidity: float, verdict: int, reach: float) -> Trajectory:
    # from longitude 90 degrees straight up
    xyz = 6371.2 * np.column_stack([np.zeros(5), np.linspace(1.0, reach, 5), np.zeros(5)])
    direction = np.tile([0.0, 1.0, 0.0], (5, 1))
    return Trajectory(rigidity, verdict, xyz[:, 1] - 6371.2, xyz, direction, 0.0, 0.0, 0.0, 90.0, 0.0)


def test_two_views() -> None:
    figure = trajectory_figure([made(5.0, 0, 2.0), made(20.0, 1, 25.0)], "t")
    assert len(figure.axes) == 2
    for ax in figure.axes:
        ways = [line for line in ax.lines if line.get_label().endswith(("floor", "escaped"))]
        assert [way.get_label() for way in ways] == ["5 GV: met the floor", "20 GV: escaped"]
        # the meridian of the place is to the right
        assert ways[0].get_xdata()[-1] == pytest.approx(2.0)
        assert ax.get_xlim() == (-4.0, 4.0)
