"""Fluxes of sites that ship, against the formula they were made from: file, date, errors, commands by name."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from made_site_flux import COVARIANCE, DATES, NAMES, POTENTIALS, SIGMA, STATISTICAL, made, sun

import sim3d
from sim3d import cli
from sim3d.conventions.model_modes import ModelModes
from sim3d.errors import InputError
from sim3d.files import site_flux_file
from sim3d.files.calibration_file import Calibration, write_calibration
from sim3d.files.honda import HONDA_ENERGIES_GEV
from sim3d.files.site_flux_file import HEIGHT_PROBABILITIES, read_site_flux, write_site_flux
from sim3d.flux.site_flux import date_weights, heights_of, site_tables
from sim3d.scoring.gradients import BINS


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sites")
    return write_site_flux(folder / "kamioka.h5", made())


@pytest.fixture
def shipped(file, monkeypatch):
    monkeypatch.setattr(site_flux_file, "SHIPPED_FOLDER", file.parent)
    return file


def test_the_file_keeps_the_numbers_and_is_small(file):
    site, back = made(), read_site_flux(file)
    # ln(flux) to better than 2e-4, errors to 4%
    np.testing.assert_allclose(back.log_flux, site.log_flux, atol=1e-4)
    np.testing.assert_allclose(back.log_error, site.log_error, atol=0.04)
    np.testing.assert_allclose(back.log_sun, site.log_sun, atol=1e-4)
    np.testing.assert_allclose(back.modes @ back.mix, site.modes @ site.mix, atol=1e-5)
    np.testing.assert_allclose(back.height_quantiles_km, site.height_quantiles_km, atol=0.01)
    assert (back.name, back.field_dates, back.parameters, back.record) == ("kamioka", DATES, NAMES, site.record)
    assert back.base_MV == 600.0
    # 20 MB for all sites: fewer than 1.1 MB for each of 18, here with smooth numbers
    assert file.stat().st_size < 600_000
    again = file.with_name("again.h5")
    assert write_site_flux(again, site).read_bytes() == file.read_bytes()
    again.unlink()


def test_loading_takes_little_time(shipped):
    sim3d.Flux.site("kamioka")
    times = []
    for _ in range(3):
        begin = time.process_time()
        sim3d.Flux.site("kamioka", "2015-06-01")
        times.append(time.process_time() - begin)
    assert min(times) < 0.3


def test_fluxes_as_simulated(shipped):
    flux = sim3d.Flux.site("Kamioka")
    site = made()
    e, c = HONDA_ENERGIES_GEV[[12, 40, 77]], 0.25
    edges = site.energy_edges_GeV[[40, 41]]
    mean = flux.bin_average("nue", edges, [0.2, 0.3], [90.0, 120.0])[0, 0, 0]
    assert mean == pytest.approx(np.exp(site.log_flux[1, 2, 40, 12, 3]) / HONDA_ENERGIES_GEV[40] ** 3, rel=2e-4)
    assert flux.table.note == "as simulated: 600 MV, field of 2025-01-01"
    relative = np.array([flux.error("nue", e, c, kind=kind) / flux.flux("nue", e, c) for kind in flux.error_kinds])
    s = np.array([0.01, 0.02])
    model = np.sqrt(s @ (COVARIANCE / np.outer(SIGMA, SIGMA)) @ s)
    np.testing.assert_allclose(relative[0], STATISTICAL, rtol=0.04)
    np.testing.assert_allclose(relative[1], model, rtol=1e-3)
    np.testing.assert_allclose(relative[2], np.hypot(relative[0], relative[1]), rtol=1e-9)
    assert flux.parameters == list(NAMES)


@pytest.mark.parametrize("month", ["2009-12", "2015-06", "2024-03"])
def test_the_sun_of_a_month_is_interpolated_to_half_a_percent(shipped, month):
    site = made()
    flux = sim3d.Flux.site("kamioka", f"{month}-01")
    potential = site.solar_series_MV[list(site.solar_months).index(int(month.replace("-", "")))]
    e = HONDA_ENERGIES_GEV
    up = (date_weights(site, f"{month}-01").field)[1]
    expected = sun(potential, e) + 0.04 * up - 0.04
    found = np.log(flux.table.flux / sim3d.Flux.site("kamioka").table.flux)
    np.testing.assert_allclose(found, np.broadcast_to(expected[:, None, None], found.shape), atol=0.005)
    assert f"{potential:.0f} MV" in flux.table.note


def test_the_field_is_interpolated_between_its_dates():
    site = made()
    weights = date_weights(site, "2015-01-01")
    np.testing.assert_allclose(weights.field, [0.5, 0.5], atol=1e-3)
    assert "field of this date" in weights.words
    np.testing.assert_allclose(date_weights(site, "2001-05-05").field, [1.0, 0.0])
    assert "field of 2005-01-01 to 2025-01-01" in date_weights(site, "2001-05-05").words
    # the dates share one fitted flux: halfway the error is no smaller
    average, _, _ = site_tables(site, "2015-01-01")
    np.testing.assert_allclose(average.error / average.flux, STATISTICAL, rtol=1e-3)


def test_what_is_refused(shipped):
    for name, date, words in (
        ("kamioka", "2015-13-01", "YYYY-MM-DD"),
        ("kamioka", "1999-06-01", "2000-01 to 2030-12"),
        ("southpole", None, "those are kamioka.*`sim3d make-tables --site southpole`"),
        ("mylab", None, "make-tables --lat LAT --lon LON --name mylab"),
    ):
        with pytest.raises(InputError, match=words) as problem:
            sim3d.Flux.site(name, date)
        assert "\n" not in str(problem.value)
    site = made()
    high = replace(site, solar_series_MV=site.solar_series_MV + 2000.0)
    with pytest.raises(InputError, match="a month of 300 to 1350 MV"):
        site_tables(high, "2015-01-01")


def test_sites_without_parameters_and_heights():
    site = made()
    bare = replace(site, parameters=(), sigma=np.zeros(0), covariance=np.zeros((0, 0)), mix=np.zeros((0, 0)),
                   modes=np.zeros((*site.modes.shape[:3], 0)))  # fmt: skip
    average, _, derivatives = site_tables(bare)
    assert derivatives is None
    assert average.model_relative is None
    heights = heights_of(site, 1.0, 0.5)
    assert heights["nue"]["0.5"] == 15.0
    assert list(heights["numu"]) == [f"{q:g}" for q in HEIGHT_PROBABILITIES]
    assert heights_of(replace(site, height_quantiles_km=np.zeros((4, 0, 0, 0))), 1.0, 0.5)["numu"]["0.5"] is None


def test_a_site_is_moved_to_a_calibration(shipped, tmp_path):
    """Its own derivatives, the calibration's for a parameter that its runs did not know, and pseudo-parameters."""
    names = ("pi+@31", "slow@12", "primary:p:norm")
    sigma, values = np.array([0.05, 0.4, 0.02]), np.array([-0.1, 0.2, 0.01])
    covariance = np.diag([0.03, 0.2, 0.01]) ** 2
    energies, cosines = np.array([0.1, 1e4]), np.array([0.1, 1.0])
    known = np.zeros((4, 2, 2, 3))
    known[..., 1] = -0.15
    arrays = {"neutrinos/slopes": known, "neutrinos/energies_GeV": energies, "neutrinos/cos_zenith": cosines}
    modes = ModelModes(("model:a",), energies, cosines, np.full((1, 4, 2, 2), 0.02))
    record = {"chi2": 1.0, "dof": 1, "models": {}}
    calibration = Calibration("made", names, sigma, values, covariance, np.diag(sigma**2), 1.0, record, arrays, modes)
    file = write_calibration(tmp_path / "made.h5", calibration)
    before, after = sim3d.Flux.site("kamioka"), sim3d.Flux.site("kamioka", calibration=file)
    # the site's derivatives are 0.05 per 0.1 and 0.02 per 0.02
    shift = 0.5 * -0.1 + -0.15 * 0.2 + 1.0 * 0.01
    assert after.flux("numu", 3.0, 0.3) / before.flux("numu", 3.0, 0.3) == pytest.approx(np.exp(shift), rel=1e-4)
    assert after.flux("numu", 3.0, -0.3, 40.0) / before.flux("numu", 3.0, -0.3, 40.0) == pytest.approx(
        np.exp(shift), rel=1e-4
    )
    assert after.parameters == [*names, "model:a"]
    expected = np.sqrt((0.5 * 0.03) ** 2 + (0.15 * 0.2) ** 2 + 0.01**2 + 0.02**2)
    relative = after.error("numu", 3.0, 0.3, kind="model") / after.flux("numu", 3.0, 0.3)
    assert relative == pytest.approx(expected, rel=1e-3)
    assert sim3d.Flux.site("kamioka", calibration="none").parameters == list(NAMES)
    with pytest.raises(InputError, match=r"calibration\.name"):
        sim3d.Flux.site("kamioka", calibration="nowhere")
    unknown = replace(calibration, arrays={})
    with pytest.raises(InputError, match="no derivative by slow@12"):
        sim3d.Flux.site("kamioka", calibration=write_calibration(tmp_path / "unknown.h5", unknown))
    with pytest.raises(InputError, match="as kamioka is of other"):
        site_tables(replace(made(), record={"calibration": "other"}), None, calibration)


