"""Draw muon spectra and charge ratios of hadronic models beside the measurements, a panel for each set of data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import LogLocator

from sim3d.plots import style
from sim3d.plots.axes import legend_below, plain_ticks
from sim3d.studies.muon_comparison import Compared
from sim3d.studies.muon_measurements import THREE_D_BELOW_GEV, MuonData

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.GREY)
_LINES: tuple[Any, ...] = ("-", "--", "-.", (0, (1, 1)), (0, (7, 2, 1, 2, 1, 2)), (0, (3, 1)))
_REFERENCE_FIRST = "accelerator"
"""Model that the others and the data are divided by, where it is among them; else the first."""
_DATA = {"color": style.BLACK, "fmt": "o", "ms": 3.5, "mfc": "white", "elinewidth": 0.8, "zorder": 1}
_KNOWN = 0.1
"""Largest relative error of a measured ratio that is drawn."""


def draw(compared: Sequence[Compared], title: str, folder: Path, about: Sequence[str] = ()) -> list[Path]:
    """Draw and save the figures ``muon-measurements`` (spectra) and ``muon-measurements-ratio``.

    Parameters
    ----------
    compared : sequence of Compared
        One line for each model.
    title : str
        How the models were computed, for the lines below the figures.
    folder : Path
        Must exist.
    about : sequence of str
        More for the lines below the spectra.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    left_out = f"points with an error above {_KNOWN:.0%} are left out"
    with rc_context(style.RC):
        return [
            *style.save(spectra(compared), folder, "muon-measurements", [title, *about]),
            *style.save(charge_ratios(compared), folder, "muon-measurements-ratio", [title, left_out]),
        ]


def _sorted(compared: Sequence[Compared]) -> list[Compared]:
    """Put the model that all are divided by first."""
    return sorted(compared, key=lambda one: not one.model.startswith(_REFERENCE_FIRST))


def spectra(compared: Sequence[Compared]) -> Figure:
    """Draw models and data of each spectrum of mu+ and mu- over the first model.

    Parameters
    ----------
    compared : sequence of Compared

    Returns
    -------
    Figure
    """
    models = _sorted(compared)
    chosen = [i for i, one in enumerate(models[0].data) if one.quantity == "flux"]
    figure, axes = style.subplots(len(chosen), 1, figsize=(7.4, 1.3 + 2.2 * len(chosen)), sharex=True, sharey=True)
    for ax, i in zip(np.atleast_1d(axes), chosen, strict=True):
        data, base = models[0].data[i], models[0].values[i]
        ax.errorbar(data.at_GeV, data.value / base, data.error / base, label="measured", **_DATA)
        for k, one in enumerate(models):
            ax.plot(data.at_GeV, one.values[i] / base, label=one.model, **_look(k))
        ax.axvspan(0.1, THREE_D_BELOW_GEV, color="0.93", zorder=0, lw=0)
        ax.set(ylabel=f"Flux / {models[0].model}", ylim=(0.7, 1.3), xscale="log", xlim=(0.2, 2500.0))
        ax.set_title(data.title)
        plain_ticks(ax)
    np.atleast_1d(axes)[-1].set_xlabel("Momentum (GeV/c)")
    legend_below(figure, np.atleast_1d(axes)[0], columns=3)
    figure.suptitle(f"Muons near the vertical: measurements and models over the model {models[0].model}")
    return figure


def charge_ratios(compared: Sequence[Compared]) -> Figure:
    """Draw the charge ratios of models and data, a panel for each set of data.

    Parameters
    ----------
    compared : sequence of Compared

    Returns
    -------
    Figure
    """
    models = _sorted(compared)
    chosen = [i for i, one in enumerate(models[0].data) if one.quantity == "ratio"]
    rows = -(-len(chosen) // 2)
    figure, axes = style.subplots(rows, 2, figsize=(8.2, 1.4 + 2.2 * rows), sharey=True, squeeze=False)
    for ax in axes.flat[len(chosen) :]:
        ax.axis("off")
    for ax, i in zip(axes.flat, chosen, strict=False):
        data: MuonData = models[0].data[i]
        known = data.error < _KNOWN * data.value
        ax.errorbar(data.at_GeV[known], data.value[known], data.error[known], label="measured", **_DATA)
        for k, one in enumerate(models):
            ax.plot(data.at_GeV[known], one.values[i][known], label=one.model, **_look(k))
        ax.set(xscale="log", ylim=(1.0, 1.6))
        low, high = data.at_GeV[known].min(), data.at_GeV[known].max()
        ax.set_xlim(min(0.8 * low, 0.3 * high), 1.25 * high)
        if high < 40.0 * low:
            # one power of ten or none in the range: label 1, 2 and 5 of each
            ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.set_title(data.title)
        plain_ticks(ax)
    for ax in axes[-1]:
        ax.set_xlabel("Momentum (GeV/c)")
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$\mu^+ / \mu^-$")
    legend_below(figure, axes[0, 0], columns=3)
    figure.suptitle("Charge ratio of muons near the vertical: measured, and by hadronic model")
    return figure


def _look(k: int) -> dict[str, Any]:
    """Colour and line of a model."""
    return {"color": _COLOURS[k % 6], "ls": _LINES[k % 6], "lw": 1.4, "zorder": 2}
