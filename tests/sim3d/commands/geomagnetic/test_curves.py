"""`sim3d cutoff --curve` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim3d.cli import main


def test_latitudes(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("cutoff", "--curve", "latitude", "--step", "1", "--rigidity", "4")
    _, rows = read_csv(tmp_path / "cutoff-latitude-2020-01-01.csv")
    assert len(rows) == 33
    middle = rows[16]
    assert float(middle["geomagnetic_lat_deg"]) == 0.0
    assert float(middle["allowed_share_4GV"]) == 0.0
    assert float(rows[-1]["allowed_share_4GV"]) > 0.9
    assert float(middle["stoermer_GV"]) == pytest.approx(14.11, abs=0.05)
    assert found["effective_GV"][16] == pytest.approx(14.6, abs=0.6)


def test_azimuths(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("cutoff", "--site", "ino", "--zenith", "60", "--curve", "azimuth", "--step", "1")
    _, rows = read_csv(tmp_path / "cutoff-azimuth-ino-2020-01-01-zenith60.csv")
    assert len(rows) == 36
    # east, and west
    assert float(rows[9]["effective_GV"]) > 2.0 * float(rows[27]["effective_GV"])
    assert float(rows[9]["stoermer_GV"]) > 2.0 * float(rows[27]["stoermer_GV"])
    assert found["zenith_deg"] == 60.0
    assert "azimuth_from_north_deg" in found


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--curve", "latitude", "--site", "ino"), "--curve latitude"),
        (("--curve", "azimuth"), "--site"),
        (("--site", "ino", "--rigidity", "4"), "--rigidity"),
        (("--site", "ino", "--resume"), "--resume"),
        (("--curve", "length"), "length"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], word: str, capsys) -> None:
    assert main(["cutoff", *arguments]) == 2
    assert word in capsys.readouterr().err
