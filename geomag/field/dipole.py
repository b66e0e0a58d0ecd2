"""The centred dipole of a field: geomagnetic coordinates, and Stoermer's cutoff in any direction.

The dipole is that of the Gauss coefficients of degree 1.  Geomagnetic latitude and longitude are those of the place in
axes whose third is the dipole's, towards the geomagnetic pole in the north; the meridian 0 runs through the geographic
south pole, as is usual (M. A. Hapgood, Planet. Space Sci. 40 (1992) 711, the system MAG).

Units: km, GV, degrees.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import speed_of_light

from geomag.arrays import Array
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM

_CURVATURE = speed_of_light * 1e-15
"""Turn of a path of 1 GV in a field of 1 nT across it: GV/(nT km)."""


def dipole_axes(field: FieldModel) -> Array:
    """Axes of geomagnetic coordinates.

    Parameters
    ----------
    field : FieldModel
        The field.

    Returns
    -------
    array, shape (3, 3)
        Rows x, y, z of the geomagnetic axes in geographic Cartesian components: z along the dipole to the north.
    """
    north = -np.array([field.g[1, 1], field.h[1, 1], field.g[1, 0]])
    z = north / np.linalg.norm(north)
    # across the plane of both axes; any direction serves for a dipole along the Earth's axis
    y = np.cross([0.0, 0.0, 1.0], z)
    size = float(np.linalg.norm(y))
    y = y / size if size > 1e-12 else np.array([0.0, 1.0, 0.0])
    return np.stack([np.cross(y, z), y, z])


def geomagnetic_coordinates(field: FieldModel, vectors: Array) -> tuple[Array, Array]:
    """Geomagnetic latitude and longitude of positions or directions.

    Parameters
    ----------
    field : FieldModel
        The field.
    vectors : array, shape (..., 3)
        Geographic Cartesian components, of any length but zero.

    Returns
    -------
    lat_deg, lon_deg : array, shape (...)
        Geomagnetic latitude, and longitude in (-180, 180].
    """
    parts = np.asarray(vectors, dtype=float) @ dipole_axes(field).T
    lat = np.degrees(np.arctan2(parts[..., 2], np.hypot(parts[..., 0], parts[..., 1])))
    return lat, np.degrees(np.arctan2(parts[..., 1], parts[..., 0]))


def geomagnetic_direction(field: FieldModel, lat_deg: ArrayLike, lon_deg: ArrayLike) -> Array:
    """Geographic unit vectors of geomagnetic coordinates.

    Parameters
    ----------
    field : FieldModel
        The field.
    lat_deg, lon_deg : float or array
        Geomagnetic latitude and longitude.

    Returns
    -------
    array, shape (..., 3)
        Unit vectors from the centre, geographic Cartesian.
    """
    lat, lon = np.broadcast_arrays(np.radians(lat_deg), np.radians(lon_deg))
    parts = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    return np.asarray(parts @ dipole_axes(field))


def stoermer_cutoff_GV(field: FieldModel, xyz_km: Array, momenta: Array) -> Array:
    """Stoermer's cutoff of the centred dipole: below it nothing arrives from outside, the Earth being no obstacle.

    R = k B0 a^3 cos^4(l) / (r^2 (1 + sqrt(1 - cos(g) cos^3(l)))^2) with the geomagnetic latitude l and the angle g
    between the momentum of a positive particle and magnetic west; from the vertical k B0 a^3 cos^4(l)/(4 r^2)
    (D. F. Smart & M. A. Shea, Adv. Space Res. 36 (2005) 2012, eq. 1).

    Parameters
    ----------
    field : FieldModel
        The field.
    xyz_km : array, shape (..., 3)
        Places, geographic Cartesian, km.
    momenta : array, shape (..., 3)
        Unit momenta of the arriving particles.

    Returns
    -------
    array, shape (...)
        GV.
    """
    axis = dipole_axes(field)[2]
    xyz, momenta = np.broadcast_arrays(np.asarray(xyz_km, dtype=float), np.asarray(momenta, dtype=float))
    r = np.linalg.norm(xyz, axis=-1)
    sine = xyz @ axis / r
    cosine = np.sqrt(np.maximum(1.0 - sine**2, 0.0))
    east = np.cross(axis, xyz)
    size = np.linalg.norm(east, axis=-1)
    # at the geomagnetic poles there is no east, and the cutoff is zero
    west = -(momenta * east).sum(axis=-1) / np.where(size > 0.0, size, 1.0)
    strength = math.sqrt(field.g[1, 0] ** 2 + field.g[1, 1] ** 2 + field.h[1, 1] ** 2)
    below = 1.0 + np.sqrt(np.maximum(1.0 - west * cosine**3, 0.0))
    return np.asarray(_CURVATURE * strength * EARTH_RADIUS_KM**3 * cosine**4 / (r * below) ** 2)
