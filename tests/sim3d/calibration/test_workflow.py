"""``sim3d calibrate`` from a TOML file to its output: closure with simulated data, resumption to the bit, responses."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

import sim3d
from sim3d import cli
from sim3d.calibration.fit import fit
from sim3d.calibration.measurements import load_measurement
from sim3d.calibration.stored_sets import stored_prior, stored_sets
from sim3d.calibration.workflow import calibrate, load_calibration_table, response_configuration
from sim3d.config.calibration import CalibrationKeys
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files.calibration_file import read_calibration, write_calibration
from sim3d.files.result_file import verify_result
from sim3d.results.calibrated_run import errors_of_result
from sim3d.results.model_parameters import ParameterErrors
from sim3d.results.result import Result
from sim3d.simulation.calibrated import calibration_entries, run_values
from sim3d.simulation.setup import make_setup

MEASUREMENT = """
name = "mine"
title = "My muons"
citation = "none"
[conditions]
lat = 56.5
lon = -101.0
date = "2010-06-01"
month = 6
[[acceptance]]
cos_zenith = [0.8, 1.0]
[[observables]]
name = "flux"
quantity = "flux"
file = "mine.csv"
low = "lo"
high = "hi"
at = "p"
value = "flux"
statistical = "error"
[[nuisances]]
name = "norm"
kind = "norm"
size = 0.02
source = "mine"
"""
DATA = "lo,hi,p,flux,error\n3,6,4,4.0,0.8\n6,12,8,0.9,0.2\n12,30,18,0.12,0.03\n"
CALIBRATION = """
name = "mine"
measurements = ["mine.toml"]
parameters = ["pi+@31", "pi-@31", "sigma:nucleon", "primary:p@100"]
primaries = 9600
iterations = 2
tolerance = 0.001
[model]
hadronic = "urqmd-sibyll"
primaries = "ghls2001-average"
atmosphere = "us-standard"
"""
MODELS = {"hadronic": {"model": "urqmd-sibyll"}, "primaries": {"model": "ghls2001-average"}}
"""Of a run that takes this calibration."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("calibrate")
    for name, text in (("mine.toml", MEASUREMENT), ("mine.csv", DATA), ("calibration.toml", CALIBRATION)):
        (path / name).write_text(text)
    return path


def call(folder, *arguments, status=0):
    result = CliRunner().invoke(cli.cli, ["calibrate", str(folder / "calibration.toml"), *map(str, arguments)])
    assert result.exit_code == status, result.output
    return result.output


@pytest.fixture(scope="module")
def made(folder):
    return json.loads(call(folder, "-o", folder / "out.h5", "--threads", "1", "--json"))


def test_the_file_and_the_report(folder, made):
    stored = read_calibration(folder / "out.h5")
    assert stored.parameters == ("pi+@31", "pi-@31", "sigma:nucleon", "primary:p@100")
    assert stored.record["chi2"] == made["chi2"]
    assert made["dof"] == 3
    # two iterations: at the model, and at the first fit, whose linear prediction a fresh run bears out
    assert [step["iteration"] for step in made["steps"]] == [0, 1]
    assert made["steps"][1]["linear_chi2_per_point"] < 4.0
    assert (np.sqrt(np.diag(stored.covariance)) <= stored.scale * np.sqrt(np.diag(stored.prior)) * 1.0001).all()
    assert {"sets/mine/pulls", "sets/mine/response/slopes", "sets/mine/before"} <= set(stored.arrays)
    page = (folder / "out.html").read_text()
    assert "Calibration mine" in page
    assert page.count("<img") == 3
    errors = ParameterErrors.of_calibration(folder / "out.h5")
    np.testing.assert_allclose(errors.covariance * np.outer(errors.sigma, errors.sigma), stored.covariance)


def test_it_goes_on_to_the_same_bytes(folder, made):
    """A run that was stopped is taken up; one that is lost is made again: always the same file."""
    before = (folder / "out.h5").read_bytes()
    (folder / "out.work" / "mine-1.h5").unlink()
    text = call(folder, "-o", folder / "out.h5", "--threads", "2", "--no-report")
    assert (folder / "out.h5").read_bytes() == before
    assert "iteration 1" in text
    assert "sigma:nucleon" in text