def call(*arguments, status=0):
    result = CliRunner().invoke(cli.cli, [str(one) for one in arguments])
    assert result.exit_code == status, result.output
    return result.output


def test_the_command_at_a_point(shipped):
    found = json.loads(call("flux", "kamioka", "--energy", 1, "--cos-zenith", 0.5, "--azimuth", 90, "--json"))
    flux = sim3d.Flux.site("kamioka")
    for flavour, row in found["flavours"].items():
        assert row["flux"][0] == pytest.approx(flux.flux(flavour, 1.0, 0.5, 90.0))
        assert row["total"][0] == pytest.approx(flux.error(flavour, 1.0, 0.5, 90.0, kind="total"))
    text = call("flux", "kamioka", "--energy", 1, "--cos-zenith", 0.5, "--azimuth", 90)
    assert text.count("\n") == 7 - 1
    assert "statistical error" in text


def test_the_command_over_a_range(shipped, tmp_path):
    text = call("flux", "kamioka", "--date", "2015-06-01", "--range", 1, 100, "-o", tmp_path)
    assert "average over the sky" in text
    assert (tmp_path / "kamioka-flux.png").stat().st_size > 10_000
    found = json.loads(call("flux", "kamioka", "--range", 1, 100, "--json"))
    assert len(found["energy_GeV"]) == 11
    mean = sim3d.Flux.site("kamioka").bin_average("numu", [1.0 / 1.005, 1.005], [-1.0, 1.0])[0, 0]
    assert found["flavours"]["numu"]["flux"][0] == pytest.approx(mean, rel=0.01)
    assert call("flux", "--list").count("kamioka") == 1
    assert json.loads(call("flux", "--list", "--json"))["sites"][0]["lat_deg"] == 36.4


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["flux"], "--list"),
        (["flux", "kamioka", "--azimuth", "90"], "--cos-zenith"),
        (["flux", "kamioka", "--range", "10", "1"], "--range"),
        (["flux", "kamioka", "--range", "1", "10", "--energy", "1"], "--range"),
        (["flux", "kamioka", "--energy", "1e6", "--cos-zenith", "0"], "energy_GeV"),
        (["tables", "kamioka", "--smooth"], "--smooth"),
        (["tables", "atlantis"], "atlantis"),
        (["export", "kamioka", "--to", "csv", "--binning", "fine"], "binning"),
    ],
)
def test_wrong_arguments_of_commands(shipped, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=words) as problem:
        CliRunner().invoke(cli.cli, arguments, catch_exceptions=False, standalone_mode=False)
    assert "\n" not in str(problem.value)


