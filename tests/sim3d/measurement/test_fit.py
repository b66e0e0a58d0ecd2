"""Fits against closed forms, the sum of logarithms written out, profiles, contours, toys and goodness of fit."""

import re

import numpy as np
import pytest
from scipy.special import gammaln

from sim3d.errors import InputError
from sim3d.measurement.binning import Binning, Counts, category_axis, log_axis
from sim3d.measurement.fit import Likelihood, expected_covariance, fit, toys
from sim3d.measurement.model import Component, Model
from sim3d.measurement.oscillations import TwoFlavours
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample


@pytest.fixture
def one_bin():
    """100 simulated events of weight 0.2: an expectation of 20 n."""
    sample = Sample({"k": np.zeros(100)})
    part = Component("p", sample, np.full(100, 0.2), (Parameter("n", 1.0, low=0.0),), ("n",))
    return Model(Binning(category_axis("k", [0])), [part])


@pytest.fixture(scope="module")
def rich(toy):
    """The model of ``toy`` for 30 times its livetime."""
    parts = [
        Component(c.name, c.sample, 30.0 * c.weights, c.parameters, c.norms, c.exponents, None, c.slopes, c.priors)
        for c in toy.model.components
    ]
    return Model(toy.binning, parts, toy.model.parameters.priors[-2:])


def data(model, values):
    return Counts(model.binning, np.asarray(values, dtype=float), {})


def test_the_seeds_formula(toy):
    """Sum of k ln(lambda) - lambda - Gamma(k + 1)."""
    rng = np.random.default_rng(3)
    k = rng.poisson(toy.model.expectation().values).astype(float)
    mu = toy.model.expectation({"gamma": 2.3}).values
    expected = np.sum(k * np.log(mu) - mu - gammaln(k + 1))
    assert Likelihood(toy.model, data(toy.model, k)).ln_likelihood({"gamma": 2.3}) == pytest.approx(expected, rel=1e-12)


def test_one_bin_in_closed_form(one_bin):
    """n = k / 20, error sqrt(k) / 20, MINOS from the rise of the likelihood by 1; with a prior the weighted mean."""
    result = fit(Likelihood(one_bin, data(one_bin, [30.0])), minos=["n"])
    assert result.valid
    assert result.values["n"] == pytest.approx(1.5, abs=1e-3)
    assert result.errors["n"] == pytest.approx(np.sqrt(30.0) / 20.0, rel=5e-4)
    for side in result.minos["n"]:
        mu = 20.0 * (result.values["n"] + side)
        assert 2.0 * (mu - 30.0 - 30.0 * np.log(mu / 30.0)) == pytest.approx(1.0, abs=2e-3)
    none = fit(Likelihood(one_bin, data(one_bin, [0.0])))
    assert none.values["n"] == pytest.approx(0.0, abs=1e-3)
    assert none.minimum == pytest.approx(0.0, abs=1e-6)
    assert none.errors["n"] > 1e-3
    assert "within an error of a limit, where errors say little: n" in str(none)
    assert "limit" not in str(result)


def test_a_prior_pulls():
    """chi2 with a wide expectation is Gaussian: the mean of data and prior weighted with their variances."""
    sample = Sample({"k": np.zeros(10**6)})
    part = Component("p", sample, np.full(10**6, 1.0), (Parameter("n", 1.0),), ("n",))
    model = Model(Binning(category_axis("k", [0])), [part], [Prior.of("n", 1.01, 0.002)])
    result = fit(Likelihood(model, data(model, [1e6])))
    weights = np.array([1e6, 1.0 / 0.002**2])
    assert result.values["n"] == pytest.approx(np.average([1.0, 1.01], weights=weights), abs=2e-5)
    assert result.errors["n"] == pytest.approx(weights.sum() ** -0.5, rel=0.01)


@pytest.mark.parametrize("kind", ["poisson", "effective", "chi2"])
def test_gradient(toy, kind):
    rng = np.random.default_rng(4)
    k = rng.poisson(toy.model.expectation().values).astype(float)
    like = Likelihood(toy.model, data(toy.model, k), kind)
    x = like.parameters.array({"gamma": 2.3, "a": 0.5, "b": 0.3, "tilt": 0.1, "N_air": 1.2})
    gradient = like.gradient(x)
    for i, name in enumerate(like.parameters.names):
        step = 1e-4 * np.eye(len(x))[i]
        # fourth order: rounding and truncation both below 1e-6 of the gradient
        near, far = like(x + step) - like(x - step), like(x + 2 * step) - like(x - 2 * step)
        assert gradient[i] == pytest.approx((8 * near - far) / 12e-4, rel=1e-6, abs=1e-6), name


