"""Closure of a fit of real size: all parameters of a calibration, with the derivatives of the cascade equations.

tests/data/cascade_slopes.npz has what scripts/calibration/error_forecast.py computes: fluxes of numu and nue at 8
energies and of vertical mu+ and mu- at 40 momenta, and the derivatives of their logarithms by all parameters.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from sim3d.calibration.fit import Chi2, FittedSet, fit, gauss_newton, left_out, toys
from sim3d.calibration.predictions import Response
from sim3d.calibration.priors import prior_covariance

FILE = Path(__file__).parents[2] / "data" / "cascade_slopes.npz"
N = 40
P = np.geomspace(0.7, 3000.0, N)


@pytest.fixture(scope="module")
def slopes():
    with np.load(FILE) as data:
        return data["fluxes"].astype(float), data["slopes"].astype(float), tuple(data["names"].tolist())


def measurement(slopes, name, part, error):
    """Fluxes and charge ratios of a range of momenta, with a norm and a momentum offset."""
    fluxes, all_slopes, names = slopes
    plus, minus = fluxes[-2 * N : -N][part], fluxes[-N:][part]
    d_plus, d_minus = all_slopes[-2 * N : -N][part], all_slopes[-N:][part]
    share = (plus / (plus + minus))[:, None]
    values = np.concatenate([plus + minus, plus / minus])
    d = np.concatenate([share * d_plus + (1.0 - share) * d_minus, d_plus - d_minus])
    p, n = P[part], len(plus)
    shapes = np.zeros((2 * n, 2))
    shapes[:n, 0], shapes[:n, 1] = 0.022, -0.6 / p
    of_run = 0.005**2 * (0.7 * np.eye(2 * n) + 0.3)
    response = Response(name, names, values, d, of_run, shapes)
    errors = np.diag((error * values) ** 2)
    observables = (("flux", n), ("ratio", n))
    return FittedSet(response, np.zeros(len(names)), values.copy(), errors, ("norm", "offset"), observables)


@pytest.fixture(scope="module")
def sets(slopes):
    return [
        measurement(slopes, "low", slice(0, 25), 0.025),
        measurement(slopes, "high", slice(15, 34), 0.02),
        measurement(slopes, "far", slice(25, 40), 0.04),
    ]


def test_asimov_data_of_shifted_parameters_give_them_back(sets, slopes):
    names = slopes[2]
    prior = prior_covariance(names)
    rng = np.random.default_rng(5)
    truth = np.linalg.cholesky(prior) @ rng.normal(size=len(names))
    shifts = {one.name: rng.normal(size=2) for one in sets}
    moved = [
        replace(
            one,
            data=one.response.values * np.exp(one.response.slopes @ truth + one.response.nuisances @ shifts[one.name]),
        )
        for one in sets
    ]
    chi2 = Chi2(moved, prior, truth, shifts)
    x = gauss_newton(chi2)
    np.testing.assert_allclose(x[: len(names)], truth / chi2.sigma, atol=1e-8)
    assert chi2(x) < 1e-12


def test_a_thousand_toys_of_real_size(sets, slopes):
    """Data, prior centres and nuisances thrown, from a seed fixed beforehand: mean and width of every pull."""
    number = 1000
    pulls, chi2 = toys(sets, prior_covariance(slopes[2]), number, seed=20260101)
    mean, width = pulls.mean(axis=0), pulls.std(axis=0, ddof=1)
    assert np.all(np.abs(mean) < 3.5 / np.sqrt(number)), np.abs(mean).max() * np.sqrt(number)
    assert np.all(np.abs(width - 1.0) < 3.5 / np.sqrt(2.0 * (number - 1))), width
    points = sum(len(one.data) for one in sets)
    assert abs(chi2.mean() - points) < 3.5 * np.sqrt(2.0 * points / number)


def test_a_set_left_out_moves_neutrinos_within_their_errors(sets, slopes):
    """Consistent data: fluxes move by a part of the error that the fit without the set has."""
    _, all_slopes, names = slopes
    prior = prior_covariance(names)
    rng = np.random.default_rng(6)
    thrown = [
        replace(
            one,
            data=one.data * (1.0 + np.sqrt(np.diag(one.total_covariance)) / one.data * rng.normal(size=len(one.data))),
        )
        for one in sets
    ]
    whole = fit(thrown, names, prior)
    neutrinos = all_slopes[:16] * whole.sigma
    for values, covariance in left_out(thrown, whole).values():
        moved = neutrinos @ (values - whole.values)
        error = np.sqrt(np.einsum("ni,ij,nj->n", neutrinos, covariance, neutrinos))
        assert np.all(np.abs(moved) < 2.0 * error)
        fitted = np.sqrt(np.einsum("ni,ij,nj->n", neutrinos, whole.covariance, neutrinos))
        assert np.all(fitted < error * 1.001)
