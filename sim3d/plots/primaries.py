"""Draw primary fluxes of several models: all nucleons with ratios, and by mass group."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import LogLocator

from sim3d.plots import style
from sim3d.primaries.catalogue import LIBRARY_MODELS, highest_energy_GeV
from sim3d.primaries.groups import GROUP_LABELS, GROUPS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.primaries.model import PrimaryModel

SPECTRAL_INDEX = 2.7
"""Spectra are drawn times E to this power."""
KINETIC_ENERGIES_GEV = (1.0, 1.0e8)
"""Kinetic energies per nucleon between which models are drawn."""
_COLOURS = (style.BLACK, style.BLUE, style.VERMILION, style.GREEN, style.PURPLE, style.ORANGE, style.GREY)
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (7, 2, 1, 2, 1, 2)))
_UNIT = r"(m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^{1.7}$)"


def draw(models: list[PrimaryModel], folder: Path) -> list[Path]:
    """Draw and save the figures ``primaries-nucleons`` and ``primaries-groups``.

    Parameters
    ----------
    models : list of PrimaryModel
        Ratios are taken to the first.
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    written: list[Path] = []
    suns = dict.fromkeys(f"{model.solar_potential_MV:.0f} MV" for model in models)
    about = [f"solar potential {', '.join(suns)}"]
    with rc_context(style.RC):
        for name, figure in (("nucleons", nucleons(models)), ("groups", groups(models))):
            written += style.save(figure, folder, f"primaries-{name}", about)
    return written


def title(model: PrimaryModel) -> str:
    """Return the name of a model in a legend.

    Parameters
    ----------
    model : PrimaryModel

    Returns
    -------
    str
    """
    if model.name in LIBRARY_MODELS:
        return LIBRARY_MODELS[model.name].title
    return "GHLS 2001 " + model.name.partition("-")[2]


def nucleons(models: list[PrimaryModel]) -> Figure:
    """Draw all-nucleon fluxes, and their ratio to the first model's; bands are one standard error.

    Parameters
    ----------
    models : list of PrimaryModel

    Returns
    -------
    Figure
    """
    figure, (top, bottom) = style.subplots(2, 1, figsize=(6.4, 6.4), sharex=True, height_ratios=(3, 2))
    base = models[0]
    for i, model in enumerate(models):
        energy = _energies(model)
        flux, look = model.nucleon_flux(energy), _look(i)
        scale = energy**SPECTRAL_INDEX
        top.plot(energy, flux * scale, label=title(model), **look)
        common = energy[energy <= highest_energy_GeV(base.name) * (1 + 1e-9)]
        ratio = flux[: common.size] / base.nucleon_flux(common)
        bottom.plot(common, ratio, **look)
        if model.has_errors:
            error = model.nucleon_flux_error(energy)
            _band(top, energy, flux * scale, error * scale, look)
            _band(bottom, common, ratio, error[: common.size] / base.nucleon_flux(common), look)
    top.set(xscale="log", yscale="log", xlim=KINETIC_ENERGIES_GEV, ylabel=rf"$E^{{2.7}}\,\Phi_{{\rm N}}$ {_UNIT}")
    top.set_ylim(5e2, 4e4)
    bottom.set(
        xlabel="Kinetic energy per nucleon $E$ (GeV)",
        ylabel=f"Ratio to {title(base)}",
        ylim=(0.6, 1.6),
        yscale="linear",
    )
    last = highest_energy_GeV(base.name)
    if last < 0.5 * KINETIC_ENERGIES_GEV[1]:
        bottom.axvline(last, color=style.GREY, linewidth=0.6, linestyle=":")
        note = f"{title(base)}\nends here"
        bottom.text(1.3 * last, 0.95, note, transform=bottom.get_xaxis_transform(), va="top", fontsize=8, color="0.3")
    figure.legend(*top.get_legend_handles_labels(), loc="outside upper center", ncols=3)
    return figure


def groups(models: list[PrimaryModel]) -> Figure:
    """Draw fluxes of nuclei, one panel per mass group.

    Parameters
    ----------
    models : list of PrimaryModel

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(2, 3, figsize=(8.6, 5.8), sharex=True)
    for ax, group, label in zip(axes.flat, GROUPS, GROUP_LABELS, strict=False):
        highest = 0.0
        for i, model in enumerate(models):
            energy = _energies(model)
            scale = energy**SPECTRAL_INDEX
            flux, look = model.flux(group, energy), _look(i)
            ax.plot(energy, flux * scale, label=title(model), **look)
            highest = max(highest, float((flux * scale).max()))
            if model.has_errors:
                _band(ax, energy, flux * scale, model.flux_error(group, energy) * scale, look)
        ax.set(xscale="log", yscale="log", xlim=KINETIC_ENERGIES_GEV, title=label)
        ax.set_ylim(2e-3 * highest, 2.0 * highest)
        ax.xaxis.set_major_locator(LogLocator(numticks=5))
    last = axes.flat[-1]
    last.axis("off")
    last.legend(*axes.flat[0].get_legend_handles_labels(), loc="center")
    axes[0, 2].tick_params(labelbottom=True)
    for ax in (*axes[-1, :2], axes[0, 2]):
        ax.set_xlabel("Kinetic energy per nucleon $E$ (GeV)")
    for ax in axes[:, 0]:
        ax.set_ylabel(rf"$E^{{2.7}}\,\Phi$ {_UNIT}")
    return figure


def _energies(model: PrimaryModel) -> np.ndarray:
    low, high = KINETIC_ENERGIES_GEV
    energy = np.geomspace(low, high, 321)
    return energy[energy <= highest_energy_GeV(model.name) * (1 + 1e-9)]


def _look(i: int) -> dict[str, Any]:
    return {"color": _COLOURS[i % len(_COLOURS)], "linestyle": _LINES[i % len(_LINES)], "linewidth": 1.3}


def _band(ax: Any, x: np.ndarray, y: np.ndarray, error: np.ndarray, look: dict[str, Any]) -> None:
    low = np.maximum(y - error, 1e-3 * y)
    ax.fill_between(x, low, y + error, color=look["color"], alpha=0.25, linewidth=0)
