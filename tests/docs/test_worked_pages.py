"""The worked pages of the manual: their blocks run and print what the page says, their fits are right."""

import contextlib
import importlib.util
import io
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from sim3d.files.flux_table import FluxTable
from sim3d.flux.interpolated import Flux
from sim3d.measurement.fit import Likelihood, fit, toys

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "manual"


def page_runner():
    """The script that runs the blocks of a page, as a module."""
    spec = importlib.util.spec_from_file_location("run_page", ROOT / "scripts" / "docs" / "run_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


run = page_runner().run


def numbers(text):
    return [float(x) for x in re.findall(r"(?<![\w.])[-+]?\d+\.?\d*(?:e[-+]?\d+)?(?![\w.]*\w)", text)]


def same_as_printed(page, printed):
    """The outputs in the page (```text) are what its blocks print, to 2% of each number."""
    shown = re.findall(r"^```text\n(.*?)^```", page.read_text(), re.M | re.S)
    assert shown
    stated, found = numbers("\n".join(shown)), numbers(printed)
    assert len(stated) == len(found)
    assert found == pytest.approx(stated, rel=0.02, abs=0.02)


@pytest.fixture(scope="module")
def telescope(tmp_path_factory):
    """Names of the page after its blocks, with four toys, five points of a profile and six of the contour."""
    folder, printed = tmp_path_factory.mktemp("telescope"), io.StringIO()
    fewer = {"toys(model, 20,": "toys(model, 4,", "points=9)": "points=5)", "points=12)": "points=6)"}
    with contextlib.redirect_stdout(printed):
        names = run(MANUAL / "telescope.md", folder, fewer)
    return names | {"printed": printed.getvalue(), "folder": folder}


def test_telescope_prints_what_its_page_says(telescope):
    same_as_printed(MANUAL / "telescope.md", telescope["printed"])
    for figure in ("telescope-energy.png", "telescope-profiles.png"):
        assert (telescope["folder"] / figure).stat().st_size > 10_000


def test_telescope_finds_the_truth(telescope):
    """Within 3.5 errors, by Poisson's and by the effective likelihood; a closed contour around the best fit.

    Two estimates of which one is less efficient differ by the root of the difference of their variances (J. Hausman,
    Econometrica 46 (1978) 1251): the effective likelihood has the larger errors, for the noise of the simulation.
    """
    truth = {"N_atmos": 1.0, "N_astro": 1.0, "gamma": 2.46}
    result = telescope["best"]
    other = fit(Likelihood(telescope["model"], telescope["data"], "effective"))
    for name, value in truth.items():
        assert abs(result.values[name] - value) < 3.5 * result.errors[name]
        apart = np.sqrt(other.errors[name] ** 2 - result.errors[name] ** 2)
        assert 0.0 < apart < result.errors[name]
        assert abs(other.values[name] - result.values[name]) < 3.0 * apart
        below, above = result.minos[name]
        assert below < 0.0 < above
        assert 0.5 * (above - below) == pytest.approx(result.errors[name], rel=0.1)
    line = telescope["line"]
    assert line[:, 0].min() < result.values["N_astro"] < line[:, 0].max()
    assert telescope["data"].outside_total + telescope["data"].values.sum() == len(telescope["drawn"])
    assert np.all(np.abs(telescope["pulls"]) < 5.0)


def test_telescope_answers_are_integrals(telescope):
    """Events above 100 TeV of the power law: flux times area, integrated, within the error of the simulation."""
    w = telescope["astro"].weights
    above = telescope["above"]
    energy, cos = np.geomspace(1e5, 1e7, 4001), np.linspace(-1.0, 1.0, 401)
    earth = np.exp(-np.maximum(-cos, 0.0) * (energy[:, None] / 2e6) ** 0.5)
    area = 4e-5 * 1e10 * (energy / 1e5) ** 0.5
    flux = 3.0 * 2.06e-18 * (energy / 1e5) ** -2.46  # three flavours
    over_cos = 2 * np.pi * np.trapezoid(earth, cos, axis=1)
    exact = telescope["livetime_s"] * np.trapezoid(over_cos * area * flux * energy, np.log(energy))
    assert abs(w[above].sum() - exact) < 3.5 * np.sqrt(np.sum(w[above] ** 2))


@pytest.mark.slow
def test_pulls_and_coverage_of_a_thousand_toys(telescope):
    """Mean and width of the pulls, coverage of 68% intervals: within 3.5 standard errors. The seed was fixed first."""
    model, number = telescope["model"], 1000
    truth = dict(zip(model.parameters.names, model.parameters.array(), strict=True))
    found = list(toys(model, number, seed=2019))
    assert all(one.valid for one in found)
    for name, value in truth.items():
        pull = np.array([(one.values[name] - value) / one.errors[name] for one in found])
        mean, width, covered = pull.mean(), pull.std(ddof=1), np.mean(np.abs(pull) < 1.0)
        sys.stdout.write(f"{name}: mean {mean:+.3f}, width {width:.3f}, coverage {covered:.3f}\n")
        assert abs(mean) < 3.5 / np.sqrt(number), name
        assert abs(width - 1.0) < 3.5 / np.sqrt(2 * (number - 1)), name
        assert abs(covered - 0.6827) < 3.5 * np.sqrt(0.6827 * 0.3173 / number), name


class MadeDerivatives:
    """d ln(flux) of the parameters: smooth in ln E and cos_zenith, different in shape, of the size of the errors."""

    def __init__(self, errors):
        self.errors = errors
        self._shape = np.random.default_rng(6).normal(size=(4, len(errors.names))) * errors.sigma

    def at(self, flavour, log_energy, cos_zenith):
        basis = [np.ones_like(log_energy), 0.2 * log_energy, 0.3 * cos_zenith, 0.2 * np.cos(flavour + log_energy)]
        return np.stack(basis, axis=1) @ self._shape


def made_flux(errors):
    """E^-3 with an east-west effect that fades with energy."""
    energy, cos, azimuth = np.geomspace(0.9, 120.0, 43), np.linspace(-1, 1, 21), np.linspace(0, 360, 13)
    middle = np.sqrt(energy[1:] * energy[:-1])[:, None, None]
    turn = np.sin(np.radians(0.5 * (azimuth[1:] + azimuth[:-1])))
    up = (1.2 - 0.4 * np.abs(0.5 * (cos[1:] + cos[:-1])))[:, None]
    values = np.array([280.0, 270.0, 140.0, 125.0])[:, None, None, None] * middle**-3 * up * (1 - 0.3 / middle * turn)
    table = FluxTable(values, None, middle[:, 0, 0], energy, "bins", cos, azimuth, "made", "made")
    return Flux(table.azimuth_average(), table, derivatives=MadeDerivatives(errors))


def run_oscillations(folder, events):
    """Names of the page after its blocks, with a made-up flux in the place of the run's and fewer events."""
    heights = SimpleNamespace(
        mean_km=np.full((4, 2, 2), 17.0), energy_edges_GeV=np.array([1.0, 10.0, 100.0]),
        cos_zenith_edges=np.array([-1.0, 0.0, 1.0]),
    )  # fmt: skip
    changes = {
        "n, low, high, area_cm2 = 1_000_000": f"n, low, high, area_cm2 = {events}",
        'sim3d.load("kamioka.h5")': "None",
        "sim3d.Flux.of_result(result, errors=errors)": "made_flux(errors)",
        "production_heights(result)": "made_heights",
    }
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        given = {"made_flux": made_flux, "made_heights": heights}
        names = run(MANUAL / "oscillations.md", folder, changes, given)
    return names | {"printed": printed.getvalue()}


@pytest.fixture(scope="module")
def oscillations(tmp_path_factory):
    """Names of the page, 250,000 events."""
    return run_oscillations(tmp_path_factory.mktemp("oscillations"), 250_000)


def test_oscillations_page(oscillations):
    """Errors grow with nuisances and never shrink without bins; an azimuth average is refused by bins of azimuth."""
    table = oscillations["table"]
    assert set(table) == {(a, c) for a in (False, True) for c in ("none", "diagonal", "full")}
    for parameter in (0, 1):
        for azimuth in (False, True):
            for covariance in ("diagonal", "full"):
                assert table[azimuth, covariance][parameter] >= table[azimuth, "none"][parameter]
        # a detector that is equal in all azimuths: bins of azimuth neither add nor lose information on oscillations,
        # within the noise of the simulation, which is that of 250,000 events in 1,200 bins for dm^2
        for covariance in ("none", "diagonal", "full"):
            ratio = table[True, covariance][parameter] / table[False, covariance][parameter]
            assert abs(ratio - 1.0) < (0.02 if parameter == 0 else 0.35)
    assert 0.0 < table[True, "full"][1] < 0.5
    assert oscillations["rise"] > 100.0
    assert oscillations["printed"].count("covariance") == 6


def test_oscillations_page_is_recovered_by_a_fit(tmp_path):
    """The expected data of other parameters, fitted with all nuisances: within a tenth of the expected errors.

    The data are those of the same events, without noise, so that their number does not matter.
    """
    oscillations = run_oscillations(tmp_path, 100_000)
    model = oscillations["model_of"](False, "full")
    truth = {"sin2_2theta": 0.95, "dm2": 2.4, "N_air": 1.05}
    result = fit(Likelihood(model, model.asimov(truth)), tolerance=0.1)
    names, matrix = oscillations["expected_covariance"](model)
    errors = dict(zip(names, np.sqrt(np.diag(matrix)), strict=True))
    # the prior of the norm, 1.00 +- 0.10, pulls it
    for name in ("sin2_2theta", "dm2"):
        assert abs(result.values[name] - truth[name]) < 0.1 * errors[name]
