"""The histogram of the weights of primaries: what is counted where, and when it warns."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.scoring.hit_weights import (
    HITS,
    N_DECADES,
    N_WEIGHTS,
    WEIGHTS_PER_OCTAVE,
    decades_of_bins,
    empty_sums,
    empty_weights,
    note_hit,
    note_primary,
    outlier_warnings,
    reference_flux,
    summarise,
)

FLAVOURS = ("numu", "numubar", "nue", "nuebar")


def unit(energy):
    """Fine bin of an energy, and 4 pi E F(E) there: the unit of weights."""
    i = int(np.searchsorted(ENERGY_EDGES_GEV, energy)) - 1
    centre = math.sqrt(ENERGY_EDGES_GEV[i] * ENERGY_EDGES_GEV[i + 1])
    return i, 4.0 * math.pi * centre * reference_flux(centre)


def noted(values, energy=1.5, flavour=2, hits=1):
    """A histogram of primaries whose hits, ``hits`` each, add ``values`` times 4 pi E F(E) at one energy."""
    weights, sums = empty_weights(1), empty_sums(1)
    i, one = unit(energy)
    for v in values:
        for _ in range(hits):
            note_hit(sums[0], flavour, i, v * one / hits)
        note_primary(weights, sums)
    assert not sums.any()
    return weights[0]


def test_every_primary_is_counted_once_in_its_decade():
    """By flavour and decade; one of no weight is none; the smallest and largest have bins of their own."""
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
    assert summary.count == 4000
    assert summary.effective == pytest.approx(values.sum() ** 2 / (values**2).sum(), rel=0.06)
    assert summary.largest == pytest.approx(values.max() / values.mean(), rel=2.0 ** (0.5 / WEIGHTS_PER_OCTAVE) - 0.9)
    top = np.sort(values)[-10:]
    assert summary.heaviest_share == pytest.approx(top.sum() / values.sum(), rel=0.2)
    assert summary.heaviest_square_share == pytest.approx((top**2).sum() / (values**2).sum(), rel=0.2)
    assert not summary.rests_on_outliers


def test_a_few_heavy_primaries_are_reported():
    """A thousand hits and one of four hundred times their weight; with few hits the error itself says enough."""
    lines = outlier_warnings("here", noted([1.0] * 1000 + [400.0]), FLAVOURS)
    assert len(lines) == 1
    assert lines[0].startswith("here nue, 1 to 10 GeV: 10 of 1001 primaries with hits make ")
    assert "(minor: the error is uncertain)" in outlier_warnings("x", noted([1.0] * 5000 + [100.0] * 2), FLAVOURS)[0]
    assert "serious" in lines[0]
    assert "energy_index" in outlier_warnings("x", noted([1.0] * 1000 + [400.0], 300.0), FLAVOURS)[0]
    assert outlier_warnings("here", noted([1.0] * 1000 + [3.0]), FLAVOURS) == []
    assert outlier_warnings("here", noted([1.0] * 20 + [400.0]), FLAVOURS) == []
    assert len(outlier_warnings("here", noted([1.0] * 95 + [50.0] * 3), FLAVOURS)) == 1


def test_hits_of_a_primary_count_as_one():
    """A heavy primary of forty light hits is one heavy primary; hits in other decades, flavours, sites are apart."""
    values = [1.0] * 1000 + [400.0]
    assert np.array_equal(noted(values, hits=1), noted(values, hits=8))
    assert len(outlier_warnings("here", noted(values, hits=40), FLAVOURS)) == 1
    weights, sums = empty_weights(2), empty_sums(2)
    hits = [(0, 0, 0.5), (0, 0, 0.9), (0, 0, 5.0), (0, 3, 0.5), (1, 0, 0.5)]
    for site, flavour, energy in hits:
        i, one = unit(energy)
        note_hit(sums[site], flavour, i, one)
    note_primary(weights, sums)
    assert weights.sum() == 4
    for place, value in (((0, 0, 0), 2.0), ((0, 0, 1), 1.0), ((0, 3, 0), 1.0), ((1, 0, 0), 1.0)):
        summary = summarise(weights[place])
        assert (summary.count, summary.effective) == (1, 1.0)
        # the bin of the histogram that holds the value
        assert np.flatnonzero(weights[place])[0] == WEIGHTS_PER_OCTAVE * (52 + math.log2(value))
    note_primary(weights, sums)
    assert weights.sum() == 4, "a primary without hits is not counted"


def test_results_of_earlier_versions_say_neutrinos():
    """There the histogram is that of hits."""
    line = outlier_warnings("here", noted([1.0] * 1000 + [400.0]), FLAVOURS, HITS)[0]
    assert "10 of 1001 neutrinos make" in line


def test_decades_of_fine_bins():
    """Every fine bin belongs to the decade of its centre, those outside to the nearest."""
    centres = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    expected = np.clip(np.floor(np.log10(centres) + 1.0 + 1e-9), 0, N_DECADES - 1)
    assert np.array_equal(decades_of_bins(), expected)


def test_nothing():
    """No hits, no summary and no warning."""
    assert summarise(empty_weights()).effective == 0.0
    assert outlier_warnings("here", empty_weights(), FLAVOURS) == []
