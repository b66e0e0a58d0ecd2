"""Energy loss: the stopping power is the simulation's, particles are conserved, energies follow the range."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.cascade.energies import make_grid
from sim3d.cascade.losses import EnergyLoss, stopping_power
from sim3d.conventions.particles import KP, MASS_GEV, MUP, PIP, PROTON
from sim3d.shower.energy_loss import loss_table
from sim3d.shower.energy_loss import stopping_power as of_kernel


@pytest.mark.parametrize("species", [PROTON, PIP, KP, MUP])
@pytest.mark.parametrize("density", [1.2e-3, 1e-6])
def test_stopping_power_is_that_of_the_simulation(species, density):
    table, mass = loss_table(), float(MASS_GEV[species])
    kinetic = np.geomspace(0.01, 1e5, 40)
    expected = [of_kernel(species, float(np.sqrt(T * (T + 2 * mass))), mass, density, table) for T in kinetic]
    np.testing.assert_allclose(stopping_power(species, kinetic, density), expected, rtol=5e-4)


def test_particles_are_conserved_above_the_lowest_bin():
    """To the accuracy of one interpolation: that of N(> T) at the lowest edge."""
    grid = make_grid(0.01, 1e4, 20)
    numbers = np.zeros(grid.n)
    numbers[60:90] = np.random.default_rng(2).random(30)
    after = EnergyLoss(grid, MUP).apply(numbers, 10.0, 1e-3)
    assert after.sum() == pytest.approx(numbers.sum(), rel=1e-6)


def test_many_steps_are_one():
    """A smooth spectrum after 1000 g/cm2 in 100 steps, against N(> T) = N0(> T') in one; 0.1% of the integral."""
    grid = make_grid(0.01, 1e5, 20)
    numbers = -np.diff((grid.edges_GeV + 3.0) ** -2.7)
    loss = EnergyLoss(grid, MUP)
    whole = np.exp(loss.earlier(1000.0, 1e-3)) + 3.0
    expected = whole**-2.7
    stepped = numbers
    for _ in range(100):
        stepped = loss.apply(stepped, 10.0, 1e-3)
    above = np.cumsum(stepped[::-1])[::-1]
    inner = slice(0, 100)
    np.testing.assert_allclose(above[inner], expected[:-1][inner], rtol=1e-3)


def test_a_step_of_minimum_ionisation():
    """A muon of 1 GeV loses about 2.2 MeV cm2/g: 22 MeV on 10 g/cm2."""
    grid = make_grid(0.01, 1e4, 20)
    i = int(np.argmin(np.abs(grid.edges_GeV - 1.0)))
    lost = np.exp(EnergyLoss(grid, MUP).earlier(10.0, 1e-3)[i]) - grid.edges_GeV[i]
    assert lost == pytest.approx(10.0 * float(stopping_power(MUP, grid.edges_GeV[i : i + 1], 1e-3)[0]), rel=5e-3)
