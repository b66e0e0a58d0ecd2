"""Calibrations by name: found among those that ship, or refused in one line; their list."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from sim3d import cli
from sim3d.config import calibration
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files import calibration_file
from sim3d.files.calibration_file import Calibration, read_calibration, shipped_calibrations, write_calibration
from sim3d.primaries.build import primary_model
from sim3d.simulation.calibrated import calibration_entries, calibration_of, run_values
from sim3d.simulation.reweight import changed_config
from sim3d.simulation.setup import make_primaries

NAMES = ("pi+@31", "primary:p@100")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder with one calibration, in the place of those that ship."""
    monkeypatch.setattr(calibration_file, "SHIPPED_FOLDER", tmp_path)
    monkeypatch.setattr(calibration, "MODELS_OF", {"made-1": ("accelerator", "gsf:2026.1")})
    record = {"chi2": 200.0, "dof": 210, "models": {"hadronic": "accelerator"}}
    covariance = np.array([[4e-4, 1e-4], [1e-4, 1e-4]])
    values = Calibration("made-1", NAMES, np.array([0.05, 0.02]), np.array([-0.03, 0.01]), covariance,
                         np.diag([2.5e-3, 4e-4]), 1.0, record, {})  # fmt: skip
    write_calibration(tmp_path / "made-1.h5", values)
    return values


def config(models=None, **keys):
    return make_config(
        {"sites": [{"name": "kamioka"}], "vary": {"pi+@31": 0.01}, "calibration": keys, **(models or {})}
    )


def test_a_name_moves_the_models_and_brings_its_covariance(shipped):
    assert run_values(config(name="made-1")) == pytest.approx({"pi+@31": -0.02, "primary:p@100": 0.01})
    entries = calibration_entries(config(name="made-1"))
    assert entries["calibration"] == "made-1"
    assert json.loads(entries["calibration_covariance"]) == [4e-4, 1e-4, 1e-4]


OTHERS = ({"hadronic": {"model": "fluka-z"}}, {"primaries": {"model": "crflux:H3a"}})


def test_the_default_is_that_of_the_models(shipped):
    assert config().calibration.name == config(name="auto").calibration.name == "made-1"
    assert run_values(config()) == run_values(config(name="made-1"))
    # what is stored says it, and is read as such
    assert make_config(config().model_dump(mode="json")) == config()
    for models in OTHERS:
        assert config(models).calibration.name == "none"
    assert config(file="own.h5").calibration.name == "none"


def test_which_and_why_in_words(shipped):
    assert config().calibration_in_words == "calibrated to muons: made-1, the default of these models"
    assert config(name="none").calibration_in_words == "not calibrated to muons, though made-1 is of these models"
    for models in OTHERS:
        assert config(models).calibration_in_words == "not calibrated to muons: no calibration of these models ships"
    assert config(file="own.h5").calibration_in_words == "calibrated to muons: own.h5"


def test_a_name_or_a_file_of_other_models_is_refused(shipped, tmp_path):
    for keys in ({"name": "made-1"}, {"file": str(tmp_path / "made-1.h5")}):
        with pytest.raises(InputError, match=r"hadronic.model: 'fluka-z' must be 'accelerator'.*made-1") as problem:
            run_values(config(OTHERS[0], **keys))
        assert "\n" not in str(problem.value)


def test_the_defaults_are_those_that_their_files_say():
    of = {name: read_calibration(path).record["models"] for name, path in shipped_calibrations().items()}
    found = {name: (models["hadronic"], models["primaries"]) for name, models in of.items()}
    assert found == calibration.MODELS_OF
    assert list(calibration.MODELS_OF) == list(of)


def test_another_primary_model_is_not_moved_by_reweighting(shipped):
    """The hadrons keep the calibration's values, which then stand in [vary]; the primaries are the model's own."""
    new = changed_config(config(), "crflux:H3a", None)
    assert new.calibration.name == "none"
    assert run_values(new) == pytest.approx({"pi+@31": -0.02})
    assert make_primaries(new).flux("p", 100.0) == primary_model("crflux:H3a", "date", "2020-01-01").flux("p", 100.0)
    same = changed_config(config(), "gsf:2026.1", 500.0)
    assert same.calibration.name == "made-1"
    assert run_values(same) == run_values(config())


def test_none_leaves_the_models_alone(shipped):
    for each in (config(name="none"), config(OTHERS[0])):
        assert calibration_of(each) is None
        assert run_values(each) == {"pi+@31": 0.01}
        assert calibration_entries(each) == {}


def test_a_name_that_does_not_ship(shipped):
    # the configuration is valid: results of a calibration that ships no more are read
    with pytest.raises(InputError, match=r"calibration.name: 'muons-2026'.*one of made-1, none") as problem:
        run_values(config(name="muons-2026"))
    assert "\n" not in str(problem.value)


@pytest.mark.parametrize(
    ("keys", "words"),
    [({"name": "made-1", "file": "x.h5"}, "either name or file"), ({"name": "../x"}, "name"), ({"mane": "x"}, "mane")],
)
def test_wrong_keys(keys, words):
    with pytest.raises(InputError, match=words):
        config(**keys)


def test_the_list(shipped):
    found = CliRunner().invoke(cli.cli, ["calibrate", "--list"])
    assert found.exit_code == 0
    assert found.output == "made-1: chi2 200.0 of 210 points; hadronic accelerator\n"
    listed = json.loads(CliRunner().invoke(cli.cli, ["calibrate", "--list", "--json"]).output)
    assert [one["name"] for one in listed["calibrations"]] == ["made-1"]


def test_the_empty_list_and_no_file(tmp_path, monkeypatch):
    monkeypatch.setattr(calibration_file, "SHIPPED_FOLDER", tmp_path / "none")
    assert "No calibration ships" in CliRunner().invoke(cli.cli, ["calibrate", "--list"]).output
    with pytest.raises(InputError, match="name a file, or give --list"):
        CliRunner().invoke(cli.cli, ["calibrate"], catch_exceptions=False, standalone_mode=False)
