"""Predictions in the terms of a measurement: power laws in closed form, nuisances, priors, few samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim3d.calibration.measurements import load_measurement
from sim3d.calibration.predictions import response, shrunk
from sim3d.calibration.priors import DEFAULT, SIGMAS, prior_covariance
from sim3d.config.parameters import PARAMETERS
from sim3d.errors import InputError
from sim3d.results.muon_gradients import MuonGradients
from sim3d.scoring.exact_sums import N_GROUPS

GAMMA = {"mu+": 2.9, "mu-": 3.0}
NAMES = ("pi+@31", "primary:p:norm")


def muons(name, noise=0.0, levels=1):
    """A run whose fluxes are 30 p^-2.9 and 25 p^-3.0, with d ln(flux) / d(pi+@31) = 0.5 and 0.2 + 0.1 ln(p)."""
    measurement = load_measurement(name)
    low, high = measurement.momentum_GeV
    n = round(20 * math.log10(high / low))
    p = np.geomspace(low / 1.03, high * 1.03, n + 1)
    c = np.array(measurement.cos_edges)
    whole = np.zeros((levels, 2, n, len(c) - 1, 3))
    for q, (norm, gamma) in enumerate(zip((30.0, 25.0), GAMMA.values(), strict=True)):
        integral = norm * (p[:-1] ** (1 - gamma) - p[1:] ** (1 - gamma)) / (gamma - 1)
        middle = np.sqrt(p[1:] * p[:-1])
        slope = 0.5 if q == 0 else 0.2 + 0.1 * np.log(middle)
        for k, factor in enumerate((1.0, slope, 1.0)):
            whole[:, q, :, :, k] = (integral * factor)[:, None] * 2 * math.pi * np.diff(c)
    scatter = 1.0 + noise * np.random.default_rng(5).normal(size=(N_GROUPS, *whole.shape[:-1], 1))
    altitudes = np.array([0.56, 0.36])[-levels:] if levels == 2 else np.array([0.03])
    weights = np.ones(N_GROUPS, dtype=int)
    return measurement, MuonGradients(name, altitudes, p, c, ("flux", *NAMES), whole * scatter, weights)


def flux(q, p):
    return (30.0, 25.0)[q] * p ** -list(GAMMA.values())[q]


def test_bins_and_momenta_of_power_laws():
    measurement, run = muons("bess-tev")
    found = response(measurement, run, NAMES)
    points = measurement.points[0]
    expected = np.zeros((2, len(points.value)))
    for q, (norm, gamma) in enumerate(zip((30.0, 25.0), GAMMA.values(), strict=True)):
        integral = norm * (points.low_GeV ** (1 - gamma) - points.high_GeV ** (1 - gamma)) / (gamma - 1)
        expected[q] = integral / (points.high_GeV - points.low_GeV)
    n = len(points.value)
    np.testing.assert_allclose(found.values[:n], expected.sum(axis=0), rtol=1e-3)
    np.testing.assert_allclose(found.values[n:], expected[0] / expected[1], rtol=3e-3)
    np.testing.assert_allclose(found.slopes[:, 1], [1.0] * n + [0.0] * n, atol=1e-12)
    of_ratio = 0.5 - 0.2 - 0.1 * np.log(points.at_GeV)
    np.testing.assert_allclose(found.slopes[n:, 0], of_ratio, atol=0.02)


def test_values_at_momenta():
    measurement, run = muons("l3c")
    found = response(measurement, run, NAMES)
    p = measurement.points[0].at_GeV
    np.testing.assert_allclose(found.values[: len(p)], flux(0, p) + flux(1, p), rtol=5e-3)


def test_nuisances_are_what_they_say():
    measurement, run = muons("l3c")
    found = response(measurement, run, NAMES)
    names = [one.name for one in measurement.table.nuisances]
    p, n = measurement.points[0].at_GeV, len(measurement.points[0].value)
    share = flux(0, p) / (flux(0, p) + flux(1, p))
    index = -2.9 * share - 3.0 * (1 - share)

    def column(name):
        return found.nuisances[:, names.index(name)]

    np.testing.assert_allclose(column("norm"), [0.021] * n + [0.0] * (len(found.values) - n))
    np.testing.assert_allclose(column("energy-loss")[:n], 0.34 * index / p, rtol=1e-2)
    np.testing.assert_allclose(column("curvature")[:n], 2.8e-5 * (index + 2.0) * p, rtol=2e-2)
    at = measurement.points[1].at_GeV
    np.testing.assert_allclose(column("alignment")[n:], 6.0e-5 * -1.9 * at, rtol=2e-2)
    assert not column("alignment")[:n].any()

    def shifted(kappa, p, q):
        """Flux in measured momenta p, where 1 / p is 1 / (true momentum) + kappa."""
        true = p / (1.0 - kappa * p)
        return flux(q, true) * (true / p) ** 2

    low = p < 400.0
    both = np.log(sum(shifted(2.8e-5, p, q) for q in (0, 1)) / (flux(0, p) + flux(1, p)))
    np.testing.assert_allclose(column("curvature")[:n][low], both[low], rtol=3e-2)
    ratio = np.log(shifted(6e-6, at, 0) / flux(0, at) * flux(1, at) / shifted(-6e-6, at, 1))
    np.testing.assert_allclose(0.1 * column("alignment")[n:], ratio, rtol=3e-2)
    # a level 200 m higher has the same flux here: no dependence on depth
    measurement, run = muons("caprice94", levels=2)
    found = response(measurement, run, NAMES)
    depth = [one.name for one in measurement.table.nuisances].index("depth")
    np.testing.assert_allclose(found.nuisances[:, depth], 0.0, atol=1e-12)


def test_the_statistical_error_of_the_simulation():
    measurement, run = muons("cms", noise=0.05)
    found = response(measurement, run, NAMES)
    error = np.sqrt(np.diag(found.covariance))
    # windows of 1.1: 0.083 decades, 1.7 bins of 1/20; ratio of two independent charges
    expected = 0.05 / np.sqrt(N_GROUPS) * np.sqrt(2.0 / 1.7)
    assert 0.5 * expected < np.median(error) < 1.6 * expected
    assert np.linalg.eigvalsh(found.covariance).min() > 0.0


def test_a_covariance_of_few_samples_is_shrunk():
    rng = np.random.default_rng(2)
    noise = rng.normal(size=(24, 100))
    cov = noise.T @ noise / 23
    kept = shrunk(cov, 24)
    np.testing.assert_allclose(np.diag(kept), np.diag(cov))
    assert np.abs(kept - np.diag(np.diag(kept))).max() < 0.1 * np.abs(cov - np.diag(np.diag(cov))).max()
    assert np.linalg.eigvalsh(kept).min() > 0.3
    common = noise[:, :5] * 0.2 + rng.normal(size=(24, 1))
    cov = common.T @ common / 23
    assert shrunk(cov, 24)[0, 1] > 0.9 * cov[0, 1]


def test_a_run_that_does_not_cover_a_measurement_is_refused():
    measurement, _ = muons("cms")
    _, other = muons("l3c")
    with pytest.raises(InputError, match="does not cover"):
        response(measurement, other, NAMES)


def test_priors():
    matrix = prior_covariance(DEFAULT)
    sigma = dict(zip(DEFAULT, np.sqrt(np.diag(matrix)), strict=True))
    assert np.linalg.eigvalsh(matrix).min() > 0.0
    assert sigma["pi+@31"] == pytest.approx(0.0303, abs=1e-4)
    assert sigma["primary:p@20"] == pytest.approx(np.hypot(0.0068, 0.012))
    assert set(SIGMAS) <= set(PARAMETERS)
    assert set(DEFAULT) <= set(PARAMETERS)
    own = prior_covariance(DEFAULT, {"pi+@31": 0.2})
    i = DEFAULT.index("pi+@31")
    assert own[i, i] == pytest.approx(0.04)
    assert np.count_nonzero(own[i]) == 1
