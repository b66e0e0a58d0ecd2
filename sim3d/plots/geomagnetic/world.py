"""Draw maps of cutoffs over the Earth, and of their change between two dates, with coast lines and known sites."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import patheffects

from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.geomagnetic.coastlines import draw_coastlines, map_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.contour import ContourSet
    from matplotlib.figure import Figure

    from geomag.cutoffs.world import WorldCutoffs

LEVELS_GV = (0.5, 1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 25, 30, 40, 50, 60)
CHANGES_GV = (-6, -5, -4, -3, -2, -1.5, -1, -0.5, -0.2, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 6)
_MERIDIANS_DEG = np.arange(-165.0, 166.0, 15.0)
_LETTER_DEG, _LINE_DEG = 3.4, 7.0
"""Width and height of a letter of a site's name on the map, degrees."""


def _edges(centres: Array) -> Array:
    """Return the edges of equal cells from their centres."""
    half = 0.5 * (centres[1] - centres[0])
    return np.append(centres - half, centres[-1] + half)


def _around(lon: Array, values: Array) -> tuple[Array, Array]:
    """Repeat the first and last column beyond 180 degrees, so that contours reach the rim."""
    return np.concatenate([[lon[-1] - 360.0], lon, [lon[0] + 360.0]]), np.hstack(
        [values[:, -1:], values, values[:, :1]]
    )


def _label_contours(ax: Axes, lines: ContourSet, sites: Mapping[str, tuple[float, float]]) -> None:
    """Write the values of contours where they cross meridians far from all sites, each value once or twice.

    A contour that crosses none of them gets its label where it is farthest from the sites.
    """
    places = np.array(list(sites.values())) if sites else np.empty((0, 2))

    def distance(lon: Array, lat: Array) -> Array:
        """Distance to the nearest site, degrees on the map; names stretch along the parallel."""
        if not len(places):
            return np.full(np.shape(lon), 360.0)
        east = (np.subtract.outer(lon, places[:, 1]) + 180.0) % 360.0 - 180.0
        return np.asarray(np.hypot(0.6 * east, np.subtract.outer(lat, places[:, 0])).min(axis=-1))

    free = distance(_MERIDIANS_DEG, np.full(_MERIDIANS_DEG.shape, 35.0))
    chosen = [float(_MERIDIANS_DEG[free.argmax()])]
    apart = np.abs((_MERIDIANS_DEG - chosen[0] + 180.0) % 360.0 - 180.0) > 75.0
    chosen.append(float(_MERIDIANS_DEG[np.where(apart, free, -1.0).argmax()]))
    points: list[tuple[float, float]] = []
    for paths in lines.get_paths():
        found: list[tuple[float, float]] = []
        for piece in paths.to_polygons(closed_only=False):
            lon, lat = np.asarray(piece).T
            inside = (np.abs(lon) < 172.0) & (np.abs(lat) < 84.0)
            if not inside.any():
                continue
            crossed = [
                (float(meridian), float(lat[i]))
                for meridian in chosen
                for i in np.flatnonzero(inside[:-1] & ((lon[:-1] - meridian) * (lon[1:] - meridian) <= 0.0))[:1]
            ]
            if not crossed and len(lon) > 8:
                best = int(np.where(inside, distance(lon, lat), -1.0).argmax())
                crossed = [(float(lon[best]), float(lat[best]))]
            found += crossed
        points += [point for point in found if all(np.hypot(*np.subtract(point, other)) > 6.0 for other in points)]
    if points:
        halo: list[patheffects.AbstractPathEffect] = [patheffects.withStroke(linewidth=2.0, foreground="white")]
        for text in ax.clabel(lines, fmt="%g", fontsize=9, manual=points):
            text.set_path_effects(halo)


