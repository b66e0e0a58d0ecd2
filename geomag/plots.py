"""Figures of cutoffs over the sky of a place or of a detector, and of intensity maps.

The caller sets the style (matplotlib's rc).
"""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geomag.arrays import Array
from geomag.cutoffs.cutoff import SkyMap
from geomag.cutoffs.intensity import IntensityMap
from geomag.cutoffs.whole_sky import WholeSky
from geomag.field.igrf import FieldModel
from geomag.geodesy import geodetic_to_cartesian, local_axes
from geomag.sites import SITES

if TYPE_CHECKING:
    from matplotlib.figure import Figure


LEVELS_GV = (0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 3, 5, 7, 10, 15, 20, 30, 40, 50, 60)
SKY_LEVELS_GV = (0.5, 1, 2, 5, 10, 15, 20, 30, 40, 50)
_UNLABELLED_GV = (1,)
_LETTERS_PER_INCH = 12.0


def _edges(centres: Array) -> Array:
    """Cell edges half way between sorted centres, the outer ones as far out."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def sky_map_figure(sky: SkyMap, title: str) -> Figure:
    """Draw the effective cutoff over the sky and the width of the penumbra, azimuth ordered N-E-S-W-N.

    Parameters
    ----------
    sky : SkyMap
        The map.
    title : str
        Place, altitude, date and field.

    Returns
    -------
    matplotlib.figure.Figure
        Two panels: the effective cutoff, and the upper minus the lower one.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    x, order = _compass_edges(sky.azimuth_from_north_deg)
    rows = np.argsort(sky.zenith_deg)
    y = _edges(sky.zenith_deg[rows])
    y[0], y[-1] = max(y[0], 0.0), min(y[-1], 90.0)
    # a logarithmic scale shows the west's structure beside the east's height
    low, high = float(sky.effective_GV.min()), float(sky.effective_GV.max()) * 1.001
    low = min(max(low, 1e-3 * high), 0.999 * high)
    figure = Figure(figsize=(7.0, 6.6), layout="constrained")
    top, bottom = figure.subplots(2, 1, sharex=True, sharey=True)
    shown = np.maximum(sky.effective_GV[np.ix_(rows, order)], low)
    mesh = top.pcolormesh(x, y, shown, cmap="viridis", norm=LogNorm(low, high), rasterized=True)
    levels = [v for v in LEVELS_GV if low < v < high]
    if min(shown.shape) > 2 and levels:
        at, around = _around(sky.azimuth_from_north_deg[order], shown)
        lines = top.contour(at, sky.zenith_deg[rows], around, levels, colors="white", linewidths=0.8)
        top.clabel(lines, fmt="%g", fontsize=8)
    bar = figure.colorbar(mesh, ax=top, label="effective cutoff (GV)", aspect=18)
    bar.set_ticks([v for v in LEVELS_GV if low <= v <= high] or [low])
    bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    width = (sky.upper_GV - sky.lower_GV)[np.ix_(rows, order)]
    mesh = bottom.pcolormesh(x, y, width, cmap="magma", vmin=0.0, vmax=max(float(width.max()), 1e-3), rasterized=True)
    figure.colorbar(mesh, ax=bottom, label="upper minus lower cutoff (GV)", aspect=18)
    for axis in (top, bottom):
        axis.set_ylabel("zenith angle (degrees)")
        axis.tick_params(which="both", color="white")
        axis.minorticks_off()
    top.set_ylim(y[-1], y[0])
    bottom.set_xlim(0.0, 360.0)
    bottom.set_xticks([0, 90, 180, 270, 360], COMPASS_LABELS)
    bottom.set_xlabel("Particles come from (compass bearing)")
    figure.suptitle(title, fontsize=10)
    return figure


COMPASS_LABELS = ["N\n0°", "E\n90°", "S\n180°", "W\n270°", "N\n"]
"""Letters and bearings below an axis with azimuth."""


def _compass_edges(azimuth_from_north_deg: Array) -> tuple[Array, NDArray[np.intp]]:
    """Cell edges of azimuths from 0 to 360 degrees, and their order from north through east."""
    across = np.asarray(azimuth_from_north_deg) % 360.0
    order = np.argsort(across)
    edges = _edges(across[order])
    edges[0], edges[-1] = max(edges[0], 0.0), min(edges[-1], 360.0)
    return edges, order


def _around(across: Array, values: Array) -> tuple[Array, Array]:
    """Repeat the first and last column beyond 0 and 360 degrees, so that contours reach the rim."""
    at = np.concatenate([[across[-1] - 360.0], across, [across[0] + 360.0]])
    return at, np.hstack([values[:, -1:], values, values[:, :1]])


