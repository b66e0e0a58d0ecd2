"""Draw hadronic models beside measured particle production on carbon: ratios of models to measurements.

Spectra of protons (NA61, NA49) and of pi- (NA61) by x, HARP's measurement by momentum in bins of angle, and that of
NA61 at 60 GeV/c by angle in ranges of momentum.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context
from matplotlib.ticker import FixedFormatter, FixedLocator, NullFormatter

from hadronic.measurements import NORMALISATION, AngleData, SpectrumData
from hadronic.observables.measured import Channel
from hadronic.species import MASS_GEV, species_code
from sim3d.plots import style
from sim3d.plots.hadronic_moments import NAMES, model_look

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Ranges of momentum (GeV/c) of the figure by angle.
MOMENTA_GEV = ((0.8, 1.5), (2.6, 3.8), (5.0, 7.0), (9.4, 11.8), (15.0, 19.0), (25.0, 33.0))
_RATIO = (0.4, 2.0)
_TICKS = (0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0)
_NOTE = "points: the measurements, at 1, with their errors; grey: error of their normalisation; {}: made of them"
MADE_OF_DATA = "accelerator"
"""The model whose line is thick."""


def _title(data: SpectrumData | AngleData) -> str:
    mass = float(MASS_GEV[species_code(data.projectile)])
    beam = np.sqrt(data.T_GeV * (data.T_GeV + 2.0 * mass))
    return f"{NAMES[data.projectile]}C, {beam:.0f} GeV/c: {NAMES[data.secondary]}"


def _draw_ratio(ax: Axes, x: np.ndarray, channels: Sequence[Channel], chosen: np.ndarray) -> None:
    """Draw the measurement's errors as points at 1, and the models as lines."""
    first = channels[0]
    norm = NORMALISATION[first.data.experiment]
    order = np.argsort(x)
    ax.axhspan(1.0 - norm, 1.0 + norm, color="0.88", linewidth=0)
    ax.errorbar(
        x, np.ones(x.size), yerr=(first.error / first.measured)[chosen], fmt="o", color=style.GREY, markersize=2.5,
        elinewidth=0.8, label="measurement",
    )  # fmt: skip
    for number, channel in enumerate(channels):
        ratio = (channel.predicted / channel.measured)[chosen]
        width = 2.0 if channel.model == MADE_OF_DATA else 1.0
        line = np.clip(ratio[order], 0.01, 100.0)
        ax.plot(x[order], line, label=channel.model, linewidth=width, **model_look(number))
    ax.set_ylim(*_RATIO)


def _logarithmic(ax: Axes, low: float, high: float) -> None:
    """Make the horizontal axis logarithmic, with plain numbers at its ticks."""
    ax.set(xscale="log", xlim=(low, high))
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    ax.xaxis.set_major_locator(FixedLocator(ticks))
    ax.xaxis.set_major_formatter(FixedFormatter([f"{tick:g}" for tick in ticks]))
    ax.xaxis.set_minor_formatter(NullFormatter())


def _finish(figure: Figure, axes: np.ndarray, used: int, xlabel: str, title: str) -> Figure:
    for ax in axes.flat[used:]:
        ax.set_visible(False)
    columns = axes.shape[1]
    for number in range(used):
        if number + columns >= used:
            axes.flat[number].tick_params(labelbottom=True)
    for ax in axes[:, 0]:
        ax.set_ylabel("model / data")
    for ax in axes[-1]:
        ax.set_xlabel(xlabel)
    figure.suptitle(title, fontsize=10)
    handles, labels = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=6)
    return figure


