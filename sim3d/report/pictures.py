"""Figures for ``sim3d report``: those of ``sim3d plot`` at a smaller width, legible on a phone."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from sim3d.plots import style
from sim3d.plots.axes import energy_axis, legend_below
from sim3d.results import windows
from sim3d.results.jackknife import jackknife

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result

WIDTH_IN = 4.8
"""On a phone of 390 points across, text of 10 pt is then about 11 points high."""

_DPI = 180

_TITLE = 56
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
            if len(title) > _TITLE:
                # a formula is shorter than its source and may not be broken
                pieces = title.split(";  ") if "$" in title else textwrap.wrap(title, _TITLE)
                figure.suptitle("\n".join(pieces), fontsize=10)
        stream = io.BytesIO()
        figure.savefig(stream, format="png", dpi=_DPI, metadata={"Software": None})
    return _with_palette(stream)


def _with_palette(stream: io.BytesIO) -> bytes:
    """Reduce a PNG to 256 colours, a third of its size: the page is to load at once."""
    from PIL import Image

    with Image.open(stream) as image:
        small = image.convert("RGB").quantize(256)
    out = io.BytesIO()
    small.save(out, format="png", optimize=True)
    return out.getvalue()


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
    figure, ax = style.subplots(figsize=(4.8, 3.6))
    value, error = jackknife(lambda mean: mean, groups, result.group_weights)
    # shown to where errors reach 100%
    energy_axis(ax, centres, value, 0.5 * error)
    for i, flavour in enumerate(result.flavours):
        known = (value[i] > 0) & np.isfinite(error[i]) & (error[i] > 0)
        look = style.points(flavour)
        del look["elinewidth"]
        ax.plot(centres[known], 100.0 * error[i][known] / value[i][known], **look)
    ax.set(
        yscale="log",
        ylim=(0.1, 120.0),
        xlabel="Neutrino energy (GeV)",
        ylabel="Relative statistical error (%)",
        title=f"{style.title(site)}: average over the sky, 10 bins per decade",
    )
    ax.set_yticks([0.1, 1, 10, 100], ["0.1", "1", "10", "100"])
    legend_below(figure, ax)
    return figure
