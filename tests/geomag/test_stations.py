"""Stations by code: the table is complete, and its places give the published cutoffs."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.world import place_cutoffs
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel
from geomag.sites import SITES
from geomag.stations import place, stations


def test_every_row_is_a_place() -> None:
    table = stations()
    assert len(table) == 50
    assert list(table) == sorted(table)
    for one in table.values():
        assert -90.0 <= one.lat <= 90.0
        assert -180.0 <= one.lon <= 180.0
        assert 0.0 <= one.altitude_m < 4000.0
        assert one.checked in {"yes", "minutes", "no"}
        assert one.code == one.code.upper()
        assert one.code.lower() not in SITES


def test_names_and_codes_in_any_case() -> None:
    assert place("Kamioka") == ("kamioka", 36.4257, 137.3103)
    assert place(" oulu ") == ("OULU", 65.05, 25.47)
    with pytest.raises(GeomagInputError, match=r"'atlantis' is unknown.*kamioka.*OULU"):
        place("atlantis")


def test_places_give_the_published_cutoffs() -> None:
    """A wrong place shows here: a degree of latitude is 0.2 GV. Epochs differ, some have a magnetosphere."""
    table = [one for one in stations().values() if (one.published_GV or 0.0) > 1.0]
    found = place_cutoffs([o.lat for o in table], [o.lon for o in table], FieldModel("1990-01-01"), step_GV=0.1)
    published = np.array([one.published_GV for one in table])
    away = found.effective_GV - published
    # Almaty's is that of a later field (the next test)
    almaty = np.array([one.code == "AATB" for one in table])
    assert almaty.sum() == 1
    assert np.abs(away[~almaty]).max() < 0.75
    assert abs(np.median(away)) < 0.15


def test_almaty_is_published_for_a_field_of_about_2020() -> None:
    one = stations()["AATB"]
    then, now = (
        place_cutoffs([one.lat], [one.lon], FieldModel(date), step_GV=0.02, lowest_GV=4.0).effective_GV[0]
        for date in ("1980-01-01", "2020-01-01")
    )
    assert then - one.published_GV > 0.6
    assert abs(now - one.published_GV) < 0.15
