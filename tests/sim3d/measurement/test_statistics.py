"""Likelihoods of counts against scipy, against a direct integral, and against finite differences."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import quad
from scipy.special import gammaln

from sim3d.errors import InputError
from sim3d.measurement import statistics

MU = np.array([0.3, 2.0, 7.5, 40.0, 900.0])
K = np.array([0.0, 1.0, 9.0, 33.0, 955.0])
VARIANCE = np.array([0.05, 0.9, 2.0, 0.4, 300.0])


def test_poisson_is_scipys():
    value, slope, _ = statistics.poisson(K, MU)
    np.testing.assert_allclose(value, stats.poisson.logpmf(K, MU), rtol=1e-12)
    np.testing.assert_allclose(slope, K / MU - 1.0)


def test_poisson_of_nothing():
    """No events and no expectation: 0. Events without expectation: impossible."""
    value, slope, _ = statistics.poisson(np.array([0.0, 2.0]), np.zeros(2))
    assert value.tolist() == [0.0, -np.inf]
    assert slope.tolist() == [-1.0, np.inf]


def test_effective_is_the_mean_of_poisson_over_a_gamma_law():
    """L_eff is the integral of Poisson's law over a gamma law of shape alpha and rate beta."""
    value, _, _ = statistics.effective(K, MU, VARIANCE)
    for k, mu, variance, found in zip(K, MU, VARIANCE, value, strict=True):
        law = stats.gamma(mu**2 / variance + 1.0, scale=variance / mu)
        low, high = law.ppf([1e-15, 1.0 - 1e-15])

        def density(x, k=k, law=law):
            return np.exp(stats.poisson.logpmf(k, x)) * law.pdf(x)

        whole, _ = quad(density, low, high, limit=500, epsabs=0, epsrel=1e-10)
        assert found == pytest.approx(np.log(whole), abs=1e-7)


def test_effective_is_the_published_formula():
    value, _, _ = statistics.effective(K, MU, VARIANCE)
    a, b = MU**2 / VARIANCE + 1.0, MU / VARIANCE
    plain = a * np.log(b) + gammaln(K + a) - gammaln(K + 1) - (K + a) * np.log(1 + b) - gammaln(a)
    np.testing.assert_allclose(value, plain, atol=1e-9)


def test_effective_becomes_poisson():
    value, slope, _ = statistics.effective(K, MU, 1e-9 * MU)
    exact, exact_slope, _ = statistics.poisson(K, MU)
    np.testing.assert_allclose(value, exact, atol=1e-5)
    np.testing.assert_allclose(slope, exact_slope, atol=1e-5)
    assert np.array_equal(statistics.effective(K, MU, np.zeros(5))[0], exact)


@pytest.mark.parametrize("scale", [1e-9, 1e-4, 1.0, 30.0])
def test_a_total_of_one(scale):
    """Probabilities of all counts sum to 1."""
    k = np.arange(4000.0)
    for kind in ("poisson", "effective"):
        value, _, _ = statistics.terms(kind, k, np.full(4000, 7.5), np.full(4000, 2.0 * scale))
        assert np.exp(value).sum() == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("kind", statistics.KINDS)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 10.0])
def test_derivatives(kind, scale):
    variance = VARIANCE * scale
    _, by_mu, by_variance = statistics.terms(kind, K, MU, variance)
    h = 1e-5
    for d_mu, d_variance, found in ((h * MU, 0.0, by_mu), (0.0, h * variance, by_variance)):
        up, _, _ = statistics.terms(kind, K, MU + d_mu, variance + d_variance)
        down, _, _ = statistics.terms(kind, K, MU - d_mu, variance - d_variance)
        size = h * (MU if found is by_mu else variance)
        np.testing.assert_allclose(found * size, 0.5 * (up - down), rtol=1e-6, atol=1e-11)


def test_chi2():
    value, _, _ = statistics.chi2(K, MU, VARIANCE)
    np.testing.assert_allclose(value, -0.5 * (K - MU) ** 2 / (MU + VARIANCE))
    value, slope, _ = statistics.chi2(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2))
    assert value.tolist() == [0.0, -np.inf]
    assert slope.tolist() == [0.0, 0.0]


def test_saturated():
    """Poisson's deviance in closed form; 0 for a perfect prediction, of every kind."""
    k, mu = K[1:], MU[1:]
    found = statistics.saturated("poisson", k, mu, np.zeros(4))
    np.testing.assert_allclose(found, 2.0 * (mu - k + k * np.log(k / mu)), atol=1e-9)
    assert statistics.saturated("poisson", np.zeros(1), np.array([0.3]), np.zeros(1)) == pytest.approx([0.6])
    for kind in statistics.KINDS:
        np.testing.assert_allclose(statistics.saturated(kind, mu, mu, 0.1 * mu), 0.0, atol=1e-9)


def test_unknown_kind():
    with pytest.raises(InputError, match="allowed: poisson, effective, chi2"):
        statistics.terms("gauss", K, MU, VARIANCE)
