"""The command `sim3d cascade`: table, JSON, files and wrong input."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from sim3d.cli import main

FAST = ["cascade", "--bins", "8", "--primaries", "ghls2001-average", "--cutoff", "none"]


def test_json_csv_and_pictures_agree(tmp_path, capsys):
    assert (
        main([*FAST, "--depth", "1000", "--cos-zenith", "0.9", "--cos-zenith", "-0.9", "-o", str(tmp_path), "--json"])
        == 0
    )
    document = json.loads(capsys.readouterr().out)
    assert document["depth_g_cm2"] == pytest.approx(1000.0, rel=1e-6)
    assert document["cutoff"] == ["no geomagnetic cutoff"] * 2
    lines = [line for line in (tmp_path / "cascade.csv").read_text().splitlines() if not line.startswith("#")]
    rows = list(csv.DictReader(lines))
    assert len(rows) == len(document["fluxes"])
    np.testing.assert_allclose(
        [float(row["numu"]) for row in rows], [record["numu"] for record in document["fluxes"]], rtol=1e-5
    )
    assert max(record["energy_GeV"] for record in document["fluxes"]) == pytest.approx(1e5)
    assert all(record["mu+"] == 0.0 for record in document["fluxes"] if record["cos_zenith"] < 0.0)
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "cascade-parents.pdf", "cascade-parents.png", "cascade-spectra.pdf", "cascade-spectra.png", "cascade.csv",
    ]  # fmt: skip


def test_the_table_names_its_models(capsys):
    assert main([*FAST, "--altitude", "360", "--solar", "min"]) == 0
    out = capsys.readouterr().out
    assert "ghls2001-average, 536 MV" in out
    assert "observer at 360 m" in out
    assert "one-dimensional" in out


def test_defaults_are_those_of_a_run(capsys):
    """Hadronic model, primaries and the Sun of the default date; a known site lies at its surface."""
    assert main(["cascade", "--bins", "6", "--cutoff", "none", "--site", "southpole", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["hadronic_model"] == "accelerator"
    assert document["primaries"] == "gsf:2026.1"
    assert document["solar_modulation"].startswith("2020-01: 480 MV")
    assert document["altitude_m"] == pytest.approx(2835.0)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--cos-zenith", "2"], "cos_zenith"),
        (["--cutoff", "vertical"], "with a place"),
        (["--cutoff", "much"], "none, vertical, sky or a number of GV"),
        (["--solar", "quiet"], "--solar"),
        (["--altitude", "1", "--depth", "1000"], "either --altitude or --depth"),
        (["--depth", "5000"], "--depth"),
        (["--atmosphere", "nrlmsis"], "--atmosphere"),
        (["--month", "3"], "--month"),
        (["--model", "nonsense"], "nonsense"),
        (["--lat", "10"], "both --lat and --lon"),
        (["--bins", "2"], "bins_per_decade"),
    ],
)
def test_wrong_input_is_one_line(options, words, capsys):
    assert main(["cascade", *options]) == 2
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1
