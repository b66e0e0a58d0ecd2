"""Draw ratios of three-dimensional to one-dimensional fluxes, and the effect of bending alone.

The numbers are those of :mod:`sim3d.analysis.dimensions`. Error bars are one standard deviation of the ratio, from a
jackknife over pairs of groups of batches. Points with an error above 30% are left out.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from sim3d.analysis import asymmetry
from sim3d.analysis.dimensions import (
    COLLINEAR,
    FULL,
    STRAIGHT,
    azimuth_groups,
    band_groups,
    bending_asymmetries,
    east_west_window,
    quotient,
    windows,
    zenith_groups,
)
from sim3d.analysis.trends import harmonics, smooth_curves, zenith_coordinate
from sim3d.conventions.arrays import Array
from sim3d.plots import style
from sim3d.plots.axes import (
    ZENITH_LABEL,
    compass,
    compass_axis,
    draw_curve,
    draw_points,
    legend_below,
    outer_labels,
    plain_ticks,
    value_limits,
)
from sim3d.plots.result import asymmetry_figure
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.windows import lowest_energy
from sim3d.results.words import context_lines

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim3d.results.result import Result


ENERGY_EDGES_GEV = 10.0 ** np.arange(-1.0, 2.01, 0.2)
"""Points against energy, five per decade from 0.1 to 100 GeV; they are edges of the fine bins."""

LARGEST_ERROR = 0.3

_OTHER_INPUTS = "Tserkovnyak et al. (2003): other primaries and hadronic models, detectors of 10 x 40 degrees"

RUN_LABELS = {FULL: "3-D", STRAIGHT: "3-D, no bending in the air", COLLINEAR: "1-D"}
_RUN_LOOKS = {FULL: (style.BLUE, "o"), STRAIGHT: (style.ORANGE, "s"), COLLINEAR: (style.GREY, "D")}
_BAND_LOOKS = {
    "horizon, |cos| < 0.1": (style.BLACK, "o"),
    "from above, cos > 0.5": (style.VERMILION, "^"),
    "from below, cos < -0.5": (style.BLUE, "v"),
}


def draw(results: Mapping[str, Result], site: str, folder: Path) -> list[Path]:
    """Draw and save all figures of a site.

    Parameters
    ----------
    results : mapping of Result
        By name of the run.
    site : str
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    full = results[FULL]
    written: list[Path] = []
    with rc_context(style.RC):
        figures = {
            "3d-1d-zenith": zenith(full, results[COLLINEAR], site),
            "3d-1d-energy": energy(full, results[COLLINEAR], site),
        }
        if STRAIGHT in results and east_west_window(full) is not None:
            figures["bending-azimuth"] = azimuth(full, results[STRAIGHT], site)
            figures["bending-asymmetry"] = asymmetries(results, site)
        for name, figure in figures.items():
            about = context_lines(full.record, site)
            if name == "bending-asymmetry" and asymmetry.published(site):
                about = [*about[:-1], _OTHER_INPUTS, about[-1]]
            written += style.save(figure, folder, f"{site}-{name}", about)
    return written


def zenith(full: Result, collinear: Result, site: str) -> Figure:
    """Draw the ratio 3-D / 1-D against zenith in four ranges of energy, 20 bins.

    Parameters
    ----------
    full, collinear : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.6), sharex=True)
    edges = np.asarray(full.cos_zenith_edges)[::2]
    centres = 0.5 * (edges[1:] + edges[:-1])
    fine = np.linspace(-1.0, 1.0, 201)
    for ax in axes.flat:
        ax.set_xlim(-1, 1)
    for ax, window in zip(axes.flat, windows(full)[:4], strict=False):
        value, error = jackknife_of_two(quotient, full, collinear, _in_20_bins(zenith_groups(site, window)))
        curves, spreads = smooth_curves(zenith_coordinate(centres), value, error, zenith_coordinate(fine))
        for i, flavour in enumerate(full.flavours):
            draw_curve(ax, fine, curves[i], spreads[i], style.COLOURS[flavour], line=style.LINES[flavour])
            # side by side, not on top of each other
            _points(ax, centres + 0.012 * (i - 1.5), value[i], error[i], style.points(flavour) | {"alpha": 0.5})
        ax.set_title(f"{window[0]:.3g} to {window[1]:g} GeV")
        value_limits(ax, *_known(value, error), include=1.0, most=0.15)
    _finish(figure, axes, ZENITH_LABEL, f"{style.title(site)}: three dimensions over one")
    return figure


def _in_20_bins(groups: Callable[[Result], Array]) -> Callable[[Result], Array]:
    return lambda result: groups(result).reshape(len(result.group_weights), -1, 20, 2).sum(axis=-1)


def energy(full: Result, collinear: Result, site: str) -> Figure:
    """Draw the ratio 3-D / 1-D against energy near the horizon, from above and from below.

    Parameters
    ----------
    full, collinear : Result
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.6), sharex=True, sharey=True)
    low = lowest_energy(full)
    edges = [one for one in itertools.pairwise(ENERGY_EDGES_GEV.tolist()) if one[0] >= low * 0.999]
    centres = np.array([np.sqrt(a * b) for a, b in edges])
    fine = np.geomspace(centres[0], centres[-1], 121)
    for band, (colour, marker) in _BAND_LOOKS.items():
        found = [jackknife_of_two(quotient, full, collinear, band_groups(site, window, band)) for window in edges]
        look = {"color": colour, "marker": marker, "linestyle": "none", "elinewidth": 0.8, "label": _words(band)}
        for ax, (i, flavour) in zip(axes.flat, enumerate(full.flavours), strict=True):
            value, error = (np.array([one[k][i] for one in found]) for k in (0, 1))
            curves, spreads = smooth_curves(np.log(centres), value[None], error[None], np.log(fine))
            draw_curve(ax, fine, curves[0], spreads[0], colour)
            shift = 10.0 ** (0.02 * (list(_BAND_LOOKS).index(band) - 1))
            _points(ax, centres * shift, value, error, look)
            ax.set(xscale="log", title=style.LABELS[flavour])
            plain_ticks(ax)
    _finish(figure, axes, "Neutrino energy (GeV)", f"{style.title(site)}: three dimensions over one")
    return figure


