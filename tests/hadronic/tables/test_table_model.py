"""Tables of yields from a known "generator": histograms, join, file, loader, kernels."""

import math
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hadronic.builders.prompt_decays import MODES, decay_all, mass_of
from hadronic.builders.yield_histograms import NodeHistogram, angle_variable, without_elastic
from hadronic.builders.yield_join import Run, collect, join
from hadronic.errors import HadronicInputError
from hadronic.fluka.fluka_z import LG_T_NODES
from hadronic.interaction import kernels
from hadronic.models import load_model
from hadronic.moments import Moments
from hadronic.observables.transverse import mean_pT
from hadronic.observables.zfactors import sample_moments
from hadronic.species import IS_BARYON, KP, MASS_GEV, PDG_IDS, PIM, PIP, N, P
from hadronic.tables.table_model import build_table_model
from hadronic.tables.yield_file import read_yield_file, write_yield_file
from hadronic.tables.yield_rows import ROWS, SPECIES

sys.path.insert(0, str(next(folder for folder in Path(__file__).parents if (folder / "synthetic.py").exists())))
import synthetic

EVENTS = 4000


@pytest.fixture(scope="module")
def content():
    return synthetic.synthetic_file(EVENTS)


@pytest.fixture(scope="module")
def model(content, tmp_path_factory):
    path = tmp_path_factory.mktemp("yields") / "synthetic.h5"
    write_yield_file(path, content)
    return load_model(table=path)


@pytest.mark.parametrize("T", synthetic.ENERGIES_GEV)
def test_the_table_has_the_moments_of_the_generator(content, model, T):
    """1 % for the bins and the quantiles, three standard errors for the 4000 events."""
    node = content.projectiles["p"].T_GeV.tolist().index(T)
    for name, code in (("p", P), ("pi+", PIP), ("pi-", PIM)):
        events, errors = (
            getattr(content.projectiles["p"], key)[node, SPECIES.index(name)] for key in ("moments", "moment_errors")
        )
        np.testing.assert_allclose(model.moments(P, code, T), events[:7], rtol=0.01)
        a, b = synthetic.NUCLEON_BETA if name == "p" else synthetic.PION_BETA
        mean = {"p": 1.0, "pi+": synthetic.MEAN_PI_PLUS, "pi-": synthetic.MEAN_PI_MINUS}[name]
        # Nucleons below 0.1 GeV are left out of the table: 1 GeV is not compared.
        if name != "p" or T > 1.0:
            assert events[1] == pytest.approx(mean * a / (a + b), abs=3.5 * errors[1])


def test_sampled_moments_are_the_table_s(model):
    sampled = sample_moments(model, P, 50.0, 50_000)
    for code in (P, PIP, PIM):
        exact = model.moments(P, code, 50.0)
        for field in Moments._fields:
            value, error = getattr(sampled.of(code), field), getattr(sampled.error_of(code), field)
            assert abs(value - getattr(exact, field)) <= 4.0 * error + 1e-12


def test_leading_particles_have_rows_of_their_own(content):
    one = content.projectiles["p"]
    numbers = one.counts.sum(axis=2) / one.events
    assert numbers[1, ROWS.index("p leading")] == pytest.approx(1.0, abs=0.01)  # 10 GeV: some are below 0.1 GeV
    assert numbers[:, ROWS.index("p")].max() == 0.0
    pions = content.projectiles["pi+"]
    leading = pions.counts[:, ROWS.index("pi+ leading")].sum(axis=1) / EVENTS
    np.testing.assert_allclose(leading, 1.0 - math.exp(-2.0), atol=4.0 * math.sqrt(0.12 / EVENTS))


def test_the_parametric_angle_is_a_scale_of_one(content):
    tables = build_table_model(content, LG_T_NODES)
    scales = tables.angle_scale
    assert scales.shape[2:] == (20, kernels.N_ANGLE_QUANTILES)
    # A scale is a quantile of some 500 exponential numbers at least: 4 sigma of the median, 1 / sqrt(500) / ln 2.
    assert np.all(np.abs(scales[:, :, :, 6] - 1.0) < 0.3)
    assert np.mean(scales[:, :, :, 1:10]) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("scale", [1.0, 0.5])
