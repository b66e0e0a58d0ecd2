"""Compute primary nucleons at the top of the atmosphere in bins, behind a geomagnetic cutoff.

Nuclei are independent nucleons of the same energy per nucleon (superposition), as in the simulation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geomag.cutoffs.cutoff import CutoffTracer
from geomag.cutoffs.scanning import CUTOFF_TOLERANCE, DEFAULT_ALTITUDE_KM, scan
from geomag.cutoffs.whole_sky import entry_places
from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.tracing import trace_params
from sim3d.cascade.energies import EnergyGrid
from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS, NUCLEON_MASS_GEV
from sim3d.primaries.model import PrimaryModel

_PARTS = 16
"""Points in a bin at which the flux and the cutoff are evaluated."""
SKY_AZIMUTHS = 12
SKY_STEP_GV = 0.1
RIGIDITY_RANGE_GV = (0.0, 100.0)

Transmission = Callable[[Array], Array]
"""Share of the primaries that arrive, by rigidity (GV)."""


@dataclass(frozen=True)
class Cutoff:
    """Share of the primaries that the geomagnetic field lets in, and where it comes from.

    Attributes
    ----------
    words : str
        Description for headers.
    share : callable
        Of an array of rigidities (GV).
    """

    words: str
    share: Transmission


def no_cutoff() -> Cutoff:
    """Let all primaries in.

    Returns
    -------
    Cutoff
    """
    return Cutoff("no geomagnetic cutoff", np.ones_like)


def sharp_cutoff(rigidity_GV: float, words: str = "given") -> Cutoff:
    """Let in the primaries above one rigidity.

    Parameters
    ----------
    rigidity_GV : float
        0 to 100 GV.
    words : str
        Where the number comes from.

    Returns
    -------
    Cutoff

    Raises
    ------
    InputError
        For a rigidity out of range.

    Examples
    --------
    >>> sharp_cutoff(5.0).share(np.array([4.0, 6.0]))
    array([0., 1.])
    """
    low, high = RIGIDITY_RANGE_GV
    if not low <= rigidity_GV <= high:
        raise InputError("cutoff", rigidity_GV, f"{low:g} to {high:g} GV")
    return Cutoff(
        f"cutoff {rigidity_GV:.4g} GV ({words})", lambda rigidity: np.where(rigidity >= rigidity_GV, 1.0, 0.0)
    )


def vertical_cutoff(lat: float, lon: float, date: str) -> Cutoff:
    """Let in the primaries above the effective vertical cutoff of a place.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    date : str
        ``YYYY-MM-DD``.

    Returns
    -------
    Cutoff
    """
    found = CutoffTracer(lat, lon, field=FieldModel(date)).cutoff(0.0, 0.0)
    return sharp_cutoff(found.effective_GV, f"effective, vertical, IGRF of {date}")


def sky_cutoff(lat: float, lon: float, date: str, cos_zenith: float, azimuths: int = SKY_AZIMUTHS) -> Cutoff:
    """Let in the primaries whose trajectories are allowed, averaged over azimuth at one zenith angle.

    The primary flies along the line of sight at its entry, beside the observer or on the far side of the Earth, as in
    :mod:`geomag.cutoffs.whole_sky`. Every multiple of :data:`SKY_STEP_GV` is traced, so that the penumbra is kept.

    Parameters
    ----------
    lat, lon : float
        Geodetic latitude and longitude, degrees.
    date : str
        ``YYYY-MM-DD``.
    cos_zenith : float
        Of the arrival at the observer.
    azimuths : int
        Number of directions, evenly spaced.

    Returns
    -------
    Cutoff
    """
    field = FieldModel(date)
    altitude = DEFAULT_ALTITUDE_KM
    tracer = BatchTracer(field, trace_params(field, altitude, True, CUTOFF_TOLERANCE))
    bearings = (np.arange(azimuths) + 0.5) * 360.0 / azimuths
    momenta = arrival_direction(lat, lon, float(np.degrees(np.arccos(cos_zenith))), bearings)
    places = entry_places(geodetic_to_cartesian(lat, lon, 0.0), -momenta, altitude)
    first, verdicts = scan(places, momenta, tracer, SKY_STEP_GV)
    longest = max(one.size for one in verdicts)
    # above the last rigidity that was traced everything is allowed, below the first nothing is known to be
    allowed = np.array([np.pad(one == 1, (0, longest - one.size), constant_values=True) for one in verdicts])
    shares = np.concatenate((allowed.mean(axis=0), [1.0]))

    def share(rigidity: Array) -> Array:
        place = np.round(rigidity / SKY_STEP_GV).astype(int) - first
        return np.where(place < 0, 0.0, shares[np.clip(place, 0, shares.size - 1)])

    return Cutoff(f"cutoffs by direction, mean of {azimuths} azimuths, IGRF of {date}", share)


def nuclei_in_parts(model: PrimaryModel, grid: EnergyGrid) -> Array:
    """Integrate the primary nuclei over parts of the bins of kinetic energy per nucleon.

    Parameters
    ----------
    model : PrimaryModel
    grid : EnergyGrid

    Returns
    -------
    float64 array (groups, n * 16)
        m^-2 s^-1 sr^-1, by mass group.
    """
    energy, width = _parts(grid)
    return np.array([model.flux(group, energy) * width for group in GROUPS])


def _parts(grid: EnergyGrid) -> tuple[Array, Array]:
    """Middle and width (GeV) of the parts of the bins."""
    part = grid.step / _PARTS
    energy = np.exp(grid.ln_edges[0] + part * (np.arange(grid.n * _PARTS) + 0.5))
    return energy, 2.0 * np.sinh(0.5 * part) * energy


def primary_nucleons(
    model: PrimaryModel,
    grid: EnergyGrid,
    cutoff: Cutoff | None = None,
    energy_GeV: tuple[float, float] = (0.0, np.inf),
    nuclei: Array | None = None,
) -> tuple[Array, Array]:
    """Compute the primary protons and neutrons in the bins of kinetic energy per nucleon.

    Parameters
    ----------
    model : PrimaryModel
    grid : EnergyGrid
    cutoff : Cutoff, optional
        By default none.
    energy_GeV : (float, float)
        Kinetic energies per nucleon that are used (GeV).
    nuclei : float64 array (groups, n * 16), optional
        What :func:`nuclei_in_parts` gives, to compute it once for several cutoffs.

    Returns
    -------
    protons, neutrons : float64 arrays (n,)
        m^-2 s^-1 sr^-1.
    """
    nuclei = nuclei_in_parts(model, grid) if nuclei is None else nuclei
    energy, _ = _parts(grid)
    inside = (energy >= energy_GeV[0]) & (energy <= energy_GeV[1])
    momentum = np.sqrt(energy * (energy + 2.0 * NUCLEON_MASS_GEV))
    protons, neutrons = np.zeros(grid.n), np.zeros(grid.n)
    for one, charge, mass_number in zip(nuclei, GROUP_CHARGE, GROUP_MASS_NUMBER, strict=True):
        flux = one * inside
        if cutoff is not None:
            flux *= cutoff.share(momentum * mass_number / charge)
        whole = flux.reshape(grid.n, _PARTS).sum(axis=1)
        protons += charge * whole
        neutrons += (mass_number - charge) * whole
    return protons, neutrons
