"""Statistical quality of a site's flux table: median errors, empty bins, and the primaries that an error needs.

The bins are Honda's, which all tables of ``sim3d tables`` have. Bins below the lowest energy scored are left out.
Needed primaries follow from the statistical error of a mean, which falls with the square root of their number.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.results.windows import lowest_energy
from sim3d.results.words import WINDOW_GEV

if TYPE_CHECKING:
    from sim3d.results.result import Result

DECADES_GEV = tuple((10.0**k, 10.0 ** (k + 1)) for k in range(-1, 4))
"""Ranges of energy for which the quality is given."""

GOALS = (0.05, 0.02)
"""Median errors for which the needed primaries are given."""


@dataclass(frozen=True)
class Decade:
    """Quality of the bins of one range of energy.

    Attributes
    ----------
    low_GeV, high_GeV : float
    bins : int
        Bins of all flavours whose centre lies in the range.
    empty : float
        Fraction of them without a hit.
    median_error : float
        Median of the relative errors, one standard deviation; an empty bin counts as infinite, so the median is
        infinite where half of the bins or more are empty.
    """

    low_GeV: float
    high_GeV: float
    bins: int
    empty: float
    median_error: float


@dataclass(frozen=True)
class Quality:
    """Statistical quality of the tables of one site.

    Attributes
    ----------
    site : str
    primaries : int
        Of the result.
    seconds : float
        Wall time that simulating them took, compiling left out.
    decades : dict of tuple of Decade
        By kind of table: ``average`` (over azimuth) and ``azimuth``.
    median_error : dict of float
        By flavour: median relative error of the azimuth-averaged bins in :data:`WINDOW_GEV`.
    """

    site: str
    primaries: int
    seconds: float
    decades: dict[str, tuple[Decade, ...]]
    median_error: dict[str, float]

    @property
    def worst_error(self) -> float:
        """Largest of the flavours' median errors."""
        return max(self.median_error.values())

    def needed(self, goal: float) -> float:
        """Compute the number of primaries for which the median error of every flavour is expected to be ``goal``.

        Parameters
        ----------
        goal : float
            Relative error.

        Returns
        -------
        float
            Primaries in all, those done included; infinite if half of a flavour's bins are empty.
        """
        return self.primaries * (self.worst_error / goal) ** 2

    def seconds_for(self, primaries: float) -> float:
        """Estimate the wall time of so many primaries at the rate of this result.

        Parameters
        ----------
        primaries : float

        Returns
        -------
        float
            Seconds; NaN if the rate is not known.
        """
        return primaries * self.seconds / self.primaries if self.seconds > 0.0 and self.primaries > 0 else math.nan

    def as_dict(self) -> dict[str, Any]:
        """Return the numbers as plain dictionaries, as JSON has them."""
        return {
            "bins": "Honda's: 20 energies per decade, 20 of cos_zenith; medians over the bins of all flavours",
            "primaries": self.primaries,
            "seconds": self.seconds,
            "decades": {
                kind: [
                    {
                        "energy_GeV": [one.low_GeV, one.high_GeV],
                        "bins": one.bins,
                        "empty_share": one.empty,
                        "median_relative_error": one.median_error,
                    }
                    for one in rows
                ]
                for kind, rows in self.decades.items()
            },
            "window_GeV": list(WINDOW_GEV),
            "median_relative_error_in_window": dict(self.median_error),
            "primaries_needed": {f"{goal:.0%}": self.needed(goal) for goal in GOALS},
        }


def site_quality(result: Result, site: str) -> Quality:
    """Compute the statistical quality of the tables of one site.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Quality

    Raises
    ------
    InputError
        For an unknown site, or a run that scored no neutrinos.
    """
    binning = result.binning("honda")
    energies = np.asarray(binning.energies_GeV)
    scored = np.asarray(binning.energy_edges_GeV)[:-1] >= lowest_energy(result)
    relative = {kind: _relative_errors(result, site, name) for kind, name in _BINNINGS.items()}
    rows = {kind: decades(errors, energies, scored) for kind, errors in relative.items()}
    inside = scored & (energies > WINDOW_GEV[0]) & (energies < WINDOW_GEV[1])
    median = {
        flavour: _median(relative["average"][f][inside]) if inside.any() else math.inf
        for f, flavour in enumerate(result.flavours)
    }
    seconds = float(result.attributes.get("wall_time_s", 0.0))
    return Quality(site, int(result.attributes["primaries"]), seconds, rows, median)


_BINNINGS = {"average": "honda_aa", "azimuth": "honda"}


def decades(relative: Array, energies: Array, counted: NDArray[np.bool_]) -> tuple[Decade, ...]:
    """Summarise relative errors by decade of energy.

    Parameters
    ----------
    relative : float64 array (flavour, energy, ...)
        Relative error of every bin; infinite where the bin is empty.
    energies : float64 array (energy,)
        Centres of the bins (GeV).
    counted : bool array (energy,)
        Which energies count.

    Returns
    -------
    tuple of Decade
        Without decades in which nothing counts.
    """
    rows = [_decade(relative, energies, counted, low, high) for low, high in DECADES_GEV]
    return tuple(row for row in rows if row is not None)


def _relative_errors(result: Result, site: str, binning: str) -> Array:
    flux = result.binned(site, binning)[0]
    error = result.errors(site, binning).error
    # a hit whose weight is below the unit of the sums leaves a flux of 0: it counts as none
    return np.where(flux > 0.0, error / np.where(flux > 0.0, flux, 1.0), np.inf)


def _decade(relative: Array, energies: Array, scored: NDArray[np.bool_], low: float, high: float) -> Decade | None:
    """Summarise the bins of a decade; a centre at its lower end belongs to it."""
    chosen = scored & (energies >= low * (1 - 1e-9)) & (energies < high * (1 - 1e-9))
    if not chosen.any():
        return None
    errors = relative[:, chosen]
    return Decade(low, high, errors.size, float(np.mean(np.isinf(errors))), _median(errors))


def _median(errors: Array) -> float:
    """Median that is infinite where an infinite value would take part in it, without warnings."""
    ordered = np.sort(errors, axis=None)
    middle = ordered[[(ordered.size - 1) // 2, ordered.size // 2]]
    return float(middle.mean())
