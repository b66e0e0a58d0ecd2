"""Draw maps of cutoffs over the Earth, and of their change between two dates, with coast lines and known sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.geomagnetic.coastlines import draw_coastlines, map_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomag.cutoffs.world import WorldCutoffs

LEVELS_GV = (0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 20, 25, 30, 35, 40, 50, 60)
CHANGES_GV = (-6, -5, -4, -3, -2, -1.5, -1, -0.5, -0.2, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6)


def _edges(centres: Array) -> Array:
    """Return the edges of equal cells from their centres."""
    half = 0.5 * (centres[1] - centres[0])
    return np.append(centres - half, centres[-1] + half)


def _around(lon: Array, values: Array) -> tuple[Array, Array]:
    """Repeat the first and last column beyond 180 degrees, so that contours reach the rim."""
    return np.concatenate([[lon[-1] - 360.0], lon, [lon[0] + 360.0]]), np.hstack(
        [values[:, -1:], values, values[:, :1]]
    )


def _sites(ax: Axes, sites: Mapping[str, tuple[float, float]]) -> None:
    """Mark places given as (latitude, longitude) with their names."""
    taken: list[tuple[float, float, float, float]] = []
    for name, (lat, lon) in sites.items():
        east = (lon + 180.0) % 360.0 - 180.0
        ax.plot(east, lat, "o", color="white", markeredgecolor="black", markersize=3.5, markeredgewidth=0.8)
        # the first of four corners where the name covers no other (a letter of this size is 3 degrees wide)
        width, height = 3.0 * len(name), 6.0
        for right, up in ((1, 1), (-1, 1), (1, -1), (-1, -1), (1, 2.2), (-1, 2.2), (1, -2.2), (-1, -2.2)):
            x0 = east + 2.0 if right > 0 else east - 2.0 - width
            y0 = lat + 5.0 * up - 0.5 * height
            inside = -179.0 < x0 < 179.0 - width and -89.0 < y0 < 84.0
            box = (x0, y0, x0 + width, y0 + height)
            apart = all(box[0] > b[2] or box[2] < b[0] or box[1] > b[3] or box[3] < b[1] for b in taken)
            if inside and apart:
                break
        taken.append(box)
        ax.text(
            x0, y0 + 0.5 * height, name, fontsize=6, color="black", ha="left", va="center",
            bbox={"facecolor": "white", "alpha": 0.65, "edgecolor": "none", "pad": 0.6},
        )  # fmt: skip


def world_figure(
    world: WorldCutoffs, title: str, sites: Mapping[str, tuple[float, float]], which: str = "effective"
) -> Figure:
    """Draw one of the cutoffs over the Earth, with contours in GV.

    Parameters
    ----------
    world : WorldCutoffs
    title : str
    sites : mapping of (float, float)
        Latitude and longitude of places by name, degrees.
    which : str
        ``upper``, ``lower`` or ``effective``.

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(9.0, 5.2))
    values = getattr(world, f"{which}_GV")
    mesh = ax.pcolormesh(
        _edges(world.lon_deg), _edges(world.lat_deg), values, cmap="viridis", vmin=0.0, rasterized=True
    )
    draw_coastlines(ax, colors="white", linewidths=0.7)
    levels = [level for level in LEVELS_GV if values.min() < level < values.max()]
    if levels and min(values.shape) > 2:
        lon, around = _around(world.lon_deg, values)
        lines = ax.contour(lon, world.lat_deg, around, levels, colors="black", linewidths=0.7)
        ax.clabel(lines, fmt="%g", fontsize=7)
    _sites(ax, sites)
    map_axes(ax)
    ax.set_title(title)
    figure.colorbar(mesh, ax=ax, label=f"{which.capitalize()} rigidity cutoff (GV)", shrink=0.8)
    return figure


def change_figure(
    world: WorldCutoffs, before: WorldCutoffs, title: str, sites: Mapping[str, tuple[float, float]]
) -> Figure:
    """Draw the difference of the effective cutoffs of two dates over the Earth.

    Parameters
    ----------
    world, before : WorldCutoffs
        On one grid; the difference is the first minus the second.
    title : str
    sites : mapping of (float, float)
        Latitude and longitude of places by name, degrees.

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(9.0, 5.2))
    values = world.effective_GV - before.effective_GV
    most = max(float(np.abs(values).max()), 1e-3)
    mesh = ax.pcolormesh(
        _edges(world.lon_deg), _edges(world.lat_deg), values, cmap="RdBu_r", vmin=-most, vmax=most, rasterized=True
    )
    draw_coastlines(ax)
    levels = [level for level in CHANGES_GV if values.min() < level < values.max()]
    if levels and min(values.shape) > 2:
        lon, around = _around(world.lon_deg, values)
        lines = ax.contour(lon, world.lat_deg, around, levels, colors="black", linewidths=0.7)
        ax.clabel(lines, fmt="%g", fontsize=7)
    _sites(ax, sites)
    map_axes(ax)
    ax.set_title(title)
    figure.colorbar(mesh, ax=ax, label="Change of the effective cutoff (GV)", shrink=0.8)
    return figure
