"""Figures of a calibration: data over prediction before and after, pulls, correlations, errors of neutrinos."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim3d.plots import style
from sim3d.plots.axes import plain_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.calibration.fit import Fit, FittedSet
    from sim3d.calibration.measurements import Measurement
    from sim3d.files.calibration_file import Calibration


def data_over_prediction(measurement: Measurement, first: FittedSet, last: FittedSet, found: Fit) -> Figure:
    """Draw data over prediction against momentum, before and after the fit, one panel for each observable.

    Parameters
    ----------
    measurement : Measurement
    first, last : FittedSet
        With the responses at the start and at the end.
    found : Fit

    Returns
    -------
    Figure
    """
    n = len(measurement.points)
    figure, axes = style.subplots(n, 1, figsize=(5.4, 1.2 + 2.2 * n), sharex=True, squeeze=False)
    begin = 0
    for ax, points in zip(axes[:, 0], measurement.points, strict=True):
        here = slice(begin, begin + len(points.value))
        begin = here.stop
        error = np.sqrt(np.diag(last.total_covariance))[here]
        before, after = first.response.values[here], found.predictions[last.name][here]
        ax.errorbar(
            points.at_GeV,
            points.value / before,
            error / before,
            fmt="o",
            ms=3,
            mfc="none",
            color=style.GREY,
            label="before",
        )
        ax.errorbar(
            points.at_GeV,
            points.value / after,
            error / after,
            fmt="s",
            ms=3,
            color=style.BLUE,
            label="after, with nuisances",
        )
        ax.axhline(1.0, lw=0.8, color="0.5")
        ax.set(xscale="log", ylabel=f"Data over prediction, {points.table.name}")
    axes[0, 0].set_title(measurement.table.title)
    axes[0, 0].legend()
    axes[-1, 0].set_xlabel("Momentum (GeV/c)")
    return figure


def pulls(found: Fit) -> Figure:
    """Draw the fitted values and errors of all parameters in units of their priors.

    Parameters
    ----------
    found : Fit

    Returns
    -------
    Figure
    """
    n = len(found.parameters)
    figure, ax = style.subplots(figsize=(5.4, 1.0 + 0.19 * n))
    rows = np.arange(n)[::-1]
    ax.axvspan(-1.0, 1.0, color="0.9")
    ax.errorbar(
        found.values - found.prior_centre,
        rows,
        xerr=np.sqrt(np.diag(found.covariance)),
        fmt="o",
        ms=3,
        color=style.BLUE,
    )
    ax.set_yticks(rows, found.parameters, fontsize=7)
    ax.set(xlabel="Value and error in units of the prior's", ylim=(-1, n))
    return figure


def correlations(found: Fit) -> Figure:
    """Draw the correlation matrix of the parameters after the fit.

    Parameters
    ----------
    found : Fit

    Returns
    -------
    Figure
    """
    error = np.sqrt(np.diag(found.covariance))
    figure, ax = style.subplots(figsize=(5.4, 5.2))
    image = ax.imshow(found.covariance / np.outer(error, error), vmin=-1.0, vmax=1.0, cmap="RdBu_r")
    ticks = np.arange(len(error))
    ax.set_xticks(ticks, found.parameters, fontsize=5, rotation=90)
    ax.set_yticks(ticks, found.parameters, fontsize=5)
    figure.colorbar(image, ax=ax, label="Correlation")
    return figure


def all_measurements(found: Calibration, measurements: Sequence[Measurement]) -> Figure:
    """Draw data over prediction of every measurement of a stored calibration, before and after the fit.

    Parameters
    ----------
    found : Calibration
    measurements : sequence of Measurement
        Those of the calibration.

    Returns
    -------
    Figure
    """
    panels = [(one, i) for one in measurements for i in range(len(one.points))]
    figure, axes = style.subplots(-(-len(panels) // 2), 2, figsize=(8.6, 1.0 + 0.85 * len(panels)), sharex=True)
    begin = {one.name: 0 for one in measurements}
    for ax, (one, i) in zip(axes.flat, panels, strict=False):
        points, part = one.points[i], f"sets/{one.name}/"
        here = slice(begin[one.name], begin[one.name] + len(points.value))
        begin[one.name] = here.stop
        error = np.sqrt(np.diag(found.arrays[part + "data_covariance"]))[here]
        for key, look in (
            ("before", {"fmt": "o", "mfc": "none", "color": style.GREY, "label": "model"}),
            ("after", {"fmt": "s", "color": style.BLUE, "label": "calibrated"}),
        ):
            of = found.arrays[part + key][here]
            # side by side, so that neither hides the other
            at = points.at_GeV * (1.015 if key == "after" else 0.985)
            ax.errorbar(at, points.value / of, error / of, ms=3, lw=1.0, **look)
        ax.axhline(1.0, lw=0.8, color="0.5")
        ax.set(xscale="log", title=f"{one.table.title}: {points.table.name}")
    for ax in axes.flat[len(panels) :]:
        ax.set_axis_off()
    for column in axes.T:
        last = [ax for ax in column if ax.axison][-1]
        last.set_xlabel("Momentum of muons (GeV/c)")
        last.tick_params(labelbottom=True)
        plain_ticks(last)
    figure.supylabel("Data over prediction")
    axes.flat[0].legend()
    return figure


def neutrino_errors(found: Calibration, cos_zenith: Sequence[float] = (0.3, 1.0)) -> Figure:
    """Draw how much a calibration moves the fluxes of neutrinos, and their errors before and after, against energy.

    Parameters
    ----------
    found : Calibration
        With derivatives by the cascade equations.
    cos_zenith : sequence of float
        Whose mean is drawn; of the stored ones.

    Returns
    -------
    Figure
    """
    energies = found.arrays["neutrinos/energies_GeV"]
    columns = [found.arrays["neutrinos/cos_zenith"].tolist().index(one) for one in cos_zenith]
    slopes = found.arrays["neutrinos/slopes"][:, :, columns].mean(axis=2)
    modes = np.zeros((0, *slopes.shape[:2])) if found.modes is None else found.modes.changes[..., columns].mean(axis=-1)
    figure, axes = style.subplots(1, 2, figsize=(8.6, 3.6), sharex=True, sharey=True)
    for ax, f, name in zip(axes, (0, 2), ("$\\nu_\\mu$", "$\\nu_e$"), strict=True):
        of = slopes[f]
        own, prior = (np.einsum("ei,ij,ej->e", of, matrix, of) for matrix in (found.covariance, found.prior))
        move = np.expm1(of @ found.values)
        total = np.sqrt(own + np.sum(modes[:, f] ** 2, axis=0))
        ax.fill_between(energies, 100.0 * (move - total), 100.0 * (move + total), color=style.BLUE, alpha=0.2, lw=0.0)
        ax.plot(energies, 100.0 * move, color=style.BLUE, label="calibrated, with its error")
        ax.plot(
            energies, 100.0 * (move + np.sqrt(own)), color=style.BLUE, ls=":", label="error of the parameters alone"
        )
        ax.plot(energies, 100.0 * (move - np.sqrt(own)), color=style.BLUE, ls=":")
        for sign in (1.0, -1.0):
            ax.plot(
                energies, sign * 100.0 * np.sqrt(prior), color="0.3", ls="--", label="error before" if sign > 0 else ""
            )
        ax.axhline(0.0, lw=0.8, color="0.5")
        ax.set(xscale="log", xlabel="Energy of neutrinos (GeV)", title=name)
        plain_ticks(ax)
    axes[0].set_ylabel("Change of the flux (%)")
    axes[0].legend(loc="upper left")
    return figure
