"""Compute cutoffs along geomagnetic latitude and against azimuth, next to Stoermer's formula of the centred dipole.

The latitude effect: at each geomagnetic latitude places all around the Earth, evenly spread in geomagnetic longitude;
mean, lowest and highest cutoff of them, and the share of all directions above the horizon from which a given rigidity
arrives.  The east-west effect: cutoffs of one place and zenith angle against azimuth.

Definitions of the cutoffs are those of `geomag.cutoffs.cutoff`; degrees, km, GV.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from geomag.arrays import Array
from geomag.cutoffs.intensity import hemisphere
from geomag.cutoffs.scanning import CUTOFF_TOLERANCE, DEFAULT_FLOOR_KM, DEFAULT_MAX_PATH_RADII, check_max_path
from geomag.cutoffs.world import PlaceCutoffs, place_cutoffs
from geomag.errors import GeomagInputError, check_range
from geomag.field.dipole import geomagnetic_direction, stoermer_cutoff_GV
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import arrival_direction, cartesian_to_geodetic, geodetic_to_cartesian, local_axes
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import ALLOWED
from geomag.trajectories.precise import PreciseTracer
from geomag.trajectories.tracing import trace_params

DEFAULT_LATITUDES_DEG = tuple(np.arange(-80.0, 81.0, 5.0))
DEFAULT_LONGITUDES = 12
DEFAULT_RIGIDITIES_GV = (2.0, 5.0, 10.0)
DIRECTIONS = 100
"""Directions above the horizon, evenly spread in solid angle, for the shares."""


@dataclass(frozen=True)
class LatitudeCurve:
    """Cutoffs against geomagnetic latitude; arrays have shape (latitudes,) unless stated.

    Attributes
    ----------
    lat_deg : array
        Geomagnetic latitude.
    effective_GV : array, shape (latitudes, longitudes)
        Effective cutoff at each place.
    upper_GV, lower_GV : array, shape (latitudes, longitudes)
        The other two.
    stoermer_GV : array, shape (latitudes, longitudes)
        Stoermer's cutoff of the centred dipole in that direction at each place.
    rigidity_GV : array, shape (rigidities,)
        Rigidities of the shares.
    allowed_share : array, shape (latitudes, rigidities)
        Share of the directions above the horizon, at all places of the latitude, from which this rigidity arrives.
    """

    lat_deg: Array
    effective_GV: Array
    upper_GV: Array
    lower_GV: Array
    stoermer_GV: Array
    rigidity_GV: Array
    allowed_share: Array


@dataclass(frozen=True)
class AzimuthCurve:
    """Cutoffs against azimuth; arrays have the shape of the azimuths.

    Attributes
    ----------
    azimuth_from_north_deg : array
        Where the particle comes from.
    upper_GV, lower_GV, effective_GV : array
        Cutoffs, GV.
    penumbra_allowed_share : array
        Share of the rigidities between lower and upper cutoff that is allowed; nan where these are equal.
    stoermer_GV : array
        Stoermer's cutoff of the centred dipole.
    """

    azimuth_from_north_deg: Array
    upper_GV: Array
    lower_GV: Array
    effective_GV: Array
    penumbra_allowed_share: Array
    stoermer_GV: Array


def geomagnetic_places(field: FieldModel, lat_deg: Array, longitudes: int, altitude_km: float) -> tuple[Array, Array]:
    """Geodetic coordinates of places at geomagnetic latitudes, evenly spread in geomagnetic longitude.

    Parameters
    ----------
    field : FieldModel
        Its centred dipole defines the coordinates.
    lat_deg : array, shape (L,)
        Geomagnetic latitudes.
    longitudes : int
        Places at each.
    altitude_km : float
        Height above the ellipsoid, with which the geocentric latitude of a place changes slightly.

    Returns
    -------
    lat_deg, lon_deg : array, shape (L, longitudes)
        Geodetic latitude and longitude.
    """
    around = (np.arange(longitudes) + 0.5) * 360.0 / longitudes
    lats, lons = np.meshgrid(lat_deg, around, indexing="ij")
    lat, lon, height = cartesian_to_geodetic(geomagnetic_direction(field, lats, lons) * (EARTH_RADIUS_KM + altitude_km))
    # the direction from the centre is what counts: along it to the height
    for _ in range(3):
        xyz = geodetic_to_cartesian(lat, lon, height)
        r = np.linalg.norm(xyz, axis=-1) + altitude_km - height
        lat, lon, height = cartesian_to_geodetic(geomagnetic_direction(field, lats, lons) * r[..., None])
    return lat, lon


def latitude_curve(
    field: FieldModel | None = None,
    lat_deg: ArrayLike = DEFAULT_LATITUDES_DEG,
    *,
    longitudes: int = DEFAULT_LONGITUDES,
    rigidity_GV: Sequence[float] = DEFAULT_RIGIDITIES_GV,
    zenith_deg: float = 0.0,
    azimuth_from_north_deg: float = 0.0,
    altitude_km: float = 20.0,
    floor_km: float = DEFAULT_FLOOR_KM,
    max_path_radii: float = DEFAULT_MAX_PATH_RADII,
    external: Magnetosphere | None = None,
    **options: Any,
) -> LatitudeCurve:
    """Cutoffs and allowed shares against geomagnetic latitude.

    Parameters
    ----------
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    lat_deg : array_like
        Geomagnetic latitudes, -90 to 90 degrees.
    longitudes : int
        Places at each latitude, 1 to 360.
    rigidity_GV : sequence of float
        Rigidities of the allowed shares; may be empty.
    zenith_deg, azimuth_from_north_deg : float
        Direction of the cutoffs.
    altitude_km, floor_km, max_path_radii : float
        As for `geomag.cutoffs.world.place_cutoffs`.
    external : Magnetosphere, optional
        External field and magnetopause.
    **options
        More of that function, such as `step_GV` and `map_tasks`.

    Returns
    -------
    LatitudeCurve
        The curves.

    Raises
    ------
    GeomagInputError
        For input out of range.
    """
    field = field if field is not None else FieldModel()
    lats = np.atleast_1d(np.asarray(lat_deg, dtype=float))
    for value in lats:
        check_range("latitude", value, -90.0, 90.0, "degrees")
    if int(check_range("longitudes", longitudes, 1, 360)) != longitudes:
        raise GeomagInputError(f"longitudes = {longitudes!r} is not allowed: it must be a whole number from 1 to 360")
    altitude = check_range("altitude", altitude_km, 0.0, 10000.0, "km")
    rigidities = np.array([check_range("rigidity", value, 0.01, 10000.0, "GV") for value in rigidity_GV])
    lat, lon = geomagnetic_places(field, lats, int(longitudes), altitude)
    shape = lat.shape
    found: PlaceCutoffs = place_cutoffs(
        lat.ravel(),
        lon.ravel(),
        field,
        zenith_deg=zenith_deg,
        azimuth_from_north_deg=azimuth_from_north_deg,
        altitude_km=altitude,
        floor_km=floor_km,
        max_path_radii=max_path_radii,
        external=external,
        **options,
    )
    xyz = geodetic_to_cartesian(lat, lon, altitude)
    momenta = np.array(
        [
            arrival_direction(*place, zenith_deg, azimuth_from_north_deg)
            for place in zip(lat.ravel(), lon.ravel(), strict=True)
        ]
    ).reshape(xyz.shape)
    tracer: BatchTracer | PreciseTracer
    if external is None:
        params = trace_params(field, floor_km, True, CUTOFF_TOLERANCE, max_path_radii=check_max_path(max_path_radii))
        tracer = BatchTracer(field, params)
    else:
        tracer = PreciseTracer(field, floor_km, external, max_path_radii=check_max_path(max_path_radii))
    sources = hemisphere(DIRECTIONS, "solid-angle")
    share = np.empty((len(lats), len(rigidities)))
    for i in range(len(lats)):
        down = -np.einsum("dk,pkx->pdx", sources, local_axes(lat[i], lon[i])).reshape(-1, 3)
        places = np.repeat(xyz[i], len(sources), axis=0)
        for j, rigidity in enumerate(rigidities):
            share[i, j] = (tracer.verdicts(places, down, np.full(len(down), rigidity)) == ALLOWED).mean()
    return LatitudeCurve(
        lats,
        found.effective_GV.reshape(shape),
        found.upper_GV.reshape(shape),
        found.lower_GV.reshape(shape),
        stoermer_cutoff_GV(field, xyz, momenta),
        rigidities,
        share,
    )


def azimuth_curve(
    lat: float,
    lon: float,
    zenith_deg: float,
    field: FieldModel | None = None,
    azimuth_from_north_deg: ArrayLike | None = None,
    *,
    altitude_km: float = 20.0,
    **options: Any,
) -> AzimuthCurve:
    """Cutoffs of one place and zenith angle against azimuth: the east-west effect.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    zenith_deg : float
        Where the particles come from, 0 to 90 degrees.
    field : FieldModel, optional
        The field; the IGRF at its defaults if not given.
    azimuth_from_north_deg : array_like, optional
        Every 10 degrees from 0 to 350 if not given.
    altitude_km : float
        Height of the start.
    **options
        More of `geomag.cutoffs.world.place_cutoffs`.

    Returns
    -------
    AzimuthCurve
        The curves.

    Raises
    ------
    GeomagInputError
        For input out of range.
    """
    field = field if field is not None else FieldModel()
    azimuths = np.arange(0.0, 360.0, 10.0) if azimuth_from_north_deg is None else azimuth_from_north_deg
    azimuths = np.atleast_1d(np.asarray(azimuths, dtype=float))
    found = place_cutoffs(
        lat, lon, field, zenith_deg=zenith_deg, azimuth_from_north_deg=azimuths, altitude_km=altitude_km, **options
    )
    momenta = arrival_direction(lat, lon, zenith_deg, azimuths)
    width = found.upper_GV - found.lower_GV
    open_part = found.upper_GV - found.effective_GV
    share = np.divide(open_part, width, out=np.full(len(azimuths), np.nan), where=width > 0.0)
    xyz = geodetic_to_cartesian(lat, lon, altitude_km)
    return AzimuthCurve(
        azimuths,
        found.upper_GV,
        found.lower_GV,
        found.effective_GV,
        share,
        stoermer_cutoff_GV(field, xyz, momenta),
    )