@pytest.mark.parametrize("kind", ["poisson", "effective", "chi2"])
def test_asimov(toy, kind):
    """The expectation as data gives the parameters back."""
    truth = {"N_air": 1.2, "N_far": 0.8, "gamma": 2.4}
    result = fit(Likelihood(toy.model, toy.model.asimov(truth), kind), tolerance=1e-3)
    assert result.valid
    pull = [abs(result.values[name] - truth.get(name, value)) / result.errors[name] for name, value in
            zip(toy.model.parameters.names, toy.model.parameters.values, strict=True)]  # fmt: skip
    # the mode of the effective likelihood lies a little above k, and chi2's variance grows with mu
    assert max(pull) < (0.01 if kind == "poisson" else 0.2)


def test_profile_and_contour(rich):
    """A fixed parameter, refitted by hand, is a point of the profile; the contour's points rise by their chi2."""
    like = Likelihood(rich, rich.asimov())
    result = fit(like, tolerance=1e-3)
    at, rise = result.profile("gamma", [2.3, 2.5])
    by_hand = fit(like, {"gamma": 2.3}, fixed=["gamma"], tolerance=1e-3)
    assert at.tolist() == [2.3, 2.5]
    assert rise[0] == pytest.approx(by_hand.minimum - result.minimum, abs=1e-3)
    assert rise[1] == pytest.approx(0.0, abs=1e-3)
    line = result.contour("N_far", "gamma", probability=0.68, points=8)
    value = dict(zip(("N_far", "gamma"), line[2], strict=True))
    there = fit(like, value, fixed=["N_far", "gamma"], tolerance=1e-3)
    assert there.minimum - result.minimum == pytest.approx(-2.0 * np.log(0.32), rel=0.02)


def test_goodness_of_fit(rich):
    """Near the number of degrees of freedom for the model's own data, improbable for others."""
    rng = np.random.default_rng(9)
    k = rng.poisson(rich.expectation().values).astype(float)
    statistic, dof, probability = fit(Likelihood(rich, data(rich, k))).goodness()
    assert dof == 12 - 8 + 5
    assert probability > 1e-3
    assert statistic == pytest.approx(dof, abs=4 * np.sqrt(2 * dof))
    odd = fit(Likelihood(rich, data(rich, k[::-1])))
    assert odd.goodness()[2] < 1e-6
    text = str(odd)
    assert "outside the bins" in text
    assert "against the saturated model" in text
    assert "N_far" in text


def test_toys(one_bin):
    """Mean and variance of the fitted norm over toys of one bin: those of Poisson's law."""
    found = np.array([one.values["n"] for one in toys(one_bin, 300, seed=11)])
    assert abs(found.mean() - 1.0) < 3.5 * np.sqrt(20.0) / 20.0 / np.sqrt(300)
    assert found.var(ddof=1) == pytest.approx(1.0 / 20.0, rel=3.5 * np.sqrt(2.0 / 299))
    again = [one.values["n"] for one in toys(one_bin, 3, seed=11)]
    assert again == found[:3].tolist()


def test_what_is_refused(toy, one_bin):
    with pytest.raises(InputError, match="data: has bins other than those of the model"):
        Likelihood(toy.model, data(one_bin, [1.0]))
    with pytest.raises(InputError, match=r"data: bin k 0: -1\.0, allowed: 0 or more"):
        Likelihood(one_bin, data(one_bin, [-1.0]))
    with pytest.raises(InputError, match="likelihood: 'gauss', allowed: poisson"):
        Likelihood(one_bin, data(one_bin, [1.0]), "gauss")
    with pytest.raises(InputError, match="parameter: 'x', allowed: n"):
        fit(Likelihood(one_bin, data(one_bin, [1.0])), fixed=["x"])
    sample = Sample({"e": [2.0]})
    model = Model(Binning(log_axis("e", 1.0, 100.0, 2)), [Component("p", sample, np.ones(1))])
    with pytest.raises(InputError, match="1 bins have events but no simulated event \\(e 10 to 100\\)"):
        Likelihood(model, data(model, [0.0, 1.0]))


