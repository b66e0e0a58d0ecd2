"""The International Geomagnetic Reference Field at a date, and any other set of Gauss coefficients.

The coefficients are those that `ppigrf` ships (`geomag.field.coefficients`), interpolated as `ppigrf` does: linearly
in days between the five-yearly models.  The evaluator is this package's own (`geomag.field.kernels`).

Units: nT, km, degrees.  Latitudes here are geocentric unless the name says geodetic.
"""

from __future__ import annotations

import datetime
import math

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from geomag.arrays import Array
from geomag.errors import GeomagInputError, check_range
from geomag.field.coefficients import MAX_DEGREE, shipped_coefficients
from geomag.field.kernels import CACHE, EARTH_RADIUS_KM, field_cartesian

DEFAULT_DATE = "2020-01-01"
"""The project's fixed default date: never today, so that a run repeats."""

DateLike = datetime.date | str | float | int


def pack_gauss(g: Array, h: Array) -> Array:
    """Pack Schmidt semi-normalised Gauss coefficients for the kernels.

    Parameters
    ----------
    g, h : array, shape (N+1, N+1)
        Coefficients g[n, m], h[n, m] in nT, Schmidt semi-normalised (no Condon-Shortley phase), n = 1 .. N.

    Returns
    -------
    float64 array, shape ((N+2)(N+3)/2, 8)
        Layout in the header of `geomag.field.kernels`.
    """
    degree = g.shape[0] - 1
    top = degree + 1
    cos_part = np.zeros((top + 1, top + 1, 3))
    sin_part = np.zeros((top + 1, top + 1, 3))
    for n in range(1, degree + 1):
        for m in range(n + 1):
            schmidt = math.sqrt((2 - (m == 0)) * math.factorial(n - m) / math.factorial(n + m))
            c = g[n, m] * schmidt
            s = h[n, m] * schmidt if m else 0.0
            # B is minus the gradient of the potential: the signs of Montenbruck & Gill eq. 3.33 turned round
            cos_part[n + 1, m, 2] += (n - m + 1) * c
            sin_part[n + 1, m, 2] += (n - m + 1) * s
            if m == 0:
                cos_part[n + 1, 1, 0] += c
                sin_part[n + 1, 1, 1] += c
                continue
            cos_part[n + 1, m + 1, 0] += 0.5 * c
            sin_part[n + 1, m + 1, 0] += 0.5 * s
            sin_part[n + 1, m + 1, 1] += 0.5 * c
            cos_part[n + 1, m + 1, 1] -= 0.5 * s
            down = 0.5 * (n - m + 2) * (n - m + 1)
            cos_part[n + 1, m - 1, 0] -= down * c
            sin_part[n + 1, m - 1, 0] -= down * s
            sin_part[n + 1, m - 1, 1] += down * c
            cos_part[n + 1, m - 1, 1] -= down * s
    rows = []
    for m in range(top + 1):
        # leading coefficient of the unnormalised Q_nm: (2m-1)!! on the diagonal, then times (2n-1)/(n-m)
        lead = float(math.prod(range(1, 2 * m, 2)))
        for n in range(m, top + 1):
            beta = 0.0
            if n > m:
                lead *= (2 * n - 1) / (n - m)
                beta = ((n - 1) ** 2 - m * m) / ((2 * n - 1) * (2 * n - 3)) if n > 1 else 0.0
            rows.append([beta, *(lead * cos_part[n, m]), *(lead * sin_part[n, m]), 0.0])
    packed = np.array(rows, dtype=np.float64)
    packed[0, 7] = degree
    return packed


def parse_date(date: DateLike) -> datetime.datetime:
    """Turn a date, a "YYYY-MM-DD" string or a decimal year into a datetime.

    Parameters
    ----------
    date : date, datetime, str, float or int
        A decimal year counts days of that year's true length.

    Returns
    -------
    datetime.datetime
        Without time zone.
    """
    allowed = "a date, 'YYYY-MM-DD' or a decimal year, from 1900-01-01 to 2030-01-01"
    if isinstance(date, datetime.datetime):
        return date.replace(tzinfo=None)
    if isinstance(date, datetime.date):
        return datetime.datetime(date.year, date.month, date.day)
    if isinstance(date, str):
        try:
            return datetime.datetime.fromisoformat(date.strip()).replace(tzinfo=None)
        except ValueError:
            pass
        try:
            date = float(date)
        except ValueError:
            raise GeomagInputError(f"date = {date!r} is not allowed: it must be {allowed}") from None
    if isinstance(date, bool) or not isinstance(date, (int, float, np.integer, np.floating)):
        raise GeomagInputError(f"date = {date!r} is not allowed: it must be {allowed}")
    if not 1000.0 <= date < 9999.0:
        raise GeomagInputError(f"date = {date!r} is not allowed: it must be {allowed}")
    year = int(date)
    begin = datetime.datetime(year, 1, 1)
    return begin + (datetime.datetime(year + 1, 1, 1) - begin) * (float(date) - year)


