"""Tabulate the primary fluxes of the libraries globalsplinefit and crflux (the extra ``primaries``) by mass group.

A library has fluxes dPhi/dE of single nuclei (A, Z) per total energy E of the nucleus. They are converted to fluxes per
kinetic energy per nucleon T. A nucleus has A nucleons, and dE = A dT with E = A (T + m), so it adds A^2 dPhi/dE to
the all-nucleon flux of its group. The group's flux of nuclei is that sum divided by the group's own mass number. The
all-nucleon flux is conserved exactly; the rigidity is that of the group's A/Z. A nucleus belongs to the group nearest
in ln A, except deuterium, which belongs to helium because it has the same A/Z.

Models made for high energies contain no solar modulation and do not hold below some 100 GeV per nucleon. There
``ghls2001-average`` replaces them: within a factor sqrt(10) on both sides of ``join_GeV`` the flux of a group is a
weighted mean of the two, with a weight that is smooth in ln T.

Sources: :data:`LIBRARY_MODELS`, model by model.
"""

from __future__ import annotations

import functools
import math
import warnings
from dataclasses import dataclass, replace
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.primaries.catalogue import LIBRARY_MODELS, LibraryModel
from sim3d.primaries.ghls import ghls_model
from sim3d.primaries.groups import GROUP_MASS_NUMBER, GROUPS, NUCLEON_MASS_GEV, PrimaryInputError
from sim3d.primaries.solar import FIT_MONTH, FIT_POTENTIAL_MV, month_in_series, year_and_month
from sim3d.primaries.spectrum import TABLE_ENERGIES_GEV

EXTRA = "pip install 'sim3d[primaries]'"
JOIN_GEV = 100.0
JOIN_RANGE_GEV = (10.0, 1.0e5)
_HALF_WIDTH = 0.5 * math.log(10.0)
"""Half the width of the transition in ln T: from join / sqrt(10) to join * sqrt(10)."""
_FLOOR = 1.0e-300
"""Flux of a group that a model does not have; not 0, because its logarithm is tabulated."""
_A_DEUTERIUM = 2


@dataclass(frozen=True)
class LibrarySpectrum:
    """Tabulated fluxes of a library's model by mass group, with their errors.

    Attributes
    ----------
    table : float64 array (5, n)
        See :class:`sim3d.primaries.spectrum.Spectrum`.
    relative_error : float64 array (6, n)
        See :class:`sim3d.primaries.model.PrimaryModel`; n may be 0.
    source : str
        Citation, library and its version.
    potential_MV : float or None
        Solar potential of the table on the scale of with 591 MV in July 1998, if the table is of a model with
        a series of its own and for a given date; else None, and the table is for July 1998.
    solar : str
        Source of the potential, in words.
    """

    table: Array
    relative_error: Array
    source: str
    potential_MV: float | None = None
    solar: str = ""


def library_spectrum(name: str, date: str | None = None, join_GeV: float | None = None) -> LibrarySpectrum:
    """Tabulate a library's model for July 1998, or (Global Spline Fit) for the month of ``date``.

    Parameters
    ----------
    name : str
        Key of :data:`~sim3d.primaries.catalogue.LIBRARY_MODELS`.
    date : str, optional
        ``YYYY-MM-DD``; used for the Global Spline Fits only.
    join_GeV : float, optional
        Kinetic energy per nucleon (GeV) below which ``ghls2001-average`` replaces the model; default JOIN_GEV.

    Returns
    -------
    LibrarySpectrum

    Raises
    ------
    PrimaryInputError
        If the library is not installed, or has no potential for the month; if ``join_GeV`` is out of range, or given
        for a model that is not joined.
    """
    model = LIBRARY_MODELS[name]
    if join_GeV is not None:
        if not model.joins:
            raise PrimaryInputError(f"primaries.join_GeV: {join_GeV:g}, {name} holds at all energies and is not joined")
        if not JOIN_RANGE_GEV[0] <= join_GeV <= JOIN_RANGE_GEV[1]:
            raise PrimaryInputError(
                f"primaries.join_GeV: {join_GeV:g} is not between {JOIN_RANGE_GEV[0]:g} and {JOIN_RANGE_GEV[1]:g}"
            )
    if name.startswith("gsf:"):
        found = _global_spline_fit(_library("globalsplinefit", name), name, model, date)
        return replace(found, table=found.table.copy(), relative_error=found.relative_error.copy())
    fluxes = crflux_groups(name)
    source = f"{model.citation} (crflux {version('crflux')})"
    if model.joins:
        join = JOIN_GEV if join_GeV is None else join_GeV
        low = ghls_model()
        share = _share_of_high(TABLE_ENERGIES_GEV, join)
        for k, group in enumerate(GROUPS):
            fluxes[k] = (1.0 - share) * low.flux(group, TABLE_ENERGIES_GEV) + share * fluxes[k]
        source += f", ghls2001-average below {join:g} GeV per nucleon"
    return LibrarySpectrum(np.log(np.maximum(fluxes, _FLOOR)), np.zeros((6, 0)), source)


def group_of(mass_number: int) -> int:
    """Assign a nucleus to a mass group: the nearest in ln A, but deuterium to helium.

    Parameters
    ----------
    mass_number : int
        A of the nucleus.

    Returns
    -------
    int
        Index in :data:`~sim3d.primaries.groups.GROUPS`.

    Examples
    --------
    >>> [GROUPS[group_of(a)] for a in (1, 2, 3, 7, 12, 19, 20, 28, 40, 56)]
    ['p', 'He', 'He', 'He', 'CNO', 'CNO', 'MgSi', 'MgSi', 'Fe', 'Fe']
    """
    if mass_number == _A_DEUTERIUM:
        return 1
    return int(np.argmin(np.abs(np.log(GROUP_MASS_NUMBER) - math.log(mass_number))))


