"""Yield matrices have the multiplicities, energies and Z factors of the tables that they come from."""

from __future__ import annotations

import numpy as np
import pytest

from hadronic.interaction.kernels import interaction_length
from hadronic.models import load_model
from hadronic.species import KP, PIP, N, P
from sim3d.cascade.energies import make_grid
from sim3d.cascade.yields import interaction_lengths, yield_matrices


@pytest.fixture(scope="module")
def model():
    return load_model("fluka-z", "balanced")


@pytest.fixture(scope="module")
def grid():
    return make_grid(0.01, 1e4, 20)


@pytest.fixture(scope="module")
def yields(model, grid):
    return yield_matrices(model.tables, grid)


@pytest.mark.parametrize("secondary", [P, N, PIP, KP])
def test_mean_kinetic_energy_is_that_of_the_table(model, grid, yields, secondary):
    i = int(np.argmin(np.abs(grid.centres_GeV - 100.0)))
    mean = (yields[P, i, secondary] @ grid.centres_GeV) / grid.centres_GeV[i]
    assert mean == pytest.approx(model.moments(P, secondary, float(grid.centres_GeV[i])).F_TT, rel=3e-3)


def test_spectrum_weighted_moment_of_a_power_law(model):
    """Secondaries of T^-2.7 primaries above 100 GeV are Z times the primaries; Z of the table varies slowly."""
    grid = make_grid(0.1, 1e6, 10)
    primaries = -np.diff(grid.edges_GeV**-1.7)
    made = primaries @ yield_matrices(model.tables, grid)[P, :, PIP]
    i = int(np.argmin(np.abs(grid.edges_GeV - 100.0)))
    # the parents are at 200 GeV to 3 TeV for the most part
    around = [model.moments(P, PIP, T).Z_TT for T in (200.0, 1000.0, 3000.0)]
    assert min(around) * 0.99 < made[i:].sum() / primaries[i:].sum() < max(around) * 1.01


def test_nothing_is_made_above_the_projectile(grid, yields):
    i = grid.n // 2
    assert yields[:, i, :, i + 2 :].max() < 1e-3 * yields[P, i, PIP].sum()


def test_interaction_lengths_are_those_of_the_kernels(model, grid):
    found = interaction_lengths(model.tables, grid)
    for species in (P, PIP, KP):
        at = grid.centres_GeV[[20, 60, 100]]
        expected = [interaction_length(model.tables, species, float(np.log(T))) for T in at]
        np.testing.assert_allclose(found[species][[20, 60, 100]], expected, rtol=1e-12)
