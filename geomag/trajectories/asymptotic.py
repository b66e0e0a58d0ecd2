"""Compute where particles that arrive at a place come from, far outside: asymptotic directions by rigidity.

The asymptotic direction of approach is the direction from which a particle comes before the field of the Earth has bent
its path (K. G. McCracken, U. R. Rao & M. A. Shea, MIT Tech. Rep. 77 (1962)).  The antiparticle is followed outwards to
the escape radius; its direction there is it.  Given as geographic latitude and longitude of that vector (not of the
place where the path leaves).  Beyond a radius r (in Earth radii) the dipole bends a path by at most about 29/(r^2 R)
radians (R in GV): 0.29/R at 10 radii, 0.046/R at 25, the default.

Units: km, GV, degrees.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import ArrayLike

from geomag.arrays import Array, IntArray
from geomag.errors import GeomagInputError, check_range
from geomag.field.dipole import geomagnetic_coordinates
from geomag.field.igrf import FieldModel
from geomag.field.kernels import CACHE, EARTH_RADIUS_KM
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.early_verdicts import ALLOWED, CURVATURE, P_ESCAPE2
from geomag.trajectories.tracing import backtrack_state, trace_params, turn_at

TOLERANCE = 1e-6
"""Error per step: the directions of a path of a few Earth radii are then good to about 0.01 degrees."""
DEFAULT_ESCAPE_RADII = 25.0
"""Where a path counts as outside; what the field bends farther out is in the module's header."""
DEFAULT_MAX_PATH_RADII = 200.0

VERDICTS = ("forbidden", "allowed", "undecided")
"""Words of the verdicts 0, 1 and 2."""


@njit(nogil=True)
def back_to_radius(x, y, z, tx, ty, tz, k, radius_km, gauss):
    """Follow a path that left a sphere in its last, long step back to the sphere, by the classical Runge-Kutta method.

    Parameters
    ----------
    x, y, z : float
        Position outside the sphere, km.
    tx, ty, tz : float
        Unit direction of the path there.
    k : float
        As for `geomag.trajectories.tracing.turn_at`.
    radius_km : float
        Radius of the sphere.
    gauss : float64 array
        Packed field.

    Returns
    -------
    x, y, z, tx, ty, tz, length : float
        Position and direction on the sphere (to first order in the bending since), and the length gone back, km.
    """
    steps = 16
    along = x * tx + y * ty + z * tz
    room = along * along - (x * x + y * y + z * z - radius_km * radius_km)
    # the straight chord; one that misses the sphere ends at its lowest point
    length = along - math.sqrt(max(room, 0.0))
    h = -length / steps
    n = int(gauss[0, 7])
    for _ in range(steps):
        ax, ay, az = turn_at(x, y, z, tx, ty, tz, k, gauss, n)
        c = 0.5 * h
        ux, uy, uz = tx + c * ax, ty + c * ay, tz + c * az
        bx, by, bz = turn_at(x + c * tx, y + c * ty, z + c * tz, ux, uy, uz, k, gauss, n)
        vx, vy, vz = tx + c * bx, ty + c * by, tz + c * bz
        cx, cy, cz = turn_at(x + c * ux, y + c * uy, z + c * uz, vx, vy, vz, k, gauss, n)
        wx, wy, wz = tx + h * cx, ty + h * cy, tz + h * cz
        dx, dy, dz = turn_at(x + h * vx, y + h * vy, z + h * vz, wx, wy, wz, k, gauss, n)
        s = h / 6.0
        x, y, z = (
            x + s * (tx + 2 * ux + 2 * vx + wx),
            y + s * (ty + 2 * uy + 2 * vy + wy),
            z + s * (tz + 2 * uz + 2 * vz + wz),
        )
        tx, ty, tz = (
            tx + s * (ax + 2 * bx + 2 * cx + dx),
            ty + s * (ay + 2 * by + 2 * cy + dy),
            tz + s * (az + 2 * bz + 2 * cz + dz),
        )
    return x, y, z, tx, ty, tz, length


@njit(nogil=True, cache=CACHE)
def follow_many(places, momenta, rigidities, gauss, params, ends):
    """Fill the last states of antiparticles, one after the other.

    Parameters
    ----------
    places, momenta : float64 array, shape (K, 3)
        Where the particles arrive (km) and their unit momenta there.
    rigidities : float64 array, shape (K,)
        GV.
    gauss, params : float64 array
        Field, and parameters of `geomag.trajectories.tracing.trace_params`.
    ends : float64 array, shape (K, 8)
        Filled: verdict, last position (km), direction there, path (km).
    """
    for i in range(rigidities.shape[0]):
        verdict, x, y, z, tx, ty, tz, path, _ = backtrack_state(
            places[i, 0], places[i, 1], places[i, 2],
            momenta[i, 0], momenta[i, 1], momenta[i, 2],
            rigidities[i], gauss, params,
        )  # fmt: skip
        if verdict == ALLOWED:
            # the last step may end radii beyond the escape radius
            radius = math.sqrt(params[P_ESCAPE2])
            x, y, z, tx, ty, tz, back = back_to_radius(x, y, z, tx, ty, tz, -CURVATURE / rigidities[i], radius, gauss)
            path -= back
        norm = 1.0 / np.sqrt(tx * tx + ty * ty + tz * tz)
        ends[i, 0], ends[i, 7] = verdict, path
        ends[i, 1], ends[i, 2], ends[i, 3] = x, y, z
        ends[i, 4], ends[i, 5], ends[i, 6] = tx * norm, ty * norm, tz * norm


