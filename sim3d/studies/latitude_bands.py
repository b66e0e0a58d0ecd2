"""Compute spectra of primary protons above the atmosphere in bands of geomagnetic latitude.

Such spectra are what a spectrometer in orbit measures. A band contains the places at one altitude over the whole globe,
north and south, whose geomagnetic latitude lies between two values. The flux in it is that of the primary model times
the allowed fraction: the fraction of (place, direction) from which a proton of that rigidity can arrive. This follows
from Liouville's theorem, as the intensity outside is isotropic.

The fraction is found by back-tracking with the floor and the escape radius of the cutoff tools
(:mod:`geomag.trajectories.batch`). The longest path is ten times theirs, because a tenth of the flux near the cutoffs
of 0.8 to 1.2 rad comes on longer ones. Directions fill a cone around the zenith uniformly in solid angle, places fill
the band uniformly in area. Only primary protons are included: secondaries made in the atmosphere that circle below the
cutoff (albedo) are not.

Geomagnetic latitude is that of the centred dipole of the field (its terms of degree 1), at the geocentric place. It is
not the corrected geomagnetic latitude.

Units: km, GV, GeV; angles in degrees except the latitudes of the bands, which are in radians.
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

from geomag.cutoffs.scanning import CUTOFF_TOLERANCE, DEFAULT_FLOOR_KM
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM, cartesian_to_geodetic, local_axes
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.early_verdicts import ALLOWED, UNDECIDED
from geomag.trajectories.tracing import trace_params
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.csv_files import write_lines
from sim3d.primaries.spectrum import rigidity

if TYPE_CHECKING:
    from sim3d.primaries.model import PrimaryModel


BAND_EDGES_RAD = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.2, 1.4, 0.5 * math.pi)
"""Edges of the bands in |geomagnetic latitude|."""
ENERGIES_GEV = 10.0 ** (np.arange(31) / 10.0 - 1.0)
"""Kinetic energies of the protons: ten per decade, 0.1 to 100 GeV."""
DEFAULT_ALTITUDE_KM = 380.0
DEFAULT_CONE_DEG = 32.0
"""Altitude and field of view of AMS-01 (J. Alcaraz et al., Phys. Lett. B 472 (2000) 215; its abstract has the altitude,
the field of view is from memory)."""
DEFAULT_SAMPLES = 500
DEFAULT_DATE = "1998-07-01"
"""Month that the primary models are used for without change."""

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
    """Allowed fraction and flux in one band of geomagnetic latitude; arrays have the shape of the energies.

    Attributes
    ----------
    low_rad, high_rad : float
        Limits of |geomagnetic latitude|.
    share, share_error : array
        Allowed fraction of (place, direction), and one standard error (:func:`share_error`).
    flux, flux_error : array
        Protons, m^-2 s^-1 sr^-1 GeV^-1; the error is that of the allowed fraction alone.
    undecided_share : array
        Fraction without a decision within :data:`MAX_PATH_RADII`, counted as forbidden. `share` may be low by up to
        this.
    cutoff_GV, cutoff_error_GV : float
        Rigidity at which the allowed fraction passes one half, and its standard error; nan if it is above one half
        at the lowest rigidity or below at the highest.
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
    """Spectra of all latitude bands and the settings they were computed with.

    Attributes
    ----------
    energy_GeV, rigidity_GV : array
        Kinetic energy and rigidity of the protons.
    outside : array
        Flux of the primary model without a field, m^-2 s^-1 sr^-1 GeV^-1.
    bands : tuple of Band
        From the equator to the poles.
    altitude_km, floor_km, cone_deg : float
        Altitude of the places, floor of the trajectories, and largest zenith angle.
    samples, seed : int
        Trajectories per band and energy, and seed of the random numbers.
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
    """Compute the axis of the field's centred dipole, towards the geomagnetic pole in the north.

    Parameters
    ----------
    field : FieldModel

    Returns
    -------
    float64 array (3,)
        Unit vector, geocentric Cartesian.
    """
    axis = -np.array([field.g[1, 1], field.h[1, 1], field.g[1, 0]])
    return np.asarray(axis / np.linalg.norm(axis))


def stoermer_vertical_GV(field: FieldModel, latitude_rad: ArrayLike, radius_km: float) -> Array:
    """Compute Stoermer's vertical cutoff rigidity of the centred dipole: B0 a c cos^4(latitude) (a / r)^2 / 4.

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

    Returns
    -------
    float64 array
        GV, of the shape of ``latitude_rad``.
    """
    strength_T = 1e-9 * math.hypot(field.g[1, 0], field.g[1, 1], field.h[1, 1])
    at_equator = 0.25e-9 * speed_of_light * strength_T * 1e3 * EARTH_RADIUS_KM
    return np.asarray(at_equator * (EARTH_RADIUS_KM / radius_km) ** 2 * np.cos(latitude_rad) ** 4)


def share_error(allowed: ArrayLike, samples: int) -> Array:
    """Compute the standard error of a binomial fraction with a flat prior.

    sqrt((k + 1)(n - k + 1) / ((n + 2)^2 (n + 3))), the standard deviation of the beta distribution with parameters k +
    1 and n - k + 1. It is about 1/n where none or all pass, and sqrt(p (1 - p) / n) to within a few times 1/n in
    between.

    Parameters
    ----------
    allowed : array_like
        Number k that pass.
    samples : int
        Number n of trials.

    Returns
    -------
    float64 array
        Of the shape of ``allowed``.
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
    """Sample places uniform in area in a latitude band, north and south, and directions uniform in a cone.

    Parameters
    ----------
    field : FieldModel
        For the axis of its dipole.
    band_rad : tuple of float
        Limits of |geomagnetic latitude|.
    altitude_km : float
        The places lie on the WGS84 ellipsoid with both half axes longer by this (within 1 m per 100 km of the
        geodetic height). The area is that of the sphere, which differs from the ellipsoid's by less than 0.5%.
    cone_deg : float
        Largest angle from the zenith (the ellipsoid's normal); directions are uniform in solid angle.
    number : int
        Number of arrivals.
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
    # any two orthonormal vectors perpendicular to the axis: places are uniform in longitude
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
    """Compute spectra of primary protons in bands of geomagnetic latitude by back-tracking.

    Every band and energy has its own random places and directions, so that all errors are independent.

    Parameters
    ----------
    model : PrimaryModel
        Its protons are taken.
    field : FieldModel, optional
        Geomagnetic field; the IGRF of :data:`DEFAULT_DATE` if not given.
    altitude_km : float
        Altitude of the places, 0 to 10000. The floor of the trajectories is 20 km, or the altitude if that is
        lower.
    cone_deg : float
        Largest angle from the zenith, 0.1 to 90.
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

    Returns
    -------
    LatitudeBands
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
    """Compute the rigidity at which the allowed fraction last rises through one half, and its error.

    The interpolation is linear in the logarithm of the rigidity.

    Parameters
    ----------
    rigidity_GV : array
        Ascending.
    share, error : array
        Allowed fraction and its error, of the same shape.

    Returns
    -------
    cutoff_GV, error_GV : float
        Or nan, nan if the fraction does not pass one half.
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
    """Write the spectra as CSV, one row per band and energy (:data:`BAND_COLUMNS`).

    Parameters
    ----------
    found : LatitudeBands
    path : Path
    about : str
        Text for the comments at the top.

    Returns
    -------
    Path
        ``path``.
    """
    comments = (
        f"sim3d primary protons in bands of geomagnetic latitude; {about}",
        NOTE,
        "flux, error: m^-2 s^-1 sr^-1 GeV^-1 of kinetic energy; error: one standard error, of the share alone",
        "share: of places and directions from which the proton can arrive; undecided_share: not in it, undecided",
        "latitude: |geomagnetic latitude| of the centred dipole, rad",
    )
    lines = []
    for band in found.bands:
        columns = (band.flux, band.flux_error, band.share, band.share_error, band.undecided_share)
        for energy, gv, *numbers in zip(found.energy_GeV, found.rigidity_GV, *columns, strict=True):
            limits = f"{band.low_rad:.6g},{band.high_rad:.6g}"
            lines.append(f"{energy:.6g},{gv:.6g},{limits}" + ",%.6e" * 5 % tuple(numbers) + "\n")
    return write_lines(path, comments, BAND_COLUMNS, lines)
