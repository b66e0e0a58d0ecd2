"""Figures of ``sim3d zfactors --all``: Z and F of all models against energy, mean pT, numbers of secondaries."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np

from hadronic.reference import daemonflux_reference, fluka_reference
from hadronic.species import P
from hadronic.transverse import mean_pT
from hadronic.zfactors import label_codes
from sim3d import style
from sim3d.model_survey import exact

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hadronic.models import HadronicModel

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
_RANGE_GEV = (1.0, 1.0e6)


def _energies(per_decade: int) -> np.ndarray:
    return 10.0 ** np.linspace(0.0, 6.0, 6 * per_decade + 1)


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
    figure, axes = plt.subplots(rows, columns, figsize=(2.75 * columns, 2.25 * rows + 0.6), sharex=True, squeeze=False)
    energies = _energies(per_decade)
    for ax, label in zip(axes.flat, labels, strict=False):
        for number, model in enumerate(models):
            colour, line = _LOOKS[number % len(_LOOKS)]
            inside = energies[(energies >= np.exp(model.tables.ln_T[0])) & (energies <= np.exp(model.tables.ln_T[-1]))]
            values = np.array([value(model, label, float(T)) for T in inside])
            shown = np.where(values > 0.0, values, np.nan)
            ax.plot(inside, shown, color=colour, linestyle=line, linewidth=1.2, label=model.name)
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
    for source, values, marker in (
        ("FLUKA (p-air)", fluka_reference(), "o"),
        ("daemonflux (p-carbon)", daemonflux_reference(), "D"),
    ):
        known = [one for one in values if one.quantity == quantity and one.secondary == label]
        # Where the error is half of the value there is nothing to compare with.
        known = [one for one in known if one.value > 0.0 and (one.error or 0.0) < 0.5 * one.value]
        if not known:
            continue
        ax.errorbar(
            [one.kinetic_energy_GeV for one in known],
            [one.value for one in known],
            yerr=[one.error or 0.0 for one in known],
            color=style.BLACK,
            marker=marker,
            markersize=4.5,
            markerfacecolor="white",
            linestyle="none",
            elinewidth=0.8,
            zorder=4,
            label=source,
        )


def moments(models: Sequence[HadronicModel], quantity: str) -> Figure:
    """Z ("Z") or energy fraction ("F") of each secondary of p-air against energy, all models, published points."""
    if quantity == "Z":
        labels: tuple[str, ...] = ("pi+", "pi-", "pi0", "K+", "K-", "p", "n", "p+n")
        words = r"Spectrum-weighted moments $Z=\langle\sum x^{1.7}\rangle$ of p-air"
    else:
        labels = ("pi+", "pi-", "pi0", "K+", "K-", "K0", "p", "n", "Lambda")
        words = r"Energy fractions $F=\langle\sum x\rangle$ of p-air"

    def value(model: HadronicModel, label: str, T: float) -> float:
        return exact(model, quantity, label, T)

    figure, axes = _panels(labels, models, value, 10, 4 if quantity == "Z" else 3, quantity)
    for ax, label in zip(axes.flat, labels, strict=False):
        ax.set_ylim(0.0, (1.25 if label not in ("p", "n", "p+n") else 1.15) * _top(ax))
    figure.suptitle(words + "; total over total energy for mesons, kinetic over kinetic for baryons", fontsize=9.5)
    for ax in axes[:, 0]:
        ax.set_ylabel(f"${quantity}$")
    return figure


def _top(ax: Axes) -> float:
    heights = [np.asarray(line.get_ydata(), dtype=float) for line in ax.get_lines()]
    return max(float(np.nanmax(one)) for one in heights if one.size)


def transverse_momenta(models: Sequence[HadronicModel]) -> Figure:
    """Mean transverse momentum of pions, kaons and nucleons of p-air against energy."""

    def value(model: HadronicModel, label: str, T: float) -> float:
        return mean_pT(model, P, label_codes(label)[0], T)

    figure, axes = _panels(("pi+", "K+", "p"), models, value, 5, 3)
    for ax in axes.flat:
        ax.set_ylim(0.0, 0.8)
    figure.suptitle("Mean transverse momentum of secondaries of p-air", fontsize=9.5)
    axes[0, 0].set_ylabel(r"$\langle p_T\rangle$ (GeV/$c$)")
    return figure


def multiplicities(models: Sequence[HadronicModel]) -> Figure:
    """Number of secondaries per interaction of p-air against energy."""

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
