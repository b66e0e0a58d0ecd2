"""Figures of the validation report: what is drawn is what was given."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

FOLDER = Path(__file__).resolve().parents[2] / "scripts" / "validation"
spec = importlib.util.spec_from_file_location("validation_figures", FOLDER / "validation_figures.py")
figures = importlib.util.module_from_spec(spec)
sys.modules["validation_figures"] = figures
spec.loader.exec_module(figures)


def test_pulls():
    """The histogram holds all values in the range, and the normal distribution has the same area."""
    values = np.random.default_rng(1).normal(size=2000)
    ax = figures.pulls(values, "title").axes[0]
    heights = ax.patches[0].get_xy()[:, 1]
    assert heights.max() == np.histogram(values, np.arange(-4.5, 4.625, figures.PULL_WIDTH))[0].max()
    x, y = ax.lines[0].get_data()
    assert np.trapezoid(y, x) / figures.PULL_WIDTH == pytest.approx(2000, rel=1e-4)
    assert len(x) > 300  # a curve, not a polygon


def test_quotient_of_the_same_groups():
    """Common fluctuations cancel: the error of twice a flux over the flux is 0; independent ones add in quadrature."""
    rng = np.random.default_rng(2)
    base = 10.0 + rng.normal(size=(400, 5))
    value, error = figures.quotient(2.0 * base, base)
    assert np.allclose(value, 2.0)
    assert np.all(error < 1e-12)
    value, error = figures.quotient(10.0 + rng.normal(size=(400, 5)), base)
    assert np.allclose(error, np.sqrt(2.0) * 0.1 / 20.0, rtol=0.15)
    assert np.all(np.abs(value - 1.0) < 5.0 * error)


def test_patches_and_zenith_shape():
    """A panel of ratios below each place; a panel for each range of energies."""
    rng = np.random.default_rng(3)
    cosines = np.linspace(-0.95, 0.95, 20)
    groups = {place: {size: 100.0 + rng.normal(size=(24, 20)) for size in ("10 x 40", "2 x 2")} for place in ("A", "B")}
    axes = figures.patches(cosines, groups, "t").axes
    assert [ax.get_title() for ax in axes[:2]] == ["A", "B"]
    assert axes[2].get_ylabel() == "Ratio to 10 x 40"
    drawn = axes[2].containers[0].lines[0].get_ydata()
    assert np.allclose(drawn, groups["A"]["2 x 2"].mean(axis=0) / groups["A"]["10 x 40"].mean(axis=0))
    shapes = [(100.0 * 2**k, 200.0 * 2**k, np.ones(10), np.full(10, 0.02)) for k in range(4)]
    figure = figures.zenith_shape(np.arange(0.05, 1.0, 0.1), shapes, "t")
    assert [ax.get_title() for ax in figure.axes] == [f"{100 * 2**k:,} to {200 * 2**k:,} GeV" for k in range(4)]
