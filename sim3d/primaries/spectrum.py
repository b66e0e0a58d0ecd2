"""Compute the fluxes of mass groups and of nucleons as functions of energy, with solar modulation (kernels).

The references are in :mod:`sim3d.primaries.build`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from sim3d.jit_options import UNCOUNTED
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, NUCLEON_MASS_GEV, REFERENCE_ENERGY_GEV

LOWEST_ENERGY_GEV = 0.01
"""Lowest kinetic energy per nucleon of tables and of the interstellar spectrum (GeV).

Below it the force field is not meaningful; the limit keeps fluxes finite.
"""

TABLE_POINTS_PER_E_FOLD = 50

TABLE_ENERGIES_GEV = LOWEST_ENERGY_GEV * np.exp(np.arange(25 * TABLE_POINTS_PER_E_FOLD + 1) / TABLE_POINTS_PER_E_FOLD)
"""Kinetic energies per nucleon at which models of libraries are tabulated, 0.01 to 7e8 GeV."""

_LN_LOWEST = math.log(LOWEST_ENERGY_GEV)


class Spectrum(NamedTuple):
    """Parameters of the fluxes of the mass groups (numba argument).

    Attributes
    ----------
    fits : float64 array (5, 2, 5)
        For each group up to two fits (gamma, K, b, c, weight); the flux is their weighted sum.
    table : float64 array (5, n)
        Logarithm of the flux of nuclei (m^-2 s^-1 sr^-1 (GeV/n)^-1) at :data:`TABLE_ENERGIES_GEV`, with linear
        interpolation in the logarithm of energy. It is used instead of the fits if n is not 0.
    delta_GV : float
        Solar potential minus that of the fits or the table (GV).
    norm, slope : float64 arrays (5,)
        Factor of a group's flux: norm (E / REFERENCE_ENERGY_GEV)^-slope.
    pivots : float64 array (5, n)
        Logarithm of a further factor at :data:`TABLE_ENERGIES_GEV`, at the energy after modulation; n is 0 without it.
    """

    fits: np.ndarray
    table: np.ndarray
    delta_GV: float
    norm: np.ndarray = np.ones(5)
    slope: np.ndarray = np.zeros(5)
    pivots: np.ndarray = np.zeros((5, 0))


@njit(**UNCOUNTED)
def bartol_form(energy, gamma, norm, b, c):
    """Compute the Bartol form of a flux, K (E + b exp(-c sqrt(E)))^-gamma.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon E (GeV).
    gamma, norm, b, c : float
        Spectral index, K (m^-2 s^-1 sr^-1 (GeV/n)^-1 at 1 GeV), and the two parameters of the turnover.

    Returns
    -------
    float
        m^-2 s^-1 sr^-1 (GeV/n)^-1.
    """
    return norm * (energy + b * math.exp(-c * math.sqrt(energy))) ** (-gamma)


@njit(**UNCOUNTED)
def table_flux(energy, row):
    """Interpolate a tabulated flux, as a power law between points and beyond the last one.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    row : float64 array (n,)
        Row of :attr:`Spectrum.table`.

    Returns
    -------
    float
        m^-2 s^-1 sr^-1 (GeV/n)^-1.
    """
    position = (math.log(energy) - _LN_LOWEST) * TABLE_POINTS_PER_E_FOLD
    i = min(max(int(position), 0), row.shape[0] - 2)
    return math.exp(row[i] + (position - i) * (row[i + 1] - row[i]))


@njit(**UNCOUNTED)
def group_flux(energy, group, spectrum):
    """Compute the flux of nuclei of a mass group, with the spectrum's solar modulation.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Index of the mass group.
    spectrum : Spectrum

    Returns
    -------
    float
        Nuclei per m2 s sr and GeV per nucleon.
    """
    return modulated_flux(energy, group, spectrum, spectrum.delta_GV)


@njit(**UNCOUNTED)
def modulated_flux(energy, group, spectrum, delta_GV):
    """Compute the flux of nuclei of a mass group at another solar potential (force field).

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Index of the mass group.
    spectrum : Spectrum
        Its own ``delta_GV`` is not used.
    delta_GV : float
        Solar potential minus that of the fits or the table (GV).

    Returns
    -------
    float
        Nuclei per m2 s sr and GeV per nucleon.
    """
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
    if spectrum.pivots.shape[1] > 0:
        value *= table_flux(max(energy, LOWEST_ENERGY_GEV), spectrum.pivots[group])
    return value * spectrum.norm[group]


@njit(**UNCOUNTED)
def nucleon_flux(energy, spectrum):
    """Compute the all-nucleon flux, the sum of A times the flux of nuclei over the mass groups.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    spectrum : Spectrum

    Returns
    -------
    float
        m^-2 s^-1 sr^-1 GeV^-1.
    """
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, spectrum)
    return total


@njit(**UNCOUNTED)
def choose_group(energy, u, spectrum):
    """Sample the mass group of a nucleon, with probability proportional to the group's share of the all-nucleon flux.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    u : float
        Uniform random number.
    spectrum : Spectrum

    Returns
    -------
    int
        Index of the mass group.
    """
    target = u * nucleon_flux(energy, spectrum)
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, spectrum)
        if target <= total:
            return group
    return 4


@njit(**UNCOUNTED)
def momentum_per_nucleon(energy):
    """Compute the momentum per nucleon.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).

    Returns
    -------
    float
        GeV/c.
    """
    return math.sqrt(energy * (energy + 2.0 * NUCLEON_MASS_GEV))


@njit(**UNCOUNTED)
def rigidity(energy, group):
    """Compute the rigidity p A / Z of a fully ionised nucleus.

    Parameters
    ----------
    energy : float
        Kinetic energy per nucleon (GeV).
    group : int
        Index of the mass group.

    Returns
    -------
    float
        GV.
    """
    return momentum_per_nucleon(energy) * GROUP_MASS_NUMBER[group] / GROUP_CHARGE[group]
