"""The tabulated law of the primaries' energies: normalised, exact, and with the weights that the roulette needs."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.integrate import quad

from sim3d.sampling.energy_law import (
    FLUX_INDEX,
    HARD_SHARE,
    SAMPLING_SHIFT_GEV,
    energy_law,
    energy_of_law,
    law_pdf,
    mixture,
    mixture_law,
    mixture_roulette,
)
from sim3d.shower.weight_sharing import GRID_GEV, power_roulette

LOW, HIGH = 0.5, 1.0e6
LAW = mixture_law(LOW, HIGH)


def test_the_mixture_is_normalised():
    """Its integral over ln E is 1, for any share of the hard part."""
    for share in (0.0, HARD_SHARE, 1.0):
        value = quad(lambda t, share=share: float(mixture(np.exp(t), LOW, HIGH, share)), math.log(LOW), math.log(HIGH))
        assert value[0] == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize("ends", [(LOW, HIGH), (0.31, 1.0e8), (7.7, 123.4), (2.0, 2.01)])
def test_the_density_integrates_to_one(ends):
    """Also over a part of the range of the table; energies that are drawn follow it."""
    low, high = ends
    edges = low * (high / low) ** np.linspace(0.0, 1.0, 40)
    cells = [np.exp(np.arange(math.ceil(32 * math.log(a / 0.1)), 32 * math.log(b / 0.1)) / 32) * 0.1
             for a, b in zip(edges, edges[1:], strict=False)]  # fmt: skip
    shares = []
    for a, b, inner in zip(edges, edges[1:], cells, strict=False):
        points = np.unique(np.concatenate([[a], inner[(inner > a) & (inner < b)], [b]]))
        middles = np.sqrt(points[1:] * points[:-1])
        density = np.array([law_pdf(e, low, high, LAW) * e for e in middles])
        shares.append((density * np.diff(np.log(points))).sum())
    shares = np.array(shares)
    assert shares.sum() == pytest.approx(1.0, rel=1e-9)
    n = 40_000
    drawn = [energy_of_law(u, low, high, LAW) for u in np.random.default_rng(1).random(n)]
    kept = shares * n > 10
    observed = np.histogram(drawn, edges)[0]
    chi2 = ((observed - shares * n) ** 2 / (shares * n))[kept].sum()
    assert stats.chi2.sf(chi2, kept.sum()) > 1e-3


@given(u=st.floats(0, 1), low=st.floats(0.3, 100), factor=st.floats(1.001, 1e5))
def test_energies_stay_in_range(u, low, factor):
    value = energy_of_law(u, low, low * factor, LAW)
    assert low <= value <= low * factor
    assert law_pdf(value, low, low * factor, LAW) > 0.0


def test_quantiles_are_ordered_and_exact():
    """Half a per mille of the primaries lies between two neighbouring quantiles, by the density."""
    u = np.linspace(0.0, 1.0, 2001)
    energy = np.array([energy_of_law(v, LOW, HIGH, LAW) for v in u])
    assert (np.diff(energy) > 0).all()
    fine = np.array([[energy_of_law(v + d, LOW, HIGH, LAW) for d in (-1e-7, 1e-7)] for v in u[1:-1:50]])
    width = np.diff(fine, axis=1)[:, 0]
    density = np.array([law_pdf(e, LOW, HIGH, LAW) for e in energy[1:-1:50]])
    assert np.median(abs(density * width / 2e-7 - 1.0)) < 1e-3


def test_every_decade_gets_its_primaries():
    """At least one in a hundred primaries in each decade from 1 GeV to 100 TeV."""
    energy = [energy_of_law(u, LOW, HIGH, LAW) for u in (np.arange(10_000) + 0.5) / 10_000]
    assert (np.histogram(energy, 10.0 ** np.arange(6))[0] > 100).all()


def test_the_roulettes_weights():
    """They fall with energy, by less than E^-1.3; where no limit applies they are flux over density."""
    level = mixture_roulette(LOW, HIGH)
    slope = np.diff(level) / np.diff(np.log(GRID_GEV))
    assert slope.max() <= 0.0
    assert slope.min() >= -1.3 - 1e-9
    free = np.flatnonzero((slope > -1.29) & (slope < -0.01))
    density = mixture(GRID_GEV, LOW, HIGH) / GRID_GEV
    expected = -FLUX_INDEX * np.log(GRID_GEV + SAMPLING_SHIFT_GEV) - np.log(density)
    assert len(free) > 20
    assert np.allclose(np.diff(level)[free], np.diff(expected)[free])


def test_a_given_index_keeps_the_power_law():
    index, law, roulette = energy_law(LOW, HIGH, 1.6)
    assert (index, law.size) == (1.6, 0)
    assert np.allclose(roulette, power_roulette(FLUX_INDEX - 1.6))
    assert energy_law(LOW, HIGH, None)[1].size > 0
