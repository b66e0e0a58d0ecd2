"""Draw moments of the hadronic models against energy: Z factors and energy fractions F of p-air.

There are three kinds of figures. All models, one panel per secondary, with mean transverse momentum and multiplicity
(``sim3d zfactors --all``). One model, its tables beside sampled interactions (``sim3d zfactors -o``). Z of charged
pions for ``sim3d figures``. Circles are FLUKA's published values (p-air), diamonds daemonflux's (p-carbon).
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.lines import Line2D

from hadronic.definitions import DEFAULT_DEFINITION, READINGS
from hadronic.observables.transverse import mean_pT
from hadronic.observables.zfactors import label_codes, moment_field
from hadronic.reference import PROTON_MASS_GEV, ReferenceValue, daemonflux_reference, fluka_reference
from hadronic.species import IS_BARYON, P, species_code
from sim3d.config.schema import HadronicTable
from sim3d.plots import style
from sim3d.studies.hadronic_models import exact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hadronic.models import HadronicModel
    from hadronic.observables.zfactors import ComparedMoment

NAMES = {
    "pi+": r"$\pi^+$",
    "pi-": r"$\pi^-$",
    "pi0": r"$\pi^0$",
    "K+": r"$K^+$",
    "K-": r"$K^-$",
    "K0": r"$K^0+\bar K^0$",
    "p": r"$p$",
    "n": r"$n$",
    "p+n": r"$p+n$",
    "Lambda": r"$\Lambda$",
}
_LOOKS: tuple[tuple[str, Any], ...] = (
    (style.BLACK, "-"),
    (style.VERMILION, (0, (6, 2))),
    (style.BLUE, (0, (10, 1.5, 1.5, 1.5))),
    (style.GREEN, (0, (4, 1, 1, 1))),
    (style.PURPLE, (0, (1, 1))),
    (style.ORANGE, (0, (8, 2))),
)
_COLOURS = {
    "p": style.BLACK,
    "n": style.GREY,
    "p+n": style.BLACK,
    "pi+": style.BLUE,
    "pi-": style.VERMILION,
    "pi0": style.GREEN,
    "K+": style.ORANGE,
    "K-": style.PURPLE,
    "K0": "#56B4E9",
    "Lambda": "#8C6D31",
}
"""Colours of secondaries where all are in one panel."""
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (8, 2)), (0, (5, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (3, 4)))
"""Line styles of models where colours distinguish secondaries."""
DEFAULT: str = HadronicTable().model
"""Model of a run that names none; its lines are thicker."""
_MARKERS = {"FLUKA": "o", "daemonflux": "D"}
_SOURCES = {"FLUKA": "FLUKA (p-air)", "daemonflux": "daemonflux (p-carbon)"}
_RANGE_GEV = (1.0, 1.0e6)


def model_look(number: int) -> dict[str, Any]:
    """Return colour and line style of the n-th model of a figure.

    Parameters
    ----------
    number : int
        From 0.

    Returns
    -------
    dict
        Keywords of ``Axes.plot``.
    """
    colour, line = _LOOKS[number % len(_LOOKS)]
    return {"color": colour, "linestyle": line}


def energies_of(model: HadronicModel, energies: np.ndarray) -> np.ndarray:
    """Select the energies that are within a model's tables.

    Parameters
    ----------
    model : HadronicModel
    energies : float64 array (n,)
        Kinetic energies, GeV.

    Returns
    -------
    float64 array (m,)
    """
    low, high = np.exp(model.tables.ln_T[[0, -1]])
    return energies[(energies >= low) & (energies <= high)]


def name_missing(ax: Axes, missing: Sequence[str]) -> None:
    """Name models that are not installed in the legend.

    Parameters
    ----------
    ax : Axes
    missing : sequence of str
    """
    for name in missing:
        ax.plot([], [], linestyle="none", label=f"{name}: not installed")


def published(source: str, quantity: str, secondary: str) -> list[ReferenceValue]:
    """Return the published values of F or Z of a secondary, from FLUKA's or daemonflux's tables.

    Parameters
    ----------
    source : str
    quantity : str
        ``F`` or ``Z``.
    secondary : str

    Returns
    -------
    list of ReferenceValue
    """
    values = fluka_reference() if source == "FLUKA" else daemonflux_reference()
    return [value for value in values if value.quantity == quantity and value.secondary == secondary]


def _published_points(ax: Axes, source: str, values: Sequence[ReferenceValue], shift: float = 0.0, **look: Any) -> None:
    """Draw published values against the kinetic energy plus `shift` (GeV), with their errors where these are known."""
    ax.errorbar(
        [value.kinetic_energy_GeV + shift for value in values],
        [value.value for value in values],
        yerr=[value.error or 0.0 for value in values],
        **{"marker": _MARKERS[source], "linestyle": "none", "elinewidth": 0.8, **look},
    )


def _panels(
    labels: Sequence[str],
    models: Sequence[HadronicModel],
    value: Callable[[HadronicModel, str, float], float],
    per_decade: int,
    columns: int,
    quantity: str = "",
) -> tuple[Figure, np.ndarray]:
    """One panel per secondary, one line per model; published points where `quantity` is F or Z."""
    rows = -(-len(labels) // columns)
    figure, axes = style.subplots(
        rows, columns, figsize=(2.75 * columns, 2.25 * rows + 0.6), sharex=True, squeeze=False
    )
    energies = 10.0 ** np.linspace(0.0, 6.0, 6 * per_decade + 1)
    for ax, label in zip(axes.flat, labels, strict=False):
        for number, model in enumerate(models):
            colour, line = _LOOKS[number % len(_LOOKS)]
            inside = energies_of(model, energies)
            values = np.array([value(model, label, float(T)) for T in inside])
            shown = np.where(values > 0.0, values, np.nan)
            width = 2.2 if model.name == DEFAULT else 1.2
            ax.plot(inside, shown, color=colour, linestyle=line, linewidth=width, label=model.name)
        if quantity:
            _points(ax, quantity, label)
        ax.set(xscale="log", xlim=_RANGE_GEV)
        # Baryons fall from the left, mesons rise to the right.
        left = label not in ("p", "n", "p+n") or quantity == ""
        place = (0.04, "left") if left else (0.95, "right")
        ax.text(place[0], 0.94, NAMES[label], transform=ax.transAxes, va="top", ha=place[1], fontsize=11)
    for ax in axes.flat[len(labels) :]:
        ax.set_axis_off()
    for ax in axes[-1]:
        ax.set_xlabel("Proton kinetic energy (GeV)")
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(len(names), 6))
    return figure, axes


def _points(ax: Axes, quantity: str, label: str) -> None:
    """Draw the published values of a secondary whose error is below one half of the value."""
    for source, name in _SOURCES.items():
        values = published(source, quantity, label)
        values = [value for value in values if value.value > 0.0 and (value.error or 0.0) < 0.5 * value.value]
        if values:
            look: dict[str, Any] = {"color": style.BLACK, "zorder": 4, "label": name}
            _published_points(ax, source, values, markersize=4.5, markerfacecolor="white", **look)


def draw_survey(models: Sequence[HadronicModel], folder: Path) -> list[Path]:
    """Draw and save the figures of all models: Z, energy fractions, mean pT and multiplicities.

    Parameters
    ----------
    models : sequence of HadronicModel
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files ``models-z``, ``-energy-fractions``, ``-pt`` and ``-multiplicities``, PNG and PDF of each.
    """
    paths = []
    with rc_context(style.RC):
        for stem, figure in (
            ("models-z", moments(models, "Z")),
            ("models-energy-fractions", moments(models, "F")),
            ("models-pt", transverse_momenta(models)),
            ("models-multiplicities", multiplicities(models)),
        ):
            paths += style.save(figure, folder, stem, [f"thick: {DEFAULT}, the default of runs"])
    return paths


def moments(models: Sequence[HadronicModel], quantity: str) -> Figure:
    """Draw Z or the energy fraction F of each secondary of p-air against energy, for all models, with published values.

    Parameters
    ----------
    models : sequence of HadronicModel
    quantity : str
        ``F`` or ``Z``.

    Returns
    -------
    Figure
    """
    if quantity == "Z":
        labels: tuple[str, ...] = ("pi+", "pi-", "pi0", "K+", "K-", "p", "n", "p+n")
        title = r"Spectrum-weighted moments $Z=\langle\sum x^{1.7}\rangle$ of p-air"
    else:
        labels = ("pi+", "pi-", "pi0", "K+", "K-", "K0", "p", "n", "Lambda")
        title = r"Energy fractions $F=\langle\sum x\rangle$ of p-air"

    def value(model: HadronicModel, label: str, T: float) -> float:
        return exact(model, quantity, label, T)

    figure, axes = _panels(labels, models, value, 10, 4 if quantity == "Z" else 3, quantity)
    for ax, label in zip(axes.flat, labels, strict=False):
        ax.set_ylim(0.0, (1.25 if label not in ("p", "n", "p+n") else 1.15) * _top(ax))
    figure.suptitle(title + "; total over total energy for mesons, kinetic over kinetic for baryons", fontsize=9.5)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"${quantity}$")
    return figure


def _top(ax: Axes) -> float:
    heights = [np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines()]
    return max(float(np.nanmax(height)) for height in heights if height.size)


def transverse_momenta(models: Sequence[HadronicModel]) -> Figure:
    """Draw the mean transverse momentum of pions, kaons and nucleons of p-air against energy.

    Parameters
    ----------
    models : sequence of HadronicModel

    Returns
    -------
    Figure
    """

    def value(model: HadronicModel, label: str, T: float) -> float:
        return mean_pT(model, P, label_codes(label)[0], T)

    figure, axes = _panels(("pi+", "K+", "p"), models, value, 5, 3)
    for ax in axes.flat:
        ax.set_ylim(0.0, 0.8)
    figure.suptitle("Mean transverse momentum of secondaries of p-air", fontsize=9.5)
    axes[0, 0].set_ylabel(r"$\langle p_T\rangle$ (GeV/$c$)")
    return figure


def multiplicities(models: Sequence[HadronicModel]) -> Figure:
    """Draw the mean number of secondaries per interaction of p-air against energy.

    Parameters
    ----------
    models : sequence of HadronicModel

    Returns
    -------
    Figure
    """

    def value(model: HadronicModel, label: str, T: float) -> float:
        return exact(model, "multiplicity", label, T)

    figure, axes = _panels(("pi+", "pi-", "K+", "K-", "p", "n"), models, value, 5, 3)
    for number, ax in enumerate(axes.flat):
        if number < 4:
            ax.set_yscale("log")
            ax.set_ylim(max(1e-4, ax.get_ylim()[0]), None)
        else:
            ax.set_ylim(0.0, None)
    for ax in axes[:, 0]:
        ax.set_ylabel("Number per interaction")
    figure.suptitle("Number of secondaries per interaction, p-air (nucleons above 0.1 GeV)", fontsize=9.5)
    return figure


def pion_z_factors(models: Sequence[HadronicModel], missing: Sequence[str] = ()) -> Figure:
    """Draw Z factors of charged pions from protons against the proton's total energy, one curve per model.

    References: FLUKA (p-air, circles), daemonflux (p-carbon, calibrated to muons, diamonds). Models that could not be
    loaded, ``missing``, are named in the legend.

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
    colours = {"pi+": style.BLUE, "pi-": style.VERMILION}
    for model, line in zip(models, itertools.cycle(LINES), strict=False):
        own = model.definition if model.definition in READINGS else DEFAULT_DEFINITION
        field = moment_field(own, "Z", baryon=False)
        energies = energies_of(model, 10.0 ** np.arange(0.0, 5.001, 0.05))
        for pion, colour in colours.items():
            z = [getattr(model.moments(P, species_code(pion), T), field) for T in energies]
            ax.plot(energies + PROTON_MASS_GEV, z, linestyle=line, color=colour)
        ax.plot([], [], linestyle=line, color=style.GREY, label=model.name)
    for source, name in _SOURCES.items():
        for pion, colour in colours.items():
            look = {"color": colour, "markersize": 4.5, "markerfacecolor": "white"}
            _published_points(ax, source, published(source, "Z", pion), PROTON_MASS_GEV, **look)
        marker = _MARKERS[source]
        ax.plot([], [], color=style.GREY, marker=marker, markerfacecolor="white", linestyle="none", label=name)
    for pion, colour in colours.items():
        ax.plot([], [], color=colour, linewidth=4, label=NAMES[pion])
    name_missing(ax, missing)
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


