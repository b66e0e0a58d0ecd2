"""Fluxes and figures of merit of two checkouts from groups of batches (benchmarks/before.py)."""

import importlib.util
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).parents[2] / "benchmarks"
EDGES = 10.0 ** (-1.025 + 0.05 * np.arange(102))


@pytest.fixture
def before(monkeypatch):
    """The script, as a module, with results that are drawn: the name of a file is flux, spread and primaries."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("before", FOLDER / "before.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "before", module)
    spec.loader.exec_module(module)

    def sky_groups(path):
        mean, spread, _ = (float(word) for word in path.name.split("_"))
        return EDGES, mean * (1.0 + spread * np.random.default_rng(3).normal(size=(24, 4, 101)))

    monkeypatch.setattr(module, "sky_groups", sky_groups)
    monkeypatch.setattr(
        module.sim3d, "load", lambda path: SimpleNamespace(attributes={"primaries": int(path.name.split("_")[2])})
    )
    return module


def test_fluxes_are_weighted_with_primaries(before):
    """Three quarters of the primaries have 10% more flux: the mean is 7.5% higher, and errors add in quadrature."""
    ours, theirs = [Path("1.0_0.01_100"), Path("1.1_0.01_300")], [Path("1.0_0.02_400")]
    ratio, error = before.flux_ratios(ours, theirs)
    np.testing.assert_allclose(ratio, 1.075, rtol=0.01)
    # bands have 10 bins: 1% / sqrt(24 x 10), of two runs in four parts, and 2% of the other
    expected = np.hypot(0.01 * np.hypot(0.25, 0.75), 0.02) / np.sqrt(240.0)
    assert np.median(error) == pytest.approx(1.075 * expected, rel=0.2)


def test_merit(before):
    """Half of the scatter is four times the figure of merit; twice the seconds are half of it."""
    wide, narrow = before.merits([(Path("1_0.02_1"), 10.0)]), before.merits([(Path("1_0.01_1"), 10.0)])
    np.testing.assert_allclose(narrow / wide, 4.0, rtol=0.01)
    np.testing.assert_allclose(before.merits([(Path("1_0.01_1"), 20.0)]), 0.5 * narrow)


def test_merit_of_parts(before):
    """The figure of merit does not depend on how many runs the time was divided into."""
    one = Path("1_0.01_1")
    np.testing.assert_allclose(before.merits([(one, 10.0), (one, 10.0)]), before.merits([(one, 10.0)]))


def test_bands_are_honda_bins(before):
    """Bands join without a gap, and a decade has 20 bins."""
    bands = before._bands(EDGES, (0.1, 1.0, 10.0))
    assert [(band.start, band.stop) for band in bands] == [(0, 20), (20, 40)]
