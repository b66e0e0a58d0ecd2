"""`sim3d cutoff --penumbra` from the outside."""

from __future__ import annotations

from pathlib import Path

from sim3d.cli import main


def test_the_strip_is_written(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json("cutoff", "--site", "kamioka", "--penumbra", "--step", "0.1")
    comments, rows = read_csv(tmp_path / "penumbra-kamioka-2020-01-01.csv")
    # as many decimals as the step has
    for key in ("upper_GV", "lower_GV", "effective_GV"):
        assert f"# {key}: {found[key]:.1f}" in comments
    assert [row["verdict"] for row in rows] == found["verdict"]
    allowed = [float(row["rigidity_GV"]) for row in rows if row["verdict"] == "allowed"]
    assert min(allowed) == found["lower_GV"]
    assert 0.0 < found["penumbra_allowed_share"] < 1.0
    assert (tmp_path / "penumbra-kamioka-2020-01-01.png").stat().st_size > 10000


def test_words_where_everything_is_allowed(tmp_path: Path, capsys) -> None:
    assert main(["cutoff", "--site", "southpole", "--penumbra", "--step", "0.5", "-o", str(tmp_path)]) == 0
    assert "below 0.5 GV" in capsys.readouterr().out
