"""Pulls of smooth tables over seeds: pooled by decade and third of the zenith."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "scripts" / "validation"
ENERGY = 10.0 ** (-1.0 + 0.05 * np.arange(101))
COS = np.linspace(-0.95, 0.95, 20)


@pytest.fixture
def smoothing(monkeypatch):
    """The script, as a module."""
    monkeypatch.syspath_prepend(str(FOLDER))
    spec = importlib.util.spec_from_file_location("validation_smoothing", FOLDER / "validation_smoothing.py")
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "validation_smoothing", module)
    spec.loader.exec_module(module)
    return module


def test_pooled_normal_pulls(smoothing):
    """Normal pulls have mean 0 and width 1 in every region; an offset in one region is found there alone."""
    pulls = np.random.default_rng(5).normal(size=(20, 4, 101, 20, 1))
    pulls[:, :, (ENERGY > 9.0) & (ENERGY < 90.0)] += 0.3 * (COS > 1.0 / 3.0)[:, None]
    rows = smoothing.pooled(pulls, ENERGY, COS)
    assert len(rows) == 15
    for third, low, mean, error, width in rows:
        expected = 0.3 if (third, low) == ("down", 10.0) else 0.0
        assert abs(mean - expected) < 5.0 * error
        assert error == pytest.approx(1.0 / np.sqrt(20 * 4 * 20 * 7), rel=0.6)
        assert width == pytest.approx(1.0, abs=0.05)


def test_bins_without_truth_are_left_out(smoothing):
    """NaN pulls, of bins that the long run did not hit, do not count."""
    pulls = np.random.default_rng(5).normal(size=(20, 4, 101, 20, 1))
    pulls[:, :, ::2] = np.nan
    assert np.isfinite([row[2:] for row in smoothing.pooled(pulls, ENERGY, COS)]).all()
