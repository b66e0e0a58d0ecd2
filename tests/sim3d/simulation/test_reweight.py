"""Reweighting: the same model gives the run back bitwise, another one what a run of it gives within errors."""

import json

import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files.file_names import events_path
from sim3d.files.result_file import read_result, write_result
from sim3d.primaries.build import primary_model
from sim3d.primaries.catalogue import MODELS
from sim3d.primaries.groups import GROUPS
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.scoring.hit_weights import (
    _REFERENCE,
    LOG2_LOWEST,
    N_DECADES,
    N_WEIGHTS,
    WEIGHTS_PER_OCTAVE,
    decades_of_bins,
)
from sim3d.simulation.checkpoint import resume_point
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.reweight import check_groups, flux_ratio, reweight

DATA = {"run": {"seed": 5, "primaries": 4800, "batch_size": 200}, "primaries": {"energy_GeV": [1.0, 1000.0]}}
SITES = [{"name": "kamioka", "patch": {"radius_deg": 40}}]
MODES = {
    "targeted": {"sites": SITES},
    "analog": {"sampling": {"mode": "analog"}, "sites": SITES},
    "rotated": {"sampling": {"mode": "rotated"}, "transport": {"bending": False}, "sites": SITES},
}
OTHER = {"model": "ghls2001-low", "solar": "max"}


def config(mode, events=True, seed=5, **primaries):
    run = {**DATA["run"], "seed": seed}
    scoring = {"energy_min_GeV": 0.3, "events": events}
    primaries = {**DATA["primaries"], **primaries}
    return make_config(with_earlier_inputs({**MODES[mode], "run": run, "primaries": primaries, "scoring": scoring}))


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """``stored(mode)``: the file of a run with event records."""
    made = {}

    def get(mode):
        if mode not in made:
            made[mode] = tmp_path_factory.mktemp("reweight") / f"{mode}.h5"
            run_to_file(config(mode), made[mode], threads=2)
        return made[mode]

    return get


@pytest.mark.parametrize("mode", MODES)
def test_the_same_model_gives_the_run_back(stored, tmp_path, mode):
    """Bitwise, all datasets: those of a run without event records."""
    plain, same = tmp_path / "plain.h5", tmp_path / "same.h5"
    run_to_file(config(mode, events=False), plain, threads=2)
    write_result(reweight(stored(mode), "ghls2001-average"), same)
    one, two = read_result(plain), read_result(same)
    for mine, theirs in zip(one.tallies, two.tallies, strict=True):
        for name, array in mine.arrays().items():
            assert np.array_equal(array, theirs.arrays()[name]), name
    assert np.array_equal(one.watch_sums, two.watch_sums)
    assert one.counters == two.counters
    assert one.config == two.config


@pytest.mark.parametrize("mode", MODES)
def test_weights_are_those_of_primaries(stored, mode):
    """The histogram of a run is that of its records, added by primary; there are fewer primaries than hits."""
    result = sim3d.load(stored(mode))
    assert result.record.weights_of == "primaries"
    rows = np.concatenate(list(result.events()))
    # the score is stored in double precision, so the sums are the kernel's but for their order
    value = rows["score"] * DATA["run"]["batch_size"] / _REFERENCE[rows["energy_bin"]]
    key = rows["primary"], rows["flavour"].astype(int), decades_of_bins()[rows["energy_bin"]]
    places, inverse = np.unique(np.stack(key), axis=1, return_inverse=True)
    of_primary = np.bincount(inverse.ravel(), value)
    expected = np.zeros((4, N_DECADES, N_WEIGHTS), dtype=np.int64)
    place = np.clip(((np.log2(of_primary) - LOG2_LOWEST) * WEIGHTS_PER_OCTAVE).astype(int), 0, N_WEIGHTS - 1)
    np.add.at(expected, (places[1], places[2], place), 1)
    weights = result.hit_weights("kamioka")
    assert weights.sum() < len(rows)
    # rounding may move a primary to the next bin
    assert np.abs(np.cumsum(weights, axis=-1) - np.cumsum(expected, axis=-1)).max() <= 1


