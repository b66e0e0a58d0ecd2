"""Fluxes at several dates of the field: a change that was put in comes out, and is none at high energies."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.files.flux_table import FluxTable
from sim3d.files.honda import HONDA_COS_EDGES, HONDA_ENERGIES_GEV
from sim3d.flux import field_dates
from sim3d.flux.bin_correlation import NO_CORRELATION
from sim3d.flux.field_dates import mean_table, smooth_dates

HITS = 60.0
"""Effective hits of a bin of an azimuth average."""

CHANGE = 0.05
"""ln(flux of the second date / flux of the first) below 1 GeV; it falls to 0 at 10 GeV."""


def change(energy):
    return CHANGE * np.clip(1.0 - np.log10(energy), 0.0, 1.0)


def drawn(sign, seed, azimuths):
    """A table of E^-3 with a peak at the horizon, Poisson hits of equal value."""
    rng = np.random.default_rng(seed)
    e = HONDA_ENERGIES_GEV[:61]
    step = np.sqrt(e[1] / e[0])
    edges = np.append(e / step, e[-1] * step)
    cos = 0.5 * (HONDA_COS_EDGES[1:] + HONDA_COS_EDGES[:-1])
    shape = (e**-3 * np.exp(0.5 * sign * change(e)))[:, None] * (1.0 + np.exp(-np.abs(cos) / 0.2))
    truth = np.repeat(np.broadcast_to(shape, (4, *shape.shape))[..., None], azimuths, axis=-1)
    hits = rng.poisson(HITS / azimuths, truth.shape)
    flux = truth * hits * azimuths / HITS
    error = truth * np.sqrt(hits) * azimuths / HITS
    angles = np.linspace(0.0, 360.0, azimuths + 1)
    return FluxTable(flux, error, e, edges, "bins", HONDA_COS_EDGES, angles, "made", "made")


@pytest.fixture(scope="module")
def dated():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            field_dates,
            "sample_table",
            lambda run, site, binning, azimuth, azimuth_bins=1: drawn(*run, azimuth_bins if azimuth else 1),
        )
        patch.setattr(field_dates, "correlation_of", lambda run, site, table: NO_CORRELATION)
        return smooth_dates([(-1.0, 1), (1.0, 2)], "made", 4)


def test_the_change_of_the_field_comes_out(dated):
    found = np.log(dated.flux[1] / dated.flux[0])
    e = dated.table.energies_GeV
    # 61 x 20 bins x 4 flavours x 60 hits, of which a third are below 1 GeV: 0.4% for each date there
    low = e < 1.0
    assert found[:, low].mean() == pytest.approx(change(e[low]).mean(), abs=0.012)
    assert np.all(np.abs(found - change(e)[:, None, None]) < 0.03)
    assert np.all(found[:, e > 40.0] == 0.0)


def test_the_dates_share_the_statistics_of_both(dated):
    relative = dated.relative_error_of_average[1]
    assert dated.relative_error.shape == dated.flux.shape == (2, 4, 61, 20, 4)
    # a bin of one run alone has 13%
    assert np.all(relative < 0.06)
    high = dated.table.energies_GeV > 40.0
    np.testing.assert_array_equal(relative[:, high], dated.relative_error_of_average[0][:, high])
    assert np.all(dated.relative_error >= dated.relative_error_of_average[..., None] * 0.99)


def test_the_mean_of_tables_of_independent_runs():
    first, second = drawn(0.0, 3, 1), drawn(0.0, 4, 1)
    both = mean_table([first, second])
    np.testing.assert_allclose(both.flux, 0.5 * (first.flux + second.flux))
    np.testing.assert_allclose(both.error, 0.5 * np.hypot(first.error, second.error))