@dataclass(frozen=True)
class AsymptoticDirections:
    """Asymptotic directions; arrays have the shape (directions, rigidities).

    Attributes
    ----------
    rigidity_GV : array, one-dimensional
        Rigidities.
    zenith_deg, azimuth_from_north_deg : array, one-dimensional
        Where the particles come from at the place, one direction each.
    verdict : int array
        1 allowed, 0 forbidden, 2 undecided.
    lat_deg, lon_deg : array
        Geographic latitude and longitude of the asymptotic direction, degrees; nan where it is not allowed.
    geomagnetic_lat_deg : array
        Latitude of the direction against the equator of the centred dipole, degrees.
    path_radii : array
        Length of the path in units of 6371.2 km.
    """

    rigidity_GV: Array
    zenith_deg: Array
    azimuth_from_north_deg: Array
    verdict: IntArray
    lat_deg: Array
    lon_deg: Array
    geomagnetic_lat_deg: Array
    path_radii: Array


def check_rigidities(rigidity_GV: ArrayLike) -> Array:
    """Return rigidities as a one-dimensional array when all are allowed, else raise.

    Parameters
    ----------
    rigidity_GV : float or array_like
        0.01 to 10000 GV.

    Returns
    -------
    array, shape (K,)
        GV.

    Raises
    ------
    GeomagInputError
        For an empty list or a value out of range.
    """
    try:
        rigidities = np.atleast_1d(np.asarray(rigidity_GV, dtype=float))
    except (TypeError, ValueError):
        raise GeomagInputError(f"rigidity = {rigidity_GV!r} is not a list of numbers, GV") from None
    if rigidities.ndim != 1 or not len(rigidities):
        raise GeomagInputError("rigidity: give at least one, in a one-dimensional list, GV")
    for value in rigidities:
        check_range("rigidity", value, 0.01, 10000.0, "GV")
    return rigidities


def asymptotic_directions(
    lat: float,
    lon: float,
    rigidity_GV: ArrayLike,
    field: FieldModel | None = None,
    *,
    zenith_deg: ArrayLike = 0.0,
    azimuth_from_north_deg: ArrayLike = 0.0,
    altitude_km: float = 20.0,
    floor_km: float = 20.0,
    escape_radii: float = DEFAULT_ESCAPE_RADII,
    max_path_radii: float = DEFAULT_MAX_PATH_RADII,
    tolerance: float = TOLERANCE,
) -> AsymptoticDirections:
    """Asymptotic directions of approach at a place, for rigidities and directions of arrival.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    rigidity_GV : array_like
        Rigidities, 0.01 to 10000 GV.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    zenith_deg, azimuth_from_north_deg : float or array_like
        Where the particles come from at the place, degrees, azimuth from north through east; broadcast against each
        other, one-dimensional.
    altitude_km, floor_km : float
        Height of the start, and height below which a path is forbidden, above the ellipsoid.
    escape_radii, max_path_radii : float
        Radius at which a path is outside, and path after which it is undecided, units of 6371.2 km.
    tolerance : float
        Error per step of the integrator.

    Returns
    -------
    AsymptoticDirections
        Arrays of shape (directions, rigidities).

    Raises
    ------
    GeomagInputError
        For input out of range.

    Examples
    --------
    >>> found = asymptotic_directions(65.05, 25.47, [1000.0])
    >>> bool(abs(found.lat_deg[0, 0] - 65.05) < 2.0)
    True
    """
    lat = check_range("lat", lat, -90.0, 90.0, "degrees")
    lon = check_range("lon", lon, -360.0, 360.0, "degrees")
    altitude = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
    floor = check_range("floor", floor_km, -100.0, altitude, "km")
    escape = check_range("escape-radii", escape_radii, 3.0, 100.0, "Earth radii")
    longest = check_range("max-path", max_path_radii, 2.0 * escape, 100000.0, "Earth radii")
    rigidities = check_rigidities(rigidity_GV)
    zenith, azimuth = (
        np.array(a) for a in np.broadcast_arrays(np.atleast_1d(zenith_deg), np.atleast_1d(azimuth_from_north_deg))
    )
    for z, a in zip(zenith.ravel(), azimuth.ravel(), strict=True):
        check_range("zenith", z, 0.0, 90.0, "degrees")
        check_range("azimuth-from-north", a, -360.0, 360.0, "degrees")
    if zenith.ndim != 1:
        raise GeomagInputError("zenith and azimuth must be one-dimensional")
    field = field if field is not None else FieldModel()
    params = trace_params(field, floor, True, tolerance, escape, longest, shortcuts=False)
    shape = (len(zenith), len(rigidities))
    directions = arrival_direction(lat, lon, zenith, azimuth)
    momenta = np.repeat(directions, len(rigidities), axis=0)
    places = np.broadcast_to(geodetic_to_cartesian(lat, lon, altitude), momenta.shape).copy()
    ends = np.empty((len(momenta), 8))
    follow_many(places, momenta, np.tile(rigidities, len(zenith)), field.gauss, params, ends)
    verdict = ends[:, 0].astype(np.int8).reshape(shape)
    outwards = ends[:, 4:7].reshape((*shape, 3))
    outwards[verdict != ALLOWED] = np.nan
    geomagnetic, _ = geomagnetic_coordinates(field, outwards)
    return AsymptoticDirections(
        rigidities,
        zenith.astype(float),
        azimuth.astype(float),
        verdict,
        np.degrees(np.arctan2(outwards[..., 2], np.hypot(outwards[..., 0], outwards[..., 1]))),
        np.degrees(np.arctan2(outwards[..., 1], outwards[..., 0])),
        geomagnetic,
        ends[:, 7].reshape(shape) / EARTH_RADIUS_KM,
    )
