"""Define the logarithmic energy bins of the cascade equations, and the shape of a spectrum inside a bin.

A spectrum is a vector of the numbers of particles in the bins. Where it must be known inside a bin, it is taken from
the bin and its two neighbours by a formula that is exact for three power laws. Its error is of third order in the width
of the bins.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError

LOWEST_GEV = 0.01
HIGHEST_GEV = 1.0e8
BINS_PER_DECADE = 20
BINS_PER_DECADE_RANGE = (5, 60)
SUB_BINS = 2
"""Parts of a bin that the matrices are averaged over."""
EXACT_INDICES = (0.3, 1.7, 2.9)
"""Indices a of the integral power laws E^-a for which the shape inside a bin is exact."""


@dataclass(frozen=True)
class EnergyGrid:
    """Bins of equal width in the logarithm of the energy.

    Kinetic energies of particles with mass, and energies of neutrinos, have the same bins.

    Attributes
    ----------
    low_GeV : float
        Lower edge of the first bin.
    n : int
        Number of bins.
    step : float
        Width of a bin in ln E.
    """

    low_GeV: float
    n: int
    step: float

    @cached_property
    def ln_edges(self) -> Array:
        """Natural logarithms of the edges (ln GeV), shape (n + 1,)."""
        return math.log(self.low_GeV) + self.step * np.arange(self.n + 1, dtype=np.float64)

    @cached_property
    def edges_GeV(self) -> Array:
        """Edges (GeV), shape (n + 1,)."""
        return np.exp(self.ln_edges)

    @cached_property
    def centres_GeV(self) -> Array:
        """Logarithmic centres (GeV), shape (n,)."""
        return np.exp(self.ln_edges[:-1] + 0.5 * self.step)

    @cached_property
    def sub_centres_GeV(self) -> Array:
        """Logarithmic centres of the parts of the bins (GeV), shape (n * SUB_BINS,)."""
        return np.exp(self.ln_edges[0] + self.step / SUB_BINS * (np.arange(self.n * SUB_BINS) + 0.5))

    @cached_property
    def refinement(self) -> csr_array:
        """Sparse matrix (n * SUB_BINS, n) from numbers in bins to numbers in their parts; each column sums to 1."""
        return csr_array(refinement(self.n, self.step))

    def averaged(self, parts: Array) -> Array:
        """Average a quantity over the bins, weighted with the shape of a spectrum inside them.

        Parameters
        ----------
        parts : float64 array (n * SUB_BINS, m)
            The quantity in the parts of the bins.

        Returns
        -------
        float64 array (n, m)
        """
        return self.refinement.T @ parts


def make_grid(
    low_GeV: float = LOWEST_GEV, high_GeV: float = HIGHEST_GEV, bins_per_decade: int = BINS_PER_DECADE
) -> EnergyGrid:
    """Make the bins between two energies.

    Parameters
    ----------
    low_GeV, high_GeV : float
        Ends of the grid (GeV); the upper one is rounded to a whole number of bins.
    bins_per_decade : int

    Returns
    -------
    EnergyGrid

    Raises
    ------
    InputError
        For a number of bins out of range, or ends that are not positive and at least two decades apart.

    Examples
    --------
    >>> grid = make_grid(0.1, 100.0, 10)
    >>> grid.n, round(float(grid.edges_GeV[10]), 6)
    (30, 1.0)
    """
    least, most = BINS_PER_DECADE_RANGE
    if not least <= bins_per_decade <= most:
        raise InputError("bins_per_decade", bins_per_decade, f"{least} to {most}")
    if not 0.0 < low_GeV * 100.0 <= high_GeV < math.inf:
        raise InputError("high_GeV", high_GeV, f"at least 100 times low_GeV = {low_GeV:g} GeV, which must be positive")
    n = round(bins_per_decade * math.log10(high_GeV / low_GeV))
    return EnergyGrid(low_GeV, n, math.log(10.0) / bins_per_decade)


def refinement(n: int, step: float) -> Array:
    """Compute the matrix that distributes the numbers in bins over :data:`SUB_BINS` equal parts of each.

    A part gets a combination of the numbers in its bin and the two next to it, whose three coefficients follow from
    the exact numbers of three power laws (:data:`EXACT_INDICES`). Numbers are conserved, because the combination that
    belongs to the sum over the parts is the bin itself. The first and the last bin are taken as power laws of the
    middle index.

    Parameters
    ----------
    n : int
        Number of bins.
    step : float
        Width of a bin in ln E.

    Returns
    -------
    float64 array (n * SUB_BINS, n)
    """
    indices = np.array(EXACT_INDICES)
    part_edges = step * np.arange(SUB_BINS + 1) / SUB_BINS
    # rows: power laws; numbers in the bins k = -1, 0, 1, and in the parts of bin 0
    in_bins = np.array([-np.diff(np.exp(-a * step * np.array([-1.0, 0.0, 1.0, 2.0]))) for a in indices])
    in_parts = np.array([-np.diff(np.exp(-a * part_edges)) for a in indices])
    inner = np.linalg.solve(in_bins, in_parts).T
    outer = in_parts[1] / in_parts[1].sum()
    matrix = np.zeros((n * SUB_BINS, n))
    for i in range(n):
        rows = slice(i * SUB_BINS, (i + 1) * SUB_BINS)
        if 0 < i < n - 1:
            matrix[rows, i - 1 : i + 2] = inner
        else:
            matrix[rows, i] = outer
    return matrix
