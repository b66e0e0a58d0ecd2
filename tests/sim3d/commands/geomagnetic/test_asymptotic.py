"""`sim3d asymptotic` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim3d.cli import main


def test_files_and_values(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("asymptotic", "--site", "OULU", "--rigidity", "0.3,2:4:1,1000")
    comments, rows = read_csv(tmp_path / "asymptotic-oulu-2020-01-01.csv")
    assert [row["rigidity_GV"] for row in rows] == ["0.3", "2", "3", "4", "1000"]
    assert "# escape_radii: 25.0" in comments
    # at high rigidity the station looks along its own vertical
    assert float(rows[-1]["lat"]) == pytest.approx(65.05, abs=0.5)
    assert rows[0]["verdict"] != "allowed"
    assert rows[0]["lat"] == ""
    assert found["asymptotic_lat"][0][0] is None
    assert found["asymptotic_lat"][0][1] == pytest.approx(float(rows[1]["lat"]), abs=0.006)
    assert (tmp_path / "asymptotic-oulu-2020-01-01.png").stat().st_size > 20000


def test_a_cone_has_five_directions(run_json, tmp_path: Path) -> None:
    found = run_json("asymptotic", "--site", "kamioka", "--zenith", "20", "--cone", "--rigidity", "30,60")
    assert found["zenith_deg"] == [0, 20, 20, 20, 20]
    assert (tmp_path / "asymptotic-kamioka-2020-01-01-cone.csv").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--site", "OULU", "--rigidity", "x"), "--rigidity"),
        (("--site", "OULU", "--rigidity", "0.001"), "rigidity = 0.001"),
        (("--site", "ino", "--rigidity", "2"), "none of these"),
        (("--rigidity", "2"), "--site"),
        (("--site", "OULU", "--escape-radii", "1"), "escape-radii = 1"),
        (("--site", "OULU", "--max-path", "30"), "max-path = 30"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], word: str, capsys, tmp_path: Path) -> None:
    assert main(["asymptotic", *arguments, "-o", str(tmp_path)]) == 2
    assert word in capsys.readouterr().err
