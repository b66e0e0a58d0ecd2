"""Records of planned, drawn and skipped figures, and the check that a result has anything to draw."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim3d.analysis import asymmetry
from sim3d.results import windows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sim3d.results.result import Result


class NotMade(Exception):
    """Raised for a figure that cannot be drawn from this result; the message says why."""


@dataclass(frozen=True)
class MapOptions:
    """Resolution of the cutoff and intensity maps.

    Attributes
    ----------
    sky_cell_deg : float
        Cell size of the cutoff maps.
    step_GV : float
        Rigidity step of their scans.
    cell_deg : float
        Cell size of the intensity maps.
    directions : int
        Directions per cell of the intensity maps.
    """

    sky_cell_deg: float = 5.0
    step_GV: float = 0.1
    cell_deg: float = 6.0
    directions: int = 60


@dataclass(frozen=True)
class Plan:
    """Figure that can be drawn on request.

    Attributes
    ----------
    name : str
        Stem of its files.
    source : str
        Paper it is from.
    caption : str
        What it shows, in words.
    make : callable
        Draws it, or raises :class:`NotMade`.
    about : tuple of str
        Place, dates, models and program, for the lines below it.
    """

    name: str
    source: str
    caption: str
    make: Callable[[], Figure]
    about: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """Figure that was saved: its plan's name, source and caption, and its files."""

    name: str
    source: str
    caption: str
    files: tuple[Path, ...]


@dataclass(frozen=True)
class Skipped:
    """Figure that was not drawn, and the reason."""

    name: str
    reason: str


def hits(result: Result, site: str) -> np.ndarray:
    """Count the crossings at a site by flavour, energy and zenith.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    int64 array (flavour, energy, cos)
    """
    return np.asarray(result.binned(site, "fine_aa")[2])


def require_hits(result: Result, site: str, flavour: str | None = None, *, window: bool = False) -> None:
    """Raise :class:`NotMade` if there are no hits to draw.

    Parameters
    ----------
    result : Result
    site : str
    flavour : str, optional
        Count hits of this flavour; by default of any.
    window : bool
        Count only hits in the window of the east-west asymmetry.

    Raises
    ------
    NotMade
        If there are none.
    """
    crossings = hits(result, site)
    what = "a neutrino" if flavour is None else f"a {flavour}"
    if flavour is not None:
        crossings = crossings[[list(result.flavours).index(flavour)]]
    if window:
        low, high = asymmetry.ENERGY_WINDOW_GEV
        crossings = crossings[:, windows.energy_bins(np.asarray(result.energy_edges_GeV), (low, high))]
        crossings = crossings[:, :, windows.cos_bins(np.asarray(result.cos_zenith_edges), asymmetry.COS_ZENITH_MAX)]
        what += f" of {low:g}-{high:g} GeV near the horizon"
    if not crossings.any():
        raise NotMade(f"not once did {what} cross the patch of {site}")
