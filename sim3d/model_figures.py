"""Figures of the hadronic models, without a run: Z factors, pions of 3-4 GeV/c, spectra of secondaries."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from hadronic.definitions import DEFAULT_DEFINITION, READINGS
from hadronic.reference import PROTON_MASS_GEV, daemonflux_reference, fluka_reference
from hadronic.species import P, species_code
from hadronic.yields import PAPER_PION_GEV, density_in_x, weighted_yield
from hadronic.zfactors import moment_field
from sim3d import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hadronic.models import HadronicModel

_LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (3, 4)))
_TWENTY_PER_DECADE = 10.0 ** np.arange(0.0, 5.001, 0.05)

# FLUKA's figures are for these kinetic energies, as are its tables; GeV.
YIELD_ENERGIES_GEV = (5.0, 10.0, 30.0, 50.0, 100.0)


def _inside(model: HadronicModel, energies: np.ndarray) -> np.ndarray:
    low, high = np.exp(model.tables.ln_T[[0, -1]])
    return energies[(energies >= low) & (energies <= high)]


def _name_missing(ax: Axes, missing: Sequence[str]) -> None:
    for name in missing:
        ax.plot([], [], linestyle="none", label=f"{name}: not installed")


def z_factors(models: Sequence[HadronicModel], missing: Sequence[str] = ()) -> Figure:
    """Spectrum-weighted moments of charged pions from protons against the proton's total energy, model by model.

    References: FLUKA (p-air, circles), daemonflux (p-carbon, calibrated to muons, diamonds). Models that could not be
    loaded, ``missing``, are named in the legend.
    """
    figure, ax = plt.subplots(figsize=(6.0, 4.6))
    colours = {"pi+": style.BLUE, "pi-": style.VERMILION}
    names = {"pi+": r"$\pi^+$", "pi-": r"$\pi^-$"}
    for model, line in zip(models, itertools.cycle(_LINES), strict=False):
        own = model.definition if model.definition in READINGS else DEFAULT_DEFINITION
        field = moment_field(own, "Z", baryon=False)
        energies = _inside(model, _TWENTY_PER_DECADE)
        for pion, colour in colours.items():
            z = [getattr(model.moments(P, species_code(pion), T), field) for T in energies]
            ax.plot(energies + PROTON_MASS_GEV, z, line, color=colour)
        ax.plot([], [], line, color=style.GREY, label=model.name)
    for source, values, marker in (
        ("FLUKA (p-air)", fluka_reference(), "o"),
        ("daemonflux (p-carbon)", daemonflux_reference(), "D"),
    ):
        for pion, colour in colours.items():
            known = [one for one in values if one.quantity == "Z" and one.secondary == pion]
            ax.errorbar(
                [one.kinetic_energy_GeV + PROTON_MASS_GEV for one in known],
                [one.value for one in known],
                yerr=[one.error or 0.0 for one in known],
                color=colour,
                marker=marker,
                markersize=4.5,
                markerfacecolor="white",
                linestyle="none",
                elinewidth=0.8,
            )
        ax.plot([], [], color=style.GREY, marker=marker, markerfacecolor="white", linestyle="none", label=source)
    for pion, colour in colours.items():
        ax.plot([], [], color=colour, linewidth=4, label=names[pion])
    _name_missing(ax, missing)
    ax.set(
        xscale="log",
        xlim=(2.0, 2.0e5),
        ylim=(0.0, None),
        xlabel="Proton total energy (GeV)",
        ylabel=r"$Z = \langle\sum x^{1.7}\rangle$ of charged pions",
        title="Spectrum-weighted moments of charged pions, p-air",
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def pion_production(models: Sequence[HadronicModel], missing: Sequence[str] = ()) -> Figure:
    """Spectrum-weighted production of charged pions of 3-4 GeV/c against the energy of the proton.

    The curve integrated over ln E is about proportional to the flux of neutrinos of about 1 GeV.
    For a neutron pi+ and pi- change places; the sum is the same.
    """
    figure, ax = plt.subplots(figsize=(6.0, 4.6))
    shown = (
        (r"$\pi^+ + \pi^-$", ("pi+", "pi-"), style.BLACK),
        (r"$\pi^+$", ("pi+",), style.BLUE),
        (r"$\pi^-$", ("pi-",), style.VERMILION),
    )
    for model, line in zip(models, itertools.cycle(_LINES), strict=False):
        energies = _inside(model, 10.0 ** np.arange(0.5, 4.001, 0.025))
        for _, names, colour in shown:
            y = [weighted_yield(model, P, [species_code(name) for name in names], T) for T in energies]
            ax.plot(energies + PROTON_MASS_GEV, np.array(y) * 1e3, line, color=colour)
        ax.plot([], [], line, color=style.GREY, label=model.name)
    for label, _, colour in shown:
        ax.plot([], [], color=colour, linewidth=4, label=label)
    _name_missing(ax, missing)
    low, high = PAPER_PION_GEV
    ax.set(
        xscale="log",
        xlim=(3.0, 1.0e4),
        ylim=(0.0, None),
        xlabel="Proton total energy (GeV)",
        ylabel=r"$10^3\,Y(\pi)\,E_0^{-1.7}$ (GeV$^{-1.7}$)",
        title=f"Spectrum-weighted production of charged pions of {low:g} to {high:g} GeV/c, p-air",
    )
    figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
    return figure


def secondary_spectra(model: HadronicModel) -> Figure:
    """dN/dx of pions, kaons and nucleons in p-air, x total over total energy, at FLUKA's energies."""
    panels = (
        ((r"$\pi^+$", ("pi+",)), (r"$\pi^-$", ("pi-",)), ("p + n", ("p", "n"))),
        ((r"K$^+$", ("K+",)), (r"K$^-$", ("K-",)), (r"K$^0_L$ + K$^0_S$", ("K0L", "K0S"))),
    )
    edges = np.linspace(0.0, 1.0, 51)
    centres = 0.5 * (edges[1:] + edges[:-1])
    shades = plt.get_cmap("viridis")(np.linspace(0.0, 0.85, len(YIELD_ENERGIES_GEV)))
    figure, axes = plt.subplots(2, 3, figsize=(8.4, 5.6), sharex=True)
    for ax, (title, names) in zip(axes.flat, panels[0] + panels[1], strict=True):
        top = 0.0
        for T, shade in zip(YIELD_ENERGIES_GEV, shades, strict=True):
            y = sum(density_in_x(model, P, species_code(name), T, edges) for name in names)
            shown = np.where(np.asarray(y) > 0.0, y, np.nan)
            top = max(top, float(np.nanmax(shown)))
            ax.step(centres, shown, where="mid", color=shade, label=f"{T:g} GeV")
        ax.set(title=title, yscale="log", xlim=(0.0, 1.0), ylim=((1e-4 if "p" in names else 1e-5) * top, 2.0 * top))
    for ax in axes[-1]:
        ax.set_xlabel(r"$x = E/E_{\rm proton}$, total energies")
    figure.supylabel(r"$dN/dx$ per interaction", fontsize=10)
    figure.suptitle(f"Secondaries of p-air: {model.name}; kinetic energy of the proton", fontsize=10)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(shades))
    return figure
