"""Primary protons above the atmosphere in bands of geomagnetic latitude, as a spectrometer in orbit meets them.

A band holds the places at one altitude over the whole globe, north and south, whose geomagnetic latitude lies between
two values. The flux in it is that of the primary model times the share of (place, direction) from which a proton of
that rigidity can arrive (the intensity outside is isotropic; Liouville's theorem), found by back-tracking with the
floor and the escape of the cutoff tools (:mod:`geomag.trajectories.batch`) but ten times the longest path, because a
tenth of the flux near the cutoffs of 0.8 to 1.2 rad comes on longer ones. Directions fill a cone around the zenith
evenly per solid angle, places fill the band evenly per area. Protons only, and only primaries: what is made in the
air and circles below the cutoff (albedo) is not in it.

Geomagnetic latitude is that of the centred dipole of the field (its terms of degree 1), at the geocentric place; it is
not the corrected geomagnetic latitude.

Units: km, GV, GeV; angles in degrees but for the latitudes of the bands, radians.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike
from scipy.constants import speed_of_light

from geomag.cutoffs.cutoff import CUTOFF_TOLERANCE, DEFAULT_FLOOR_KM
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, cartesian_to_geodetic, local_axes
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import ALLOWED, UNDECIDED
from geomag.trajectories.tracing import trace_params
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.primaries.spectrum import rigidity

if TYPE_CHECKING:
    from sim3d.primaries.model import PrimaryModel


BAND_EDGES_RAD = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 0.5 * math.pi)
"""Edges of the bands in |geomagnetic latitude|."""
ENERGIES_GEV = 10.0 ** (np.arange(31) / 10.0 - 1.0)
"""Kinetic energies of the protons: ten per decade, 0.1 to 100 GeV."""
DEFAULT_ALTITUDE_KM = 380.0
DEFAULT_CONE_DEG = 32.0
"""Altitude and field of view of AMS-01 (J. Alcaraz et al., Phys. Lett. B 472 (2000) 215; from memory)."""
DEFAULT_SAMPLES = 500
DEFAULT_DATE = "1998-07-01"
"""The month in which the primary models are taken as they are."""

MAX_PATH_RADII = 1000.0
"""Path (Earth radii) after which a trajectory is undecided. With 100, as in the cutoff tools, a third are undecided at
0.5 to 1 GeV in 0.8-1.0 rad, and the flux there is lower by 7 to 19%."""

NOTE = "primary protons alone: no secondary (albedo) protons, which a detector also sees below the cutoff"
BAND_COLUMNS = (
    "kinetic_energy_GeV",
    "rigidity_GV",
    "latitude_low_rad",
    "latitude_high_rad",
    "flux",
    "error",
    "share",
    "share_error",
    "undecided_share",
)


@dataclass(frozen=True)
class Band:
    """One band of geomagnetic latitude; arrays have the shape of the energies.

    Attributes
    ----------
    low_rad, high_rad : float
        Limits of |geomagnetic latitude|.
    share, share_error : array
        Share of (place, direction) that is allowed, and one standard error (:func:`share_error`).
    flux, flux_error : array
        Protons, m^-2 s^-1 sr^-1 GeV^-1; the error is that of the share alone.
    undecided_share : array
        Share without a decision within :data:`MAX_PATH_RADII`, counted as forbidden: by so much `share` may be low.
    cutoff_GV, cutoff_error_GV : float
        Where the share passes one half, and its standard error; nan if it is above at the lowest rigidity or below
        at the highest.
    stoermer_GV : float
        Stoermer's vertical cutoff at the latitude that halves the area of the band (:func:`stoermer_vertical_GV`).
    """

    low_rad: float
    high_rad: float
    share: Array
    share_error: Array
    flux: Array
    flux_error: Array
    undecided_share: Array
    cutoff_GV: float
    cutoff_error_GV: float
    stoermer_GV: float


@dataclass(frozen=True)
class LatitudeBands:
    """The spectra of all bands and what they were made with.

    Attributes
    ----------
    energy_GeV, rigidity_GV : array
        Kinetic energy and rigidity of the protons.
    outside : array
        Flux of the primary model without a field, m^-2 s^-1 sr^-1 GeV^-1.
    bands : tuple of Band
        From the equator to the poles.
    altitude_km, floor_km, cone_deg : float
        Of the places, of the floor of the trajectories, and the largest zenith angle.
    samples, seed : int
        Trajectories per band and energy; of the random numbers.
    """

    energy_GeV: Array
    rigidity_GV: Array
    outside: Array
    bands: tuple[Band, ...]
    altitude_km: float
    floor_km: float
    cone_deg: float
    samples: int
    seed: int


def dipole_axis(field: FieldModel) -> Array:
    """Unit vector of the centred dipole's axis, shape (3,), towards the geomagnetic pole in the north."""
    axis = -np.array([field.g[1, 1], field.h[1, 1], field.g[1, 0]])
    return np.asarray(axis / np.linalg.norm(axis))


