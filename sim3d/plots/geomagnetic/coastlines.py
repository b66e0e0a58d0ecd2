"""Draw the coast lines of the Earth on a map of longitude and latitude."""

from __future__ import annotations

import csv
import functools
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.conventions.arrays import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@functools.cache
def coastlines() -> tuple[Array, ...]:
    """Read the coast lines (Natural Earth 1:110 million, public domain).

    Returns
    -------
    tuple of float64 arrays, each (points, 2)
        Longitude from -180 to 180 and latitude, degrees.
    """
    text = (files("sim3d") / "reference" / "coastlines.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))[1:]
    table = np.array(rows, dtype=float)
    starts = np.flatnonzero(np.diff(table[:, 0])) + 1
    return tuple(np.split(table[:, 1:], starts))


def draw_coastlines(ax: Axes, **style: Any) -> None:
    """Draw the coast lines, longitude to the right and latitude upwards, degrees.

    Parameters
    ----------
    ax : Axes
        Its limits do not change.
    **style
        Keywords of ``LineCollection``.
    """
    from matplotlib.collections import LineCollection

    options: dict[str, Any] = {"linewidths": 0.6, "colors": "0.35"} | style
    ax.add_collection(LineCollection(list(coastlines()), **options), autolim=False)


def map_axes(ax: Axes) -> None:
    """Label the axes of a map of the whole Earth.

    Parameters
    ----------
    ax : Axes
    """
    ax.set_xlim(-180.0, 180.0)
    ax.set_ylim(-90.0, 90.0)
    ax.set_aspect("equal")
    ax.set_xticks(
        range(-180, 181, 60),
        [f"{abs(v)}{'W' if v < 0 else 'E'}" if v % 180 else f"{abs(v)}" for v in range(-180, 181, 60)],
    )
    ax.set_yticks(range(-90, 91, 30), [f"{abs(v)}{'S' if v < 0 else 'N'}" if v else "0" for v in range(-90, 91, 30)])
    ax.minorticks_off()
    ax.set_xlabel("Longitude (degrees)")
    ax.set_ylabel("Geodetic latitude (degrees)")
