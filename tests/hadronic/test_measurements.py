"""Measured yields on carbon: values of the sources, units, mirrors."""

import numpy as np
import pytest

from hadronic.measurements import (
    HARP_SIGMA_MB,
    angle_data,
    carbon_to_air,
    kinetic,
    mirrored,
    pion_spectra,
    proton_spectra,
)


# carbon_yield_splines.csv of the project's reference data: dN/dx and its error in percent.
@pytest.mark.parametrize(
    ("secondary", "beam", "x", "density", "error"),
    [
        ("pi+", 31.0, 0.1, 5.8893, 4.0),
        ("pi-", 31.0, 0.28, 0.48926, 2.4),
        ("K-", 31.0, 0.1, 0.23927, 5.9),
        ("p", 158.0, 0.4, 0.59738, 4.7),
        ("n", 158.0, 0.5, 0.26861, 13.0),
        ("pi+", 158.0, 0.14, 3.4197, 4.6),
        ("K-", 158.0, 0.2, 0.093721, 4.7),
    ],
)
def test_spectra_are_those_of_the_fit(secondary, beam, x, density, error):
    """Between the points ln dN/dx is not straight: 6 %."""
    one = next(s for s in proton_spectra() if s.secondary == secondary and abs(s.T_GeV + 0.938 - beam) < 1.0)
    got = np.exp(np.interp(np.log(x), np.log(one.x), np.log(one.density)))
    assert got == pytest.approx(density, rel=0.06 if len(one.x) > 5 else 0.15)
    assert 100.0 * one.error[np.argmin(np.abs(one.x - x))] == pytest.approx(error, rel=0.6, abs=1.5)


def test_covariances_are_positive():
    for one in (*proton_spectra(), *pion_spectra()):
        assert np.linalg.eigvalsh(one.covariance).min() > 0.0
        assert np.all(np.diff(one.x) > 0.0)
        assert one.x[-1] < 1.0


def test_p_dn_dp_of_pions_becomes_dn_dx():
    """First row of the file: pi+ of 158 GeV pi-, 1.42 GeV/c, p dn/dp = 0.782; dn/dx = dn/dp E/p E_beam."""
    one = next(s for s in pion_spectra() if s.secondary == "pi+" and s.T_GeV < 200.0)
    p, m, beam = 1.42, 0.13957, np.hypot(158.0, 0.13957)
    energy = np.hypot(p, m)
    assert one.x[0] == pytest.approx(energy / beam, rel=1e-4)
    assert one.density[0] == pytest.approx(0.782 / p * energy / p * beam, rel=1e-4)
    assert one.error[0] == pytest.approx(np.hypot(0.00948, 0.5 * (0.0449 + 0.0326)) / 0.782, rel=1e-3)


def test_cross_sections_by_angle_become_numbers():
    """HARP's first row: 198.5 mb/(GeV/c sr) in 0.5-1 GeV/c and 30-60 mrad."""
    one = next(s for s in angle_data() if (s.projectile, s.secondary) == ("p", "pi+"))
    solid = 2.0 * np.pi * (np.cos(0.03) - np.cos(0.06))
    assert one.number[0] == pytest.approx(198.5 * 0.5 * solid / HARP_SIGMA_MB["p"], rel=1e-6)
    assert one.T_GeV == pytest.approx(kinetic("p", 12.0))
    assert {s.experiment for s in angle_data()} == {"HARP p+C", "HARP pi+C", "NA61 pi+C 60"}
    # Sums over NA61's table, from its header: pi+ 2.47, pi- 1.79, K+ 0.12 per event.
    sums = {s.secondary: s.number.sum() for s in angle_data() if s.experiment == "NA61 pi+C 60"}
    assert sums["pi+"] == pytest.approx(2.47, abs=0.01)
    assert sums["pi-"] == pytest.approx(1.79, abs=0.01)
    assert sums["K+"] == pytest.approx(0.12, abs=0.01)


def test_the_step_to_air_is_small_and_falls_with_x():
    x = np.linspace(0.01, 0.9, 30)
    ratio, error = carbon_to_air(x)
    assert np.all(np.diff(ratio) < 0.0)
    assert np.all((ratio > 0.94) & (ratio < 1.02))
    assert error.min() >= 0.01


def test_mirrors_of_pi_minus():
    assert mirrored("pi-", "pi-") == ("pi+", "pi+")
    assert mirrored("pi-", "p") == ("pi+", "n")
    assert mirrored("p", "pi-") == ("p", "pi-")