def test_responses_of_before_by_checksum(folder, made):
    digest = made["responses"]["mine-0"]
    table = f'\n[responses.mine]\nfile = "out.work/mine-0.h5"\nsha256 = "{digest}"\n'
    (folder / "calibration.toml").write_text(CALIBRATION + table)
    try:
        again = json.loads(call(folder, "-o", folder / "again.h5", "--no-report", "--json"))
        assert again["steps"][0]["chi2"] == made["steps"][0]["chi2"]
        assert len(again["steps"]) == 1
        assert not (folder / "again.work").exists()
        (folder / "calibration.toml").write_text(CALIBRATION + table.replace(digest, "0" * 64))
        with pytest.raises(InputError, match="sha256"):
            CliRunner().invoke(
                cli.cli, ["calibrate", str(folder / "calibration.toml")], catch_exceptions=False, standalone_mode=False
            )
    finally:
        (folder / "calibration.toml").write_text(CALIBRATION)


def test_cascade_equations_corrected_by_the_run(folder, made, tmp_path):
    for name in ("mine.toml", "mine.csv"):
        (tmp_path / name).write_text((folder / name).read_text())
    text = CALIBRATION.replace("iterations = 2", 'iterations = 1\nmethod = "cascade"')
    (tmp_path / "calibration.toml").write_text(text)
    work = tmp_path / "out.work"
    report = call(tmp_path, "-o", tmp_path / "out.h5", "--work", work, "--no-report")
    assert "cascade equations" in report
    stored = read_calibration(tmp_path / "out.h5")
    assert stored.record["method"] == "cascade"
    simulated = read_calibration(folder / "out.h5").arrays["sets/mine/before"]
    np.testing.assert_allclose(stored.arrays["sets/mine/before"], simulated, rtol=0.3)
    slopes = stored.arrays["sets/mine/response/slopes"]
    # more primary protons at 100 GeV: more muons; the cross section takes muons of a few GeV/c away
    assert (slopes[:, 3] > 0.05).all()
    assert (slopes[0, :2] > 0.0).all()
    # the fit is repeated from the file alone
    again = fit(stored_sets(stored), stored.parameters, stored_prior(stored))
    np.testing.assert_allclose(again.values * again.sigma, stored.values, atol=1e-3 * again.sigma.min())
    assert again.nuisances["mine"][0] == pytest.approx(stored.arrays["sets/mine/nuisance_values"], abs=1e-3)
    # kept in the folder, and taken from there
    before = (tmp_path / "out.h5").read_bytes()
    assert "cascade equations" not in call(tmp_path, "-o", tmp_path / "out.h5", "--work", work, "--no-report")
    assert (tmp_path / "out.h5").read_bytes() == before
    # a run at other values of the parameters
    digest = made["responses"]["mine-1"]
    other = text + f'\n[responses.mine]\nfile = "{folder / "out.work" / "mine-1.h5"}"\nsha256 = "{digest}"\n'
    (tmp_path / "calibration.toml").write_text(other)
    with pytest.raises(InputError, match="other values of the parameters"):
        CliRunner().invoke(
            cli.cli, ["calibrate", str(tmp_path / "calibration.toml"), "--work", str(work)],
            catch_exceptions=False, standalone_mode=False,
        )  # fmt: skip


def test_the_run_of_a_measurement_has_its_conditions(folder):
    table = load_calibration_table(folder / "calibration.toml")
    caprice = response_configuration(load_measurement("caprice94"), table, np.array([0.1, 0.0, 0.0, 0.0]))
    assert caprice.muons.depths_g_cm2 == (1000.0,)
    assert not caprice.muons.ground
    assert caprice.vary == {"pi+@31": 0.1}
    bess = response_configuration(load_measurement("bess-tev"), table, np.zeros(4), 1)
    assert bess.muons.cos_zenith_edges == (0.9, 0.98, 1.0)
    assert bess.field.date == "2002-10-15"
    assert bess.run.seed != response_configuration(load_measurement("bess-tev"), table, np.zeros(4)).run.seed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"pi-@31"', '"pi-@30"', "not a parameter"),
        ("tolerance = 0.001", "tolerance = -1", "tolerance"),
        ('["mine.toml"]', '["yours.toml"]', "no such measurement"),
        ('"pi-@31", "sigma:nucleon"', '"p@20000", "primary:p:slope"', "none by default"),
        ("primaries = 9600", "primaries = 9600\npriors = { K0 = 1 }", "not a parameter"),
        ("primaries = 9600", "primaries = 9600\nprimaries_of = { bess = 1 }", "one of mine"),
    ],
)
def test_what_is_refused(folder, tmp_path, old, new, words):
    assert old in CALIBRATION
    for name in ("mine.toml", "mine.csv"):
        (tmp_path / name).write_text((folder / name).read_text())
    (tmp_path / "calibration.toml").write_text(CALIBRATION.replace(old, new, 1))
    with pytest.raises(InputError, match=words) as problem:
        CliRunner().invoke(
            cli.cli, ["calibrate", str(tmp_path / "calibration.toml")], catch_exceptions=False, standalone_mode=False
        )
    assert "\n" not in str(problem.value)


