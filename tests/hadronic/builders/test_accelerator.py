"""The model `accelerator`: it gives back its measurements, conserves, joins without steps, and is what is sampled."""

import math
from importlib import resources

import numpy as np
import pytest
from made_once import MadeOnce

from hadronic.builders.accelerator import PION_NODES_GEV, PROTON_NODES_GEV
from hadronic.builders.base_yields import row_sum
from hadronic.builders.closure import BARYONS
from hadronic.measurements import proton_spectra
from hadronic.models import load_model
from hadronic.observables.measured import compare_spectrum
from hadronic.observables.zfactors import sample_moments
from hadronic.species import KM, KP, LAMBDA, N_PROJECTILES, PI0, PIM, PIP, N, P
from hadronic.tables.yield_file import read_yield_file

MODELS = MadeOnce(("accelerator", "urqmd-sibyll"), load_model)
with resources.as_file(resources.files("hadronic").joinpath("tables", "accelerator.h5")) as path:
    FILE = read_yield_file(path)


@pytest.mark.parametrize("data", proton_spectra(), ids=lambda one: f"{one.secondary}-{one.T_GeV:.0f}")
def test_it_gives_back_the_spectra_it_is_made_of(data):
    """3 in chi2 per point: measurements at different x and energies pull against each other."""
    channel = compare_spectrum(MODELS["accelerator"], data)
    assert channel.chi2 / channel.points < 3.0
    generator = compare_spectrum(MODELS["urqmd-sibyll"], data)
    assert channel.chi2 < generator.chi2 + 2.0 * channel.points


@pytest.mark.parametrize("data", proton_spectra(), ids=lambda one: f"{one.secondary}-{one.T_GeV:.0f}")
def test_z_within_the_measured_x_is_that_of_the_measurement(data):
    """Sums of x^0.7 dN/dx over points even in ln x (x^1.7 dN/dx per ln x): two errors, those of all points alike."""
    channel = compare_spectrum(MODELS["accelerator"], data)
    weight = data.x**2.7
    measured, predicted = (weight * channel.measured).sum(), (weight * channel.predicted).sum()
    share = weight * channel.measured / measured
    error = math.hypot(float(share @ data.error), 0.03)
    assert predicted == pytest.approx(measured, rel=2.0 * error)


def other(T):
    one = FILE.projectiles["p"]
    return float(np.interp(math.log(T), np.log(one.T_GeV), one.other.sum(axis=1)))


@pytest.mark.parametrize("T", [1.0, 3.0, 5.0, 11.1, 30.0, 157.0, 1e3, 1e4, 1e5, 9e5])
def test_energy_is_never_made_and_what_is_missing_has_a_name(T):
    """What the generator leaves out: antibaryons, photons of eta; and binding, up to 0.12 GeV an interaction."""
    balance = MODELS["accelerator"].energy_balance(P, T)
    assert balance < 1.0
    assert balance == pytest.approx(MODELS["urqmd-sibyll"].energy_balance(P, T), abs=0.01)
    binding = 1.0 - balance - other(T)
    assert -0.01 < binding < 0.01 + 0.12 / T


@pytest.mark.parametrize("projectile", range(N_PROJECTILES))
def test_no_projectile_makes_energy(projectile):
    for T in np.geomspace(0.5, 1e6, 25):
        assert MODELS["accelerator"].energy_balance(projectile, float(T)) < 1.005


@pytest.mark.parametrize("name", ["p", "pi+"])
def test_baryon_number_is_the_generator_s(name):
    """Nucleons and Lambda of all x; the generator at nodes that both have."""
    with resources.as_file(resources.files("hadronic").joinpath("tables", "urqmd-sibyll.h5")) as path:
        base = read_yield_file(path).projectiles[name]
    ours = FILE.projectiles[name]
    checked = 0
    for i, T in enumerate(ours.T_GeV):
        found = np.flatnonzero(np.isclose(base.T_GeV, T))
        if found.size:
            numbers = []
            for one, j in ((ours, i), (base, int(found[0]))):
                each = one.counts[j] / one.events[j][:, None]
                numbers.append(sum(row_sum(each, kind).sum() for kind in BARYONS))
            assert numbers[0] == pytest.approx(numbers[1], rel=2e-3)
            checked += 1
    assert checked > 8


