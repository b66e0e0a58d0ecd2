"""The histogram of weights: what is counted where, and when it warns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.scoring.hit_weights import (
    N_WEIGHTS,
    WEIGHTS_PER_OCTAVE,
    empty_weights,
    note_weight,
    outlier_warnings,
    reference_flux,
    summarise,
)

FLAVOURS = ("numu", "numubar", "nue", "nuebar")


def noted(values, energy=1.5, flavour=2):
    """A histogram of hits that add ``values`` times 4 pi E F(E) at one energy."""
    weights = empty_weights()
    i = int(np.searchsorted(ENERGY_EDGES_GEV, energy)) - 1
    centre = math.sqrt(ENERGY_EDGES_GEV[i] * ENERGY_EDGES_GEV[i + 1])
    for v in values:
        note_weight(weights, flavour, i, v * 4.0 * math.pi * centre * reference_flux(centre))
    return weights


def test_every_hit_is_counted_once_in_its_decade():
    """By flavour and decade; a hit of no weight is none; the smallest and largest have bins of their own."""
    for energy, decade in ((0.095, 0), (0.5, 0), (1.5, 1), (50.0, 2), (9000.0, 4)):
        weights = noted([1.0, 1e-3, 1e-30, 1e40, 0.0], energy)
        assert weights.sum() == 4
        assert weights[2, decade].sum() == 4
    assert noted([1e-30])[2, 1, 0] == 1
    assert noted([1e40])[2, 1, N_WEIGHTS - 1] == 1


def test_summary_of_a_known_sample():
    """Effective number, largest weight and shares, to the width of a bin."""
    values = np.random.default_rng(1).lognormal(0.0, 1.0, 4000)
    summary = summarise(noted(values)[2, 1])
    assert summary.hits == 4000
    assert summary.effective == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=0.06)
    assert summary.largest == pytest.approx(values.max() / values.mean(), rel=2.0 ** (0.5 / WEIGHTS_PER_OCTAVE) - 0.9)
    top = np.sort(values)[-10:]
    assert summary.heaviest_share == pytest.approx(top.sum() / values.sum(), rel=0.2)
    assert summary.heaviest_square_share == pytest.approx((top**2).sum() / (values**2).sum(), rel=0.2)
    assert not summary.rests_on_outliers


def test_a_few_heavy_hits_are_reported():
    """A thousand hits and one of four hundred times their weight; with few hits the error itself says enough."""
    lines = outlier_warnings("here", noted([1.0] * 1000 + [400.0]), FLAVOURS)
    assert len(lines) == 1
    assert lines[0].startswith("here nue, 1 to 10 GeV: 10 of 1001 neutrinos make ")
    assert "(minor: the error is uncertain)" in outlier_warnings("x", noted([1.0] * 5000 + [100.0] * 2), FLAVOURS)[0]
    assert "serious" in lines[0]
    assert "energy_index" in outlier_warnings("x", noted([1.0] * 1000 + [400.0], 300.0), FLAVOURS)[0]
    assert outlier_warnings("here", noted([1.0] * 1000 + [3.0]), FLAVOURS) == []
    assert outlier_warnings("here", noted([1.0] * 20 + [400.0]), FLAVOURS) == []
    assert len(outlier_warnings("here", noted([1.0] * 95 + [50.0] * 3), FLAVOURS)) == 1


def test_nothing():
    """No hits, no summary and no warning."""
    assert summarise(empty_weights()).effective == 0.0
    assert outlier_warnings("here", empty_weights(), FLAVOURS) == []