def test_what_is_dropped_is_named_and_not_counted(stored, monkeypatch):
    """Muons and heights of a run are not in its event records."""

    def with_muons(path):
        record = read_result(path)
        scoring = record.config.scoring.model_copy(update={"muons": True, "heights": True})
        record.config = record.config.model_copy(update={"scoring": scoring})
        record.counters |= {"muon_primaries": 11, "muon_crossings": 7}
        record.models["muon_altitudes_km"] = [0.0]
        return record

    plain = reweight(stored("targeted"), solar="max")
    assert "reweighted_without" not in plain.provenance
    monkeypatch.setattr("sim3d.simulation.reweight.read_result", with_muons)
    new = reweight(stored("targeted"), solar="max")
    assert new.provenance["reweighted_without"] == "scoring.muons, scoring.heights"
    assert new.counters == plain.counters
    assert new.counters["muon_crossings"] == 0
    assert new.counters["primaries"] == 4800
    assert "muon_altitudes_km" not in new.models
    assert not new.config.scoring.muons
    assert not Result(new).attributes["muon_crossings"]


def means(result):
    """Flux of numu + numubar and nue + nuebar over directions, 0.3-1 and 1-10 GeV, with jackknife errors."""
    groups = result.groups_east_west("kamioka")
    width = np.diff(result.energy_edges_GeV)
    centre = np.sqrt(result.energy_edges_GeV[1:] * result.energy_edges_GeV[:-1])
    out = []
    for low, high in ((0.3, 1.0), (1.0, 10.0)):
        inside = np.where((centre > low) & (centre < high), width, 0.0)
        sums = np.einsum("gfeca,e->gf", groups, inside)
        for pair in (slice(0, 2), slice(2, 4)):
            out.append(jackknife(lambda m, pair=pair: m[pair].sum(), sums, result.group_weights))
    values, errors = np.array(out).T
    return values, errors


@pytest.mark.parametrize("mode", MODES)
def test_another_model_as_a_run_of_it(stored, tmp_path, mode):
    """Low fits at solar maximum against a run of them with another seed; and the effect itself is seen."""
    run_to_file(config(mode, events=False, seed=6, **OTHER), tmp_path / "run.h5", threads=2)
    run, run_error = means(sim3d.load(tmp_path / "run.h5"))
    new, new_error = means(Result(reweight(stored(mode), **OTHER)))
    old, _ = means(sim3d.load(stored(mode)))
    assert np.all(np.abs(new - run) < 4.0 * np.hypot(new_error, run_error)), (new, run, new_error, run_error)
    assert np.all(new_error < 0.3 * new)
    assert np.all(new / old < 0.97)
    assert np.all(new / old > 0.5)


def test_there_and_back(stored, tmp_path):
    """A run of the other model reweighted to ours has the fluxes of the other direction, record by record."""
    records = np.concatenate(list(sim3d.load(stored("rotated")).events()))
    here, there = primary_model("ghls2001-average", "fit"), primary_model("ghls2001-low", "max")
    ratio = flux_ratio(records, there, here)
    assert np.all(flux_ratio(records, here, here) == 1.0)
    assert ratio * flux_ratio(records, here, there) == pytest.approx(1.0, rel=1e-12)
    mass = {1: "p", 4: "He", 14: "CNO", 26: "MgSi", 50: "Fe"}
    for row, value in list(zip(records, ratio, strict=True))[::500]:
        group, energy = mass[int(row["primary_mass_number"])], float(row["primary_energy_GeV"])
        assert value == pytest.approx(there.flux(group, energy) / here.flux(group, energy), rel=1e-12)


def test_every_model_has_all_groups_at_all_energies():
    """What reweighting needs: no model is zero where another one is not."""
    energies = np.geomspace(0.3, 1e6, 60)
    for name in MODELS:
        for potential in (0.0, 491.0, 3000.0):
            for group in GROUPS:
                flux = primary_model(name, potential).flux(group, energies)
                assert np.all(np.isfinite(flux))
                assert np.all(flux > 0.0)


