"""Names, decimals and header lines of files."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.cutoff import Cutoff
from sim3d.commands.geomagnetic.output import (
    check_start,
    cutoff_lines,
    decimals,
    direction_words,
    header,
    known_cutoffs,
    place_stem,
    place_words,
    stem,
)
from sim3d.errors import InputError


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


@pytest.mark.parametrize(
    ("values", "start", "starts_allowed", "unknown"),
    [
        ((5.0, 3.0, 4.0), 1.0, False, []),
        # everything allowed from one step on: below one step
        ((1.0, 1.0, 1.0), 1.0, True, ["upper_GV", "lower_GV", "effective_GV"]),
        # from one step on no rigidity is left out, so the effective cutoff is right to a step
        ((5.0, 1.0, 3.0), 1.0, True, ["lower_GV"]),
        # with --lowest it is not
        ((5.0, 3.0, 4.0), 3.0, True, ["lower_GV", "effective_GV"]),
        ((3.0, 3.0, 3.0), 3.0, True, ["upper_GV", "lower_GV", "effective_GV"]),
    ],
)
def test_upper_bounds_are_no_cutoffs(values, start, starts_allowed, unknown) -> None:
    found = Cutoff(*values, 0, (start, 10.0), 1.0, starts_allowed)
    known, reasons = known_cutoffs(found)
    assert [key for key, value in known.items() if value is None] == list(reasons) == unknown
    assert [value for value in known.values() if value is not None] == [
        value for key, value in zip(known, values, strict=True) if key not in unknown
    ]
    lines = cutoff_lines(found)
    assert sum("below" in line for line in lines) == len(unknown)
    assert any("give a lower" in line for line in lines) == starts_allowed
    for key, reason in reasons.items():
        assert reason.startswith(f"below {getattr(found, key):g} GV")


def test_a_curve_or_map_whose_scan_starts_allowed_is_refused() -> None:
    lower = np.array([2.0, 3.0, 5.0])
    check_start(lower, None, 1.0, "map")
    check_start(np.array([1.0, 3.0]), 1.0, 1.0, "map")
    check_start(lower, 1.6, 0.9, "map")
    with pytest.raises(InputError, match="allowed in 2 directions"):
        check_start(lower, 3.0, 1.0, "map")
