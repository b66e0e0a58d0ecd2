"""Histogram the weights of the hits per flavour and decade of energy, and derive the effective number of hits.

The error of a flux that is dominated by a few heavy hits is not reliable: more of them may be missing from the sample.
Hits are counted in bins of the logarithm of their weight. So the histogram is exact and does not depend on the order of
the batches. It gives the effective number of hits and the share of the heaviest to a few percent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from sim3d.conventions.binning import ENERGY_BINS_PER_DECADE, ENERGY_EDGES_GEV, N_FLAVOURS

N_DECADES = 5
DECADE_EDGES_GEV = 10.0 ** np.arange(-1.0, N_DECADES)
N_WEIGHTS = 160
WEIGHTS_PER_OCTAVE = 2
LOG2_LOWEST = -52
HEAVIEST = 10
"""Number of heaviest hits whose share of the sum of weights is given."""
# Limits of WeightSummary.rests_on_outliers, which states the rule.
OUTLIER_SHARE = 0.5
FEWEST_HITS = 200
FEWEST_EFFECTIVE = 20.0
SOME_HITS = 50
SERIOUS_SHARE = 0.3
"""Share of the flux in the heaviest hits above which a warning calls itself serious."""
HARD_GEV = 100.0
"""Lower end of the decades for which a warning advises a flatter spectrum of primaries."""
"""See :attr:`WeightSummary.rests_on_outliers`."""


@njit(nogil=True)
def reference_flux(energy):
    """Approximate sum of the four neutrino fluxes, as a unit of weights.

    It follows this program's own results within a factor of two. The targeted mode also distributes its rotations by
    it. Expectation values do not depend on it.

    Parameters
    ----------
    energy : float
        GeV.

    Returns
    -------
    float
        m^-2 s^-1 sr^-1 GeV^-1.
    """
    return 1500.0 * energy**-1.75 * (1.0 + energy) ** -1.3


def _reference_table() -> np.ndarray:
    energies = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    flux = getattr(reference_flux, "py_func", reference_flux)
    return np.array([math.log2(4.0 * math.pi * e * flux(e)) for e in energies])


_LOG2_REFERENCE = _reference_table()


@njit(nogil=True)
def note_weight(weights, flavour, i_energy, value):
    """Count one hit in the weight histogram of its site.

    Parameters
    ----------
    weights : int64 array (4, N_DECADES, N_WEIGHTS)
    flavour, i_energy : int
        Flavour and fine energy bin.
    value : float
        Contribution of the hit to the flux of its bin (m^-2 s^-1), times the primaries of a batch.
    """
    if value <= 0.0:
        return
    decade = min(max((i_energy - 1) // ENERGY_BINS_PER_DECADE, 0), N_DECADES - 1)
    place = int((math.log2(value) - _LOG2_REFERENCE[i_energy] - LOG2_LOWEST) * WEIGHTS_PER_OCTAVE)
    weights[flavour, decade, min(max(place, 0), N_WEIGHTS - 1)] += 1


def empty_weights(n_sites: int | None = None) -> np.ndarray:
    """Make a weight histogram of zeros, or one per site.

    Parameters
    ----------
    n_sites : int, optional

    Returns
    -------
    int64 array (4, N_DECADES, N_WEIGHTS) or (n_sites, 4, N_DECADES, N_WEIGHTS)
    """
    shape = (N_FLAVOURS, N_DECADES, N_WEIGHTS)
    return np.zeros(shape if n_sites is None else (n_sites, *shape), dtype=np.int64)


@dataclass(frozen=True)
class WeightSummary:
    """Statistics of the weights of one flavour in one decade of energy.

    Attributes
    ----------
    hits : int
    effective : float
        Effective number of hits, (sum w)^2 / sum w^2.
    largest : float
        Largest weight over the mean weight.
    heaviest_share : float
        Fraction of the sum of weights in the HEAVIEST hits.
    heaviest_square_share : float
        Fraction of the sum of squared weights in them.
    """

    hits: int
    effective: float
    largest: float
    heaviest_share: float
    heaviest_square_share: float

    @property
    def rests_on_outliers(self) -> bool:
        """Whether the statistical error is dominated by a few hits.

        True if the ten heaviest of at least 200 hits carry more than half of the sum of squared weights. (Ten of fewer
        hits are a good part of the sample, no outliers.) Also true if 50 hits or more are worth fewer than 20 effective
        ones.
        """
        heavy = self.hits >= FEWEST_HITS and self.heaviest_square_share > OUTLIER_SHARE
        return heavy or (self.hits >= SOME_HITS and self.effective < FEWEST_EFFECTIVE)


def summarise(counts: np.ndarray) -> WeightSummary:
    """Compute the statistics of a histogram of weights.

    Parameters
    ----------
    counts : int array (..., N_WEIGHTS)
        Several histograms are added first.

    Returns
    -------
    WeightSummary
    """
    counts = counts.reshape(-1, N_WEIGHTS).sum(axis=0)
    hits = int(counts.sum())
    if hits == 0:
        return WeightSummary(0, 0.0, 0.0, 0.0, 0.0)
    weight = 2.0 ** (LOG2_LOWEST + (np.arange(N_WEIGHTS) + 0.5) / WEIGHTS_PER_OCTAVE)
    total, squares = float(counts @ weight), float(counts @ weight**2)
    above = np.cumsum(counts[::-1])[::-1]
    heaviest = np.minimum(counts, np.maximum(HEAVIEST - (above - counts), 0))
    top = int(np.flatnonzero(counts)[-1])
    return WeightSummary(
        hits,
        total**2 / squares,
        float(weight[top]) * hits / total,
        float(heaviest @ weight) / total,
        float(heaviest @ weight**2) / squares,
    )


def outlier_warnings(site: str, weights: np.ndarray, flavours: tuple[str, ...]) -> list[str]:
    """Write one line for each flavour and decade whose statistical error is dominated by a few hits.

    A line says how serious that is (:data:`SERIOUS_SHARE`) and what to do.

    Parameters
    ----------
    site : str
    weights : int64 array (4, N_DECADES, N_WEIGHTS)
    flavours : tuple of str

    Returns
    -------
    list of str
    """
    lines = []
    for f, flavour in enumerate(flavours):
        for d in range(N_DECADES):
            summary = summarise(weights[f, d])
            if summary.rests_on_outliers:
                span = f"{DECADE_EDGES_GEV[d]:g} to {DECADE_EDGES_GEV[d + 1]:g} GeV"
                serious = summary.heaviest_share > SERIOUS_SHARE or summary.effective < FEWEST_EFFECTIVE
                effect = "serious: flux and error may both be far off" if serious else "minor: the error is uncertain"
                # a flatter spectrum of primaries simulates more of those that make neutrinos of high energy
                remedy = " or primaries.energy_index = 1.1" if DECADE_EDGES_GEV[d] >= HARD_GEV else ""
                lines.append(
                    f"{site} {flavour}, {span}: {HEAVIEST} of {summary.hits} neutrinos make "
                    f"{100.0 * summary.heaviest_share:.0f}% of the flux ({effect}); run more primaries{remedy}"
                )
    return lines
