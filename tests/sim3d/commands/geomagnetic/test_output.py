"""Names, decimals and header lines of files."""

from __future__ import annotations

import pytest

from sim3d.commands.geomagnetic.output import decimals, direction_words, header, place_stem, place_words, stem


@pytest.mark.parametrize(
    ("step", "digits"), [(0.01, 2), (0.1, 1), (1.0, 0), (0.005, 3), (0.25, 2), (10.0, 0), (1 / 3, 6)]
)
def test_every_multiple_of_the_step_is_exact(step: float, digits: int) -> None:
    assert decimals(step) == digits


def test_places_in_words() -> None:
    assert place_words(-36.4, 285.0) == "36.40 S, 75.00 W"
    assert place_words(0.0, 180.0) == "0.00 N, 180.00 W"
    assert place_stem(None, 36.43, 137.31) == "36.43N-137.31E"
    assert place_stem("OULU", 1.0, 2.0) == "oulu"


def test_directions_in_words() -> None:
    assert direction_words(0.0, 90.0) == "vertical"
    assert direction_words(60.0, 270.0).endswith("(W)")
    assert direction_words(60.0, -22.5).endswith("(NNW)")


def test_names_tell_places_dates_directions_and_heights_apart() -> None:
    vertical = {"date": "2020-01-01", "zenith_deg": 0.0, "azimuth_from_north_deg": 0.0, "altitude_km": 20.0}
    assert stem("cutoff-world", vertical) == "cutoff-world-2020-01-01"
    oblique = {**vertical, "zenith_deg": 60.0, "azimuth_from_north_deg": 90.0, "altitude_km": 400.0}
    assert stem("penumbra", oblique, "oulu") == "penumbra-oulu-2020-01-01-zenith60-azimuth90-400km"


def test_headers_state_the_error() -> None:
    lines = header({"step_GV": 0.01, "lowest_GV": None, "date": "2020-01-01"}, "What it is")
    assert lines == ["What it is", "step_GV: 0.01", "date: 2020-01-01", "error_GV: 0.005 (half a step)"]