def _sites(ax: Axes, sites: Mapping[str, tuple[float, float]]) -> None:
    """Mark places given as (latitude, longitude), and write their names beside them where there is room."""
    dots = [((lon + 180.0) % 360.0 - 180.0, lat) for lat, lon in sites.values()]
    taken = [(x - 1.5, y - 1.5, x + 1.5, y + 1.5) for x, y in dots]
    for label in ax.texts:
        x, y = label.get_position()
        taken.append((x - 4.0, y - 3.0, x + 4.0, y + 3.0))
    for name, (east, lat) in zip(sites, dots, strict=True):
        ax.plot(east, lat, "o", color="white", markeredgecolor="black", markersize=4.5, markeredgewidth=0.9)
        width, height = _LETTER_DEG * len(name), _LINE_DEG
        # the first place around the dot, near before far, where the name covers nothing
        for far in (1.0, 2.0, 3.2, 4.6):
            for right, up in ((1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1), (0, 1), (0, -1)):
                x0 = east + (3.0 * far if right > 0 else -3.0 * far - width if right < 0 else -0.5 * width)
                y0 = lat + (5.0 * far * up) - 0.5 * height
                box = (x0, y0, x0 + width, y0 + height)
                inside = -179.0 < x0 < 179.0 - width and -89.0 < y0 < 89.0 - height
                apart = all(box[0] > b[2] or box[2] < b[0] or box[1] > b[3] or box[3] < b[1] for b in taken)
                if inside and apart:
                    break
            else:
                continue
            break
        else:
            x0, y0 = min(max(east + 3.0, -178.0), 178.0 - width), min(max(lat - 0.5 * height, -88.0), 88.0 - height)
        taken.append((x0, y0, x0 + width, y0 + height))
        middle_x, middle_y = x0 + 0.5 * width, y0 + 0.5 * height
        if np.hypot(middle_x - east, middle_y - lat) > 0.5 * width + 6.0:
            ax.plot([east, np.clip(east, x0, x0 + width)], [lat, middle_y], color="black", linewidth=0.6, zorder=3)
        ax.text(
            x0, middle_y, name, fontsize=8, color="black", ha="left", va="center",
            bbox={"facecolor": "white", "alpha": 0.8, "edgecolor": "none", "pad": 0.5},
        )  # fmt: skip


def _contours_and_sites(
    ax: Axes, world: WorldCutoffs, values: Array, levels_GV: Sequence[float], sites: Mapping[str, tuple[float, float]]
) -> None:
    """Draw labelled contours of values on a map where it has any, the sites, and the axes."""
    levels = [level for level in levels_GV if values.min() < level < values.max()]
    if levels and min(values.shape) > 2:
        lon, around = _around(world.lon_deg, values)
        lines = ax.contour(lon, world.lat_deg, around, levels, colors="black", linewidths=0.7)
        _label_contours(ax, lines, sites)
    _sites(ax, sites)
    map_axes(ax)


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
    figure, ax = style.subplots(figsize=(9.0, 4.5))
    values = getattr(world, f"{which}_GV")
    # from pale to a blue on which black letters are still read
    mesh = ax.pcolormesh(
        _edges(world.lon_deg), _edges(world.lat_deg), values, cmap="YlGnBu", vmin=0.0,
        vmax=1.35 * max(float(values.max()), 1e-3), rasterized=True,
    )  # fmt: skip
    draw_coastlines(ax, colors="0.35", linewidths=0.7)
    _contours_and_sites(ax, world, values, LEVELS_GV, sites)
    ax.set_title(title)
    bar = figure.colorbar(mesh, ax=ax, label=f"{which.capitalize()} rigidity cutoff (GV)", shrink=0.88)
    bar.ax.set_ylim(0.0, max(float(values.max()), 1e-3))
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
    figure, ax = style.subplots(figsize=(9.0, 4.5))
    values = world.effective_GV - before.effective_GV
    most = max(float(np.abs(values).max()), 1e-3)
    mesh = ax.pcolormesh(
        _edges(world.lon_deg), _edges(world.lat_deg), values, cmap="RdBu_r", vmin=-most, vmax=most, rasterized=True
    )
    draw_coastlines(ax)
    _contours_and_sites(ax, world, values, CHANGES_GV, sites)
    ax.set_title(title)
    figure.colorbar(mesh, ax=ax, label="Change of the effective cutoff (GV)", shrink=0.88)
    return figure
