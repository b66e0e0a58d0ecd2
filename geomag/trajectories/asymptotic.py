"""Compute asymptotic directions by rigidity: where particles that arrive at a place come from, outside the field.

The asymptotic direction of approach is the direction from which a particle comes before the field of the Earth has bent
its path (K. G. McCracken, U. R. Rao & M. A. Shea, MIT Tech. Rep. 77 (1962)).  The antiparticle is followed outwards to
the escape radius, or to the magnetopause with an external field; its direction there is it.  Given as geographic
latitude and longitude of that vector (not of the place where the path leaves).  Beyond a radius r (in Earth radii) the
dipole bends a path by at most about 29/(r^2 R) radians (R in GV): 0.29/R at 10 radii, 0.046/R at 25, the default.

Units: km, GV, degrees.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from geomag.arrays import Array, IntArray
from geomag.errors import GeomagInputError, check_range
from geomag.field.dipole import geomagnetic_coordinates
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.early_verdicts import ALLOWED
from geomag.trajectories.precise import PreciseTracer

DEFAULT_ESCAPE_RADII = 25.0
"""Where a path counts as outside; what the field bends farther out is in the module's header."""
DEFAULT_MAX_PATH_RADII = 200.0

VERDICTS = ("forbidden", "allowed", "undecided")
"""Words of the verdicts 0, 1 and 2."""


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
    external: Magnetosphere | None = None,
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
    external : Magnetosphere, optional
        External field and magnetopause; a path then ends on the magnetopause, or at the escape radius in the tail.

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
    tracer = PreciseTracer(field, floor, external, escape_radii=escape, max_path_radii=longest, early=False)
    shape = (len(zenith), len(rigidities))
    directions = arrival_direction(lat, lon, zenith, azimuth)
    momenta = np.repeat(directions, len(rigidities), axis=0)
    ends = tracer.ends(geodetic_to_cartesian(lat, lon, altitude), momenta, np.tile(rigidities, len(zenith)))
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