@pytest.mark.parametrize("T", [10.0, 1e5])
def test_mean_pT_is_that_of_the_events(T, scale):
    content = synthetic.synthetic_file(EVENTS, scale, seed=7)
    tables = build_table_model(content, LG_T_NODES)
    one = content.projectiles["p"]
    node = one.T_GeV.tolist().index(T)
    model = load_model("fluka-z", "printed")
    model = type(model)("t", "generator", "", tables)
    for name, code in (("p", P), ("pi+", PIP)):
        sums, errors = one.moments[node, SPECIES.index(name)], one.moment_errors[node, SPECIES.index(name)]
        expected = sums[7] / sums[0]
        assert mean_pT(model, P, code, T) == pytest.approx(expected, rel=0.02 + 3.0 * errors[7] / sums[7])


def test_drawn_angles_have_the_mean_pT(model):
    rng = np.random.default_rng(3)
    tables, T = model.tables, 1e3
    node = int(np.argmin(np.abs(tables.ln_T - math.log(T))))
    slots = [s for s in range(*tables.slot_offset[P : P + 2]) if tables.slot_species[s] == PIP]
    total, number = 0.0, 20_000
    for _ in range(number):
        x = kernels.sample_x(tables, slots[0], node, rng.random())
        p = kernels.momentum(MASS_GEV[PIP], x * T)
        cos, sin = kernels.yield_angle(tables, slots[0], node, x, p, rng.random())
        assert cos * cos + sin * sin == pytest.approx(1.0, abs=1e-12)
        total += p * sin
    # The spread of pT is about its mean.
    assert total / number == pytest.approx(mean_pT(model, P, PIP, T), rel=0.03)


@settings(max_examples=200, deadline=None)
@given(x=st.floats(1e-6, 1.0), u=st.floats(0.0, 1.0, exclude_max=True), node=st.integers(0, LG_T_NODES.size - 1))
def test_tabulated_angles_are_angles_and_grow_with_u(model, x, u, node):
    tables = model.tables
    p = kernels.momentum(MASS_GEV[PIP], x * math.exp(tables.ln_T[node]))
    slot = int(tables.slot_offset[P])
    cos, sin = kernels.yield_angle(tables, slot, node, x, p, u)
    assert -1.0 <= cos <= 1.0
    assert 0.0 <= sin <= 1.0
    assert kernels.yield_angle(tables, slot, node, x, p, 0.0) == (1.0, 0.0)


def test_parametric_models_draw_the_angles_they_drew():
    tables = load_model("fluka-z", "printed").tables
    assert tables.angle_scale.size == 0
    for slot in range(0, tables.slot_species.size, 7):
        species = int(tables.slot_species[slot])
        for p in (0.01, 0.5, 30.0):
            for u in (0.0, 0.3, 0.999):
                assert kernels.yield_angle(tables, slot, 50, 0.1, p, u) == kernels.polar_angle(species, p, u)


def test_angle_variable_of_the_parametric_law_is_minus_ln_one_minus_u():
    u = np.array([1e-6, 0.2, 0.9, 0.99999])
    for code in (P, PIP, KP):
        for p in (0.05, 0.5, 5.0, 1e4):
            w = np.array([kernels.one_minus_cos_theta(code, p, one) for one in u])
            s = angle_variable(np.full(4, code), np.full(4, p), w)
            np.testing.assert_allclose(s, -np.log1p(-u), rtol=1e-4)


def test_below_the_first_node_mesons_fall_to_threshold(model):
    tables = model.tables
    T = np.exp(tables.ln_T[tables.ln_T < 0.0])
    values = [model.moments(P, PIP, t) for t in T]
    numbers = np.array([one.multiplicity for one in values])
    assert numbers[0] == 0.0
    assert np.all(np.diff(numbers) > 0.0)
    # Number and energy of each fall: 0.4 GeV at 1 GeV, quadratically to the threshold.
    assert all(one.F_TT * t < 0.42 * ((t - 0.27) / 0.72) ** 2 for one, t in zip(values, T, strict=True))
    above = model.moments(P, PIP, 1.02).multiplicity
    assert model.moments(P, PIP, 0.98).multiplicity == pytest.approx(above, rel=0.06)


