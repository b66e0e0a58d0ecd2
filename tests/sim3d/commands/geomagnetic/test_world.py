"""`sim3d cutoff --world` from the outside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim3d.cli import main

COARSE = ("cutoff", "--world", "--cell", "45", "--step", "0.5")


def test_a_map_is_written_and_read(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json(*COARSE)
    assert [Path(path).name for path in found["files"]] == [
        f"cutoff-world-2020-01-01.{suffix}" for suffix in ("csv", "nc", "png", "pdf")
    ]
    comments, rows = read_csv(tmp_path / "cutoff-world-2020-01-01.csv")
    assert len(rows) == 32
    assert "# altitude_km: 20.0" in comments
    assert "# error_GV: 0.25 (half a step)" in comments
    # the same decimals throughout
    assert {len(row[key].partition(".")[2]) for row in rows for key in row if key.endswith("_GV")} == {1}
    values = np.array([float(row["effective_GV"]) for row in rows]).reshape(4, 8)
    np.testing.assert_allclose(values, found["maps"][0]["effective_GV"], atol=0.01)
    assert (tmp_path / "cutoff-world-2020-01-01.png").stat().st_size > 20000
    assert not list(tmp_path.glob("*.partial*"))


def test_netcdf_is_read_by_xarray(run_json, tmp_path: Path) -> None:
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf")
    found = run_json(*COARSE)
    with xarray.open_dataset(tmp_path / "cutoff-world-2020-01-01.nc", engine="h5netcdf") as data:
        assert data["effective_GV"].dims == ("lat", "lon")
        assert data["effective_GV"].attrs["units"] == "gigavolt"
        np.testing.assert_allclose(data["effective_GV"], found["maps"][0]["effective_GV"])
        np.testing.assert_allclose(data["lat"], found["lat"])
        assert data.attrs["altitude_km"] == 20.0


def test_two_dates_give_their_difference(run_json, read_csv, tmp_path: Path) -> None:
    found = run_json(*COARSE, "--dates", "1900:2030:130")
    assert [one["date"] for one in found["maps"]] == ["1900-01-01", "2030-01-01"]
    _, rows = read_csv(tmp_path / "cutoff-world-2030-01-01-minus-1900-01-01.csv")
    change = np.array([float(row["effective_GV"]) for row in rows]).reshape(4, 8)
    first, last = (np.array(one["effective_GV"]) for one in found["maps"])
    np.testing.assert_allclose(change, last - first, atol=1e-6)
    assert (tmp_path / "cutoff-world-2030-01-01-minus-1900-01-01.png").exists()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--cell", "7"), "divide 180"),
        (("--site", "kamioka"), "--site"),
        (("--map",), "--map"),
        (("--intensity", "4"), "--intensity"),
        (("--max-path", "10"), "max-path = 10"),
        (("--dates", "1800:1900:10"), "--dates"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], word: str, capsys, tmp_path: Path) -> None:
    assert main([*COARSE, *arguments, "-o", str(tmp_path)]) == 2
    printed = capsys.readouterr()
    assert word in printed.err
    assert printed.err.strip().count("\n") == 0
