"""Calibrations by name: found among those that ship, or refused in one line; their list."""

from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files import calibration_file
from sim3d.files.calibration_file import Calibration, write_calibration
from sim3d.simulation.calibrated import calibration_entries, calibration_of, run_values

NAMES = ("pi+@31", "primary:p@100")


@pytest.fixture
def shipped(tmp_path, monkeypatch):
    """A folder with one calibration, in the place of those that ship."""
    monkeypatch.setattr(calibration_file, "SHIPPED_FOLDER", tmp_path)
    record = {"chi2": 200.0, "dof": 210, "models": {"hadronic": "accelerator"}}
    covariance = np.array([[4e-4, 1e-4], [1e-4, 1e-4]])
    values = Calibration("made-1", NAMES, np.array([0.05, 0.02]), np.array([-0.03, 0.01]), covariance,
                         np.diag([2.5e-3, 4e-4]), 1.0, record, {})  # fmt: skip
    write_calibration(tmp_path / "made-1.h5", values)
    return values


def config(**calibration):
    return make_config({"sites": [{"name": "kamioka"}], "vary": {"pi+@31": 0.01}, "calibration": calibration})


def test_a_name_moves_the_models_and_brings_its_covariance(shipped):
    assert run_values(config(name="made-1")) == pytest.approx({"pi+@31": -0.02, "primary:p@100": 0.01})
    entries = calibration_entries(config(name="made-1"))
    assert entries["calibration"] == "made-1"
    assert json.loads(entries["calibration_covariance"]) == [4e-4, 1e-4, 1e-4]


def test_none_leaves_the_models_alone(shipped):
    for each in (config(), config(name="none")):
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