def test_two_seeds_add_and_the_same_twice_is_refused():
    script = synthetic.load_script()
    runs = [
        Run("S", "S-1", script.fill(synthetic.SyntheticSource(k), "p", 10.0, 500, np.random.default_rng(1)), 1.0, [k])
        for k in (1, 2)
    ]
    assert collect(runs)["S", "p"][10.0].histogram.events == 1000
    again = Run("S", "S-1", NodeHistogram("p", 10.0, 5), 1.0, [2])
    with pytest.raises(HadronicInputError, match=r"S p 10 GeV: seed 2 is there twice"):
        collect([*runs, again])
    with pytest.raises(HadronicInputError, match="recipe 'x' is not one of"):
        join([], "x", "x", {})
    with pytest.raises(HadronicInputError, match="no runs of UrQMD34 with p"):
        join([], "urqmd-sibyll", "x", {})


def test_elastic_events_are_taken_out():
    m = float(MASS_GEV[PIP])
    event = np.array([0, 0, 1, 2, 2])
    pdg = np.array([211, 2212, 211, 211, -211])
    energy = np.array([9.5, 1.0, 5.0, 9.0, 0.5]) + m
    four = np.column_stack((energy, np.zeros(5), np.zeros(5), np.sqrt(energy**2 - m**2)))
    assert without_elastic(event, pdg, four, 10.0, 4).tolist() == [False, True, True, True]


@pytest.mark.parametrize("parent", MODES)
def test_decays_conserve_four_momentum_and_leave_nothing_unstable(parent):
    rng = np.random.default_rng(5)
    n = 400
    mass = mass_of(parent)
    vector = rng.normal(size=(n, 3)) * 3.0
    four = np.column_stack((np.sqrt(mass**2 + (vector**2).sum(axis=1)), vector))
    event, pdg, made = decay_all(np.arange(n), np.full(n, parent), four, rng)
    assert not np.isin(pdg, list(MODES)).any()
    for k in range(4):
        total = np.bincount(event, weights=made[:, k], minlength=n)
        np.testing.assert_allclose(total, four[:, k], atol=2e-3 * four[:, 0].max())
    masses = np.array([mass_of(int(one)) for one in pdg])
    np.testing.assert_allclose(made[:, 0] ** 2 - (made[:, 1:] ** 2).sum(axis=1), masses**2, atol=1e-6)


BREAK = {
    "no format": lambda f: f.attrs.pop("format"),
    "another format": lambda f: f.attrs.update(format="x"),
    "another version": lambda f: f.attrs.update(version=99),
    "no projectile": lambda f: f.pop("K-"),
    "no T": lambda f: f.pop("p/T_GeV"),
    "no counts": lambda f: f.pop("p/counts"),
    "no cross section": lambda f: f.pop("pi+/sigma_mb"),
    "T falls": lambda f: _put(f, "p/T_GeV", f["p/T_GeV"][()][::-1]),
    "T not finite": lambda f: _put(f, "p/T_GeV", [1.0, math.nan, 3.0, 4.0]),
    "T of text": lambda f: _put(f, "p/T_GeV", ["a", "b"]),
    "T too low": lambda f: _put(f, "p/T_GeV", [1e-3, 1.0, 10.0, 100.0]),
    "x above 1": lambda f: _put(f, "x_edges", 1.5 * f["x_edges"][()]),
    "x falls": lambda f: _put(f, "x_edges", f["x_edges"][()][::-1]),
    "x of zero": lambda f: _put(f, "x_edges", np.append(0.0, f["x_edges"][()][1:])),
    "negative counts": lambda f: _put(f, "p/counts", -f["p/counts"][()]),
    "counts not finite": lambda f: _put(f, "K+/counts", f["K+/counts"][()] + np.inf),
    "counts of another shape": lambda f: _put(f, "p/counts", f["p/counts"][()][:, :, 1:]),
    "counts without rows": lambda f: _put(f, "p/counts", np.ones(4)),
    "nothing made": lambda f: _put(f, "p/counts", 0.0 * f["p/counts"][()]),
    "events of zero": lambda f: _put(f, "p/events", 0.0 * f["p/events"][()]),
    "too many": lambda f: _put(f, "p/events", 1e-4 * f["p/events"][()]),
    "angles of another shape": lambda f: _put(f, "p/angle_counts", f["p/angle_counts"][()][..., 1:]),
    "angles of two dimensions": lambda f: _put(f, "p/angle_counts", f["p/angle_counts"][()][..., 0, 0]),
    "cross section of zero": lambda f: _put(f, "p/sigma_mb", 0.0 * f["p/sigma_mb"][()]),
    "unknown row": lambda f: _put(f, "rows", ["p", "quark"]),
    "row twice": lambda f: _put(f, "rows", ["p"] * len(ROWS)),
    "a group for a dataset": lambda f: (f.pop("p/counts"), f.create_group("p/counts")),
    "a dataset for a group": lambda f: (f.pop("p"), f.create_dataset("p", data=1.0)),
    "sources of another number": lambda f: _put(f, "p/sources", ["a"]),
    "provenance not JSON": lambda f: f.attrs.update(provenance="{"),
}


