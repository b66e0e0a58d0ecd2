"""The magnetosphere at a time: axes towards the Sun, tilt of the dipole, external field, magnetopause.

The external field is that of `geomag.field.tsyganenko`, the magnetopause that of J.-H. Shue et al., J. Geophys. Res.
103 (1998) 17691: r = r0 (2/(1 + cos t))^alpha with the angle t to the Sun,

    r0 = (10.22 + 1.29 tanh(0.184 (Bz + 8.14))) P^(-1/6.6),    alpha = (0.58 - 0.007 Bz) (1 + 0.024 ln P).

Both are in geocentric solar magnetospheric axes (GSM; M. A. Hapgood, Planet. Space Sci. 40 (1992) 711): x to the Sun,
y across the dipole and the Sun.  The dipole is that of degree 1 of the field.  The Sun's direction is the low-precision
formula of the Astronomical Almanac (0.01 degrees from 1950 to 2050; J. J. Michalsky, Solar Energy 40 (1988) 227), with
Greenwich mean sidereal time of the US Naval Observatory.  A particle takes seconds, so that the axes stand still.

Units: km and nT in the geographic axes of `geomag.field.kernels`; Earth radii of 6371.2 km; nPa; universal time.
Layout of the packed array: rotation from geographic to GSM axes (9, by rows), tilt (radians), r0 (Earth radii), alpha,
then the 30 parameters of the external field.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
from dataclasses import dataclass

import numpy as np
from numba import njit

from geomag.arrays import Array
from geomag.errors import check_range
from geomag.field.igrf import DateLike, FieldModel, parse_date
from geomag.field.kernels import CACHE, EARTH_RADIUS_KM
from geomag.field.tsyganenko import parameters, tsyganenko_1989

M_TILT, M_NOSE, M_FLARE, M_FIELD = 9, 10, 11, 12

_J2000 = datetime.datetime(2000, 1, 1, 12)


@njit(nogil=True)
def external_field(x, y, z, packed):
    """Field of the currents outside the Earth at a place.

    Parameters
    ----------
    x, y, z : float
        Geographic Cartesian axes, km.
    packed : float64 array, shape (42,)
        From `Magnetosphere.packed`.

    Returns
    -------
    bx, by, bz : float
        Along the same axes, nT.
    """
    c = 1.0 / EARTH_RADIUS_KM
    gx, gy, gz = tsyganenko_1989(
        c * (packed[0] * x + packed[1] * y + packed[2] * z),
        c * (packed[3] * x + packed[4] * y + packed[5] * z),
        c * (packed[6] * x + packed[7] * y + packed[8] * z),
        packed[M_TILT],
        packed[M_FIELD:],
    )
    return (
        packed[0] * gx + packed[3] * gy + packed[6] * gz,
        packed[1] * gx + packed[4] * gy + packed[7] * gz,
        packed[2] * gx + packed[5] * gy + packed[8] * gz,
    )


@njit(nogil=True)
def beyond_magnetopause(x, y, z, packed):
    """Distance from the centre less that of the magnetopause in the same direction.

    Parameters
    ----------
    x, y, z : float
        Geographic Cartesian axes, km.
    packed : float64 array, shape (42,)
        From `Magnetosphere.packed`.

    Returns
    -------
    float
        Positive outside, km.
    """
    r = math.sqrt(x * x + y * y + z * z)
    # away from the Sun the magnetopause is at infinity: 1e-6 puts it beyond a thousand Earth radii there
    cosine = max(1.0 + (packed[0] * x + packed[1] * y + packed[2] * z) / r, 1e-6)
    return r - EARTH_RADIUS_KM * packed[M_NOSE] * (2.0 / cosine) ** packed[M_FLARE]


@njit(nogil=True, cache=CACHE)
def _external_many(xyz, packed, out):
    """Fill out[i] with the external field at xyz[i]: arrays of shape (K, 3), km and nT."""
    for i in range(xyz.shape[0]):
        out[i, 0], out[i, 1], out[i, 2] = external_field(xyz[i, 0], xyz[i, 1], xyz[i, 2], packed)


@njit(nogil=True, cache=CACHE)
def _beyond_many(xyz, packed, out):
    """Fill out[i] with the distance beyond the magnetopause at xyz[i], km."""
    for i in range(xyz.shape[0]):
        out[i] = beyond_magnetopause(xyz[i, 0], xyz[i, 1], xyz[i, 2], packed)


def sun_direction(time: DateLike) -> Array:
    """Unit vector from the Earth to the Sun.

    Parameters
    ----------
    time : date, datetime, str or float
        Universal time, as `geomag.field.igrf.parse_date` takes it.

    Returns
    -------
    array, shape (3,)
        Geographic Cartesian components.

    Examples
    --------
    >>> x, y, z = sun_direction("2020-03-20T12:00")
    >>> bool(x > 0.99 and abs(z) < 0.01)
    True
    """
    days = (parse_date(time) - _J2000) / datetime.timedelta(days=1)
    anomaly = math.radians(357.528 + 0.9856003 * days)
    mean = 280.460 + 0.9856474 * days
    ecliptic = math.radians(mean + 1.915 * math.sin(anomaly) + 0.020 * math.sin(2.0 * anomaly))
    obliquity = math.radians(23.439 - 4e-7 * days)
    x, side = math.cos(ecliptic), math.sin(ecliptic)
    y, z = side * math.cos(obliquity), side * math.sin(obliquity)
    turned = math.radians(15.0 * ((18.697374558 + 24.06570982441908 * days) % 24.0))
    c, s = math.cos(turned), math.sin(turned)
    return np.array([c * x + s * y, c * y - s * x, z])


def gsm_axes(field: FieldModel, time: DateLike) -> tuple[Array, float]:
    """Axes of geocentric solar magnetospheric coordinates, and the tilt of the dipole.

    Parameters
    ----------
    field : FieldModel
        Its dipole is used.
    time : date, datetime, str or float
        Universal time.

    Returns
    -------
    axes : array, shape (3, 3)
        Rows x, y, z in geographic Cartesian components: ``axes @ v`` are the GSM components of v.
    tilt : float
        Positive when the northern end of the dipole leans to the Sun, radians.
    """
    x = sun_direction(time)
    dipole = -np.array([field.g[1, 1], field.h[1, 1], field.g[1, 0]])
    dipole /= np.linalg.norm(dipole)
    y = np.cross(dipole, x)
    y /= np.linalg.norm(y)
    return np.stack([x, y, np.cross(x, y)]), math.asin(float(dipole @ x))


@dataclass(frozen=True)
class Magnetosphere:
    """State of the magnetosphere at a time, for the functions that take `external`.

    Parameters
    ----------
    time : date, datetime, str or float
        Universal time, such as "2000-01-01T06:00"; a date alone is 0 UT.
    kp : float
        Planetary index Kp, 0 to 9 (5- is 4.67); 6- and more are one level.
    pressure_nPa : float
        Dynamic pressure of the solar wind, 0.1 to 50 nPa; for the magnetopause alone.
    bz_nT : float
        Northward component of the field between the planets, -40 to 40 nT; for the magnetopause alone.

    Examples
    --------
    >>> round(Magnetosphere("2000-01-01", kp=2).nose_radii, 1)
    10.3
    """

    time: DateLike
    kp: float = 2.0
    pressure_nPa: float = 2.0
    bz_nT: float = 0.0

    def __post_init__(self) -> None:
        parse_date(self.time)
        check_range("kp", self.kp, 0.0, 9.0)
        check_range("pressure", self.pressure_nPa, 0.1, 50.0, "nPa")
        check_range("bz", self.bz_nT, -40.0, 40.0, "nT")

    @property
    def level(self) -> int:
        """Level of Kp, 0 to 6."""
        return min(math.floor(self.kp + 0.5), 6)

    @property
    def nose_radii(self) -> float:
        """Distance of the magnetopause towards the Sun, Earth radii."""
        outer = 10.22 + 1.29 * math.tanh(0.184 * (self.bz_nT + 8.14))
        return float(outer * self.pressure_nPa ** (-1.0 / 6.6))

    @property
    def flare(self) -> float:
        """Exponent alpha of the magnetopause."""
        return (0.58 - 0.007 * self.bz_nT) * (1.0 + 0.024 * math.log(self.pressure_nPa))

    def on(self, date: DateLike) -> Magnetosphere:
        """Return the same state at the same time of the day of another date.

        Parameters
        ----------
        date : date, str or float
            Its own time of the day is left out.

        Returns
        -------
        Magnetosphere
            With that date.
        """
        clock = parse_date(self.time).time()
        return dataclasses.replace(self, time=datetime.datetime.combine(parse_date(date).date(), clock))

    def packed(self, field: FieldModel) -> Array:
        """Numbers for the kernels.

        Parameters
        ----------
        field : FieldModel
            Its dipole sets the axes.

        Returns
        -------
        float64 array, shape (42,)
            See the module's header.
        """
        axes, tilt = gsm_axes(field, self.time)
        return np.concatenate([axes.ravel(), [tilt, self.nose_radii, self.flare], parameters()[self.level]])

    def field_xyz(self, xyz_km: Array, field: FieldModel) -> Array:
        """External field at places.

        Parameters
        ----------
        xyz_km : array, shape (..., 3)
            Geographic Cartesian, km.
        field : FieldModel
            Its dipole sets the axes.

        Returns
        -------
        array, shape (..., 3)
            nT.
        """
        xyz = np.ascontiguousarray(xyz_km, dtype=np.float64)
        out = np.empty((xyz.size // 3, 3))
        _external_many(xyz.reshape(-1, 3), self.packed(field), out)
        return out.reshape(xyz.shape)

    def beyond_km(self, xyz_km: Array, field: FieldModel) -> Array:
        """Distance of places beyond the magnetopause along the radius; positive outside.

        Parameters
        ----------
        xyz_km : array, shape (..., 3)
            Geographic Cartesian, km.
        field : FieldModel
            Its dipole sets the axes.

        Returns
        -------
        array, shape (...)
            km.
        """
        xyz = np.ascontiguousarray(xyz_km, dtype=np.float64)
        out = np.empty(xyz.size // 3)
        _beyond_many(xyz.reshape(-1, 3), self.packed(field), out)
        return out.reshape(xyz.shape[:-1])
