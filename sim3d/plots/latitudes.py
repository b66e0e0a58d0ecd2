"""Figure of ``sim3d primaries --latitudes``: spectra of primary protons by band of geomagnetic latitude."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps, rc_context

from sim3d.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.studies.latitude_bands import LatitudeBands

_MARKERS = "osD^v<>phX*"


def draw(found: LatitudeBands, folder: Path, title: str) -> list[Path]:
    """Draw ``primaries-latitudes`` (PNG and PDF) into a folder that exists; gives the paths written."""
    with rc_context(style.RC):
        figure = spectra(found, title)
        written = style.save(figure, folder, "primaries-latitudes")
    return written


def spectra(found: LatitudeBands, title: str) -> Figure:
    """Flux against kinetic energy, a line per band; where no trajectory is allowed there is no point."""
    figure, ax = style.subplots(figsize=(6.4, 5.4))
    # dark to light from the equator to the poles, so that the order shows in grey print too
    colours = colormaps["viridis"](np.linspace(0.0, 0.88, len(found.bands)))
    ax.plot(found.energy_GeV, found.outside, color=style.BLACK, linestyle="--", zorder=9, label="without field")
    for i, (band, colour) in enumerate(zip(found.bands, colours, strict=True)):
        seen = band.share > 0.0
        label = rf"${band.low_rad:.2g} - {band.high_rad:.3g}$"
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
    ax.legend(title="|geomagnetic latitude| (rad)", loc="lower left")
    return figure
