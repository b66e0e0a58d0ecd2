"""Production of charm: the measurements come back, the distribution is normalised and as soft as measured."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.cascade.charm_production import (
    _PAIR,
    CENTRAL,
    FORWARD,
    HADRONS,
    MEASURED_D0,
    _window,
    measured_production,
    transverse_mass,
)

MODEL = measured_production()
MASS = HADRONS["D0"].mass_GeV


def given(one):
    """Cross section of the model in the rapidities of a measurement (microbarn)."""
    return float(MODEL.pairs_ub(one.sqrt_s_GeV**2)) * _PAIR * _window(MODEL, one)


@pytest.mark.parametrize("one", MEASURED_D0, ids=[one.experiment for one in MEASURED_D0])
def test_measured_cross_sections_come_back(one):
    assert abs(given(one) - one.value_ub) < 2.0 * one.error_ub


def test_the_fit_is_good():
    """Eight data, three coefficients and a width that takes up one of the two at 7 TeV: four degrees of freedom."""
    chi2 = sum(((given(one) - one.value_ub) / one.error_ub) ** 2 for one in MEASURED_D0)
    assert 0.3 < chi2 < 9.5


def test_the_width_gives_the_measured_ratio_forward_to_central():
    assert _window(MODEL, FORWARD) / _window(MODEL, CENTRAL) == pytest.approx(1.661, rel=1e-3)


@pytest.mark.parametrize("energy", [400.0, 1e5, 1e8])
def test_shares_are_normalised_and_symmetric(energy):
    s = float(MODEL.s_GeV2(energy))
    shares = MODEL.share_below(np.array([-99.0, -1.0, 0.0, 1.0, 99.0]), s, MASS)
    assert (shares[0], shares[4]) == (0.0, 1.0)
    assert shares[2] == pytest.approx(0.5, abs=1e-6)
    assert shares[1] == pytest.approx(1.0 - shares[3], abs=1e-6)
    assert MODEL.share_above_x(np.array([1.0]), s, MASS)[0] == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(("energy", "measured", "error"), [(400.0, 4.9, 0.5), (800.0, 6.9, 1.9), (800.0, 8.6, 2.0)])
def test_the_distribution_is_as_soft_as_measured(energy, measured, error):
    """The n of (1 - x_F)^n that a maximum likelihood fit to x_F > 0 finds: n + 1 = -1 / <ln(1 - x_F)>."""
    s = float(MODEL.s_GeV2(energy))
    y = np.linspace(0.0, np.log(np.sqrt(s) / transverse_mass(MASS)), 4001)
    x_f = 2.0 * np.sinh(y) * transverse_mass(MASS) / np.sqrt(s)
    number = np.diff(MODEL.share_below(y, s, MASS))
    mean = number @ np.log(1.0 - np.minimum(0.5 * (x_f[1:] + x_f[:-1]), 0.999)) / number.sum()
    assert abs(-1.0 / mean - 1.0 - measured) < 1.5 * error


def test_no_charm_below_threshold():
    assert float(MODEL.pairs_ub(5.5**2)) == 0.0
    assert float(MODEL.pairs_ub(6.0**2)) > 0.0
    assert sum(hadron.share for hadron in HADRONS.values()) == pytest.approx(1.0)