def crflux_model(name: str) -> Any:
    """Construct the crflux object of one of :data:`LIBRARY_MODELS`.

    Parameters
    ----------
    name : str
        Key that begins with ``crflux:``.

    Returns
    -------
    crflux.models.PrimaryFlux

    Raises
    ------
    PrimaryInputError
        If crflux is not installed.
    """
    kind, *arguments = LIBRARY_MODELS[name].construct
    return getattr(_library("crflux.models", name), kind)(*arguments)


def crflux_groups(name: str, energy_GeV: Array = TABLE_ENERGIES_GEV) -> Array:
    """Compute the fluxes of nuclei of the five groups from a model of crflux, without joining.

    Parameters
    ----------
    name : str
        Key of :data:`~sim3d.primaries.catalogue.LIBRARY_MODELS` that begins with ``crflux:``.
    energy_GeV : float64 array (n,)
        Kinetic energy per nucleon (GeV).

    Returns
    -------
    float64 array (5, n)
        m^-2 s^-1 sr^-1 (GeV/n)^-1.

    Raises
    ------
    PrimaryInputError
        If crflux is not installed.
    """
    model = crflux_model(name)
    rest = 0.0 if LIBRARY_MODELS[name].kinetic else NUCLEON_MASS_GEV
    nucleons = np.zeros((len(GROUPS), energy_GeV.size))
    with np.errstate(all="ignore"):
        for identity in model.nucleus_ids:
            _, mass_number = model.Z_A(identity)
            flux = model.nucleus_flux(identity, mass_number * (energy_GeV + rest))
            nucleons[group_of(mass_number)] += mass_number**2 * np.asarray(flux)
    return nucleons / GROUP_MASS_NUMBER[:, None]


def _library(module: str, name: str) -> Any:
    try:
        return import_module(module)
    except ImportError:
        raise PrimaryInputError(
            f"primaries.model: {name} needs the package {module.partition('.')[0]}, which is not installed ({EXTRA})"
        ) from None


def _share_of_high(energy: Array, join_GeV: float) -> Array:
    """Weight of the library's model: 0 below join / sqrt(10), 1 above join * sqrt(10), smooth between."""
    x = np.clip(0.5 + 0.5 * np.log(energy / join_GeV) / _HALF_WIDTH, 0.0, 1.0)
    return x * x * (3.0 - 2.0 * x)


@functools.lru_cache(maxsize=8)
def _global_spline_fit(library: Any, name: str, model: LibraryModel, date: str | None) -> LibrarySpectrum:
    """Tabulate a Global Spline Fit and its errors for a month, with the potential of its own series; kept."""
    try:
        fit = library.GSFKineticEnergyPerNucleon(version=model.construct[0])
    except ValueError as problem:
        raise PrimaryInputError(f"primaries.model: {name}: {problem}") from None
    series = _series(fit)
    month, month_words = month_in_series(series, FIT_MONTH if date is None else year_and_month(date))
    potential, reference = series[month], series[FIT_MONTH]
    interval = (_yyyymm(*month), _yyyymm(*(month[0] + month[1] // 12, month[1] % 12 + 1)))
    energies = TABLE_ENERGIES_GEV
    nucleons = np.zeros((len(GROUPS), energies.size))
    # all elements of a charge group are proportional to the spline of its leader, whose coefficients have a covariance
    leaders = sorted({fit.params.leader_sid[fit.z_ungroup[species[0]]] for species in fit.species})
    jacobians: list[list[Any]] = [[0.0] * len(leaders) for _ in GROUPS]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for species in fit.species:
            group = group_of(int(fit.mass_number[species]))
            nucleons[group] += fit.flux(energies, species, time_interval=interval)
            leader = fit.params.leader_sid[fit.z_ungroup[species[0]]]
            jacobians[group][leaders.index(leader)] += fit.jacobian(energies, species, time_interval=interval)
    variance = np.zeros((6, energies.size))
    rows = [*jacobians, [sum(row[k] for row in jacobians) for k in range(len(leaders))]]
    for i, row in enumerate(rows):
        for a, one in enumerate(row):
            for b, two in enumerate(row):
                block = fit.cov.get((leaders[a], leaders[b]))
                if block is not None and np.ndim(one) == 2 and np.ndim(two) == 2:
                    variance[i] += np.einsum("ni,ij,nj->n", one, block, two)
    flux = np.vstack([nucleons, nucleons.sum(axis=0)])
    relative = np.sqrt(np.maximum(variance, 0.0)) / np.maximum(flux, _FLOOR)
    words = (
        f"{month_words}: {potential:.0f} MV, {potential - reference:+.0f} MV from 1998-07 "
        "(the fit's own series of potentials)"
    )
    return LibrarySpectrum(
        table=np.log(np.maximum(nucleons / GROUP_MASS_NUMBER[:, None], _FLOOR)),
        relative_error=relative,
        source=f"{model.citation} (globalsplinefit {version('globalsplinefit')})",
        potential_MV=None if date is None else FIT_POTENTIAL_MV + potential - reference,
        solar=words,
    )


def _series(fit: Any) -> dict[tuple[int, int], float]:
    """Potentials (MV) of a Global Spline Fit by (year, month)."""
    return {
        (int(year), number): 1000.0 * float(value)
        for year, values in fit.phi.items()
        for number, value in enumerate(values, start=1)
        if math.isfinite(value)
    }


def _yyyymm(year: int, month: int) -> int:
    return 100 * year + month
