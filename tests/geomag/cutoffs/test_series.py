"""Cutoffs by date: the single cutoffs, decimal years, and the drift of the dipole."""

from __future__ import annotations

import datetime

import pytest

from geomag.cutoffs.cutoff import cutoff
from geomag.cutoffs.series import cutoff_series, decimal_year
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel


def test_a_series_is_the_single_cutoffs() -> None:
    dates = ["1900-01-01", "1964-02-29", 2030.0]
    found = cutoff_series(20.0, -40.0, dates, step_GV=0.2)
    assert found.date == ("1900-01-01", "1964-02-29", "2030-01-01")
    for i, date in enumerate(dates):
        one = cutoff(20.0, -40.0, field=FieldModel(date), step_GV=0.2)
        assert (found.upper_GV[i], found.effective_GV[i]) == (one.upper_GV, one.effective_GV)
    # the field of the western Atlantic's north has moved: the cutoff there rises through the century
    assert found.effective_GV[2] > found.effective_GV[0] + 1.0


def test_decimal_years_count_days_of_the_year() -> None:
    assert decimal_year("2000-12-31") == pytest.approx(2000.0 + 365.0 / 366.0)
    assert decimal_year(datetime.date(2023, 12, 31)) == pytest.approx(2023.0 + 364.0 / 365.0)


@pytest.mark.parametrize(("dates", "word"), [([], "at least one"), (["2020-01-01", "2031-01-01"], "2030-01-01")])
def test_bad_dates(dates: list, word: str) -> None:
    with pytest.raises(GeomagInputError, match=word):
        cutoff_series(0.0, 0.0, dates, step_GV=1.0)
