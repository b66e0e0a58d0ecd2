"""Figures of cutoffs over the sky of a place or of a detector, and of intensity maps.

The caller sets the style (matplotlib's rc).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

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


def _edges(centres: Array) -> Array:
    """Cell edges half way between sorted centres, the outer ones as far out."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    middle = 0.5 * (centres[1:] + centres[:-1])
    return np.concatenate([[2 * centres[0] - middle[0]], middle, [2 * centres[-1] - middle[-1]]])


def sky_map_figure(sky: SkyMap, title: str) -> Figure:
    """Draw the three cutoffs over the sky, azimuth ordered N-W-S-E-N as in Tserkovnyak et al.

    Parameters
    ----------
    sky : SkyMap
        The map.
    title : str
        Place, altitude, date and field.

    Returns
    -------
    matplotlib.figure.Figure
        Three panels with a common colour scale.
    """
    from matplotlib.colors import LogNorm
    from matplotlib.figure import Figure
    from matplotlib.ticker import NullFormatter, ScalarFormatter

    across = (360.0 - sky.azimuth_from_north_deg) % 360.0
    order = np.argsort(across)
    cosine = np.cos(np.radians(sky.zenith_deg))
    rows = np.argsort(cosine)
    x, y = _edges(across[order]), _edges(cosine[rows])
    x[0], x[-1] = max(x[0], 0.0), min(x[-1], 360.0)
    y[0], y[-1] = max(y[0], 0.0), min(y[-1], 1.0)
    panels = (("upper", sky.upper_GV), ("effective", sky.effective_GV), ("lower", sky.lower_GV))
    # a logarithmic scale shows the west's structure beside the east's height
    low, high = float(sky.lower_GV.min()), float(sky.upper_GV.max()) * 1.001
    levels = [v for v in LEVELS_GV if low < v < high]
    figure = Figure(figsize=(6.4, 7.6), layout="constrained")
    axes = figure.subplots(3, 1, sharex=True, sharey=True)
    for axis, (name, values) in zip(axes, panels, strict=True):
        shown = values[np.ix_(rows, order)]
        mesh = axis.pcolormesh(x, y, shown, cmap="viridis", norm=LogNorm(low, high), rasterized=True)
        if min(shown.shape) > 2 and levels and name != "lower":  # the penumbra makes lines there ragged
            lines = axis.contour(across[order], cosine[rows], shown, levels, colors="white", linewidths=0.8)
            axis.clabel(lines, fmt="%g", fontsize=8)
        axis.set_ylabel(r"$\cos\,\theta_{\rm zenith}$")
        axis.text(
            0.012, 0.95, name, transform=axis.transAxes, va="top", ha="left", color="black",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
        axis.tick_params(which="both", color="white")
        axis.minorticks_off()
    axes[0].set_title(title)
    axes[-1].set_xticks([0, 90, 180, 270, 360], ["N", "W", "S", "E", "N"])
    axes[-1].set_xlabel("direction the particle comes from")
    bar = figure.colorbar(mesh, ax=list(axes), label="rigidity cutoff (GV)", aspect=40)
    bar.set_ticks([v for v in LEVELS_GV if low <= v <= high])
    bar.ax.yaxis.set_major_formatter(ScalarFormatter())
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure


def whole_sky_figure(maps: Sequence[tuple[str, WholeSky]], title: str) -> Figure:
    """Draw effective cutoffs over whole skies, azimuth ordered N-W-S-E-N as in Tserkovnyak et al.

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
        across = (360.0 - sky.azimuth_from_north_deg) % 360.0
        order = np.argsort(across)
        shown = np.maximum(sky.effective_GV[:, order], low)
        x, y = _edges(across[order]), _edges(sky.cos_zenith)
        mesh = axis.pcolormesh(x, y, shown, cmap="viridis", norm=LogNorm(low, high), rasterized=True)
        if levels and min(shown.shape) > 2:
            lines = axis.contour(across[order], sky.cos_zenith, shown, levels, colors="white", linewidths=0.7)
            axis.clabel(lines, fmt="%g", fontsize=8)
        axis.axhline(0.0, color="white", linewidth=0.8, linestyle=":")
        axis.set_ylabel(r"$\cos\,\theta_{\rm zenith}$ (+1: from above)")
        axis.text(
            0.012, 0.97, name, transform=axis.transAxes, va="top", ha="left", color="black",
            bbox={"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 2.0},
        )  # fmt: skip
        axis.tick_params(which="both", color="white")
        axis.minorticks_off()
    axes[-1].set_xticks([0, 90, 180, 270, 360], ["N", "W", "S", "E", "N"])
    axes[-1].set_xlabel("direction the neutrino, and its primary, comes from")
    figure.suptitle(title, fontsize=10)
    bar = figure.colorbar(mesh, ax=list(axes), label="effective rigidity cutoff (GV)", aspect=40)
    bar.set_ticks([v for v in LEVELS_GV if low <= v <= high])
    bar.ax.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    bar.ax.yaxis.set_minor_formatter(NullFormatter())
    return figure


def intensity_figure(maps: Sequence[IntensityMap], field: FieldModel, title: str) -> Figure:
    """Draw intensity maps, with the dip equator and the SNO and Super-Kamiokande sites for orientation.

    Parameters
    ----------
    maps : sequence of IntensityMap
        One panel each.
    field : FieldModel
        The field they were made in.
    title : str
        Above all panels.

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
        axis.contour(lon, lat, dip, [0.0], colors="white", linewidths=0.9, linestyles="--")
        for name in ("sno", "kamioka"):
            place = SITES[name]
            axis.plot(place.lon, place.lat, "+", color="white", markersize=10, markeredgewidth=2.6)
            axis.plot(place.lon, place.lat, "+", color="black", markersize=9, markeredgewidth=1.2)
        axis.set_title(f"{one.rigidity_GV:g} GeV/c")
        axis.set_xticks([-180, -90, 0, 90, 180])
        axis.set_yticks([-90, -45, 0, 45, 90])
        axis.minorticks_off()
        axis.set_aspect("equal")
    for axis in grid.flat[len(maps) :]:
        axis.set_visible(False)
    for axis in grid[-1]:
        axis.set_xlabel("longitude (deg east)")
    for axis in grid[:, 0]:
        axis.set_ylabel("latitude (deg)")
    figure.suptitle(f"{title}\ncrosses: SNO and Super-Kamiokande; dashed: dip equator", fontsize=10)
    figure.colorbar(mesh, ax=list(grid.flat), label="intensity / intensity without field", aspect=40)
    return figure
