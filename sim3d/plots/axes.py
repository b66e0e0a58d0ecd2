"""Helpers for axes of figures: points with error bars, curves with bands, compass and energy axes, legends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from sim3d.analysis.trends import known_range
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


def draw_curve(
    ax: Axes, x: Array, y: Array, error: Array, colour: str, *, line: Any = "-", positive: bool = False
) -> None:
    """Draw a smooth line and its band of one standard error, under the points.

    Parameters
    ----------
    ax : Axes
    x, y, error : float64 arrays (n,)
        NaN where there is no curve.
    colour : str
    line : str
        Style of the line.
    positive : bool
        For a logarithmic axis: the band ends above 0.
    """
    if not np.isfinite(y).any():
        return
    low = np.maximum(y - error, 0.02 * y) if positive else y - error
    ax.fill_between(x, low, y + error, color=colour, alpha=0.18, linewidth=0, zorder=1)
    ax.plot(x, y, line, color=colour, linewidth=1.0, zorder=1.5)


def energy_axis(ax: Axes, energies: Array, values: Array, errors: Array) -> tuple[float, float]:
    """Set a logarithmic energy axis that ends where the fluxes are no longer known.

    Parameters
    ----------
    ax : Axes
    energies : float64 array (n,)
        GeV.
    values, errors : float64 arrays (flavour, n)

    Returns
    -------
    (float, float)
        Limits of the axis, GeV.
    """
    low, high = known_range(energies, values, errors) or (float(energies[0]), float(energies[-1]))
    limits = 0.8 * low, max(1.25 * high, 8.0 * low)
    ax.set_xscale("log")
    ax.set_xlim(*limits)
    plain_ticks(ax)
    return limits


def plain_ticks(ax: Axes) -> None:
    """Write the numbers of a logarithmic energy axis as 0.1, 1, 10, up to 10,000, where they are few.

    Parameters
    ----------
    ax : Axes
    """
    low, high = ax.get_xlim()
    if low >= 1e-3 and high <= 2e5:
        ax.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.12g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def compass(azimuth_deg: Array) -> Array:
    """Turn azimuths of the tables (from south through east) into compass bearings (from north through east).

    Parameters
    ----------
    azimuth_deg : float64 array

    Returns
    -------
    float64 array
        Degrees from 0 to below 360: 0 north, 90 east, 180 south, 270 west.
    """
    return np.asarray((180.0 - np.asarray(azimuth_deg, dtype=float)) % 360.0)


def compass_axis(ax: Axes, label: str = "Neutrinos come from") -> None:
    """Set the axis of all pictures with azimuth: north, east, south, west, north, with the bearing in degrees.

    Parameters
    ----------
    ax : Axes
    label : str
        Empty for none.
    """
    ax.set_xlim(0.0, 360.0)
    ax.set_xticks([0, 90, 180, 270, 360], COMPASS_LABELS)
    ax.set_xticks(np.arange(0, 361, 30), minor=True)
    if label:
        ax.set_xlabel(label)


COMPASS_LABELS = ["N\n0°", "E\n90°", "S\n180°", "W\n270°", "N\n"]
"""Letters and bearings below an axis with azimuth."""


def value_limits(ax: Axes, values: Array, errors: Array, include: float | None = None, most: float = np.inf) -> None:
    """Set the limits of a linear axis around values, those with small errors in full, others not beyond ``most``.

    Parameters
    ----------
    ax : Axes
    values, errors : float64 arrays
        Only finite ones count.
    include : float, optional
        A value that must be in sight.
    most : float
        Largest distance of an error bar's end from its value that counts.
    """
    good = np.isfinite(values) & np.isfinite(errors)
    if not good.any():
        return
    reach = np.minimum(errors[good], most)
    low, high = float((values[good] - reach).min()), float((values[good] + reach).max())
    if include is not None:
        low, high = min(low, include), max(high, include)
    margin = 0.08 * (high - low) or 0.1
    ax.set_ylim(low - margin, high + margin)


def outer_labels(axes: NDArray[Any], x_label: str, y_label: str) -> None:
    """Label the axes of a grid of panels at its left and lower sides, where nothing else is written.

    Parameters
    ----------
    axes : array of Axes (rows, columns)
    x_label, y_label : str
    """
    for ax in axes[-1]:
        ax.set_xlabel(x_label)
    for ax in axes[:, 0]:
        ax.set_ylabel(y_label)


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
