"""Neutron-monitor stations by their codes, with places and published vertical cutoffs; and places by name.

The table is `geomag/data/stations.csv`; its head says where each column comes from and what was checked.  Latitude and
longitude are geodetic, degrees, east positive.
"""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from importlib.resources import files

from geomag.errors import GeomagInputError
from geomag.sites import SITES, nearest


@dataclass(frozen=True)
class Station:
    """A neutron-monitor station.

    Attributes
    ----------
    code : str
        Upper-case code of the Neutron Monitor Database (www.nmdb.eu).
    name : str
        Place.
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    altitude_m : float
        Height above sea level.
    published_GV : float or None
        Effective vertical cutoff as published, of an epoch that the source does not state.
    checked : str
        "yes" where the place agrees with a second list to 0.1 degrees, "minutes" where it does when the decimals there
        are read as minutes of arc, and "no" elsewhere.
    """

    code: str
    name: str
    lat: float
    lon: float
    altitude_m: float
    published_GV: float | None
    checked: str


@functools.cache
def stations() -> dict[str, Station]:
    """All stations by code.

    Returns
    -------
    dict of Station
        In alphabetical order.

    Examples
    --------
    >>> stations()["OULU"].lat
    65.05
    """
    text = (files("geomag") / "data" / "stations.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    return {
        row["code"]: Station(
            row["code"],
            row["name"],
            float(row["lat"]),
            float(row["lon"]),
            float(row["altitude_m"]),
            float(row["published_GV"]) if row["published_GV"] else None,
            row["checked"],
        )
        for row in rows
    }


def place(name: str) -> tuple[str, float, float]:
    """Look up a site or a station by its name or code, in any case.

    Parameters
    ----------
    name : str
        Such as "kamioka" or "OULU".

    Returns
    -------
    name, lat, lon : str, float, float
        The name as it is listed, geodetic latitude and longitude, degrees.

    Raises
    ------
    GeomagInputError
        For an unknown name.

    Examples
    --------
    >>> place("oulu")
    ('OULU', 65.05, 25.47)
    """
    text = str(name).strip()
    site = SITES.get(text.lower())
    if site is not None:
        return site.name, site.lat, site.lon
    station = stations().get(text.upper())
    if station is not None:
        return station.code, station.lat, station.lon
    raise GeomagInputError(
        f"site = {name!r} is unknown{nearest(name, [*SITES, *stations()])}: the named sites are "
        f"{', '.join(sorted(SITES))}; the stations are {', '.join(stations())}"
    )
