"""The cascade equations against closed forms: attenuation, decay of pions and kaons, conservation, convergence."""

from __future__ import annotations

import numpy as np
import pytest

from atmosphere import linsley
from hadronic.models import load_model
from hadronic.species import KP, PIP, N, P
from sim3d.cascade.energies import make_grid
from sim3d.cascade.path import make_path
from sim3d.cascade.solver import CascadeSolver
from sim3d.conventions.particles import CTAU_KM, MASS_GEV, MUP

INDEX = 1.7
LAMBDA_N, LAMBDA_M = 80.0, 110.0


def solve(scaling, air, grid, *, losses=False, bins_step=10.0, cosine=1.0):
    solver = CascadeSolver(scaling.tables, grid, energy_loss=losses)
    primaries = -np.diff(grid.edges_GeV**-INDEX)
    (found,) = solver.solve(primaries, np.zeros(grid.n), [make_path(air, cosine, 0.0, bins_step)])
    return primaries, found


def at(grid, energy):
    return int(np.argmin(np.abs(grid.centres_GeV - energy)))


@pytest.fixture(scope="module")
def grid():
    return make_grid(1.0, 1e7, 10)


@pytest.fixture(scope="module")
def pions_and_kaons(scaling):
    return scaling(
        {(P, P): 0.9, (P, PIP): 1.4, (P, KP): 0.3, (PIP, PIP): 1.2, (KP, KP): 1.1},
        {P: LAMBDA_N, N: LAMBDA_N, PIP: LAMBDA_M, KP: LAMBDA_M},
    )


def test_nucleons_fall_with_their_attenuation_length(pions_and_kaons, isothermal, grid):
    """N(X) = N(0) exp(-X / Lambda), Lambda = lambda / (1 - Z), for a power law and scaling yields."""
    primaries, found = solve(pions_and_kaons, isothermal(7.0), grid)
    depth = found.path.depth_g_cm2[-1]
    expected = np.exp(-depth * (1.0 - pions_and_kaons.Z(P, P, INDEX)) / LAMBDA_N)
    i = at(grid, 100.0)
    assert found.hadrons[P, i] / primaries[i] == pytest.approx(expected, rel=0.01)


def only(scaling, meson):
    """Yields with one meson, so that no pions come from kaons."""
    means = {(P, P): 0.9, (P, meson): 1.4, (meson, meson): 1.2}
    return scaling(means, {P: LAMBDA_N, N: LAMBDA_N, meson: LAMBDA_M})


@pytest.mark.parametrize("meson", [PIP, KP])
def test_slow_mesons_all_decay(scaling, isothermal, grid, meson):
    """Low energies (thin air): decays are Z_NM / (1 - Z_NN) times the primaries."""
    model = only(scaling, meson)
    primaries, found = solve(model, isothermal(7.0e3), grid)
    expected = model.Z(P, meson, INDEX) / (1.0 - model.Z(P, P, INDEX))
    i = at(grid, 100.0)
    assert found.decays[meson, i] / primaries[i] == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize("meson", [PIP, KP])
@pytest.mark.parametrize("cosine", [1.0, 0.6])
def test_fast_mesons_decay_with_their_critical_energy(scaling, isothermal, grid, meson, cosine):
    """High energies: Z/(1 - Z_NN) L_M/(L_M - L_N) ln(L_M/L_N) eps/(E cos), eps = m h / (c tau), L attenuation lengths.

    T. K. Gaisser, Cosmic Rays and Particle Physics (1990), chapter 4: the decay rate in an isothermal atmosphere is
    eps / (E X cos), and the integral of (exp(-X/L_M) - exp(-X/L_N)) dX / X is ln(L_M/L_N).
    """
    height = 0.07
    model = only(scaling, meson)
    primaries, found = solve(model, isothermal(height), grid, cosine=cosine)
    z_nn, z_mm = model.Z(P, P, INDEX), model.Z(meson, meson, INDEX)
    nucleon, own = LAMBDA_N / (1.0 - z_nn), LAMBDA_M / (1.0 - z_mm)
    i = at(grid, 2.0e4)
    critical = float(MASS_GEV[meson]) * height / float(CTAU_KM[meson])
    expected = model.Z(P, meson, INDEX) / (1.0 - z_nn) * own / (own - nucleon) * np.log(own / nucleon)
    # E^-1.7 in bins: the mean of 1/E over a bin
    low, high = grid.edges_GeV[i], grid.edges_GeV[i + 1]
    inverse = INDEX / (INDEX + 1.0) * (low ** -(INDEX + 1.0) - high ** -(INDEX + 1.0)) / (low**-INDEX - high**-INDEX)
    assert found.decays[meson, i] / primaries[i] == pytest.approx(expected * critical * inverse / cosine, rel=0.015)


