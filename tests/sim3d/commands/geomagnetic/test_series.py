"""`sim3d cutoff --dates` of a place from the outside."""

from __future__ import annotations

from pathlib import Path


def test_a_series_is_written(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("cutoff", "--site", "OULU", "--dates", "1900:2030:65", "--step", "0.05")
    assert found["date"] == ["1900-01-01", "1965-01-01", "2030-01-01"]
    # Oulu's cutoff falls through the century
    assert found["effective_GV"][0] > found["effective_GV"][1] > found["effective_GV"][2]
    comments, rows = read_csv(tmp_path / "cutoff-series-oulu-1900-2030.csv")
    assert any("OULU (65.05 N, 25.47 E)" in line for line in comments)
    assert [float(row["effective_GV"]) for row in rows] == found["effective_GV"]
    assert {len(row["upper_GV"].partition(".")[2]) for row in rows} == {2}
    assert (tmp_path / "cutoff-series-oulu-1900-2030.png").stat().st_size > 10000
