"""make-tables: how it looks at errors, extends, stops at its time limit, and refuses a configuration that was edited.

The simulation is replaced by made-up results whose errors fall with the square root of the primaries.
"""

import json
from dataclasses import replace

import pytest

from sim3d import cli
from sim3d.commands.runs import make_tables
from sim3d.commands.status import STATUS_TIME
from sim3d.config.load import load_config
from sim3d.files.result_file import write_result

PLACE = ["make-tables", "--lat", "36.4", "--lon", "137.3", "--name", "here", "--threads", "1", "--quiet"]


class MadeUpRuns:
    """Stands for ``run_to_file``: writes a result of as many primaries as asked for, and notes what was asked."""

    def __init__(self, fake_result, error_at_first, outcomes=()):
        self.fake, self.error, self.outcomes = fake_result, error_at_first, list(outcomes)
        self.configs, self.options = [], []

    def __call__(self, config, path, threads, speak, *, resume, replace: bool):
        self.configs.append(config)
        self.options.append({"resume": resume, "replace": replace})
        number = config.run.primaries
        # a bin's error is noise / sqrt(8 batches * 2 * 2 * 12 fine bins of a Honda bin)
        noise = self.error * (8 * 48) ** 0.5 * (make_tables.FIRST_PRIMARIES / number) ** 0.5
        record = self.fake.record(sites=("here",), noise=noise)
        record = _with(record, primaries=number)
        write_result(record, path)
        return self.outcomes.pop(0) if self.outcomes else "complete"


def _with(record, primaries):
    return replace(record, counters={**record.counters, "primaries": primaries}, provenance={"wall_time_s": 60.0})


@pytest.fixture
def runs(monkeypatch, fake_result):
    """``runs(error, outcomes)`` replaces the simulation; figures, tables and report are left out."""

    def install(error, outcomes=()):
        made = MadeUpRuns(fake_result, error, outcomes)
        monkeypatch.setattr("sim3d.simulation.engine.run_to_file", made)
        monkeypatch.setattr(make_tables, "_write", lambda result, stem, folder: ([folder / "tables"], {}, ["fit"]))
        return made

    return install


def test_a_run_that_is_good_at_once(runs, tmp_path, capsys):
    made = runs(0.03)
    assert cli.main([*PLACE, "--precision", "10%", "-o", str(tmp_path)]) == 0
    assert [one.run.primaries for one in made.configs] == [make_tables.FIRST_PRIMARIES]
    assert "Precision 10% reached" in capsys.readouterr().out


def test_it_extends_until_the_precision_is_reached(runs, tmp_path, capsys):
    """Twice the error needs four times the primaries, and a little more; then it is done."""
    made = runs(0.06)
    assert cli.main([*PLACE, "--precision", "3%", "-o", str(tmp_path)]) == 0
    first, *more = [one.run.primaries for one in made.configs]
    assert first == make_tables.FIRST_PRIMARIES
    assert 1 <= len(more) <= 2
    assert 3.0 < more[-1] / first < 6.0
    assert all(one.run.primaries % make_tables.BATCH_SIZE == 0 for one in made.configs)
    assert all(options["resume"] for options in made.options)
    assert load_config(tmp_path / "here.toml").run.primaries == more[-1]
    assert "Precision 3.0% reached" in capsys.readouterr().out


def test_the_time_limit(runs, tmp_path, capsys):
    """The simulation gets what is left of the limit; when it stops for that, tables are written and the status is 3."""
    made = runs(0.5, ["time"])
    assert cli.main([*PLACE, "--precision", "1%", "--max-minutes", "2", "-o", str(tmp_path)]) == STATUS_TIME == 3
    (config,) = made.configs
    assert 1.9 < config.run.max_minutes <= 2.0
    shown = capsys.readouterr().out
    assert str(tmp_path / "tables") in shown
    assert "Precision 1.0% NOT reached in 2 min" in shown
    assert "The same command goes on." in shown


def test_no_extension_begins_after_the_limit(runs, tmp_path, capsys, monkeypatch):
    """A run that ends by itself after the limit is the last, however large the error."""
    made = runs(0.5)
    clock = iter(range(0, 100_000, 50))
    monkeypatch.setattr(make_tables.time, "monotonic", lambda: float(next(clock)))
    assert cli.main([*PLACE, "--precision", "1%", "--max-minutes", "1.5", "-o", str(tmp_path), "--json"]) == 3
    assert len(made.configs) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["reached"] is False
    assert document["precision"] == 0.01


@pytest.mark.parametrize(
    ("before", "after"),
    [("seed = 1", "seed = 2"), ("lat = 36.4", "lat = 36.5"), ("[[sites]]", '[primaries]\nsolar = "max"\n\n[[sites]]')],
)
def test_an_edited_configuration_is_refused(runs, tmp_path, capsys, before, after):
    """Its name and what can be done are in the one line; nothing runs and nothing is replaced. --force begins anew."""
    made = runs(0.03)
    arguments = [*PLACE, "--precision", "10%", "-o", str(tmp_path)]
    assert cli.main(arguments) == 0
    toml = tmp_path / "here.toml"
    text = toml.read_text(encoding="utf-8")
    assert before in text
    toml.write_text(text.replace(before, after), encoding="utf-8")
    kept = (tmp_path / "here.h5").read_bytes()
    capsys.readouterr()
    assert cli.main(arguments) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"sim3d: error: {toml}: is of other options, or was edited; run it with `sim3d run {toml}`")
    assert error.count("\n") == 1
    assert len(made.configs) == 1
    assert (tmp_path / "here.h5").read_bytes() == kept
    assert cli.main([*arguments, "--force"]) == 0
    assert made.options[-1] == {"resume": False, "replace": True}


def test_more_primaries_in_the_file_are_no_edit(runs, tmp_path):
    """The file says itself that its number of primaries may be raised."""
    made = runs(0.03)
    arguments = [*PLACE, "--precision", "10%", "-o", str(tmp_path)]
    assert cli.main(arguments) == 0
    toml = tmp_path / "here.toml"
    toml.write_text(toml.read_text(encoding="utf-8").replace("240_000", "300_000"), encoding="utf-8")
    assert cli.main(arguments) == 0
    assert made.configs[-1].run.primaries == 300_000


def test_a_result_without_its_configuration_is_refused(runs, tmp_path, capsys):
    runs(0.03)
    (tmp_path / "here.h5").write_bytes(b"somebody's")
    assert cli.main([*PLACE, "-o", str(tmp_path)]) == 2
    assert "exists without here.toml" in capsys.readouterr().err
    assert (tmp_path / "here.h5").read_bytes() == b"somebody's"
