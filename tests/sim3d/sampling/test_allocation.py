"""Allocation of primaries to strata of energy: closed form of the optimum, bounds, cells, density."""

import numpy as np
import pytest

from sim3d.conventions.binning import N_COS, N_ENERGY
from sim3d.sampling.allocation import (
    COST_US,
    IMPORTANCE,
    LEAST,
    LEAST_OF_A_PART,
    MOST,
    OUTSIDE,
    Allocation,
    Survey,
    allocate,
    cost,
    favoured,
    make_cells,
    optimum,
    scaled_law,
    strata,
    stratum_law,
)
from sim3d.sampling.counters import C_NEUTRINOS, C_PRIMARIES, N_COUNTERS
from sim3d.sampling.energy_law import LAW_ENERGIES_GEV, energy_of_law, law_pdf, mixture_law

LAW = mixture_law(0.28, 1.0e7)
NO_BOUNDS = (0.0, np.inf)


def toy(variance, expense, flux=None):
    """A survey of as many strata as there are costs, with equal shares by default."""
    n = len(expense)
    variance = np.array(variance, dtype=float).reshape(n, -1)
    flux = np.full(variance.shape, 1.0 / n) if flux is None else np.array(flux, dtype=float)
    return Survey(np.arange(n + 1), np.full(n, 1.0 / n), flux, variance, np.array(expense, dtype=float))


def test_the_optimum_of_one_cell_is_neymans():
    found = optimum(toy([4.0, 1.0], [1.0, 1.0]), np.ones(1), NO_BOUNDS)
    assert found == pytest.approx([2 / 3, 1 / 3])
    # four times the cost halves a share
    assert optimum(toy([1.0, 1.0], [1.0, 4.0]), np.ones(1), NO_BOUNDS) == pytest.approx([2 / 3, 1 / 3])


def test_no_other_shares_have_a_smaller_sum_of_squared_errors():
    rng = np.random.default_rng(3)
    survey = toy(rng.exponential(size=(6, 5)), rng.exponential(size=6), rng.exponential(size=(6, 5)))
    best = optimum(survey, np.ones(5), NO_BOUNDS)
    least = survey.squared_errors(best).sum()
    for _ in range(200):
        other = best * np.exp(rng.normal(scale=0.3, size=6))
        assert survey.squared_errors(other / other.sum()).sum() >= least * (1.0 - 1e-12)


def test_the_error_of_a_toy_is_that_of_its_strata():
    """Two strata with exponential contributions: the predicted variance is that of repeated runs."""
    rng = np.random.default_rng(8)
    means, share = np.array([1.0, 3.0]), np.array([0.3, 0.7])
    survey = toy(means**2, [1.0, 2.0], [[1.0], [3.0]])
    n = 50
    counts = np.round(n * share).astype(int)
    runs = [sum(rng.exponential(m, k).mean() for m, k in zip(means, counts, strict=True)) for _ in range(4000)]
    predicted = survey.squared_errors(share)[0] / (survey.cost @ share) / n
    assert np.var(runs) / np.mean(runs) ** 2 == pytest.approx(predicted, rel=4.0 * np.sqrt(2.0 / 4000))


@pytest.mark.parametrize(("importance", "least"), [(np.ones(1), LEAST), (None, LEAST_OF_A_PART)])
def test_every_stratum_keeps_a_floor(importance, least):
    """A stratum that adds nothing to the errors keeps a part of its primaries."""
    found = allocate(toy([[1.0], [0.0], [0.0], [1.0]], np.ones(4)), importance)
    ratio = found.share / found.default_share
    assert found.share.sum() == pytest.approx(1.0)
    assert ratio == pytest.approx([2.0 - least, least, least, 2.0 - least])
    assert importance is None or ratio.max() <= MOST


def test_a_cell_without_flux_has_no_say():
    one = toy([4.0, 1.0], [1.0, 1.0])
    two = toy([[4.0, 0.0], [1.0, 0.0]], [1.0, 1.0], [[0.5, 0.0], [0.5, 0.0]])
    assert allocate(two, np.ones(2)).share == pytest.approx(allocate(one, np.ones(1)).share)


def test_low_energies_of_the_whole_table_weigh_more():
    """Two strata that feed one cell each, of the first and the fourth decade, share as the roots of their weights."""
    cells = make_cells((1,))
    weights = cells.importance().reshape(len(cells.energies), 3)
    assert np.array_equal(weights[:, 0], np.repeat(IMPORTANCE, 2))
    assert np.array_equal(weights, np.repeat(weights[:, :1], 3, axis=1))
    survey = toy([[1.0, 0.0], [0.0, 1.0]], np.ones(2), [[1.0, 0.0], [0.0, 1.0]])
    found = allocate(survey, np.array([IMPORTANCE[0], IMPORTANCE[3]]))
    assert found.share[0] / found.share[1] == pytest.approx(np.sqrt(IMPORTANCE[0] / IMPORTANCE[3]))


