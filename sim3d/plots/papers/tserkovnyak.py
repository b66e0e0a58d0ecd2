"""Draw the figures of Tserkovnyak et al. from a result: energy, azimuth and zenith distributions at a site.

Lines and symbols of FLUKA are those of its Super-Kamiokande table, which is for solar maximum and has no bending in the
air; asymmetries are those that Tserkovnyak et al. print. All error bars are one standard deviation (jackknife).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.analysis import asymmetry
from sim3d.analysis import reference as compare
from sim3d.analysis.reference import fluka_grid
from sim3d.analysis.trends import smooth_curves, zenith_coordinate
from sim3d.plots import result as plots
from sim3d.plots import style
from sim3d.plots.axes import ZENITH_LABEL, draw_curve, draw_points, legend_below, outer_labels
from sim3d.plots.papers.plan import NotMade
from sim3d.results import windows
from sim3d.results.jackknife import jackknife

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result

FLUKA_LABEL = "FLUKA, solar maximum"


def energy(result: Result, site: str) -> Figure:
    """Draw spectra averaged over the sky; at Kamioka FLUKA's are drawn as lines.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure = plots.spectra(result, site)
    ax = figure.axes[0]
    if site != compare.FLUKA_SITE:
        return figure
    grid = fluka_grid()
    weight = grid.energy_GeV**plots.SPECTRAL_INDEX
    for i, flavour in enumerate(result.flavours):
        ax.plot(grid.energy_GeV, grid.sky_average()[i] * weight, ":", color=style.COLOURS[flavour], zorder=0)
    ax.plot([], [], ":", color=style.GREY, label=FLUKA_LABEL)
    figure.legends[0].remove()
    legend_below(figure, ax)
    return figure


def azimuth(result: Result, site: str) -> Figure:
    """Draw azimuth distributions in the window of the asymmetry; computed and published asymmetries are in the text.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    figure = plots.azimuth(result, site)
    others = asymmetry.published(site)
    known = [others[flavour] for flavour in result.flavours if flavour in others]
    if not any(one.paper is not None for one in known):
        return figure
    for ax, one in zip(figure.axes, known, strict=True):
        if one.paper is not None:
            text = rf"Tserkovnyak et al.: $A = {one.paper:.3f} \pm {one.paper_error or 0.0:.3f}$"
            ax.text(0.97, 0.04, text, transform=ax.transAxes, ha="right", va="bottom", fontsize=8)
    # room for the words under the points
    low, high = figure.axes[0].get_ylim()
    figure.axes[0].set_ylim(low - 0.18 * (high - low), high)
    return figure


def zenith(result: Result, site: str) -> Figure:
    """Draw zenith distributions in the paper's energy window, by flavour; at Kamioka FLUKA's are drawn as crosses.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Figure
    """
    window = asymmetry.ENERGY_WINDOW_GEV
    edges = np.asarray(result.energy_edges_GeV)
    chosen = windows.full_bins(result, window)
    if len(chosen) == 0:
        raise NotMade(f"the run scores nothing between {window[0]:g} and {window[1]:g} GeV")
    groups = np.asarray(result.groups_east_west(site)).mean(axis=-1)[:, :, chosen]
    flux = np.einsum("gfec,e->gfc", groups, np.diff(edges)[chosen])
    flux = flux.reshape(*flux.shape[:2], -1, 2).mean(axis=-1)
    value, error = jackknife(lambda mean: mean, flux, result.group_weights)
    cosines = np.asarray(result.cos_zenith_edges)
    centres = cosines[1:-1:2]
    # the window in whole bins, as for the result
    low, high = float(edges[chosen[0]]), float(edges[chosen[-1] + 1])
    grid = fluka_grid()
    reference = grid.integral((low, high))
    fine = np.linspace(-1.0, 1.0, 201)
    curves, spreads = smooth_curves(zenith_coordinate(centres), value, error, zenith_coordinate(fine))
    figure, axes = style.subplots(2, 2, figsize=(7.4, 5.8), sharex=True)
    for ax, (i, flavour) in zip(axes.flat, enumerate(result.flavours), strict=True):
        draw_curve(ax, fine, curves[i], spreads[i], style.COLOURS[flavour], line=style.LINES[flavour])
        draw_points(ax, centres, value[i], error[i], style.points(flavour), zeros=False)
        top = float(np.nanmax(np.append(value[i] + np.nan_to_num(error[i]), 0.0)))
        if site == compare.FLUKA_SITE:
            ax.plot(grid.cos_zenith, reference[i], "x", color=style.BLACK, markersize=5, linestyle="-", linewidth=0.6)
            top = max(top, float(reference[i].max()))
        ax.set(xlim=(-1, 1), ylim=(0, 1.15 * top or 1.0), title=style.LABELS[flavour])
        if top == 0.0:
            ax.text(0.5, 0.5, "no hits", transform=ax.transAxes, ha="center")
    outer_labels(axes, ZENITH_LABEL, r"$\int\Phi\,dE$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$)")
    extra = f", {FLUKA_LABEL} (crosses)" if site == compare.FLUKA_SITE else ""
    figure.suptitle(f"{style.title(site)}: {low:.2g} to {high:.2g} GeV, this run (points, lines){extra}", fontsize=11)
    return figure
