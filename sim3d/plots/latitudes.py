"""Draw spectra of primary protons in bands of geomagnetic latitude."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps, rc_context

from sim3d.plots import style
from sim3d.plots.axes import plain_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.studies.latitude_bands import LatitudeBands

_MARKERS = "osD^v<>phX*"


def draw(found: LatitudeBands, folder: Path, title: str, about: Sequence[str] = ()) -> list[Path]:
    """Draw and save the figure ``primaries-latitudes``.

    Parameters
    ----------
    found : LatitudeBands
    folder : Path
        Must exist.
    title : str
    about : sequence of str
        Field and source, for the line below the figure.

    Returns
    -------
    list of Path
        Files written (PNG and PDF).
    """
    with rc_context(style.RC):
        figure = spectra(found, title)
        written = style.save(figure, folder, "primaries-latitudes", about)
    return written


def spectra(found: LatitudeBands, title: str) -> Figure:
    """Draw the flux against kinetic energy, one series per band, as far as it is known to 50%.

    Parameters
    ----------
    found : LatitudeBands
    title : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(7.2, 5.0))
    # dark to light from the equator to the poles, so that the order shows in grey print too
    colours = colormaps["viridis"](np.linspace(0.0, 0.88, len(found.bands)))
    ax.plot(found.energy_GeV, found.outside, color=style.BLACK, linestyle="--", zorder=9, label="without field")
    for i, (band, colour) in enumerate(zip(found.bands, colours, strict=True)):
        seen = (band.share > 0.0) & (band.flux_error < 0.5 * band.flux)
        label = f"{np.degrees(band.low_rad):.0f} to {np.degrees(band.high_rad):.0f}"
        marker = _MARKERS[i % len(_MARKERS)]
        look = {"color": colour, "marker": marker, "markersize": 3.2, "elinewidth": 0.8, "linewidth": 0.9}
        ax.errorbar(found.energy_GeV[seen], band.flux[seen], band.flux_error[seen], label=label, **look)
    highest = float(found.outside.max())
    ax.set(
        xscale="log",
        yscale="log",
        ylim=(2e-5 * highest, 2.0 * highest),
        title=title,
        xlabel=r"Kinetic energy $E$ of the protons (GeV)",
        ylabel=r"Flux of primary protons (m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{-1}$)",
    )
    plain_ticks(ax)
    # beside the axes: below and in them the curves are everywhere
    figure.legend(title="|geomagnetic\nlatitude| (degrees)", loc="outside right upper", fontsize=8)
    return figure
