"""The Gaussian process of measurement over generator: closed forms, limits, correlations."""

import numpy as np
import pytest

from hadronic.builders.data_ratio import DataRatio, Prior, Ratios, kind_of

PRIORS = dict.fromkeys(("pion", "kaon", "nucleon"), Prior(0.3, 1.0, 1.5))
LN_X = np.log(np.array([0.1]))


def one(secondary="pi+", value=0.2, error=0.05, T=30.0, normalisation=0.0, experiment="A"):
    return Ratios(
        secondary, experiment, np.log(T), LN_X, np.array([value]), np.array([[error**2]]), normalisation
    )  # fmt: skip


def test_one_measurement_is_the_mean_weighted_by_errors():
    """Posterior of a Gaussian prior of width s and one measurement: value s^2 / (s^2 + e^2)."""
    ratio = DataRatio([one()], PRIORS)
    place = ("pi+", np.log(30.0), LN_X)
    weight = 0.3**2 / (0.3**2 + 0.05**2)
    assert ratio.mean(place)[0] == pytest.approx(0.2 * weight)
    assert ratio.covariance([place])[0, 0] == pytest.approx(0.3**2 * (1.0 - weight))


def test_far_away_and_for_other_species_nothing_is_known():
    ratio = DataRatio([one()], PRIORS)
    for place in (("pi+", np.log(30.0), np.log(np.array([1e-5]))), ("pi-", np.log(30.0), LN_X)):
        assert ratio.mean(place)[0] == pytest.approx(0.0, abs=1e-6)
        assert ratio.covariance([place])[0, 0] == pytest.approx(0.09)


def test_it_fades_below_the_measurements():
    ratio = DataRatio([one(T=11.1)], PRIORS)
    means = [ratio.mean(("pi+", np.log(T), LN_X))[0] for T in (1.0, 2.0, 4.0, 11.1)]
    assert means[0] == means[1] == 0.0
    assert 0.0 < means[2] < means[3]
    assert ratio.covariance([("pi+", np.log(2.0), LN_X)])[0, 0] == pytest.approx(0.09)


def test_a_common_normalisation_correlates_species():
    pair = [one(normalisation=0.1), one("pi-", normalisation=0.1)]
    places = [("pi+", np.log(30.0), LN_X), ("pi-", np.log(30.0), LN_X)]
    together = DataRatio(pair, PRIORS).covariance(places)
    assert together[0, 1] > 0.005
    apart = DataRatio([pair[0], one("pi-", normalisation=0.1, experiment="B")], PRIORS).covariance(places)
    assert apart[0, 1] == pytest.approx(0.0, abs=1e-12)
    assert np.linalg.eigvalsh(together).min() > 0.0


def test_the_likelihood_prefers_a_spread_like_the_values():
    data = [one(value=value, T=T) for value, T in ((0.3, 12.0), (-0.3, 3e2), (0.3, 1e4))]
    fits = {s: DataRatio(data, dict.fromkeys(PRIORS, Prior(s, 1.0, 0.5))).log_likelihood() for s in (0.03, 0.3, 3.0)}
    assert max(fits, key=fits.get) == 0.3


def test_kinds():
    assert [kind_of(name) for name in ("pi0", "K0", "p", "n")] == ["pion", "kaon", "nucleon", "nucleon"]
