"""Spectra of the mass groups and of nucleons as functions of energy (kernels)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, NUCLEON_MASS_GEV, REFERENCE_ENERGY_GEV

LOWEST_ENERGY_GEV = 0.01
"""Below this the force field gives nothing meaningful; keeps values finite. Tables begin here."""

TABLE_POINTS_PER_E_FOLD = 50

TABLE_ENERGIES_GEV = LOWEST_ENERGY_GEV * np.exp(np.arange(25 * TABLE_POINTS_PER_E_FOLD + 1) / TABLE_POINTS_PER_E_FOLD)
"""Kinetic energies per nucleon at which a library's model is tabulated, 0.01 to 7e8 GeV."""

_LN_LOWEST = math.log(LOWEST_ENERGY_GEV)


class Spectrum(NamedTuple):
    """Fluxes of the mass groups (numba argument).

    Attributes
    ----------
    fits : float64 array (5, 2, 5)
        For each group up to two fits (gamma, K, b, c, weight); the flux is their weighted sum.
    table : float64 array (5, n)
        Used instead of the fits where n is not 0: logarithm of the flux of nuclei (m^-2 s^-1 sr^-1 (GeV/n)^-1) at
        :data:`TABLE_ENERGIES_GEV`, linear between them.
    delta_GV : float
        Solar potential minus that of the fits or the table (GV).
    norm, slope : float64 arrays (5,)
        The flux of a group is multiplied by norm (E / REFERENCE_ENERGY_GEV)^-slope.
    """

    fits: np.ndarray
    table: np.ndarray
    delta_GV: float
    norm: np.ndarray = np.ones(5)
    slope: np.ndarray = np.zeros(5)


@njit(nogil=True)
def bartol_form(energy, gamma, norm, b, c):
    """K (E + b exp(-c sqrt(E)))^-gamma at kinetic energy per nucleon E (GeV)."""
    return norm * (energy + b * math.exp(-c * math.sqrt(energy))) ** (-gamma)


@njit(nogil=True)
def table_flux(energy, row):
    """Flux at ``energy`` (GeV) from a row of :attr:`Spectrum.table`; a power law beyond its last point."""
    position = (math.log(energy) - _LN_LOWEST) * TABLE_POINTS_PER_E_FOLD
    i = min(max(int(position), 0), row.shape[0] - 2)
    return math.exp(row[i] + (position - i) * (row[i + 1] - row[i]))


@njit(nogil=True)
def group_flux(energy, group, spectrum):
    """Flux of NUCLEI of one group (m^-2 s^-1 sr^-1 (GeV/n)^-1) at kinetic energy per nucleon ``energy`` (GeV).

    Parameters
    ----------
    spectrum : Spectrum
    """
    return modulated_flux(energy, group, spectrum, spectrum.delta_GV)


@njit(nogil=True)
def modulated_flux(energy, group, spectrum, delta_GV):
    """:func:`group_flux` at another potential relative to the spectrum's own (GV)."""
    z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    shifted = energy + delta_GV * z_over_a
    if shifted < LOWEST_ENERGY_GEV:
        shifted = LOWEST_ENERGY_GEV
    value = 0.0
    if spectrum.table.shape[1] > 0:
        value = table_flux(shifted, spectrum.table[group])
    else:
        fits = spectrum.fits
        for k in range(2):
            if fits[group, k, 4] > 0.0:
                value += fits[group, k, 4] * bartol_form(
                    shifted, fits[group, k, 0], fits[group, k, 1], fits[group, k, 2], fits[group, k, 3]
                )
    two_m = 2.0 * NUCLEON_MASS_GEV
    value *= energy * (energy + two_m) / (shifted * (shifted + two_m))
    slope = spectrum.slope[group]
    if slope != 0.0:
        value *= (energy / REFERENCE_ENERGY_GEV) ** -slope
    return value * spectrum.norm[group]


@njit(nogil=True)
def nucleon_flux(energy, spectrum):
    """All-nucleon flux, sum of A times the groups' fluxes (m^-2 s^-1 sr^-1 GeV^-1)."""
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, spectrum)
    return total


@njit(nogil=True)
def choose_group(energy, u, spectrum):
    """Mass group of a nucleon of this energy, chosen by its share of the all-nucleon flux with the uniform ``u``."""
    target = u * nucleon_flux(energy, spectrum)
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, spectrum)
        if target <= total:
            return group
    return 4


@njit(nogil=True)
def momentum_per_nucleon(energy):
    """Momentum per nucleon (GeV/c) at kinetic energy per nucleon ``energy`` (GeV)."""
    return math.sqrt(energy * (energy + 2.0 * NUCLEON_MASS_GEV))


@njit(nogil=True)
def rigidity(energy, group):
    """Rigidity p A / Z (GV) of a fully stripped nucleus."""
    return momentum_per_nucleon(energy) * GROUP_MASS_NUMBER[group] / GROUP_CHARGE[group]
