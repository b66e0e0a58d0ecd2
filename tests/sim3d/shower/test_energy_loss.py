"""Energy loss and multiple scattering in air against the numbers of the Particle Data Group."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim3d.conventions.particles import KP, MASS_GEV, MUM, MUP, NEUTRON, PIP, PROTON
from sim3d.shower.energy_loss import (
    AIR_RADIATION_LENGTH_G_CM2,
    MUON_CRITICAL_ENERGY_GEV,
    RADIATIVE_B_CM2_G,
    density_effect,
    highland_sum,
    loss_table,
    stopping_power,
)

TABLE = loss_table()
SEA_LEVEL = 1.205e-3


def loss(species, momentum, rho=SEA_LEVEL):
    """MeV cm2/g."""
    return 1e3 * stopping_power(species, float(momentum), float(MASS_GEV[species]), rho, TABLE)


@pytest.mark.parametrize("muon", [MUP, MUM])
def test_minimum_ionisation_of_muons(muon):
    """PDG, dry air: minimum 1.815 MeV cm2/g near p = 0.36 GeV/c."""
    momenta = np.geomspace(0.05, 5, 2000)
    values = np.array([loss(muon, p) for p in momenta])
    k = values.argmin()
    assert values[k] == pytest.approx(1.815, rel=5e-3)
    assert 0.31 < momenta[k] < 0.42
    assert np.all(np.diff(values[: k - 5]) < 0)
    assert np.all(np.diff(values[k + 5 :]) > 0)


@pytest.mark.parametrize("species", [PROTON, PIP, KP])
def test_hadrons_lose_like_muons_of_the_same_velocity(species):
    """Bethe depends on beta gamma alone up to the maximum transfer (1% at moderate velocities)."""
    for beta_gamma in (0.3, 1.0, 3.0, 10.0):
        muon = loss(MUP, beta_gamma * MASS_GEV[MUP]) - 1e3 * RADIATIVE_B_CM2_G * MASS_GEV[MUP] * math.hypot(
            1, beta_gamma
        )
        assert loss(species, beta_gamma * MASS_GEV[species]) == pytest.approx(muon, rel=0.02)


def test_neutral_particles_lose_nothing():
    """The table of a neutral species is zero."""
    assert np.all(TABLE[NEUTRON] == 0.0)


def test_density_effect():
    """Denser air polarises more: a smaller loss at high energy, none at all below threshold."""
    for momentum in (10.0, 100.0, 1e4):
        values = [loss(MUP, momentum, rho) for rho in (1e-6, 1e-5, 1e-4, 1e-3)]
        assert values == sorted(values, reverse=True)
        assert values[0] > values[-1]
    assert loss(MUP, 0.3, 1e-6) == loss(MUP, 0.3, 1e-3)
    assert density_effect(10.0, SEA_LEVEL) == 0.0
    # far above x1 delta = 2 ln(10) x - C
    assert density_effect(1e6, 1.2048e-3) == pytest.approx(2 * math.log(10) * 6 - 10.5961)


def test_density_effect_is_continuous():
    """No jump at the two ends of Sternheimer's interpolation."""
    for x in (1.7418, 4.2759):
        below, above = (density_effect(10 ** (x + d), 1.2048e-3) for d in (-1e-7, 1e-7))
        assert above == pytest.approx(below, abs=2e-3)


def test_muon_critical_energy():
    """PDG, dry air: 1115 GeV, where radiation takes as much as ionisation."""
    assert MUON_CRITICAL_ENERGY_GEV == pytest.approx(1115, rel=0.01)
    total = loss(MUP, MUON_CRITICAL_ENERGY_GEV, 1.2048e-3)
    radiated = 1e3 * RADIATIVE_B_CM2_G * MUON_CRITICAL_ENERGY_GEV
    assert total == pytest.approx(2 * radiated, rel=1e-3)
    # PDG: b of several 1e-6 cm2/g in light materials at TeV energies
    assert 2e-6 < RADIATIVE_B_CM2_G < 4e-6


def test_only_muons_radiate():
    """A pion of 1 TeV ionises like a muon of the same velocity and radiates nothing."""
    assert loss(MUP, 1000.0) > loss(PIP, 1000.0) + 2.0


@given(
    log_momentum=st.floats(-2.0, 5.9), log_rho=st.floats(-10.0, -2.9), species=st.sampled_from([PROTON, PIP, KP, MUP])
)
def test_loss_is_positive_and_finite(log_momentum, log_rho, species):
    """Any momentum, any air."""
    value = loss(species, 10**log_momentum, 10**log_rho)
    assert math.isfinite(value)
    assert value > 1.0


@given(st.floats(0.0, 2e4), st.floats(1e-6, 100.0))
def test_highland_variance_grows(depth, step):
    """The angular variance of every further step is positive, however short the step."""
    assert highland_sum(depth + step) > highland_sum(depth) or depth + step == depth


def test_highland_value():
    """theta0 = 13.6 MeV / (beta c p) sqrt(t) (1 + 0.038 ln t): a 1 GeV muon through 10% and 100% of X0."""
    for t in (0.1, 1.0):
        expected = 13.6e-3 * math.sqrt(t) * (1 + 0.038 * math.log(t))
        assert 13.6e-3 * math.sqrt(highland_sum(t * AIR_RADIATION_LENGTH_G_CM2)) == pytest.approx(expected)
    assert highland_sum(0.0) == 0.0
    # design 4.5: 2 to 3 degrees at 1 GeV over the path of a typical muon in the air
    assert 1.5 < math.degrees(math.sqrt(2) * 13.6e-3 * math.sqrt(highland_sum(300.0))) < 4.0
