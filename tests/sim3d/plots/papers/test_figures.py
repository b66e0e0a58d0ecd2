"""The papers' figures: which are made of a result, which are left out and why; what they look like is for eyes."""

import json
import warnings
from dataclasses import replace

import numpy as np
import pytest

from sim3d import cli
from sim3d.analysis import matching
from sim3d.analysis import reference as compare
from sim3d.plots import style
from sim3d.plots.papers import figures
from sim3d.plots.papers.plan import MapOptions
from sim3d.results import windows

COARSE = MapOptions(sky_cell_deg=45.0, step_GV=5.0, cell_deg=45.0, directions=3)
SECOND_SITE = {"paper-energy-sno", "fluka-zenith-sno", "fluka-ratio-sno"}
"""Figures of the second site that are drawn each time: one, and those that are not to be had for it."""
ANY_RUN = {"paper-cutoff", "paper-intensity", "paper-zfactors", "paper-pions", "fluka-secondaries"}


@pytest.fixture(autouse=True)
def low_resolution(monkeypatch):
    monkeypatch.setitem(style.RC, "savefig.dpi", 40)


@pytest.fixture
def on_canvas(monkeypatch):
    """Draw without writing: files of text-heavy figures take seconds."""
    monkeypatch.setattr(style, "save", lambda figure, folder, stem, about=(): [figure.canvas.draw()])


def make(result, folder, other=None, only=()):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        drawn, skipped = figures.draw(figures.select(figures.plans(result, other, COARSE), only), folder)
    return {one.name for one in drawn}, {one.name: one.reason for one in skipped}


@pytest.mark.parametrize("sites_drawn", ["one", pytest.param("both", marks=pytest.mark.slow)])
def test_every_figure_of_both_papers(fake_result, tmp_path, on_canvas, monkeypatch, sites_drawn):
    """All are planned; of the second site one is drawn."""
    result, other = fake_result(), fake_result(noise=0.05)
    if sites_drawn == "one":
        planned, canvas = figures.plans, style.new_figure((1.0, 1.0))

        def plans(*given):
            found = planned(*given)
            later = [one for one in found if one.name.endswith("-sno") and one.name not in SECOND_SITE]
            return [replace(one, make=lambda: canvas) if one in later else one for one in found]

        monkeypatch.setattr(figures, "plans", plans)
    drawn, skipped = make(result, tmp_path, other=other)
    per_site = {f"paper-{kind}" for kind in ("energy", "azimuth", "zenith", "asymmetry")}
    per_site |= {f"fluka-flux-{flavour}" for flavour in ("numu", "numubar", "nue", "nuebar")}
    per_site |= {"fluka-average", "fluka-runs-ratio"}
    expected = ANY_RUN | {f"{kind}-{site}" for kind in per_site for site in ("kamioka", "sno")}
    assert drawn == expected | {"fluka-zenith-kamioka", "fluka-ratio-kamioka"}
    assert set(skipped) == {"fluka-zenith-sno", "fluka-ratio-sno"}
    assert set(skipped.values()) == {"FLUKA's table is for kamioka alone"}


def test_a_site_that_is_in_no_paper(fake_result, tmp_path, on_canvas):
    drawn, skipped = make(fake_result(sites=("ino",)), tmp_path, only=("paper-cutoff", "fluka-average", "fluka-runs"))
    assert drawn == {"paper-cutoff-ino", "fluka-average-ino"}
    assert "--other" in skipped["fluka-runs-ratio-ino"]


def test_the_other_file_without_the_site(fake_result, tmp_path, on_canvas):
    drawn, skipped = make(
        fake_result(sites=("ino",)), tmp_path, fake_result(sites=("sno",)), ("fluka-average", "fluka-runs")
    )
    assert drawn == {"fluka-average-ino"}
    assert skipped == {"fluka-runs-ratio-ino": "the other file has no site ino"}


def test_without_a_single_hit_only_the_models_are_drawn(fake_result, tmp_path, on_canvas):
    drawn, skipped = make(fake_result(sites=("kamioka",), empty_above=0.01), tmp_path)
    assert drawn == ANY_RUN
    assert skipped["paper-energy-kamioka"] == "not once did a neutrino cross the patch of kamioka"
    assert "near the horizon" in skipped["paper-azimuth-kamioka"]
    assert "a nuebar cross" in skipped["fluka-flux-nuebar-kamioka"]


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("one flavour", marks=pytest.mark.slow),
        "few hits",
        pytest.param("two batches", marks=pytest.mark.slow),
    ],
)
def test_results_with_holes(fake_result, tmp_path, on_canvas, change):
    options = {"one flavour": {"without": ("nue",)}, "few hits": {"empty_above": 0.6}, "two batches": {"batches": 2}}
    result = fake_result(sites=("kamioka",), **options[change])
    drawn, skipped = make(result, tmp_path, other=result, only=("paper-energy", "paper-azi", "paper-zen", "fluka-"))
    assert {"paper-energy-kamioka", "paper-zenith-kamioka", "fluka-average-kamioka", "fluka-ratio-kamioka"} <= drawn
    assert ("fluka-flux-nue-kamioka" in skipped) == (change == "one flavour")


