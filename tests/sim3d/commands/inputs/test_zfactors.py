"""``sim3d zfactors``: the table, JSON, files and wrong input."""

import csv
import json

import pytest

from sim3d.cli import main

FLUKA = ["--model", "fluka-z"]
FEW = [*FLUKA, "--interactions", "2000"]


@pytest.fixture(autouse=True)
def blank_pdfs():
    """Here PDFs are drawn."""


def test_table_next_to_fluka(capsys):
    assert main(["zfactors", *FLUKA, "--energy", "5", "--interactions", "20000"]) == 0
    out = capsys.readouterr().out
    assert "fluka-z" in out
    rows = [line.split() for line in out.splitlines() if line.split()[:3] == ["5", "Z", "pi+"]]
    assert len(rows) == 1
    assert float(rows[0][7]) == 0.0388
    assert float(rows[0][8]) == pytest.approx(1.0, abs=0.05)


def test_json_alone_on_stdout(capsys):
    assert main(["zfactors", *FEW, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == "fluka-z"
    assert len(document["moments"]) == 70
    one = next(
        m for m in document["moments"] if (m["kinetic_energy_GeV"], m["quantity"], m["secondary"]) == (100, "F", "pi-")
    )
    assert one["reference"] == 0.134
    assert one["table"] == pytest.approx(0.134, rel=0.01)
    assert list(one["by_definition"]) == ["balanced", "kinetic", "printed", "total"]
    assert document["daemonflux"]
    # the paper's words (printed) give mesons more than a 5 GeV proton has: 1.054
    assert document["energy_balance"]["5"] == pytest.approx(0.979, abs=0.003)
    assert 0.9 < document["energy_balance"]["100"] < 1.0


def test_the_default_is_that_of_a_run(capsys):
    assert main(["zfactors", "--interactions", "200", "--energy", "100", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["model"] == "accelerator"
    assert 0.9 < document["energy_balance"]["100"] < 1.0


def test_energy_without_reference(capsys):
    assert main(["zfactors", *FEW, "--energy", "1000", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert all(m["reference"] is None and m["ratio"] is None for m in document["moments"])


def test_definition_printed(capsys):
    assert main(["zfactors", *FEW, "--energy", "5", "--definition", "printed", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    first = document["moments"][0]
    assert first["by_definition"]["printed"]["table"] == pytest.approx(0.149, rel=0.01)
    assert first["table"] == first["by_definition"]["printed"]["table"]
    assert next(iter(first["by_definition"])) == "printed"


def test_files(tmp_path, capsys):
    folder = tmp_path / "new"
    assert main(["zfactors", *FEW, "-o", str(folder)]) == 0
    capsys.readouterr()
    with (folder / "zfactors.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(line for line in stream if not line.startswith("#")))
    assert {row["source"] for row in rows} == {"FLUKA", "daemonflux"}
    assert float(rows[0]["reference"]) == 0.149
    for suffix in ("png", "pdf"):
        assert (folder / f"zfactors.{suffix}").stat().st_size > 10_000


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["--model", "nosuch"], "fluka-z"),
        ([*FLUKA, "--definition", "nosuch"], "balanced"),
        (["--definition", "printed"], "accelerator"),
        (["--energy", "-5"], "-5"),
        (["--energy", "nan"], "nan"),
        (["--energy", "1e9"], "1e+06"),
        (["--interactions", "0"], "--interactions"),
        (["--seed", "-1"], "--seed"),
    ],
)
def test_wrong_input_is_one_line_and_status_2(arguments, word, capsys, tmp_path):
    assert main(["zfactors", *arguments, "-o", str(tmp_path / "x")]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert word in captured.err
    assert not (tmp_path / "x").exists()


def test_output_folder_in_the_way_of_a_file(tmp_path, capsys):
    (tmp_path / "taken").write_text("")
    assert main(["zfactors", *FEW, "-o", str(tmp_path / "taken")]) == 2
    assert "taken" in capsys.readouterr().err


def test_models_beside_measurements(capsys):
    assert main(["zfactors", "--data", "--model", "accelerator", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["models"] == ["accelerator"]
    channels = document["channels"]
    assert len(channels) == 31
    spectra = [one for one in channels if one["projectile"] == "p" and "HARP" not in one["experiment"]]
    assert all(one["chi2"]["accelerator"] < 3.0 * one["points"] for one in spectra)
    assert main(["zfactors", "--data", "--energy", "5"]) == 2
    assert "--data" in capsys.readouterr().err
