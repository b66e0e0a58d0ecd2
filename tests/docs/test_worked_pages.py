"""The worked pages of the manual: their blocks run and print what the page says, their fits are right."""

import contextlib
import importlib.util
import io
import re
from pathlib import Path

import numpy as np
import pytest

from sim3d.measurement.fit import Likelihood, fit, toys

ROOT = Path(__file__).resolve().parents[2]
MANUAL = ROOT / "docs" / "manual"


def page_runner():
    """The script that runs the blocks of a page, as a module."""
    spec = importlib.util.spec_from_file_location("run_page", ROOT / "scripts" / "docs" / "run_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


blocks, run = page_runner().blocks, page_runner().run


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
    """Names of the page after its blocks, with six toys."""
    folder, printed = tmp_path_factory.mktemp("telescope"), io.StringIO()
    with contextlib.redirect_stdout(printed):
        names = run(MANUAL / "telescope.md", folder, {"toys(model, 20,": "toys(model, 6,"})
    return names | {"printed": printed.getvalue(), "folder": folder}


def test_telescope_prints_what_its_page_says(telescope):
    same_as_printed(MANUAL / "telescope.md", telescope["printed"])
    for figure in ("telescope-energy.png", "telescope-profiles.png"):
        assert (telescope["folder"] / figure).stat().st_size > 10_000


def test_telescope_finds_the_truth(telescope):
    """Within 3.5 errors, by Poisson's and by the effective likelihood; a closed contour around the best fit."""
    truth = {"N_atmos": 1.0, "N_astro": 1.0, "gamma": 2.46}
    result = telescope["result"]
    other = fit(Likelihood(telescope["model"], telescope["data"], "effective"))
    for name, value in truth.items():
        assert abs(result.values[name] - value) < 3.5 * result.errors[name]
        assert abs(other.values[name] - result.values[name]) < result.errors[name] / 3.0
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
def test_pulls_and_coverage_of_a_thousand_toys(telescope, record_property):
    """Mean and width of the pulls, coverage of 68% intervals: within 3.5 standard errors. The seed was fixed first."""
    model, number = telescope["model"], 1000
    truth = dict(zip(model.parameters.names, model.parameters.array(), strict=True))
    found = list(toys(model, number, seed=2019))
    assert all(one.valid for one in found)
    for name, value in truth.items():
        pull = np.array([(one.values[name] - value) / one.errors[name] for one in found])
        mean, width, covered = pull.mean(), pull.std(ddof=1), np.mean(np.abs(pull) < 1.0)
        record_property(name, f"mean {mean:+.3f}, width {width:.3f}, coverage {covered:.3f}")
        assert abs(mean) < 3.5 / np.sqrt(number), name
        assert abs(width - 1.0) < 3.5 / np.sqrt(2 * (number - 1)), name
        assert abs(covered - 0.6827) < 3.5 * np.sqrt(0.6827 * 0.3173 / number), name


def test_blocks_of_all_pages_with_fits():
    """The pages that this file runs have blocks, and every block is closed."""
    for name in ("telescope.md",):
        text = (MANUAL / name).read_text()
        assert len(blocks(MANUAL / name)) == text.count("```python")
