"""Smoothing of a table whose truth is known: unbiased, errors that cover, pulls, empty bins; and what is refused."""

import csv
import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux import smooth_pulls, smoothing
from sim3d.results.tables import table_of_result

EDGES = 10 ** (np.arange(62) / 20 - 1.025)
ENERGIES = np.sqrt(EDGES[1:] * EDGES[:-1])
COS_EDGES = np.linspace(-1, 1, 21)
COS = 0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])


def truth(azimuth_edges):
    a = np.radians(0.5 * (azimuth_edges[1:] + azimuth_edges[:-1]))
    factor = 1 - 0.3 * np.sin(a) if len(azimuth_edges) > 2 else np.ones(1)
    zenith = (1.2 - 0.4 * np.abs(COS)) * (1 + 0.3 * np.exp(-(COS**2) / 0.02))
    one = (ENERGIES**-2 / (1 + ENERGIES))[:, None, None] * zenith[:, None] * factor
    return np.stack([k * one for k in (280.0, 270.0, 140.0, 125.0)])


def table(azimuth_edges, hits, seed=1):
    """Compound Poisson: ``hits`` expected at 0.5 GeV, fewer away from it, exponentially distributed weights."""
    rng = np.random.default_rng(seed)
    mean = truth(azimuth_edges)
    expected = hits * np.exp(-(np.log10(ENERGIES / 0.5) ** 2))[None, :, None, None] * np.ones_like(mean)
    n = rng.poisson(expected)
    value = mean / expected
    flux = np.where(n > 0, rng.gamma(np.maximum(n, 1)), 0.0) * value
    error = np.where(n > 0, np.sqrt(2 * n) * value, 2.3 * value)
    return FluxTable(flux, error, ENERGIES, EDGES, "bins", COS_EDGES, azimuth_edges, "x", "x")


WHOLE = np.array([0.0, 360.0])


@pytest.fixture(scope="module")
def average():
    original = table(WHOLE, 200.0)
    return original, smoothing.smooth_average(original)


def test_the_truth_is_found(average):
    original, smooth = average
    known = smooth.effective_hits > 5
    off = np.log(smooth.table.flux / truth(WHOLE))
    pull = off / (smooth.table.error / smooth.table.flux)
    assert abs(off[known].mean()) < 0.01
    # the errors cover what is left
    assert 0.6 < pull[known].std() < 1.2
    raw = np.log(original.flux[known] / truth(WHOLE)[known])
    assert np.std(off[known]) < 0.4 * np.std(raw[np.isfinite(raw)])


def test_pulls(average):
    original, smooth = average
    for row in smooth_pulls.summary(smooth):
        assert abs(row.mean) < 0.1
        assert 0.8 < row.rms < 1.1
        assert row.chi2 / row.ndf == pytest.approx(1.0, abs=0.25)
        assert row.beyond_3 < 0.01
        assert row.known_below_GeV > 30.0
        # the parameters of the shape are shared by four flavours
        assert 10 < row.bins - row.ndf < 100
    assert np.all((smooth.leverage > 0) & (smooth.leverage < 1))
    assert smooth.pulls.shape == original.flux.shape
    assert np.all(np.isfinite(smooth.pulls))


def test_empty_bins_pull_down():
    """A table with few hits: without bias, where a fit of logarithms would leave the empty bins out."""
    original = table(WHOLE, 3.0, seed=2)
    assert 0.1 < original.empty.mean() < 0.9
    smooth = smoothing.smooth_average(original)
    known = smooth.effective_hits > 0.3
    assert np.mean(np.log(smooth.table.flux / truth(WHOLE))[known]) == pytest.approx(0.0, abs=0.1)


def test_a_factor_is_not_known_better_than_the_shape():
    """A table without noise about its shape: no penalty is stronger than the shape's error of 1% a decade allows."""
    exact = truth(WHOLE)
    original = replace(table(WHOLE, 200.0), flux=exact, error=0.02 * exact)
    smooth = smoothing.smooth_average(original, shape=exact[..., 0])
    limit = smoothing.KNOTS_PER_DECADE / smoothing.SHAPE_ERROR**2
    assert smooth.penalties.max() == pytest.approx(limit)
    np.testing.assert_allclose(smooth.table.flux, exact, rtol=1e-6)


def test_azimuth():
    edges = np.linspace(0, 360, 13)
    original = table(edges, 40.0, seed=3)
    smooth = smoothing.smooth_average(original.azimuth_average())
    by_azimuth = smoothing.smooth_azimuth(original, smooth)
    # the average over azimuth stays that of the average
    assert by_azimuth.table.flux.mean(axis=3) == pytest.approx(smooth.table.flux[..., 0], rel=1e-9)
    known = by_azimuth.effective_hits > 5
    off = np.log(by_azimuth.table.flux / truth(edges))
    pull = off / (by_azimuth.table.error / by_azimuth.table.flux)
    assert abs(off[known].mean()) < 0.01
    assert 0.5 < pull[known].std() < 1.2
    assert all(0.7 < row.rms < 1.1 for row in smooth_pulls.summary(by_azimuth))


def test_what_is_refused(average, fake_result):
    original, _ = average
    for bad, message in (
        (dataclasses.replace(original, error=None), "x: smoothing needs errors"),
        (
            dataclasses.replace(original, flux=original.flux * np.array([1, 1, 0, 1])[:, None, None, None]),
            "nue has no hit",
        ),
        (table_of_result(fake_result(batches=2), "sno"), "smooth_average wants the azimuth average"),
    ):
        with pytest.raises(InputError, match=message):
            smoothing.smooth_average(bad)


def test_pulls_in_a_file(average, tmp_path):

    original, smooth = average
    path = smooth_pulls.write_pulls(smooth, original, tmp_path, "x-smooth")
    assert path.name == "x-smooth-pulls-aa.csv"
    rows = list(csv.DictReader(line for line in path.read_text().splitlines() if not line.startswith("#")))
    assert len(rows) == original.flux.size
    row = rows[1000]
    flux, fit, hits, pull = (float(row[name]) for name in ("flux", "fit", "effective_hits", "pull"))
    assert pull == pytest.approx((flux - fit) / np.sqrt(fit**2 / hits), abs=1e-3)
