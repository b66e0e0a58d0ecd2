"""Decays in flight: numbers and energies are conserved, limits are closed forms, spectra those of the simulation."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from sim3d.cascade.decays import LEFT, MINUS, PLUS, RIGHT, decay_matrices
from sim3d.cascade.energies import make_grid
from sim3d.conventions.flavours import NUE, NUEBAR, NUMU, NUMUBAR
from sim3d.conventions.particles import (
    KL,
    KM,
    KP,
    KS,
    LAMBDA,
    MASS_GEV,
    MUM,
    MUP,
    NEUTRON,
    PIM,
    PIP,
    PROTON,
)
from sim3d.shower.branching_ratios import KSHORT_BRANCHING
from sim3d.shower.decays import NEUTRINO, decay

M_PI, M_MU = float(MASS_GEV[PIP]), float(MASS_GEV[MUP])
RATIO = (M_MU / M_PI) ** 2


@pytest.fixture(scope="module")
def grid():
    return make_grid(0.001, 1e3, 20)


@pytest.fixture(scope="module")
def matrices(grid):
    return decay_matrices(grid)


def row(grid, energy):
    return int(np.argmin(np.abs(grid.centres_GeV - energy)))


def test_a_pion_gives_one_muon_and_one_neutrino(grid, matrices):
    i = row(grid, 50.0)
    assert matrices.muons[PIP][PLUS, :, i].sum() == pytest.approx(1.0, abs=1e-6)
    assert matrices.muons[PIP][MINUS].sum() == 0.0
    assert matrices.neutrinos[PIP][NUMU, i].sum() == pytest.approx(1.0, abs=1e-3)


def test_a_fast_pion_gives_its_muon_a_mean_share_of_its_energy(grid, matrices):
    """(1 + r) / 2 to the muon and (1 - r) / 2 to the neutrino, r = (m_mu / m_pi)^2."""
    i = row(grid, 50.0)
    energy = grid.centres_GeV[i] + M_PI
    to_muon = matrices.muons[PIP][PLUS, :, i].sum(axis=0) @ (grid.centres_GeV + M_MU)
    assert to_muon / energy == pytest.approx(0.5 * (1.0 + RATIO), rel=2e-3)
    assert matrices.neutrinos[PIP][NUMU, i] @ grid.centres_GeV / energy == pytest.approx(0.5 * (1.0 - RATIO), rel=3e-3)


def test_mean_helicity_of_muons_from_fast_pions(grid, matrices):
    """The helicity of a mu+ is 2 r / (x (1 - r)) - (1 + r) / (1 - r) with x = E_mu / E_pi, evenly spread in (r, 1)."""
    i = row(grid, 200.0)
    x = np.linspace(RATIO, 1.0, 20001)
    closed = np.trapezoid(2.0 * RATIO / ((1.0 - RATIO) * x) - (1.0 + RATIO) / (1.0 - RATIO), x) / (1.0 - RATIO)
    states = matrices.muons[PIP][PLUS, :, i].sum(axis=1)
    assert states[RIGHT] - states[LEFT] == pytest.approx(closed, abs=2e-3)
    other = matrices.muons[PIM][MINUS, :, i].sum(axis=1)
    np.testing.assert_allclose(other[::-1], states, rtol=1e-12)


def test_kaons_conserve_charge(grid, matrices):
    """Mean charge of all charged products of K+: pions, muons, and e+ as many as nue."""
    i = row(grid, 30.0)
    charge = matrices.hadrons[KP, PIP][i].sum() - matrices.hadrons[KP, PIM][i].sum()
    charge += matrices.muons[KP][PLUS, :, i].sum() + matrices.neutrinos[KP][NUE, i].sum()
    assert charge == pytest.approx(1.0, abs=2e-3)


def test_positive_and_negative_kaons_are_mirrors(matrices):
    np.testing.assert_array_equal(matrices.neutrinos[KP][[NUMU, NUE]], matrices.neutrinos[KM][[NUMUBAR, NUEBAR]])
    np.testing.assert_array_equal(matrices.neutrinos[KL][NUMU], matrices.neutrinos[KL][NUMUBAR])
    np.testing.assert_array_equal(matrices.hadrons[KP, PIP], matrices.hadrons[KM, PIM])


def test_short_kaons_have_their_semileptonic_decays(grid, matrices):
    """K_L and K_S have the same semileptonic rates: the ratio of their neutrinos is that of the branching ratios."""
    i = row(grid, 30.0)
    electrons = matrices.neutrinos[KS][[NUE, NUEBAR], i].sum()
    assert electrons == pytest.approx(0.01 * KSHORT_BRANCHING["e3"], rel=2e-3)
    # rates: branching ratio over lifetime, K_L 40.55% of 51.16 ns, K_S 7.04e-4 of 0.08954 ns
    assert 7.04e-4 / 0.08954 == pytest.approx(0.4055 / 51.16, rel=0.02)


def test_lambda_conserves_baryon_number(grid, matrices):
    i = row(grid, 30.0)
    nucleons = matrices.hadrons[LAMBDA, PROTON][i].sum() + matrices.hadrons[LAMBDA, NEUTRON][i].sum()
    assert nucleons == pytest.approx(1.0, abs=1e-6)


@njit
def sample(species, energy, momentum, helicity, n, edges, counts):
    """Count neutrinos of decays in bins, with the simulation's sampler."""
    rng = np.empty(1, dtype=np.uint64)
    rng[0] = np.uint64(3)
    codes, momenta, helicities = np.empty(4, dtype=np.int64), np.empty((4, 4)), np.empty(4)
    for _ in range(n):
        for k in range(decay(species, energy, momentum, helicity, rng, codes, momenta, helicities)):
            if codes[k] >= NEUTRINO:
                j = np.searchsorted(edges, momenta[k, 0]) - 1
                if 0 <= j < edges.shape[0] - 1:
                    counts[codes[k] - NEUTRINO, j] += 1.0


@pytest.mark.parametrize(("species", "helicity"), [(KP, 0.0), (KL, 0.0), (MUP, 1.0), (MUP, -1.0), (MUM, 1.0)])
def test_spectra_are_those_of_the_simulation(species, helicity):
    """Numbers above some energies agree within 4.5 standard errors and the width of the parent's bin."""
    grid = make_grid(0.01, 1e3, 50)
    matrices = decay_matrices(grid)
    i, n = row(grid, 30.0), 100_000
    mass = float(MASS_GEV[species])
    energy = float(grid.centres_GeV[i]) + mass
    counts = np.zeros((4, grid.n))
    sample(species, energy, np.sqrt(energy**2 - mass**2), helicity, n, grid.edges_GeV, counts)
    if species in (MUP, MUM):
        found = matrices.muon_neutrinos[species - MUP, RIGHT if helicity > 0.0 else LEFT, :, i]
    else:
        found = matrices.neutrinos[species][:, i]
    for below in (80, 50, 25, 12):
        ours, theirs = found[:, : i - below].sum(axis=1), counts[:, : i - below].sum(axis=1) / n
        error = np.sqrt(np.maximum(theirs, 1.0 / n) / n)
        assert np.all(np.abs(ours - theirs) < 4.5 * error + 2e-3 * theirs)
