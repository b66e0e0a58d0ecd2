"""Draw secondary spectra of the hadronic models: production of 3-4 GeV/c pions, and dN/dx.

No simulation run is needed; the tables of the models are drawn.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colormaps

from hadronic.observables.yields import PAPER_PION_GEV, density_in_x, weighted_yield
from hadronic.reference import PROTON_MASS_GEV
from hadronic.species import P, species_code
from sim3d.plots import style
from sim3d.plots.hadronic_moments import LINES, energies_of, name_missing

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from hadronic.models import HadronicModel


# FLUKA's figures are for these kinetic energies, as are its tables; GeV.
YIELD_ENERGIES_GEV = (5.0, 10.0, 30.0, 50.0, 100.0)


def pion_production(models: Sequence[HadronicModel], missing: Sequence[str] = ()) -> Figure:
    """Draw the spectrum-weighted production of charged pions of 3-4 GeV/c against the proton's energy.

    The curve integrated over ln E is about proportional to the flux of neutrinos of about 1 GeV. For a neutron pi+ and
    pi- change places; the sum is the same.

    Parameters
    ----------
    models : sequence of HadronicModel
    missing : sequence of str
        Names of models that could not be loaded, for the legend.

    Returns
    -------
    Figure
    """
    figure, ax = style.subplots(figsize=(6.0, 4.6))
    shown = (
        (r"$\pi^+ + \pi^-$", ("pi+", "pi-"), style.BLACK),
        (r"$\pi^+$", ("pi+",), style.BLUE),
        (r"$\pi^-$", ("pi-",), style.VERMILION),
    )
    for model, line in zip(models, itertools.cycle(LINES), strict=False):
        energies = energies_of(model, 10.0 ** np.arange(0.5, 4.001, 0.025))
        for _, names, colour in shown:
            y = [weighted_yield(model, P, [species_code(name) for name in names], T) for T in energies]
            ax.plot(energies + PROTON_MASS_GEV, np.array(y) * 1e3, linestyle=line, color=colour)
        ax.plot([], [], linestyle=line, color=style.GREY, label=model.name)
    for label, _, colour in shown:
        ax.plot([], [], color=colour, linewidth=4, label=label)
    name_missing(ax, missing)
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
    """Draw dN/dx of pions, kaons and nucleons in p-air at FLUKA's energies; x is total over total energy.

    Parameters
    ----------
    model : HadronicModel

    Returns
    -------
    Figure
    """
    panels = (
        ((r"$\pi^+$", ("pi+",)), (r"$\pi^-$", ("pi-",)), ("p + n", ("p", "n"))),
        ((r"K$^+$", ("K+",)), (r"K$^-$", ("K-",)), (r"K$^0_L$ + K$^0_S$", ("K0L", "K0S"))),
    )
    edges = np.linspace(0.0, 1.0, 51)
    centres = 0.5 * (edges[1:] + edges[:-1])
    shades = colormaps["viridis"](np.linspace(0.0, 0.85, len(YIELD_ENERGIES_GEV)))
    figure, axes = style.subplots(2, 3, figsize=(8.4, 5.6), sharex=True)
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
    for ax in axes[:, 0]:
        ax.set_ylabel(r"$dN/dx$ per interaction")
    figure.suptitle(f"Secondaries of p-air in {model.name}, by kinetic energy of the proton", fontsize=11)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=len(shades))
    return figure
