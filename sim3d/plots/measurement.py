"""Figures of a measurement: data over expectation by component with pulls, profiles, nuisances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import rc_context

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.plots import style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.measurement.fit import FitResult

_COLOURS = (style.BLUE, style.ORANGE, style.GREEN, style.PURPLE, style.GREY)


def pulls(counts: Array, values: Array, variance: Array) -> Array:
    """Compute (counts - expectation) / sqrt(expectation + Monte Carlo variance); 0 without an expectation.

    Parameters
    ----------
    counts, values, variance : float64 arrays (n,)

    Returns
    -------
    float64 array (n,)
    """
    spread = np.sqrt(values + variance)
    return np.divide(counts - values, spread, out=np.zeros_like(values), where=spread > 0.0)


@rc_context(style.RC)
def data_over_expectation(result: FitResult, axis: str, label: str | None = None) -> Figure:
    """Draw the data and the expectation by component along one axis of the bins, with the pulls below.

    Parameters
    ----------
    result : FitResult
    axis : str
        Name of the axis; the numbers are sums over the others.
    label : str, optional
        Of the abscissa; by default the name.

    Returns
    -------
    Figure
        The line below it says how many events are outside the bins.
    """
    like, found = result.likelihood, result.expectation
    binning = like.model.binning
    counts, total = binning.project(like.counts, axis), binning.project(found.values, axis)
    variance = binning.project(found.variance, axis)
    own: Any = binning.axes[binning.names.index(axis)]
    continuous = hasattr(own, "edges") and "Category" not in type(own).__name__
    edges = np.asarray(own.edges) if continuous else np.arange(len(own) + 1) - 0.5
    middle = 0.5 * (edges[1:] + edges[:-1])
    logarithmic = continuous and edges[0] > 0.0 and edges[-1] / edges[0] > 20.0
    if logarithmic:
        middle = np.sqrt(edges[1:] * edges[:-1])
    figure, (ax, below) = style.subplots(
        2, 1, figsize=(5.4, 5.0), sharex=True, gridspec_kw={"height_ratios": [3.0, 1.0]}
    )
    base = np.zeros(len(total))
    for i, (name, values) in enumerate(found.components.items()):
        part = binning.project(values, axis)
        ax.stairs(
            base + part, edges, baseline=base, fill=True, color=_COLOURS[i % len(_COLOURS)], alpha=0.5, label=name
        )
        base = base + part
    ax.stairs(total, edges, color=style.BLACK, label="expectation")
    band = np.sqrt(variance)
    ax.stairs(
        total + band,
        edges,
        baseline=total - band,
        fill=True,
        color=style.BLACK,
        alpha=0.25,
        label="error of the simulation",
    )
    error = np.sqrt(np.maximum(counts, 0.0))
    ax.errorbar(middle, counts, error, fmt="o", color=style.BLACK, label="data")
    positive = total[total > 0.0]
    if len(positive) and positive.max() / positive.min() > 30.0:
        ax.set(yscale="log", ylim=(0.3 * min(positive.min(), 1.0), 3.0 * max(total.max(), counts.max())))
    ax.set(ylabel="Events", title="Data and expectation", xlim=(edges[0], edges[-1]))
    ax.legend()
    below.axhspan(-1.0, 1.0, color="0.9")
    below.plot(middle, pulls(counts, total, variance), "o", color=style.BLACK)
    below.set(xlabel=label or axis, ylabel="Pull")
    if logarithmic:
        below.set_xscale("log")
    if not continuous:
        below.set_xticks(middle, [str(own.value(i)) for i in range(len(own))])
    style.add_context(
        figure,
        [f"{like.data.outside_total:,.0f} more events of the data lie outside the bins; grey: one standard error"],
    )
    return figure


@rc_context(style.RC)
def profiles(result: FitResult, names: Sequence[str], points: int = 21) -> Figure:
    """Draw the rise of -2 ln L against parameters, all others fitted at each point.

    Parameters
    ----------
    result : FitResult
    names : sequence of str
    points : int

    Returns
    -------
    Figure
    """
    if not names:
        raise InputError("names: give one parameter or more")
    n = len(names)
    figure, axes = style.subplots(1, n, figsize=(0.6 + 2.6 * n, 2.8), sharey=True, squeeze=False)
    for ax, name in zip(axes[0], names, strict=True):
        at, rise = result.profile(name, points=points)
        ax.plot(at, rise, color=style.BLUE)
        ax.axhline(1.0, lw=0.8, color="0.5")
        ax.axvline(result.values[name], lw=0.8, color="0.5")
        ax.set(xlabel=name, ylim=(0.0, 5.0))
    axes[0, 0].set_ylabel("Rise of -2 ln L")
    return figure


@rc_context(style.RC)
def nuisances(result: FitResult) -> Figure:
    """Draw the fitted values and errors of the parameters that have priors, in units of the priors.

    Parameters
    ----------
    result : FitResult

    Returns
    -------
    Figure
    """
    rows = [
        (name, (result.values[name] - centre) / sigma, result.errors[name] / sigma)
        for prior in result.likelihood.parameters.priors
        for name, centre, sigma in zip(prior.names, prior.centre, np.sqrt(np.diag(prior.covariance)), strict=True)
    ]
    if not rows:
        raise InputError("nuisances: the model has no parameter with a prior")
    n = len(rows)
    figure, ax = style.subplots(figsize=(5.4, 1.0 + 0.19 * n))
    place = np.arange(n)[::-1]
    ax.axvspan(-1.0, 1.0, color="0.9")
    ax.errorbar([row[1] for row in rows], place, xerr=[row[2] for row in rows], fmt="o", color=style.BLACK)
    ax.set_yticks(place, [row[0] for row in rows], fontsize=7)
    ax.set(xlabel="Value and error in units of the prior's", ylim=(-1, n))
    return figure
