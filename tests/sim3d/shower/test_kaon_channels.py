"""Decays of kaons in fixed channels: with their weights they are the decays by branching ratio."""

import math

import numpy as np
import pytest
from numba import njit

from sim3d.conventions.particles import KL, KM, KP, KS, MASS_GEV, MUP
from sim3d.shower.decays import NEUTRINO, decay
from sim3d.shower.kaon_channels import CHANNEL_DRAWS, decay_in_channel, has_channels

TOTAL_GEV = 30.0


@njit
def _moments(species, n, fixed, seed, out):
    """Sums of weight * E^power of neutrinos by flavour, and of the products with muon helicity, for n decays each."""
    rng = np.array([seed], dtype=np.uint64)
    codes, momenta, helicities = np.empty(4, dtype=np.int64), np.empty((4, 4)), np.empty(4)
    momentum = math.sqrt(TOTAL_GEV**2 - MASS_GEV[species] ** 2)
    for i in range(n):
        for draw in range(CHANNEL_DRAWS if fixed else 1):
            if fixed:
                k, w = decay_in_channel(species, draw, TOTAL_GEV, momentum, rng, codes, momenta, helicities)
            else:
                k, w = decay(species, TOTAL_GEV, momentum, 0.0, rng, codes, momenta, helicities), 1.0
            for j in range(k):
                if codes[j] >= NEUTRINO:
                    for power in range(3):
                        out[i, codes[j] - NEUTRINO, power] += w * momenta[j, 0] ** power


@pytest.mark.parametrize("species", [KP, KM, KL])
def test_fixed_channels_are_the_decays_by_branching_ratio(species):
    """Numbers, mean energies and mean squared energies of every flavour of neutrino."""
    n = 60_000
    sums = []
    for fixed in (True, False):
        out = np.zeros((n, 4, 3))
        _moments(species, n, fixed, 7 + fixed, out)
        sums.append(out)
    a, b = sums
    error = np.hypot(a.std(axis=0), b.std(axis=0)) / math.sqrt(n)
    assert (abs(a.mean(axis=0) - b.mean(axis=0)) <= 4.5 * error + 1e-12).all()
    assert (a.mean(axis=0)[:, 0] > 0).sum() == (4 if species == KL else 2)
    # the number of neutrinos does not scatter at all but for the charge of a K_L
    assert a[:, :, 0].sum(axis=1).std() < 1e-12


def test_short_kaons_decay_into_leptons_as_often_as_measured():
    """Branching ratios 7.04e-4 and 4.56e-4, both charges alike; spectra are those of the K_L, the same K0."""
    n = 40_000
    sums = []
    for species in (KS, KL):
        out = np.zeros((n, 4, 3))
        _moments(species, n, True, 11, out)
        sums.append(out.mean(axis=0))
    short, long = sums
    assert short[:, 0].sum() == pytest.approx((7.04e-4 + 4.56e-4) / 1.00006, rel=1e-9)
    np.testing.assert_allclose(short[:, 1] / short[:, 0], long[:, 1] / long[:, 0], rtol=0.02)


def test_by_branching_ratio_too():
    """Drawn by branching ratio, one K_S in 860 gives a neutrino."""
    n = 400_000
    out = np.zeros((n, 4, 3))
    _moments(KS, n, False, 3, out)
    found = out[:, :, 0].sum()
    assert abs(found - 1.16e-3 * n) < 4.0 * math.sqrt(1.16e-3 * n)


def test_momenta_add_up():
    """Each draw conserves energy and momentum."""
    rng = np.array([5], dtype=np.uint64)
    codes, momenta, helicities = np.empty(4, dtype=np.int64), np.empty((4, 4)), np.empty(4)
    for species in (KP, KM, KL, KS):
        momentum = math.sqrt(TOTAL_GEV**2 - MASS_GEV[species] ** 2)
        for draw in range(CHANNEL_DRAWS):
            n, _ = decay_in_channel(species, draw, TOTAL_GEV, momentum, rng, codes, momenta, helicities)
            assert np.allclose(momenta[:n].sum(axis=0), [TOTAL_GEV, 0.0, 0.0, momentum], atol=1e-9)


def test_species():
    assert [has_channels(s) for s in (KP, KM, KL, KS, MUP)] == [True, True, True, True, False]
