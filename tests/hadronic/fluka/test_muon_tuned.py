"""`muon-tuned`: daemonflux's Z factors to rounding, baryon number and energy kept, nothing changed elsewhere."""

import numpy as np
import pytest
from made_once import MadeOnce

from hadronic.definitions import DEFINITIONS
from hadronic.fluka.muon_tuned import solve_tuning
from hadronic.models import load_model
from hadronic.observables.zfactors import compare_daemonflux
from hadronic.species import KL, KP, LAMBDA, PI0, PIM, PIP, N, P

MODELS = MadeOnce(DEFINITIONS, lambda name: (load_model("muon-tuned", name), load_model("fluka-z", name)))


@pytest.mark.parametrize("definition", DEFINITIONS)
def test_daemonflux_s_z_factors_are_reached(definition):
    rows = compare_daemonflux(MODELS[definition][0], 2000)
    assert len(rows) == 4 + 6 + 2
    for row in rows:
        assert row.exact[definition] == pytest.approx(row.reference, rel=1e-6), row.secondary


@pytest.mark.parametrize("definition", DEFINITIONS)
@pytest.mark.parametrize("T", [0.5, 1.0, 5.0, 31.0, 158.0, 1e4, 2e4, 1e6])
def test_tuning_makes_no_energy(definition, T):
    tuned, plain = MODELS[definition]
    for projectile in (P, N):
        ours, theirs = (model.energy_balance(projectile, T) for model in (tuned, plain))
        assert ours < max(1.0, theirs + 0.005)
        assert ours > theirs - 0.02


@pytest.mark.parametrize("T", [5.0, 158.0, 1e4])
def test_baryon_number_stays(T):
    tuned, plain = MODELS["printed"]
    numbers = [sum(model.moments(P, code, T).multiplicity for code in (P, N, LAMBDA)) for model in (tuned, plain)]
    assert numbers[0] == pytest.approx(numbers[1], rel=1e-9)


def test_what_is_not_tuned_stays():
    tuned, plain = MODELS["printed"]
    for T in (3.0, 100.0, 1e5):
        assert tuned.moments(P, PI0, T) == plain.moments(P, PI0, T)
        assert tuned.moments(PIP, PIP, T) == plain.moments(PIP, PIP, T)
    # Nucleons below 31 GeV are FLUKA's.
    for T in (1.0, 10.0, 28.0):
        assert tuned.moments(P, P, T) == pytest.approx(plain.moments(P, P, T), rel=1e-9)


def test_mirror_and_neutral_kaons():
    tuned, plain = MODELS["printed"]
    for T in (10.0, 158.0):
        assert tuned.moments(N, PIM, T).F_TT == pytest.approx(tuned.moments(P, PIP, T).F_TT, rel=1e-9)
        assert tuned.moments(N, N, T).F_TT == pytest.approx(tuned.moments(P, P, T).F_TT, rel=1e-9)
        factors = [tuned.moments(P, k, T).F_TT / plain.moments(P, k, T).F_TT for k in (KP, KP + 1, KL)]
        assert factors[2] == pytest.approx(0.5 * (factors[0] + factors[1]), rel=1e-6)


def test_factors_are_linear_in_ln_T_constant_above_and_one_below_10_GeV():
    tuning = solve_tuning("printed")
    ln_T = MODELS["printed"][0].tables.ln_T
    for name in ("pi+", "pi-", "K+", "K-"):
        factor = tuning.factors[name]
        assert np.all(factor[ln_T <= np.log(10.0)] == 1.0)
        fading = (ln_T > np.log(10.0)) & (ln_T < np.log(30.0))
        assert np.max(np.abs(np.diff(factor[fading], 2))) < 1e-12
        assert np.ptp(factor[ln_T > np.log(2.1e4)]) == 0.0
        between = (ln_T > np.log(31.0)) & (ln_T < np.log(157.0))
        assert np.max(np.abs(np.diff(factor[between], 2))) < 1e-12
    assert 0.0 < tuning.exchange[-1] < 0.3
    assert 1.0 < tuning.hardness[-1] < 1.2
    assert np.all(np.isin(tuning.factors["K+"][ln_T > np.log(158.0)], tuning.factors["K+"][-1]))
