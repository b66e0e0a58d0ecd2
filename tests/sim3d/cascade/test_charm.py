"""Neutrinos of charm: decay spectra and fluxes of power laws are closed forms, magnitudes, options."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from atmosphere import linsley
from sim3d.cascade.charm import charm_yields, neutrino_lines, prompt_neutrinos
from sim3d.cascade.charm_production import HADRONS, CharmProduction, measured_production
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import cascade_fluxes
from sim3d.cascade.path import make_path
from sim3d.conventions.particles import KP, NEUTRON, PROTON

N_HADRONS = 9


class Scaling(CharmProduction):
    """Production that is the same at all energies: that of one collision energy."""

    def s_GeV2(self, energy_GeV):
        return np.full_like(np.asarray(energy_GeV, dtype=float), 1e5)


@pytest.mark.parametrize(
    ("spinless", "moments"),
    [
        # 12 x^2 (1 - x) and 2 x^2 (3 - 2 x): means of x and x^2
        (True, (0.6, 0.4)),
        (False, (0.7, 8.0 / 15.0)),
    ],
)
def test_light_hadrons_give_closed_forms(spinless, moments):
    lines = neutrino_lines(2.0, 0.0, spinless, pole=1e6)
    assert lines.number.sum() == pytest.approx(1.0)
    x = lines.energy_GeV
    assert lines.number @ x == pytest.approx(moments[0], rel=1e-6)
    assert lines.number @ x**2 == pytest.approx(moments[1], rel=1e-6)


def test_heavier_hadrons_leave_less():
    assert neutrino_lines(1.865, 0.9, False).energy_GeV.max() < (1.865**2 - 0.9**2) / (2.0 * 1.865)
    light, heavy = (neutrino_lines(1.865, mass, True) for mass in (0.3, 0.9))
    assert light.number @ light.energy_GeV > heavy.number @ heavy.energy_GeV


def test_a_power_law_gives_the_product_of_moments():
    """Interactions E^-(g+1): the prompt flux is theirs times sum_h Z_Nh Z_hnu B / 2, at energies far from critical."""
    index, grid = 1.7, make_grid(1e2, 1e7, 20)
    production = Scaling(*(getattr(measured_production(), k) for k in ("coefficients", "width", "power")))
    lengths = np.full((N_HADRONS, grid.n), 80.0)
    lengths[KP] = 1e9
    yields = charm_yields(grid, lengths, production)
    interactions = np.zeros((N_HADRONS, grid.n))
    interactions[PROTON] = 0.75 * -np.diff(grid.edges_GeV**-index)
    interactions[NEUTRON] = 0.25 * -np.diff(grid.edges_GeV**-index)
    found = prompt_neutrinos(yields, interactions, make_path(linsley(), 1.0))
    quarks = 2.0 * float(production.pairs_ub(1e5)) * 1e-30 * 80.0 / 1.66054e-24
    x = np.geomspace(1e-6, 1.0, 20001)
    expected = 0.0
    for hadron in HADRONS.values():
        above = production.share_above_x(x, 1e5, hadron.mass_GeV)
        to_hadron = -np.diff(above) @ (0.5 * (x[1:] + x[:-1])) ** index
        to_neutrino = 0.0
        for share, mass, spinless in hadron.hadrons:
            lines = neutrino_lines(hadron.mass_GeV, mass, spinless)
            # a fast parent spreads a line evenly over z < 2 E* / M
            z = 2.0 * lines.energy_GeV / hadron.mass_GeV
            to_neutrino += share * float(lines.number @ z**index) / (index + 1.0)
        expected += 0.5 * quarks * hadron.share * hadron.branching * to_hadron * to_neutrino
    at = (grid.centres_GeV > 3e2) & (grid.centres_GeV < 3e3)
    for flavour in found:
        np.testing.assert_allclose(flavour[at] / interactions.sum(axis=0)[at], expected, rtol=0.01)


def test_hadrons_that_interact_are_lost():
    """Far above the critical energy the share that decays falls as 1 / E."""
    grid = make_grid(1e2, 1e13, 10)
    lengths = np.full((N_HADRONS, grid.n), 80.0)
    yields = charm_yields(grid, lengths, Scaling((0.0, 0.0, 5.0), 3.7))
    interactions = np.zeros((N_HADRONS, grid.n))
    interactions[PROTON] = grid.centres_GeV**-1.7
    path = make_path(linsley(), 1.0)
    share = prompt_neutrinos(yields, interactions, path)[0] / interactions[PROTON]
    last = prompt_neutrinos(replace(yields, length_g_cm2=np.full(grid.n, 1e12)), interactions, path)[0]
    kept = share / (last / interactions[PROTON])
    low, high, higher = (int(np.argmin(np.abs(grid.centres_GeV - e))) for e in (1e4, 1e10, 1e11))
    assert kept[low] > 0.999
    assert kept[higher] / kept[high] == pytest.approx(0.1, rel=0.05)


@pytest.fixture(scope="module")
def both():
    """Vertical fluxes without and with charm."""
    return [cascade_fluxes([1.0], bins_per_decade=10, charm=charm)[0] for charm in (False, True)]


def test_charm_adds_to_neutrinos_alone(both):
    without, with_charm = both
    for particle in ("mu+", "mu-", "p", "n"):
        np.testing.assert_array_equal(without.numbers[particle], with_charm.numbers[particle])
    added = [with_charm.numbers[name] - without.numbers[name] for name in ("numu", "numubar", "nue", "nuebar")]
    for one in added[1:]:
        np.testing.assert_allclose(one, added[0], rtol=1e-6, atol=1e-12 * added[0].max())
    assert not without.parent_shares("nue")["charm"].any()


def test_where_charm_matters(both):
    """Below 1% of nue at 100 GeV, of numu at 3 TeV; nue cross between 3 and 30 TeV, numu above 50 TeV."""
    flux = both[1]
    at = flux.grid.centres_GeV
    assert np.interp(100.0, at, flux.parent_shares("nue")["charm"]) < 0.02
    assert np.interp(3e3, at, flux.parent_shares("numu")["charm"]) < 0.02
    assert 3e3 < flux.charm_crossing_GeV("nuebar") < flux.charm_crossing_GeV("nue") < 3e4
    assert 5e4 < flux.charm_crossing_GeV("numubar") < flux.charm_crossing_GeV("numu") < 1e6
    assert np.isnan(both[0].charm_crossing_GeV("nue"))
