"""Make the atmosphere of a place and a season from NRLMSIS, through the package ``pymsis`` (the extra ``msis``).

The model's density is averaged over four times of the day and put into exponential layers, whose residual is measured
and stated. Nothing is downloaded: the indices of solar and geomagnetic activity are arguments, and below 80 km, where
the air is, they do not matter.

Sources
-------
J. T. Emmert et al., Earth Space Sci. 8 (2021) e2020EA001321 (NRLMSIS 2.0); J. T. Emmert et al., J. Geophys. Res. Space
Phys. 127 (2022) e2022JA030896 (2.1). Default indices: F10.7 = 150 and ap = 4, the values that J. M. Picone et al., J.
Geophys. Res. 107 (2002) 1468 (NRLMSISE-00) recommend where the activity is of no concern.
"""

from __future__ import annotations

import datetime
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from atmosphere.arrays import Array
from atmosphere.errors import AtmosphereInputError
from atmosphere.layers import LayeredAtmosphere
from atmosphere.profile import DEFAULT_TOP_KM, layers_from_densities

DEFAULT_F107, DEFAULT_AP = 150.0, 4.0
CHECKED_TO_KM = 60.0
"""The residual is stated up to here: 0.3 g/cm2 is above."""
NODES_KM = np.concatenate([np.arange(0.0, 30.0, 1.0), np.arange(30.0, 110.0, 2.0)])
_FINE_KM = 0.25
_VERSION = 2.1
_HOURS_UT = (0, 6, 12, 18)
_MID_MONTH = 15
_ANY_YEAR = 2019
"""The model knows the day of the year, not the year."""


@dataclass(frozen=True)
class MsisAtmosphere:
    """A layered atmosphere fitted to NRLMSIS, and the largest differences of both.

    Attributes
    ----------
    atmosphere : LayeredAtmosphere
    height_km, density_g_cm3 : float64 arrays (n,)
        The model's profile, every 0.25 km.
    density_residual, depth_residual : float
        Largest relative difference of the layers' density and depth to the profile's, up to 60 km.
    """

    atmosphere: LayeredAtmosphere
    height_km: Array
    density_g_cm3: Array
    density_residual: float
    depth_residual: float


def from_msis(
    lat: float,
    lon: float,
    *,
    month: int | None = None,
    date: str | None = None,
    f107: float = DEFAULT_F107,
    ap: float = DEFAULT_AP,
) -> MsisAtmosphere:
    """Atmosphere of a place in a month or on a date.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    month : int, optional
        1 to 12: its 15th day.
    date : str, optional
        ``YYYY-MM-DD``; one of the two is needed. The year plays no role.
    f107 : float
        Solar radio flux at 10.7 cm (10^-22 W m^-2 Hz^-1), of the day and of its 81 days alike.
    ap : float
        Geomagnetic index.

    Raises
    ------
    AtmosphereInputError
        For a wrong argument, or if pymsis is not installed.
    """
    for field, given, low, high in (
        ("lat", lat, -90.0, 90.0),
        ("lon", lon, -360.0, 360.0),
        ("f107", f107, 60.0, 400.0),
        ("ap", ap, 0.0, 400.0),
    ):
        if not low <= given <= high:
            raise AtmosphereInputError(f"atmosphere.{field}: {given:g}, allowed: {low:g} to {high:g}")
    day, words = _day(month, date)
    height = np.arange(0.0, DEFAULT_TOP_KM, _FINE_KM)
    height = np.append(height, DEFAULT_TOP_KM)
    density = _density(_pymsis(), day, lat, lon, height, f107, ap)
    if np.any(density <= 0.0) or np.any(np.diff(density) >= 0.0):
        raise AtmosphereInputError(f"atmosphere: NRLMSIS at {_place(lat, lon)} has a density that rises with height")
    fine = LayeredAtmosphere("fine", layers_from_densities(list(height), list(density), DEFAULT_TOP_KM))
    nodes = np.append(NODES_KM, DEFAULT_TOP_KM)
    at_nodes = np.exp(np.interp(nodes, height, np.log(density)))
    layers = layers_from_densities(list(nodes), list(at_nodes), DEFAULT_TOP_KM)
    coarse = LayeredAtmosphere("layers", layers)
    checked = height[height <= CHECKED_TO_KM]
    in_density = float(np.abs(coarse.density(checked) / fine.density(checked) - 1.0).max())
    in_depth = float(np.abs(coarse.depth(checked) / fine.depth(checked) - 1.0).max())
    name = (
        f"NRLMSIS {_VERSION:g}, {_place(lat, lon)}, {words}, F10.7 {f107:g}, ap {ap:g}; {len(layers)} layers, to "
        f"{CHECKED_TO_KM:g} km within {_percent(in_density)} of its density and {_percent(in_depth)} of its depth"
    )
    return MsisAtmosphere(LayeredAtmosphere(name, layers), height, density, in_density, in_depth)


def _percent(share: float) -> str:
    return f"{100.0 * share:.2g}%"


def _place(lat: float, lon: float) -> str:
    lon = math.remainder(lon, 360.0)
    return f"{abs(lat):.2f} {'N' if lat >= 0 else 'S'} {abs(lon):.2f} {'E' if lon >= 0 else 'W'}"


def _day(month: int | None, date: str | None) -> tuple[datetime.date, str]:
    """Return the day to ask the model for, and its name."""
    if (month is None) == (date is None):
        raise AtmosphereInputError("atmosphere: give either a month or a date")
    if month is not None:
        if not 1 <= month <= 12:
            raise AtmosphereInputError(f"atmosphere.month: {month}, allowed: 1 to 12")
        day = datetime.date(_ANY_YEAR, month, _MID_MONTH)
        return day, day.strftime("%B")
    try:
        given = datetime.date.fromisoformat(str(date))
    except ValueError:
        raise AtmosphereInputError(f"atmosphere.date: {date!r}, must be written YYYY-MM-DD") from None
    return given, given.strftime("%d %B").lstrip("0")


def _pymsis() -> Any:
    try:
        import pymsis
    except ImportError:
        raise AtmosphereInputError(
            "atmosphere.model: nrlmsis needs the package pymsis, which is not installed (pip install 'sim3d[msis]')"
        ) from None
    return pymsis


def _density(
    pymsis: Any, day: datetime.date, lat: float, lon: float, height_km: Array, f107: float, ap: float
) -> Array:
    """Mean density of a day at some heights (g/cm3)."""
    times = [np.datetime64(f"{day.isoformat()}T{hour:02d}:00") for hour in _HOURS_UT]
    n = len(times)
    found = pymsis.calculate(times, [lon], [lat], height_km, [f107] * n, [f107] * n, [[ap] * 7] * n, version=_VERSION)
    density: Array = np.asarray(found[:, 0, 0, :, pymsis.Variable.MASS_DENSITY]).mean(axis=0) * 1e-3
    return density
