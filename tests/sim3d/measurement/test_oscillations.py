"""Oscillations: closed forms, derivatives, probabilities on a grid, nuSQuIDS in vacuum-like conditions."""

import platform
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.measurement.oscillations import (
    OscillatedFlux,
    Probabilities,
    TwoFlavours,
    UserFactor,
    baseline_km,
    mean_heights,
)
from sim3d.measurement.parameters import Parameter
from sim3d.measurement.samples import Sample

SAMPLE = Sample({"pdg": [14, -14, 12, 14], "energy_GeV": [5.0, 25.0, 5.0, 2.0], "cos_zenith": [-1.0, -0.5, -1.0, 1.0]})


def test_baseline():
    """Up, down, and the horizon: sqrt((R + h)^2 - R^2)."""
    assert baseline_km([1.0, -1.0, 0.0], 15.0) == pytest.approx(
        [15.0, 2 * 6371.2 + 15.0, np.sqrt(6386.2**2 - 6371.2**2)]
    )
    assert baseline_km(1.0, 15.0, depth_km=1.0) == pytest.approx(16.0)


def test_survival_in_closed_form():
    """The usual 1.267 dm^2 L / E to three digits, and maximal disappearance where it is pi / 2."""
    found, _ = TwoFlavours(SAMPLE)(np.array([0.9, 2.4]))
    length = baseline_km(SAMPLE.role("cos_zenith"))
    exact = 1.0 - 0.9 * np.sin(1.267 * 2.4e-3 * length / SAMPLE.role("energy_GeV")) ** 2
    exact[2] = 1.0
    assert found == pytest.approx(exact, abs=2e-3)
    energy = 1.266932679815373 * 2.4e-3 * length[0] / (np.pi / 2)
    one = Sample({"pdg": [14], "energy_GeV": [energy], "cos_zenith": [-1.0]})
    assert TwoFlavours(one)(np.array([0.9, 2.4]))[0] == pytest.approx([0.1], abs=1e-12)


def test_derivatives():
    at = np.array([0.93, 2.5])
    factor = TwoFlavours(SAMPLE)
    _, slopes = factor(at)
    for i in range(2):
        step = 1e-6 * np.eye(2)[i]
        assert slopes[:, i] == pytest.approx((factor(at + step)[0] - factor(at - step)[0]) / 2e-6, rel=1e-6, abs=1e-8)
    user = UserFactor(factor.parameters, lambda values: factor(np.array([values["sin2_2theta"], values["dm2"]]))[0])
    assert user(at)[0] == pytest.approx(factor(at)[0])
    assert user(at)[1] == pytest.approx(slopes, rel=1e-4, abs=1e-6)
    with pytest.raises(InputError, match="a finite number of 0 or more for each event"):
        UserFactor((Parameter("x", 1.0),), lambda values: [np.nan])(np.ones(1))


def grid():
    """Probabilities that are linear in ln E and cos_zenith: interpolation is exact."""
    energy, cos = np.geomspace(1.0, 100.0, 5), np.linspace(-1.0, 1.0, 3)
    share = 0.5 + 0.05 * np.log(energy) * cos[:, None]
    values = np.zeros((3, 5, 2, 3, 3))
    values[..., 0, 0] = 1.0
    values[..., 2, 2] = 1.0
    values[..., 1, 1] = share[:, :, None]
    values[..., 1, 2] = 1.0 - share[:, :, None]
    values[:, :, 1, 1, 0] = 0.1
    values[:, :, 1, 1, 2] -= 0.1
    return Probabilities(energy, cos, values)


class MadeFlux:
    """ids are (1, 2, 3, 4) E^-3 for nue, nuebar, numu, numubar; one parameter that is a slope for muons."""

    parameters = ("p",)
    parameter_covariance = np.eye(1)
    azimuth_table = object()

    def flux(self, ids, energy, cos, azimuth=0.0):
        scale = np.select([ids == 12, ids == -12, ids == 14], [1.0, 2.0, 3.0], 4.0)
        return scale * energy**-3.0 * (1.0 + 0.1 * np.sin(np.radians(azimuth)))

    def derivatives(self, ids, energy, cos):
        return np.where(np.abs(ids) == 14, 0.2, 0.0)[:, None]


