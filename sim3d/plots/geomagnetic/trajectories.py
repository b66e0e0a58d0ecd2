"""Draw trajectories through the geomagnetic field: over the Earth, from above the pole and from the side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps

from sim3d.plots import style
from sim3d.plots.geomagnetic.coastlines import coastlines

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.trajectories.points import Trajectory

_RADIUS_KM = 6371.2
_STYLES = {1: "-", 0: "--", 2: ":"}
_LEAST_RADII, _MOST_RADII = 4.0, 12.0
"""Half the width of the frame: that of the closed paths, within these limits; farther out paths are nearly straight."""


def trajectory_figure(ways: Sequence[Trajectory], title: str) -> Figure:
    """Draw trajectories from a place outwards in two projections, in Earth radii.

    Parameters
    ----------
    ways : sequence of Trajectory
    title : str

    Returns
    -------
    Figure
        Left: seen from above the north pole; right: seen along the equator from the side, with the place's meridian to
        the right.
    """
    figure, axes = style.subplots(1, 2, figsize=(10.0, 5.4))
    start = ways[0].xyz_km[0]
    meridian = np.arctan2(start[1], start[0])
    cos, sin = np.cos(meridian), np.sin(meridian)
    # first axis through the place's meridian, second to the east of it, third to the north pole
    turn = np.array([[cos, sin, 0.0], [-sin, cos, 0.0], [0.0, 0.0, 1.0]])
    lines = []
    for line in coastlines():
        lon, lat = np.radians(line.T)
        lines.append(np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)]) @ turn.T)
    views = ((0, 1, 2, 1.0), (0, 2, 1, -1.0))
    colours = colormaps["viridis"](np.linspace(0.0, 0.88, len(ways)))
    closed = [float(np.abs(way.xyz_km).max()) / _RADIUS_KM for way in ways if way.verdict != 1]
    frame = min(max(1.1 * max(closed, default=0.0), _LEAST_RADII if closed else 8.0), _MOST_RADII)
    circle = np.linspace(0.0, 2.0 * np.pi, 200)
    for ax, (right, up, depth, side) in zip(axes, views, strict=True):
        ax.fill(np.cos(circle), np.sin(circle), color="0.92", zorder=0)
        ax.plot(np.cos(circle), np.sin(circle), color="0.4", linewidth=0.8)
        for line in lines:
            seen = np.where(side * line[:, depth] > 0.0, 1.0, np.nan)
            ax.plot(line[:, right] * seen, line[:, up] * seen, color="0.55", linewidth=0.4)
        for way, colour in zip(ways, colours, strict=True):
            points = way.xyz_km @ turn.T / _RADIUS_KM
            label = f"{way.rigidity_GV:g} GV: {way.end}"
            ax.plot(points[:, right], points[:, up], _STYLES[way.verdict], color=colour, label=label)
            behind = way.verdict == 1 and np.abs(points[-1]).max() > frame
            if not behind:
                ax.plot(points[-1, right], points[-1, up], "x", color=colour, markersize=6)
        place = start @ turn.T / _RADIUS_KM
        ax.plot(place[right], place[up], "*", color=style.VERMILION, markersize=10, markeredgecolor="black", zorder=5)
        ax.set_xlim(-frame, frame)
        ax.set_ylim(-frame, frame)
        ax.set_aspect("equal")
    axes[0].set_xlabel("towards the meridian of the place (Earth radii)")
    axes[0].set_ylabel("towards 90 deg east of it (Earth radii)")
    axes[1].set_xlabel("towards the meridian of the place (Earth radii)")
    axes[1].set_ylabel("towards the north pole (Earth radii)")
    for ax, name in zip(axes, ("from above the north pole", "from the side"), strict=True):
        ax.text(0.02, 0.98, name, transform=ax.transAxes, va="top", zorder=6)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(ways), 4))
    figure.suptitle(title)
    return figure