def stoermer_vertical_GV(field: FieldModel, latitude_rad: ArrayLike, radius_km: float) -> Array:
    """Stoermer's vertical cutoff of the field's centred dipole: B0 a c cos^4(latitude) (a / r)^2 / 4.

    D. F. Smart & M. A. Shea, Adv. Space Res. 36 (2005) 2012, eq. 1. With the dipole of 1955 the constant is the usual
    14.9 GV, with that of 1998 it is 14.4 GV.

    Parameters
    ----------
    field : FieldModel
        Its terms of degree 1 are used.
    latitude_rad : array_like
        Geomagnetic latitude.
    radius_km : float
        Distance r from the centre.
    """
    strength_T = 1e-9 * math.hypot(field.g[1, 0], field.g[1, 1], field.h[1, 1])
    at_equator = 0.25e-9 * speed_of_light * strength_T * 1e3 * EARTH_RADIUS_KM
    return np.asarray(at_equator * (EARTH_RADIUS_KM / radius_km) ** 2 * np.cos(latitude_rad) ** 4)


def share_error(allowed: ArrayLike, samples: int) -> Array:
    """Standard error of a share: binomial, with a flat prior, so that it is about 1/samples where none or all pass.

    sqrt((k + 1)(n - k + 1) / ((n + 2)^2 (n + 3))), the standard deviation of the beta distribution with k + 1 and
    n - k + 1; in between it is sqrt(p (1 - p) / n) to within a few times 1/n.
    """
    k = np.asarray(allowed, dtype=float)
    return np.sqrt((k + 1.0) * (samples - k + 1.0) / ((samples + 2.0) ** 2 * (samples + 3.0)))


def draw_arrivals(
    field: FieldModel,
    band_rad: tuple[float, float],
    altitude_km: float,
    cone_deg: float,
    number: int,
    random: np.random.Generator,
) -> tuple[Array, Array]:
    """Places evenly per area in a band, north and south, and directions evenly per solid angle in the cone.

    Parameters
    ----------
    field : FieldModel
        For the axis of its dipole.
    band_rad : tuple of float
        Limits of |geomagnetic latitude|.
    altitude_km : float
        Both half axes of WGS84 are longer by this for the places (within 1 m per 100 km of the geodetic height); the
        area is that of the sphere, which differs from the ellipsoid's by less than 0.5%.
    cone_deg : float
        Largest angle from the zenith (the ellipsoid's normal).
    number : int
        How many.
    random : numpy Generator
        Its next 5 ``number`` numbers are used.

    Returns
    -------
    places_km, momenta : array, shape (number, 3)
        Geocentric Cartesian places, and unit momenta of the particles that arrive.
    """
    u = random.random((5, number))
    low, high = np.sin(band_rad)
    sine = (low + (high - low) * u[0]) * np.where(u[1] < 0.5, -1.0, 1.0)
    axis = dipole_axis(field)
    # any two vectors across the axis: the places are even in longitude
    across = np.linalg.svd(axis[None, :])[2][1:]
    turn = 2.0 * math.pi * u[2]
    ring = np.cos(turn)[:, None] * across[0] + np.sin(turn)[:, None] * across[1]
    way = sine[:, None] * axis + np.sqrt(1.0 - sine**2)[:, None] * ring
    stretch = (WGS84_A_KM + altitude_km) / (WGS84_B_KM + altitude_km)
    radius = (WGS84_A_KM + altitude_km) / np.linalg.norm(way * [1.0, 1.0, stretch], axis=-1)
    places = radius[:, None] * way
    lat, lon, _ = cartesian_to_geodetic(places)
    cosine = 1.0 - (1.0 - math.cos(math.radians(cone_deg))) * u[3]
    side, turn = np.sqrt(1.0 - cosine**2), 2.0 * math.pi * u[4]
    sources = np.stack([side * np.sin(turn), side * np.cos(turn), cosine], axis=-1)
    return places, -np.einsum("ij,ijk->ik", sources, local_axes(lat, lon))


