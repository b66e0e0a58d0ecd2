"""The histogram object of a result: its sums are the fluxes of coarser bins, and a missing library is one line."""

import sys

import numpy as np
import pytest

from sim3d.errors import InputError

hist = pytest.importorskip("hist")


@pytest.fixture(scope="module")
def result(fake_result):
    return fake_result(sites=("ino", "kamioka"), noise=0.1)


def test_axes_and_bins(result):
    fluxes = result.hist("ino")
    assert fluxes.axes.name == ("flavour", "energy", "cos_zenith", "azimuth")
    assert fluxes.shape == (4, 202, 40, 12)
    assert list(fluxes.axes["flavour"]) == list(result.flavours)
    np.testing.assert_allclose(fluxes.axes["energy"].edges, result.energy_edges_GeV, rtol=1e-11)
    # round energies are edges: a window from one begins there, not a bin before
    for decade in (0.1, 1.0, 10.0, 100.0, 1000.0):
        assert fluxes["nue", hist.loc(decade) :, sum, sum].axes["energy"].edges[0] == decade
    np.testing.assert_array_equal(fluxes.axes["cos_zenith"].edges, result.cos_zenith_edges)
    np.testing.assert_allclose(fluxes.axes["azimuth"].edges, result.azimuth_edges_deg)
    flux, error, _ = result.binned("ino")
    size = np.diff(result.energy_edges_GeV)[60] * 0.05 * np.radians(30.0)
    cell = fluxes["nue", 60, 12, hist.loc(100.0)]
    assert cell.value == pytest.approx(flux[2, 60, 12, 3] * size)
    assert cell.variance == pytest.approx((error[2, 60, 12, 3] * size) ** 2)


def test_projections_are_the_fluxes_of_wider_bins(result):
    """Over azimuth, over pairs of bins as in Honda's tables, and over the sky."""
    fluxes = result.hist("kamioka")
    width = np.diff(result.energy_edges_GeV)
    average = fluxes.project("flavour", "energy", "cos_zenith").values() / (width[:, None] * 0.05 * 2 * np.pi)
    expected, _, _ = result.binned("kamioka", "fine_aa")
    np.testing.assert_allclose(average, expected, rtol=1e-12)
    honda = fluxes[:, :: hist.rebin(2), :: hist.rebin(2), sum].values()
    expected, _, _ = result.binned("kamioka", "honda_aa")
    size = np.diff(result.binning_energy_edges("honda"))[:, None] * 0.1 * 2 * np.pi
    np.testing.assert_allclose(honda / size, expected, rtol=1e-12)
    sky = fluxes[:, :, sum, sum].values() / width / (4 * np.pi)
    np.testing.assert_allclose(sky, result.binned("kamioka", "fine_aa")[0].mean(axis=2), rtol=1e-12)
    windowed = fluxes["numu", hist.loc(1.0) : hist.loc(10.0), hist.loc(-0.2) : hist.loc(0.2), sum]
    assert windowed.axes["cos_zenith"].edges == pytest.approx(np.linspace(-0.2, 0.2, 9))


def test_bins_without_hits(fake_result):
    fluxes = fake_result(sites=("ino",), empty_above=1.0).hist()
    assert fluxes[sum, hist.loc(2.0), sum, sum].value == 0.0
    assert fluxes[sum, hist.loc(0.5), sum, sum].value > 0.0


def test_what_is_refused(result, monkeypatch):
    with pytest.raises(InputError, match="site: 'mars' is not in this result; it has ino, kamioka"):
        result.hist("mars")
    monkeypatch.setitem(sys.modules, "hist", None)
    with pytest.raises(InputError, match=r"needs the library hist; pip install 'sim3d\[hist\]'"):
        result.hist("ino")