def test_models_of_libraries(stored):
    """The ratio is that of the fluxes; a model that lacks nuclei cannot be reweighted to one that has them."""
    for library in ("crflux", "globalsplinefit"):
        pytest.importorskip(library, reason=f"{library} is not installed (pip install 'sim3d[primaries]')")
    here, there = primary_model("ghls2001-average"), primary_model("gsf:2026.1", "date", "2014-02-01")
    records = np.concatenate(list(sim3d.load(stored("rotated")).events()))[::200]
    mass = {1: "p", 4: "He", 14: "CNO", 26: "MgSi", 50: "Fe"}
    for row, value in zip(records, flux_ratio(records, there, here), strict=True):
        group, energy = mass[int(row["primary_mass_number"])], float(row["primary_energy_GeV"])
        assert value == pytest.approx(there.flux(group, energy) / here.flux(group, energy), rel=1e-12)
    record = reweight(stored("rotated"), "gsf:2026.1")
    assert "globalsplinefit" in record.models["primary_source"]
    check_groups(primary_model("crflux:TIG"), here, (0.5, 1e6))
    with pytest.raises(InputError, match=r"He nuclei.*crflux:TIG has none"):
        check_groups(here, primary_model("crflux:TIG"), (0.5, 1e6))


def test_the_command(stored, tmp_path, capsys):
    """A result like any other, which says what it was made of; a run does not go on from it."""
    out = tmp_path / "out.h5"
    arguments = ["reweight", str(stored("rotated")), "--model", "ghls2001-high", "--solar", "800", "-o", str(out)]
    assert cli.main([*arguments, "--json"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    document = json.loads(captured.out)
    assert document["attributes"]["primary_model"] == "ghls2001-high"
    assert document["attributes"]["solar_potential_MV"] == 800.0
    assert document["attributes"]["reweighted_from_primary_model"] == "ghls2001-average"
    assert document["attributes"]["reweighted_from_file"] == "rotated.h5"
    assert document["config"]["primaries"]["model"] == "ghls2001-high"
    assert document["config"]["scoring"]["events"] is False
    assert document["event_records"] is None
    assert cli.main(["info", "--verify", str(out)]) == 0
    capsys.readouterr()
    assert cli.main(["info", "--verify", "--json", str(stored("rotated"))]) == 0
    digest = json.loads(capsys.readouterr().out)["data_sha256"]
    assert document["attributes"]["reweighted_from_data_sha256"] == digest
    for command in (["tables", str(out), "-o", str(tmp_path)], ["asymmetry", str(out)], ["info", str(out)]):
        assert cli.main(command) == 0
    assert cli.main([*arguments]) == 2
    assert "--force" in capsys.readouterr().err
    record = read_result(out)
    models = {key: value for key, value in record.models.items() if not key.startswith("reweighted")}
    with pytest.raises(InputError, match=r"^reweighted_from_data_sha256: is None now"):
        resume_point(out, record.config, models, record.detectors)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ([], "--model, --solar, --set: give at least one of them"),
        (["--model", "ghls"], "--model: 'ghls', allowed: ghls2001-average, ghls2001-high, ghls2001-low"),
        (["--solar", "noon"], "--solar: 'noon', allowed: fit, min, max, date, or a potential of 0 to 3000 MV"),
        (["--solar", "nan"], "--solar: 'nan'"),
        (["--solar", "3001"], "--solar: '3001'"),
    ],
)
def test_wrong_options(stored, tmp_path, capsys, options, message):
    out = tmp_path / "out.h5"
    assert cli.main(["reweight", str(stored("rotated")), *options, "-o", str(out)]) == 2
    captured = capsys.readouterr()
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert not out.exists()


def test_wrong_files(stored, tmp_path, capsys):
    """Without records, without the event file, onto itself, no file at all."""
    path, out = tmp_path / "run.h5", tmp_path / "out.h5"
    more = ["--solar", "max", "-o"]
    for content, target, message in (
        (None, out, "run.h5: no such file"),
        (stored("rotated").read_bytes(), out, "run.events.h5: no such file"),
        (stored("rotated").read_bytes(), path, "is an input of this command"),
    ):
        if content is not None:
            path.write_bytes(content)
        assert cli.main(["reweight", str(path), *more, str(target), "--force"]) == 2
        captured = capsys.readouterr()
        assert message in captured.err
        assert captured.err.count("\n") == 1
        assert not out.exists()
    events_path(path).write_bytes(events_path(stored("rotated")).read_bytes())
    assert cli.main(["reweight", str(path), *more, str(out)]) == 0
    capsys.readouterr()
    assert cli.main(["reweight", str(out), *more, str(path), "--force"]) == 2
    assert "has no event records" in capsys.readouterr().err
