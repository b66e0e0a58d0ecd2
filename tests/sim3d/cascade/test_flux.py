"""Fluxes of the cascade equations: derivatives and integrals agree, symmetries, magnitudes, wrong input."""

from __future__ import annotations

import numpy as np
import pytest

from atmosphere import linsley
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import PARTICLES, CascadeFlux, Place, cascade_fluxes, mean_over
from sim3d.cascade.primaries import no_cutoff
from sim3d.errors import InputError
from sim3d.primaries.build import primary_model


@pytest.fixture(scope="module")
def fluxes():
    return dict(zip((1.0, 0.4, -0.4), cascade_fluxes([1.0, 0.4, -0.4], bins_per_decade=10), strict=True))


def power_law():
    """A flux E^-2.7 of every particle, in energy or momentum."""
    grid = make_grid(0.01, 1e5, 10)
    made = CascadeFlux(1.0, 1000.0, grid, {}, np.ones((4, 3, grid.n)))
    made.numbers.update({name: -np.diff(made._edges(name) ** -1.7) / 1.7 for name in PARTICLES})
    return made


@pytest.mark.parametrize("particle", ["numu", "mu-", "p"])
def test_a_power_law_comes_back(particle):
    at = np.array([0.5, 3.0, 77.0])
    flux = power_law()
    np.testing.assert_allclose(flux.flux(particle, at), at**-2.7, rtol=1e-3)
    np.testing.assert_allclose(flux.integral(particle, at), (at**-1.7) / 1.7, rtol=1e-3)
    exact = (at**-1.7 - (1.3 * at) ** -1.7) / 1.7 / (0.3 * at)
    np.testing.assert_allclose(flux.mean_flux(particle, at, 1.3 * at), exact, rtol=2e-3)
    assert flux.flux(particle, 1e6) == 0.0


def test_mean_over_directions_is_linear():
    one, two = power_law(), power_law()
    two.numbers["numu"] = 3.0 * one.numbers["numu"]
    assert mean_over([one, two], [1.0, 1.0]).integral("numu", 2.0) == pytest.approx(2.0 * one.integral("numu", 2.0))


def test_from_below_neutrinos_are_those_of_the_far_side(fluxes):
    """Without cutoff the flux from below is that from above at the same angle; hadrons and muons do not come."""
    for flavour in ("numu", "nuebar"):
        assert fluxes[-0.4].flux(flavour, 5.0) == pytest.approx(float(fluxes[0.4].flux(flavour, 5.0)), rel=1e-3)
    assert fluxes[-0.4].flux("mu+", 5.0) == 0.0


def test_vertical_muons_have_the_measured_magnitude(fluxes):
    """50 to 80 per m2 s sr above 1 GeV/c at sea level, a charge ratio of 1.1 to 1.4."""
    plus, minus = (float(fluxes[1.0].integral(name, 1.0)) for name in ("mu+", "mu-"))
    assert 50.0 < plus + minus < 80.0
    assert 1.1 < plus / minus < 1.4


def test_low_energy_flavour_ratio_is_two(fluxes):
    """Every pion that decays with its muon gives two muon neutrinos for one electron neutrino."""
    slant = fluxes[0.4]
    muon = sum(float(slant.flux(name, 0.4)) for name in ("numu", "numubar"))
    electron = sum(float(slant.flux(name, 0.4)) for name in ("nue", "nuebar"))
    assert muon / electron == pytest.approx(2.0, rel=0.1)


def test_parents_add_up_and_kaons_win_at_high_energy(fluxes):
    shares = fluxes[1.0].parent_shares("numu")
    inside = (fluxes[1.0].grid.centres_GeV > 1.0) & (fluxes[1.0].grid.centres_GeV < 1e5)
    np.testing.assert_allclose(sum(shares.values())[inside], 1.0)
    high = int(np.argmin(np.abs(fluxes[1.0].grid.centres_GeV - 1e4)))
    assert shares["kaon"][high] > shares["pion"][high]


def test_records_have_every_particle(fluxes):
    (record,) = fluxes[1.0].records([10.0])
    assert set(record) == {"cos_zenith", "energy_GeV", *PARTICLES}
    assert record["numu"] == pytest.approx(float(fluxes[1.0].flux("numu", 10.0)))


def test_wrong_input_is_one_line(fluxes):
    with pytest.raises(InputError, match="particle"):
        fluxes[1.0].flux("nutau", 1.0)
    with pytest.raises(InputError, match="cos_zenith"):
        Place(1.5, linsley(), primary_model("ghls2001-average"), 0.0, no_cutoff())
    with pytest.raises(InputError, match="altitude_km"):
        Place(1.0, linsley(), primary_model("ghls2001-average"), 100.0, no_cutoff())
