"""Draw the ratios of two flux sources with their errors, against energy and against zenith."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots import style

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

_LARGEST_ERROR = 0.3
"""Ratios with a larger relative error are left out: they would stretch the axis."""


def draw(matched: Matched, folder: Path, stem: str, title: str) -> list[Path]:
    """Draw and save the figures ``<stem>-energy`` and ``<stem>-zenith``.

    Parameters
    ----------
    matched : Matched
    folder : Path
        Must exist.
    stem, title : str

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    written: list[Path] = []
    with rc_context(style.RC):
        for name, figure in (("energy", _energy(matched, title)), ("zenith", _zenith(matched, title))):
            written += style.save(figure, folder, f"{stem}-{name}")
    return written


def _energy(matched: Matched, title: str) -> Figure:
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.4), sharex=True, sharey=True)
    for ax, flavour in zip(axes.flat, FLAVOURS, strict=True):
        for (low, high), label, colour, marker in COS_BANDS:
            chosen = (matched.flavour == flavour) & (matched.cos_zenith > low) & (matched.cos_zenith < high)
            look = {"color": colour, "marker": marker, "label": label}
            _means(ax, matched, chosen, matched.energy_GeV, look)
        ax.set(xscale="log", title=style.LABELS[flavour])
    return _finish(figure, axes, title, "Neutrino energy (GeV)")


def _zenith(matched: Matched, title: str) -> Figure:
    figure, axes = style.subplots(2, 2, figsize=(7.2, 5.4), sharex=True, sharey=True)
    logs = np.log10(matched.energy_GeV)
    edges = np.linspace(logs.min() - 1e-9, logs.max() + 1e-9, N_ENERGY_BANDS + 1)
    for ax, low, high in zip(axes.flat, edges[:-1], edges[1:], strict=True):
        for flavour in FLAVOURS:
            chosen = (matched.flavour == flavour) & (logs >= low) & (logs < high)
            _means(ax, matched, chosen, matched.cos_zenith, style.points(flavour))
        ax.set(xlim=(-1, 1), title=f"{10**low:.3g} to {10**high:.3g} GeV")
    return _finish(figure, axes, title, r"$\cos\theta_{\rm zenith}$ (+1: down-going)")


def _means(ax: Axes, matched: Matched, chosen: NDArray[np.bool_], against: Array, look: Mapping[str, Any]) -> None:
    """Draw the mean ratio, and its error, of the rows that share a value of ``against``."""
    ratio, sigma = matched.ratio()
    chosen = chosen & (matched.hits > 0)
    x = np.unique(against[chosen])
    at = np.searchsorted(x, against[chosen])
    n = np.bincount(at, minlength=len(x))
    mean = np.bincount(at, ratio[chosen], minlength=len(x)) / n
    error = np.sqrt(np.bincount(at, sigma[chosen] ** 2, minlength=len(x))) / n
    known = error < _LARGEST_ERROR
    ax.errorbar(x[known], mean[known], yerr=error[known], **{"linestyle": "none", "elinewidth": 0.8, **look})


def _finish(figure: Figure, axes: NDArray[Any], title: str, x_label: str) -> Figure:
    for ax in axes.flat:
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=4)
    for ax in axes[-1]:
        ax.set_xlabel(x_label)
    figure.supylabel("Ratio of fluxes", fontsize=10)
    figure.suptitle(title, fontsize=10)
    return figure
