"""Compute cutoffs over the whole sky of a detector, from above and from below, in the one-dimensional picture.

A neutrino is taken to fly along its primary. The primary that a neutrino of a given direction stands for then enters
where the straight line of sight leaves the Earth's air: beside the detector for one from above, on the far side of the
Earth for one from below. This is the map of Honda et al., Phys. Rev. D 52 (1995) 4985, and of Tserkovnyak et al.; the
simulation itself uses no such map.

Definitions of the cutoffs are those of `geomag.cutoffs.cutoff`; km, degrees, GV.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geomag.arrays import Array
from geomag.cutoffs.cutoff import reduce_scan
from geomag.cutoffs.scanning import CUTOFF_TOLERANCE, DEFAULT_ALTITUDE_KM, scan
from geomag.errors import check_range
from geomag.field.igrf import FieldModel
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, arrival_direction, geodetic_to_cartesian
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.tracing import trace_params

DEFAULT_MAP_STEP_GV = 0.1
DEFAULT_CELL_DEG = 5.0


@dataclass(frozen=True)
class WholeSky:
    """Cutoffs over both halves of the sky; arrays have shape (cosines, azimuths).

    Attributes
    ----------
    cos_zenith, azimuth_from_north_deg : array, one-dimensional
        Directions the neutrino comes from: +1 down-going; from north through east.
    upper_GV, lower_GV, effective_GV : array
        Cutoffs of the primary, GV.
    undecided : int
        Undecided trajectories (counted as forbidden).
    step_GV : float
        Step of the scan.
    """

    cos_zenith: Array
    azimuth_from_north_deg: Array
    upper_GV: Array
    lower_GV: Array
    effective_GV: Array
    undecided: int
    step_GV: float


def entry_places(detector_km: Array, sources: Array, altitude_km: float) -> Array:
    """Where lines of sight leave the ellipsoid at an altitude.

    Parameters
    ----------
    detector_km : array, shape (3,)
        The detector, inside that ellipsoid.
    sources : array, shape (D, 3)
        Unit vectors towards where the neutrinos come from.
    altitude_km : float
        Both half axes of WGS84 are longer by this, as are those of the floor of a trajectory.

    Returns
    -------
    array, shape (D, 3)
        Geocentric Cartesian, km.
    """
    stretch = np.array([1.0, 1.0, (WGS84_A_KM + altitude_km) / (WGS84_B_KM + altitude_km)])
    start, way = detector_km * stretch, sources * stretch
    a = (way**2).sum(axis=-1)
    half_b = way @ start
    c = (start**2).sum() - (WGS84_A_KM + altitude_km) ** 2
    places: Array = detector_km + sources * ((-half_b + np.sqrt(half_b**2 - a * c)) / a)[:, None]
    return places


def whole_sky_map(
    lat: float,
    lon: float,
    field: FieldModel | None = None,
    *,
    cell_deg: float = DEFAULT_CELL_DEG,
    step_GV: float = DEFAULT_MAP_STEP_GV,
    altitude_km: float = DEFAULT_ALTITUDE_KM,
    progress: Callable[[int], object] | None = None,
) -> WholeSky:
    """Cutoffs of the primaries whose straight line arrives at a detector, for every direction of arrival.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude of the detector, at sea level, degrees.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    cell_deg : float
        Cells are about this wide in azimuth, and in cos_zenith 2 (cell / 180).
    step_GV : float
        Step of the scan.
    altitude_km : float
        Height of the places of entry, above 0; the floor of the trajectories is there too.
    progress : callable, optional
        Called after each cosine with the number of directions done since.

    Returns
    -------
    WholeSky
        From below to above.
    """
    lat = check_range("lat", lat, -90.0, 90.0, "degrees")
    lon = check_range("lon", lon, -360.0, 360.0, "degrees")
    cell = check_range("sky-cell", cell_deg, 0.5, 45.0, "degrees")
    step = check_range("step", step_GV, 0.001, 10.0, "GV")
    altitude = check_range("altitude", altitude_km, 0.1, 10000.0, "km")
    field = field if field is not None else FieldModel()
    tracer = BatchTracer(field, trace_params(field, altitude, True, CUTOFF_TOLERANCE))
    detector = geodetic_to_cartesian(lat, lon, 0.0)
    # an even number, so that no bin straddles the horizon
    n_cos, n_azimuth = 2 * round(90.0 / cell), round(360.0 / cell)
    cosines = (np.arange(n_cos) + 0.5) * 2.0 / n_cos - 1.0
    azimuths = (np.arange(n_azimuth) + 0.5) * 360.0 / n_azimuth
    upper, lower, effective = (np.empty((n_cos, n_azimuth)) for _ in range(3))
    undecided = 0
    for i, zenith in enumerate(np.degrees(np.arccos(cosines))):
        momenta = arrival_direction(lat, lon, zenith, azimuths)
        first, scans = scan(entry_places(detector, -momenta, altitude), momenta, tracer, step)
        for j, verdicts in enumerate(scans):
            found = reduce_scan(first, verdicts, step)
            upper[i, j], lower[i, j], effective[i, j] = found.upper_GV, found.lower_GV, found.effective_GV
            undecided += found.undecided
        if progress is not None:
            progress(n_azimuth)
    return WholeSky(cosines, azimuths, upper, lower, effective, undecided, step)
