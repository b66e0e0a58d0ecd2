"""Compute rigidity cutoffs at many places: a list of them, or a grid over the Earth.

One direction, height and field serve all places, so that the field's bounds are prepared once.  The work is cut into
tasks of a few places that are independent of each other: the caller may give a `map_tasks` like the builtin `map` that
spreads them over threads or processes.  The results do not depend on how the tasks are spread.

Definitions of the cutoffs are those of `geomag.cutoffs.cutoff`; geodetic degrees, km, GV.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geomag.arrays import Array, BoolArray, IntArray
from geomag.cutoffs.cutoff import reduce_scan
from geomag.cutoffs.scanning import (
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

MapTasks = Callable[[Callable[[int], Array], Iterable[int]], Iterable[Array]]
"""Like the builtin `map`: a function of the number of a task and the numbers give the results in order."""

DEFAULT_CELL_DEG = 5.0
PLACES_PER_TASK = 12
"""Few enough for a progress bar and for some hundred cores, and many enough that handing out costs nothing."""


@dataclass(frozen=True)
class PlaceCutoffs:
    """Cutoffs of places; arrays have one shape, that of the places.

    Attributes
    ----------
    lat_deg, lon_deg : array
        Geodetic latitude and longitude.
    upper_GV, lower_GV, effective_GV : array
        Cutoffs, GV.
    undecided : int array
        Undecided trajectories (counted as forbidden).
    starts_allowed : bool array
        Where the lowest rigidity scanned is allowed: `lower_GV` is then only an upper bound.
    """

    lat_deg: Array
    lon_deg: Array
    upper_GV: Array
    lower_GV: Array
    effective_GV: Array
    undecided: IntArray
    starts_allowed: BoolArray


@dataclass(frozen=True)
class WorldCutoffs(PlaceCutoffs):
    """Cutoffs over the Earth: latitudes and longitudes are one-dimensional, the rest has shape (latitudes, longitudes).

    The attributes are those of `PlaceCutoffs`.  `lat_deg` and `lon_deg` are the centres of the cells, from south to
    north and from -180 to 180 degrees.
    """


def _scan_places(task: int, xyz_km: Array, momenta: Array, scanner: Scanner) -> Array:
    """Rows upper, lower, effective, undecided, starts_allowed for the places of a task."""
    these = slice(task * PLACES_PER_TASK, (task + 1) * PLACES_PER_TASK)
    first, verdicts = scanner.scan(xyz_km[these], momenta[these])
    found = [reduce_scan(first, one, scanner.step_GV) for one in verdicts]
    return np.array([(o.upper_GV, o.lower_GV, o.effective_GV, o.undecided, o.starts_allowed) for o in found], float)


def place_cutoffs(
    lat: ArrayLike,
    lon: ArrayLike,
    field: FieldModel | None = None,
    *,
    zenith_deg: ArrayLike = 0.0,
    azimuth_from_north_deg: ArrayLike = 0.0,
    altitude_km: ArrayLike = DEFAULT_ALTITUDE_KM,
    floor_km: float = DEFAULT_FLOOR_KM,
    step_GV: float = DEFAULT_STEP_GV,
    lowest_GV: float | None = None,
    max_path_radii: float = DEFAULT_MAX_PATH_RADII,
    precise: bool = True,
    external: Magnetosphere | None = None,
    precise_tolerance: float | None = None,
    map_tasks: MapTasks = map,
) -> PlaceCutoffs:
    """Cutoffs at a list of places.

    Parameters
    ----------
    lat, lon : array_like, shape (K,)
        Geodetic latitude and longitude, degrees.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    zenith_deg, azimuth_from_north_deg, altitude_km : float or array_like, shape (K,)
        Where the particle comes from (azimuth from north through east), and height of the start above the ellipsoid.
    floor_km : float
        Height above the ellipsoid below which a trajectory is forbidden; at most the lowest altitude.
    step_GV : float
        Step of the scan.
    lowest_GV : float, optional
        Lowest rigidity of the scan; one step if not given.
    max_path_radii : float
        Path after which a trajectory is undecided, units of 6371.2 km.
    precise : bool
        Trace the penumbra again by an integrator of order 8 (`geomag.cutoffs.scanning`).
    external : Magnetosphere, optional
        External field and magnetopause.
    precise_tolerance : float, optional
        Error per step of the integrator of order 8; 1e-11, or 1e-9 with an external field, if not given.
    map_tasks : callable
        See the module's header.

    Returns
    -------
    PlaceCutoffs
        Arrays of shape (K,).

    Raises
    ------
    GeomagInputError
        For input out of range or shapes that do not fit.
    """
    try:
        lats, lons, zeniths, azimuths, altitudes = np.broadcast_arrays(
            *(
                np.atleast_1d(np.asarray(a, dtype=float))
                for a in (lat, lon, zenith_deg, azimuth_from_north_deg, altitude_km)
            )
        )
    except ValueError:
        raise GeomagInputError("lat, lon, zenith, azimuth and altitude must be numbers of one shape") from None
    if lats.ndim != 1 or not len(lats):
        raise GeomagInputError("places: give at least one, in a one-dimensional list")
    limits = (
        ("lat", lats, -90.0, 90.0, "degrees"),
        ("lon", lons, -360.0, 360.0, "degrees"),
        ("zenith", zeniths, 0.0, 90.0, "degrees"),
        ("azimuth-from-north", azimuths, -360.0, 360.0, "degrees"),
        ("altitude", altitudes, 0.0, 10000.0, "km"),
    )
    for name, values, low, high, unit in limits:
        for value in values:
            check_range(name, value, low, high, unit)
    floor = check_range("floor", floor_km, -100.0, float(altitudes.min()), "km")
    step = check_range("step", step_GV, 0.001, 10.0, "GV")
    lowest = None if lowest_GV is None else check_range("lowest", lowest_GV, 0.001, 100.0, "GV")
    field = field if field is not None else FieldModel()
    scanner = Scanner(
        field,
        floor,
        step_GV=step,
        lowest_GV=lowest,
        max_path_radii=check_max_path(max_path_radii),
        precise=precise,
        external=external,
        precise_tolerance=precise_tolerance,
    )
    momenta = np.array([arrival_direction(*ends) for ends in zip(lats, lons, zeniths, azimuths, strict=True)])
    xyz = geodetic_to_cartesian(lats, lons, altitudes)
    task = functools.partial(_scan_places, xyz_km=xyz, momenta=momenta, scanner=scanner)
    found = np.concatenate(list(map_tasks(task, range(-(-len(lats) // PLACES_PER_TASK)))))
    return PlaceCutoffs(
        lats.copy(), lons.copy(), found[:, 0], found[:, 1], found[:, 2], found[:, 3].astype(int), found[:, 4] > 0.5
    )


def grid(cell_deg: float = DEFAULT_CELL_DEG) -> tuple[Array, Array]:
    """Centres of the cells of a grid over the Earth.

    Parameters
    ----------
    cell_deg : float
        Width of a cell, 0.5 to 45 degrees; must divide 180.

    Returns
    -------
    lat_deg, lon_deg : array, one-dimensional
        From south to north, and from -180 to 180 degrees.

    Raises
    ------
    GeomagInputError
        For a width that does not divide 180 degrees.
    """
    cell = check_range("cell", cell_deg, 0.5, 45.0, "degrees")
    rows = round(180.0 / cell)
    if abs(rows * cell - 180.0) > 1e-6:
        raise GeomagInputError(f"cell = {cell:g} degrees is not allowed: it must divide 180")
    lat: Array = (np.arange(rows, dtype=np.float64) + 0.5) * cell - 90.0
    lon: Array = (np.arange(2 * rows, dtype=np.float64) + 0.5) * cell - 180.0
    return lat, lon


def world_cutoffs(field: FieldModel | None = None, cell_deg: float = DEFAULT_CELL_DEG, **options: Any) -> WorldCutoffs:
    """Cutoffs on a grid over the Earth.

    Parameters
    ----------
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    cell_deg : float
        Width of a cell, degrees; must divide 180.
    **options
        Those of `place_cutoffs` from `zenith_deg` on; angles and height are single numbers.

    Returns
    -------
    WorldCutoffs
        Arrays of shape (latitudes, longitudes).

    Raises
    ------
    GeomagInputError
        For input out of range.

    Examples
    --------
    >>> coarse = world_cutoffs(cell_deg=45.0, step_GV=0.5)
    >>> coarse.effective_GV.shape
    (4, 8)
    """
    lat, lon = grid(cell_deg)
    lats, lons = np.meshgrid(lat, lon, indexing="ij")
    found = place_cutoffs(lats.ravel(), lons.ravel(), field, **options)
    shape = lats.shape
    return WorldCutoffs(
        lat,
        lon,
        found.upper_GV.reshape(shape),
        found.lower_GV.reshape(shape),
        found.effective_GV.reshape(shape),
        found.undecided.reshape(shape),
        found.starts_allowed.reshape(shape),
    )
