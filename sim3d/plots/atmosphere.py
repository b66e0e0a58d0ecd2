"""Draw the density profile of an atmosphere by season, relative to the US Standard Atmosphere."""

from __future__ import annotations

import calendar
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import MaxNLocator

from atmosphere import linsley
from sim3d.plots import style

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
        written = style.save(figure, folder, f"atmosphere-{place}-seasons")
    return written


def compare(place: str, seasons: dict[int, LayeredAtmosphere]) -> Figure:
    """Draw the ratios of density and of depth to the US Standard Atmosphere, by height.

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
    standard = linsley()
    for (month, air), (colour, line) in zip(seasons.items(), _LOOKS, strict=False):
        look = {"color": colour, "linestyle": line, "linewidth": 1.4, "label": calendar.month_name[month]}
        left.plot(air.density(height) / standard.density(height), height, **look)
        right.plot(air.depth(height) / standard.depth(height), height, **look)
    for ax, what in ((left, "Density"), (right, "Depth")):
        ax.axvline(1.0, color=style.GREY, linewidth=0.6)
        ax.set(xlabel=f"{what} over that of US Standard 1976", ylim=(0.0, HIGHEST_KM))
        ax.xaxis.set_major_locator(MaxNLocator(5))
    left.set_ylabel("Height (km)")
    left.legend()
    figure.suptitle(f"NRLMSIS, {style.title(place)}", fontsize=10)
    return figure