def test_a_file_that_is_no_calibration(tmp_path):
    with pytest.raises(InputError, match="no such calibration"):
        read_calibration(tmp_path / "none.h5")
    (tmp_path / "text.h5").write_text("text")
    with pytest.raises(InputError, match="cannot be read"):
        read_calibration(tmp_path / "text.h5")


def test_a_run_at_the_fitted_values(folder, made):
    """The models are those of the values, added to [vary]; its fluxes have the errors of the calibration."""
    stored = read_calibration(folder / "out.h5")
    table = {
        "run": {"primaries": 96}, "sites": [{"name": "kamioka"}], "vary": {"sigma:nucleon": 0.01}, **MODELS,
        "scoring": {"gradients": list(stored.parameters)}, "calibration": {"file": str(folder / "out.h5")},
    }  # fmt: skip
    config = make_config(table)
    values = dict(zip(stored.parameters, stored.values, strict=True))
    assert run_values(config)["sigma:nucleon"] == pytest.approx(values["sigma:nucleon"] + 0.01)
    setup = make_setup(config)
    plain = make_setup(make_config({**table, "calibration": {}, "vary": {}}))
    ratio = setup.hadronic.tables.interaction_length[0] / plain.hadronic.tables.interaction_length[0]
    np.testing.assert_allclose(ratio, 1.0 / (1.0 + values["sigma:nucleon"] + 0.01))
    at = setup.primaries.flux("p", 100.0) / plain.primaries.flux("p", 100.0)
    assert at == pytest.approx(1.0 + values["primary:p@100"], abs=1e-4)
    assert setup.models["calibration"] == "mine"


def test_a_calibrated_result_has_errors(folder, made, fake_result, tmp_path):
    stored = read_calibration(folder / "out.h5")
    scored = {"gradients": list(stored.parameters)}
    record = fake_result.record(sites=("kamioka",), batches=8, scoring=scored, **MODELS)
    config = record.config.model_copy(update={"calibration": CalibrationKeys(file=str(folder / "out.h5"))})
    record.models.update(calibration_entries(config))
    result = Result(record)
    errors = errors_of_result(result)
    assert errors.names == stored.parameters
    np.testing.assert_allclose(errors.covariance * np.outer(errors.sigma, errors.sigma), stored.covariance, rtol=1e-8)
    assert sim3d.Flux.of_result(result).parameters == list(stored.parameters)
    assert errors_of_result(Result(fake_result.record(sites=("kamioka",), batches=8))) is None


def test_a_response_that_is_calibrated_is_refused(folder, fake_result):
    """Its values are not those of [vary], which a response counts from."""
    path = fake_result.write(folder / "own.h5", sites=("kamioka",), calibration={"name": "muons-2026"})
    digest = verify_result(path)["data_sha256"]
    (folder / "own.toml").write_text(f'{CALIBRATION}[responses.mine]\nfile = "own.h5"\nsha256 = "{digest}"\n')
    with pytest.raises(InputError, match=r"responses.mine.file: .*own.h5: the run is calibrated itself") as problem:
        calibrate(load_calibration_table(folder / "own.toml"), folder, folder / "own.work")
    assert "\n" not in str(problem.value)


def test_a_sum_out_of_range_is_refused(folder, made):
    config = make_config({"sites": [{"name": "kamioka"}], "vary": {"primary:p@100": 9.9999},
                          "calibration": {"file": str(folder / "big.h5")}, **MODELS})  # fmt: skip
    stored = read_calibration(folder / "out.h5")
    write_calibration(folder / "big.h5", replace(stored, values=np.abs(stored.values) + 0.1))
    with pytest.raises(InputError, match=r"calibration, vary: primary:p@100"):
        run_values(config)
