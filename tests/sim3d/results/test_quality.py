"""Errors and empty bins by decade, and the primaries that a precision needs."""

import math

import numpy as np
import pytest

from sim3d.results.quality import site_quality


def test_errors_and_empty_bins_by_decade(fake_result):
    result = fake_result(sites=("ino",), empty_above=100.0, noise=0.02, batches=40)
    found = site_quality(result, "ino")
    low, _, third, high, top = found.decades["average"]
    # an azimuth-averaged Honda bin has 2 x 2 x 12 fine bins of 2% noise in each of 40 batches; the median over bins
    expected = 0.02 / math.sqrt(48 * 40)
    assert low.median_error == pytest.approx(expected, rel=0.35)
    assert (low.empty, third.empty) == (0.0, 0.0)
    assert high.empty > 0.9
    assert top.empty == 1.0
    assert math.isinf(top.median_error)
    assert found.decades["azimuth"][0].median_error == pytest.approx(expected * math.sqrt(12), rel=0.35)
    assert found.needed(found.worst_error) == pytest.approx(found.primaries)
    assert found.needed(found.worst_error / 2) == pytest.approx(4 * found.primaries)


def test_the_median_of_half_empty_bins_is_infinite(fake_result):
    found = site_quality(fake_result(sites=("ino",), without=("nue",), batches=4), "ino")
    assert math.isinf(found.worst_error)
    assert math.isinf(found.needed(0.05))
    assert np.isfinite(found.median_error["numu"])
    assert found.as_dict()["median_relative_error_in_window"]["nue"] == math.inf


def test_bins_below_the_lowest_energy_scored_are_not_counted(fake_result):
    found = site_quality(fake_result(sites=("ino",), batches=4, scoring={"energy_min_GeV": 1.2}), "ino")
    assert [one.low_GeV for one in found.decades["average"]] == [1.0, 10.0, 100.0, 1000.0]
    assert found.decades["average"][0].bins < found.decades["average"][1].bins
