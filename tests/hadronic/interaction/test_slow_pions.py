"""Shape in x of slow pions: the asked shape, energy and baryon number at every value, and derivatives."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hadronic.interaction.slow_pions import laws_with_slow, slow_law, slow_slopes
from hadronic.interaction.yield_laws import FAST, KINDS, SLOW, changed_tables
from hadronic.models import load_model
from hadronic.species import NAMES

CODE = {name: code for code, name in enumerate(NAMES)}


@pytest.fixture(scope="module", params=("accelerator", "fluka-z"))
def model(request):
    return load_model(request.param)


def changed(model, s, **others):
    changes = np.zeros((len(KINDS), len(model.tables.ln_T)))
    for kind, value in others.items():
        changes[KINDS.index(kind)] = value
    # as the parameters do: whole up to 31 GeV, none above 158 GeV
    exponent = s * np.interp(model.tables.ln_T, np.log([31.0, 158.0]), [1.0, 0.0])
    law = laws_with_slow(model.tables, changes, exponent)
    return replace(model, tables=changed_tables(model.tables, law, np.ones(len(model.tables.interaction_length))))


@pytest.mark.parametrize(("s", "others"), [(0.5, {}), (-0.6, {}), (-0.4, {"tilt": 0.1})])
def test_energy_and_baryon_number_hold(model, s, others):
    new = changed(model, s, **others)
    for projectile in ("p", "n"):
        for T in (5.0, 31.0, 1000.0):
            code = CODE[projectile]
            assert new.energy_balance(code, T) == pytest.approx(model.energy_balance(code, T), abs=1e-3)
            before, after = (
                sum(m.moments(code, CODE[one], T).multiplicity for one in ("p", "n", "Lambda")) for m in (model, new)
            )
            # quantiles are interpolated twice
            assert after == pytest.approx(before, rel=3e-3)


def test_slow_pions_follow_the_factor_and_fast_ones_stay(model):
    """d ln(factor) / d ln(x) is s below x = 0.1, and the factor is 1 there and above."""
    law = slow_law(model.tables, np.full(len(model.tables.ln_T), -0.3))
    pions = np.isin(model.tables.slot_species, [CODE["pi+"], CODE["pi-"], CODE["pi0"]])
    of_p = np.zeros_like(pions)
    of_p[model.tables.slot_offset[0] : model.tables.slot_offset[1]] = True
    chosen = law[pions & of_p]
    assert len(chosen) >= 3
    assert np.all(chosen[:, :, FAST] == 0.0)
    np.testing.assert_allclose(chosen[:, :, SLOW, 1], -0.3)
    np.testing.assert_allclose(chosen[:, :, SLOW, 0] + chosen[:, :, SLOW, 1] * np.log(0.1), 0.0, atol=1e-12)
    new = changed(model, -0.3)
    assert new.moments(0, CODE["pi+"], 31.0).multiplicity > 1.05 * model.moments(0, CODE["pi+"], 31.0).multiplicity


def test_slopes_are_finite_differences(model):
    step = np.full(len(model.tables.ln_T), 1e-4)
    up, down = slow_law(model.tables, step), slow_law(model.tables, -step)
    expected = slow_slopes(model.tables)
    np.testing.assert_allclose((up - down) / 2e-4, expected, atol=1e-5 * np.abs(expected).max())
    # fewer slow pions leave energy, and fast nucleons take it
    assert np.any(expected[..., FAST, 1] > 0.0)
