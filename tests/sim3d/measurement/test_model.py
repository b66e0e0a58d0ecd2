"""Expectations against sums by hand, variances of whole weights, derivatives against finite differences."""

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.measurement.binning import Binning, Counts, log_axis
from sim3d.measurement.fit import Likelihood
from sim3d.measurement.model import Component, Model, Slopes
from sim3d.measurement.oscillations import UserFactor
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample

AT = {"N_air": 1.3, "N_far": 0.6, "gamma": 2.2, "tilt": 0.15, "a": 0.4, "b": -1.1, "c": 0.7, "N_noise": 1.1}


def test_expectation_and_variance_by_hand(toy):
    found = toy.model.expectation(AT)
    bins, inside = toy.binning.place(toy.sample).index, toy.binning.place(toy.sample).inside
    names, matrix = toy.model.bin_slopes["air"]
    assert names == toy.names
    scale = np.exp(matrix @ [AT[name] for name in names])
    air = AT["N_air"] * toy.air.weights * np.exp(-AT["tilt"] * toy.x)
    far = AT["N_far"] * toy.far.weights * np.exp(-(AT["gamma"] - 2.5) * toy.x)
    whole = np.where(inside, air * scale[bins] + far, 0.0)
    other = toy.binning.place(toy.other)
    noise = 1.1 * 0.004 * np.bincount(other.index[other.inside], minlength=12)
    expected = np.bincount(bins[inside], whole[inside], 12) + noise
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)
    # one event has one weight, the sum of its components
    squares = np.bincount(bins[inside], whole[inside] ** 2, 12) + noise * 1.1 * 0.004
    np.testing.assert_allclose(found.variance, squares, rtol=1e-12)
    np.testing.assert_allclose(sum(found.components.values()), found.values)
    assert np.array_equal(toy.model.events, np.bincount(bins[inside], minlength=12) + np.rint(noise / 0.0044))


def test_bin_slopes_are_weighted_means(toy):
    place = toy.binning.place(toy.sample)
    for b in (0, 5, 11):
        here = place.index == b
        expected = np.average(toy.slopes[here], axis=0, weights=toy.air.weights[here])
        np.testing.assert_allclose(toy.model.bin_slopes["air"][1][b], expected, rtol=1e-12)


def test_derivatives_are_finite_differences(toy):
    model = toy.model
    x = model.parameters.array(AT)
    found = model.expectation(x)
    for i, name in enumerate(model.parameters.names):
        step = 1e-5 * np.eye(len(x))[i]
        up, down = model.expectation(x + step), model.expectation(x - step)
        for exact, one, two in (
            (found.derivatives[i], up.values, down.values),
            (found.variance_derivatives[i], up.variance, down.variance),
        ):
            numeric = (one - two) / 2e-5
            np.testing.assert_allclose(exact, numeric, rtol=1e-6, atol=1e-6 * np.abs(exact).max(), err_msg=name)


def test_nuisances_of_bins_against_events(toy):
    """Averaged derivatives against exact weights of events: two standard deviations change 0.05% of a bin at most."""
    exact = Component(
        "air", toy.sample, toy.air.weights, toy.air.parameters, ("N_air",),
        {"tilt": -toy.x, **dict(zip(toy.names, toy.slopes.T, strict=True))}, None, None, toy.air.priors,
    )  # fmt: skip
    model = Model(toy.binning, (exact,), (Prior.of("tilt", 0.0, 0.1),))
    averaged = Model(toy.binning, (toy.air,), (Prior.of("tilt", 0.0, 0.1),))
    for values in ({"a": 2.0}, {"b": -2.0}, {"c": 2.0}):
        one, two = model.expectation(values).values, averaged.expectation(values).values
        assert np.max(np.abs(two / one - 1.0)) < 2e-3
        # the leading term: half the variance of the derivative in the bin, times the square of the value
        name, value = next(iter(values.items()))
        place = toy.binning.place(toy.sample)
        slope = toy.slopes[:, toy.names.index(name)]
        for b in range(12):
            here = place.index == b
            mean = np.average(slope[here], weights=toy.air.weights[here])
            spread = np.average((slope[here] - mean) ** 2, weights=toy.air.weights[here])
            assert one[b] / two[b] - 1.0 == pytest.approx(0.5 * spread * value**2, rel=0.1, abs=1e-7)


def test_recentre(toy):
    model = Model(toy.binning, (toy.air,), (Prior.of("tilt", 0.0, 0.1),))
    before = model.bin_slopes["air"][1].copy()
    model.recentre({"tilt": 0.5})
    weights = toy.air.weights * np.exp(-0.5 * toy.x)
    here = toy.binning.place(toy.sample).index == 3
    assert not np.allclose(before, model.bin_slopes["air"][1])
    np.testing.assert_allclose(
        model.bin_slopes["air"][1][3], np.average(toy.slopes[here], axis=0, weights=weights[here])
    )


