"""Results that earlier versions wrote stay readable, with the same numbers.

``tests/data/format-1/run.h5.gz`` is what revision 7825836 made of run.toml beside it; expected.json is what that
revision read from it. A new format of files gets a folder of its own beside; these files are never made anew.
"""

import gzip
import json
from pathlib import Path

import pytest

import sim3d
from sim3d.cli import main

FOLDER = Path(__file__).parents[1] / "data" / "format-1"
EXPECTED = json.loads((FOLDER / "expected.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def old_file(tmp_path_factory):
    """The file, unpacked."""
    path = tmp_path_factory.mktemp("format-1") / "run.h5"
    path.write_bytes(gzip.decompress((FOLDER / "run.h5.gz").read_bytes()))
    return path


def json_of(capsys, *arguments):
    """What a command prints with --json."""
    assert main([*map(str, arguments), "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_file_is_small():
    assert (FOLDER / "run.h5.gz").stat().st_size < 150_000


def test_checksums(old_file, capsys):
    found = json_of(capsys, "info", old_file, "--verify")
    assert found["file"] == "sealed"
    assert found["data_sha256"] == EXPECTED["data_sha256"]
    assert found["config_sha256"] == EXPECTED["config_sha256"]


def test_info(old_file, capsys):
    found = json_of(capsys, "info", old_file)
    site = found["sites"]["kamioka"]
    assert list(site["hits_by_flavour"].values()) == EXPECTED["hits"]
    # its histogram of weights counts hits, and says so
    assert found["weights_of"] == "hits"
    for decades in site["weights"].values():
        assert all(row["counted"] == row["hits"] for row in decades.values())


def test_numbers_of_the_result(old_file):
    result = sim3d.load(old_file)
    flux, error, hits = result.binned("kamioka", "fine_aa")
    assert hits.sum(axis=(1, 2)).tolist() == EXPECTED["hits"]
    assert flux.sum(axis=(1, 2)).tolist() == pytest.approx(EXPECTED["flux"], rel=1e-12)
    assert (error >= 0.0).all()


def test_interpolated_flux(old_file):
    flux = sim3d.Flux.load(old_file)
    for key, expected in EXPECTED["getFlux_numu"].items():
        energy, cosine = map(float, key.split())
        assert flux.getFlux(14, energy, cosine) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("form", ["honda", "csv"])
def test_tables(old_file, tmp_path, form):
    assert main(["tables", str(old_file), "-o", str(tmp_path), "--format", form]) == 0
    written = sorted(path.name for path in tmp_path.iterdir())
    assert "kamioka-aa.csv" in written if form == "csv" else "kamioka-honda-aa.d" in written


def test_asymmetry(old_file, capsys):
    site = json_of(capsys, "asymmetry", old_file)["sites"]["kamioka"]
    for flavour, (asymmetry, error) in EXPECTED["asymmetry"].items():
        assert site[flavour]["asymmetry"] == pytest.approx(asymmetry, rel=1e-9)
        assert site[flavour]["error"] == pytest.approx(error, rel=1e-9)