def draw_compared(model: HadronicModel, rows: list[ComparedMoment], folder: Path) -> list[Path]:
    """Draw and save ``zfactors``: F and Z of one model against energy, tabulated, sampled and published.

    Parameters
    ----------
    model : HadronicModel
    rows : list of ComparedMoment
        The sampled moments.
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
    """
    with rc_context(style.RC):
        return style.save(compared_moments(model, rows), folder, "zfactors")


def compared_moments(model: HadronicModel, rows: list[ComparedMoment]) -> Figure:
    """Draw F (left) and Z (right) of all secondaries of one model: tables, sampled moments, published values.

    Parameters
    ----------
    model : HadronicModel
    rows : list of ComparedMoment
        The sampled moments.

    Returns
    -------
    Figure
    """
    figure, axes = style.subplots(1, 2, figsize=(9.4, 4.6), gridspec_kw={"wspace": 0.04})
    for ax, quantity in zip(axes, "FZ", strict=True):
        _compared_panel(ax, quantity, model, rows)
    axes[0].set_ylabel(r"Energy fraction $F$")
    axes[1].set_ylabel(r"Spectrum-weighted moment $Z$ ($\gamma = 2.7$)")
    shown: dict[str, Any] = {"color": style.BLACK, "linestyle": "none"}
    axes[0].legend(
        handles=[
            Line2D([], [], color=style.BLACK, label=f"{model.name} ({model.definition})"),
            Line2D([], [], marker="_", markersize=8, label="sampled", **shown),
            Line2D([], [], marker="o", markersize=5, markerfacecolor="none", label="FLUKA", **shown),
            Line2D([], [], marker="D", markersize=4, label="daemonflux (p-C)", **shown),
        ],
        loc="lower right",
    )
    return figure


