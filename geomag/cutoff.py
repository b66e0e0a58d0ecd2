"""Rigidity cutoffs: which rigidities can arrive at a place from a direction, and sky maps of that.

Every rigidity that is a multiple of the step is traced between two bounds; nothing is bisected, because in
the penumbra allowed and forbidden rigidities alternate.  The upper bound is rigorous (above it a particle
that comes from above the horizon arrives whatever the field does, `geomag.tracing.escape_is_certain`).  The
lower end is one step, or what the caller says.

Definitions (all multiples of the step; D. F. Smart & M. A. Shea, Adv. Space Res. 36 (2005) 2012):
upper: the first rigidity above the highest forbidden one; lower: the lowest allowed one; effective: upper
minus the step times the number of allowed rigidities in [lower, upper).  Where everything is allowed from
the lowest rigidity scanned, all three are that one.

Places are geodetic (WGS84), the vertical is the normal of the ellipsoid, azimuth is where the particle comes
FROM, from north through east; km, degrees, GV.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from geomag.errors import GeomagInputError, check_range
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.igrf import FieldModel
from geomag.kernels import CACHE
from geomag.tracing import CURVATURE, UNDECIDED, backtrack, horizontal_bound, trace_params

CUTOFF_TOLERANCE = 1e-5
"""Error per step of the integrator in the cutoff tools (ten times tighter than in the simulation)."""

DEFAULT_ALTITUDE_KM = 20.0
DEFAULT_FLOOR_KM = 20.0
DEFAULT_STEP_GV = 0.01


@dataclass(frozen=True)
class Cutoff:
    """Cutoffs at one place and direction.

    Attributes
    ----------
    upper_GV, lower_GV, effective_GV : float
        See the module's header, GV.
    undecided : int
        Trajectories that neither escaped nor came down within 100 Earth radii of path (counted as forbidden).
    scanned_GV : tuple of float
        Lowest and highest rigidity traced.
    step_GV : float
        Step of the scan.
    """

    upper_GV: float
    lower_GV: float
    effective_GV: float
    undecided: int
    scanned_GV: tuple[float, float]
    step_GV: float


@dataclass(frozen=True)
class SkyMap:
    """Cutoffs over the sky of one place; arrays have shape (zeniths, azimuths).

    Attributes
    ----------
    zenith_deg, azimuth_from_north_deg : array, one-dimensional
        Directions the particle comes from.
    upper_GV, lower_GV, effective_GV : array
        Cutoffs, GV.
    undecided : int array
        Undecided trajectories in each direction.
    """

    zenith_deg: np.ndarray
    azimuth_from_north_deg: np.ndarray
    upper_GV: np.ndarray
    lower_GV: np.ndarray
    effective_GV: np.ndarray
    undecided: np.ndarray


@njit(nogil=True, cache=CACHE)
def scan_rigidities(x, y, z, ux, uy, uz, first, step_GV, verdicts, gauss, params):
    """Trace the rigidities (first + i) step into verdicts[i].

    Parameters
    ----------
    x, y, z : float
        Place, geocentric Cartesian, km.
    ux, uy, uz : float
        Unit momentum of the arriving particle.
    first : int
        Lowest multiple of the step.
    step_GV : float
        Step, GV.
    verdicts : int8 array
        Filled with 1 allowed, 0 forbidden, 2 undecided.
    gauss, params : float64 array
        Field and `geomag.tracing.trace_params`.
    """
    for i in range(verdicts.shape[0]):
        verdicts[i] = backtrack(x, y, z, ux, uy, uz, (first + i) * step_GV, gauss, params)


def certain_rigidity_GV(xyz_km: np.ndarray, direction: np.ndarray, field: FieldModel, params: np.ndarray) -> float:
    """Rigidity above which a particle from above the horizon is certain to be allowed.

    Parameters
    ----------
    xyz_km, direction : array, shape (3,)
        Place (km) and unit momentum of the arriving particle.
    field : FieldModel
        The field.
    params : float64 array
        From `trace_params` for this field.

    Returns
    -------
    float
        GV.
    """
    r = float(np.linalg.norm(xyz_km))
    mu = -float(xyz_km @ direction) / r
    # a geodetic floor tilts the horizon by up to 0.2 degrees: 0.005 covers what that does to the cosine
    wanted = max(mu - 0.005, 0.0) ** 2 - 0.01
    low, high = 1.0, 2.72
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if wanted > 1.0 - middle + middle * math.log(middle) else (low, middle)
    kappa = low if low > 1.0 else 0.95
    return CURVATURE * r * horizontal_bound(r, params, field.degree) / kappa


def scan(
    xyz_km: np.ndarray,
    direction: np.ndarray,
    field: FieldModel,
    params: np.ndarray,
    step_GV: float = DEFAULT_STEP_GV,
    lowest_GV: float | None = None,
) -> tuple[int, np.ndarray]:
    """Verdict of every rigidity from the lowest to the one above which all are allowed.

    Parameters
    ----------
    xyz_km, direction : array, shape (3,)
        Place (km) and unit momentum of the arriving particle.
    field, params
        Field and `trace_params` for it.
    step_GV : float
        Step.
    lowest_GV : float, optional
        Where the scan starts; one step if not given.

    Returns
    -------
    first : int
        The rigidities are (first + i) step.
    verdicts : int8 array
        1 allowed, 0 forbidden, 2 undecided.
    """
    first = 1 if lowest_GV is None else max(1, round(lowest_GV / step_GV))
    last = max(first, math.ceil(certain_rigidity_GV(xyz_km, direction, field, params) / step_GV))
    verdicts = np.empty(last - first + 1, dtype=np.int8)
    x, y, z = map(float, xyz_km)
    ux, uy, uz = map(float, direction)
    scan_rigidities(x, y, z, ux, uy, uz, first, step_GV, verdicts, field.gauss, params)
    return first, verdicts


def reduce_scan(first: int, verdicts: np.ndarray, step_GV: float) -> Cutoff:
    """Cutoffs of a scan.

    Parameters
    ----------
    first : int
        Multiple of the step of the first verdict.
    verdicts : int array
        1 allowed, anything else not.
    step_GV : float
        Step.

    Returns
    -------
    Cutoff
        Upper, lower and effective cutoff.
    """
    allowed = verdicts == 1
    forbidden_at = np.flatnonzero(~allowed)
    allowed_at = np.flatnonzero(allowed)
    upper = int(forbidden_at[-1]) + 1 if forbidden_at.size else 0
    lower = int(allowed_at[0]) if allowed_at.size else upper
    # an allowed rigidity below `upper` is one below the highest forbidden one; above, all are allowed
    effective = upper - int(allowed[lower:upper].sum())
    ends = (first * step_GV, (first + len(verdicts) - 1) * step_GV)
    values = [round((first + i) * step_GV, 10) for i in (upper, min(lower, upper), effective)]
    undecided = int((verdicts == UNDECIDED).sum())
    return Cutoff(values[0], values[1], values[2], undecided, ends, step_GV)


class CutoffTracer:
    """Checked inputs of the cutoff tools at one place, ready for many directions.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    altitude_km : float
        Height of the start above the ellipsoid.
    floor_km : float
        Height above the ellipsoid below which a trajectory is forbidden; at most the altitude.
    step_GV : float
        Step of the scan.
    lowest_GV : float, optional
        Lowest rigidity of the scan; one step if not given.
    tolerance : float
        Of the integrator.
    """

    def __init__(
        self,
        lat: float,
        lon: float,
        *,
        field: FieldModel | None = None,
        altitude_km: float = DEFAULT_ALTITUDE_KM,
        floor_km: float = DEFAULT_FLOOR_KM,
        step_GV: float = DEFAULT_STEP_GV,
        lowest_GV: float | None = None,
        tolerance: float = CUTOFF_TOLERANCE,
    ) -> None:
        self.lat = check_range("lat", lat, -90.0, 90.0, "degrees")
        self.lon = check_range("lon", lon, -180.0, 360.0, "degrees")
        self.altitude_km = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
        self.floor_km = check_range("floor", floor_km, -100.0, self.altitude_km, "km")
        self.step_GV = check_range("step", step_GV, 0.001, 10.0, "GV")
        self.lowest_GV = None if lowest_GV is None else check_range("lowest", lowest_GV, 0.001, 100.0, "GV")
        self.field = field if field is not None else FieldModel()
        self.params = trace_params(self.field, self.floor_km, True, tolerance)
        self.xyz_km = geodetic_to_cartesian(self.lat, self.lon, self.altitude_km)

    def cutoff(self, zenith_deg: float = 0.0, azimuth_from_north_deg: float = 0.0) -> Cutoff:
        """Cutoffs in one direction.

        Parameters
        ----------
        zenith_deg : float
            Angle from the vertical of where the particle comes from, 0 to 90 degrees.
        azimuth_from_north_deg : float
            Compass bearing of where it comes from, -360 to 360 degrees.

        Returns
        -------
        Cutoff
            Upper, lower and effective cutoff.
        """
        zenith = check_range("zenith", zenith_deg, 0.0, 90.0, "degrees")
        azimuth = check_range("azimuth-from-north", azimuth_from_north_deg, -360.0, 360.0, "degrees")
        direction = arrival_direction(self.lat, self.lon, zenith, azimuth)
        first, verdicts = scan(self.xyz_km, direction, self.field, self.params, self.step_GV, self.lowest_GV)
        return reduce_scan(first, verdicts, self.step_GV)


def cutoff(
    lat: float,
    lon: float,
    zenith_deg: float = 0.0,
    azimuth_from_north_deg: float = 0.0,
    altitude_km: float = DEFAULT_ALTITUDE_KM,
    field: FieldModel | None = None,
    step_GV: float = DEFAULT_STEP_GV,
    floor_km: float = DEFAULT_FLOOR_KM,
    lowest_GV: float | None = None,
) -> Cutoff:
    """Rigidity cutoffs for a place, direction and altitude.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    zenith_deg, azimuth_from_north_deg : float
        Where the particle comes from, degrees; azimuth from north through east.
    altitude_km : float
        Height of the start above the ellipsoid.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    step_GV : float
        Step of the scan, GV.
    floor_km : float
        Height above the ellipsoid below which a trajectory is forbidden.
    lowest_GV : float, optional
        Lowest rigidity of the scan; one step if not given.

    Returns
    -------
    Cutoff
        Upper, lower and effective cutoff.
    """
    tracer = CutoffTracer(
        lat,
        lon,
        field=field,
        altitude_km=altitude_km,
        floor_km=floor_km,
        step_GV=step_GV,
        lowest_GV=lowest_GV,
    )
    return tracer.cutoff(zenith_deg, azimuth_from_north_deg)


def sky_map(
    tracer: CutoffTracer,
    zenith_deg: np.ndarray | None = None,
    azimuth_from_north_deg: np.ndarray | None = None,
    progress: Callable[[int], object] | None = None,
) -> SkyMap:
    """Cutoffs over the sky.

    Parameters
    ----------
    tracer : CutoffTracer
        Place, field and scan.
    zenith_deg : array, optional
        Zenith angles, degrees; the centres of 10 equal bins of the cosine if not given.
    azimuth_from_north_deg : array, optional
        Azimuths, degrees; the centres of 36 bins of 10 degrees if not given.
    progress : callable, optional
        Called with 1 after each direction.

    Returns
    -------
    SkyMap
        Arrays of shape (zeniths, azimuths).
    """
    if zenith_deg is None:
        zenith_deg = np.degrees(np.arccos(np.arange(0.95, 0.0, -0.1)))
    if azimuth_from_north_deg is None:
        azimuth_from_north_deg = np.arange(5.0, 360.0, 10.0)
    zenith, azimuth = np.atleast_1d(zenith_deg), np.atleast_1d(azimuth_from_north_deg)
    if zenith.ndim != 1 or azimuth.ndim != 1:
        raise GeomagInputError("zenith and azimuth of a sky map must be one-dimensional")
    shape = (len(zenith), len(azimuth))
    upper, lower, effective = (np.empty(shape) for _ in range(3))
    undecided = np.zeros(shape, dtype=np.int64)
    for i, zen in enumerate(zenith):
        for j, az in enumerate(azimuth):
            found = tracer.cutoff(float(zen), float(az))
            upper[i, j], lower[i, j], effective[i, j] = found.upper_GV, found.lower_GV, found.effective_GV
            undecided[i, j] = found.undecided
            if progress is not None:
                progress(1)
    return SkyMap(zenith, azimuth, upper, lower, effective, undecided)
