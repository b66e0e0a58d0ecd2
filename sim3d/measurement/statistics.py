"""Logarithms of likelihoods of counts in bins, with derivatives by the expectation and by its Monte Carlo variance.

Poisson: ln L = k ln(mu) - mu - ln Gamma(k + 1).

Effective likelihood for limited simulation (C. A. Arguelles, A. Schneider, T. Yuan, JHEP 06 (2019) 030, the likelihood
L_eff of its section 3; formula from memory)::

    alpha = mu^2 / sigma^2 + 1,  beta = mu / sigma^2
    ln L = alpha ln(beta) + ln Gamma(k + alpha) - ln Gamma(k + 1) - (k + alpha) ln(1 + beta) - ln Gamma(alpha)

with mu the sum of weights and sigma^2 the sum of their squares. For sigma^2 -> 0 it is Poisson's.

chi2: -chi2 / 2 with chi2 = (k - mu)^2 / (mu + sigma^2).
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from scipy.special import digamma, gammaln, xlogy

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError

Kind = Literal["poisson", "effective", "chi2"]
KINDS: tuple[Kind, ...] = ("poisson", "effective", "chi2")

_ALMOST_EXACT = 1e-12
"""sigma^2 / mu below which the effective likelihood is Poisson's to rounding."""

_LARGE = 1e3
"""alpha above which differences of (ln) gamma functions are taken from Stirling's series (next term 1e-14)."""

Terms = tuple[Array, Array, Array]
"""ln L, d ln L / d mu, d ln L / d sigma^2, each (bins,)."""


def poisson(k: Array, mu: Array) -> Terms:
    """Compute Poisson's ln L of each bin.

    Parameters
    ----------
    k, mu : float64 arrays (bins,)
        Counts and expectations. A bin with mu = 0 has ln L = 0 without events, else minus infinity.

    Returns
    -------
    ln L, d ln L / d mu, d ln L / d sigma^2 : float64 arrays (bins,)
        The last is 0. Where mu = 0 and k > 0 the derivative is infinite.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        value = xlogy(k, mu) - mu - gammaln(k + 1.0)
        slope = np.where(k > 0.0, k / mu, 0.0) - 1.0
    return value, slope, np.zeros_like(mu)


def effective(k: Array, mu: Array, variance: Array) -> Terms:
    """Compute the effective ln L of each bin, see the module.

    Parameters
    ----------
    k, mu, variance : float64 arrays (bins,)
        Counts, sums of weights, sums of squared weights.

    Returns
    -------
    ln L, d ln L / d mu, d ln L / d sigma^2 : float64 arrays (bins,)
    """
    value, slope, by_variance = poisson(k, mu)
    limited = (mu > 0.0) & (variance > _ALMOST_EXACT * mu)
    k, mu, variance = k[limited], mu[limited], variance[limited]
    alpha, beta = mu**2 / variance + 1.0, mu / variance
    inverse = variance / mu
    # alpha ln(beta) - alpha ln(1 + beta) = -alpha ln(1 + 1 / beta), without a difference of large numbers
    rising = _gammaln_difference(k, alpha)
    value[limited] = rising - alpha * np.log1p(inverse) - k * np.log1p(beta) - gammaln(k + 1.0)
    by_alpha = _digamma_difference(k, alpha) - np.log1p(inverse)
    # alpha / beta - (k + alpha) / (1 + beta)
    by_beta = (alpha / beta - k) / (1.0 + beta)
    slope[limited] = by_alpha * 2.0 * beta + by_beta / variance
    by_variance[limited] = -by_alpha * beta**2 - by_beta * beta / variance
    return value, slope, by_variance


def chi2(k: Array, mu: Array, variance: Array) -> Terms:
    """Compute -chi2 / 2 of each bin, with the variance mu + sigma^2.

    Parameters
    ----------
    k, mu, variance : float64 arrays (bins,)
        A bin with mu = 0 has 0 without events, else minus infinity.

    Returns
    -------
    -chi2 / 2 and its derivatives : float64 arrays (bins,)
    """
    whole = mu + variance
    with np.errstate(divide="ignore", invalid="ignore"):
        away = k - mu
        good = whole > 0.0
        value = np.where(good, -0.5 * away**2 / whole, np.where(k > 0.0, -np.inf, 0.0))
        by_whole = np.where(good, 0.5 * (away / whole) ** 2, 0.0)
        slope = np.where(good, away / whole, 0.0) + by_whole
    return value, slope, by_whole


def terms(kind: Kind, k: Array, mu: Array, variance: Array) -> Terms:
    """Compute ln L of each bin and its derivatives by the kind's name.

    Parameters
    ----------
    kind : "poisson", "effective" or "chi2"
    k, mu, variance : float64 arrays (bins,)

    Returns
    -------
    ln L, d ln L / d mu, d ln L / d sigma^2 : float64 arrays (bins,)

    Raises
    ------
    InputError
        For another kind.
    """
    if kind == "poisson":
        return poisson(k, mu)
    if kind == "effective":
        return effective(k, mu, variance)
    if kind == "chi2":
        return chi2(k, mu, variance)
    raise InputError("likelihood", kind, ", ".join(KINDS))


def saturated(kind: Kind, k: Array, mu: Array, variance: Array) -> Array:
    """Compute 2 (ln L of a model that predicts the counts themselves - ln L) of each bin.

    Parameters
    ----------
    kind : "poisson", "effective" or "chi2"
    k, mu, variance : float64 arrays (bins,)
        The saturated model has the expectation k; of ``effective`` with the same relative Monte Carlo variance
        sigma^2 / mu^2.

    Returns
    -------
    float64 array (bins,)
        0 or more for Poisson and chi2; distributed about as chi2 where many events are expected.
    """
    relative = np.divide(variance, mu**2, out=np.zeros_like(mu), where=mu > 0.0)
    best, _, _ = terms(kind, k, k, relative * k**2)
    own, _, _ = terms(kind, k, mu, variance)
    return 2.0 * (best - own)


def _gammaln_difference(k: Array, alpha: Array) -> Array:
    """Compute ln Gamma(k + alpha) - ln Gamma(alpha) without loss of digits at large alpha."""
    x = alpha + k
    large = (x - 0.5) * np.log1p(k / alpha) - k + k * np.log(alpha) - k / (12.0 * alpha * x)
    large += (1.0 / alpha**3 - 1.0 / x**3) / 360.0
    return np.asarray(np.where(alpha > _LARGE, large, gammaln(x) - gammaln(alpha)))


def _digamma_difference(k: Array, alpha: Array) -> Array:
    """Compute digamma(k + alpha) - digamma(alpha) without loss of digits at large alpha."""
    x = alpha + k
    large = np.log1p(k / alpha) + 0.5 * k / (alpha * x) + k * (x + alpha) / (12.0 * alpha**2 * x**2)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(alpha > _LARGE, large, digamma(x) - digamma(alpha)))
