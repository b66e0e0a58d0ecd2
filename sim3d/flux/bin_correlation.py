"""Measure how much larger the variance of a sum over bins is than the sum of their variances.

Neutrinos of one primary arrive from nearly one direction with different energies. So bins of neighbouring energies, and
near the horizon of neighbouring zenith angles, fluctuate together, and so do the flavours. The error of each bin is
right, but the errors of many bins do not add up in quadrature. The ratio of the two variances is measured in windows of
energy, from the groups of batches that a result keeps.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.binning import COS_EDGES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim3d.files.flux_table import FluxTable
    from sim3d.results.result import Result

WINDOWS_GEV, WINDOW_DECADES = (1.0, 10.0), (0.5, 1.5)
"""Widths of the windows (decades) up to the first of two energies and from the second on; between them the ratios are
interpolated. A narrow window is one bin in cos_zenith, a wide one all bins near the horizon or away from it. A smooth
flux follows the table about as finely. The correlation of two energies is below a tenth at a ratio of 4."""

FEWEST_GROUPS = 8
"""With fewer groups of batches nothing is measured."""

_BAND_COS_EDGES = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])
_HORIZON = 0.35
"""Below this |cos_zenith| a bin of the azimuth average belongs to the horizon. Bands have one half."""


@dataclass(frozen=True)
class BinCorrelation:
    """Variances of sums over the bins of a window, over the sums of the variances of its bins.

    Attributes
    ----------
    total : float64 array (energy, cos_zenith, 1)
        Of what the flavours have in common: of the sum of their relative deviations.
    ratios : float64 array (flavour, energy, cos_zenith, 1)
        Of what a flavour does not share with the others; at least 1.
    """

    total: Array
    ratios: Array

    @property
    def single(self) -> Array:
        """That of each flavour; float64 array (flavour, energy, cos_zenith, 1)."""
        return 0.25 * self.total + 0.75 * self.ratios


NO_CORRELATION = BinCorrelation(np.ones((1, 1, 1)), np.ones((1, 1, 1, 1)))


def mean_correlation(found: Sequence[BinCorrelation]) -> BinCorrelation:
    """Average the ratios of several runs.

    Parameters
    ----------
    found : sequence of BinCorrelation

    Returns
    -------
    BinCorrelation
    """
    return BinCorrelation(np.mean([one.total for one in found], axis=0), np.mean([one.ratios for one in found], axis=0))


def bin_correlation(result: Result, site: str, table: FluxTable, hit_value: Array) -> BinCorrelation:
    """Measure the correlation of the bins around each bin of a table.

    Parameters
    ----------
    result : Result
    site : str
    table : FluxTable
        Of the result, averaged over azimuth or with azimuth bins.
    hit_value : float64 array, shape of ``table.flux``
        Variance of a bin over its flux.

    Returns
    -------
    BinCorrelation
        Means of both hemispheres and all azimuths, apart for bins near the horizon and away from it. The ratios are 1
        for a run of fewer than 8 groups of batches.
    """
    used = np.asarray(result.group_weights, dtype=float) > 0.0
    weights = np.asarray(result.group_weights, dtype=float)[used]
    centres = 0.5 * (table.cos_edges[1:] + table.cos_edges[:-1])
    total = np.zeros((len(table.energies_GeV), len(centres), 1))
    single = np.zeros((len(table.flux), *total.shape))
    if len(weights) < FEWEST_GROUPS:
        return BinCorrelation(total + 1.0, single + 1.0)
    if table.has_azimuth:
        groups = np.asarray(result.groups_azimuth(site))[used]
        cos_edges, limit = _BAND_COS_EDGES, 0.5
        angles = np.linspace(0.0, 360.0, groups.shape[-1] + 1)
        groups = averaged(groups, angles, table.azimuth_edges_deg, 4)
    else:
        groups = np.asarray(result.groups_east_west(site)).mean(axis=4, keepdims=True)[used]
        cos_edges, limit = table.cos_edges, _HORIZON
        groups = averaged(groups, COS_EDGES, cos_edges, 3)
    groups = averaged(groups, result.binning_energy_edges("fine_aa"), table.energy_edges_GeV, 2)
    hits = table.flux / hit_value
    hits = np.add.reduceat(
        hits, np.searchsorted(cos_edges[1:], centres).searchsorted(range(len(cos_edges) - 1)), axis=2
    )
    mean = np.average(groups, axis=0, weights=weights)
    # effective hits more than expected: the variance of a bin is their number, if the hits are independent
    excess = np.divide(groups, mean, out=np.ones_like(groups), where=mean > 0.0) - 1.0
    excess *= hits * np.sqrt(weights / weights.sum() / (len(weights) - 1.0))[:, None, None, None, None]
    logs, places = np.log10(table.energies_GeV), 0.5 * (cos_edges[1:] + cos_edges[:-1])
    low, high = np.log10(WINDOWS_GEV)
    is_wide = np.clip((logs - low) / (high - low), 0.0, 1.0)
    for near in (True, False):
        rows = [np.flatnonzero(((np.abs(places) < limit) == near) & side) for side in (places < 0.0, places >= 0.0)]
        bins = [np.array([k]) for row in rows for k in row]
        own = (np.abs(centres) < limit) == near
        for i, middle in enumerate(logs):
            for decades, parts, share in zip(WINDOW_DECADES, (bins, rows), (1 - is_wide[i], is_wide[i]), strict=True):
                window = np.abs(logs - middle) <= 0.5 * decades
                sums = [excess[:, :, window][:, :, :, part].sum(axis=(2, 3)) for part in parts]
                expected = np.sum([hits[:, window][:, :, part].sum(axis=(1, 2, 3)) for part in parts], axis=0)
                if share > 0.0 and expected.min() > 0.0:
                    of_flavours = np.sum([np.sum(one**2, axis=(0, 2)) for one in sums], axis=0) / expected
                    single[:, i, own, 0] += share * of_flavours[:, None]
                    of_sum = sum(float(np.sum(one.sum(axis=1) ** 2)) for one in sums)
                    total[i, own] += share * of_sum / float(expected.sum())
    # as if the four had equal covariances
    total = np.maximum(total, 1.0)
    return BinCorrelation(total, np.maximum((4.0 * single - total) / 3.0, 1.0))


def averaged(values: Array, fine: Array, edges: Array, axis: int) -> Array:
    """Average densities over larger bins.

    Parameters
    ----------
    values : float64 array
    fine : float64 array (n + 1,)
        Edges of the bins of ``values`` along the axis.
    edges : float64 array (m + 1,)
        Some of those.
    axis : int

    Returns
    -------
    float64 array
        With m bins along the axis.
    """
    first = [int(np.argmin(np.abs(fine - edge))) for edge in edges]
    width = np.expand_dims(np.diff(fine)[first[0] : first[-1]], tuple(range(1, values.ndim - axis)))
    inside = np.take(values, range(first[0], first[-1]), axis=axis) * width
    summed = np.add.reduceat(inside, np.array(first[:-1]) - first[0], axis=axis)
    return summed / np.expand_dims(np.diff(edges), tuple(range(1, values.ndim - axis)))
