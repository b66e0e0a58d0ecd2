"""The whole way to the flux of a site: a small campaign of real runs, the file, and its use."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import sim3d
from sim3d.files.site_flux_file import read_site_flux
from sim3d.flux.site_flux import heights_of

SCRIPT = Path(__file__).parents[2] / "scripts" / "campaigns" / "site_tables.py"
pytestmark = pytest.mark.slow
OPTIONS = (
    "--sites=kamioka", "--primaries=6000", "--field-dates=2005-01-01,2025-01-01", "--hadronic-model=urqmd-sibyll",
    "--primaries-model=ghls2001-average", "--atmosphere-model=us-standard", "--parameters=pi+@31,primary:p:norm",
    "--threads=1",
)  # fmt: skip


def campaign(folder, *options):
    command = [sys.executable, str(SCRIPT), "-o", str(folder), *options]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("campaign")
    done = campaign(folder, *OPTIONS)
    # 1: a check failed, which at these statistics may be
    assert done.returncode in (0, 1), done.stderr
    assert "in 95% of the bins (goal 2%)" in done.stdout
    return folder


def test_the_file(folder):
    site = read_site_flux(folder / "kamioka.h5")
    assert site.field_dates == ("2005-01-01", "2025-01-01")
    assert set(site.parameters) == {"pi+@31", "primary:p:norm"}
    assert [run["primaries"] for run in site.record["runs"]] == [6000, 6000]
    assert (folder / "kamioka.h5").stat().st_size < 1_100_000
    rows = list(csv.DictReader((folder / "checks.csv").read_text(encoding="utf-8").splitlines()))
    assert sorted(row["flavour"] for row in rows) == ["nue", "nuebar", "numu", "numubar"]
    assert all(abs(float(row["sky_pull"])) < 5.0 for row in rows)


def test_its_flux(folder):
    flux = sim3d.Flux.site(folder / "kamioka.h5", "2015-06-01")
    # as wide as an order of magnitude: numu at 1 GeV over the sky is near 300 (docs/reports/validation.md)
    assert 100.0 < flux.bin_average("numu", [0.9, 1.1])[0, 0] < 900.0
    parts = [flux.error("numu", 1.0, 0.3, kind=kind) for kind in ("statistical", "model", "total")]
    assert parts[2] == pytest.approx(np.hypot(*parts[:2]))
    # the norm of protons alone makes 0.5 to 1 of its 1.3%
    assert parts[1] / flux.flux("numu", 1.0, 0.3) > 0.005
    quiet, active = (sim3d.Flux.site(folder / "kamioka.h5", date) for date in ("2009-12-01", "2002-01-01"))
    ratio = quiet.table.flux[:, 5] / active.table.flux[:, 5]
    assert np.all((ratio > 1.0) & (ratio < 1.6))
    high = quiet.table.flux[:, 80] / active.table.flux[:, 80]
    np.testing.assert_allclose(high, 1.0, atol=0.01)
    median = heights_of(read_site_flux(folder / "kamioka.h5"), 1.0, 0.5)["numu"]["0.5"]
    assert 5.0 < median < 30.0


def test_a_campaign_goes_on_and_refuses_what_is_no_site(folder):
    before = (folder / "kamioka.h5").read_bytes()
    again = campaign(folder, *OPTIONS)
    assert "kamioka: is there" in again.stdout
    assert (folder / "kamioka.h5").read_bytes() == before
    unknown = campaign(folder, "--sites=atlantis")
    assert unknown.returncode == 2
    assert "'atlantis' is not one of" in unknown.stderr