def _put(file, name, values):
    del file[name]
    file[name] = values


@pytest.mark.parametrize("kind", BREAK)
def test_a_bad_file_is_one_clear_line(content, tmp_path, kind):
    path = tmp_path / "bad.h5"
    write_yield_file(path, content)
    with h5py.File(path, "r+") as file:
        BREAK[kind](file)
    with pytest.raises(HadronicInputError) as caught:
        load_model(table=path)
    assert "\n" not in str(caught.value)
    assert str(path) in str(caught.value)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.floats(0.0, 1.0), byte=st.integers(0, 255), length=st.floats(0.0, 1.0))
def test_a_damaged_file_is_read_or_refused_in_one_line(content, tmp_path, place, byte, length):
    path = tmp_path / "damaged.h5"
    if not path.exists():
        write_yield_file(path, content)
    data = bytearray(path.read_bytes())
    data[int(place * (len(data) - 1))] = byte
    if length < 0.3:
        data = data[: int(length * len(data))]
    other = tmp_path / "other.h5"
    other.write_bytes(bytes(data))
    assert "\n" not in _outcome(other)


def _outcome(path):
    try:
        read_yield_file(path)
    except HadronicInputError as exc:
        return str(exc)
    return "read"


def test_no_file_a_folder_and_a_text(tmp_path):
    (tmp_path / "text.h5").write_text("hello")
    for path in (tmp_path / "none.h5", tmp_path, tmp_path / "text.h5"):
        with pytest.raises(HadronicInputError, match=str(path)):
            load_model(table=path)
    with pytest.raises(HadronicInputError, match="not both"):
        load_model("fluka-z", table=tmp_path)
    with pytest.raises(HadronicInputError, match="needs a file"):
        load_model("table")


def test_a_file_with_few_rows_and_no_angles_is_enough(content, tmp_path):
    """What a user has at least: counts in x of the species that matter."""
    path = tmp_path / "small.h5"
    write_yield_file(path, content)
    keep = [ROWS.index(name) for name in ("p leading", "pi+", "pi-")]
    with h5py.File(path, "r+") as file:
        _put(file, "rows", [ROWS[i] for i in keep])
        for name in ("p", "pi+", "K+", "K-"):
            for key in ("counts", "events"):
                _put(file, f"{name}/{key}", file[f"{name}/{key}"][()][:, keep])
            for key in ("angle_counts", "moments", "moment_errors", "other", "sources"):
                del file[f"{name}/{key}"]
        del file["s_edges"]
    model = load_model(table=path)
    assert model.tables.angle_scale.size == 0
    assert model.moments(P, PIP, 100.0).multiplicity == pytest.approx(synthetic.MEAN_PI_PLUS, rel=0.1)
    assert model.provenance["hadronic_table_sha256"]


def test_the_file_is_what_was_written(content, tmp_path):
    path = tmp_path / "again.h5"
    write_yield_file(path, content)
    again = read_yield_file(path)
    assert again.name == content.name
    assert again.provenance == content.provenance
    for name, one in content.projectiles.items():
        np.testing.assert_allclose(again.projectiles[name].counts, one.counts, rtol=1e-6)
        assert again.projectiles[name].sources == one.sources


def test_mirrors_of_a_table(model):
    for T in (0.5, 30.0, 3e4):
        for secondary, mirrored in ((PIP, PIM), (PIM, PIP), (P, N), (N, P)):
            a, b = model.moments(P, secondary, T), model.moments(N, mirrored, T)
            assert a.F_TT == pytest.approx(b.F_TT, rel=1e-9)
            a, b = model.moments(PIP, secondary, T), model.moments(PIM, mirrored, T)
            assert a.Z_TT == pytest.approx(b.Z_TT, rel=1e-9)
    assert PDG_IDS[PIP] == 211
    assert IS_BARYON[P]
