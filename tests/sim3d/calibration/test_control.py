"""Cascade equations corrected by a simulation: the smooth ratio, its statistics, and a whole response."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim3d.calibration.control import CascadePoints, smooth_factors
from sim3d.calibration.measurements import load_measurement
from sim3d.calibration.predictions import cascade_response, response
from tests.sim3d.calibration.test_predictions import NAMES, flux, muons


def truth(measurement):
    """The power laws of the pretended run at the points, with slopes 1 and 0.3 for both charges."""
    p = np.concatenate([each.at_GeV for each in measurement.points])
    charges = np.array([flux(q, p) for q in (0, 1)])
    slopes = np.broadcast_to(np.array([0.3, 1.0]), (2, len(p), 2))
    return p, CascadePoints(charges, 0.98 * charges, slopes)


def test_three_terms_below_five_gev_and_one_above():
    p = np.geomspace(0.6, 400.0, 60)
    variance = 1e-4 * p**0.5
    low = smooth_factors(np.ones(60), variance, p)
    assert np.linalg.matrix_rank(low) == 3
    np.testing.assert_allclose(low @ (1.0 - 0.05 / p + 0.02 / p**2), 1.0 - 0.05 / p + 0.02 / p**2, rtol=1e-10)
    high = smooth_factors(np.ones(40), variance[20:], p[20:] + 5.0)
    assert np.linalg.matrix_rank(high) == 1


def test_weights_do_not_follow_the_noise_of_single_points():
    """A run whose points have variances that follow their values: weights by point would be 1% low."""
    rng = np.random.default_rng(3)
    p, means = np.geomspace(6.0, 400.0, 60), []
    for _ in range(300):
        values = rng.gamma(25.0, 1 / 25.0, size=60)
        means.append(float((smooth_factors(values, values / 25.0, p) @ values)[0]))
    assert abs(np.mean(means) - 1.0) < 3.5 * np.std(means) / np.sqrt(300) + 0.003


def test_a_response_is_the_cascade_times_the_smooth_ratio():
    measurement, run = muons("bess-tev", noise=0.05)
    p, points = truth(measurement)
    n = len(measurement.points[0].value)
    own, found = response(measurement, run, NAMES), response(measurement, run, NAMES, points)
    np.testing.assert_allclose(found.values[:n], points.charges[:, :n].sum(axis=0), rtol=0.02)
    np.testing.assert_allclose(found.slopes[:n], [[0.3, 1.0]] * n, rtol=1e-9)
    np.testing.assert_allclose(found.slopes[n:], 0.0, atol=1e-9)
    # the run's own values are kept, and have larger errors
    np.testing.assert_allclose(found.simulated[0], own.values, rtol=1e-12)
    errors = np.sqrt(np.diag(found.simulated[1]))
    np.testing.assert_allclose(errors, np.sqrt(np.diag(own.covariance)))
    assert np.median(np.sqrt(np.diag(found.covariance)) / errors) < 0.6
    # a cascade that is 5% low everywhere, and 10% at 1 GeV/c: the simulation decides
    wrong = replace(points, charges=points.charges * (0.95 - 0.05 / p))
    np.testing.assert_allclose(response(measurement, run, NAMES, wrong).values, found.values, rtol=0.003)


def test_depth_comes_from_the_cascade():
    measurement, run = muons("caprice94", levels=2)
    _, points = truth(measurement)
    k = [one.name for one in measurement.table.nuisances].index("depth")
    found = response(measurement, run, NAMES, points)
    n = len(measurement.points[0].value)
    # the pretended run has its levels 0.2 km apart: 24 g/cm2, and 5 g/cm2 are one standard deviation
    np.testing.assert_allclose(found.nuisances[:n, k], 5.0 * -np.log(0.98) / 24.0, rtol=1e-6)


@pytest.mark.parametrize("name", ["bess-tev", "l3c", "minos"])
def test_the_cascade_alone_has_the_nuisances_of_a_run(name):
    measurement, run = muons(name)
    _, points = truth(measurement)
    alone, whole = cascade_response(measurement, points, NAMES), response(measurement, run, NAMES, points)
    # the first bin of BESS-TeV lies at the edge of the run's, where the index of its spectrum is one-sided
    np.testing.assert_allclose(alone.values, whole.values, rtol=8e-3 if name == "bess-tev" else 5e-3)
    assert not alone.covariance.any()
    names = [one.name for one in measurement.table.nuisances]
    keep = [k for k, one in enumerate(names) if one != "sun"]
    np.testing.assert_allclose(alone.nuisances[:, keep], whole.nuisances[:, keep], rtol=0.02, atol=1e-5)


def test_measurements_that_ship_have_points_where_one_dimension_holds():
    for name in ("cms", "minos", "opera", "l3c"):
        assert min(each.at_GeV.min() for each in load_measurement(name).points) > 5.0
