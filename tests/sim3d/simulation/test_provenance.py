"""Runs with every hadronic model, a table file in a configuration, and `sim3d zfactors --all`."""

import csv
import json
import shutil
from importlib import resources

import numpy as np
import pytest

import sim3d
from hadronic.models import load_model, model_names
from hadronic.species import PIP, P
from sim3d.cli import main
from sim3d.config.load import load_config, make_config
from sim3d.errors import InputError
from sim3d.simulation.engine import run_to_file, simulate
from sim3d.simulation.setup import make_setup

SMALL = {
    "run": {"seed": 4, "primaries": 400, "batch_size": 100},
    "primaries": {"energy_GeV": [5.0, 1000.0], "solar": "max"},
    "field": {"date": "2015-01-01"},
    "sites": [{"name": "kamioka", "patch": {"radius_deg": 40}}],
}
MODES = {
    "targeted": {},
    "analog": {"sampling": {"mode": "analog"}},
    "rotated": {"sampling": {"mode": "rotated"}, "transport": {"bending": False}},
}


def config(mode, hadronic):
    return make_config({**SMALL, **MODES[mode], "hadronic": hadronic})


@pytest.fixture
def own_table(tmp_path):
    path = tmp_path / "mine.h5"
    with resources.as_file(resources.files("hadronic").joinpath("tables", "pythia8.h5")) as shipped:
        shutil.copy(shipped, path)
    return path


@pytest.mark.parametrize("mode", MODES)
def test_every_model_runs_in_every_mode(mode):
    sums = {}
    for name in model_names():
        record = simulate(config(mode, {"model": name}), threads=1)
        assert record is not None
        assert not record.failure
        assert record.models["hadronic_model"] == name
        sums[name] = float(record.tallies[0].plain_sum().sum())
        assert np.isfinite(sums[name])
        assert sums[name] > 0.0
    assert len(set(sums.values())) == len(sums)


def test_a_table_of_one_s_own_is_the_model_it_is(own_table):
    """The shipped file under another path gives bit for bit what the model gives."""
    ours, theirs = (
        simulate(config("rotated", table), threads=1).tallies[0].plain_sum()
        for table in ({"model": "table", "table": str(own_table)}, {"model": "pythia8"})
    )
    np.testing.assert_array_equal(ours, theirs)


def test_a_table_is_found_beside_its_configuration(tmp_path):
    file = tmp_path / "run.toml"
    file.write_text('[hadronic]\nmodel = "table"\ntable = "mine.h5"\n[[sites]]\nname = "sno"\n')
    assert load_config(file).hadronic.table == str(tmp_path / "mine.h5")


@pytest.mark.parametrize("hadronic", [{"model": "table"}, {"table": "a.h5"}, {"model": "pythia8", "table": "a.h5"}])
def test_model_and_table_go_together(hadronic):
    with pytest.raises(InputError, match=r'hadronic.*model = "table" and table = "FILE.h5" go together'):
        config("rotated", hadronic)


def test_a_missing_table_and_the_old_name_are_one_line(tmp_path, capsys):
    for hadronic, words in (
        (f'model = "table"\ntable = "{tmp_path}/none.h5"', "none.h5: no such file"),
        ('model = "fluka-z-muon"', "has been replaced by 'muon-tuned'"),
        ('model = "pythia8"\ndefinition = "kinetic"', "has no definition 'kinetic'"),
    ):
        file = tmp_path / "run.toml"
        file.write_text(f'[hadronic]\n{hadronic}\n[[sites]]\nname = "sno"\n')
        assert main(["run", str(file), "-o", str(tmp_path / "run.h5")]) == 2
        lines = [line for line in capsys.readouterr().err.splitlines() if line]
        assert len(lines) == 1
        assert words in lines[0]


def test_results_know_their_table_and_go_on_with_no_other(own_table, tmp_path):
    path = tmp_path / "run.h5"
    wanted = config("rotated", {"model": "table", "table": str(own_table)})
    models = make_setup(wanted).models
    assert len(models["hadronic_table_sha256"]) == 64
    assert "target: N14" in models["hadronic_table_provenance"]
    run_to_file(wanted, path, threads=1)
    assert sim3d.load(path).attributes["hadronic_table_sha256"] == models["hadronic_table_sha256"]
    longer = {**SMALL, **MODES["rotated"], "run": {**SMALL["run"], "primaries": 600}}
    moved = own_table.with_name("moved.h5")
    own_table.rename(moved)
    longer["hadronic"] = {"model": "table", "table": str(moved)}
    assert run_to_file(make_config(longer), path, threads=1, resume=True) == "complete"
    with resources.as_file(resources.files("hadronic").joinpath("tables", "urqmd-sibyll.h5")) as shipped:
        shutil.copy(shipped, moved)
    with pytest.raises(InputError, match="hadronic_"):
        run_to_file(make_config(longer), path, threads=1, resume=True)


def test_all_models_side_by_side(tmp_path, capsys, own_table):
    arguments = ["zfactors", "--all", "--energy", "30", "--energy", "1000", "--interactions", "3000"]
    assert main([*arguments, "--json", "-o", str(tmp_path / "out"), "--table", str(own_table)]) == 0
    document = json.loads(capsys.readouterr().out)
    names = [one["name"] for one in document["models"]]
    assert names[: len(model_names())] == list(model_names())
    assert len(names) == len(model_names()) + 1
    for one in document["models"]:
        assert one["sampled_against_table"]["largest_in_standard_errors"] < 5.0
    row = next(
        one
        for one in document["moments"]
        if (one["model"], one["kinetic_energy_GeV"], one["secondary"]) == ("urqmd-sibyll", 30.0, "pi+")
    )
    assert row["Z"] == pytest.approx(load_model("urqmd-sibyll").moments(P, PIP, 30.0).Z_EE)
    assert 0.2 < row["mean_pT_GeV"] < 0.5
    for path in document["files"]:
        assert (tmp_path / "out").joinpath(path).exists()
    with (tmp_path / "out" / "models.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    assert len(rows) == len(names) * 2 * 9


def test_all_models_as_text(capsys):
    assert main(["zfactors", "--all", "--energy", "30", "--interactions", "2000"]) == 0
    out = capsys.readouterr().out
    # description, F, Z, number, pT, sampled; and that of `accelerator` names the generator
    assert out.count("urqmd-sibyll") == 7
    assert "FLUKA" in out
    assert "daemonflux" in out
    assert "energy carried" in out


def test_all_takes_no_model_and_no_energy_outside(capsys, tmp_path):
    for arguments in (["--all", "--model", "fluka-z"], ["--all", "--energy", "1e9"], ["--table", str(tmp_path / "no")]):
        assert main(["zfactors", *arguments]) == 2
        assert len(capsys.readouterr().err.strip().splitlines()) == 1
