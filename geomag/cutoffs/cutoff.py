"""Compute rigidity cutoffs at a place by direction, and maps of them over the sky.

Every rigidity that is a multiple of the step is traced between two bounds; nothing is bisected, because in the
penumbra allowed and forbidden rigidities alternate.  The upper bound is rigorous (above it a particle that comes from
above the horizon arrives whatever the field does, `geomag.trajectories.sharper_verdicts.escape_is_certain_at`).  The
lower end is one step, or what the caller says.  How rigidities are traced is in `geomag.cutoffs.scanning`.

Definitions (all multiples of the step; D. F. Smart & M. A. Shea, Adv. Space Res. 36 (2005) 2012):
upper: the first rigidity above the highest forbidden one; lower: the lowest allowed one; effective: upper
minus the step times the number of allowed rigidities in [lower, upper).  Where everything is allowed from
the lowest rigidity scanned, all three are that one and `starts_allowed` is set: the lower cutoff is then that rigidity
or any lower one.

Places are geodetic (WGS84), the vertical is the normal of the ellipsoid, azimuth is where the particle comes
FROM, from north through east; km, degrees, GV.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from geomag.arrays import Array, IntArray
from geomag.cutoffs.scanning import (
    CUTOFF_TOLERANCE,
    DEFAULT_ALTITUDE_KM,
    DEFAULT_FLOOR_KM,
    DEFAULT_MAX_PATH_RADII,
    DEFAULT_STEP_GV,
    Scanner,
    check_max_path,
)
from geomag.errors import GeomagInputError, check_range
from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.early_verdicts import UNDECIDED


@dataclass(frozen=True)
class Cutoff:
    """Cutoffs at one place and direction.

    Attributes
    ----------
    upper_GV, lower_GV, effective_GV : float
        See the module's header, GV.
    undecided : int
        Trajectories that neither escaped nor came down within the longest path (counted as forbidden).
    scanned_GV : tuple of float
        Lowest and highest rigidity traced.
    step_GV : float
        Step of the scan.
    starts_allowed : bool
        Whether the lowest rigidity scanned is allowed: `lower_GV` is then only an upper bound of the lower cutoff, and
        so are the other two where they equal it.
    """

    upper_GV: float
    lower_GV: float
    effective_GV: float
    undecided: int
    scanned_GV: tuple[float, float]
    step_GV: float
    starts_allowed: bool = False


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

    zenith_deg: Array
    azimuth_from_north_deg: Array
    upper_GV: Array
    lower_GV: Array
    effective_GV: Array
    undecided: IntArray


def reduce_scan(first: int, verdicts: IntArray, step_GV: float) -> Cutoff:
    """Compute the upper, lower and effective cutoff of a scan.

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
    return Cutoff(values[0], values[1], values[2], undecided, ends, step_GV, bool(allowed.size and allowed[0]))


class CutoffTracer:
    """Computation of cutoffs at one place, for many directions.

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
    max_path_radii : float
        Path after which a trajectory is undecided, units of 6371.2 km, 60 to 100000.
    precise : bool
        Trace the penumbra again by an integrator of order 8 (`geomag.cutoffs.scanning`), which takes two
        to three times as long.
    external : Magnetosphere, optional
        External field and magnetopause, of the same time as the field.
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
        max_path_radii: float = DEFAULT_MAX_PATH_RADII,
        precise: bool = True,
        external: Magnetosphere | None = None,
    ) -> None:
        self.lat = check_range("lat", lat, -90.0, 90.0, "degrees")
        self.lon = check_range("lon", lon, -360.0, 360.0, "degrees")
        self.altitude_km = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
        self.floor_km = check_range("floor", floor_km, -100.0, self.altitude_km, "km")
        self.step_GV = check_range("step", step_GV, 0.001, 10.0, "GV")
        self.lowest_GV = None if lowest_GV is None else check_range("lowest", lowest_GV, 0.001, 100.0, "GV")
        self.field = field if field is not None else FieldModel()
        self.max_path_radii = check_max_path(max_path_radii)
        self.scanner = Scanner(
            self.field,
            self.floor_km,
            step_GV=self.step_GV,
            lowest_GV=self.lowest_GV,
            max_path_radii=self.max_path_radii,
            precise=precise,
            external=external,
            tolerance=tolerance,
        )
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
        return self.cutoffs(zenith_deg, [azimuth_from_north_deg])[0]

    def cutoffs(self, zenith_deg: float, azimuths_from_north_deg: Iterable[float]) -> list[Cutoff]:
        """Cutoffs in several directions of one zenith angle, faster than one by one.

        Parameters
        ----------
        zenith_deg : float
            Angle from the vertical of where the particles come from, 0 to 90 degrees.
        azimuths_from_north_deg : iterable of float
            Compass bearings of where they come from, -360 to 360 degrees.

        Returns
        -------
        list of Cutoff
            One for each azimuth.
        """
        zenith = check_range("zenith", zenith_deg, 0.0, 90.0, "degrees")
        azimuths = [check_range("azimuth-from-north", a, -360.0, 360.0, "degrees") for a in azimuths_from_north_deg]
        directions = np.array([arrival_direction(self.lat, self.lon, zenith, a) for a in azimuths])
        first, scans = self.scanner.scan(self.xyz_km, directions)
        return [reduce_scan(first, verdicts, self.step_GV) for verdicts in scans]


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
    max_path_radii: float = DEFAULT_MAX_PATH_RADII,
    precise: bool = True,
    external: Magnetosphere | None = None,
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
    max_path_radii : float
        Path after which a trajectory is undecided, units of 6371.2 km, 60 to 100000.
    precise : bool
        Trace the penumbra again by an integrator of order 8.
    external : Magnetosphere, optional
        External field and magnetopause.

    Returns
    -------
    Cutoff
        Upper, lower and effective cutoff.

    Examples
    --------
    >>> from geomag.field.igrf import FieldModel
    >>> vertical = cutoff(36.4, 137.3, field=FieldModel("2020-01-01"), step_GV=0.1, lowest_GV=8.0)
    >>> bool(10.0 < vertical.effective_GV < 11.5)
    True
    """
    tracer = CutoffTracer(
        lat,
        lon,
        field=field,
        altitude_km=altitude_km,
        floor_km=floor_km,
        step_GV=step_GV,
        lowest_GV=lowest_GV,
        max_path_radii=max_path_radii,
        precise=precise,
        external=external,
    )
    return tracer.cutoff(zenith_deg, azimuth_from_north_deg)


def sky_map(
    tracer: CutoffTracer,
    zenith_deg: Array | None = None,
    azimuth_from_north_deg: Array | None = None,
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
        Called after each zenith angle with the number of directions done since.

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
        for j, found in enumerate(tracer.cutoffs(float(zen), map(float, azimuth))):
            upper[i, j], lower[i, j], effective[i, j] = found.upper_GV, found.lower_GV, found.effective_GV
            undecided[i, j] = found.undecided
        if progress is not None:
            progress(len(azimuth))
    return SkyMap(zenith, azimuth, upper, lower, effective, undecided)
