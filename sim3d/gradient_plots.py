"""Figures of gradients and of what follows from them, against energy, for fluxes averaged over the sky."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from sim3d import style
from sim3d.gradient_scoring import BINS
from sim3d.particles import FLAVOURS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.gradients import PropagatedErrors, SiteGradients, VariedFlux

LINES = 8
"""Parameters in a panel: those that move the flux most."""
UNITS = {"solar:MV": 100.0}
"""What a parameter is changed by in the figure, where that is not 1 (or 100%)."""
KNOWN = 0.25
"""Points are drawn where a gradient's error is below this, in units of the flux."""
_COLOURS = (style.BLUE, style.VERMILION, style.GREEN, style.ORANGE, style.PURPLE, style.BLACK, style.GREY, "#56B4E9")
_MARKERS = "os^vDPX*"


def draw_gradients(of: SiteGradients, folder: Path) -> list[Path]:
    """``SITE-gradients``: d ln flux / d parameter of the parameters that matter most, a panel for each flavour."""
    values = {name: np.array(of.sky_gradient(name)) * UNITS.get(name, 1.0) for name in of.parameters}
    with plt.rc_context(style.RC):
        figure, axes = plt.subplots(2, 2, figsize=(7.6, 6.6), sharex=True, sharey=True)
        largest = {}
        for name, (value, error) in values.items():
            known = np.isfinite(error) & (error < KNOWN) & (np.abs(value) > 2.0 * error)
            largest[name] = float(np.max(np.abs(value), where=known, initial=0.0))
        chosen = sorted((name for name in values if largest[name] > 0.0), key=lambda name: -largest[name])[:LINES]
        for i, (flavour, ax) in enumerate(zip(FLAVOURS, axes.flat, strict=True)):
            for name, colour, marker in zip(chosen, _COLOURS, _MARKERS, strict=False):
                value, error = values[name][:, i]
                known = np.isfinite(error) & (error < KNOWN)
                label = name + (f" x {UNITS[name]:g}" if name in UNITS else "")
                ax.errorbar(
                    BINS.energies_GeV[known],
                    value[known],
                    error[known],
                    color=colour,
                    marker=marker,
                    linewidth=0.7,
                    elinewidth=0.6,
                    label=label,
                )
            ax.axhline(0.0, color=style.GREY, linewidth=0.6)
            ax.set(xscale="log", title=style.LABELS[flavour])
        for ax in axes[1]:
            ax.set_xlabel("Neutrino energy (GeV)")
        for ax in axes[:, 0]:
            ax.set_ylabel(r"$\partial\ln\Phi\,/\,\partial$ parameter")
        handles, labels = axes[0, 0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside lower center", ncols=4)
        figure.suptitle(f"{style.title(of.site)}: gradients of the flux over the sky", fontsize=10)
        return _saved(figure, folder, f"{of.site}-gradients")


def draw_varied(varied: VariedFlux, folder: Path) -> list[Path]:
    """``SITE-varied``: the ratio of a varied flux to the run's own."""
    with plt.rc_context(style.RC):
        figure, ax = plt.subplots(figsize=(6.0, 4.4))
        for i, flavour in enumerate(FLAVOURS):
            value, error = varied.sky_ratio[i], varied.sky_ratio_error[i]
            known = np.isfinite(error) & (error < KNOWN)
            ax.errorbar(BINS.energies_GeV[known], value[known], error[known], **style.points(flavour))
        ax.axhline(1.0, color=style.GREY, linewidth=0.6)
        ax.set(xscale="log", xlabel="Neutrino energy (GeV)", ylabel="Varied flux / flux")
        words = varied.words if len(varied.words) < 80 else varied.words[:77] + "..."
        ax.set_title(f"{style.title(varied.site)}: {words}", fontsize=8)
        ax.legend(ncols=4)
        return _saved(figure, folder, f"{varied.site}-varied")


def draw_errors(errors: PropagatedErrors, source: str, folder: Path) -> list[Path]:
    """``SITE-errors``: relative errors of the fluxes and of the flavour ratio from those of the parameters."""
    flavours, ratio = errors.sky()
    with plt.rc_context(style.RC):
        figure, ax = plt.subplots(figsize=(6.0, 4.4))
        for i, flavour in enumerate(FLAVOURS):
            colour, marker = style.COLOURS[flavour], style.MARKERS[flavour]
            label = style.LABELS[flavour]
            ax.plot(BINS.energies_GeV, 100.0 * flavours[i], color=colour, marker=marker, label=label)
        label = r"$(\nu_\mu+\bar\nu_\mu)/(\nu_e+\bar\nu_e)$"
        ax.plot(BINS.energies_GeV, 100.0 * ratio, color=style.BLACK, linestyle="--", label=label)
        ax.set(xscale="log", xlabel="Neutrino energy (GeV)", ylabel="Error from the parameters (%)", ylim=(0.0, None))
        ax.set_title(f"{style.title(errors.site)}: errors of {source}, flux over the sky")
        ax.legend(ncols=2)
        return _saved(figure, folder, f"{errors.site}-errors")


def _saved(figure: Figure, folder: Path, stem: str) -> list[Path]:
    paths = style.save(figure, folder, stem)
    plt.close(figure)
    return paths
