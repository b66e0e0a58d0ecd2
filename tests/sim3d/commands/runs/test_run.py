"""``sim3d run``: where the result goes is checked before anything is simulated."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from sim3d import cli
from sim3d.commands.output import output_file
from sim3d.errors import InputError


@pytest.fixture
def engine(monkeypatch, tmp_path, fake_result):
    """An engine that notes its arguments and writes an empty file, in an empty working folder."""

    calls = []

    def run_to_file(config, path, *, threads=None, progress=False, resume=False, batches=None, replace=False):
        call = SimpleNamespace(config=config, path=Path(path), threads=threads, progress=progress)
        call.resume, call.batches, call.replace = resume, batches, replace
        calls.append(call)
        fake_result.write(path)
        return "complete"

    monkeypatch.setitem(sys.modules, "sim3d.simulation.engine", SimpleNamespace(run_to_file=run_to_file))
    for name in ("OMPI_COMM_WORLD_RANK", "PMI_RANK", "PMIX_RANK", "OMP_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    Path("mine.toml").write_text('[[sites]]\nname = "kamioka"\n')
    return calls


def test_default_output(engine, capsys):
    assert cli.main(["run", "mine.toml"]) == 0
    assert engine[0].path == Path("output/mine.h5")
    assert engine[0].progress is True
    assert engine[0].threads is None
    text = capsys.readouterr().out
    assert text.startswith("output/mine.h5: 1000 primaries, 8 batches in ")
    assert "kamioka: numu" in text


def test_overrides_reach_the_configuration(engine, capsys):
    arguments = ["run", "mine.toml", "--primaries", "50", "--seed", "0", "--threads", "2", "--quiet"]
    assert cli.main(arguments) == 0
    assert (engine[0].config.run.primaries, engine[0].config.run.seed) == (50, 0)
    assert (engine[0].threads, engine[0].progress) == (2, False)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("text", ["1e3", "1000", "1_000", "1.0e3"])
def test_whole_numbers_in_any_notation(engine, text):
    assert cli.main(["run", "mine.toml", "--primaries", text, "--batch-range", "0:1e1", "--quiet"]) == 0
    assert engine[0].config.run.primaries == 1000
    assert engine[0].batches == (0, 10)


@pytest.mark.parametrize("command", ["merge", "reweight"])
def test_only_run_names_resume(command, tmp_path, capsys):
    (tmp_path / "r.h5").write_text("precious")
    assert cli.main([command, "a.h5", "-o", str(tmp_path / "r.h5")]) == 2
    err = capsys.readouterr().err
    assert "r.h5: exists, give --force to replace it" in err
    assert "--resume" not in err


def test_json_alone_on_stdout(engine, capsys):
    assert cli.main(["run", "mine.toml", "-o", "r.h5", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["file"] == "r.h5"
    assert document["seconds"] >= 0
    assert engine[0].progress is False


def test_an_existing_output_needs_force(engine, capsys):
    Path("r.h5").write_text("precious")
    assert cli.main(["run", "mine.toml", "-o", "r.h5"]) == 2
    assert "r.h5: exists, give --force to replace it or --resume to go on" in capsys.readouterr().err
    assert Path("r.h5").read_text() == "precious"
    assert engine == []
    assert cli.main(["run", "mine.toml", "-o", "r.h5", "--force"]) == 0
    assert len(engine) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["none.toml"], "none.toml: no such"),
        (["mine.toml", "-o", "missing/r.h5"], "the folder missing does not exist"),
        (["mine.toml", "-o", "."], "is a folder"),
        (["mine.toml", "-o", "mine.toml/r.h5"], "the folder mine.toml does not exist"),
        (["mine.toml", "--primaries", "0"], "--primaries"),
        (["mine.toml", "--primaries", "many"], "--primaries"),
        (["mine.toml", "--primaries", "1.5"], "--primaries"),
        (["mine.toml", "--seed", "-1"], "--seed"),
        (["mine.toml", "--threads", "0"], "--threads"),
        (["mine.toml", "--batch-range", "3"], "--batch-range: '3', allowed: A:B"),
        (["mine.toml", "--batch-range", "a:b"], "--batch-range: 'a:b', allowed: A:B"),
        (["mine.toml", "--batch-range", "-1:2"], "--batch-range: '-1:2', allowed: A:B"),
        (["mine.toml", "--resume", "--force"], "--resume, --force: give one"),
    ],
)
def test_bad_arguments(engine, capsys, arguments, message):
    assert cli.main(["run", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert message in captured.err
    assert captured.err.count("\n") == 1
    assert engine == []


def test_a_read_only_folder(tmp_path, monkeypatch):
    monkeypatch.setattr("os.access", lambda *_: False)
    with pytest.raises(InputError, match="no permission"):
        output_file(tmp_path / "r.h5", Path("c.toml"), force=False)


def test_resume_and_range_reach_the_engine(engine):
    Path("r.h5").write_text("there")
    assert cli.main(["run", "mine.toml", "-o", "r.h5", "--resume", "--batch-range", "2:7"]) == 0
    assert (engine[0].resume, engine[0].batches) == (True, (2, 7))


@pytest.mark.parametrize(("outcome", "status"), [("complete", 0), ("target", 0), ("time", 3), ("interrupted", 130)])
def test_statuses(engine, monkeypatch, outcome, status):
    """A job script tells by the status whether to come back."""
    monkeypatch.setattr(sys.modules["sim3d.simulation.engine"], "run_to_file", lambda *_, **__: outcome)
    assert cli.main(["run", "mine.toml", "--quiet"]) == status


def test_the_default_folder_may_be_in_the_way(engine, capsys):
    Path("output").write_text("a file")
    assert cli.main(["run", "mine.toml"]) == 2
    assert capsys.readouterr().err.startswith("sim3d: error: output")


def test_other_ranks_report_nothing(engine, capsys, monkeypatch):
    monkeypatch.setenv("OMPI_COMM_WORLD_RANK", "1")
    monkeypatch.setenv("OMPI_COMM_WORLD_SIZE", "4")
    assert cli.main(["run", "mine.toml"]) == 0
    assert engine[0].progress is False
    assert capsys.readouterr().out == ""
