"""Counter-based random streams: the published generator, its statistics, and the independence of keys."""

import numpy as np
import pytest
from numba import njit
from scipy import stats

from sim3d.shower import random_streams
from sim3d.shower.random_streams import BRANCHES, GOLDEN, child_key, mix64, next_uint64, poisson, primary_key, uniform


@njit
def _uniforms(key, n):
    state = np.empty(1, dtype=np.uint64)
    state[0] = key
    out = np.empty(n)
    for i in range(n):
        out[i] = uniform(state)
    return out


@njit
def _poissons(mean, key, n):
    state = np.empty(1, dtype=np.uint64)
    state[0] = key
    out = np.empty(n, dtype=np.int64)
    for i in range(n):
        out[i] = poisson(mean, state)
    return out


@njit
def _primary_keys(seed, n):
    out = np.empty(n, dtype=np.uint64)
    for i in range(n):
        out[i] = primary_key(seed, i)
    return out


@njit
def _child_keys(keys, index):
    out = np.empty_like(keys)
    for i in range(keys.size):
        out[i] = child_key(keys[i], index)
    return out


@njit
def _first_uniforms(keys):
    state = np.empty(1, dtype=np.uint64)
    out = np.empty(keys.size)
    for i in range(keys.size):
        state[0] = keys[i]
        out[i] = uniform(state)
    return out


def test_splitmix64_published_vectors():
    """The reference implementation's first outputs for seed 1234567 (Vigna, splitmix64.c)."""
    state = np.array([1234567], dtype=np.uint64)
    expected = [6457827717110365317, 3203168211198807973, 9817491932198370423]
    assert [int(next_uint64(state)) for _ in expected] == expected
    assert int(state[0]) == (1234567 + 3 * int(GOLDEN)) % 2**64


def _unmix(z):
    """Inverse of mix64."""

    def unshift(value, shift):
        out = value
        for _ in range(64 // shift + 1):
            out = value ^ (out >> shift)
        return out

    z = unshift(z, 31)
    z = unshift(z * pow(0x94D049BB133111EB, -1, 2**64) % 2**64, 27)
    return unshift(z * pow(0xBF58476D1CE4E5B9, -1, 2**64) % 2**64, 30)


@pytest.mark.parametrize("bits", [0, 1, 2**63, 2**64 - 2**12, 2**64 - 1])
def test_uniform_is_strictly_inside_the_unit_interval(bits):
    """Every 64-bit output gives a number in (0, 1), so that no logarithm diverges and no 1 - u is zero."""
    before = _unmix(bits)
    assert int(mix64(np.uint64(before))) == bits
    state = np.array([(before - int(GOLDEN)) % 2**64], dtype=np.uint64)
    assert 0.0 < uniform(state) < 1.0


def test_uniforms_are_uniform_and_uncorrelated():
    """Kolmogorov-Smirnov, 1000-bin chi2, and correlation of neighbours up to lag 3."""
    u = _uniforms(np.uint64(42), 400_000)
    assert stats.kstest(u, "uniform").pvalue > 1e-3
    assert stats.chisquare(np.histogram(u, bins=1000, range=(0, 1))[0]).pvalue > 1e-3
    for lag in (1, 2, 3):
        assert abs(np.corrcoef(u[lag:], u[:-lag])[0, 1]) < 4 / np.sqrt(u.size)


@pytest.mark.parametrize("mean", [0.01, 0.7, 5.0, 16.0, 16.5, 40.0, 700.0])
def test_poisson_mean_and_variance(mean):
    """Mean and variance both equal the mean; above 16 the number is a sum of chunks."""
    n = 200_000 if mean < 50 else 20_000
    sample = _poissons(mean, np.uint64(7), n)
    assert sample.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / n))
    assert sample.var(ddof=1) == pytest.approx(mean, abs=4 * np.sqrt((2 * mean**2 + mean) / n))


@pytest.mark.parametrize("mean", [0.7, 23.0])
def test_poisson_distribution(mean):
    """chi2 against the Poisson probabilities, bins of at least ten expected."""
    n = 200_000
    sample = _poissons(mean, np.uint64(8), n)
    expected = n * stats.poisson.pmf(np.arange(200), mean)
    kept = expected > 10
    observed = np.bincount(sample, minlength=200)[kept]
    chi2 = ((observed - expected[kept]) ** 2 / expected[kept]).sum()
    assert stats.chi2.sf(chi2, kept.sum()) > 1e-3


def test_poisson_of_zero_mean_draws_nothing():
    """A species that is absent costs no draw."""
    state = np.array([3], dtype=np.uint64)
    assert poisson(0.0, state) == 0
    assert state[0] == 3


def test_keys_are_distinct():
    """A million primaries of two neighbouring seeds, and the daughters of each, never share a key."""
    keys = np.concatenate([_primary_keys(np.uint64(seed), 200_000) for seed in (1, 2)])
    children = [_child_keys(keys, index) for index in (0, 1, 2)]
    everything = np.concatenate([keys, *children])
    assert np.unique(everything).size == everything.size


def test_streams_of_relatives_are_uncorrelated():
    """First draws of neighbouring primaries, of parent and daughter, of sisters and of neighbouring seeds."""
    n = 200_000
    keys = _primary_keys(np.uint64(1), n)
    own = _first_uniforms(keys)
    first, second = (_first_uniforms(_child_keys(keys, k)) for k in (1, 2))
    other_seed = _first_uniforms(_primary_keys(np.uint64(2), n))
    assert stats.kstest(own, "uniform").pvalue > 1e-3
    assert stats.kstest(first, "uniform").pvalue > 1e-3
    pairs = ((own[1:], own[:-1]), (own, first), (first, second), (first[1:], first[:-1]), (own, other_seed))
    for a, b in pairs:
        assert abs(np.corrcoef(a, b)[0, 1]) < 4 / np.sqrt(n)


def test_keys_of_neighbours_differ_in_half_their_bits():
    """Avalanche: neighbouring indices give unrelated keys."""
    keys = _primary_keys(np.uint64(5), 20_000)
    flips = np.array([bin(int(a ^ b)).count("1") for a, b in zip(keys[1:], keys[:-1], strict=True)])
    assert flips.mean() == pytest.approx(32, abs=4 * 4 / np.sqrt(flips.size))


def test_branches_differ():
    """No two processes share a stream, and every branch number of the module is listed."""
    named = [value for name, value in vars(random_streams).items() if name.startswith("BRANCH_")]
    assert sorted(BRANCHES.values()) == sorted(named)
    assert len(set(named)) == len(named)
    assert min(named) > 0
