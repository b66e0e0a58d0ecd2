"""Fraction of the primaries of one rigidity that can arrive through the geomagnetic field, over the whole Earth.

At each place the share is that of the directions above the horizon from which a particle of this rigidity can
arrive, which is the intensity averaged over angles divided by that without a field (the intensity outside is
isotropic; Liouville's theorem).  Two averages: `solid-angle`, every direction alike ("averaged over all
incident angles", the reading of Tserkovnyak et al.), and `cosine`, the flux through a horizontal surface.

Geodetic latitudes, degrees, km, GV; the momentum of a proton in GeV/c is its rigidity in GV.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit

from geomag.arrays import Array
from geomag.cutoffs.scanning import DEFAULT_ALTITUDE_KM, DEFAULT_FLOOR_KM
from geomag.cutoffs.world import grid
from geomag.errors import GeomagInputError, check_range
from geomag.field.igrf import FieldModel
from geomag.field.kernels import CACHE
from geomag.geodesy import geodetic_to_cartesian, local_axes
from geomag.trajectories.early_verdicts import ALLOWED, UNDECIDED
from geomag.trajectories.tracing import DEFAULT_TOLERANCE, backtrack, trace_params

PAPER_MOMENTA_GV = (2.0, 4.0, 6.0, 10.0, 20.0, 50.0)
"""Momenta of the maps of Tserkovnyak et al., protons, GeV/c."""

WEIGHTINGS = ("solid-angle", "cosine")


@dataclass(frozen=True)
class IntensityMap:
    """Share of primaries let in; arrays have shape (latitudes, longitudes).

    Attributes
    ----------
    lat_deg, lon_deg : array, one-dimensional
        Geodetic cell centres.
    fraction : array
        0 to 1, relative to no field.
    undecided : int
        Trajectories without a decision (counted as forbidden).
    rigidity_GV : float
        Rigidity.
    directions : int
        Directions per place.
    weighting : str
        "solid-angle" or "cosine".
    """

    lat_deg: Array
    lon_deg: Array
    fraction: Array
    undecided: int
    rigidity_GV: float
    directions: int
    weighting: str


@njit(nogil=True, cache=CACHE)
def allowed_share(
    places: Array,
    axes: Array,
    sources: Array,
    rigidity_GV: float,
    gauss: Array,
    params: Array,
    share: Array,
) -> int:
    """Fill share[i] with the share of directions allowed at places[i].

    Parameters
    ----------
    places : float64 array, shape (K, 3)
        Geocentric Cartesian, km.
    axes : float64 array, shape (K, 3, 3)
        Local east, north, up at each place.
    sources : float64 array, shape (D, 3)
        Where the particles come from, unit vectors in east, north, up.
    rigidity_GV : float
        Rigidity.
    gauss, params : float64 array
        Field and `geomag.trajectories.tracing.trace_params`.
    share : float64 array, shape (K,)
        Filled.

    Returns
    -------
    int
        Number of undecided trajectories.
    """
    undecided = 0
    for i in range(places.shape[0]):
        allowed = 0
        for j in range(sources.shape[0]):
            e, n, u = sources[j, 0], sources[j, 1], sources[j, 2]
            ux = -(e * axes[i, 0, 0] + n * axes[i, 1, 0] + u * axes[i, 2, 0])
            uy = -(e * axes[i, 0, 1] + n * axes[i, 1, 1] + u * axes[i, 2, 1])
            uz = -(e * axes[i, 0, 2] + n * axes[i, 1, 2] + u * axes[i, 2, 2])
            verdict = backtrack(places[i, 0], places[i, 1], places[i, 2], ux, uy, uz, rigidity_GV, gauss, params)
            if verdict == ALLOWED:
                allowed += 1
            elif verdict == UNDECIDED:
                undecided += 1
        share[i] = allowed / sources.shape[0]
    return undecided


def hemisphere(directions: int, weighting: str = "solid-angle") -> Array:
    """Evenly spread directions above the horizon: a spiral of equal areas with golden-angle turns.

    Parameters
    ----------
    directions : int
        How many.
    weighting : str
        "solid-angle": uniform per solid angle; "cosine": density proportional to cos(zenith).

    Returns
    -------
    array, shape (directions, 3)
        Unit vectors, east, north, up, of where particles come from.
    """
    if weighting not in WEIGHTINGS:
        raise GeomagInputError(f"weighting = {weighting!r} is unknown: it must be one of {', '.join(WEIGHTINGS)}")
    middle = (np.arange(directions) + 0.5) / directions
    cos_zenith = middle if weighting == "solid-angle" else np.sqrt(middle)
    turn = np.arange(directions) * math.pi * (3.0 - math.sqrt(5.0))
    side = np.sqrt(1.0 - cos_zenith**2)
    return np.stack([side * np.sin(turn), side * np.cos(turn), cos_zenith], axis=-1)


def intensity_map(
    rigidity_GV: float,
    field: FieldModel | None = None,
    *,
    cell_deg: float = 5.0,
    directions: int = 100,
    weighting: str = "solid-angle",
    altitude_km: float = DEFAULT_ALTITUDE_KM,
    floor_km: float = DEFAULT_FLOOR_KM,
    progress: Callable[[int], object] | None = None,
) -> IntensityMap:
    """Share of the primaries of a rigidity that arrive, over the whole Earth.

    Parameters
    ----------
    rigidity_GV : float
        Rigidity, GV (a proton's momentum in GeV/c).
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    cell_deg : float
        Size of a cell in latitude and longitude; it must divide 180.
    directions : int
        Directions per place.
    weighting : str
        See the module's header.
    altitude_km, floor_km : float
        Start and floor above the ellipsoid.
    progress : callable, optional
        Called with 1 after each row of latitude.

    Returns
    -------
    IntensityMap
        The map, from south to north and from -180 to 180 degrees.
    """
    rigidity = check_range("momentum", rigidity_GV, 0.1, 1000.0, "GeV/c")
    lat, lon = grid(cell_deg)
    number = int(check_range("directions", directions, 1, 100000))
    altitude = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
    floor = check_range("floor", floor_km, -100.0, altitude, "km")
    field = field if field is not None else FieldModel()
    params = trace_params(field, floor, True, DEFAULT_TOLERANCE)
    sources = hemisphere(number, weighting)
    fraction = np.empty((lat.size, lon.size))
    undecided = 0
    for i, row_lat in enumerate(lat):
        places = geodetic_to_cartesian(np.full_like(lon, row_lat), lon, altitude)
        axes = np.ascontiguousarray(local_axes(np.full_like(lon, row_lat), lon))
        undecided += allowed_share(places, axes, sources, rigidity, field.gauss, params, fraction[i])
        if progress is not None:
            progress(1)
    return IntensityMap(lat, lon, fraction, undecided, rigidity, number, weighting)
