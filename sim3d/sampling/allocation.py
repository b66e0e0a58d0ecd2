"""Divide the primaries of a run over their energies so that chosen cells of the flux table get equal errors.

A survey draws equal numbers of primaries in strata of energy. For each stratum it estimates the cost of a primary and
its part in the variance of each cell: a flavour, a range of neutrino energy and a range of zenith. The sum of squared
relative errors of the cells at a given cost is least if a stratum's share of the primaries is proportional to

    sqrt(sum_c w_c v_sc / F_c^2 / k_s)

(Neyman's allocation; Cochran, Sampling Techniques, section 5.5). v_sc is the variance that one primary of stratum s
adds to the flux F_c of cell c, k_s its cost, w_c a weight of the cell. Expectation values are the same for any shares
above zero.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

from sim3d.config.allocation import AllocationTable
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV, N_COS, N_ENERGY, N_FLAVOURS
from sim3d.conventions.flavours import FLAVOURS
from sim3d.sampling.counters import C_NEUTRINOS, C_PRIMARIES, C_ROTATIONS
from sim3d.sampling.energy_law import LAW_ENERGIES_GEV

STRATUM_NODES = 24
"""Steps of the table of the density in a stratum of energy: 0.75 in ln E, three strata a decade."""
ENERGY_GROUP = 20
"""Fine bins of neutrino energy in a cell: half a decade."""
ZENITH_PARTS = 3
"""Parts of the zenith range that are cells."""


@dataclass(frozen=True)
class Cells:
    """Cells of the flux table whose errors an allocation makes equal.

    Attributes
    ----------
    flavours : tuple of int
    energies, zeniths : tuple of (int, int)
        First fine bin of a cell and the one after the last.
    """

    flavours: tuple[int, ...]
    energies: tuple[tuple[int, int], ...]
    zeniths: tuple[tuple[int, int], ...]

    @property
    def size(self) -> int:
        """Number of cells at a site."""
        return len(self.flavours) * len(self.energies) * len(self.zeniths)

    def importance(self) -> np.ndarray:
        """Compute the weights of the cells of a site by their energy, :data:`IMPORTANCE`.

        Returns
        -------
        float64 array (size,)
        """
        centres = np.array(
            [math.sqrt(ENERGY_EDGES_GEV[first] * ENERGY_EDGES_GEV[last]) for first, last in self.energies]
        )
        decades = np.floor(np.log10(centres / 0.1)).astype(int).clip(0, len(IMPORTANCE) - 1)
        by_energy = np.array(IMPORTANCE)[decades]
        return np.tile(np.repeat(by_energy, len(self.zeniths)), len(self.flavours))

    def values(self, flux: np.ndarray) -> np.ndarray:
        """Sum fluxes over the fine bins of each cell.

        Parameters
        ----------
        flux : float64 array (sites, 4, N_ENERGY, N_COS, azimuth)

        Returns
        -------
        float64 array (sites * size,)
        """
        sky = flux.sum(axis=-1)[:, list(self.flavours)]
        rows = np.stack([sky[:, :, first:last].sum(axis=2) for first, last in self.energies], axis=2)
        return np.stack([rows[..., first:last].sum(axis=-1) for first, last in self.zeniths], axis=-1).ravel()


def make_cells(
    flavours: tuple[int, ...] = tuple(range(N_FLAVOURS)),
    energy_GeV: tuple[float, float] = (0.0, math.inf),
    cos_zenith: tuple[float, float] = (-1.0, 1.0),
) -> Cells:
    """Divide a part of the flux table into cells.

    Parameters
    ----------
    flavours : tuple of int
    energy_GeV, cos_zenith : (float, float)
        Ranges; a fine bin whose centre is inside belongs to the part.

    Returns
    -------
    Cells
        Half decades of energy and thirds of the zenith range.

    Examples
    --------
    >>> make_cells().size, make_cells((2,), (1e3, 1e4), (-0.2, 0.2)).size
    (120, 6)
    """
    energies = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    inside = np.flatnonzero((energies >= energy_GeV[0]) & (energies <= energy_GeV[1]))
    low, high = int(inside[0]), int(inside[-1]) + 1
    cosines = 0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])
    sky = np.flatnonzero((cosines >= cos_zenith[0]) & (cosines <= cos_zenith[1]))
    return Cells(
        flavours,
        _parts(low, high, max(1, round((high - low) / ENERGY_GROUP))),
        _parts(int(sky[0]), int(sky[-1]) + 1, min(ZENITH_PARTS, len(sky))),
    )


def part_of_table(part: AllocationTable) -> Cells:
    """Divide the part of the flux table that ``[allocation]`` names into cells.

    Parameters
    ----------
    part : AllocationTable

    Returns
    -------
    Cells
    """
    return make_cells(tuple(FLAVOURS.index(name) for name in part.flavours), part.energy_GeV, part.cos_zenith)


def _parts(first: int, last: int, n: int) -> tuple[tuple[int, int], ...]:
    """Divide a range of bins into n nearly equal parts."""
    edges = [first + round(k * (last - first) / n) for k in range(n + 1)]
    return tuple(itertools.pairwise(edges))


def strata(low: float, high: float) -> np.ndarray:
    """List the nodes of the density's table that bound the strata.

    Parameters
    ----------
    low, high : float
        Energies per nucleon between which primaries are drawn (GeV).

    Returns
    -------
    int64 array (n + 1,)
        The first node is at or below ``low``, the last at or above ``high``.
    """
    nodes = LAW_ENERGIES_GEV
    first = max(int(np.searchsorted(nodes, low, side="right")) - 1, 0)
    last = min(int(np.searchsorted(nodes, high)), len(nodes) - 1)
    n = max(1, round((last - first) / STRATUM_NODES))
    return np.array([first + round(k * (last - first) / n) for k in range(n + 1)], dtype=np.int64)


def stratum_law(law: np.ndarray, first: int, last: int) -> np.ndarray:
    """Tabulate the density between two nodes alone.

    Parameters
    ----------
    law : float64 array (nodes,)
        From :func:`sim3d.sampling.energy_law.mixture_law`.
    first, last : int

    Returns
    -------
    float64 array (nodes,)
        Proportional to ``law`` between the nodes; 1e-12 of that elsewhere, so that the table can be inverted.
    """
    factor = np.full(len(law) - 1, 1e-12)
    factor[first:last] = 1.0
    return scaled_law(law, factor)


def scaled_law(law: np.ndarray, factor: np.ndarray) -> np.ndarray:
    """Multiply a tabulated density by a factor in each step of the table.

    Parameters
    ----------
    law : float64 array (nodes,)
    factor : float64 array (nodes - 1,)

    Returns
    -------
    float64 array (nodes,)
    """
    return np.concatenate([[0.0], np.cumsum(np.diff(law) * factor)])


@dataclass(frozen=True)
class Survey:
    """What a survey has measured, by stratum of the primaries' energy.

    Attributes
    ----------
    nodes : int64 array (strata + 1,)
        Nodes of the density's table that bound the strata.
    share : float64 array (strata,)
        Share of the primaries in each stratum by the default density.
    flux : float64 array (strata, cells)
        Part of the flux of each cell that comes from the stratum.
    variance : float64 array (strata, cells)
        Variance of that part, estimated with one primary.
    cost : float64 array (strata,)
        Of a primary, see :func:`cost`.
    """

    nodes: np.ndarray
    share: np.ndarray
    flux: np.ndarray
    variance: np.ndarray
    cost: np.ndarray

    def squared_errors(self, share: np.ndarray) -> np.ndarray:
        """Compute the squared relative error of each cell, times the cost of the run.

        Parameters
        ----------
        share : float64 array (strata,)
            Shares of the primaries.

        Returns
        -------
        float64 array (cells,)
            NaN for a cell without flux.
        """
        total = self.flux.sum(axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray((self.variance / share[:, None]).sum(axis=0) / total**2 * (self.cost @ share))


@dataclass(frozen=True)
class Allocation:
    """Density of the primaries' energies that a survey has chosen.

    Attributes
    ----------
    nodes : int64 array (strata + 1,)
        Nodes of the density's table that bound the strata.
    default_share, share : float64 array (strata,)
        Share of the primaries by the default density, and by this one before it is made smooth.
    cost : float64 array (strata,)
        Of a primary, in the unit of :func:`cost`.
    """

    nodes: np.ndarray
    default_share: np.ndarray
    share: np.ndarray
    cost: np.ndarray

    def law(self, law: np.ndarray) -> np.ndarray:
        """Tabulate the density: the default one times a factor that varies smoothly from stratum to stratum.

        Parameters
        ----------
        law : float64 array (nodes,)
            Table of the default density.

        Returns
        -------
        float64 array (nodes,)
        """
        steps = np.arange(len(law) - 1) + 0.5
        factor = np.log(self.share / self.default_share)
        return scaled_law(law, np.exp(np.interp(steps, 0.5 * (self.nodes[1:] + self.nodes[:-1]), factor)))

    @property
    def edges_GeV(self) -> np.ndarray:
        """Energies per nucleon that bound the strata (GeV)."""
        return np.asarray(LAW_ENERGIES_GEV[self.nodes])


COST_US = (2.5, 4.0, 7.0)
"""Microseconds for a primary, for each neutrino of its pilot shower, and for each rotation with its trace and shower.

