"""The fit against closed forms: Asimov data exactly, toys with the right width, sets left out, eigenmodes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sim3d.calibration.fit import Chi2, FittedSet, eigenmodes, fit, gauss_newton, left_out, simulation_noise, toys
from sim3d.calibration.predictions import Response

NAMES = ("pi+@31", "pi-@31", "K+@158", "sigma:nucleon")
PRIOR = np.diag([0.03, 0.03, 0.05, 0.03]) ** 2
PRIOR[0, 1] = PRIOR[1, 0] = 0.5 * 0.03**2


def made(name="one", n=12, seed=1, centre=(0.0, 0.0, 0.0, 0.0), nuisances=2):
    """A set with smooth slopes, of 1% errors, and an error of the simulation of 0.3% with correlations."""
    rng = np.random.default_rng(seed)
    x = np.linspace(0.0, 1.0, n)
    values = 10.0 * np.exp(-2.0 * x)
    slopes = np.stack([0.6 - 0.3 * x, 0.4 - 0.3 * x, 0.1 * x, -0.5 + 0.8 * x], axis=1) + 0.1 * rng.normal(size=(n, 4))
    simulation = 0.003**2 * (0.7 * np.eye(n) + 0.3)
    shapes = np.stack([np.full(n, 0.02), 0.03 * x**2], axis=1)[:, :nuisances]
    response = Response(name, NAMES, values, slopes, simulation, shapes)
    names = ("norm", "slope")[:nuisances]
    return FittedSet(response, np.array(centre), values.copy(), np.diag((0.01 * values) ** 2), names, (("flux", n),))


def pseudo(one, truth, nuisances):
    """The set with data that are its prediction for these parameters and nuisances."""
    logs = one.response.slopes @ (truth - one.centre) + one.response.nuisances @ nuisances
    return replace(one, data=one.response.values * np.exp(logs))


def test_asimov_data_give_the_truth_exactly():
    truth = np.array([0.05, -0.04, 0.08, 0.02])
    shifts = {"one": np.array([1.3, -0.7]), "two": np.array([-0.4])}
    sets = [pseudo(made(), truth, shifts["one"])]
    sets.append(pseudo(made("two", 7, 2, (0.02, 0.0, -0.01, 0.0), 1), truth, shifts["two"]))
    found = fit(sets, NAMES, PRIOR, truth, shifts)
    np.testing.assert_allclose(found.values * found.sigma, truth, atol=1e-9)
    assert found.chi2_total < 1e-12
    for name, expected in shifts.items():
        np.testing.assert_allclose(found.nuisances[name][0], expected, atol=1e-8)
    assert found.dof == 19
    assert found.scale == 1.0


def test_without_data_the_prior_comes_back():
    far = made()
    far = replace(far, covariance=far.covariance * 1e12)
    found = fit([far], NAMES, PRIOR)
    np.testing.assert_allclose(found.covariance * np.outer(found.sigma, found.sigma), PRIOR, rtol=1e-4, atol=1e-9)
    share, _ = eigenmodes(found)
    np.testing.assert_allclose(share, 1.0, rtol=1e-4)


def test_the_gradient_is_that_of_chi2():
    sets = [made(), made("two", 7, 2, (0.02, 0.0, -0.01, 0.0), 1)]
    chi2 = Chi2([replace(sets[0], data=1.05 * sets[0].data), sets[1]], PRIOR, np.array([0.01, 0.0, 0.02, 0.0]))
    x = np.random.default_rng(3).normal(size=chi2.size)
    step = 1e-5
    numeric = [(chi2(x + step * e) - chi2(x - step * e)) / (2 * step) for e in np.eye(chi2.size)]
    np.testing.assert_allclose(chi2.gradient(x), numeric, rtol=1e-6, atol=1e-6)


def test_the_covariance_is_that_of_the_linear_problem():
    """Small errors: the covariance of iminuit is the inverse of prior and data, nuisances marginalised."""
    sets = [made()]
    found = fit(sets, NAMES, PRIOR)
    one = sets[0]
    nuisances = one.response.nuisances * one.response.values[:, None]
    total = one.total_covariance + nuisances @ nuisances.T
    jacobian = one.response.slopes * one.response.values[:, None]
    expected = np.linalg.inv(np.linalg.inv(PRIOR) + jacobian.T @ np.linalg.solve(total, jacobian))
    np.testing.assert_allclose(found.covariance * np.outer(found.sigma, found.sigma), expected, rtol=2e-3, atol=1e-9)


def check_toys(number):
    pulls, chi2 = toys([made(), made("two", 7, 2, nuisances=1)], PRIOR, number, seed=20260101)
    mean, width = pulls.mean(axis=0), pulls.std(axis=0, ddof=1)
    assert np.all(np.abs(mean) < 3.5 / np.sqrt(number)), mean
    assert np.all(np.abs(width - 1.0) < 3.5 / np.sqrt(2.0 * (number - 1))), width
    assert abs(chi2.mean() - 19.0) < 3.5 * np.sqrt(2.0 * 19.0 / number)


def test_a_thousand_toys_have_pulls_of_mean_zero_and_width_one():
    check_toys(1000)


def test_the_noise_of_the_simulation_is_the_scatter_of_fits():
    """The same data fitted with predictions that scatter by the simulation's covariance alone."""
    sets = [made(), made("two", 7, 2, nuisances=1)]
    noisy = [replace(one, response=replace(one.response, covariance=9.0 * one.response.covariance)) for one in sets]
    found = fit(noisy, NAMES, PRIOR)
    rng = np.random.default_rng(4)
    values = []
    for _ in range(400):
        thrown = []
        for one in noisy:
            shift = np.linalg.cholesky(one.response.covariance) @ rng.normal(size=len(one.data))
            thrown.append(replace(one, response=replace(one.response, values=one.response.values * np.exp(shift))))
        chi2 = Chi2(thrown, PRIOR)
        values.append(gauss_newton(chi2)[:4])
    scatter = np.std(values, axis=0, ddof=1) / np.sqrt(np.diag(found.covariance))
    np.testing.assert_allclose(simulation_noise(noisy, found), scatter, rtol=3.5 / np.sqrt(2 * 399))


def test_too_small_errors_are_seen_by_the_toys(monkeypatch):
    """The same with data that scatter twice as much as they say: the test above would fail."""
    one = made()
    rng = np.random.default_rng(1)
    wide = [replace(one, data=one.data * (1.0 + 0.06 * rng.normal(size=12))) for _ in range(20)]
    found = [fit([each], NAMES, PRIOR) for each in wide]
    assert np.mean([each.chi2_total for each in found]) > 3 * 12
    assert all(each.scale > 1.0 for each in found)


def test_a_set_left_out_moves_the_fit_by_what_it_pulled():
    truth = np.array([0.03, 0.03, 0.0, 0.0])
    sets = [pseudo(made(), truth, np.zeros(2)), made("two", 7, 2, nuisances=1)]
    whole = fit(sets, NAMES, PRIOR)
    without = left_out(sets, whole)
    assert set(without) == {"one", "two"}
    alone = fit([sets[1]], NAMES, PRIOR)
    np.testing.assert_allclose(without["one"][0], alone.values, atol=1e-8)
    # a set less cannot narrow any parameter
    for _, covariance in without.values():
        assert np.all(np.diag(covariance) >= np.diag(whole.covariance) * (1 - 1e-6))
    assert left_out(sets[:1], fit(sets[:1], NAMES, PRIOR)) == {}
