"""Compute the cutoffs of one place and direction at many dates: the secular change.

The field is that of each date (`geomag.field.igrf.FieldModel`); the definitions of the cutoffs are those of
`geomag.cutoffs.cutoff`.  Dates are independent tasks, which the caller may spread as in `geomag.cutoffs.world`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geomag.arrays import Array, BoolArray, IntArray
from geomag.cutoffs.cutoff import CutoffTracer
from geomag.cutoffs.world import MapTasks
from geomag.errors import GeomagInputError
from geomag.field.igrf import DateLike, FieldModel, parse_date


@dataclass(frozen=True)
class CutoffSeries:
    """Cutoffs by date; arrays have the shape of the dates.

    Attributes
    ----------
    date : tuple of str
        ISO dates.
    year : array
        The same as decimal years.
    upper_GV, lower_GV, effective_GV : array
        Cutoffs, GV.
    undecided : int array
        Undecided trajectories (counted as forbidden).
    starts_allowed : bool array
        Where the lowest rigidity scanned is allowed: `lower_GV` is then only an upper bound.
    """

    date: tuple[str, ...]
    year: Array
    upper_GV: Array
    lower_GV: Array
    effective_GV: Array
    undecided: IntArray
    starts_allowed: BoolArray


def _one_date(
    task: int,
    dates: Sequence[DateLike],
    lat: float,
    lon: float,
    zenith: float,
    azimuth: float,
    degree: int,
    options: Any,
) -> Array:
    """Upper, lower, effective, undecided and starts_allowed at one date."""
    options = dict(options)
    external = options.pop("external", None)
    if external is not None:
        external = external.on(dates[task])
    tracer = CutoffTracer(lat, lon, field=FieldModel(dates[task], degree), external=external, **options)
    found = tracer.cutoff(zenith, azimuth)
    return np.array(
        [found.upper_GV, found.lower_GV, found.effective_GV, found.undecided, found.starts_allowed], dtype=float
    )


def decimal_year(date: DateLike) -> float:
    """Turn a date into a decimal year by the days of that year.

    Parameters
    ----------
    date : date, str or float
        As `geomag.field.igrf.parse_date` takes it.

    Returns
    -------
    float
        Such as 2020.5.

    Examples
    --------
    >>> decimal_year("2020-07-02")
    2020.5
    """
    when = parse_date(date)
    begin = when.replace(month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return when.year + (when - begin) / (begin.replace(year=when.year + 1) - begin)


def cutoff_series(
    lat: float,
    lon: float,
    dates: Sequence[DateLike],
    *,
    zenith_deg: float = 0.0,
    azimuth_from_north_deg: float = 0.0,
    degree: int = 10,
    map_tasks: MapTasks = map,
    **options: Any,
) -> CutoffSeries:
    """Cutoffs of one place and direction at many dates.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    dates : sequence of date, str or float
        1900-01-01 to 2030-01-01; at least one.
    zenith_deg, azimuth_from_north_deg : float
        Where the particle comes from, degrees; azimuth from north through east.
    degree : int
        Of the IGRF.
    map_tasks : callable
        See `geomag.cutoffs.world`.
    **options
        Of `geomag.cutoffs.cutoff.CutoffTracer`: altitude, floor, step, lowest rigidity, longest path, and
        `external`, whose time of the day is kept at each date.

    Returns
    -------
    CutoffSeries
        Arrays of the shape of the dates.

    Raises
    ------
    GeomagInputError
        For input out of range.
    """
    if not len(dates):
        raise GeomagInputError("dates: give at least one")
    # all dates are checked before the first is computed
    fields = [FieldModel(date, degree) for date in dates]
    task = functools.partial(
        _one_date,
        dates=dates,
        lat=lat,
        lon=lon,
        zenith=zenith_deg,
        azimuth=azimuth_from_north_deg,
        degree=degree,
        options=options,
    )
    found = np.array(list(map_tasks(task, range(len(dates)))))
    return CutoffSeries(
        tuple(field.date for field in fields),
        np.array([decimal_year(date) for date in dates]),
        found[:, 0],
        found[:, 1],
        found[:, 2],
        found[:, 3].astype(int),
        found[:, 4] > 0.5,
    )
