"""Helpers for axes of figures: points with error bars, a legend below the axes, the zenith label."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.conventions.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


ZENITH_LABEL = r"$\cos\theta_{\rm zenith}$ (+1: down-going)"


def draw_points(
    ax: Axes,
    x: Array,
    y: Array,
    error: Array,
    look: dict[str, Any],
    *,
    positive: bool = False,
    zeros: bool = True,
) -> None:
    """Draw points with error bars where the value and its error are finite.

    Parameters
    ----------
    ax : Axes
    x, y, error : float64 array (n,)
        Position, value, and one standard deviation.
    look : dict
        Keywords of ``Axes.errorbar``.
    positive : bool
        For a logarithmic axis: only values above 0, and lower ends of the error bars above 0.
    zeros : bool
        Whether a value of exactly 0 is drawn. False for fluxes, where 0 means a bin without hits.
    """
    shown = np.isfinite(y) & np.isfinite(error)
    if positive:
        shown &= y > 0
    elif not zeros:
        shown &= y != 0
    lower = np.minimum(error[shown], 0.999 * y[shown]) if positive else error[shown]
    ax.errorbar(x[shown], y[shown], np.stack([lower, error[shown]]), **look)


def legend_below(figure: Figure, ax: Axes, columns: int | None = None) -> None:
    """Draw one legend for the figure under its axes, where it hides no point.

    Parameters
    ----------
    figure : Figure
    ax : Axes
        Its curves are in the legend.
    columns : int, optional
        By default all entries are in one row.
    """
    handles, labels = ax.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=columns or len(labels))
