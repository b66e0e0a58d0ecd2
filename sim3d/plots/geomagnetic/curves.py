"""Draw cutoffs by date, by geomagnetic latitude and by azimuth, next to Stoermer's formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.plots import style
from sim3d.plots.axes import COMPASS_LABELS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.cutoffs.curves import AzimuthCurve, LatitudeCurve
    from geomag.cutoffs.series import CutoffSeries


def series_figure(found: CutoffSeries, title: str) -> Figure:
    """Draw the three cutoffs of a place against the date.

    Parameters
    ----------
    found : CutoffSeries
    title : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.4, 4.2))
    ax.fill_between(
        found.year, found.lower_GV, found.upper_GV, color=style.BLUE, alpha=0.2, linewidth=0, label="lower to upper"
    )
    ax.plot(found.year, found.effective_GV, "o-", color=style.BLUE, label="effective")
    ax.set_xlabel("Year")
    ax.set_ylabel("Rigidity cutoff (GV)")
    ax.set_title(title)
    ax.legend()
    return figure


def latitude_figure(found: LatitudeCurve, title: str) -> Figure:
    """Draw cutoffs and allowed shares against geomagnetic latitude.

    Parameters
    ----------
    found : LatitudeCurve
    title : str

    Returns
    -------
    Figure
        Two panels, or one without rigidities for the shares.
    """
    shares = len(found.rigidity_GV) > 0
    figure, axes = style.subplots(
        2 if shares else 1, 1, figsize=(6.4, 6.6 if shares else 4.2), sharex=True, squeeze=False
    )
    ax = axes[0, 0]
    mean = found.effective_GV.mean(axis=1)
    low, high = found.effective_GV.min(axis=1), found.effective_GV.max(axis=1)
    ax.fill_between(
        found.lat_deg, low, high, color=style.BLUE, alpha=0.2, linewidth=0, label="lowest to highest longitude"
    )
    ax.plot(found.lat_deg, mean, "o-", color=style.BLUE, label="effective, mean over longitude")
    ax.plot(found.lat_deg, found.stoermer_GV.mean(axis=1), "--", color=style.BLACK, label="Stoermer, centred dipole")
    ax.set_ylabel("Rigidity cutoff (GV)")
    ax.set_ylim(bottom=0.0)
    ax.legend()
    ax.set_title(title)
    if shares:
        ax = axes[1, 0]
        colours = (style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.BLUE, style.GREY)
        for j, rigidity in enumerate(found.rigidity_GV):
            colour, marker = colours[j % len(colours)], "osD^v<"[j % 6]
            ax.plot(found.lat_deg, found.allowed_share[:, j], marker=marker, color=colour, label=f"{rigidity:g} GV")
        ax.set_ylabel("Allowed share of the sky")
        ax.set_ylim(-0.03, 1.03)
        ax.legend(loc="center")
    axes[-1, 0].set_xlabel("Geomagnetic latitude (degrees)")
    axes[-1, 0].set_xlim(-90.0, 90.0)
    axes[-1, 0].set_xticks(range(-90, 91, 30))
    return figure


def azimuth_figure(found: AzimuthCurve, title: str) -> Figure:
    """Draw cutoffs of a place and zenith angle against azimuth, N-E-S-W-N.

    Parameters
    ----------
    found : AzimuthCurve
    title : str

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.4, 4.4))
    x = np.append(found.azimuth_from_north_deg, found.azimuth_from_north_deg[0] + 360.0)

    def closed(values: np.ndarray) -> np.ndarray:
        return np.append(values, values[0])

    ax.fill_between(
        x,
        closed(found.lower_GV),
        closed(found.upper_GV),
        color=style.BLUE,
        alpha=0.2,
        linewidth=0,
        label="lower to upper",
    )
    ax.plot(x, closed(found.effective_GV), "o-", color=style.BLUE, label="effective")
    ax.plot(x, closed(found.stoermer_GV), "--", color=style.BLACK, label="Stoermer, centred dipole")
    ax.set_xlim(0.0, 360.0)
    ax.set_xticks([0, 90, 180, 270, 360], COMPASS_LABELS)
    ax.set_ylim(bottom=0.0)
    ax.set_xlabel("Particles come from (compass bearing)")
    ax.set_ylabel("Rigidity cutoff (GV)")
    ax.set_title(title)
    ax.legend()
    return figure
