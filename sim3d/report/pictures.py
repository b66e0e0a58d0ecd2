"""Figures for ``sim3d report``: those of ``sim3d plot`` at a smaller width, legible on a phone."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from sim3d.plots import result as plots
from sim3d.plots import style
from sim3d.plots.axes import legend_below
from sim3d.results import windows
from sim3d.results.jackknife import jackknife

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result

WIDTH_IN = 5.4
"""On a phone of 360 points across, text of 10 pt is then about 9 points high."""

_DPI = 180

_TITLE = 64
"""Letters of a title that fit the width."""


def png(make: Callable[[], Figure]) -> bytes:
    """Draw a figure in the project's style, at the report's width, as a PNG.

    Parameters
    ----------
    make : callable
        Draws and returns the figure.

    Returns
    -------
    bytes
        Contents of the PNG file.
    """
    with rc_context(style.RC):
        figure = make()
        width, height = figure.get_size_inches()
        if width > WIDTH_IN:
            # font sizes stay the same: more height makes up for part of the lost width
            figure.set_size_inches(WIDTH_IN, height * (WIDTH_IN / width) ** 0.4)
            title = figure.get_suptitle()
            if len(title) > _TITLE and "$" not in title:
                figure.suptitle("\n".join(textwrap.wrap(title, _TITLE)), fontsize=10)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None}, pil_kwargs={"optimize": True})
    return stream.getvalue()


def precision(result: Result, site: str) -> Figure:
    """Draw the relative statistical error of the sky-averaged flux against energy, 10 bins per decade.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    groups, centres = windows.sky_average(result, site)
    figure, ax = style.subplots(figsize=(5.4, 3.9))
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    for i, flavour in enumerate(result.flavours):
        known = (value[i] > 0) & np.isfinite(error[i]) & (error[i] > 0)
        look = style.points(flavour)
        del look["elinewidth"]
        ax.plot(centres[known], 100.0 * error[i][known] / value[i][known], **look)
    ax.set(
        xscale="log",
        yscale="log",
        xlim=plots.ENERGY_AXIS_GEV,
        ylim=(0.1, 120.0),
        xlabel="Neutrino energy (GeV)",
        ylabel="Relative statistical error (%)",
        title=f"{style.title(site)}: average over the sky, 10 bins per decade",
    )
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    legend_below(figure, ax)
    return figure