def test_expected_covariance(rich, one_bin):
    """In closed form for one bin; the errors of a fit to the expected data; a known parameter narrows the others."""
    names, matrix = expected_covariance(one_bin)
    assert (names, matrix.tolist()) == (("n",), [[pytest.approx(1.0 / 20.0)]])
    names, matrix = expected_covariance(rich)
    result = fit(Likelihood(rich, rich.asimov()), tolerance=1e-3)
    errors = np.sqrt(np.diag(matrix))
    assert errors == pytest.approx([result.errors[name] for name in names], rel=0.05)
    fewer, narrower = expected_covariance(rich, fixed=["gamma", "a"])
    assert set(names) - set(fewer) == {"gamma", "a"}
    for name, error in zip(fewer, np.sqrt(np.diag(narrower)), strict=True):
        assert error <= errors[names.index(name)] * (1 + 1e-9)
    with pytest.raises(InputError, match="parameter: 'x'"):
        expected_covariance(one_bin, fixed=["x"])
    two = (Parameter("n", 1.0), Parameter("m", 1.0))
    free = Component("p", rich.components[0].sample, rich.components[0].weights, two, ("n", "m"))
    with pytest.raises(InputError, match="do not determine all of them"):
        expected_covariance(Model(rich.binning, [free]))


def test_fixed_parameters_have_no_error(rich):
    """Not their first step, and they are no free parameter of the goodness of fit."""
    like = Likelihood(rich, rich.asimov())
    result = fit(like, fixed=["gamma"])
    assert result.errors["gamma"] == 0.0
    assert re.search(r"gamma +2\.5 +fixed", str(result))
    assert result.goodness()[1] == fit(like).goodness()[1] + 1
    everything = fit(like, fixed=list(rich.parameters.names))
    assert set(everything.errors.values()) == {0.0}
    with pytest.raises(InputError, match="minos: parameter 'gamma' is fixed"):
        fit(like, fixed=["gamma"], minos=["gamma"])
    with pytest.raises(InputError, match="parameter 'gamma' is fixed"):
        result.profile("gamma")


def test_what_a_scan_refuses(one_bin):
    like = Likelihood(one_bin, data(one_bin, [20.0]))
    result = fit(like)
    for call, message in (
        (lambda: result.profile("x"), "parameter: 'x', allowed: n"),
        (lambda: result.profile("n", points=1), "points: 1, allowed: 2 or more"),
        (lambda: result.contour("n", "n"), "parameters: 'n' is there twice"),
        (lambda: fit(like, {"n": -1.0}), "parameter n: first value: -1.0, allowed: 0 to inf"),
        (lambda: list(toys(one_bin, -1, 1)), "number of toys: -1, allowed: 0 or more"),
    ):
        with pytest.raises(InputError) as caught:
            call()
        assert str(caught.value) == message


def test_nothing_to_fit(one_bin):
    """Weights of 0 and no data: the likelihood is flat, and the fit says that it is not valid."""
    sample = one_bin.components[0].sample
    part = Component("p", sample, np.zeros(100), (Parameter("n", 1.0, low=0.0),), ("n",))
    nothing = Model(one_bin.binning, [part])
    result = fit(Likelihood(nothing, data(nothing, [0.0])))
    assert (result.minimum, result.valid) == (0.0, False)
    with pytest.raises(InputError, match="no simulated event"):
        Likelihood(nothing, data(nothing, [1.0]))


def test_noise_of_the_simulation_is_no_information(toy):
    """A norm gains none; the derivative by a fast oscillation does, as a small simulation against a large one shows."""
    noise = toy.model.information_noise()
    assert noise == pytest.approx(noise.T)
    assert np.linalg.eigvalsh(noise)[0] > -1e-9 * noise.max()
    rng = np.random.default_rng(8)

    def model(n):
        energy = 10 ** rng.uniform(0.0, 1.0, n)
        sample = Sample(
            {"pdg": np.full(n, 14), "energy_GeV": energy, "seen": energy * np.exp(0.3 * rng.normal(size=n))}
        )
        part = Component(
            "p",
            sample,
            np.full(n, 1e4 / n),
            (Parameter("N", 1.0),),
            ("N",),
            factor=TwoFlavours(sample, np.full(n, 6e3)),
        )
        return Model(Binning(log_axis("seen", 1.0, 10.0, 10)), [part])

    def information(one):
        mu = one.expectation(variance=False)
        return (mu.derivatives / mu.values) @ mu.derivatives.T

    large = model(400_000)
    i = large.parameters.names.index("dm2")
    j = large.parameters.names.index("N")
    exact = (information(large) - large.information_noise())[i, i]
    raw, mended = [], []
    for _ in range(40):
        small = model(2000)
        noise = small.information_noise()
        assert abs(noise[j, j]) < 1e-9 * information(small)[j, j]
        raw.append(information(small)[i, i])
        mended.append(information(small)[i, i] - noise[i, i])
    assert np.mean(raw) > 1.1 * exact
    assert abs(np.mean(mended) - exact) < 3.5 * np.std(mended, ddof=1) / np.sqrt(40)
