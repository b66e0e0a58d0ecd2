"""Figures of a calibration: data over prediction before and after, pulls, correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sim3d.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.calibration.fit import Fit, FittedSet
    from sim3d.calibration.measurements import Measurement


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
