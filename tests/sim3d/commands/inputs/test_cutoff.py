"""`sim3d cutoff` and `sim3d sites` from the outside: what they print, what they write, what they refuse."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from geomag.sites import SITES
from sim3d.cli import main

KAMIOKA = ("cutoff", "--site", "kamioka")


def _json(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    assert main([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_site_and_its_coordinates_give_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    by_name = _json(capsys, *KAMIOKA, "--step", "0.1")
    by_place = _json(capsys, "cutoff", "--lat", "36.4257", "--lon", "137.3103", "--step", "0.1")
    for key in ("upper_GV", "lower_GV", "effective_GV"):
        assert by_name[key] == by_place[key]
        assert 8.0 < by_name[key] < 13.0
    assert by_name["date"] == "2020-01-01"
    assert by_name["field"].startswith("IGRF-")


def test_text_names_the_three_cutoffs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*KAMIOKA, "--step", "0.5"]) == 0
    printed = capsys.readouterr().out
    assert all(word in printed for word in ("upper", "lower", "effective", "GV", "36.43 N, 137.31 E"))


def test_decimals_are_those_of_the_step_and_the_error_half_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*KAMIOKA, "--step", "0.1"]) == 0
    printed = capsys.readouterr().out
    assert "half a step, 0.05 GV" in printed
    values = [line.split()[-2] for line in printed.splitlines() if line.startswith("  ") and line.endswith("GV")]
    assert [len(value.partition(".")[2]) for value in values] == [1, 1, 1]


def test_a_scan_that_starts_allowed_says_below(capsys: pytest.CaptureFixture[str]) -> None:
    pole = ("cutoff", "--site", "southpole", "--step", "0.5")
    found = _json(capsys, *pole)
    assert found["upper_GV"] is None
    assert found["starts_allowed"] is True
    assert set(found["reasons"]) == {"upper_GV", "lower_GV", "effective_GV"}
    assert set(found["reasons"].values()) == {"below 0.5 GV: the scan starts at 0.5 GV, which is allowed"}
    assert main(list(pole)) == 0
    assert capsys.readouterr().out.count("below 0.5 GV") == 3


def test_stations_are_known_by_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, "cutoff", "--site", "rome", "--step", "0.5")["site"] == "ROME"
    listed = _json(capsys, "sites", "--stations")["stations"]
    assert {"code": "OULU", "lat": 65.05, "lon": 25.47}.items() <= next(
        o for o in listed if o["code"] == "OULU"
    ).items()
    assert main(["sites", "--stations"]) == 0
    assert "Jungfraujoch" in capsys.readouterr().out


def test_east_is_higher_than_west(capsys: pytest.CaptureFixture[str]) -> None:
    view = ("--zenith", "60", "--step", "0.2", "--azimuth-from-north")
    east, west = (_json(capsys, *KAMIOKA, *view, azimuth) for azimuth in ("90", "270"))
    assert east["lower_GV"] > west["upper_GV"]


def test_low_altitude_lowers_the_floor_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert _json(capsys, *KAMIOKA, "--altitude", "5", "--step", "1")["floor_km"] == 5.0


def test_a_scan_that_starts_above_the_cutoff(capsys: pytest.CaptureFixture[str]) -> None:
    """The start is no cutoff: below it, with the reason; a scan that starts lower finds 50 GV."""
    view = ("cutoff", "--lat", "38", "--lon", "23.7", "--zenith", "90", "--azimuth-from-north", "90", "--step", "10")
    high = _json(capsys, *view, "--lowest", "100")
    for key in ("upper_GV", "lower_GV", "effective_GV"):
        assert high[key] is None
        assert high["reasons"][key] == "below 100 GV: the scan starts at 100 GV, which is allowed"
    assert main([*view, "--lowest", "100"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("below 100 GV") == 3
    assert "give a lower --lowest" in printed
    low = _json(capsys, *view)
    assert low["reasons"] == {}
    assert low["starts_allowed"] is False
    assert 40.0 <= low["lower_GV"] <= low["upper_GV"] <= 70.0


def test_longitudes_as_in_a_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    place = ("cutoff", "--lat", "36.4", "--step", "1", "--lon")
    found = [_json(capsys, *place, lon)["effective_GV"] for lon in ("137.3", "-222.7")]
    assert found[0] == found[1]
    assert main([*place, "-361"]) == 2
    assert "between -360 and 360" in capsys.readouterr().err


def test_map_writes_csv_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = _json(capsys, "cutoff", "--site", "sno", "--map", "--step", "1", "-o", str(tmp_path / "new"))
    assert len(found["upper_GV"]) == 10
    assert len(found["upper_GV"][0]) == 36
    lines = (tmp_path / "new" / "sno-cutoff-map-2020-01-01.csv").read_text().splitlines()
    assert "# step_GV: 1.0" in lines
    rows = list(csv.DictReader(line for line in lines if not line.startswith("#")))
    assert len(rows) == 360
    assert float(rows[0]["zenith_deg"]) == pytest.approx(18.1949, abs=1e-3)
    assert (tmp_path / "new" / "sno-cutoff-map-2020-01-01.png").stat().st_size > 10000


def test_intensity_writes_csv_and_pictures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    few = ("--cell", "30", "--directions", "5", "-o", str(tmp_path))
    found = _json(capsys, "cutoff", "--intensity", "4", "--intensity", "20", *few)
    assert [one["momentum_GeV"] for one in found["maps"]] == [4.0, 20.0]
    assert (tmp_path / "intensity-2020-01-01.png").stat().st_size > 10000
    text = (tmp_path / "intensity-2020-01-01.csv").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert len(lines) == 1 + 2 * 6 * 12


def test_sites_lists_all_with_their_cutoffs(capsys: pytest.CaptureFixture[str]) -> None:
    found = {one["name"]: one for one in _json(capsys, "sites")["sites"]}
    assert len(found) == len(SITES)
    assert found["kamioka"]["declination_deg"] == pytest.approx(-8.0, abs=0.5)
    assert found["juno"]["vertical_cutoff_GV"] > 15.0
    assert found["southpole"]["vertical_cutoff_GV"] == 0.01
    assert (found["southpole"]["surface_m"], found["arca"]["surface_m"]) == (2835.0, 0.0)
    assert main(["sites"]) == 0
    assert "gransasso" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("cutoff",), "--site"),
        (("cutoff", "--lat", "36"), "--lon"),
        (("cutoff", "--site", "atlantis"), "kamioka"),
        ((*KAMIOKA, "--lat", "36"), "not both"),
        (("cutoff", "--lat", "95", "--lon", "0"), "lat = 95"),
        (("cutoff", "--lat", "nan", "--lon", "0"), "lat = nan"),
        ((*KAMIOKA, "--date", "2031-01-01"), "2030-01-01"),
        ((*KAMIOKA, "--date", "soon"), "YYYY-MM-DD"),
        ((*KAMIOKA, "--degree", "14"), "between 1 and 13"),
        ((*KAMIOKA, "--degree", "ten"), "ten"),
        ((*KAMIOKA, "--zenith", "120"), "zenith = 120"),
        ((*KAMIOKA, "--step", "0"), "step = 0"),
        ((*KAMIOKA, "--altitude", "-3"), "altitude = -3"),
        ((*KAMIOKA, "--floor", "30"), "floor = 30"),
        ((*KAMIOKA, "-o", "somewhere"), "--map"),
        ((*KAMIOKA, "--intensity", "4"), "--site"),
        (("cutoff", "--intensity", "4", "--max-path", "200"), "--max-path"),
        ((*KAMIOKA, "--max-path", "10"), "max-path = 10"),
        (("cutoff", "--intensity", "-4"), "momentum = -4"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    arguments: tuple[str, ...], word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(list(arguments)) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert word in printed.err
    assert printed.err.strip().count("\n") == 0


def test_output_in_the_way_of_a_file_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "taken").write_text("")
    assert main([*KAMIOKA, "--map", "--step", "10", "-o", str(tmp_path / "taken")]) == 2
    assert "taken" in capsys.readouterr().err
