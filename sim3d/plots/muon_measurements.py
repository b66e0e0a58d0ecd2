"""Draw muon spectra and charge ratios of hadronic models beside the measurements, with a ratio panel for each set."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.plots import style
from sim3d.studies.muon_comparison import Compared
from sim3d.studies.muon_measurements import THREE_D_BELOW_GEV, MuonData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.GREY)
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)), (0, (3, 1)))
_MARKERS = {"bess-tev": "o", "caprice94": "s", "l3c": "^", "cms": "D", "minos": "v", "opera": "P"}
_RATIO_SETS = ("cms", "minos", "opera")
"""Sets of charge ratios alone, which share one panel."""


def draw(compared: Sequence[Compared], title: str, folder: Path) -> list[Path]:
    """Draw and save the figure ``muon-measurements``.

    Parameters
    ----------
    compared : sequence of Compared
        One line for each model.
    title : str
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF).
    """
    with rc_context(style.RC):
        return style.save(measurements(compared, title), folder, "muon-measurements")


def measurements(compared: Sequence[Compared], title: str) -> Figure:
    """Draw spectra on the left and charge ratios on the right, below each the ratios of models to data by set.

    Parameters
    ----------
    compared : sequence of Compared
    title : str

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(5, 2, figsize=(11.0, 12.5), height_ratios=(2.2, 1, 1, 1, 1), sharex="col")
    data = compared[0].data
    places = {(one.name, one.quantity): i for i, one in enumerate(data)}
    for column, quantity in enumerate(("flux", "ratio")):
        _top(axes[0, column], compared, [i for i, one in enumerate(data) if one.quantity == quantity], quantity)
    for row, name in enumerate(("bess-tev", "caprice94", "l3c"), start=1):
        _ratio_panel(axes[row, 0], compared, [places[name, "flux"]], 0.15)
        _ratio_panel(axes[row, 1], compared, [places[name, "ratio"]], 0.2)
    _ratio_panel(axes[4, 1], compared, [places[name, "ratio"] for name in _RATIO_SETS], 0.2)
    axes[3, 0].tick_params(labelbottom=True)
    axes[3, 0].set_xlabel("momentum (GeV/c)")
    axes[4, 1].set_xlabel("momentum (GeV/c)")
    last = axes[4, 0]
    last.axis("off")
    handles, labels = axes[1, 0].get_legend_handles_labels()
    chosen = [i for i, label in enumerate(labels) if label in {one.model for one in compared}]
    last.legend([handles[i] for i in chosen], [labels[i] for i in chosen], loc="upper center", ncols=2)
    last.text(
        0.5,
        0.02,
        "shaded: below 1.6 GeV/c three dimensions give 0.95 ± 0.015 of the flux in one; not applied",
        ha="center",
        transform=last.transAxes,
        fontsize=8,
    )
    figure.suptitle(title, fontsize=10)
    return figure


def _scaled(data: MuonData, values: np.ndarray) -> np.ndarray:
    return values * data.at_GeV**3 if data.quantity == "flux" else values


def _top(ax: Any, compared: Sequence[Compared], chosen: Sequence[int], quantity: str) -> None:
    """All sets of a quantity, and the models at their points."""
    for i in chosen:
        data = compared[0].data[i]
        ax.errorbar(
            data.at_GeV, _scaled(data, data.value), _scaled(data, data.error), fmt=_MARKERS[data.name], ms=3.5,
            color=style.BLACK, mfc="white", elinewidth=0.8, label=data.title, zorder=1,
        )  # fmt: skip
        for k, one in enumerate(compared):
            ax.plot(data.at_GeV, _scaled(data, one.values[i]), color=_COLOURS[k % 6], ls=_LINES[k % 6], zorder=2)
    ax.set_xscale("log")
    if quantity == "flux":
        ax.set(yscale="log", ylabel=r"$p^3\,\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ (GeV/c)$^2$), $\mu^+ + \mu^-$")
        ax.set_ylim(0.5, 1e4)
    else:
        ax.set(ylabel=r"$\mu^+ / \mu^-$", ylim=(1.0, 1.7))
    ax.legend(loc="lower right" if quantity == "flux" else "upper left", fontsize=8)


def _ratio_panel(ax: Any, compared: Sequence[Compared], chosen: Sequence[int], half: float) -> None:
    """Models over data of some sets: lines, with the errors of the data about 1."""
    labels = []
    for i in chosen:
        data = compared[0].data[i]
        labels.append(data.title)
        relative = data.error / data.value
        ax.errorbar(
            data.at_GeV, np.ones(data.value.size), relative, fmt=_MARKERS[data.name], ms=2.5, color=style.BLACK,
            mfc="white", elinewidth=0.8, zorder=1,
        )  # fmt: skip
        for k, one in enumerate(compared):
            label = one.model if i == chosen[0] else None
            ax.plot(
                data.at_GeV, one.values[i] / data.value, color=_COLOURS[k % 6], ls=_LINES[k % 6], lw=1.2, label=label,
                zorder=2,
            )  # fmt: skip
    ax.axhline(1.0, color=style.GREY, lw=0.6)
    if compared[0].data[chosen[0]].quantity == "flux":
        ax.axvspan(0.1, THREE_D_BELOW_GEV, color="0.9", zorder=0, lw=0)
        ax.set_xlim(0.2, 4000.0)
    else:
        ax.set_xlim(0.2, 10000.0)
    ax.set(ylim=(1.0 - half, 1.0 + half), ylabel="model / data")
    box = {"facecolor": "white", "edgecolor": "none", "pad": 1.0, "alpha": 0.8}
    ax.text(0.02, 0.07, "; ".join(labels), transform=ax.transAxes, fontsize=8, bbox=box)
