"""The sampling kernels: inverse of the quantile table, nodes, angles, interaction lengths."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hadronic.interaction import kernels
from hadronic.interaction.cross_sections import nucleon_interaction_length
from hadronic.models import load_model
from hadronic.species import KL, KM, KP, KS, LAMBDA, PI0, PIM, PIP, N, P

TABLES = load_model("fluka-z", "printed").tables
N_SLOTS = TABLES.slot_species.size
N_NODES = TABLES.ln_T.size

slots = st.integers(0, N_SLOTS - 1)
nodes = st.integers(0, N_NODES - 1)


def slot_tail(tables, slot, node, x_min):
    """Probability that a secondary of this slot has x below `x_min`: the u that `sample_x` turns into it."""
    return 1.0 - kernels.slot_survival(tables, slot, node, x_min)


@settings(max_examples=300, deadline=None)
@given(slot=slots, node=nodes, u=st.floats(0.0, 1.0 - 1e-9))
def test_slot_tail_inverts_sample_x(slot, node, u):
    x = kernels.sample_x(TABLES, slot, node, u)
    assert 0.0 < x <= 1.0 + 1e-9
    assert slot_tail(TABLES, slot, node, x) == pytest.approx(u, abs=1e-10)
    assert kernels.slot_survival(TABLES, slot, node, x) == pytest.approx(1.0 - u, rel=1e-5, abs=1e-15)


@settings(max_examples=300, deadline=None)
@given(slot=slots, node=nodes, ln_x=st.floats(-16.0, 0.0), u=st.floats(0.0, 0.999999))
def test_draws_from_the_tail_lie_above_the_threshold(slot, node, ln_x, u):
    x_min = math.exp(ln_x)
    below = slot_tail(TABLES, slot, node, x_min)
    assert 0.0 <= below <= 1.0
    if below < 1.0:
        x = kernels.sample_x(TABLES, slot, node, below + (1.0 - below) * u)
        # 1 - u has an absolute rounding error of 1e-16, which the fourth root makes visible far in the tail.
        assert x >= x_min * (1.0 - 1e-3 if 1.0 - below < 1e-8 else 1.0 - 1e-6)


def test_slot_tail_outside_the_table():
    for slot in range(N_SLOTS):
        assert slot_tail(TABLES, slot, 60, 0.0) == 0.0
        assert slot_tail(TABLES, slot, 60, 1e-30) == 0.0
        assert slot_tail(TABLES, slot, 60, 2.0) == 1.0


@settings(max_examples=200, deadline=None)
@given(ln_T=st.floats(-3.0, 16.0), u=st.floats(0.0, 1.0, exclude_max=True))
def test_pick_node_is_a_neighbour(ln_T, u):
    node = kernels.pick_node(TABLES, ln_T, u)
    step = TABLES.ln_T[1] - TABLES.ln_T[0]
    clamped = min(max(ln_T, TABLES.ln_T[0]), TABLES.ln_T[-1])
    assert 0 <= node < N_NODES
    assert abs(TABLES.ln_T[node] - clamped) <= step * (1.0 + 1e-9)


def test_pick_node_weights_are_linear_in_ln_T():
    step = TABLES.ln_T[1] - TABLES.ln_T[0]
    ln_T = TABLES.ln_T[40] + 0.3 * step
    uniforms = (np.arange(1000) + 0.5) / 1000
    picked = [kernels.pick_node(TABLES, ln_T, u) for u in uniforms]
    assert np.mean(np.array(picked) == 41) == pytest.approx(0.3, abs=0.002)
    assert set(picked) == {40, 41}


@pytest.mark.parametrize("species", [P, PIP, KP, KL, LAMBDA, PI0])
@pytest.mark.parametrize("p", [1e-4, 0.01, 0.2, 1.0, 30.0, 1e3])
def test_mean_cosine_is_von_mises_fisher(species, p):
    k = kernels.concentration(species, p)
    z, weight = np.polynomial.legendre.leggauss(200)
    # 1 - u = t^4 resolves the logarithm at u = 1.
    t = 0.5 * (z + 1.0)
    values = np.array([kernels.one_minus_cos_theta(species, p, 1.0 - s**4) for s in t])
    mean = float(np.sum(0.5 * weight * 4.0 * t**3 * values))
    if k > 1e-2:
        expected = 1.0 - 1.0 / math.tanh(k) + 1.0 / k
    else:
        expected = 1.0 - k / 3.0
    assert mean == pytest.approx(expected, rel=2e-4)


@settings(max_examples=300, deadline=None)
@given(
    species=st.sampled_from([P, N, PIP, PIM, KP, KM, KL, KS, LAMBDA, PI0]),
    ln_p=st.floats(-30.0, 14.0),
    u=st.floats(0.0, 1.0, exclude_max=True),
)
def test_angles_are_finite_and_normalised(species, ln_p, u):
    cos, sin = kernels.polar_angle(species, math.exp(ln_p), u)
    assert -1.0 <= cos <= 1.0
    assert 0.0 <= sin <= 1.0
    assert cos * cos + sin * sin == pytest.approx(1.0, abs=1e-12)
    assert cos == 1.0 - kernels.one_minus_cos_theta(species, math.exp(ln_p), u)


def test_small_angles_keep_their_size():
    # At 1e6 GeV/c the median pT must still be the Gaussian's, although 1 - cos is 1e-13.
    p = 1.0e6
    _, sin = kernels.polar_angle(PIP, p, 0.5)
    assert p * sin == pytest.approx(math.sqrt(2.0 * math.log(2.0) / 7.5), rel=1e-4)
    assert kernels.polar_angle(PIP, p, 0.0) == (1.0, 0.0)


@pytest.mark.parametrize(("species", "mean_pt"), [(PIP, 0.46), (KP, 0.50), (N, 0.44)])
def test_mean_pt_at_high_momentum(species, mean_pt):
    p = 1.0e4
    uniforms = (np.arange(4000) + 0.5) / 4000
    pt = np.mean([p * kernels.polar_angle(species, p, u)[1] for u in uniforms])
    assert pt == pytest.approx(mean_pt, abs=0.01)


def test_nucleon_interaction_length_at_the_seed_values():
    for T, expected in ((0.5, 85.1), (5.0, 85.1), (100.0, 88.2)):
        assert kernels.interaction_length(TABLES, P, math.log(T)) == pytest.approx(expected, abs=0.05)
    # docs/reports/hadronic-inputs.md section 6, mb at 1e3, 1e4, 1e5 GeV.
    for T, sigma in ((1e3, 285.4), (1e4, 305.7), (1e5, 334.5)):
        assert 24144.0 / kernels.interaction_length(TABLES, N, math.log(T)) == pytest.approx(sigma, abs=0.2)


def test_interaction_lengths_of_other_hadrons():
    ln_T = math.log(100.0)
    nucleon = kernels.interaction_length(TABLES, P, ln_T)
    assert kernels.interaction_length(TABLES, PIM, ln_T) == pytest.approx(nucleon / 0.757, rel=0.005)
    assert kernels.interaction_length(TABLES, KP, ln_T) == pytest.approx(nucleon / 0.655, rel=0.005)
    assert kernels.interaction_length(TABLES, KL, ln_T) == kernels.interaction_length(TABLES, KS, ln_T)
    charged = [1.0 / kernels.interaction_length(TABLES, code, ln_T) for code in (KP, KM)]
    assert 1.0 / kernels.interaction_length(TABLES, KL, ln_T) == pytest.approx(np.mean(charged), rel=1e-3)
    assert kernels.interaction_length(TABLES, LAMBDA, ln_T) > nucleon


def test_interaction_length_is_continuous():
    T = np.geomspace(0.1, 1e6, 3000)
    exact = nucleon_interaction_length(T)
    table = [kernels.interaction_length(TABLES, P, math.log(one)) for one in T]
    np.testing.assert_allclose(table, exact, rtol=2e-4)
    assert np.max(np.abs(np.diff(np.log(exact)))) < 1e-3
