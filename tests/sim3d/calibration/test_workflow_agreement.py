"""chi2 of fresh runs about a linear prediction: its mean and width, from errors of few groups that points share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim3d.calibration.fit import FittedSet
from sim3d.calibration.predictions import Response, squared_correlations
from sim3d.calibration.workflow import linear_agreement
from sim3d.scoring.exact_sums import N_GROUPS

POINTS, TRIALS, NOISE = 20, 1500, 0.03


def fitted(values, covariance, centre=0.0):
    response = Response(
        "mine", ("pi+@31",), values, np.full((POINTS, 1), 0.5), covariance, np.zeros((POINTS, 0)),
    )  # fmt: skip
    return FittedSet(response, np.array([centre]), values, np.eye(POINTS), (), (("all", POINTS),))


def run(rng, root, prediction):
    """Values of a run and their covariance by groups of batches."""
    groups = NOISE * np.sqrt(N_GROUPS) * rng.normal(size=(N_GROUPS, POINTS)) @ root.T
    return prediction * np.exp(groups.mean(axis=0)), np.cov(groups.T) / N_GROUPS


@pytest.mark.parametrize("shared", [0.0, 0.9])
def test_mean_and_width(shared):
    """Whether points share primaries or not, chi2 has the number of points as its mean, and the width stated."""
    rng = np.random.default_rng(11)
    true = np.where(np.eye(POINTS, dtype=bool), 1.0, shared)
    root = np.linalg.cholesky(true)
    prediction = np.geomspace(1.0, 0.1, POINTS)
    found = []
    for _ in range(TRIALS):
        old = fitted(*run(rng, root, prediction))
        values, covariance = run(rng, root, prediction * np.exp(0.5 * 0.2))
        found.append(linear_agreement(old, fitted(values, covariance, 0.2)))
    chi2, variance = np.array(found).T
    error = chi2.std() / np.sqrt(TRIALS)
    assert abs(chi2.mean() - POINTS) < 3.5 * error + 0.01 * POINTS
    # what points share makes the sum of squares up to n times as variable
    expected = 2.0 * np.sum(true**2)
    assert variance.mean() == pytest.approx(chi2.var(), rel=0.2)
    assert chi2.var() == pytest.approx(expected, rel=0.3)


def test_a_prediction_that_is_wrong_is_seen():
    rng = np.random.default_rng(12)
    prediction = np.geomspace(1.0, 0.1, POINTS)
    old = fitted(*run(rng, np.eye(POINTS), prediction))
    new = fitted(*run(rng, np.eye(POINTS), 1.2 * prediction))
    chi2, variance = linear_agreement(old, new)
    assert chi2 - POINTS > 5.0 * np.sqrt(variance)


def test_the_run_itself_is_compared():
    """With the cascade equations the prediction is smooth; what is compared are the run's own values and errors."""
    rng = np.random.default_rng(13)
    prediction = np.ones(POINTS)
    old, new = (fitted(*run(rng, np.eye(POINTS), prediction)) for _ in range(2))
    values, covariance = run(rng, np.eye(POINTS), prediction)
    corrected = replace(new, response=replace(new.response, simulated=(values, covariance)))
    assert linear_agreement(old, corrected) == linear_agreement(old, fitted(values, covariance))


def test_squared_correlations_of_few_samples():
    rng = np.random.default_rng(14)
    independent = [squared_correlations(np.cov(rng.normal(size=(N_GROUPS, 40)).T), N_GROUPS) for _ in range(200)]
    # without the correction 40 + 40 * 39 / 23 = 108
    assert np.mean(independent) == pytest.approx(40.0, abs=5.0)
    assert squared_correlations(np.ones((5, 5)), N_GROUPS) == pytest.approx(25.0)
