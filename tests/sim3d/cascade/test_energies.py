"""Energy bins: the shape inside a bin conserves numbers and is exact for power laws."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.cascade.energies import EXACT_INDICES, SUB_BINS, make_grid
from sim3d.errors import InputError


def parts_of(index, n, step):
    edges = np.exp(-index * step / SUB_BINS * np.arange(n * SUB_BINS + 1))
    return -np.diff(edges)


@pytest.mark.parametrize("index", EXACT_INDICES)
def test_parts_of_a_power_law_are_exact(index):
    grid = make_grid(0.1, 1e4, 10)
    parts = parts_of(index, grid.n, grid.step)
    whole = parts.reshape(grid.n, SUB_BINS).sum(axis=1)
    inner = slice(SUB_BINS, -SUB_BINS)
    np.testing.assert_allclose((grid.refinement @ whole)[inner], parts[inner], rtol=1e-10)


def test_parts_sum_to_their_bin():
    grid = make_grid(0.1, 1e3, 8)
    numbers = np.random.default_rng(1).random(grid.n)
    np.testing.assert_allclose((grid.refinement @ numbers).reshape(grid.n, SUB_BINS).sum(axis=1), numbers, rtol=1e-12)


def test_parts_of_other_power_laws_are_good_to_third_order():
    errors = []
    for bins in (10, 20):
        grid = make_grid(0.1, 1e4, bins)
        parts = parts_of(2.3, grid.n, grid.step)
        found = grid.refinement @ parts.reshape(grid.n, SUB_BINS).sum(axis=1)
        errors.append(np.abs(found / parts - 1.0)[SUB_BINS:-SUB_BINS].max())
    assert errors[0] < 1e-3
    assert errors[0] / errors[1] > 7.0


def test_averaged_is_a_mean_over_parts():
    grid = make_grid(0.1, 1e3, 8)
    np.testing.assert_allclose(grid.averaged(np.full((grid.n * SUB_BINS, 2), 3.0)), 3.0)


@pytest.mark.parametrize(("arguments", "words"), [((1.0, 50.0), "high_GeV"), ((0.1, 1e4, 4), "bins_per_decade")])
def test_wrong_grids_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        make_grid(*arguments)
