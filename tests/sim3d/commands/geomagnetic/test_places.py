"""`sim3d cutoff --places`: lists of places and flights."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from geomag.cutoffs.cutoff import cutoff
from geomag.field.igrf import FieldModel
from sim3d.cli import main
from sim3d.commands.geomagnetic.places import read_places

FLIGHT = """# Helsinki to New York
name,lat,lon,altitude_km,date,pilot
Vantaa,60.3,25.0,1.5,2024-02-29,x
over Greenland,65,-40,11,2024-02-29T14:30,y
OULU,,,,,z
"""


def test_rows_have_their_own_height_and_date(tmp_path: Path, capsys) -> None:
    path = tmp_path / "flight.csv"
    path.write_text(FLIGHT)
    assert main(["cutoff", "--places", str(path), "--step", "0.1", "--date", "2000-01-01"]) == 0
    rows = list(csv.DictReader(capsys.readouterr().out.splitlines()))
    assert [row["name"] for row in rows] == ["Vantaa", "over Greenland", "OULU"]
    leap = FieldModel("2024-02-29")
    expected = (
        cutoff(60.3, 25.0, altitude_km=1.5, floor_km=1.5, field=leap, step_GV=0.1),
        cutoff(65.0, -40.0, altitude_km=11.0, floor_km=11.0, field=leap, step_GV=0.1),
        cutoff(65.05, 25.47, field=FieldModel("2000-01-01"), step_GV=0.1),
    )
    for row, one in zip(rows, expected, strict=True):
        assert float(row["upper_GV"]) == pytest.approx(one.upper_GV)
        assert float(row["effective_GV"]) == pytest.approx(one.effective_GV)
    assert rows[2]["altitude_km"] == "20"


@pytest.mark.parametrize("kind", ["gzip", "mark", "windows", "old mac", "utf-16"])
def test_files_of_any_origin(kind: str, tmp_path: Path) -> None:
    path = tmp_path / ("two.csv.gz" if kind == "gzip" else "two.csv")
    text = "# two\nlat,lon\n0,100\n0,-75\n"
    written = {
        "gzip": gzip.compress(text.encode()),
        "mark": text.encode("utf-8-sig"),
        "windows": text.replace("\n", "\r\n").encode(),
        "old mac": text.replace("\n", "\r").encode(),
        "utf-16": text.encode("utf-16"),
    }
    path.write_bytes(written[kind])
    rows = read_places(path, {})
    assert [(row["lat"], row["lon"]) for row in rows] == [(0.0, 100.0), (0.0, -75.0)]


def test_with_a_folder_it_is_a_file(tmp_path: Path, capsys, read_csv) -> None:
    path = tmp_path / "two.csv"
    path.write_text("lat,lon\n0,100\n0,-75\n")
    assert main(["cutoff", "--places", str(path), "--step", "0.5", "-o", str(tmp_path / "out")]) == 0
    comments, rows = read_csv(tmp_path / "out" / "two-cutoffs.csv")
    assert "# step_GV: 0.5" in comments
    assert len(rows) == 2
    assert "two-cutoffs.csv" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "lat and lon"),
        ("lat,lon\n", "0 rows"),
        ("lat,lon\nx,3\n", "line 2: lat"),
        ("a,b\n1,2\n", "lat and lon"),
        ("lat,lon\n95,3\n", "lat = 95"),
        ("name\natlantis\n", "atlantis"),
        ("lat,lon,date\n1,2,2031-01-01\n", "2030-01-01"),
        ("lat,lon\n1,\n", "line 2: no lat and lon"),
    ],
)
def test_bad_files(text: str, word: str, tmp_path: Path, capsys) -> None:
    path = tmp_path / "bad.csv"
    path.write_text(text)
    assert main(["cutoff", "--places", str(path)]) == 2
    printed = capsys.readouterr()
    assert word in printed.err
    assert printed.err.strip().count("\n") == 0


def test_a_missing_file(capsys) -> None:
    assert main(["cutoff", "--places", "missing.csv"]) == 2
    assert "missing.csv" in capsys.readouterr().err
