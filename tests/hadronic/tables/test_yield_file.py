"""The models that ship: their moments sampled, joined, mirrored, next to the generators' own and to published ones."""

import math
from importlib import resources

import numpy as np
import pytest
from made_once import MadeOnce

from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import interaction_length
from hadronic.models import GENERATOR_TABLES, load_model, model_names
from hadronic.observables.transverse import mean_pT
from hadronic.observables.zfactors import sample_moments
from hadronic.species import IS_BARYON, KL, KM, KP, LAMBDA, N_PROJECTILES, PI0, PIM, PIP, N, P, species_code
from hadronic.tables.yield_file import read_yield_file
from hadronic.tables.yield_rows import SPECIES

MODELS = MadeOnce(model_names(), load_model)


def content(name):
    with resources.as_file(resources.files("hadronic").joinpath("tables", f"{name}.h5")) as path:
        return read_yield_file(path)


FILES = MadeOnce(GENERATOR_TABLES, content)


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize(("projectile", "T"), [(P, 7.0), (P, 70.0), (P, 3e4), (PIP, 20.0), (KP, 200.0)])
def test_sampled_moments_are_within_one_percent_of_the_table(name, projectile, T):
    """F and Z of what there is plenty of: 1 %, and four standard errors for everything."""
    model = MODELS[name]
    sampled = sample_moments(model, projectile, T, 200_000 if T < 1e3 else 100_000)
    for code in (PIP, PIM, P, N, KP):
        exact, got, error = model.moments(projectile, code, T), sampled.of(code), sampled.error_of(code)
        for field in ("multiplicity", "F_TT", "F_EE", "Z_TT", "Z_EE"):
            difference = abs(getattr(got, field) - getattr(exact, field))
            assert difference < 4.5 * getattr(error, field) + 1e-9
            if getattr(error, field) < 0.0025 * getattr(exact, field):
                assert difference < 0.01 * getattr(exact, field), f"{code} {field}"


@pytest.mark.parametrize("name", GENERATOR_TABLES)
@pytest.mark.parametrize("projectile", ["p", "pi+", "K+", "K-"])
def test_the_table_has_the_moments_of_the_generator_s_events(name, projectile):
    """At the nodes; 2.5 % as a node lies between two energies of the model's axis, three errors where few are made."""
    model, one = MODELS[name], FILES[name].projectiles[projectile]
    for i, T in enumerate(one.T_GeV):
        if T > 0.99e6 or float(T) in (1.5, 18.0):
            continue
        for row, species in enumerate(SPECIES):
            codes = (KL, KL + 1) if species == "K0" else (species_code(species),)
            if one.counts[i, row].sum() < 2000:
                continue
            got = np.sum([model.moments(species_code(projectile), code, float(T)) for code in codes], axis=0)
            errors = one.moment_errors[i, row, :7]
            np.testing.assert_array_less(np.abs(got - one.moments[i, row, :7]), 0.025 * got + 3.0 * errors)


@pytest.mark.parametrize("name", GENERATOR_TABLES)
def test_mean_pT_is_the_generator_s(name):
    one = FILES[name].projectiles["p"]
    for i, T in enumerate(one.T_GeV):
        for species in ("p", "n", "pi+", "pi-", "K+"):
            row = SPECIES.index(species)
            number, total = one.moments[i, row, 0], one.moments[i, row, 7]
            error = one.moment_errors[i, row, 7] / max(total, 1e-12)
            if one.counts[i, row].sum() > 2000:
                got = mean_pT(MODELS[name], P, species_code(species), min(float(T), 0.999e6))
                assert got == pytest.approx(total / number, rel=0.03 + 3.0 * error), f"{species} {T}"