Least squares of times on one idle core (``python benchmarks/allocation.py --cost``). By strata they are 0.55 to 1.5
times the measured ones. Only their ratios matter, and they change errors alone."""

LEAST, MOST = 0.5, 4.0
"""Least and largest ratio of a stratum's share to that by default, for the whole table. A survey may miss rare heavy
hits of a stratum."""
IMPORTANCE = (1.5, 2.0, 1.0, 1.0, 2.0)
"""Weights of the cells of the whole table by decade of neutrino energy from 0.1 GeV on, times the inverse of their
squared errors by default. With them all decades come about as near to the errors that are wanted of a run of 600 CPU
seconds (``benchmarks/aims.py --importance``; docs/reports/decades.md)."""
LEAST_OF_A_PART = 0.05
"""Least ratio where the run serves a part of the table."""
OUTSIDE = 0.1
"""Factor of the rotations for neutrinos outside of the part of the table that a run serves."""


def cost(counters: np.ndarray) -> np.ndarray:
    """Estimate the cost of a primary from what was counted.

    Parameters
    ----------
    counters : int64 array (strata, N_COUNTERS)
        See :mod:`sim3d.sampling.counters`.

    Returns
    -------
    float64 array (strata,)
        In microseconds of a processor core.
    """
    each = counters / np.maximum(counters[:, C_PRIMARIES], 1)[:, None]
    return np.asarray(COST_US[0] + COST_US[1] * each[:, C_NEUTRINOS] + COST_US[2] * each[:, C_ROTATIONS])


def favoured(cells: Cells) -> tuple[np.ndarray, np.ndarray]:
    """Choose the factors of the rotations that favour a part of the flux table.

    Parameters
    ----------
    cells : Cells

    Returns
    -------
    by_energy : float64 array (N_FLAVOURS, N_ENERGY)
    by_zenith : float64 array (N_COS,)
        1 in the part and in the bins beside it, less elsewhere.
    """
    by_energy, by_zenith = np.full((N_FLAVOURS, N_ENERGY), OUTSIDE), np.full(N_COS, OUTSIDE)
    first, last = cells.energies[0][0], cells.energies[-1][1]
    by_energy[list(cells.flavours), max(first - 1, 0) : last + 1] = 1.0
    by_zenith[max(cells.zeniths[0][0] - 1, 0) : cells.zeniths[-1][1] + 1] = 1.0
    return by_energy, by_zenith


def optimum(survey: Survey, weights: np.ndarray, bounds: tuple[float, float]) -> np.ndarray:
    """Compute the shares that minimise the weighted sum of squared relative errors at a given cost.

    Parameters
    ----------
    survey : Survey
    weights : float64 array (cells,)
    bounds : (float, float)
        Least and largest ratio of a share to that by default.

    Returns
    -------
    float64 array (strata,)
        Shares of the primaries; their sum is 1.

    Notes
    -----
    Minimising (sum_s A_s / p_s) (sum_s p_s k_s) gives p_s proportional to sqrt(A_s / k_s), with A_s the weighted sum
    of relative variances.
    """
    total = survey.flux.sum(axis=0)
    used = total > 0.0
    parts = (weights[used] * survey.variance[:, used] / total[used] ** 2).sum(axis=1)
    ratio = np.sqrt(parts / survey.cost) / survey.share
    high = bounds[1] if math.isfinite(bounds[1]) else 1.0 / float(survey.share.min())
    # the factor at which the shares within the bounds add up to 1
    least, most = 0.0, high / max(float(ratio[ratio > 0.0].min(initial=math.inf)), 1e-300)
    for _ in range(200):
        middle = 0.5 * (least + most)
        if (survey.share * np.clip(middle * ratio, bounds[0], high)).sum() < 1.0:
            least = middle
        else:
            most = middle
    share = survey.share * np.clip(most * ratio, bounds[0], high)
    return np.asarray(share / share.sum())


def allocate(survey: Survey, importance: np.ndarray | None) -> Allocation:
    """Choose the density of the primaries' energies from a survey.

    Parameters
    ----------
    survey : Survey
    importance : float64 array (cells of a site,) or None
        For the whole table, :meth:`Cells.importance`: the weight of a cell is this over its squared error with the
        default density. None for a part of the table, where all cells have one weight.

    Returns
    -------
    Allocation
    """
    n = survey.flux.shape[1]
    if importance is None:
        share = optimum(survey, np.ones(n), (LEAST_OF_A_PART, math.inf))
    else:
        usual = survey.squared_errors(survey.share)
        measured = np.isfinite(usual) & (usual > 0.0)
        of_sites = np.tile(importance, n // len(importance))
        share = optimum(survey, np.where(measured, of_sites / np.where(measured, usual, 1.0), 0.0), (LEAST, MOST))
    return Allocation(survey.nodes, survey.share, share, survey.cost)
