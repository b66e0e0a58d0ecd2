"""Variances of sums over bins that share primaries: the numbers of bins and flavours that one primary fills."""

from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.files.flux_table import FluxTable
from sim3d.flux.bin_correlation import NO_CORRELATION, averaged, bin_correlation, mean_correlation

GROUPS, HITS = 24, 200.0
"""Groups of batches; primaries that hit a bin of a group."""


def drawn(energies, flavours, seed=1):
    """Groups in which each primary fills so many neighbouring energies, of one flavour or of all."""
    rng = np.random.default_rng(seed)
    shape = (GROUPS, 1 if flavours else 4, len(ENERGY_EDGES_GEV) - 1 + energies, len(COS_EDGES) - 1)
    primaries = np.repeat(rng.poisson(HITS / energies, shape), 4 if flavours else 1, axis=1)
    hits = sum(primaries[:, :, k : k + shape[2] - energies] for k in range(energies))
    return hits[..., None] * np.ones(2)


def result_of(groups):
    return SimpleNamespace(
        group_weights=np.full(GROUPS, 5),
        groups_east_west=lambda site: groups,
        binning_energy_edges=lambda name: ENERGY_EDGES_GEV,
    )


def table():
    edges = ENERGY_EDGES_GEV[::2][:100]
    flux = np.full((4, len(edges) - 1, len(COS_EDGES[::2]) - 1, 1), HITS)
    middles = np.sqrt(edges[1:] * edges[:-1])
    return FluxTable(flux, flux, middles, edges, "bins", COS_EDGES[::2], np.array([0.0, 360.0]), "x", "x")


def found(energies, flavours, seed=1):
    """The correlation, with the variance of a bin of the table measured in the groups."""
    groups = drawn(energies, flavours, seed)
    one = table()
    bins = averaged(averaged(groups.mean(axis=4, keepdims=True), COS_EDGES, one.cos_edges, 3), ENERGY_EDGES_GEV,
                    one.energy_edges_GeV, 2)  # fmt: skip
    value = bins.var(axis=0, ddof=1).mean() / GROUPS / HITS
    return bin_correlation(result_of(groups), "x", one, np.full(one.flux.shape, value))


@pytest.mark.parametrize("flavours", [False, True])
@pytest.mark.parametrize("energies", [1, 4])
def test_bins_and_flavours_of_one_primary(energies, flavours):
    correlation = found(energies, flavours)
    # sums of two fine bins have the variance of 2 n - ..., and sums over a long window that of n for each primary
    n = energies
    of_pair = sum(max(0, n - abs(k)) for k in (-1, 0, 0, 1)) / n
    long = 2.0 * n / of_pair
    high = correlation.total[60:90]
    # 23 degrees of freedom, 4 flavours or 1, 2 hemispheres, and windows of which 3 to 4 are independent
    near = 5.0 * np.sqrt(2.0 / (23 * 2 * (1 if flavours else 4)))
    assert high.mean() == pytest.approx(long * (4.0 if flavours else 1.0), rel=near)
    if flavours:
        # equal in all flavours: nothing is left for their ratios
        assert np.all(correlation.ratios == 1.0)
    else:
        assert correlation.ratios[:, 60:90].mean() == pytest.approx(max(1.0, long), rel=near)
    assert np.all(correlation.total >= 1.0)
    assert correlation.single.shape == (4, *correlation.total.shape)


def test_few_groups_say_nothing():
    groups = drawn(4, True)[:5]
    few = result_of(groups)
    few.group_weights = np.full(5, 5)
    correlation = bin_correlation(few, "x", table(), np.ones(table().flux.shape))
    assert np.all(correlation.total == 1.0)
    assert np.all(correlation.ratios == 1.0)


def test_mean_of_runs():
    first = found(4, False)
    both = mean_correlation([first, first])
    np.testing.assert_allclose(both.total, first.total)
    assert NO_CORRELATION.single.max() == 1.0