# docs/reports/hadronic-inputs.md section 8, measured by an earlier project: T, events, Z of pi+ and pi- (T/T), error of
# Z(pi+), f of pi+ and pi- (E/T), f of p and n (T/T).
EARLIER = {
    "urqmd-sibyll": (
        (5.0, 3818, 0.0417, 0.0255, 0.0013, 0.144, 0.094, 0.332, 0.257),
        (10.0, 5807, 0.0434, 0.0283, 0.0010, 0.150, 0.106, 0.330, 0.217),
        (30.0, 5669, 0.0413, 0.0299, 0.0008, 0.161, 0.126, 0.293, 0.159),
        (300.0, 15000, 0.0391, 0.0248, 0.0005, 0.163, 0.123, 0.267, 0.120),
        (1000.0, 13584, 0.0372, 0.0243, 0.0005, 0.159, 0.124, 0.263, 0.121),
        (10000.0, 10567, 0.0346, 0.0221, 0.0006, 0.150, 0.119, 0.265, 0.118),
        (100000.0, 9096, 0.0331, 0.0220, 0.0006, 0.150, 0.119, 0.254, 0.120),
    ),
    "pythia8": (
        (5.0, 20000, 0.0439, 0.0168, 0.0006, 0.146, 0.077, 0.398, 0.189),
        (10.0, 20000, 0.0472, 0.0172, 0.0006, 0.140, 0.069, 0.413, 0.195),
        (30.0, 20000, 0.0493, 0.0263, 0.0006, 0.156, 0.100, 0.326, 0.176),
        (100.0, 17963, 0.0464, 0.0305, 0.0005, 0.174, 0.130, 0.243, 0.142),
        (1000.0, 20000, 0.0418, 0.0289, 0.0004, 0.185, 0.149, 0.213, 0.108),
        (10000.0, 16527, 0.0419, 0.0286, 0.0005, 0.186, 0.148, 0.214, 0.106),
    ),
}


@pytest.mark.parametrize(("name", "row"), [(name, row) for name, rows in EARLIER.items() for row in rows])
def test_moments_of_an_earlier_project_come_out(name, row):
    """Its errors and ours, 3.5 sigma; 2 % for nodes between two energies of the axis; half of its last digit."""
    T, events, z_plus, z_minus, error, f_plus, f_minus, f_p, f_n = row
    model = MODELS[name]
    one = FILES[name].projectiles["p"]
    ours = float(np.interp(T, one.T_GeV, one.moment_errors[:, SPECIES.index("pi+"), 4]))
    spread = 3.5 * math.hypot(error, ours)
    plus, minus = model.moments(P, PIP, T), model.moments(P, PIM, T)
    assert plus.Z_TT == pytest.approx(z_plus, abs=spread + 0.02 * z_plus + 5e-5)
    assert minus.Z_TT == pytest.approx(z_minus, abs=spread + 0.02 * z_minus + 5e-5)
    # An event's F of pions or nucleons is spread by no more than about 0.3.
    spread = 3.5 * 0.3 / math.sqrt(events)
    for got, expected in ((plus.F_ET, f_plus), (minus.F_ET, f_minus)):
        assert got == pytest.approx(expected, abs=spread + 0.02 * expected)
    for code, expected in ((P, f_p), (N, f_n)):
        assert model.moments(P, code, T).F_TT == pytest.approx(expected, abs=spread + 0.02 * expected)


@pytest.mark.parametrize("name", GENERATOR_TABLES)
@pytest.mark.parametrize("projectile", [P, PIP, KP, KM])
def test_nothing_jumps(name, projectile):
    """Also not between UrQMD and Sibyll, 60-80 GeV: half the step in energy is half the step in every moment."""
    model = MODELS[name]
    for secondary in (P, N, PIP, PIM):
        for field in ("multiplicity", "F_TT", "Z_TT"):
            steps = []
            for number in (100, 199):
                T = np.geomspace(50.0, 95.0, number)
                values = np.array([getattr(model.moments(projectile, secondary, t), field) for t in T])
                steps.append(np.max(np.abs(np.diff(values))))
            assert steps[1] < 0.55 * steps[0]


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("projectile", range(N_PROJECTILES))
def test_energy_is_not_made(name, projectile):
    """By no model as it is by default (``printed`` gives nucleons up to 5.4 % too much, hadronic.definitions)."""
    for T in np.geomspace(0.3, 1e6, 40):
        assert 0.3 < MODELS[name].energy_balance(projectile, float(T)) < 1.02
    for T in (10.0, 100.0, 1e4):
        assert MODELS[name].energy_balance(projectile, T) > 0.8


