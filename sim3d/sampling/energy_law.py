"""Probability law of the energies at which primaries are drawn, as a table, and the weights of the roulette for it.

No single power law serves neutrinos from 0.1 GeV to 10 TeV. The law is a mixture: a part falls as (E + 2 GeV)^-2, for
neutrinos up to some GeV, and a part is nearly flat in ln E above 15 GeV and falls slowly above 3 TeV. E is the kinetic
energy per nucleon. The table holds the cumulative probability on a grid of ln E and is read linearly, so that the
density of ln E is constant between nodes: draws and densities agree exactly. All choices change statistical errors, not
expectation values.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.jit_options import UNCOUNTED
from sim3d.shower.weight_sharing import GRID_GEV, power_roulette

SAMPLING_SHIFT_GEV = 2.0
"""Power laws are in E + 2 GeV. Like the fits' own (E + b exp(-c sqrt(E)))^-gamma with b = 2.15, this density flattens
at low energy, so that few primaries lie below the cutoffs. Any value gives the same expectation."""
FLUX_INDEX = 2.7
"""Index of the primary flux that the roulette assumes. Expectation values are the same for any."""

HARD_SHARE = 0.15
"""Share of the primaries drawn from the hard part of the mixture."""
_HARD_FROM_GEV = 15.0
_HARD_TO_GEV, _HARD_SLOPE = 3.0e3, 0.3
_STEEPEST_ROULETTE = 1.3
"""Largest slope of the roulette's weights. A steeper one gives soft neutrinos of hard primaries weights that are rare
and heavy; a flatter one follows more particles."""

_FIRST_LN_E = math.log(0.1)
_STEP = 1.0 / 32.0
_CELLS = 670  # up to 1.2e8 GeV
LAW_ENERGIES_GEV = np.exp(_FIRST_LN_E + _STEP * np.arange(_CELLS + 1))
"""Nodes of the table: kinetic energies per nucleon (GeV)."""
NO_LAW = np.empty(0)
"""Table of a power law, which needs none."""


def mixture(energy: np.ndarray, low: float, high: float, hard_share: float = HARD_SHARE) -> np.ndarray:
    """Compute the density of ln E of the mixture, normalised between two energies.

    Parameters
    ----------
    energy : float64 array (n,)
        Kinetic energies per nucleon (GeV).
    low, high : float
        GeV.
    hard_share : float
        Share of the hard part.

    Returns
    -------
    float64 array (n,)
    """

    def soft(e: np.ndarray) -> np.ndarray:
        return np.asarray(e / (e + SAMPLING_SHIFT_GEV) ** 2)

    def hard(e: np.ndarray) -> np.ndarray:
        return np.asarray((1.0 + e / _HARD_TO_GEV) ** -_HARD_SLOPE / (1.0 + (_HARD_FROM_GEV / e) ** 2))

    points = 4000
    width = math.log(high / low) / points
    grid = low * np.exp(width * (np.arange(points) + 0.5))
    total = (1.0 - hard_share) * soft(energy) / (soft(grid).sum() * width)
    return np.asarray(total + hard_share * hard(energy) / (hard(grid).sum() * width))


def mixture_law(low: float, high: float, hard_share: float = HARD_SHARE) -> np.ndarray:
    """Tabulate the mixture between two energies.

    Parameters
    ----------
    low, high : float
        Range of kinetic energy per nucleon (GeV).
    hard_share : float
        Share of the hard part.

    Returns
    -------
    float64 array (nodes,)
        Cumulative probability at the nodes, up to a factor and a constant; it goes on outside the range.
    """
    middle = np.exp(_FIRST_LN_E + _STEP * (np.arange(_CELLS) + 0.5))
    return np.concatenate([[0.0], np.cumsum(mixture(middle, low, high, hard_share) * _STEP)])


def mixture_roulette(low: float, high: float, hard_share: float = HARD_SHARE) -> np.ndarray:
    """Tabulate the roulette's wanted weights for the mixture: the importance weight of a primary, by energy.

    It is (E + 2 GeV)^-2.7 over the density of E, with a slope between 0 and -1.3 in ln E.

    Parameters
    ----------
    low, high, hard_share
        As for :func:`mixture_law`.

    Returns
    -------
    float64 array (nodes,)
        ln of the weight at :data:`sim3d.shower.weight_sharing.GRID_GEV`.
    """
    per_gev = mixture(GRID_GEV, low, high, hard_share) / GRID_GEV
    level = -FLUX_INDEX * np.log(GRID_GEV + SAMPLING_SHIFT_GEV) - np.log(per_gev)
    step = np.clip(np.diff(level), -_STEEPEST_ROULETTE * math.log(GRID_GEV[1] / GRID_GEV[0]), 0.0)
    return np.concatenate([[0.0], np.cumsum(step)])


def energy_law(low: float, high: float, index: float | None) -> tuple[float, np.ndarray, np.ndarray]:
    """Build the sampling density of a run and the weights of its roulette.

    Parameters
    ----------
    low, high : float
        Range of kinetic energy per nucleon (GeV).
    index : float or None
        Index of a power law; None for the mixture.

    Returns
    -------
    index : float
        Index of the power law; 0 for the mixture.
    law : float64 array
        Table of the mixture; :data:`NO_LAW` for a power law.
    roulette : float64 array (nodes,)
        ln of the roulette's wanted weights, see :func:`sim3d.shower.weight_sharing.roulette_level`.
    """
    if index is None:
        return 0.0, mixture_law(low, high), mixture_roulette(low, high)
    return index, NO_LAW, power_roulette(max(0.0, FLUX_INDEX - index))


@njit(**UNCOUNTED)
def _cumulative(law, energy):
    """Value of the table at an energy (GeV)."""
    place = (math.log(energy) - _FIRST_LN_E) / _STEP
    k = min(max(int(place), 0), _CELLS - 1)
    return law[k] + (place - k) * (law[k + 1] - law[k])


@njit(**UNCOUNTED)
def energy_of_law(u, low, high, law):
    """Quantile function of a tabulated law, cut to a range.

    Parameters
    ----------
    u : float
        Cumulative probability.
    low, high : float
        Range (GeV).
    law : float64 array (nodes,)
        From :func:`mixture_law`.

    Returns
    -------
    float
        Energy (GeV).
    """
    bottom = _cumulative(law, low)
    value = bottom + u * (_cumulative(law, high) - bottom)
    first, last = 0, _CELLS - 1
    while first < last:  # the last node whose value is not above the wanted one
        middle = (first + last + 1) // 2
        if law[middle] <= value:
            first = middle
        else:
            last = middle - 1
    place = first + (value - law[first]) / (law[first + 1] - law[first])
    return min(max(math.exp(_FIRST_LN_E + _STEP * place), low), high)


@njit(**UNCOUNTED)
def law_pdf(energy, low, high, law):
    """Probability density (GeV^-1) of the energies of :func:`energy_of_law`.

    Parameters
    ----------
    energy, low, high : float
        GeV.
    law : float64 array (nodes,)

    Returns
    -------
    float
    """
    k = min(max(int((math.log(energy) - _FIRST_LN_E) / _STEP), 0), _CELLS - 1)
    return (law[k + 1] - law[k]) / (_STEP * energy * (_cumulative(law, high) - _cumulative(law, low)))


@njit(**UNCOUNTED)
def sample_energy(u, low, high, index):
    """Quantile function of a power law, proportional to (E + SAMPLING_SHIFT_GEV)^-index.

    Parameters
    ----------
    u : float
        Cumulative probability.
    low, high : float
        Range (GeV).
    index : float

    Returns
    -------
    float
        Energy (GeV).
    """
    bottom, top = low + SAMPLING_SHIFT_GEV, high + SAMPLING_SHIFT_GEV
    if abs(index - 1.0) < 1e-9:
        energy = bottom * (top / bottom) ** u - SAMPLING_SHIFT_GEV
    else:
        a = 1.0 - index
        energy = (bottom**a + u * (top**a - bottom**a)) ** (1.0 / a) - SAMPLING_SHIFT_GEV
    return min(max(energy, low), high)


@njit(**UNCOUNTED)
def energy_pdf(energy, low, high, index):
    """Probability density (GeV^-1) of the energies of :func:`sample_energy`.

    Parameters
    ----------
    energy, low, high : float
        GeV.
    index : float

    Returns
    -------
    float
    """
    bottom, top = low + SAMPLING_SHIFT_GEV, high + SAMPLING_SHIFT_GEV
    if abs(index - 1.0) < 1e-9:
        return 1.0 / ((energy + SAMPLING_SHIFT_GEV) * math.log(top / bottom))
    a = 1.0 - index
    return a * (energy + SAMPLING_SHIFT_GEV) ** (-index) / (top**a - bottom**a)