def test_muons_live_as_long_as_they_should(scaling, isothermal):
    """Along a path the survival is exp(-m L / (p c tau)), whatever the steps."""
    grid = make_grid(0.1, 1e3, 10)
    solver = CascadeSolver(scaling({(P, P): 1.0}, {P: 80.0}).tables, grid, energy_loss=False)
    path = make_path(linsley(), 0.4)
    muons = np.ones((1, 2, 2, grid.n))
    decays = np.zeros_like(muons)
    for step, density in zip(path.step_g_cm2, path.density_g_cm3, strict=True):
        decays += solver._advance_muons(muons, np.zeros_like(muons), step, density)
    mass = float(MASS_GEV[MUP])
    momentum = np.sqrt(grid.centres_GeV * (grid.centres_GeV + 2.0 * mass))
    expected = np.exp(-path.length_km.sum() * mass / (momentum * float(CTAU_KM[MUP])))
    np.testing.assert_allclose(muons[0, 0, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(muons + decays, 1.0, rtol=1e-9)


def test_muons_are_those_that_mesons_decay_into(pions_and_kaons, isothermal, grid):
    """Muons at the ground and decayed ones are as many as the decays of mesons give."""
    _, found = solve(pions_and_kaons, isothermal(7.0), grid)
    solver = CascadeSolver(pions_and_kaons.tables, grid)
    made = sum(np.einsum("i,chij->", found.decays[code], matrix) for code, matrix in solver.decays.muons.items())
    assert found.muons.sum() + found.muon_decays.sum() == pytest.approx(float(made), rel=1e-6)


def test_energy_is_conserved(scaling, isothermal):
    """Yields that share all energy: hadrons at the ground and decayed ones have what the primaries brought."""
    # the mean x of dN/dx = 3 (1 - x)^2 is 1/4: two nucleons and two pions carry everything
    both = {(P, P): 2.0, (P, PIP): 2.0, (PIP, PIP): 4.0}
    grid = make_grid(1e-2, 1e6, 10)
    solver = CascadeSolver(scaling(both, {P: 300.0, PIP: 400.0}).tables, grid, energy_loss=False)
    primaries = np.zeros(grid.n)
    primaries[-12] = 1.0
    (found,) = solver.solve(primaries, np.zeros(grid.n), [make_path(isothermal(7.0), 1.0, 0.0, 5.0)])
    energy = grid.centres_GeV
    spent = (found.hadrons @ energy).sum() + (found.decays @ energy).sum()
    assert spent == pytest.approx(energy[-12], rel=5e-3)


def test_solution_is_linear_in_the_primaries(pions_and_kaons, isothermal):
    grid = make_grid(0.1, 1e4, 10)
    solver = CascadeSolver(pions_and_kaons.tables, grid)
    path = make_path(isothermal(7.0), 0.5)
    one, two = (np.random.default_rng(k).random(grid.n) * grid.centres_GeV**-2.0 for k in (1, 2))
    zero = np.zeros(grid.n)
    both = solver.solve(np.array([one, two, one + 3.0 * two]), np.array([zero] * 3), [path] * 3)
    np.testing.assert_allclose(
        both[2].neutrinos, both[0].neutrinos + 3.0 * both[1].neutrinos, rtol=1e-7, atol=1e-12 * both[2].neutrinos.max()
    )
    np.testing.assert_allclose(
        both[2].muons, both[0].muons + 3.0 * both[1].muons, rtol=1e-7, atol=1e-12 * both[2].muons.max()
    )


def test_steps_and_bins_have_converged():
    """Muons and neutrinos above 1 and 30 GeV: half the steps and half the bins change them by less than 1%."""
    model = load_model("fluka-z", "balanced")
    sums = []
    for bins, step in ((10, 10.0), (20, 20.0), (20, 10.0)):
        grid = make_grid(0.02, 1e4, bins)
        solver = CascadeSolver(model.tables, grid)
        primaries = -np.diff((grid.edges_GeV + 2.0) ** -INDEX)
        (found,) = solver.solve(primaries, 0.2 * primaries, [make_path(linsley(), 0.8, 0.0, step)])
        above = [int(np.argmin(np.abs(grid.edges_GeV - energy))) for energy in (1.0, 30.0)]
        both = found.muons.sum(axis=(0, 1)), *found.neutrinos.sum(axis=1)
        sums.append([[one[i:].sum() for i in above] for one in both])
    coarse, long, fine = np.array(sums)
    np.testing.assert_allclose(long, fine, rtol=0.005)
    # the edges of both grids are not the same energies: relative to the spectra of bins of 1/10 of a decade
    np.testing.assert_allclose(coarse, fine, rtol=0.012)
