"""Draw the ratios of two flux sources with their errors, against energy and against zenith."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots import style
from sim3d.plots.axes import ZENITH_LABEL, legend_below, outer_labels, plain_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from sim3d.analysis.matching import Matched


COS_BANDS = (
    ((-1.0, -0.5), "from below, cos < -0.5", style.BLUE, "v"),
    ((-0.5, 0.5), "near the horizon", style.BLACK, "o"),
    ((0.5, 1.0), "from above, cos > 0.5", style.VERMILION, "^"),
)
N_ENERGY_BANDS = 4

LARGEST_ERROR = 0.3
"""Ratios with a larger relative error are left out: they would stretch the axis."""

_LOG_STEP, _COS_STEP = 0.025, 0.012
"""Distance of series that are drawn side by side, in decades of energy and in cos_zenith."""


def draw(matched: Matched, folder: Path, stem: str, title: str, about: Sequence[str] = ()) -> list[Path]:
    """Draw and save the figures ``<stem>-energy`` and ``<stem>-zenith``.

    Parameters
    ----------
    matched : Matched
    folder : Path
        Must exist.
    stem, title : str
    about : sequence of str
        Place, dates and models of the sources, for the line below the figures.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    written: list[Path] = []
    with rc_context(style.RC):
        for name, figure in (("energy", _energy(matched, title)), ("zenith", _zenith(matched, title))):
            written += style.save(figure, folder, f"{stem}-{name}", [f"ratio of fluxes: {title}", *about])
    return written


def _energy(matched: Matched, title: str) -> Figure:
    figure, axes = style.subplots(2, 2, figsize=(7.4, 5.8), sharex=True, sharey=True)
    for ax, flavour in zip(axes.flat, FLAVOURS, strict=True):
        chosen = matched.flavour == flavour
        draw_means(ax, matched, chosen)
        ax.set(xscale="log", title=f"{style.LABELS[flavour]}: {mean_ratio(matched, chosen)}")
        plain_ticks(ax)
    return _finish(figure, axes, title, "Neutrino energy (GeV)")


def _zenith(matched: Matched, title: str) -> Figure:
    figure, axes = style.subplots(2, 2, figsize=(7.4, 5.8), sharex=True, sharey=True)
    logs = np.log10(matched.energy_GeV)
    edges = np.linspace(logs.min() - 1e-9, logs.max() + 1e-9, N_ENERGY_BANDS + 1)
    for ax, low, high in zip(axes.flat, edges[:-1], edges[1:], strict=True):
        inside = (logs >= low) & (logs < high)
        for k, flavour in enumerate(FLAVOURS):
            look = style.points(flavour)
            x, mean, error = band_means(matched, inside & (matched.flavour == flavour), matched.cos_zenith)
            ax.errorbar(x + _COS_STEP * (k - 1.5), mean, yerr=error, **look)
        ax.set(xlim=(-1, 1), title=f"{10**low:.3g} to {10**high:.3g} GeV: {mean_ratio(matched, inside)}")
    return _finish(figure, axes, title, ZENITH_LABEL)


def mean_ratio(matched: Matched, chosen: NDArray[np.bool_]) -> str:
    """State the mean ratio of rows and its error, each row with the same weight.

    Weights from the errors would favour rows that are low by chance, whose errors are small; rows without hits count
    as 0 for the same reason.

    Parameters
    ----------
    matched : Matched
    chosen : bool array

    Returns
    -------
    str
    """
    ratio, sigma = matched.ratio()
    good = chosen & np.isfinite(ratio)
    if not good.any():
        return "no bins"
    seen = np.where((matched.hits > 0) & np.isfinite(sigma), sigma, 0.0)[good]
    error = float(np.sqrt(np.sum(seen**2))) / int(good.sum())
    mean = f"mean ratio {float(np.where(matched.hits > 0, ratio, 0.0)[good].mean()):.2f}"
    return rf"{mean} $\pm$ {error:.2f}" if error > 0.0 else mean


def draw_means(ax: Axes, matched: Matched, chosen: NDArray[np.bool_]) -> None:
    """Draw mean ratios against energy in three bands of zenith, side by side.

    Parameters
    ----------
    ax : Axes
    matched : Matched
    chosen : bool array
        Rows, of one flavour say.
    """
    for k, ((low, high), label, colour, marker) in enumerate(COS_BANDS):
        inside = chosen & (matched.cos_zenith > low) & (matched.cos_zenith < high)
        x, mean, error = band_means(matched, inside, matched.energy_GeV)
        look: dict[str, Any] = {
            "color": colour,
            "marker": marker,
            "label": label,
            "linestyle": "none",
            "elinewidth": 0.8,
        }
        if k != 1:
            look["markerfacecolor"] = "white"
        ax.errorbar(x * 10.0 ** (_LOG_STEP * (k - 1)), mean, yerr=error, **look)


def band_means(matched: Matched, chosen: NDArray[np.bool_], against: Array) -> tuple[Array, Array, Array]:
    """Compute the mean ratio, and its error, of the rows that share a value of ``against``.

    Parameters
    ----------
    matched : Matched
    chosen : bool array
    against : float64 array
        Energy or cos_zenith of the rows.

    Returns
    -------
    at, mean, error : float64 arrays
        Without means whose error, absolute or relative, is above :data:`LARGEST_ERROR`. Rows without hits count as 0,
        as in :func:`mean_ratio`. Means that are low by chance have small absolute errors: chosen by these alone, the
        points of a short run would be too low together.
    """
    ratio, sigma = matched.ratio()
    chosen = chosen & np.isfinite(ratio)
    seen = (matched.hits > 0) & np.isfinite(sigma)
    ratio, sigma = np.where(seen, ratio, 0.0), np.where(seen, sigma, 0.0)
    x = np.unique(against[chosen])
    at = np.searchsorted(x, against[chosen])
    n = np.bincount(at, minlength=len(x))
    mean = np.bincount(at, ratio[chosen], minlength=len(x)) / n
    error = np.sqrt(np.bincount(at, sigma[chosen] ** 2, minlength=len(x))) / n
    known = (mean > 0.0) & (error < LARGEST_ERROR * np.minimum(mean, 1.0))
    return x[known], mean[known], error[known]


def _finish(figure: Figure, axes: NDArray[Any], title: str, x_label: str) -> Figure:
    for ax in axes.flat:
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
    legend_below(figure, axes.flat[0])
    outer_labels(axes, x_label, "Ratio of fluxes")
    figure.suptitle(title, fontsize=11)
    return figure
