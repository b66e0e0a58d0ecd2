"""Fluxes beside those of a release: changes that were put in come out, with errors; entries of the changelog."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from geomag.sites import SITES
from sim3d import cli
from sim3d.analysis import releases
from sim3d.api import run
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.files.honda import HONDA_COS_EDGES, HONDA_ENERGIES_GEV
from sim3d.flux.interpolated import Flux
from sim3d.studies.site_tables import SitePlan, site_configuration

RELEASE = "0.1.0"

CHANGELOG = """# Changelog

## [0.3.0] - unreleased

### Numbers

- Kaons:
  two lines

### Fixed

- no number

## [0.2.0] - 2027-01-01

### Numbers

- Old
"""


def flux(factor=1.0):
    e = HONDA_ENERGIES_GEV
    step = np.sqrt(e[1] / e[0])
    edges = np.append(e / step, e[-1] * step)
    values = np.broadcast_to((0.5 * (edges[:-1] ** -2 - edges[1:] ** -2) / np.diff(edges))[:, None], (4, 101, 20))
    values = values[..., None] * factor
    whole = np.array([0.0, 360.0])
    return Flux(FluxTable(values, 0.04 * values, e, edges, "bins", HONDA_COS_EDGES, whole, "kamioka", "made"))


def test_what_was_put_in_comes_out(tmp_path):
    releases.write_release("0.2.0", [flux()], tmp_path)
    factor = np.ones((4, 101, 20, 1))
    factor[2, 40:61, 15:] = 1.1  # nue, 10 to 100 GeV, down
    found = releases.changes("0.2.0", [flux(factor)], tmp_path)
    assert len(found) == 4 * 3 * 5
    for one in found:
        expected = 1.0
        if one.flavour == "nue" and one.low_GeV == pytest.approx(10.0) and one.zenith == "down":
            # five of the 6.67 bins of the third
            expected = 1.0 + 0.1 * 5.0 / (20.0 / 3.0)
        assert one.ratio == pytest.approx(expected, abs=0.012), one
    # a fifth of a decade has 3 bins of energy and halves of two, a third of the sky 6 of zenith and 2/3 of one; they
    # have 4% each, in both tables
    cells = 5 * 4.0**2 / (3 + 2 * 0.5**2) * (20 / 3) ** 2 / (6 + (2 / 3) ** 2)
    assert found[0].error == pytest.approx(0.04 * np.sqrt(2.0 / cells), rel=0.05)


def test_a_release_that_is_not_kept(tmp_path):
    with pytest.raises(InputError, match="no release is kept yet"):
        releases.changes("0.2.0", [flux()], tmp_path)
    with pytest.raises(InputError, match="none does"):
        releases.write_release("0.2.0", [], tmp_path)


def test_entries_of_the_changelog(tmp_path):
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "sun.numbers.md").write_text("- The Sun moved:\n  by 1%.\n- And more.\n")
    (tmp_path / "changelog.d" / "sun.added.md").write_text("- Nothing.\n")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    assert releases.announced("0.2.0", tmp_path) == ["The Sun moved: by 1%.", "And more.", "Kaons: two lines"]
    assert releases.announced("0.3.0", tmp_path) == ["The Sun moved: by 1%.", "And more."]
    assert releases.announced("0.3.0", tmp_path / "none") == []


def test_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(releases, "FOLDER", tmp_path)
    releases.write_release("0.2.0", [flux()], tmp_path)
    monkeypatch.setattr("sim3d.files.site_flux_file.shipped_sites", lambda: {"kamioka": None})
    monkeypatch.setattr(Flux, "site", classmethod(lambda cls, name, calibration: flux(1.05)))
    monkeypatch.setattr(releases.changes, "__defaults__", (tmp_path,))
    made = CliRunner().invoke(cli.cli, ["compare", "--release", "0.2.0"])
    assert made.exit_code == 0, made.output
    assert made.output.count("+5.0%") == 4 * 3 * 5
    document = json.loads(CliRunner().invoke(cli.cli, ["compare", "--release", "0.2.0", "--json"]).output)
    assert document["changes"][0]["ratio"] == pytest.approx(1.05)
    for arguments, words in ((["compare"], "two files"), (["compare", "x.h5", "--release", "0.2.0"], "without files")):
        with pytest.raises(InputError, match=words):
            CliRunner().invoke(cli.cli, arguments, catch_exceptions=False, standalone_mode=False)


def test_entries_that_the_release_has_are_no_news(tmp_path, monkeypatch):
    monkeypatch.setattr(releases, "ROOT", tmp_path)
    (tmp_path / "changelog.d").mkdir()
    (tmp_path / "changelog.d" / "sun.numbers.md").write_text("- The Sun moved.\n")
    releases.write_release("0.2.0", [flux()], tmp_path)
    (tmp_path / "changelog.d" / "air.numbers.md").write_text("- The air is thinner.\n")
    assert releases.included("0.2.0", tmp_path) == {"sun"}
    assert releases.announced("0.2.0", tmp_path, tmp_path) == ["The air is thinner."]
    assert list(releases.read_release("0.2.0", tmp_path)) == [
        ("kamioka", flavour, zenith) for flavour in flux().flavours for zenith, _, _ in releases.THIRDS
    ]


@pytest.fixture(scope="module")
def sno(tmp_path_factory):
    """A run of the flux of SNO that ships, with 50,000 primaries."""
    plan = SitePlan(
        500_000,
        ("2005-01-01",),
        (),
        {"hadronic": "accelerator", "primaries": "gsf:2026.1", "atmosphere": "nrlmsis"},
        {},
        31,
    )
    place = {"name": "sno", "lat": SITES["sno"].lat, "lon": SITES["sno"].lon, "altitude_m": SITES["sno"].surface_m}
    return run(site_configuration(plan, place, 0, check=True))


def test_the_flux_is_that_of_the_release_unless_the_changelog_says_so(sno):
    """A change of physics moves the flux from the release's; an entry `numbers` must announce it."""
    found = releases.changes_of_run(RELEASE, sno, "sno")
    assert len(found) == 4 * 5
    pulls = np.array([(one.ratio - 1.0) / one.error for one in found])
    moved = [one for one, pull in zip(found, pulls, strict=True) if abs(pull) > 4.5]
    worst = f"{moved or found[int(np.abs(pulls).argmax())]}, chi2 {np.sum(pulls**2):.0f} of {len(pulls)}"
    if releases.announced(RELEASE) == []:
        assert not moved, worst
        # flavours share showers, so that the sum of squares spreads more widely than chi2
        assert np.sum(pulls**2) < 60.0, worst


def test_a_change_of_physics_would_be_seen(sno, tmp_path):
    """Fifteen percent in one flavour: the release is read with as much more."""
    text = (releases.FOLDER / f"{RELEASE}.csv").read_text().splitlines()
    rows = [line.split(",") for line in text]
    changed = [[*row[:4], str(1.15 * float(row[4])), row[5]] if row[:2] == ["sno", "numu"] else row for row in rows]
    (tmp_path / f"{RELEASE}.csv").write_text("\n".join(",".join(row) for row in changed))
    found = releases.changes_of_run(RELEASE, sno, "sno", tmp_path)
    pulls = [(one.ratio - 1.0) / one.error for one in found if one.flavour == "numu"]
    assert np.sum(np.square(pulls)) > 100.0
    with pytest.raises(InputError, match="one of release"):
        releases.changes_of_run(RELEASE, sno, "atlantis")


def test_rows_are_those_of_the_sites():
    rows = releases.release_rows([flux(), flux()])
    assert len(rows) == 2 * 4 * 3 * 25
    assert replace(flux().table, name="x").name == "x"
