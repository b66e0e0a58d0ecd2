"""Decays at rest: phase space, the amplitude of K_l3, and the polarisation of muons."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.cascade.rest_frame import (
    SemileptonicDecay,
    muon_neutrinos,
    muon_of_two_body,
    three_pions,
    two_body,
)
from sim3d.conventions.particles import KL, KP, MASS_GEV, MUP, PI0, PIP
from sim3d.shower.branching_ratios import KL3_SLOPES
from sim3d.shower.decays import kl3_density

M_PI, M_MU, M_K, M_K0 = (float(MASS_GEV[code]) for code in (PIP, MUP, KP, KL))


def test_two_body_energies_add_up():
    muon, neutrino = two_body(M_PI, M_MU, 0.0), two_body(M_PI, 0.0, M_MU)
    assert muon.energy_GeV[0] + neutrino.energy_GeV[0] == pytest.approx(M_PI)
    assert muon.momentum_GeV[0] == pytest.approx(neutrino.energy_GeV[0])


def test_muon_of_a_pion_at_rest_has_helicity_minus_one():
    """An antimuon: (E - m^2 L.U / L.p) / p = -1 with the parent's own frame as U."""
    line = muon_of_two_body(M_PI, M_MU)
    helicity = (line.energy_GeV - M_MU**2 * line.spin_time) / line.momentum_GeV
    assert helicity[0] == pytest.approx(-1.0)


def test_three_equal_pions_share_the_energy():
    lines = three_pions(M_K, M_PI, M_PI, M_PI)
    assert lines.number.sum() == pytest.approx(1.0)
    assert (lines.number * lines.energy_GeV).sum() == pytest.approx(M_K / 3.0, rel=2e-3)


@pytest.mark.parametrize(("kaon", "pion", "slopes"), [(KP, PI0, "K+-"), (KL, PIP, "KL")])
@pytest.mark.parametrize("lepton", [0.000511, M_MU])
def test_semileptonic_decay_conserves_energy(kaon, pion, slopes, lepton):
    decay = SemileptonicDecay(float(MASS_GEV[kaon]), float(MASS_GEV[pion]), lepton, KL3_SLOPES[slopes])
    means = [
        (lines.number * lines.energy_GeV).sum()
        for lines in (decay.neutrino(), decay.meson(), decay.charged_lepton())
    ]  # fmt: skip
    assert sum(means) == pytest.approx(decay.kaon, rel=1e-3)


def test_amplitude_is_that_of_the_simulation():
    slopes = KL3_SLOPES["K+-"]
    decay = SemileptonicDecay(M_K, float(MASS_GEV[PI0]), M_MU, slopes)
    kernel = getattr(kl3_density, "py_func", kl3_density)
    for e_l, e_nu in ((0.15, 0.15), (0.2, 0.1), (0.13, 0.18)):
        expected = kernel(decay.kaon, decay.pion, decay.lepton, *slopes, e_l, e_nu)
        assert expected > 0.0
        assert float(decay.vectors(np.array(e_l), np.array(e_nu))[0]) == pytest.approx(expected, rel=1e-12)


def test_neutrinos_of_a_muon_take_six_tenths_and_seven_twentieths():
    """Mean energies over the muon's mass are 3/10 and 7/20; the asymmetries -1/3 and 1/9 of an unweighted mean."""
    found = muon_neutrinos(M_MU)
    for name, mean, asymmetry in (("electron", 0.3, -1.0), ("muon", 0.35, 1.0 / 3.0)):
        energy, number, odd = found[name]
        assert number.sum() == pytest.approx(1.0)
        assert (energy * number).sum() / M_MU == pytest.approx(mean)
        assert (number * odd).sum() == pytest.approx(asymmetry)