def spectra(models: Sequence[Sequence[Channel]], projectile: str) -> Figure:
    """Draw ratios of spectra by x, one panel for each secondary and energy.

    Parameters
    ----------
    models : sequence of sequence of Channel
        Of each model, from `hadronic.observables.measured.compare_all`.
    projectile : str
        ``p`` or ``pi-``.

    Returns
    -------
    Figure
    """
    rows = [
        row
        for row in zip(*models, strict=True)
        if isinstance(row[0].data, SpectrumData) and row[0].data.projectile == projectile
    ]
    lines = -(-len(rows) // 4)
    figure, axes = style.subplots(lines, 4, figsize=(9.6, 2.1 * lines + 1.2), sharey=True, squeeze=False)
    for ax, row in zip(axes.flat, rows, strict=False):
        data = row[0].data
        _draw_ratio(ax, data.x, row, np.full(data.x.size, True))
        ax.set_title(_title(data))
        _logarithmic(ax, 0.8 * data.x.min(), 1.2 * data.x.max())
    return _finish(figure, axes, len(rows), r"$x = E / E_{\rm beam}$", "Particle production on carbon by x")


def harp(models: Sequence[Sequence[Channel]], projectile: str = "p") -> Figure:
    """Draw ratios to HARP by momentum, one panel for each secondary and bin of angle.

    Parameters
    ----------
    models : sequence of sequence of Channel
        Of each model.
    projectile : str
        ``p``, ``pi+`` or ``pi-``.

    Returns
    -------
    Figure
    """
    panels: list[tuple[Any, np.ndarray, str]] = []
    for row in zip(*models, strict=True):
        data = row[0].data
        if isinstance(data, AngleData) and data.experiment.startswith("HARP") and data.projectile == projectile:
            for low, high in sorted({(a, b) for a, b in data.theta_rad.tolist()}):
                here = np.isclose(data.theta_rad[:, 0], low)
                name = f"{NAMES[data.secondary]}, {1e3 * low:.0f}-{1e3 * high:.0f} mrad"
                panels.append((row, here, name))
    lines = -(-len(panels) // 4)
    figure, axes = style.subplots(lines, 4, figsize=(9.6, 1.9 * lines + 1.2), sharey=True, sharex=True, squeeze=False)
    for ax, (row, here, name) in zip(axes.flat, panels, strict=False):
        _draw_ratio(ax, row[0].data.p_GeV[here].mean(axis=1), row, here)
        ax.set(title=name, xlim=(0.0, 8.0))
    title = f"HARP, {NAMES[projectile]}C at 12 GeV/c, by momentum and angle"
    return _finish(figure, axes, len(panels), "momentum (GeV/c)", title)


def by_angle(models: Sequence[Sequence[Channel]]) -> Figure:
    """Draw ratios to NA61 at 60 GeV/c by angle, one panel for each secondary and range of momentum.

    Parameters
    ----------
    models : sequence of sequence of Channel
        Of each model.

    Returns
    -------
    Figure
    """
    panels: list[tuple[Any, np.ndarray, str]] = []
    for row in zip(*models, strict=True):
        data = row[0].data
        if isinstance(data, AngleData) and data.experiment.startswith("NA61") and data.secondary in ("pi+", "pi-"):
            middle = data.p_GeV.mean(axis=1)
            for low, high in MOMENTA_GEV:
                here = (middle > low) & (middle < high)
                panels.append((row, here, f"{NAMES[data.secondary]}, {low:g}-{high:g} GeV/c"))
    lines = -(-len(panels) // 4)
    figure, axes = style.subplots(lines, 4, figsize=(9.6, 2.1 * lines + 1.2), sharey=True, squeeze=False)
    for ax, (row, here, name) in zip(axes.flat, panels, strict=False):
        angle = 1e3 * row[0].data.theta_rad[here].mean(axis=1)
        places = np.unique(angle)
        sums = [_summed(channel, here, angle, places) for channel in row]
        _draw_ratio(ax, places, sums, np.full(places.size, True))
        ax.set_title(name)
        _logarithmic(ax, 4.0, 500.0)
    title = f"NA61/SHINE, {NAMES['pi+']}C at 60 GeV/c, by angle"
    return _finish(figure, axes, len(panels), "angle (mrad)", title)


def _summed(channel: Channel, here: np.ndarray, angle: np.ndarray, places: np.ndarray) -> Channel:
    """Add bins of the same angle."""
    groups = [angle == place for place in places]
    return Channel(
        channel.data,
        channel.model,
        np.array([channel.measured[here][one].sum() for one in groups]),
        np.array([channel.predicted[here][one].sum() for one in groups]),
        np.array([np.sqrt((channel.error[here][one] ** 2).sum()) for one in groups]),
        channel.chi2,
    )


def draw_production(models: Sequence[Sequence[Channel]], folder: Path) -> list[Path]:
    """Draw all figures of models beside measurements.

    Parameters
    ----------
    models : sequence of sequence of Channel
        Of each model.
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        Files written.
    """
    paths = []
    with rc_context(style.RC):
        for stem, figure in (
            ("production-protons", spectra(models, "p")),
            ("production-pions", spectra(models, "pi-")),
            ("production-harp", harp(models)),
            ("production-harp-pions", harp(models, "pi-")),
            ("production-na61-60", by_angle(models)),
        ):
            paths += style.save(figure, folder, stem, [_NOTE.format(MADE_OF_DATA)])
    return paths
