"""Histogram the weights of primaries per flavour and decade of energy, and derive the effective number of primaries.

The error of a flux that is dominated by a few heavy primaries is not reliable: more of them may be missing from the
sample. Hits of one primary are not independent, so the weights of all its hits in a decade are added first: ten heavy
hits may be one neutrino, rotated ten times. Primaries are counted in bins of the logarithm of that sum. So the
histogram is exact and does not depend on the order of the batches. It gives the effective number of primaries and the
share of the heaviest to a few percent.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from sim3d.conventions.binning import ENERGY_BINS_PER_DECADE, ENERGY_EDGES_GEV, N_FLAVOURS
from sim3d.jit_options import UNCOUNTED

N_DECADES = 5
DECADE_EDGES_GEV = 10.0 ** np.arange(-1.0, N_DECADES)
N_WEIGHTS = 160
WEIGHTS_PER_OCTAVE = 2
LOG2_LOWEST = -52
HEAVIEST = 10
"""Number of heaviest primaries whose share of the sum of weights is given."""
# Limits of WeightSummary.rests_on_outliers, which states the rule.
OUTLIER_SHARE = 0.5
FEWEST_PRIMARIES = 200
FEWEST_EFFECTIVE = 20.0
SOME_PRIMARIES = 50
SERIOUS_SHARE = 0.3
"""Share of the flux in the heaviest primaries above which a warning calls itself serious."""
PRIMARIES, HITS = "primaries", "hits"
"""What a histogram counts: primaries, or in results of earlier versions hits."""
HARD_GEV = 100.0
"""Lower end of the decades for which a warning advises a flatter spectrum of primaries."""


@njit(**UNCOUNTED)
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
    return np.array([4.0 * math.pi * e * flux(e) for e in energies])


_REFERENCE = _reference_table()


def decades_of_bins() -> np.ndarray:
    """Return the decade that each fine energy bin counts to, int (N_ENERGY,); bins outside count to the next one."""
    bins = np.arange(len(ENERGY_EDGES_GEV) - 1)
    return np.clip((bins - 1) // ENERGY_BINS_PER_DECADE, 0, N_DECADES - 1)


@njit(**UNCOUNTED)
def note_hit(of_primary, flavour, i_energy, value):
    """Add the weight of a hit, relative to the flux at its energy, to those of the other hits of its primary.

    Parameters
    ----------
    of_primary : float64 array (4, N_DECADES)
        Sums of the primary at the site of the hit.
    flavour, i_energy : int
        Flavour and fine energy bin.
    value : float
        Contribution of the hit to the flux of its bin (m^-2 s^-1), times the primaries of a batch.
    """
    decade = min(max((i_energy - 1) // ENERGY_BINS_PER_DECADE, 0), N_DECADES - 1)
    of_primary[flavour, decade] += value / _REFERENCE[i_energy]


@njit(**UNCOUNTED)
def note_primary(weights, of_primary):
    """Count a primary in the histograms, one for each flavour and decade that it hit, and clear its sums.

    Parameters
    ----------
    weights : int64 array (sites, 4, N_DECADES, N_WEIGHTS)
    of_primary : float64 array (sites, 4, N_DECADES)
        From :func:`note_hit`.
    """
    for k in range(of_primary.shape[0]):
        for f in range(of_primary.shape[1]):
            for d in range(of_primary.shape[2]):
                if of_primary[k, f, d] > 0.0:
                    place = int((math.log2(of_primary[k, f, d]) - LOG2_LOWEST) * WEIGHTS_PER_OCTAVE)
                    weights[k, f, d, min(max(place, 0), N_WEIGHTS - 1)] += 1
                    of_primary[k, f, d] = 0.0


def empty_sums(n_sites: int) -> np.ndarray:
    """Make the sums of weights of a primary without hits.

    Parameters
    ----------
    n_sites : int

    Returns
    -------
    float64 array (n_sites, 4, N_DECADES)
    """
    return np.zeros((n_sites, N_FLAVOURS, N_DECADES))


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
    count : int
        Primaries with hits; in results of earlier versions, hits.
    effective : float
        Effective number of them, (sum w)^2 / sum w^2.
    largest : float
        Largest weight over the mean weight.
    heaviest_share : float
        Fraction of the sum of weights in the HEAVIEST of them.
    heaviest_square_share : float
        Fraction of the sum of squared weights in them.
    """

    count: int
    effective: float
    largest: float
    heaviest_share: float
    heaviest_square_share: float

    @property
    def rests_on_outliers(self) -> bool:
        """Whether the statistical error is dominated by a few primaries.

        True if the ten heaviest of at least 200 primaries with hits carry more than half of the sum of squared weights.
        (Ten of fewer are a good part of the sample, no outliers.) Also true if 50 or more are worth fewer than 20
        effective ones.
        """
        heavy = self.count >= FEWEST_PRIMARIES and self.heaviest_square_share > OUTLIER_SHARE
        return heavy or (self.count >= SOME_PRIMARIES and self.effective < FEWEST_EFFECTIVE)


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
    count = int(counts.sum())
    if count == 0:
        return WeightSummary(0, 0.0, 0.0, 0.0, 0.0)
    weight = 2.0 ** (LOG2_LOWEST + (np.arange(N_WEIGHTS) + 0.5) / WEIGHTS_PER_OCTAVE)
    total, squares = float(counts @ weight), float(counts @ weight**2)
    above = np.cumsum(counts[::-1])[::-1]
    heaviest = np.minimum(counts, np.maximum(HEAVIEST - (above - counts), 0))
    top = int(np.flatnonzero(counts)[-1])
    return WeightSummary(
        count,
        total**2 / squares,
        float(weight[top]) * count / total,
        float(heaviest @ weight) / total,
        float(heaviest @ weight**2) / squares,
    )


def outlier_warnings(site: str, weights: np.ndarray, flavours: tuple[str, ...], unit: str = PRIMARIES) -> list[str]:
    """Write one line for each flavour and decade whose statistical error is dominated by a few primaries.

    A line says how serious that is (:data:`SERIOUS_SHARE`) and what to do.

    Parameters
    ----------
    site : str
    weights : int64 array (4, N_DECADES, N_WEIGHTS)
    flavours : tuple of str
    unit : str
        What the histogram counts, :data:`PRIMARIES` or :data:`HITS`.

    Returns
    -------
    list of str
    """
    counted = "primaries with hits" if unit == PRIMARIES else "neutrinos"
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
                    f"{site} {flavour}, {span}: {HEAVIEST} of {summary.count} {counted} make "
                    f"{100.0 * summary.heaviest_share:.0f}% of the flux ({effect}); run more primaries{remedy}"
                )
    return lines