def _compared_panel(ax: Axes, quantity: str, model: HadronicModel, rows: list[ComparedMoment]) -> None:
    """Draw the panel of F or of Z."""
    labels = list(dict.fromkeys(row.secondary for row in rows if row.quantity == quantity))
    energies = np.geomspace(1.0, 1.0e5, 101)
    ends = []
    for label in labels:
        colour = _COLOURS[label]
        codes = label_codes(label)
        field = moment_field(rows[0].definition, quantity, bool(IS_BARYON[codes[0]]))
        curve = np.array([sum(getattr(model.moments(0, code, T), field) for code in codes) for T in energies])
        ax.plot(energies, np.where(curve > 1e-6, curve, np.nan), color=colour)
        ends.append((float(curve[-1]), NAMES[label], colour))
        sampled = [row for row in rows if row.quantity == quantity and row.secondary == label]
        ax.errorbar(
            [row.kinetic_energy_GeV for row in sampled],
            [row.value for row in sampled],
            yerr=[row.error for row in sampled],
            color=colour,
            marker="_",
            markersize=8,
            linestyle="none",
            elinewidth=0.8,
        )
        fluka = [value for value in published("FLUKA", quantity, label) if value.value > 0.0]
        _published_points(ax, "FLUKA", fluka, color=colour, markersize=5, markerfacecolor="none")
        daemonflux = [v for v in published("daemonflux", quantity, label) if v.kinetic_energy_GeV <= 1.0e5]
        _published_points(ax, "daemonflux", daemonflux, color=colour, markersize=4)
    ax.set(xscale="log", yscale="log", xlim=(1.0, 1.0e5), xlabel="Proton kinetic energy (GeV)")
    ax.set_ylim((3e-4, 0.8) if quantity == "F" else (1e-4, 0.8))
    _label_ends(ax, ends)


def _label_ends(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Write the names of the curves at their right ends, at least a line of text apart."""
    low, high = (math.log(value) for value in ax.get_ylim())
    apart = 0.045
    ends = sorted(ends)
    heights = [(math.log(value) - low) / (high - low) for value, _, _ in ends]
    for _ in range(200):
        for i in range(len(heights) - 1):
            overlap = apart - (heights[i + 1] - heights[i])
            if overlap > 0.0:
                heights[i] -= 0.5 * overlap
                heights[i + 1] += 0.5 * overlap
    for (_, name, colour), height in zip(ends, heights, strict=True):
        ax.text(1.02, height, name, color=colour, transform=ax.transAxes, va="center", fontsize=9)
