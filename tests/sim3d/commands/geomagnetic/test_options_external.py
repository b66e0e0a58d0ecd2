"""The magnetosphere in `sim3d cutoff`, `asymptotic` and `trajectory`, and the choice of the integrator."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from geomag.cutoffs.cutoff import cutoff
from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere
from sim3d.cli import main
from sim3d.commands.geomagnetic.options import find_magnetosphere
from sim3d.errors import InputError

OULU = ("--site", "OULU", "--date", "2000-01-01", "--step", "0.05")
T89 = ("--external", "t89", "--kp", "4", "--time", "06:00")


def test_a_cutoff_is_that_of_python_and_lower_than_without(capsys, run_json) -> None:
    found = run_json("cutoff", *OULU, "--penumbra", *T89)
    state = Magnetosphere("2000-01-01T06:00", kp=4.0)
    other = cutoff(65.05, 25.47, field=FieldModel("2000-01-01"), step_GV=0.05, external=state)
    keys = ("upper_GV", "lower_GV", "effective_GV")
    assert [found[key] for key in keys] == [getattr(other, key) for key in keys]
    assert (found["external"], found["time_UT"], found["kp"]) == ("Tsyganenko 1989 (T89c)", "06:00", 4.0)
    without = run_json("cutoff", *OULU, "--penumbra")
    assert found["effective_GV"] < without["effective_GV"]
    assert "external" not in without


def test_files_and_headers_say_so(run_json, read_csv, tmp_path: Path) -> None:
    run_json("cutoff", *OULU, "--penumbra", *T89, "--pressure", "4")
    comments, _ = read_csv(tmp_path / "penumbra-oulu-2000-01-01-t89-kp4-0600UT.csv")
    for line in ("# kp: 4.0", "# time_UT: 06:00", "# pressure_nPa: 4.0", "# bz_nT: 0.0", "# integrator: order 8"):
        assert line in comments
    run_json("cutoff", *OULU, "--penumbra", "--fast")
    comments, _ = read_csv(tmp_path / "penumbra-oulu-2000-01-01.csv")
    assert "# integrator: order 5" in comments


def test_text_names_the_magnetosphere(capsys) -> None:
    assert main(["cutoff", *OULU, *T89]) == 0
    assert "T89 Kp 4 at 06:00 UT" in capsys.readouterr().out


def test_directions_and_trajectories(run_json, tmp_path: Path) -> None:
    options = ("--site", "OULU", "--date", "2000-01-01", "--rigidity", "1,5", *T89)
    directions = run_json("asymptotic", *options)
    ways = run_json("trajectory", *options, "--spacing", "5000")
    for i in range(2):
        for key in ("asymptotic_lat", "asymptotic_lon"):
            assert ways["trajectories"][i][key] == pytest.approx(directions[key][0][i], abs=0.02)
        # on the day side a path ends at the magnetopause, within 25 Earth radii
        assert ways["trajectories"][i]["end_radius_km"] < 25.0 * 6371.2 + 0.1
    names = {path.name for path in tmp_path.glob("*.csv")}
    assert names == {
        "asymptotic-oulu-2000-01-01-t89-kp4-0600UT.csv",
        "trajectory-oulu-2000-01-01-t89-kp4-0600UT-1-5GV.csv",
    }


def test_rows_of_a_flight_have_their_own_hours(run_json, tmp_path: Path) -> None:
    path = tmp_path / "flight.csv"
    path.write_text(
        "lat,lon,altitude_km,date\n65,25,20,2000-01-01T06:00\n65,25,20,2000-01-01T18:00\n65,25,20,2000-01-01\n",
        encoding="utf-8",
    )
    found = run_json("cutoff", "--places", str(path), "--step", "0.05", *T89)
    field = FieldModel("2000-01-01")
    values = [row["effective_GV"] for row in found["places"]]
    for value, hour in zip(values, (6, 18, 6), strict=True):
        state = Magnetosphere(datetime.datetime(2000, 1, 1, hour), kp=4.0)
        assert value == cutoff(65.0, 25.0, field=field, step_GV=0.05, external=state).effective_GV


def test_dates_keep_the_hour(run_json) -> None:
    found = run_json("cutoff", "--site", "OULU", "--dates", "2000:2010:10", "--step", "0.1", *T89)
    state = Magnetosphere("2010-01-01T06:00", kp=4.0)
    other = cutoff(65.05, 25.47, field=FieldModel("2010-01-01"), step_GV=0.1, external=state)
    assert found["effective_GV"][1] == other.effective_GV


def test_the_time_comes_from_the_date_or_the_option() -> None:
    one, settings = find_magnetosphere("t89", None, None, None, None, "2000-02-29T14:30")
    other, _ = find_magnetosphere("t89", 2.0, "14:30", 2.0, 0.0, "2000-02-29")
    assert one == other
    assert settings["time_UT"] == "14:30"
    assert find_magnetosphere("none", None, None, None, None, "2000-01-01") == (None, {})
    with pytest.raises(InputError, match=r"--time: '25:00', allowed: HH:MM"):
        find_magnetosphere("t89", None, "25:00", None, None, "2000-01-01")
    with pytest.raises(InputError, match="a time of its own"):
        find_magnetosphere("t89", None, "05:00", None, None, "2000-01-01T06:00")


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--kp", "2"), "--kp belongs to --external t89"),
        (("--time", "06:00"), "--time belongs to --external t89"),
        (("--external", "t89", "--kp", "12"), "kp = 12"),
        (("--external", "t89", "--pressure", "0"), "pressure = 0"),
        (("--external", "t89", "--fast"), "--external is always traced precisely"),
        (("--external", "t04"), "t04"),
    ],
)
def test_bad_input(arguments: tuple[str, ...], word: str, capsys) -> None:
    assert main(["cutoff", "--site", "OULU", *arguments]) == 2
    assert word in capsys.readouterr().err


def test_an_intensity_map_takes_neither(capsys) -> None:
    assert main(["cutoff", "--intensity", "4", "--external", "t89"]) == 2
    assert "--intensity is for the internal field" in capsys.readouterr().err