@pytest.mark.parametrize("name", GENERATOR_TABLES)
@pytest.mark.parametrize("T", [0.5, 5.0, 70.0, 1e4])
def test_mirrors(name, T):
    model = MODELS[name]
    for secondary, mirrored in ((PIP, PIM), (PIM, PIP), (P, N), (N, P), (PI0, PI0), (KP, KP), (LAMBDA, LAMBDA)):
        a, b = model.moments(P, secondary, T), model.moments(N, mirrored, T)
        if secondary != KP:
            assert a.F_TT == pytest.approx(b.F_TT, rel=1e-9)
        if secondary != KP:
            a, b = model.moments(PIP, secondary, T), model.moments(PIM, mirrored, T)
            assert a.Z_TT == pytest.approx(b.Z_TT, rel=1e-9)
            long = model.moments(KL, secondary, T).F_TT
            plus, minus = (model.moments(one, mirrored, T).F_TT for one in (KP, KM))
            assert long == pytest.approx(0.5 * (plus + minus), rel=1e-9)
    # Neutrons make K0 as protons K+ and K-, and K+ and K- together as protons K0 (T/T, so only nearly with masses).
    plus, minus = (model.moments(P, one, T).F_TT for one in (KP, KM))
    assert model.moments(N, KL, T).F_TT == pytest.approx(0.5 * (plus + minus), rel=1e-9)
    neutral = 2.0 * model.moments(P, KL, T).F_TT
    assert sum(model.moments(N, one, T).F_TT for one in (KP, KM)) == pytest.approx(neutral, rel=0.03, abs=1e-6)
    # Kaons of a K+, a K- and a K0L are as many.
    kaons = [sum(model.moments(one, code, T).F_TT for code in range(KP, LAMBDA)) for one in (KP, KM, KL)]
    assert kaons[2] == pytest.approx(0.5 * (kaons[0] + kaons[1]), rel=1e-9)


@pytest.mark.parametrize("name", GENERATOR_TABLES)
def test_tables_say_where_they_are_from(name):
    model, file = MODELS[name], FILES[name]
    assert len(model.provenance["hadronic_table_sha256"]) == 64
    assert "chromo: 0.11" in model.provenance["hadronic_table_provenance"]
    assert file.provenance["runs"]
    assert model.definition == "generator"
    with pytest.raises(HadronicInputError, match="has no definition 'kinetic'; allowed: generator"):
        load_model(name, "kinetic")


def test_cross_sections_are_the_generators_own():
    """Production on nitrogen times 1.023; docs/reports/hadronic-inputs.md section 6, in mb."""
    for T, sigma in ((300.0, 269.5), (1e3, 277.2), (1e4, 298.2), (1e5, 325.3)):
        length = interaction_length(MODELS["urqmd-sibyll"].tables, P, math.log(T))
        assert 24144.0 / length == pytest.approx(1.023 * sigma, rel=2e-3)
    for T, sigma in ((3.0, 237.0), (10.0, 247.0), (100.0, 255.0), (1e4, 300.0)):
        length = interaction_length(MODELS["pythia8"].tables, P, math.log(T))
        assert 24144.0 / length == pytest.approx(1.023 * sigma, rel=3e-3)
    for name in ("urqmd-sibyll", "accelerator"):
        # Pythia's at 3 GeV, and between Pythia's 253 and the 264 that would meet Sibyll at 10 GeV
        for T, sigma in ((3.0, 242.8), (10.0, 257.2), (80.0, 271.3)):
            length = interaction_length(MODELS[name].tables, P, math.log(T))
            assert 24144.0 / length == pytest.approx(sigma, rel=2e-3)
    for name in GENERATOR_TABLES:
        T = np.geomspace(1.0, 1e6, 3000)
        lengths = [interaction_length(MODELS[name].tables, PIP, math.log(one)) for one in T]
        # ln T rises by 0.0046: a slope of 1 at most (pions on the resonances).
        assert np.max(np.abs(np.diff(np.log(lengths)))) < 5e-3


def test_the_old_name_says_the_new_one():
    with pytest.raises(HadronicInputError, match="'fluka-z-muon' has been replaced by 'muon-tuned'"):
        load_model("fluka-z-muon")


def test_species_of_files_are_known():
    assert all(IS_BARYON[species_code(name)] == (name in ("p", "n", "Lambda")) for name in SPECIES if name != "K0")
