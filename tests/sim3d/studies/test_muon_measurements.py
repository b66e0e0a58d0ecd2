"""Measurements of muons: the files as published, chi2 with correlations, means over bands."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.studies.muon_measurements import MuonData, chi2, mean_ratio, muon_data


@pytest.fixture(scope="module")
def data():
    return {(one.name, one.quantity): one for one in muon_data()}


def test_all_sets_are_there(data):
    spectra = {name for name, quantity in data if quantity == "flux"}
    ratios = {name for name, quantity in data if quantity == "ratio"}
    assert spectra == {"bess-tev", "caprice94", "l3c"}
    assert ratios == spectra | {"cms", "minos", "opera"}


def test_values_are_those_published(data):
    """First lines of the tables: BESS-TeV 13.4 + 12.5; CAPRICE94 14 + 11; L3+C 0.217 GeV2/(cm2 s sr) over p^3."""
    assert data["bess-tev", "flux"].value[0] == pytest.approx(25.9)
    assert data["bess-tev", "ratio"].value[0] == pytest.approx(13.4 / 12.5)
    assert data["caprice94", "flux"].value[0] == pytest.approx(25.0)
    assert data["l3c", "flux"].value[0] == pytest.approx(0.217e4 / 23.18**3)
    assert data["cms", "ratio"].value[0] == pytest.approx(1.2499)
    # an error printed as an upper limit is taken as the error
    assert data["cms", "ratio"].error[6] == pytest.approx(0.0067)


def test_the_acceptance_of_bess_opens_at_20_gev(data):
    one = data["bess-tev", "flux"]
    cosines = [np.average(c.cosines, weights=c.weights) for c in one.conditions]
    narrow = one.low_GeV < 20.0
    np.testing.assert_allclose(np.array(cosines)[narrow], 0.99)
    np.testing.assert_allclose(np.array(cosines)[~narrow], 0.95)


def test_caprice_and_l3c_agree_where_they_meet(data):
    """p^3 times the flux near 30 GeV/c within 12%: the units of both are right."""
    caprice, l3c = data["caprice94", "flux"], data["l3c", "flux"]
    at = 26.68
    here = float(np.interp(np.log(at), np.log(l3c.at_GeV), l3c.value * l3c.at_GeV**3))
    i = int(np.argmin(np.abs(caprice.at_GeV - at)))
    assert caprice.value[i] * at**3 == pytest.approx(here, rel=0.12)


def made(value, stat, syst):
    at = np.array([1.0, 2.0, 4.0])
    covariance = np.diag(np.full(3, stat**2)) + syst**2
    value = np.full(3, value)
    return MuonData("x", "x", "flux", at, at, at, value, np.sqrt(np.diag(covariance)), covariance, ())


def test_chi2_of_independent_errors():
    value, n = chi2(made(1.0, 0.1, 0.0), np.array([1.1, 1.2, 1.0]), 0.0)
    assert (value, n) == (pytest.approx(5.0), 3)


def test_a_common_error_costs_one_unit():
    """A shift of all points by their common error costs nearly 1, however many points; points below are left out."""
    value, n = chi2(made(1.0, 1e-3, 0.1), np.full(3, 1.1), 1.5)
    assert n == 2
    assert value == pytest.approx(1.0, rel=1e-3)


def test_means_over_bands():
    one = made(2.0, 0.1, 0.0)
    mean, error = mean_ratio(one, np.array([2.0, 2.2, 2.4]), (1.5, 10.0))
    assert mean == pytest.approx(1.15)
    assert error == pytest.approx(1.15 * 0.05 / np.sqrt(2.0))
    assert mean_ratio(one, np.ones(3), (100.0, 200.0)) is None