def test_fast_charge_is_that_of_the_projectile_within_the_errors():
    """Charge of hadrons with x > 0.1 (T/T) of a proton: 0.5 to 0.8 in generators, 0.15 the errors of NA49's p and n."""
    for T in (30.08, 157.06, 1e3):
        i = int(np.argmin(np.abs(np.log(FILE.projectiles["p"].T_GeV / T))))
        each = FILE.projectiles["p"].counts[i] / FILE.projectiles["p"].events[i][:, None]
        fast = np.sqrt(FILE.x_edges[1:] * FILE.x_edges[:-1]) > 0.1
        charge = sum(
            sign * row_sum(each, name)[fast].sum()
            for name, sign in (("p", 1), ("pi+", 1), ("pi-", -1), ("K+", 1), ("K-", -1))
        )
        with resources.as_file(resources.files("hadronic").joinpath("tables", "urqmd-sibyll.h5")) as path:
            base = read_yield_file(path).projectiles["p"]
        j = int(np.argmin(np.abs(np.log(base.T_GeV / T))))
        before = base.counts[j] / base.events[j][:, None]
        expected = sum(
            sign * row_sum(before, name)[fast].sum()
            for name, sign in (("p", 1), ("pi+", 1), ("pi-", -1), ("K+", 1), ("K-", -1))
        )
        assert charge == pytest.approx(expected, abs=0.15)


def test_below_two_gev_it_is_the_generator():
    for T in (0.5, 1.0, 1.8):
        for code in (PIP, PIM, PI0, P, N):
            assert MODELS["accelerator"].moments(P, code, T) == pytest.approx(
                MODELS["urqmd-sibyll"].moments(P, code, T), rel=0.01
            )


def test_yields_scale_above_the_measurements():
    """Z of mesons at 1e5 GeV is that at 157 GeV within 5 %: what closure takes; the generator's falls by 15 to 25 %."""
    for code in (PIP, PIM, KP):
        low, high = (MODELS["accelerator"].moments(P, code, T).Z_EE for T in (157.06, 1e5))
        assert high == pytest.approx(low, rel=0.05)
    low, high = (MODELS["urqmd-sibyll"].moments(P, PIP, T).Z_EE for T in (157.06, 1e5))
    assert high < 0.85 * low


@pytest.mark.parametrize("projectile", [P, PIP])
def test_nothing_jumps(projectile):
    """Neither where measurements begin nor above: half the step in energy is half the step in every moment."""
    for low, high in ((1.5, 5.0), (10.0, 40.0), (60.0, 100.0), (140.0, 400.0)):
        for secondary in (P, PIP, PIM, KP, KM, LAMBDA):
            steps = []
            for number in (40, 79):
                T = np.geomspace(low, high, number)
                values = np.array([MODELS["accelerator"].moments(projectile, secondary, t).Z_TT for t in T])
                steps.append(np.max(np.abs(np.diff(values))))
            assert steps[1] < 0.6 * steps[0] + 1e-9


def test_what_is_drawn_is_the_table():
    sampled = sample_moments(MODELS["accelerator"], P, 157.0, 40_000)
    for code in (P, N, PIP, PIM, KP):
        exact = MODELS["accelerator"].moments(P, code, 157.0)
        for field in ("multiplicity", "F_TT", "Z_TT"):
            value, error = getattr(sampled.of(code), field), getattr(sampled.error_of(code), field)
            assert abs(value - getattr(exact, field)) <= 4.5 * error


def test_kaons_of_neutrons_are_mirrors():
    """Y(n to K+) = Y(p to K0): all kaons of both are as many, and those of n to K0L half of p to K+ and K-."""
    for T in (10.0, 157.0, 1e4):
        plus, minus = (MODELS["accelerator"].moments(P, code, T).F_TT for code in (KP, KM))
        assert MODELS["accelerator"].moments(N, 6, T).F_TT == pytest.approx(0.5 * (plus + minus), rel=1e-9)
        neutral = 2.0 * MODELS["accelerator"].moments(P, 6, T).multiplicity
        charged = sum(MODELS["accelerator"].moments(N, code, T).multiplicity for code in (KP, KM))
        assert charged == pytest.approx(neutral, rel=0.01)


def test_the_file_says_what_it_is_made_of():
    assert all(np.min(np.abs(FILE.projectiles["p"].T_GeV / T - 1.0)) < 1e-6 for T in PROTON_NODES_GEV)
    assert all(np.min(np.abs(FILE.projectiles["pi+"].T_GeV / T - 1.0)) < 1e-6 for T in PION_NODES_GEV)
    assert "NA49" in FILE.provenance["measurements"]
    assert FILE.provenance["above_the_measurements"] == "scaling"
    assert "build_accelerator.py" in FILE.provenance["command"]