def test_oscillated_flux():
    ids = np.array([14, -14, 16, -12, 12])
    energy, cos = np.full(5, 10.0), np.full(5, -0.4)
    share = 0.5 - 0.4 * 0.05 * np.log(10.0)
    flux = OscillatedFlux(MadeFlux(), grid())
    expected = np.array([3 * share, 4 * share, 3 * (1 - share), 2 + 0.4, 1.0]) * 1e-3
    assert flux.flux(ids, energy, cos) == pytest.approx(expected)
    # with azimuth the flux from every direction oscillates
    assert flux.flux(ids, energy, cos, np.full(5, 90.0)) == pytest.approx(1.1 * expected)
    assert flux.derivatives(ids, energy, cos)[:, 0] == pytest.approx([0.2, 0.2, 0.2, 0.2 * 0.4 / 2.4, 0.0])
    with pytest.raises(InputError, match=r"energy_GeV: 200\.0, allowed: 1 to 100, the nodes of the probabilities"):
        flux.flux(ids, 20 * energy, cos)


def test_heights():
    mean = np.full((4, 3, 2), np.nan)
    mean[:, 1] = 20.0 + np.arange(8.0).reshape(4, 2)
    heights = SimpleNamespace(
        mean_km=mean, energy_edges_GeV=np.array([1.0, 3.0, 10.0, 30.0]), cos_zenith_edges=np.array([-1.0, 0.0, 1.0])
    )
    # order of the flavours in results: numu, numubar, nue, nuebar; empty bins have the nearest in energy
    assert mean_heights(heights, SAMPLE) == pytest.approx([20.0, 22.0, 24.0, 21.0])
    mean[2, :, 0] = np.nan
    with pytest.raises(InputError, match="nue has none in zenith bin 1"):
        mean_heights(heights, SAMPLE)


@pytest.mark.skipif(
    sys.version_info >= (3, 13) or (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="nusquids has wheels for Python 3.11 and 3.12 on Linux x86_64 only",
)
def test_nusquids():
    """With one angle and one splitting the survival of muon neutrinos is that of two flavours."""
    energy, cos = np.geomspace(10.0, 100.0, 9), np.linspace(-0.9, -0.3, 3)
    found = Probabilities.of_nusquids(energy, cos, {(0, 1): 0.0, (0, 2): 0.0, (1, 2): 45.0}, {1: 0.0, 2: 2.5e-3})
    e, c = (x.ravel() for x in np.meshgrid(energy, cos))
    sample = Sample({"pdg": np.full(27, 14), "energy_GeV": e, "cos_zenith": c})
    # nuSQuIDS' air is 22 km high
    exact, _ = TwoFlavours(sample, baseline_km(c, 22.0))(np.array([1.0, 2.5]))
    chance = found.at(e, c)
    assert chance[:, 0, 1, 1] == pytest.approx(exact, abs=5e-3)
    assert chance.sum(axis=-1) == pytest.approx(np.ones((27, 2, 3)), abs=1e-4)
    assert chance[:, :, 0, 0] == pytest.approx(np.ones((27, 2)), abs=1e-4)


def test_what_is_refused():
    with pytest.raises(InputError, match="distance_km: needs a number of 0 or more for each of"):
        TwoFlavours(SAMPLE, np.ones(3) if len(SAMPLE) != 3 else np.ones(2))
    with pytest.raises(InputError, match="baseline_km: needs heights above the detector"):
        baseline_km([1.0], -3.0, depth_km=2.0)
    with pytest.raises(InputError, match=r"probabilities: .* nodes that rise"):
        Probabilities([1.0, 2.0], [0.0, -1.0], np.zeros((2, 2, 2, 3, 3)))