def test_tables_and_exports_by_name(shipped, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    written = call("tables", "kamioka", "-o", "honda", "--date", "2015-06-01").split()
    assert len(written) == 8
    back = sim3d.Flux.load("honda/kamioka-honda-ally-20-12.d", energies="bins")
    flux = sim3d.Flux.site("kamioka", "2015-06-01")
    assert back.flux("nue", 3.0, 0.1, 45.0) == pytest.approx(flux.flux("nue", 3.0, 0.1, 45.0), rel=1e-3)
    assert back.error("nue", 3.0, 0.1, kind="model") == pytest.approx(
        flux.error("nue", 3.0, 0.1, kind="model"), rel=1e-3
    )
    assert "model_error" in (tmp_path / call("tables", "kamioka", "--format", "csv").split()[0]).read_text()
    assert call("export", "kamioka", "--to", "nusquids", "-o", "out").strip() == "out/kamioka-nusquids.h5"
    # a file of this format does as well as a name
    assert len(call("export", shipped, "--to", "csv", "-o", "out").split()) == 2


def test_azimuths_follow_the_sun(tmp_path):
    """Averages over azimuth stay; deviations, which all flavours share here, are multiplied by q over the mean's."""
    site, date = made(), "2015-06-01"
    q = np.array([0.2, 0.1, 0.0, -0.1, -0.2, -0.3])
    factors = np.broadcast_to(q[:, None, None], (6, len(BINS.energies_GeV), 20)).copy()
    factors[:, BINS.energies_GeV > 100.0] = np.nan
    with_q = replace(site, log_sun_azimuth=factors)
    back = read_site_flux(write_site_flux(tmp_path / "q.h5", with_q))
    np.testing.assert_allclose(back.log_sun_azimuth, factors, atol=1e-5)
    weights = date_weights(site, date).sun
    assert np.ptp(weights) > 0.3
    before, plain, _ = site_tables(site, date)
    after, moved, _ = site_tables(back, date)
    np.testing.assert_allclose(after.flux, before.flux, rtol=2e-4)
    energy = before.energies_GeV
    middle = (energy > 0.15) & (energy < 70.0)
    asymmetry = [one.flux[..., :6].mean(axis=-1) / one.flux[..., 6:].mean(axis=-1) for one in (plain, moved)]
    deviation = [(one - 1.0) / (one + 1.0) for one in asymmetry]
    of_mean = np.array([np.exp(weights @ [sun(p, e) for p in POTENTIALS]) for e in energy])
    expected = deviation[0] * (np.exp(weights @ q) / of_mean)[:, None]
    np.testing.assert_allclose(deviation[1][:, middle], expected[:, middle], rtol=0.01)
    # above 100 GeV, where the cutoffs do not matter, all azimuths move alike
    high = energy > 200.0
    np.testing.assert_allclose(deviation[1][:, high], deviation[0][:, high], rtol=2e-3)


def test_a_file_of_before_has_no_factors_of_azimuth(file):
    assert read_site_flux(file).log_sun_azimuth.size == 0
    with h5py.File(file, "r") as opened:
        assert "log_sun_azimuth" not in opened
