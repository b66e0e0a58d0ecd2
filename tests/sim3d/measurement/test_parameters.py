"""Parameters, priors, and what is refused."""

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.measurement.parameters import Parameter, ParameterSet, Prior


def test_penalty_in_closed_form():
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    pair, one = Prior.of(("a", "c"), [1.0, 0.0], covariance), Prior.of("b", 3.0, 0.5)
    known = ParameterSet([Parameter("a", 0.0), Parameter("b", 3.0), Parameter("c", 0.0)], [pair, one])
    x = np.array([2.0, 4.0, -1.0])
    away = np.array([1.0, -1.0])
    value, gradient = known.penalty(x)
    assert value == pytest.approx(away @ np.linalg.inv(covariance) @ away + 4.0)
    for i in range(3):
        step = np.eye(3)[i] * 1e-6
        assert gradient[i] == pytest.approx((known.penalty(x + step)[0] - known.penalty(x - step)[0]) / 2e-6, rel=1e-6)
    assert pair.chi2(np.array([2.0, -1.0])) == pytest.approx(away @ np.linalg.inv(covariance) @ away)


def test_thrown_centres_have_the_covariance():
    covariance = np.array([[4.0, 1.0], [1.0, 2.0]])
    known = ParameterSet([Parameter("a", 0.0), Parameter("b", 3.0)], [Prior.of(("b", "a"), [0.0, 0.0], covariance)])
    rng = np.random.default_rng(1)
    thrown = np.array([known.thrown_centres(np.array([5.0, 6.0]), rng)[0] for _ in range(4000)])
    # names of the prior are b, a; 3.5 standard errors
    assert np.all(np.abs(thrown.mean(axis=0) - [6.0, 5.0]) < 3.5 * np.sqrt(np.diag(covariance) / 4000))
    error = np.sqrt((covariance**2 + np.outer(np.diag(covariance), np.diag(covariance))) / 4000)
    assert np.all(np.abs(np.cov(thrown.T) - covariance) < 3.5 * error)
    moved = known.with_centres([np.array([1.0, 2.0])])
    assert moved.penalty(np.array([2.0, 1.0]))[0] == 0.0


def test_what_is_refused():
    one = Parameter("a", 0.0)
    with pytest.raises(InputError, match="'a' is defined twice, differently"):
        ParameterSet([one, Parameter("a", 1.0)])
    with pytest.raises(InputError, match="'b': is no parameter"):
        ParameterSet([one], [Prior.of("b", 0.0, 1.0)])
    with pytest.raises(InputError, match="'a': has two priors"):
        ParameterSet([one], [Prior.of("a", 0.0, 1.0), Prior.of("a", 0.0, 2.0)])
    with pytest.raises(InputError, match="parameter: 'b', allowed: a"):
        ParameterSet([one]).array({"b": 1.0})
    with pytest.raises(InputError, match="a: inf, allowed: a finite number"):
        ParameterSet([one]).array({"a": np.inf})
    with pytest.raises(InputError, match="not positive definite"):
        Prior.of(("a", "b"), [0.0, 0.0], [[1.0, 2.0], [2.0, 1.0]])
    with pytest.raises(InputError, match="not symmetric"):
        Prior.of(("a", "b"), [0.0, 0.0], [[1.0, 0.5], [0.2, 1.0]])
    with pytest.raises(InputError, match="need a centre of 2"):
        Prior.of(("a", "b"), [0.0], np.eye(2))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"value": np.nan}, "parameter n: nan, allowed: -inf to inf"),
        ({"value": -1.0, "low": 0.0}, "parameter n: -1.0, allowed: 0 to inf"),
        ({"value": 1.0, "low": 2.0, "high": 0.0}, "parameter n: 1.0, allowed: 2 to 0"),
        ({"value": 1.0, "step": 0.0}, "parameter n: step: 0.0, allowed: above 0"),
    ],
)
def test_parameters_that_are_refused(given, message):
    with pytest.raises(InputError) as caught:
        Parameter("n", **given)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("names", "centre", "covariance", "message"),
    [
        ("n", np.nan, 1.0, "prior of n: the centre is not finite"),
        ("n", 1.0, -0.5, "prior of n: standard deviation: -0.5, allowed: above 0"),
        (("n", "n"), [1.0, 1.0], np.eye(2), "prior of n, n: a name is there twice"),
    ],
)
def test_priors_that_are_refused(names, centre, covariance, message):
    with pytest.raises(InputError) as caught:
        Prior.of(names, centre, covariance)
    assert str(caught.value) == message
