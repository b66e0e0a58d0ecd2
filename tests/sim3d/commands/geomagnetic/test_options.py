"""Places, ranges of years and of rigidities as the options take them."""

from __future__ import annotations

import pytest

from geomag.errors import GeomagInputError
from sim3d.commands.geomagnetic.options import check_kinds, find_place, parse_dates, parse_rigidities
from sim3d.errors import InputError


def test_years() -> None:
    assert parse_dates("1900:2030:65") == [1900.0, 1965.0, 2030.0]
    assert parse_dates("2000:2001:0.25") == [2000.0, 2000.25, 2000.5, 2000.75, 2001.0]
    assert parse_dates("2000:2009:5") == [2000.0, 2005.0]
    assert parse_dates("1999:1999:1") == [1999.0]


@pytest.mark.parametrize(
    "text", ["1900", "1899:2000:5", "2000:1990:5", "2000:2031:1", "1900:2000:0", "a:b:c", "::", ""]
)
def test_bad_years(text: str) -> None:
    with pytest.raises(InputError, match="FIRST:LAST:STEP"):
        parse_dates(text)


def test_rigidities() -> None:
    assert parse_rigidities("10") == [10.0]
    assert parse_rigidities("1:1.3:0.1,5") == [1.0, 1.1, 1.2, 1.3, 5.0]


@pytest.mark.parametrize("text", ["", "a", "1:2", "2:1:1", "1:2:0", "1:1e9:0.1", "1,,2"])
def test_bad_rigidities(text: str) -> None:
    with pytest.raises(InputError, match="--rigidity"):
        parse_rigidities(text)


def test_places() -> None:
    assert find_place("OULU", None, None) == ("OULU", 65.05, 25.47)
    assert find_place(None, 10.0, 20.0) == (None, 10.0, 20.0)
    with pytest.raises(InputError, match="not both"):
        find_place("OULU", 1.0, None)
    with pytest.raises(InputError, match="--lon"):
        find_place(None, 1.0, None)
    with pytest.raises(GeomagInputError, match="unknown"):
        find_place("nowhere", None, None)


def test_one_kind_at_a_time() -> None:
    check_kinds({"--map": True, "--world": False, "--dates": False})
    check_kinds({"--map": False, "--world": True, "--dates": True})
    for pair in (("--map", "--world"), ("--penumbra", "--dates"), ("--world", "--intensity")):
        with pytest.raises(InputError, match=pair[1]):
            check_kinds(dict.fromkeys(pair, True))
