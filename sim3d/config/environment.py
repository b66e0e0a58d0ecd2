"""Keys of a run's geomagnetic field and atmosphere: TOML tables ``[field]`` and ``[atmosphere]``."""

from __future__ import annotations

import datetime
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from sim3d.config.table import Float, Int, Table

# Range of the field model's dates. geomag checks it, too; here a wrong date fails before numba is imported.
_FIRST_DATE, _LAST_DATE = datetime.date(1900, 1, 1), datetime.date(2030, 1, 1)


def _day(value: Any) -> datetime.date:
    """Convert a date of TOML, or a string YYYY-MM-DD."""
    if isinstance(value, datetime.datetime):
        value = value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError("must be a date written YYYY-MM-DD") from None


class FieldTable(Table):
    """Table ``[field]``: date and degree of the geomagnetic field, and whether the rigidity cutoff is applied.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    date: str = "2020-01-01"
    degree: Int = Field(10, ge=1, le=13)
    cutoff: bool = True

    @field_validator("date", mode="before")
    @classmethod
    def _date(cls, value: Any) -> str:
        day = _day(value)
        if not _FIRST_DATE <= day <= _LAST_DATE:
            raise ValueError(f"must lie in the field model's range {_FIRST_DATE} to {_LAST_DATE}")
        return day.isoformat()


class AtmosphereTable(Table):
    """Table ``[atmosphere]``: density profile of the atmosphere, by model, place and season.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    model: Literal["us-standard", "csv", "nrlmsis"] = "us-standard"
    profile: str | None = None
    place: str | None = None
    lat: Float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: Float | None = Field(None, ge=-360, le=360, allow_inf_nan=False)
    month: Int | None = Field(None, ge=1, le=12)
    date: str | None = None
    f107: Float | None = Field(None, ge=60, le=400, allow_inf_nan=False)
    ap: Float | None = Field(None, ge=0, le=400, allow_inf_nan=False)

    @field_validator("date", mode="before")
    @classmethod
    def _date(cls, value: Any) -> str | None:
        return None if value is None else _day(value).isoformat()

    @model_validator(mode="after")
    def _keys_of_the_model(self) -> AtmosphereTable:
        if (self.model == "csv") != (self.profile is not None):
            raise ValueError('model = "csv" and profile = "FILE.csv" go together')
        if self.model != "nrlmsis":
            for key in ("place", "lat", "lon", "month", "date", "f107", "ap"):
                if getattr(self, key) is not None:
                    raise ValueError(f'{key} is for model = "nrlmsis", not for "{self.model}"')
        if (self.lat is None) != (self.lon is None):
            raise ValueError("give both lat and lon, or a place")
        if self.place is not None and self.lat is not None:
            raise ValueError("give either a place, or lat and lon")
        if self.month is not None and self.date is not None:
            raise ValueError("give either a month or a date (without both: field.date)")
        return self
