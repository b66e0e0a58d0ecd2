"""Draw spectra of neutrinos and muons computed by the cascade equations, and what neutrinos come from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.cascade.flux import LOWEST_SHOWN_GEV, MARGIN, CascadeFlux
from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots import style
from sim3d.plots.axes import plain_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEUTRINO_INDEX, MUON_INDEX = 3.0, 3.0
"""Spectra are drawn times E (p) to these powers."""
_LINES: tuple[Any, ...] = ("-", "--", "-.", ":")
_MUONS = {"mu+": (style.VERMILION, r"$\mu^+$"), "mu-": (style.BLUE, r"$\mu^-$")}
_PARENTS = {"pion": style.BLUE, "kaon": style.VERMILION, "muon": style.GREEN, "charm": style.BLACK}


def draw(fluxes: Sequence[CascadeFlux], title: str, folder: Path) -> list[Path]:
    """Draw and save the figures ``cascade-spectra`` and ``cascade-parents``.

    Parameters
    ----------
    fluxes : sequence of CascadeFlux
        Up to four directions get a line of their own; the first is shown in the figure of parents.
    title : str
        Models and place.
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written (PNG and PDF of each).
    """
    with rc_context(style.RC):
        return [
            *style.save(spectra(fluxes), folder, "cascade-spectra", [title]),
            *style.save(parents(fluxes[0]), folder, "cascade-parents", [title]),
        ]


def _energies(flux: CascadeFlux) -> np.ndarray:
    return np.geomspace(LOWEST_SHOWN_GEV, float(flux.grid.edges_GeV[-1]) / MARGIN, 301)


def spectra(fluxes: Sequence[CascadeFlux]) -> Figure:
    """Draw E^3 times the fluxes of neutrinos, p^3 times those of muons, and the charge ratio.

    Parameters
    ----------
    fluxes : sequence of CascadeFlux

    Returns
    -------
    Figure
    """
    figure, (left, middle, right) = style.subplots(1, 3, figsize=(11.5, 4.2))
    for flux, line in zip(fluxes, _LINES, strict=False):
        at = _energies(flux)
        first = flux is fluxes[0]
        for flavour in FLAVOURS:
            label = style.LABELS[flavour] if first else None
            left.plot(at, at**NEUTRINO_INDEX * flux.flux(flavour, at), line, color=style.COLOURS[flavour], label=label)
        muons = {name: flux.flux(name, at) for name in _MUONS}
        if not np.any(muons["mu+"] > 0.0):
            continue
        for name, (colour, label) in _MUONS.items():
            middle.plot(at, at**MUON_INDEX * muons[name], line, color=colour, label=label if first else None)
        right.plot(
            at, muons["mu+"] / muons["mu-"], line, color=style.BLACK, label=rf"$\cos\theta$ = {flux.cos_zenith:g}"
        )
    for ax in (left, middle, right):
        ax.set_xscale("log")
        plain_ticks(ax)
    left.set(
        yscale="log", xlabel="Neutrino energy $E$ (GeV)", ylabel=r"$E^3\,\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ GeV$^2$)"
    )
    middle.set(
        yscale="log",
        xlabel="Muon momentum $p$ (GeV/c)",
        ylabel=r"$p^3\,\Phi$ (m$^{-2}$ s$^{-1}$ sr$^{-1}$ (GeV/c)$^2$)",
    )
    right.set(xlabel="Muon momentum $p$ (GeV/c)", ylabel=r"$\mu^+ / \mu^-$", ylim=(1.0, 1.6))
    for ax in (left, middle):
        low, high = ax.get_ylim()
        ax.set_ylim(max(low, 1e-4 * high), 2.0 * high)
        ax.legend()
    if right.lines:
        right.legend()
    figure.suptitle("Cascade equations, one dimension", fontsize=11)
    return figure


def parents(flux: CascadeFlux) -> Figure:
    """Draw the shares of neutrinos that come from pions, kaons, muons and charm, by flavour.

    Parameters
    ----------
    flux : CascadeFlux

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(1, 2, figsize=(8.6, 3.8), sharey=True)
    at = flux.grid.centres_GeV
    shown = (at >= LOWEST_SHOWN_GEV) & (at <= flux.grid.edges_GeV[-1] / MARGIN)
    for ax, pair in zip(axes, (("numu", "numubar"), ("nue", "nuebar")), strict=True):
        for flavour, line in zip(pair, ("-", "--"), strict=True):
            for kind, share in flux.parent_shares(flavour).items():
                if kind == "charm" and not np.any(share):
                    continue
                name = kind if kind == "charm" else f"{kind}s"
                label = name if line == "-" else None
                ax.plot(at[shown], share[shown], line, color=_PARENTS[kind], label=label)
        ax.set(xscale="log", ylim=(0.0, 1.0), xlabel="Neutrino energy (GeV)")
        ax.set_title(f"{style.LABELS[pair[0]]} (solid), {style.LABELS[pair[1]]} (dashed)")
    axes[0].set_ylabel("Share by parent")
    axes[1].legend(loc="center left")
    figure.suptitle(rf"Where neutrinos come from, $\cos\theta$ = {flux.cos_zenith:g}", fontsize=11)
    return figure
