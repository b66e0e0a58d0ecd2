"""Draw the fluxes of a site that ships with sim3d against energy, with their errors as bands."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import rc_context

from sim3d.conventions.arrays import Array
from sim3d.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LABELS = {"numu": r"$\nu_\mu$", "numubar": r"$\bar\nu_\mu$", "nue": r"$\nu_e$", "nuebar": r"$\bar\nu_e$"}


def draw(
    folder: Path, site: str, energies_GeV: Array, fluxes: Mapping[str, tuple[Array, Array]], title: str, kind: str
) -> list[Path]:
    """Draw and save the figure ``<site>-flux``.

    Parameters
    ----------
    folder : Path
        Must exist.
    site : str
    energies_GeV : float64 array (n,)
    fluxes : mapping of (float64 array (n,), float64 array (n,))
        By flavour: flux and its error, m^-2 s^-1 sr^-1 GeV^-1.
    title : str
    kind : str
        Of the errors, for the axis.

    Returns
    -------
    list of Path
        Files written (PNG and PDF).
    """
    with rc_context(style.RC):
        return style.save(figure_of(energies_GeV, fluxes, title, kind), folder, f"{site}-flux")


def figure_of(energies_GeV: Array, fluxes: Mapping[str, tuple[Array, Array]], title: str, kind: str) -> Figure:
    """Draw the fluxes times E^3, and below their relative errors; arguments as for :func:`draw`."""
    figure, (top, bottom) = style.subplots(
        2, 1, figsize=(6.0, 5.4), sharex=True, gridspec_kw={"height_ratios": (3.0, 1.2)}
    )
    for flavour, (flux, error) in fluxes.items():
        values, spread = np.asarray(flux) * energies_GeV**3, np.asarray(error) * energies_GeV**3
        colour = style.COLOURS[flavour]
        line = "--" if flavour.endswith("bar") else "-"
        top.plot(energies_GeV, values, color=colour, linestyle=line, linewidth=1.4, label=_LABELS[flavour])
        top.fill_between(energies_GeV, values - spread, values + spread, color=colour, alpha=0.2, linewidth=0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            bottom.plot(energies_GeV, 100.0 * spread / values, color=colour, linestyle=line, linewidth=1.2)
    top.set(
        xscale="log", yscale="log", title=title,
        ylabel=r"$E^3\,\Phi$ (GeV$^2$ m$^{-2}$ s$^{-1}$ sr$^{-1}$)",
    )  # fmt: skip
    bottom.set(xlabel="Neutrino energy (GeV)", ylabel=f"{kind} error (%)", ylim=(0.0, None))
    top.legend()
    return figure