def latitude_bands(
    model: PrimaryModel,
    field: FieldModel | None = None,
    *,
    altitude_km: float = DEFAULT_ALTITUDE_KM,
    cone_deg: float = DEFAULT_CONE_DEG,
    samples: int = DEFAULT_SAMPLES,
    seed: int = 1,
    edges_rad: tuple[float, ...] = BAND_EDGES_RAD,
    energy_GeV: ArrayLike = ENERGIES_GEV,
    progress: Callable[[int], object] | None = None,
) -> LatitudeBands:
    """Spectra of primary protons in bands of geomagnetic latitude.

    Every band and energy has random places and directions of its own, so that all errors are independent.

    Parameters
    ----------
    model : PrimaryModel
        Its protons are taken.
    field : FieldModel, optional
        The field; the IGRF of :data:`DEFAULT_DATE` if not given.
    altitude_km : float
        Of the places, 0 to 10000; the floor of the trajectories is 20 km or the altitude if that is lower.
    cone_deg : float
        Largest angle from the zenith, above 0 to 90.
    samples : int
        Trajectories per band and energy, 10 to 1000000.
    seed : int
        At least 0.
    edges_rad : tuple of float
        Edges of the bands, ascending, 0 to pi/2.
    energy_GeV : array_like
        Kinetic energies, ascending.
    progress : callable, optional
        Called with 1 after each band.

    Raises
    ------
    InputError
        For a value out of range.
    """
    for name, value, low, high in (
        ("--altitude", altitude_km, 0.0, 10000.0),
        ("--cone", cone_deg, 0.1, 90.0),
        ("--samples", samples, 10, 1000000),
        ("--seed", seed, 0, 2**63 - 1),
    ):
        if not low <= value <= high:
            raise InputError(name, value, f"{low:g} to {high:g}")
    energy = np.atleast_1d(np.asarray(energy_GeV, dtype=float))
    field = field if field is not None else FieldModel(DEFAULT_DATE)
    floor = min(DEFAULT_FLOOR_KM, altitude_km)
    tracer = BatchTracer(field, trace_params(field, floor, True, CUTOFF_TOLERANCE, max_path_radii=MAX_PATH_RADII))
    rigidities = np.array([rigidity(e, 0) for e in energy])
    outside = model.flux("p", energy)
    bands = []
    for i, (low, high) in enumerate(itertools.pairwise(edges_rad)):
        random = np.random.default_rng([seed, i])
        arrivals = (low, high), altitude_km, cone_deg, samples * energy.size, random
        verdicts = tracer.verdicts(*draw_arrivals(field, *arrivals), np.repeat(rigidities, samples))
        verdicts = verdicts.reshape(energy.size, samples)
        allowed = (verdicts == ALLOWED).sum(axis=1)
        share, error = allowed / samples, share_error(allowed, samples)
        half_of_area = math.asin(0.5 * (math.sin(low) + math.sin(high)))
        stoermer = float(stoermer_vertical_GV(field, half_of_area, EARTH_RADIUS_KM + altitude_km))
        undecided = (verdicts == UNDECIDED).sum(axis=1) / samples
        cutoff = passes_half(rigidities, share, error)
        bands.append(
            Band(low, high, share, error, share * outside, error * outside, undecided, *cutoff, stoermer_GV=stoermer)
        )
        if progress is not None:
            progress(1)
    return LatitudeBands(energy, rigidities, outside, tuple(bands), altitude_km, floor, cone_deg, samples, seed)


def passes_half(rigidity_GV: Array, share: Array, error: Array) -> tuple[float, float]:
    """Rigidity at which the share last rises through one half, linear in its logarithm, and its error; or nan, nan.

    Parameters
    ----------
    rigidity_GV : array
        Ascending.
    share, error : array
        Of the same shape.
    """
    below = np.flatnonzero(share < 0.5)
    if below.size == 0 or below[-1] == share.size - 1:
        return math.nan, math.nan
    i = int(below[-1])
    rise, step = share[i + 1] - share[i], math.log(rigidity_GV[i + 1] / rigidity_GV[i])
    part = (0.5 - share[i]) / rise
    value = float(rigidity_GV[i] * math.exp(part * step))
    return value, float(value * step * math.hypot((1.0 - part) * error[i], part * error[i + 1]) / rise)


def write_csv(found: LatitudeBands, path: Path, about: str) -> Path:
    """Write one row per band and energy (:data:`BAND_COLUMNS`), with ``about`` in the comments at the top."""
    comments = (
        f"sim3d primary protons in bands of geomagnetic latitude; {about}",
        NOTE,
        "flux, error: m^-2 s^-1 sr^-1 GeV^-1 of kinetic energy; error: one standard error, of the share alone",
        "share: of places and directions from which the proton can arrive; undecided_share: not in it, undecided",
        "latitude: |geomagnetic latitude| of the centred dipole, rad",
    )
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.writelines(f"# {line}\n" for line in comments)
        stream.write(",".join(BAND_COLUMNS) + "\n")
        for band in found.bands:
            columns = (band.flux, band.flux_error, band.share, band.share_error, band.undecided_share)
            for energy, gv, *numbers in zip(found.energy_GeV, found.rigidity_GV, *columns, strict=True):
                limits = f"{band.low_rad:.6g},{band.high_rad:.6g}"
                stream.write(f"{energy:.6g},{gv:.6g},{limits}" + ",%.6e" * 5 % tuple(numbers) + "\n")
    return path
