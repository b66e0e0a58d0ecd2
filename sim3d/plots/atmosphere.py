"""Draw the density profile of an atmosphere by season, relative to the mean of the seasons."""

from __future__ import annotations

import calendar
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from sim3d.plots import style
from sim3d.plots.axes import legend_below

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from atmosphere import LayeredAtmosphere

HIGHEST_KM = 50.0
_LOOKS = ((style.BLUE, "-"), (style.GREEN, ":"), (style.VERMILION, "--"), (style.ORANGE, "-."))


def draw(place: str, seasons: dict[int, LayeredAtmosphere], folder: Path) -> list[Path]:
    """Draw and save the figure ``atmosphere-<place>-seasons``.

    Parameters
    ----------
    place : str
    seasons : dict of LayeredAtmosphere
        By month.
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF).
    """
    with rc_context(style.RC):
        figure = compare(place, seasons)
        written = style.save(figure, folder, f"atmosphere-{place}-seasons", ["NRLMSIS 2.1"])
    return written


def compare(place: str, seasons: dict[int, LayeredAtmosphere]) -> Figure:
    """Draw the ratios of density and of depth to their means over the seasons, by height.

    The reference is of the same model, because the layers of the US Standard Atmosphere would leave kinks.

    Parameters
    ----------
    place : str
    seasons : dict of LayeredAtmosphere
        By month.

    Returns
    -------
    Figure
    """
    figure, (left, right) = style.subplots(1, 2, figsize=(7.6, 4.4), sharey=True)
    height = np.linspace(0.0, HIGHEST_KM, 401)
    density = {month: air.density(height) for month, air in seasons.items()}
    depth = {month: air.depth(height) for month, air in seasons.items()}
    means = [np.mean(list(values.values()), axis=0) for values in (density, depth)]
    for month, (colour, line) in zip(seasons, _LOOKS, strict=False):
        look = {"color": colour, "linestyle": line, "linewidth": 1.4, "label": calendar.month_name[month]}
        left.plot(density[month] / means[0], height, **look)
        right.plot(depth[month] / means[1], height, **look)
    for ax, what in ((left, "Density"), (right, "Depth")):
        ax.axvline(1.0, color=style.GREY, linewidth=0.6)
        ax.set(xlabel=f"{what} / mean of the months shown", ylim=(0.0, HIGHEST_KM))
        ax.xaxis.set_major_locator(MaxNLocator(5))
    left.set_ylabel("Height (km)")
    legend_below(figure, left)
    figure.suptitle(f"{style.title(place)}: air by season", fontsize=11)
    return figure
