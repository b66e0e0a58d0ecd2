"""The calibration that ships: its fit is repeated from the file, with the closure that it claims."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from sim3d.calibration.fit import fit, fit_enlarged, left_out, toys
from sim3d.calibration.growth import ALLOWED, closure
from sim3d.calibration.stored_sets import stored_prior, stored_sets
from sim3d.files.calibration_file import read_calibration, shipped_calibrations
from sim3d.results.model_parameters import errors_of_calibration

NAMES = tuple(shipped_calibrations())
SMALL = 20


@pytest.fixture(scope="module", params=NAMES)
def shipped(request):
    return read_calibration(shipped_calibrations()[request.param])


def test_the_fit_is_repeated_from_the_file(shipped):
    found = fit(stored_sets(shipped), shipped.parameters, stored_prior(shipped))
    assert found.chi2_total == pytest.approx(shipped.record["chi2"], abs=1e-3)
    np.testing.assert_allclose(found.values * found.sigma, shipped.values, atol=1e-4 * found.sigma.max())
    assert found.probability > 0.01
    assert max(np.abs(pulls).max() for pulls in found.pulls.values()) < 3.5
    assert np.abs(found.values).max() < 2.5


def test_asimov_data_of_shifted_parameters_give_them_back(shipped):
    prior = stored_prior(shipped)
    sigma = np.sqrt(np.diag(prior))
    truth = shipped.values + 0.5 * sigma * np.where(np.arange(len(sigma)) % 2, 1.0, -1.0)
    sets = [
        replace(one, data=one.response.values * np.exp(one.response.slopes @ (truth - one.centre)))
        for one in stored_sets(shipped)
    ]
    found = fit(sets, shipped.parameters, prior, truth)
    np.testing.assert_allclose(found.values, truth / sigma, atol=1e-6)


def test_a_few_toys(shipped):
    """1,000 are thrown by scripts/calibration/calibration_closure.py; here the mean of all squared pulls is 1."""
    pulls, chi2 = toys(stored_sets(shipped), stored_prior(shipped), SMALL, seed=20260101)
    points = sum(len(one.data) for one in stored_sets(shipped))
    assert abs(chi2.mean() - points) < 3.5 * np.sqrt(2.0 * points / SMALL)
    squares = (pulls**2).mean(axis=1)
    assert abs(squares.mean() - 1.0) < 3.5 * squares.std(ddof=1) / np.sqrt(SMALL)


def test_neutrinos_of_other_truths_lie_in_the_covariance(shipped):
    """Recomputed from the differences in the file, and the fits without one measurement anew."""
    slopes = shipped.arrays["neutrinos/slopes"].reshape(-1, len(shipped.parameters))
    own = shipped.covariance - (shipped.prior - stored_prior(shipped))
    changes = shipped.modes.changes.reshape(len(shipped.modes.names), -1)
    plain = slopes @ own @ slopes.T
    grown = plain + changes.T @ changes
    for one in shipped.record["truths"]:
        found = closure(shipped.arrays[f"truths/{one['name']}"], grown)
        assert found.largest <= 1.0 + 1e-6 if one["left_out"] else found.worst <= ALLOWED * (1.0 + 1e-6)
        # a term is there for each that lies outside without it
        if f"model:{one['name']}" in shipped.modes.names:
            before = closure(shipped.arrays[f"truths/{one['name']}"], plain)
            assert before.largest > 1.0 if one["left_out"] else before.worst > ALLOWED
    sets = stored_sets(shipped)
    whole = fit(sets, shipped.parameters, stored_prior(shipped))
    for name, (values, _) in left_out(sets, whole).items():
        moved = slopes @ ((values - whole.values) * whole.sigma)
        np.testing.assert_allclose(moved, shipped.arrays[f"truths/without-{name}"], atol=2e-4)


def test_its_parameters_and_pseudo_parameters_make_a_covariance(shipped):
    errors = errors_of_calibration(shipped)
    assert errors.names == (*shipped.parameters, *shipped.modes.names)
    assert np.linalg.eigvalsh(errors.covariance).min() > 0.0
    assert np.linalg.eigvalsh(errors.prior).min() > 0.0


def test_the_rule_of_enlarged_sizes_acts_on_published_sizes(shipped):
    """With the published sizes one nuisance lies outside, and its factor is its pull."""
    enlarged = shipped.record["enlarged"]
    sets = []
    for one in stored_sets(shipped):
        factors = [enlarged.get(one.name, {}).get(name, 1.0) for name in one.nuisance_names]
        response = replace(one.response, nuisances=one.response.nuisances / np.array(factors))
        sets.append(replace(one, response=response))
    _, _, again = fit_enlarged(sets, shipped.parameters, stored_prior(shipped), 2.5)
    assert {name: list(factors) for name, factors in again.items()} == {
        name: list(factors) for name, factors in enlarged.items()
    }
    for name, factors in enlarged.items():
        assert again[name] == pytest.approx(factors, rel=1e-3)
