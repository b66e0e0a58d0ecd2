"""Compute points of the trajectory of a particle through the field, from a place outwards.

The antiparticle is followed from the place with reversed momentum, as in `geomag.trajectories.tracing`: its path,
run backwards, is that of the particle.  Integrator: scipy's DOP853 (E. Hairer, S. P. Norsett & G. Wanner, Solving
Ordinary Differential Equations I, 1993) with dense output, at 1e-10.  It has converged and is slower than the kernels:
it serves for single trajectories.

Units: km, nT, GV; geocentric Cartesian axes of the field.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.integrate import solve_ivp

from geomag.arrays import Array
from geomag.errors import GeomagInputError, check_range
from geomag.field.dipole import geomagnetic_coordinates
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.field.magnetosphere import Magnetosphere, beyond_magnetopause, external_field
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, arrival_direction, cartesian_to_geodetic, geodetic_to_cartesian
from geomag.trajectories.asymptotic import DEFAULT_ESCAPE_RADII, DEFAULT_MAX_PATH_RADII, check_rigidities
from geomag.trajectories.early_verdicts import ALLOWED, CURVATURE, FORBIDDEN, UNDECIDED

RELATIVE_TOLERANCE = 1e-10
END_WORDS = {
    ALLOWED: "escaped",
    FORBIDDEN: "met the floor",
    UNDECIDED: "path too long",
}
"""Reasons for the end of a path, by verdict."""


@dataclass(frozen=True)
class Trajectory:
    """Trajectory of one particle, from the place outwards.

    Attributes
    ----------
    rigidity_GV : float
        Rigidity.
    verdict : int
        1 allowed, 0 forbidden, 2 undecided.
    path_km : array, shape (N,)
        Length of the path from the place.
    xyz_km : array, shape (N, 3)
        Points, geographic Cartesian.
    outwards : array, shape (N, 3)
        Unit direction of the path away from the place there; the particle's momentum is the opposite.
    zenith_deg, azimuth_from_north_deg : float
        Where the particle comes from at the place.
    asymptotic_lat_deg, asymptotic_lon_deg, asymptotic_geomagnetic_lat_deg : float
        Direction it comes from outside, geographic, and its geomagnetic latitude; nan unless it is allowed.
    """

    rigidity_GV: float
    verdict: int
    path_km: Array
    xyz_km: Array
    outwards: Array
    zenith_deg: float
    azimuth_from_north_deg: float
    asymptotic_lat_deg: float
    asymptotic_lon_deg: float
    asymptotic_geomagnetic_lat_deg: float

    @property
    def end(self) -> str:
        """Reason for the end of the path, in words."""
        return END_WORDS[self.verdict]

    @property
    def geodetic(self) -> tuple[Array, Array, Array]:
        """Geodetic latitude, longitude (degrees) and height (km) of the points."""
        return cartesian_to_geodetic(self.xyz_km)


def _follow(
    start: Array,
    direction: Array,
    rigidity: float,
    field: FieldModel,
    floor_km: float,
    limits: tuple[float, float],
    external: Magnetosphere | None,
) -> tuple[int, float, object]:
    """Verdict, length of the path and its dense output."""
    escape, longest = limits
    equator, pole = WGS84_A_KM + floor_km, WGS84_B_KM + floor_km
    weight = np.array([1.0, 1.0, (equator / pole) ** 2])
    k = -CURVATURE / rigidity
    packed = None if external is None else external.packed(field)

    def slope(_s: float, state: Array) -> Array:
        x, y, z = state[3:]
        b = field.field_xyz(state[:3])
        if packed is not None:
            b += external_field(state[0], state[1], state[2], packed)
        bx, by, bz = b
        return np.array([x, y, z, k * (y * bz - z * by), k * (z * bx - x * bz), k * (x * by - y * bx)])

    def above(_s: float, state: Array) -> float:
        # a start on the floor, rounded, is not below it
        return math.sqrt(float(weight @ state[:3] ** 2)) - equator + 1e-5

    def outside(_s: float, state: Array) -> float:
        beyond = float(np.linalg.norm(state[:3])) - escape
        return beyond if packed is None else max(beyond, beyond_magnetopause(state[0], state[1], state[2], packed))

    def perigee(_s: float, state: Array) -> float:
        return float(weight @ (state[:3] * state[3:]))

    perigee.direction = 1  # type: ignore[attr-defined]
    above.terminal, above.direction = True, -1  # type: ignore[attr-defined]
    outside.terminal, outside.direction = True, 1  # type: ignore[attr-defined]
    scale = np.array([EARTH_RADIUS_KM] * 3 + [1.0] * 3)
    found = solve_ivp(
        slope,
        (0.0, longest),
        np.concatenate([start, direction]),
        method="DOP853",
        rtol=RELATIVE_TOLERANCE,
        atol=RELATIVE_TOLERANCE * scale,
        events=(above, outside, perigee),
        # no path is to leave the magnetosphere and come back within one step
        max_step=np.inf if packed is None else EARTH_RADIUS_KM,
        dense_output=True,
    )
    # a passage below the floor within one step shows at its lowest point
    for s, state in zip(found.t_events[2], found.y_events[2], strict=True):
        if above(s, state) < 0.0:
            return FORBIDDEN, float(s), found.sol
    if len(found.t_events[0]):
        verdict = FORBIDDEN
    elif len(found.t_events[1]):
        verdict = ALLOWED
    else:
        verdict = UNDECIDED
    return verdict, float(found.t[-1]), found.sol


def trace(
    lat: float,
    lon: float,
    rigidity_GV: ArrayLike,
    field: FieldModel | None = None,
    *,
    zenith_deg: float = 0.0,
    azimuth_from_north_deg: float = 0.0,
    altitude_km: float = 20.0,
    floor_km: float = 20.0,
    spacing_km: float = 100.0,
    escape_radii: float = DEFAULT_ESCAPE_RADII,
    max_path_radii: float = DEFAULT_MAX_PATH_RADII,
    external: Magnetosphere | None = None,
) -> Sequence[Trajectory]:
    """Trajectories of particles of several rigidities that arrive at a place from one direction.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    rigidity_GV : float or array_like
        Rigidities, 0.01 to 10000 GV.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    zenith_deg, azimuth_from_north_deg : float
        Where the particles come from at the place, degrees, azimuth from north through east.
    altitude_km, floor_km : float
        Height of the start, and height below which a path is forbidden, above the ellipsoid.
    spacing_km : float
        Distance of the points along the path; the last one is the end.
    escape_radii, max_path_radii : float
        Radius at which a path is outside, and path after which it is undecided, units of 6371.2 km.
    external : Magnetosphere, optional
        External field and magnetopause; a path then ends on the magnetopause, or at the escape radius in the tail.

    Returns
    -------
    list of Trajectory
        One for each rigidity.

    Raises
    ------
    GeomagInputError
        For input out of range.

    Examples
    --------
    >>> (way,) = trace(65.05, 25.47, 10.0, spacing_km=1000.0)
    >>> way.end
    'escaped'
    """
    lat = check_range("lat", lat, -90.0, 90.0, "degrees")
    lon = check_range("lon", lon, -360.0, 360.0, "degrees")
    zenith = check_range("zenith", zenith_deg, 0.0, 90.0, "degrees")
    azimuth = check_range("azimuth-from-north", azimuth_from_north_deg, -360.0, 360.0, "degrees")
    altitude = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
    floor = check_range("floor", floor_km, -100.0, altitude, "km")
    spacing = check_range("spacing", spacing_km, 0.1, 100000.0, "km")
    escape = check_range("escape-radii", escape_radii, 3.0, 100.0, "Earth radii")
    longest = check_range("max-path", max_path_radii, 2.0 * escape, 100000.0, "Earth radii")
    rigidities = check_rigidities(rigidity_GV)
    if longest * EARTH_RADIUS_KM / spacing > 1e7:
        raise GeomagInputError(f"spacing = {spacing:g} km gives more than 10 million points: it must be larger")
    field = field if field is not None else FieldModel()
    start = geodetic_to_cartesian(lat, lon, altitude)
    direction = -arrival_direction(lat, lon, zenith, azimuth)
    limits = (escape * EARTH_RADIUS_KM, longest * EARTH_RADIUS_KM)
    ways = []
    for rigidity in rigidities:
        verdict, length, dense = _follow(start, direction, float(rigidity), field, floor, limits, external)
        path = np.append(np.arange(0.0, length, spacing), length)
        states = dense(path).T  # type: ignore[operator]
        outwards = states[:, 3:] / np.linalg.norm(states[:, 3:], axis=1, keepdims=True)
        last = outwards[-1] if verdict == ALLOWED else np.full(3, np.nan)
        geomagnetic, _ = geomagnetic_coordinates(field, last)
        ways.append(
            Trajectory(
                float(rigidity),
                verdict,
                path,
                states[:, :3],
                outwards,
                zenith,
                azimuth,
                math.degrees(math.atan2(last[2], math.hypot(last[0], last[1]))),
                math.degrees(math.atan2(last[1], last[0])),
                float(geomagnetic),
            )
        )
    return ways