def whole_sky_figure(maps: Sequence[tuple[str, WholeSky]], title: str) -> Figure:
    """Draw effective cutoffs over whole skies, azimuth ordered N-E-S-W-N.

    Parameters
    ----------
    maps : sequence of (str, WholeSky)
        One panel each, with its name, from top to bottom.
    title : str
        Above all panels.

    Returns
    -------
    matplotlib.figure.Figure
        Panels with a common colour scale.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, StrMethodFormatter

    # what is below a tenth of a GV cannot make a pion and would take half of the colours
    low = max(0.1, min(float(sky.effective_GV.min()) for _, sky in maps))
    high = max(2.0 * low, max(float(sky.effective_GV.max()) for _, sky in maps) * 1.001)
    levels = [v for v in SKY_LEVELS_GV if low < v < high]
    figure = Figure(figsize=(6.4, 1.0 + 3.3 * len(maps)), layout="constrained")
    axes = figure.subplots(len(maps), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for axis, (name, sky) in zip(axes, maps, strict=True):
        x, order = _compass_edges(sky.azimuth_from_north_deg)
        shown = np.maximum(sky.effective_GV[:, order], low)
        y = _edges(sky.cos_zenith)
        mesh = axis.pcolormesh(x, y, shown, cmap="viridis", norm=LogNorm(low, high), rasterized=True)
        if levels and min(shown.shape) > 2:
            at, around = _around(sky.azimuth_from_north_deg[order] % 360.0, shown)
            lines = axis.contour(at, sky.cos_zenith, around, levels, colors="white", linewidths=0.7)
            # the lines of 0.5, 1 and 2 GV are close: numbers beside each other would read as one
            axis.clabel(lines, [v for v in levels if v not in _UNLABELLED_GV], fmt="%g", fontsize=8)
        axis.axhline(0.0, color="white", linewidth=0.8, linestyle=":")
        axis.set_xlim(0.0, 360.0)
        axis.set_ylim(y[0], y[-1])
        axis.set_ylabel(r"$\cos\theta_{\rm zenith}$ (+1: from above)")
        axis.text(
            0.012, 0.97, name, transform=axis.transAxes, va="top", ha="left", color="black",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
        axis.tick_params(which="both", color="white")
        axis.minorticks_off()
    axes[-1].set_xticks([0, 90, 180, 270, 360], COMPASS_LABELS)
    axes[-1].set_xlabel("The neutrino, and its primary, come from (compass bearing)")
    if title:
        figure.suptitle(title, fontsize=10)
    bar = figure.colorbar(mesh, ax=list(axes), label="effective rigidity cutoff (GV)", aspect=40)
    bar.set_ticks([v for v in LEVELS_GV if low <= v <= high])
    bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure


_SHOWN_SITES = {"sno": "SNO", "kamioka": "Super-K"}


def intensity_figure(
    maps: Sequence[IntensityMap], field: FieldModel, title: str, coastlines: Sequence[Array] = ()
) -> Figure:
    """Draw intensity maps, with the dip equator and the SNO and Super-Kamiokande sites for orientation.

    Parameters
    ----------
    maps : sequence of IntensityMap
        One panel each.
    field : FieldModel
        The field they were made in.
    title : str
        Above all panels.
    coastlines : sequence of array, shape (points, 2)
        Longitude and latitude of lines to draw, degrees.

    Returns
    -------
    matplotlib.figure.Figure
        Panels in two columns (one for a single map).
    """
    from matplotlib.figure import Figure

    columns = 1 if len(maps) == 1 else 2
    rows = -(-len(maps) // columns)
    size = (6.4, 4.0) if columns == 1 else (9.0, 0.9 + 2.15 * rows)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True)
    lon, lat = np.arange(-180.0, 181.0, 2.0), np.arange(-88.0, 89.0, 2.0)
    lon2, lat2 = np.meshgrid(lon, lat)
    up = local_axes(lat2, lon2)[..., 2, :]
    dip = (field.field_xyz(geodetic_to_cartesian(lat2, lon2, 0.0)) * up).sum(axis=-1)
    for axis, one in zip(grid.flat, maps, strict=False):
        x, y = _edges(one.lon_deg), _edges(one.lat_deg)
        mesh = axis.pcolormesh(x, y, one.fraction, cmap="viridis", vmin=0.0, vmax=1.0, rasterized=True)
        for line in coastlines:
            axis.plot(line[:, 0], line[:, 1], color="white", linewidth=0.5)
        axis.contour(lon, lat, dip, [0.0], colors="white", linewidths=0.9, linestyles="--")
        for name, label in _SHOWN_SITES.items():
            place = SITES[name]
            axis.plot(place.lon, place.lat, "+", color="white", markersize=10, markeredgewidth=2.6)
            axis.plot(place.lon, place.lat, "+", color="black", markersize=9, markeredgewidth=1.2)
            axis.annotate(
                label, (place.lon, place.lat), (-5, 5), textcoords="offset points", ha="right", color="black",
                fontsize=7,
                bbox={"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 0.8},
            )  # fmt: skip
        axis.set_title(f"{one.rigidity_GV:g} GeV/c")
        axis.set_xticks([-120, -60, 0, 60, 120])
        axis.set_yticks([-90, -45, 0, 45, 90])
        axis.set_xlim(-180.0, 180.0)
        axis.set_ylim(-90.0, 90.0)
        axis.minorticks_off()
        axis.set_aspect("equal")
    for axis in grid.flat[len(maps) :]:
        axis.set_visible(False)
    for axis in grid[-1]:
        axis.set_xlabel("Longitude (degrees east)")
    for axis in grid[:, 0]:
        axis.set_ylabel("Latitude (degrees)")
    words = textwrap.wrap(f"{title}; dashed: dip equator", round(_LETTERS_PER_INCH * size[0]))
    figure.suptitle("\n".join(words), fontsize=10)
    figure.colorbar(mesh, ax=list(grid.flat), label="Intensity / without field", aspect=20 * rows, shrink=0.8)
    return figure
