"""Bins against NumPy's histogram, the two ends, categories, and what is outside."""

import hist
import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.measurement.binning import Binning, Counts, category_axis, cos_axis, count, log_axis
from sim3d.measurement.samples import Sample


def test_against_numpy():
    """A binning: 20 energies, 10 zeniths, 2 topologies."""
    rng = np.random.default_rng(2)
    energy, cos, kind = 10 ** rng.uniform(4.5, 7.2, 5000), rng.uniform(-1, 1, 5000), rng.integers(0, 2, 5000)
    sample = Sample({"energy": energy, "cos": cos, "topology": kind})
    binning = Binning(log_axis("energy", 60e3, 1e7, 20), cos_axis("cos", 10), category_axis("topology", [0, 1]))
    found = count(sample, binning)
    edges = [np.logspace(np.log10(60e3), 7, 21), np.linspace(-1, 1, 11), np.linspace(0, 2, 3)]
    expected, _ = np.histogramdd(np.stack([energy, cos, kind], axis=1), bins=edges)
    assert np.array_equal(found.values.reshape(binning.shape), expected)
    below, above = (energy < 60e3).sum(), (energy >= 1e7).sum()
    assert found.outside == {"energy": (below, above), "cos": (0, 0), "topology": (0, 0)}
    assert found.values.sum() + found.outside_total == 5000
    words = found.describe_outside()
    assert words == f"{below + above:.4g} outside the bins (energy {below:.4g} below, {above:.4g} above)"
    histogram = binning.histogram(found.values)
    assert np.array_equal(
        histogram.project("cos").values(), np.histogram(cos[(energy >= 6e4) & (energy < 1e7)], edges[1])[0]
    )
    assert np.array_equal(binning.project(found.values, "topology"), expected.sum(axis=(0, 1)))


def test_ends():
    """Closed below, open above; a vertical arrival is inside."""
    sample = Sample({"cos": [-1.0, 0.0, 1.0], "energy": [10.0, 99.9, 100.0]})
    assert Binning(cos_axis("cos", 2)).place(sample).index.tolist() == [0, 1, 1]
    placed = Binning(log_axis("energy", 10.0, 100.0, 1)).place(sample)
    assert placed.index.tolist() == [0, 0, -1]
    assert placed.outside["energy"][1].tolist() == [False, False, True]


def test_categories_of_texts():
    sample = Sample({"kind": ["track", "noise", "cascade"]})
    binning = Binning(category_axis("kind", ["cascade", "track"]))
    assert binning.place(sample).index.tolist() == [1, -1, 0]
    assert binning.describe(1) == "kind track"


def test_azimuth_that_goes_round():
    sample = Sample({"azimuth": [-10.0, 10.0, 370.0, 359.0]})
    binning = Binning(hist.axis.Regular(4, 0.0, 360.0, circular=True, name="azimuth"))
    assert binning.place(sample).index.tolist() == [3, 0, 0, 3]


def test_wrong_input():
    with pytest.raises(InputError, match="every axis needs a name of its own"):
        Binning(hist.axis.Regular(4, 0.0, 1.0))
    binning = Binning(category_axis("kind", [0, 1]))
    with pytest.raises(InputError, match=r"column 'kind', row 2: 0\.5, allowed: a whole number"):
        binning.place(Sample({"kind": [1.0, 0.5]}))
    with pytest.raises(InputError, match="column 'kind', row 1: nan, allowed: a finite number"):
        binning.place(Sample({"kind": [np.nan]}))
    with pytest.raises(InputError, match="has no column 'kind'; it has x"):
        binning.place(Sample({"x": [1.0]}))
    with pytest.raises(InputError, match="0 < low < high"):
        log_axis("x", 0.0, 1.0, 3)
    with pytest.raises(InputError, match="axis: 'x', allowed: kind"):
        binning.project(np.zeros(2), "x")
    assert Counts(binning, np.zeros(2), {}).describe_outside() == "0 outside the bins"


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: log_axis("e", 1.0, 2.0, 2.5), "log_axis"),
        (lambda: log_axis("e", np.nan, 2.0, 2), "log_axis"),
        (lambda: cos_axis("c", 0), "cos_axis"),
        (lambda: cos_axis("c", 3, 1.0, -1.0), "cos_axis"),
        (lambda: category_axis("c", []), "category_axis 'c'"),
        (lambda: category_axis("c", [0, 0]), "category_axis 'c'"),
        (lambda: category_axis("c", ["a", 1]), "category_axis 'c'"),
        (lambda: category_axis("c", [0.5]), "category_axis 'c'"),
    ],
)
def test_axes_that_are_refused(make, message):
    with pytest.raises(InputError) as caught:
        make()
    assert str(caught.value).startswith(message)


def test_what_has_no_logarithm_is_below():
    """hist has 0 and negative numbers above a logarithmic axis."""
    placed = Binning(log_axis("e", 1.0, 10.0, 2)).place(Sample({"e": [-1.0, 0.0, 0.5, 2.0, 10.0]}))
    assert placed.index.tolist() == [-1, -1, -1, 0, -1]
    below, above = placed.outside["e"]
    assert below.tolist() == [True, True, True, False, False]
    assert above.tolist() == [False, False, False, False, True]
