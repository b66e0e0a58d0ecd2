"""Changes of yields that hold energy and baryon number: at every value, and their derivatives by finite differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import BERNOULLI
from hadronic.interaction.yield_laws import KINDS, changed_tables, law_slopes, laws
from hadronic.models import load_model
from hadronic.species import NAMES

MODELS = ("urqmd-sibyll", "fluka-z")
CODE = {name: code for code, name in enumerate(NAMES)}
LEAST_GEV = 5.0
VALUES = [
    {"pi+": 0.2, "pi-": -0.1, "tilt": 0.15},
    {"p": 0.2, "n": -0.3, "elasticity": 0.1},
    {"K+": 0.5, "K-": -0.3, "K0": 0.3, "pions": 0.1, "pi+": -0.2},
]


@pytest.fixture(scope="module", params=MODELS)
def model(request):
    return load_model(request.param)


def changes(model, values):
    out = np.zeros((len(KINDS), len(model.tables.ln_T)))
    for kind, value in values.items():
        whole = kind not in ("p", "n", "elasticity")
        out[KINDS.index(kind)] = value * (whole | (model.tables.ln_T > np.log(LEAST_GEV)))
    return out


def changed(model, values):
    law = laws(model.tables, changes(model, values))
    ones = np.ones(model.tables.interaction_length.shape[0])
    return replace(model, tables=changed_tables(model.tables, law, ones))


def number(model, projectile, species, T):
    return model.moments(CODE[projectile], CODE[species], T).multiplicity


@pytest.mark.parametrize("values", VALUES)
def test_energy_and_baryon_number_hold(model, values):
    new = changed(model, values)
    moved = 0.0
    for projectile in ("p", "n", "pi+"):
        for T in (3.0, 31.0, 1000.0):
            code = CODE[projectile]
            assert new.energy_balance(code, T) == pytest.approx(model.energy_balance(code, T), abs=6e-4)
            before, after = (sum(number(m, projectile, one, T) for one in ("p", "n", "Lambda")) for m in (model, new))
            assert after == pytest.approx(before, rel=5e-4)
            moved += abs(number(new, projectile, "pi+", T) / number(model, projectile, "pi+", T) - 1.0)
    assert moved > 0.05


def test_the_asked_number_changes_and_the_tied_ones_follow(model):
    T = 31.0
    new = changed(model, {"pi+": 0.2})
    for projectile, made, other in (("p", "pi+", "pi-"), ("n", "pi-", "pi+")):
        assert number(new, projectile, made, T) / number(model, projectile, made, T) == pytest.approx(1.2, rel=1e-6)
        assert number(new, projectile, other, T) == pytest.approx(number(model, projectile, other, T), rel=1e-6)
    share = number(model, "p", "pi+", T) / (number(model, "p", "pi+", T) + number(model, "p", "pi-", T))
    ratio = number(new, "p", "pi0", T) / number(model, "p", "pi0", T)
    assert ratio == pytest.approx(1.0 + 0.2 * share, abs=2e-3)
    kaons = changed(model, {"K0": 0.5})
    assert number(kaons, "n", "K+", T) / number(model, "n", "K+", T) == pytest.approx(1.5, rel=1e-6)
    assert number(kaons, "p", "K+", T) == pytest.approx(number(model, "p", "K+", T), rel=1e-6)
    of_n = number(model, "n", "K+", T) / (number(model, "n", "K+", T) + number(model, "n", "K-", T))
    assert number(kaons, "p", "K0S", T) / number(model, "p", "K0S", T) == pytest.approx(1.0 + 0.5 * of_n, abs=5e-3)
    pions = changed(model, {"pions": 0.1})
    assert number(pions, "pi-", "pi-", T) / number(model, "pi-", "pi-", T) == pytest.approx(1.1, rel=1e-6)
    assert number(pions, "pi-", "pi0", T) < 0.9 * number(model, "pi-", "pi0", T)


def test_elasticity_is_the_energy_of_fast_nucleons(model):
    """Their number stays and their energy grows; pions fall."""
    T = 200.0
    new = changed(model, {"elasticity": 0.1})
    nucleons = [sum(number(m, "p", one, T) for one in ("p", "n")) for m in (model, new)]
    assert nucleons[1] == pytest.approx(nucleons[0], rel=1e-3)
    energy = [sum(m.moments(0, CODE[one], T).F_TT for one in ("p", "n")) for m in (model, new)]
    assert 1.05 < energy[1] / energy[0] < 1.1
    assert number(new, "p", "pi+", T) < number(model, "p", "pi+", T)


@pytest.mark.parametrize("kind", KINDS)
def test_slopes_are_finite_differences(model, kind):
    step = 1e-4
    k = KINDS.index(kind)
    used = changes(model, {kind: 1.0})[k] > 0.0
    up, down = (laws(model.tables, changes(model, {kind: s * step})) for s in (1.0, -1.0))
    expected = law_slopes(model.tables)[k] * used[:, None, None]
    np.testing.assert_allclose((up - down) / (2.0 * step), expected, atol=1e-5 * np.abs(expected).max())


def test_what_cannot_be_held_is_refused(model):
    for values, words in (
        ({"pi+": 10.0, "pi-": 10.0}, "no energy for nucleons"),
        ({"p": 9.0, "n": 9.0}, "no slow nucleons"),
        ({"pions": 3.0}, "no energy for pi0"),
    ):
        with pytest.raises(HadronicInputError, match=words):
            laws(model.tables, changes(model, values))


def test_a_mean_above_one_becomes_a_poisson_number():
    tables = load_model("fluka-z", "printed").tables
    law = np.zeros((len(tables.slot_species), len(tables.ln_T), 2, 2))
    slot = int(np.flatnonzero(tables.slot_kind == BERNOULLI)[0])
    law[slot, :, :, 0] = np.log(3.0)
    sigma = np.ones(tables.interaction_length.shape[0])
    sigma[2] = 1.25
    new = changed_tables(tables, law, sigma)
    assert new.slot_mean[slot].max() > 1.0
    assert np.flatnonzero(new.slot_kind != tables.slot_kind).tolist() == [slot]
    np.testing.assert_allclose(new.interaction_length[2], tables.interaction_length[2] / 1.25)
    np.testing.assert_array_equal(new.interaction_length[3], tables.interaction_length[3])