def test_one_bin_and_no_weight():
    """One bin, a power law: norm and index in closed form. Weights of zero and no events give zero."""
    energy = np.geomspace(10.0, 1000.0, 50)
    sample = Sample({"e": energy}, {"energy_GeV": "e"})
    x = np.log(energy / 100.0)
    part = Component("p", sample, np.ones(50), (Parameter("n", 1.0), Parameter("g", 2.0)), ("n",), {"g": -x})
    model = Model(Binning(log_axis("e", 1.0, 1e4, 1)), [part])
    found = model.expectation({"n": 3.0, "g": 2.7})
    assert found.values == pytest.approx([3.0 * np.sum((energy / 100.0) ** -0.7)], rel=1e-12)
    assert found.variance == pytest.approx([9.0 * np.sum((energy / 100.0) ** -1.4)], rel=1e-12)
    nothing = Model(Binning(log_axis("e", 1.0, 1e4, 2)), [Component("p", sample, np.zeros(50))])
    assert not nothing.expectation().values.any()
    nobody = Sample({"e": np.zeros(0)})
    assert (
        not Model(Binning(log_axis("e", 1.0, 1e4, 2)), [Component("p", nobody, np.zeros(0))]).expectation().values.any()
    )


def test_a_norm_of_zero(toy):
    """The derivative by a norm does not divide by it."""
    found = toy.model.expectation({"N_far": 0.0})
    i = toy.model.parameters.names.index("N_far")
    np.testing.assert_allclose(found.derivatives[i], toy.model.expectation().components["far"])


def test_outside_is_said(toy):
    words = toy.model.describe_outside()
    where = toy.binning.place(toy.sample)
    assert f"air: {toy.air.weights[~where.inside].sum():.4g} outside the bins (seen" in words
    assert "noise:" in words


def test_what_is_refused(toy):
    with pytest.raises(InputError, match="component c: \\(3,\\) weights for 4000 events"):
        Component("c", toy.sample, np.zeros(3))
    weights = np.zeros(4000)
    weights[7] = -1.0
    with pytest.raises(InputError, match=r"component c: weight of row 8: -1\.0, allowed: 0 or more, finite"):
        Component("c", toy.sample, weights)
    with pytest.raises(InputError, match="each with a name of its own"):
        Model(toy.binning, [toy.far, toy.far])
    with pytest.raises(InputError, match="parameter: 'x', allowed: N_far, gamma"):
        Model(toy.binning, [toy.far], parameters=[Parameter("x", 1.0)])


def one(sample, n=4000, **given):
    return Component("c", sample, np.ones(n), **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"norms": ("n",)}, "component c: 'n' is none of its parameters"),
        ({"exponents": {"g": np.ones(4000)}}, "component c: 'g' is none of its parameters"),
        ({"parameters": (Parameter("g", 1.0),), "exponents": {"g": np.ones(3)}}, "component c: the exponents of 'g'"),
        (
            {"parameters": (Parameter("g", 1.0),), "exponents": {"g": np.full(4000, np.nan)}},
            "component c: the exponents of 'g'",
        ),
    ],
)
def test_components_that_are_refused(toy, given, message):
    with pytest.raises(InputError) as caught:
        one(toy.sample, **given)
    assert str(caught.value).startswith(message)


def test_factors_and_slopes_that_do_not_fit_the_events(toy):
    factor = UserFactor([Parameter("q", 1.0)], lambda values: np.ones(3))
    with pytest.raises(InputError, match=r"component c: its factor gives \(3,\) numbers"):
        Model(toy.binning, [one(toy.sample, factor=factor)]).expectation()
    nuisance = (Parameter("v", 0.0),)
    for found in (np.ones((3, 1)), np.full((4000, 1), np.nan)):
        slopes = Slopes(("v",), lambda rows, found=found: found)
        with pytest.raises(InputError, match="component c: needs finite derivatives by 1 nuisances"):
            Model(toy.binning, [one(toy.sample, parameters=nuisance, slopes=slopes)])
    with pytest.raises(InputError, match=r"expectation: \(2,\) values for"):
        toy.model.expectation(np.ones(2))


def test_events_of_weight_zero_are_none(toy):
    """A bin whose events weigh nothing in every component is a bin without simulated events."""
    placed = toy.binning.place(toy.sample)
    weights = np.where(placed.index == 2, 0.0, 1.0)
    model = Model(toy.binning, [Component("c", toy.sample, weights)])
    assert model.events[2] == 0
    np.testing.assert_array_equal(
        np.delete(model.events, 2), np.delete(np.bincount(placed.index[placed.inside], minlength=12), 2)
    )
    with pytest.raises(InputError, match="1 bins have events but no simulated event"):
        Likelihood(model, Counts(toy.binning, np.ones(12), {}))