def azimuth(full: Result, straight: Result, site: str) -> Figure:
    """Draw the ratio of the full run to the one without bending against azimuth, near the horizon.

    Parameters
    ----------
    full, straight : Result
        With and without bending in the atmosphere.
    site : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.2), sharex=True, sharey=True)
    window = east_west_window(full) or asymmetry.ENERGY_WINDOW_GEV
    edges = np.asarray(full.azimuth_edges_deg)
    value, error = jackknife_of_two(quotient, full, straight, azimuth_groups(site, window))
    for ax, (i, flavour) in zip(axes.flat, enumerate(full.flavours), strict=True):
        centres = 0.5 * (edges[1:] + edges[:-1])
        fine = np.linspace(0.0, 360.0, 181)
        curve, spread = harmonics(centres, value[i], error[i], 180.0 - fine)
        draw_curve(ax, fine, curve, spread, style.COLOURS[flavour], line=style.LINES[flavour])
        _points(ax, compass(centres), value[i], error[i], style.points(flavour))
        ax.set_title(style.LABELS[flavour])
        compass_axis(ax, "")
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
    outer_labels(axes, "Coming from (compass)", "With bending / without")
    figure.suptitle(
        rf"{style.title(site)}: effect of bending in the air, {window[0]:.2g} to {window[1]:g} GeV, "
        r"$|\cos\theta_{\rm zenith}| < 0.5$",
        fontsize=10,
    )
    return figure


def asymmetries(results: Mapping[str, Result], site: str) -> Figure:
    """Draw the east-west asymmetries of each run, with the published values.

    Parameters
    ----------
    results : mapping of Result
        By name of the run.
    site : str

    Returns
    -------
    Figure
    """
    rows = bending_asymmetries(results, site)
    window = east_west_window(results[FULL]) or asymmetry.ENERGY_WINDOW_GEV
    series: list[tuple[str, Array, Array, dict[str, Any]]] = []
    for name, (colour, marker) in ((n, _RUN_LOOKS[n]) for n in RUN_LABELS if n in results):
        value, error = (np.array([row.by_run[name][j] for row in rows]) for j in (0, 1))
        series.append((RUN_LABELS[name], value, error, {"color": colour, "marker": marker}))
    others = asymmetry.published(site) if asymmetry.is_published_window(window, asymmetry.COS_ZENITH_MAX) else {}
    if others:
        known = [others[row.flavour] for row in rows]
        value, error = (
            np.array([np.nan if x is None else x for x in column])
            for column in ([one.paper for one in known], [one.paper_error for one in known])
        )
        series.append(("Tserkovnyak et al.", value, error, {"color": style.VERMILION, "marker": "x"}))
    heading = (
        rf"{style.title(site)}: east-west asymmetry, {window[0]:.2g} to {window[1]:g} GeV, "
        r"$|\cos\theta_{\rm zenith}| < 0.5$"
    )
    return asymmetry_figure([row.flavour for row in rows], series, heading)


def _words(band: str) -> str:
    """Return the legend text of a band of :data:`sim3d.analysis.dimensions.BANDS`."""
    return band.replace("|cos|", r"$|\cos\theta|$").replace("cos ", r"$\cos\theta$ ")


def _known(value: Array, error: Array) -> tuple[Array, Array]:
    """Leave out what is not drawn."""
    known = error < LARGEST_ERROR * np.abs(value)
    return value[known], error[known]


def _points(ax: Axes, x: Array, value: Array, error: Array, look: dict[str, Any]) -> None:
    known = error < LARGEST_ERROR * np.abs(value)
    draw_points(ax, x[known], value[known], error[known], look)


def _finish(figure: Figure, axes: NDArray[Any], x_label: str, title: str) -> None:
    for ax in axes.flat:
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
    outer_labels(axes, x_label, "3-D / 1-D")
    figure.suptitle(title, fontsize=11)
    legend_below(figure, axes.flat[0])