def test_bins_below_the_lowest_energy_scored_are_left_out(fake_result):
    from sim3d.plots import result as plots
    from sim3d.plots.papers import battistoni as fluka_figures

    result = fake_result(sites=("kamioka",), scoring={"energy_min_GeV": 0.3})
    groups, centres = windows.sky_average(result, "kamioka")
    assert np.array_equal(groups.any(axis=(0, 1)), centres > 0.3 * 10**0.05)
    sky = result.groups_azimuth("kamioka").mean(axis=(3, 4))
    energies = fluka_figures.centres(result)
    assert np.array_equal(fluka_figures.weighted(result, sky).any(axis=(0, 1)), energies > 0.3 * 10**0.125)
    rows = matching.fluka_rows(result, "kamioka")
    assert rows.energy_GeV.min() == 0.531
    assert len(windows.full_bins(result, (0.1, 0.2))) == 0
    titles = [ax.get_title() for ax in plots.zenith(result, "kamioka").axes]
    assert titles[0] == "0.3 to 0.5 GeV"
    result = fake_result(sites=("kamioka",), scoring={"energy_min_GeV": 900.0})
    assert matching.fluka_rows(result, "kamioka") is None
    words = [text.get_text() for text in plots.zenith(result, "kamioka").axes[0].texts]
    assert words == ["below the lowest energy scored"]


def test_a_run_above_the_window(fake_result, tmp_path, on_canvas):
    result = fake_result(sites=("kamioka",), scoring={"energy_min_GeV": 900.0})
    drawn, skipped = make(result, tmp_path, only=("paper-energy", "paper-zenith", "fluka-average", "fluka-ratio"))
    assert drawn == {"paper-energy-kamioka", "fluka-average-kamioka"}
    assert skipped["paper-zenith-kamioka"] == "the run scores nothing between 0.5 and 3 GeV"
    assert skipped["fluka-ratio-kamioka"] == "the run scores nothing in the range of FLUKA's table"


def test_points_are_at_the_energies_of_the_table_and_have_its_value(fake_result):
    from sim3d.analysis.reference import fluka_grid
    from sim3d.plots.papers import battistoni as fluka_figures

    result = fake_result(sites=("kamioka",), noise=0.0)
    energies = fluka_figures.centres(result)
    assert energies[:13] == pytest.approx(fluka_grid().energy_GeV[1:], rel=2e-3)
    value = fluka_figures.weighted(result, result.groups_east_west("kamioka").mean(axis=-1))[0]
    cosines = 0.5 * (result.cos_zenith_edges[1:] + result.cos_zenith_edges[:-1])
    truth = fake_result.truth(energies, cosines, np.zeros(1))[..., 0] * energies[:, None] ** 2.5
    assert value == pytest.approx(truth, rel=0.02)


def test_the_table_as_a_grid():
    from sim3d.analysis.reference import ReferenceGrid, fluka_grid

    grid = fluka_grid()
    table = compare.fluka_table()
    for row in (0, 100, 671):
        i = ("numu", "numubar", "nue", "nuebar").index(table.flavour[row])
        j = int(np.flatnonzero(grid.energy_GeV == table.energy_GeV[row])[0])
        k = int(np.flatnonzero(grid.cos_zenith == table.cos_zenith[row])[0])
        assert grid.flux[i, j, k] == table.flux[row]
    power = ReferenceGrid(grid.energy_GeV, grid.cos_zenith, np.ones((4, 1, 12)) * grid.energy_GeV[:, None] ** -3.0)
    assert power.sky_average() == pytest.approx(np.tile(grid.energy_GeV**-3.0, (4, 1)))
    assert power.integral((0.5, 3.0)) == pytest.approx(0.5 * (0.5**-2 - 3.0**-2), rel=1e-4)


def test_command(known, without_pdfs, capsys):
    folder = known.path.parent / "new" / "figures"
    arguments = ["figures", str(known.path), "-o", str(folder), "--only", "paper-asymmetry", "--only", "fluka-zenith"]
    assert cli.main([*arguments, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert set(document["figures"]) == {"paper-asymmetry-kamioka", "paper-asymmetry-sno", "fluka-zenith-kamioka"}
    assert document["skipped"] == {"fluka-zenith-sno": "FLUKA's table is for kamioka alone"}
    names = {f"{name}.{kind}" for name in document["figures"] for kind in ("png", "pdf")}
    assert {path.name for path in folder.iterdir()} == names | {"captions.md"}
    assert cli.main(arguments) == 0
    shown = capsys.readouterr()
    assert len(shown.out.splitlines()) == 7
    # a slow machine has lines of progress before it
    assert shown.err.splitlines()[-1] == "sim3d: note: fluka-zenith-sno not made: FLUKA's table is for kamioka alone"
    page = (folder / "captions.md").read_text(encoding="utf-8")
    assert "`paper-asymmetry-sno` (after Tserkovnyak et al.)" in page
    assert "`fluka-zenith-sno`: FLUKA's table is for kamioka alone" in page


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "paper-nothing"], "--only: 'paper-nothing', allowed: a figure's name or its beginning: paper-"),
        (["--step", "0"], "--step: 0.0, allowed: 0.001 to 10 GV"),
        (["--sky-cell", "90"], "--sky-cell: 90.0, allowed: 0.5 to 45 degrees"),
        (["--cell", "7"], "--cell: 7.0, allowed: 0.5 to 45 degrees that divide 180"),
        (["--cell", "nan"], "--cell: nan, allowed"),
        (["--directions", "0"], "--directions: 0, allowed: 1 to 100000"),
    ],
)
def test_wrong_input(known, capsys, arguments, message):
    folder = known.path.parent / "figures"
    assert cli.main(["figures", str(known.path), "-o", str(folder), *arguments]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"sim3d: error: {message}")
    assert len(shown.err.splitlines()) == 1
    assert not folder.exists()


def test_a_second_file_that_is_none(tmp_path, capsys):
    assert cli.main(["figures", str(tmp_path / "none.h5")]) == 2
    assert "none.h5: no such file" in capsys.readouterr().err
