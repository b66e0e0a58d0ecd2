"""Draw asymptotic directions on a map of the Earth, as is usual for neutron monitors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.geomagnetic.coastlines import draw_coastlines, map_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from geomag.field.igrf import FieldModel
    from geomag.trajectories.asymptotic import AsymptoticDirections

LABELLED_GV = (0.5, 1, 2, 3, 5, 10, 20, 50, 100)
_LARGEST_GAP_DEG = 25.0
_COMPASS = ("north", "north-east", "east", "south-east", "south", "south-west", "west", "north-west")


def direction_name(zenith_deg: float, azimuth_from_north_deg: float) -> str:
    """Name a direction of arrival: by the compass if it is one of eight.

    Parameters
    ----------
    zenith_deg, azimuth_from_north_deg : float
        Where the particle comes from, degrees.

    Returns
    -------
    str
    """
    if zenith_deg == 0:
        return "vertical"
    eighth = azimuth_from_north_deg / 45.0
    name = _COMPASS[round(eighth) % 8] if eighth == round(eighth) else f"azimuth {azimuth_from_north_deg:g}"
    return f"zenith {zenith_deg:g}, from {name}"


def _line(ax: Axes, lon: Array, lat: Array, colour: str) -> None:
    """Draw a line that is cut at 180 degrees and where neighbours are far apart, as in the penumbra."""
    apart = np.hypot(np.diff(lon) * np.cos(np.radians(lat[1:])), np.diff(lat)) > _LARGEST_GAP_DEG
    cuts = np.flatnonzero(apart) + 1
    for piece_lon, piece_lat in zip(np.split(lon, cuts), np.split(lat, cuts), strict=True):
        ax.plot(piece_lon, piece_lat, "-", color=colour, linewidth=0.9)


def asymptotic_figure(found: AsymptoticDirections, place: tuple[float, float], field: FieldModel, title: str) -> Figure:
    """Draw the directions of every arrival direction by rigidity, with the place and the geomagnetic equator.

    Parameters
    ----------
    found : AsymptoticDirections
    place : (float, float)
        Latitude and longitude, degrees.
    field : FieldModel
        For the equator of its centred dipole.
    title : str

    Returns
    -------
    Figure
    """
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    from geomag.field.dipole import geomagnetic_direction

    figure, ax = style.subplots(figsize=(9.0, 5.2))
    draw_coastlines(ax)
    equator = geomagnetic_direction(field, np.zeros(361), np.arange(361.0))
    lat, lon = np.degrees(np.arcsin(equator[:, 2])), np.degrees(np.arctan2(equator[:, 1], equator[:, 0]))
    order = np.argsort(lon)
    ax.plot(lon[order], lat[order], "--", color=style.GREY, linewidth=0.8, label="geomagnetic equator (dipole)")
    low, high = float(found.rigidity_GV.min()), float(found.rigidity_GV.max())
    norm = LogNorm(low, max(high, 1.01 * low))
    colours = (style.BLACK, style.BLUE, style.VERMILION, style.GREEN, style.PURPLE)
    names = []
    points = None
    for i, (zenith, azimuth) in enumerate(zip(found.zenith_deg, found.azimuth_from_north_deg, strict=True)):
        allowed = found.verdict[i] == 1
        if not allowed.any():
            continue
        colour = colours[i % len(colours)]
        name = direction_name(zenith, azimuth)
        names.append((colour, name))
        order = np.flatnonzero(allowed)[np.argsort(found.rigidity_GV[allowed])]
        _line(ax, found.lon_deg[i, order], found.lat_deg[i, order], colour)
        points = ax.scatter(
            found.lon_deg[i, order], found.lat_deg[i, order], c=found.rigidity_GV[order], cmap="viridis", norm=norm,
            s=14, edgecolors=colour, linewidths=0.5, zorder=3,
        )  # fmt: skip
        if i == 0:
            for rigidity in LABELLED_GV:
                at = order[np.argmin(np.abs(found.rigidity_GV[order] - rigidity))]
                if abs(found.rigidity_GV[at] - rigidity) < 0.02 * rigidity:
                    ax.annotate(
                        f"{rigidity:g}", (found.lon_deg[i, at], found.lat_deg[i, at]), (4, 4),
                        textcoords="offset points", fontsize=8, zorder=5,
                        bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.5},
                    )  # fmt: skip
    east = (place[1] + 180.0) % 360.0 - 180.0
    ax.plot(
        east, place[0], "*", color=style.VERMILION, markersize=12, markeredgecolor="black", zorder=4, label="the place"
    )
    if len(names) > 1:
        for colour, name in names:
            ax.plot([], [], "-", color=colour, label=name)
    map_axes(ax)
    ax.set_ylabel("Latitude of the direction (degrees)")
    ax.set_xlabel("Longitude of the direction (degrees)")
    ax.set_title(title)
    ax.legend(loc="lower left", fontsize=8, frameon=True, framealpha=0.85)
    if points is not None:
        bar = figure.colorbar(points, ax=ax, label="Rigidity (GV)", shrink=0.8)
        bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
        bar.ax.yaxis.set_minor_formatter(NullFormatter())
        bar.set_ticks([r for r in LABELLED_GV if low <= r <= high] or [low])
    return figure
