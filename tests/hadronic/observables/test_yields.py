"""Numbers of secondaries in ranges agree with the model's own moments, and with what is sampled."""

import numpy as np
import pytest

from hadronic.definitions import Z_EXPONENT
from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import first_slot, last_slot, pick_node, sample_x
from hadronic.models import load_model
from hadronic.observables.yields import density_in_x, number_above, number_between, weighted_yield
from hadronic.species import MASS_GEV, species_code

P, N, PIP, PIM = (species_code(name) for name in ("p", "n", "pi+", "pi-"))


@pytest.fixture(scope="module")
def model():
    return load_model("fluka-z", "printed")


@pytest.mark.parametrize("secondary", [PIP, PIM, P, N])
@pytest.mark.parametrize("T", [7.3, 100.0])
def test_all_of_them_are_the_multiplicity_and_their_energy_the_fraction(model, secondary, T):
    moments = model.moments(P, secondary, T)
    assert number_above(model, P, secondary, T, 0.0) == pytest.approx(moments.multiplicity, rel=1e-9)
    edges = np.geomspace(MASS_GEV[secondary] / (T + MASS_GEV[P]) / 1.001, 1.2, 4001)
    centres = 0.5 * (edges[1:] + edges[:-1])
    number = density_in_x(model, P, secondary, T, edges) * np.diff(edges)
    assert (number * centres).sum() == pytest.approx(moments.F_EE, rel=1e-3)
    assert (number * centres**Z_EXPONENT).sum() == pytest.approx(moments.Z_EE, rel=1e-3)


def test_pions_of_3_to_4_GeV_as_sampled(model):
    T, mass = 20.0, float(MASS_GEV[PIP])
    window = [(np.hypot(p, mass) - mass) / T for p in (3.0, 4.0)]
    rng = np.random.default_rng(5)
    found, trials = 0.0, 20_000
    for slot in range(first_slot(model.tables, P), last_slot(model.tables, P)):
        if model.tables.slot_species[slot] == PIP:
            for _ in range(trials):
                node = pick_node(model.tables, np.log(T), rng.random())
                x = sample_x(model.tables, slot, node, rng.random())
                found += model.tables.slot_mean[slot, node] * (window[0] < x < window[1]) / trials
    expected = number_between(model, P, PIP, T, (3.0, 4.0))
    assert found == pytest.approx(expected, abs=5.0 * np.sqrt(expected / trials))
    both = weighted_yield(model, P, (PIP, PIM), T)
    assert both == pytest.approx((expected + number_between(model, P, PIM, T, (3.0, 4.0))) * (T + 0.938272) ** -1.7)


def test_a_proton_of_2_GeV_makes_no_pion_of_3_GeV(model):
    assert number_between(model, P, PIP, 2.0, (3.0, 4.0)) == 0.0


def test_momenta_the_wrong_way_round(model):
    with pytest.raises(HadronicInputError, match="4 3 GeV/c: needs two, the lower one first"):
        number_between(model, P, PIP, 20.0, (4.0, 3.0))
