"""`sim3d trajectory` from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from sim3d.cli import main


def test_files_and_ends(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("trajectory", "--site", "ino", "--rigidity", "5,30", "--spacing", "500")
    assert [one["end"] for one in found["trajectories"]] == ["met the floor", "escaped"]
    assert found["trajectories"][0]["asymptotic_lat"] is None
    comments, rows = read_csv(tmp_path / "trajectory-ino-2020-01-01-5-30GV.csv")
    assert len(rows) == sum(one["points"] for one in found["trajectories"])
    assert (float(rows[0]["lat"]), float(rows[0]["altitude_km"])) == pytest.approx((9.963, 20.0), abs=1e-3)
    assert any(line.startswith("# 30 GV: escaped after") for line in comments)
    assert "# azimuth_from_north_deg: 0.0" in comments
    assert (tmp_path / "trajectory-ino-2020-01-01-5-30GV.png").stat().st_size > 20000


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ((), "--rigidity"),
        (("--rigidity", "1:100:0.5"), "--rigidity"),
        (("--rigidity", "-5"), "rigidity = -5"),
        (("--rigidity", "5", "--spacing", "0"), "spacing = 0"),
        (("--rigidity", "5", "--floor", "30"), "floor = 30"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], word: str, capsys, tmp_path: Path) -> None:
    assert main(["trajectory", "--site", "ino", *arguments, "-o", str(tmp_path)]) == 2
    assert word in capsys.readouterr().err
