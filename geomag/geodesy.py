"""Convert WGS84 geodetic coordinates to geocentric ones and back; the local axes east, north and up.

Units: km and degrees.  Constants: NIMA TR8350.2 (2000), the definition of WGS84.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from geomag.arrays import Array

WGS84_A_KM = 6378.137
"""Equatorial radius."""
WGS84_FLATTENING = 1.0 / 298.257223563
"""Flattening, (a - b)/a."""
WGS84_B_KM = WGS84_A_KM * (1.0 - WGS84_FLATTENING)
"""Polar radius."""
_E2 = WGS84_FLATTENING * (2.0 - WGS84_FLATTENING)


def geodetic_to_cartesian(lat_deg: ArrayLike, lon_deg: ArrayLike, altitude_km: ArrayLike) -> Array:
    """Position of a geodetic point.

    Parameters
    ----------
    lat_deg, lon_deg : float or array
        Geodetic latitude and longitude, degrees.
    altitude_km : float or array
        Height above the ellipsoid along its normal.

    Returns
    -------
    array, shape (..., 3)
        Geocentric Cartesian position, km.
    """
    lat, lon, height = np.broadcast_arrays(
        np.radians(lat_deg), np.radians(lon_deg), np.asarray(altitude_km, dtype=float)
    )
    normal = WGS84_A_KM / np.sqrt(1.0 - _E2 * np.sin(lat) ** 2)
    across = (normal + height) * np.cos(lat)
    return np.stack(
        [across * np.cos(lon), across * np.sin(lon), (normal * (1.0 - _E2) + height) * np.sin(lat)], axis=-1
    )


def cartesian_to_geodetic(xyz_km: Array) -> tuple[Array, Array, Array]:
    """Geodetic coordinates of a position, by Newton's method on the reduced latitude.

    Parameters
    ----------
    xyz_km : array, shape (..., 3)
        Geocentric position, km; not within 50 km of the centre.

    Returns
    -------
    lat_deg, lon_deg, altitude_km : array
        Geodetic latitude, longitude in (-180, 180], height above the ellipsoid.
    """
    xyz = np.asarray(xyz_km, dtype=float)
    across, z = np.hypot(xyz[..., 0], xyz[..., 1]), xyz[..., 2]
    # B. R. Bowring, Survey Review 23 (1976) 323, repeated: each round gains about four digits
    reduced = np.arctan2(z * WGS84_A_KM, across * WGS84_B_KM)
    second = (WGS84_A_KM**2 - WGS84_B_KM**2) / WGS84_B_KM
    lat = reduced
    for _ in range(6):
        lat = np.arctan2(z + second * np.sin(reduced) ** 3, across - _E2 * WGS84_A_KM * np.cos(reduced) ** 3)
        reduced = np.arctan2((1.0 - WGS84_FLATTENING) * np.sin(lat), np.cos(lat))
    normal = WGS84_A_KM * np.sqrt(1.0 - _E2 * np.sin(lat) ** 2)
    height = across * np.cos(lat) + z * np.sin(lat) - normal
    return np.degrees(lat), np.degrees(np.arctan2(xyz[..., 1], xyz[..., 0])), height


def geodetic_to_geocentric(lat_deg: float, altitude_km: float = 0.0) -> tuple[float, float]:
    """Geocentric latitude and radius of a geodetic point.

    Parameters
    ----------
    lat_deg : float
        Geodetic latitude, degrees.
    altitude_km : float
        Height above the ellipsoid.

    Returns
    -------
    lat_deg_geocentric, radius_km : float
        Geocentric latitude and distance from the centre.
    """
    x, _, z = geodetic_to_cartesian(lat_deg, 0.0, altitude_km)
    return math.degrees(math.atan2(z, x)), math.hypot(x, z)


def local_axes(lat_deg: ArrayLike, lon_deg: ArrayLike) -> Array:
    """East, north and up at a latitude and longitude.

    Parameters
    ----------
    lat_deg, lon_deg : float or array
        With the geodetic latitude, up is the normal of the ellipsoid; with the geocentric one, the radius.

    Returns
    -------
    array, shape (..., 3, 3)
        Rows east, north, up in Cartesian components.
    """
    lat, lon = np.broadcast_arrays(np.radians(lat_deg), np.radians(lon_deg))
    cos_lat, sin_lat, cos_lon, sin_lon = np.cos(lat), np.sin(lat), np.cos(lon), np.sin(lon)
    zero = np.zeros_like(lat)
    east = np.stack([-sin_lon, cos_lon, zero], axis=-1)
    north = np.stack([-sin_lat * cos_lon, -sin_lat * sin_lon, cos_lat], axis=-1)
    up = np.stack([cos_lat * cos_lon, cos_lat * sin_lon, sin_lat], axis=-1)
    return np.stack([east, north, up], axis=-2)


def arrival_direction(
    lat_deg: float, lon_deg: float, zenith_deg: ArrayLike, azimuth_from_north_deg: ArrayLike
) -> Array:
    """Compute the unit momentum of a particle that comes from a zenith angle and azimuth.

    Parameters
    ----------
    lat_deg, lon_deg : float
        Geodetic latitude (vertical along the ellipsoid's normal) and longitude, degrees.
    zenith_deg : float or array
        Angle from the vertical of where it comes FROM; 0 is from overhead.
    azimuth_from_north_deg : float or array
        Compass bearing of where it comes FROM: 0 north, 90 east.

    Returns
    -------
    array, shape (..., 3)
        Unit vector along the momentum, Cartesian.
    """
    zenith, azimuth = np.broadcast_arrays(np.radians(zenith_deg), np.radians(azimuth_from_north_deg))
    east, north, up = local_axes(lat_deg, lon_deg)
    side = np.sin(zenith)
    source: Array = (
        (side * np.sin(azimuth))[..., None] * east
        + (side * np.cos(azimuth))[..., None] * north
        + np.cos(zenith)[..., None] * up
    )
    return -source
