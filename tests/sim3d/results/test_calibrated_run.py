"""Errors of the model of a calibrated run: from its own derivatives, or from those of the calibration that ships."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import sim3d
from sim3d.files import calibration_file
from sim3d.files.calibration_file import named_calibration, read_calibration, shipped_calibrations, write_calibration
from sim3d.results import tables
from sim3d.results.calibrated_run import derivatives_of_result, errors_of_result
from sim3d.results.result import Result
from sim3d.simulation.calibrated import calibration_entries

NAME = sorted(shipped_calibrations())[-1]


@pytest.fixture(scope="module")
def calibration():
    return read_calibration(named_calibration(NAME))


@pytest.fixture
def calibrated(fake_result):
    def made(**options):
        record = fake_result.record(sites=("kamioka",), batches=8, calibration={"name": NAME}, **options)
        record.models.update(calibration_entries(record.config))
        return Result(record)

    return made


def test_errors_without_gradients_are_those_of_the_calibration(calibrated, calibration):
    result = calibrated()
    errors = errors_of_result(result)
    assert errors.physical == calibration.parameters
    found = derivatives_of_result(result, "kamioka", errors)
    nodes, cosines = calibration.arrays["neutrinos/energies_GeV"], calibration.arrays["neutrinos/cos_zenith"]
    n = len(errors.physical)
    for f, e, c in ((0, 3, 0), (2, 7, 1), (3, 12, 3)):
        expected = calibration.arrays["neutrinos/slopes"][f, e, c] * errors.sigma[:n]
        for side in (1.0, -1.0):
            at = found.at(np.array([f]), np.log(nodes[[e]]), side * cosines[[c]])[0]
            np.testing.assert_allclose(at[:n], expected, atol=1e-12)
            # a result keeps five digits of them
            np.testing.assert_allclose(at[n:], calibration.modes.changes[:, f, e, c], rtol=2e-5)


def test_a_flux_and_its_tables_have_three_errors(calibrated, calibration):
    result = calibrated()
    flux = sim3d.Flux.of_result(result)
    assert flux.error_kinds == ("statistical", "model", "total")
    assert set(calibration.parameters) < set(flux.parameters)
    assert 0.01 < flux.error("numu", 1.0, 0.5, kind="model") / flux.flux("numu", 1.0, 0.5) < 0.2
    table = tables.table_of_result(result, "kamioka", "honda", azimuth=False)
    assert np.all((table.model_relative > 0.005) & (table.model_relative < 0.6))


def test_own_derivatives_come_first(calibrated, calibration):
    result = calibrated(scoring={"gradients": list(calibration.parameters)})
    found = derivatives_of_result(result, "kamioka", errors_of_result(result))
    assert found.slopes.shape[1:3] == result.gradients("kamioka").mean().shape[1:3]


def test_no_errors_where_the_calibration_is_another_or_gone(calibrated, calibration, tmp_path, monkeypatch):
    result = calibrated()
    monkeypatch.setattr(calibration_file, "SHIPPED_FOLDER", tmp_path)
    assert errors_of_result(result) is None
    write_calibration(tmp_path / f"{NAME}.h5", replace(calibration, values=calibration.values * 1.01))
    assert errors_of_result(result) is None
    assert sim3d.Flux.of_result(result).error_kinds == ("statistical",)
    write_calibration(tmp_path / f"{NAME}.h5", calibration)
    assert errors_of_result(result) is not None
