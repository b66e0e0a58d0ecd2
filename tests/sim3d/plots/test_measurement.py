"""Figures of a measurement: pulls in closed form, what is drawn, and what is refused."""

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.measurement.binning import Binning, Counts, category_axis, log_axis
from sim3d.measurement.fit import Likelihood, fit
from sim3d.measurement.model import Component, Model
from sim3d.measurement.parameters import Parameter, Prior
from sim3d.measurement.samples import Sample
from sim3d.plots import style
from sim3d.plots.measurement import data_over_expectation, nuisances, profiles, pulls


@pytest.fixture(scope="module")
def result():
    rng = np.random.default_rng(2)
    energy = 10 ** rng.uniform(1, 3, 2000)
    sample = Sample({"energy": energy, "kind": rng.choice(["track", "cascade"], 2000)})
    steep = Component("steep", sample, 0.1 * (energy / 100) ** -1.0, (Parameter("a", 1.0),), ("a",))
    flat = Component("flat", sample, np.full(2000, 0.05), (Parameter("b", 1.0),), ("b",))
    binning = Binning(log_axis("energy", 10.0, 1000.0, 8), category_axis("kind", ["track", "cascade"]))
    model = Model(binning, [steep, flat], [Prior.of("b", 1.0, 0.1)])
    counts = rng.poisson(model.expectation().values).astype(float)
    return fit(Likelihood(model, Counts(binning, counts, {"energy": (3.0, 4.0)}, 7.0)))


def test_pulls():
    found = pulls(np.array([12.0, 0.0, 3.0]), np.array([9.0, 0.0, 4.0]), np.array([0.0, 0.0, 12.0]))
    assert found.tolist() == [1.0, 0.0, -0.25]


@pytest.mark.parametrize("axis", ["energy", "kind"])
def test_data_over_expectation(result, axis):
    """Points are the data, the lower panel their pulls; the components' names are in the legend."""
    figure = data_over_expectation(result, axis)
    upper, lower = figure.axes
    binning = result.likelihood.model.binning
    counts = binning.project(result.likelihood.counts, axis)
    points = next(line for line in upper.lines if line.get_marker() == "o")
    assert points.get_ydata() == pytest.approx(counts)
    found = result.expectation
    total, variance = binning.project(found.values, axis), binning.project(found.variance, axis)
    drawn = next(line for line in lower.lines if line.get_marker() == "o")
    assert drawn.get_ydata() == pytest.approx((counts - total) / np.sqrt(total + variance))
    assert {"steep", "flat", "data"} <= {text.get_text() for text in upper.get_legend().get_texts()}
    (below,) = [text for text in figure.texts if text.get_gid() == style.CONTEXT_GID]
    assert below.get_text().startswith("7 more events of the data lie outside the bins")
    assert lower.get_xscale() == ("log" if axis == "energy" else "linear")


def test_profiles_and_nuisances(result):
    figure = profiles(result, ["a", "b"], points=5)
    assert [ax.get_xlabel() for ax in figure.axes] == ["a", "b"]
    at, rise = figure.axes[0].lines[0].get_data()
    assert at[np.argmin(rise)] == pytest.approx(result.values["a"], abs=result.errors["a"])
    drawn = nuisances(result).axes[0].lines[0].get_xdata()
    assert drawn == pytest.approx([(result.values["b"] - 1.0) / 0.1])


def test_what_is_refused(result):
    with pytest.raises(InputError, match="names: give one parameter or more"):
        profiles(result, [])
    with pytest.raises(InputError, match="axis: 'x', allowed: energy, kind"):
        data_over_expectation(result, "x")