def test_cells_hold_each_fine_bin_of_the_part_once():
    flux = np.random.default_rng(1).random((2, 4, N_ENERGY, N_COS, 3))
    assert make_cells().values(flux).sum() == pytest.approx(flux.sum())
    part = make_cells((2,), (1.0e3, 1.0e4), (-0.2, 0.2))
    edges = [part.energies[0][0], part.energies[-1][1]]
    assert part.values(flux).sum() == pytest.approx(flux[:, 2, edges[0] : edges[1], 16:24].sum())
    assert part.size == 6


def test_a_single_zenith_bin_is_one_cell():
    assert make_cells((0,), (1.0, 1.1), (0.0, 0.05)).size == 1


def test_strata_cover_the_range():
    nodes = strata(0.28, 1.0e7)
    assert LAW_ENERGIES_GEV[nodes[0]] <= 0.28
    assert LAW_ENERGIES_GEV[nodes[-1]] >= 1.0e7
    assert np.all(np.diff(nodes) > 10)


def test_a_stratum_is_drawn_alone_with_its_own_density():
    nodes = strata(0.28, 1.0e7)
    low, high = LAW_ENERGIES_GEV[nodes[5]], LAW_ENERGIES_GEV[nodes[6]]
    law = stratum_law(LAW, nodes[5], nodes[6])
    for u in (1e-9, 0.3, 0.999999):
        energy = energy_of_law(u, 0.28, 1.0e7, law)
        assert low * (1 - 1e-9) <= energy <= high * (1 + 1e-9)
    inside = 0.37 * low + 0.63 * high
    share = (LAW[nodes[6]] - LAW[nodes[5]]) / (LAW[-1] - LAW[0])
    ratio = law_pdf(inside, 0.28, 1.0e7, law) / law_pdf(inside, LAW_ENERGIES_GEV[0], LAW_ENERGIES_GEV[-1], LAW)
    assert ratio == pytest.approx(1.0 / share, rel=1e-6)


def test_the_density_of_an_allocation_is_smooth_and_normalised():
    nodes = strata(0.28, 1.0e7)
    default = np.diff(LAW[nodes]) / (LAW[nodes[-1]] - LAW[nodes[0]])
    share = default * np.exp(np.linspace(-0.5, 0.7, len(default)))
    law = Allocation(nodes, default, share / share.sum(), np.ones(len(default))).law(LAW)
    ratio = np.diff(law) / np.diff(LAW)
    assert np.all(np.abs(np.diff(np.log(ratio))) < 0.01)
    grid = np.exp(np.linspace(np.log(0.28), np.log(1.0e7), 20001))
    pdf = np.array([law_pdf(energy, 0.28, 1.0e7, law) for energy in grid])
    assert np.trapezoid(pdf * grid, np.log(grid)) == pytest.approx(1.0, rel=2e-3)


def test_equal_shares_leave_the_density_as_it_is():
    nodes = strata(0.28, 1.0e7)
    default = np.diff(LAW[nodes]) / (LAW[nodes[-1]] - LAW[nodes[0]])
    law = Allocation(nodes, default, default, np.ones(len(default))).law(LAW)
    assert np.diff(law) == pytest.approx(np.diff(LAW))
    assert scaled_law(LAW, np.ones(len(LAW) - 1)) == pytest.approx(LAW)


def test_a_part_of_the_table_is_favoured_with_a_floor_elsewhere():
    by_energy, by_zenith = favoured(make_cells((2, 3), (1.0e3, 1.0e4), (-0.2, 0.2)))
    assert set(np.unique(by_energy)) == set(np.unique(by_zenith)) == {OUTSIDE, 1.0}
    assert by_energy[2, 180] == 1.0
    assert by_energy[0, 180] == by_energy[2, 100] == OUTSIDE
    assert by_zenith[20] == 1.0
    assert by_zenith[0] == OUTSIDE
    assert np.all(favoured(make_cells())[0] == 1.0)


def test_the_cost_counts_showers_and_traces():
    counters = np.zeros((2, N_COUNTERS), dtype=np.int64)
    counters[:, C_PRIMARIES] = 10
    counters[1, C_NEUTRINOS] = 100
    assert cost(counters) == pytest.approx([COST_US[0], COST_US[0] + 10.0 * COST_US[1]])