@njit(nogil=True, cache=CACHE)
def _field_many(xyz: Array, gauss: Array, out: Array) -> None:
    """Fill out[i] with the field at xyz[i]: arrays of shape (K, 3), km and nT."""
    for i in range(xyz.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = field_cartesian(xyz[i, 0], xyz[i, 1], xyz[i, 2], gauss)


class FieldModel:
    """A field of internal sources, ready for the kernels.

    Parameters
    ----------
    date : date, str or float
        Date of the IGRF, 1900-01-01 to 2030-01-01.
    degree : int
        Highest degree, 1 to 13.

    Attributes
    ----------
    date : str
        ISO date.
    degree : int
        Highest degree.
    generation : str
        Such as "IGRF-14"; "dipole" for a pure dipole.
    gauss : float64 array
        Packed coefficients for `geomag.field.kernels`.
    g, h : float64 array, shape (degree+1, degree+1)
        Schmidt semi-normalised coefficients, nT.

    Examples
    --------
    >>> field = FieldModel("2020-01-01")
    >>> field.generation[:4], field.degree
    ('IGRF', 10)
    >>> round(field.declination_deg(36.4, 137.3))
    -8
    """

    def __init__(self, date: DateLike = DEFAULT_DATE, degree: int = 10) -> None:
        when = parse_date(date)
        if isinstance(degree, bool) or int(check_range("degree", degree, 1, MAX_DEGREE)) != degree:
            raise GeomagInputError(f"degree = {degree!r} is not allowed: it must be a whole number from 1 to 13")
        generation, epochs, g_all, h_all = shipped_coefficients()
        if not epochs[0] <= when <= epochs[-1]:
            raise GeomagInputError(
                f"date = {when.date()} is not allowed: {generation} holds from {epochs[0].date()}"
                f" to {epochs[-1].date()}"
            )
        last = min(max(i for i, t in enumerate(epochs) if t <= when), len(epochs) - 2)
        share = (when - epochs[last]) / (epochs[last + 1] - epochs[last])
        n = int(degree) + 1
        g = g_all[last, :n, :n] * (1.0 - share) + g_all[last + 1, :n, :n] * share
        h = h_all[last, :n, :n] * (1.0 - share) + h_all[last + 1, :n, :n] * share
        self._set(when.date().isoformat(), generation, g, h)

    def _set(self, date: str, generation: str, g: Array, h: Array) -> None:
        self.date = date
        self.generation = generation
        self.degree = g.shape[0] - 1
        self.g = g
        self.h = h
        self.gauss = pack_gauss(g, h)

    @classmethod
    def from_coefficients(cls, g: Array, h: Array, name: str = "user", date: str = "") -> FieldModel:
        """Make a field from Schmidt semi-normalised coefficients.

        Parameters
        ----------
        g, h : array, shape (N+1, N+1)
            Coefficients in nT, indices [degree, order].
        name, date : str
            Kept as `generation` and `date`.

        Returns
        -------
        FieldModel
            The field.
        """
        g, h = np.asarray(g, dtype=float), np.asarray(h, dtype=float)
        if g.ndim != 2 or g.shape != h.shape or g.shape[0] != g.shape[1] or g.shape[0] < 2:
            raise GeomagInputError(f"coefficients of shapes {g.shape}, {h.shape}: both must be (N+1, N+1), N >= 1")
        model = cls.__new__(cls)
        model._set(date, name, g, h)
        return model

    @classmethod
    def dipole(cls, b0_nT: float = 29790.0) -> FieldModel:
        """Make the field of a dipole at the Earth's centre along its axis.

        Parameters
        ----------
        b0_nT : float
            Field on the equator at 6371.2 km, nT; it points north there, as the Earth's does.

        Returns
        -------
        FieldModel
            The field.
        """
        g = np.zeros((2, 2))
        g[1, 0] = -float(b0_nT)
        return cls.from_coefficients(g, np.zeros((2, 2)), name="dipole")

    def field_xyz(self, xyz_km: Array) -> Array:
        """Field at Cartesian positions.

        Parameters
        ----------
        xyz_km : array, shape (..., 3)
            Geocentric positions, km.

        Returns
        -------
        array, shape (..., 3)
            Field, nT.
        """
        xyz = np.ascontiguousarray(xyz_km, dtype=np.float64)
        flat = xyz.reshape(-1, 3)
        out = np.empty_like(flat)
        _field_many(flat, self.gauss, out)
        return out.reshape(xyz.shape)

    def field_enu(self, lat_deg_geocentric: ArrayLike, lon_deg: ArrayLike, radius_km: ArrayLike) -> Array:
        """Field towards east, north and up (all geocentric).

        Parameters
        ----------
        lat_deg_geocentric, lon_deg, radius_km : array_like
            Position; the three are broadcast.

        Returns
        -------
        array, shape (..., 3)
            East, north, up components, nT.
        """
        lat, lon, radius = np.broadcast_arrays(
            np.radians(lat_deg_geocentric), np.radians(lon_deg), np.asarray(radius_km, dtype=float)
        )
        cos_lat, sin_lat, cos_lon, sin_lon = np.cos(lat), np.sin(lat), np.cos(lon), np.sin(lon)
        up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
        north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
        east = np.stack([-sin_lon, cos_lon, np.zeros_like(lon)], axis=-1)
        field = self.field_xyz(up * radius[..., None])
        return np.stack([(field * axis).sum(axis=-1) for axis in (east, north, up)], axis=-1)

    def declination_deg(self, lat_deg_geocentric: float, lon_deg: float, altitude_km: float = 0.0) -> float:
        """Angle from geographic north to the horizontal field, positive to the east.

        Parameters
        ----------
        lat_deg_geocentric, lon_deg : float
            Position, degrees.
        altitude_km : float
            Height above the sphere of 6371.2 km.

        Returns
        -------
        float
            Declination, degrees in (-180, 180].
        """
        east, north, _ = self.field_enu(lat_deg_geocentric, lon_deg, EARTH_RADIUS_KM + altitude_km)
        return math.degrees(math.atan2(east, north))

    def __repr__(self) -> str:
        return f"FieldModel({self.generation}, date={self.date!r}, degree={self.degree})"
