"""Primary cosmic rays: five mass groups, in Bartol form or as a table, superposition, modulation, energy sampling.

Everything is in kinetic energy per nucleon E (GeV). Fluxes are per m2 s sr and per GeV (per nucleon).

Sources
-------
Spectra: T. K. Gaisser, M. Honda, P. Lipari and T. Stanev, Proc. 27th ICRC (2001) 1643, as tabulated by Battistoni et
al., Astropart. Phys. 19 (2003) 269; the unit of K is m^-2 (the table prints cm^-2).
Charges and masses of the groups: docs/methods/primaries.md.
Force field: L. J. Gleeson and W. I. Axford, Astrophys. J. 154 (1968) 1011: with potential Phi,
J(E) = J_LIS(E + Phi Z/A) E (E + 2m) / ((E + Phi Z/A)(E + Phi Z/A + 2m)). It is applied relative to the potential of
the fit, whose data are from mid 1998 (AMS-01, BESS-98).
Potentials: :mod:`sim3d.solar`. Models of libraries: :mod:`sim3d.primary_libraries`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numba import njit

from sim3d.parameters import REFERENCE_ENERGY_GEV
from sim3d.particles import MASS_GEV, NEUTRON, PROTON
from sim3d.primary_catalogue import GHLS_SOURCE, MODELS, model_names
from sim3d.primary_groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS
from sim3d.reference_files import reference_rows
from sim3d.solar import SOLAR_POTENTIAL_MV, potential_by_date

SAMPLING_SHIFT_GEV = 2.0
"""Energies are drawn from (E + 2 GeV)^-index: like the fits' own (E + b exp(-c sqrt(E)))^-gamma with b = 2.15 this
turns over at low energy, so that few are spent on primaries below the cutoffs. Any value is exact."""
NUCLEON_MASS_GEV = 0.5 * float(MASS_GEV[PROTON] + MASS_GEV[NEUTRON])
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


class PrimaryInputError(ValueError):
    """A primary model, potential or energy that is not allowed."""


def _read_fits() -> dict[str, dict[str, tuple[float, float, float, float]]]:
    """Fit parameters {component: {fit: (gamma, K, b, c)}} from the packaged reference CSV."""
    fits: dict[str, dict[str, tuple[float, float, float, float]]] = {}
    for row in reference_rows("primary_ghls2001.csv"):
        values = (float(row["gamma"]), float(row["K"]), float(row["b"]), float(row["c"]))
        fits.setdefault(row["component"], {})[row["fit"]] = values
    return fits


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
def sample_energy(u, low, high, index):
    """Energy between low and high (GeV) at cumulative probability u; density (E + SAMPLING_SHIFT_GEV)^-index."""
    bottom, top = low + SAMPLING_SHIFT_GEV, high + SAMPLING_SHIFT_GEV
    if abs(index - 1.0) < 1e-9:
        energy = bottom * (top / bottom) ** u - SAMPLING_SHIFT_GEV
    else:
        a = 1.0 - index
        energy = (bottom**a + u * (top**a - bottom**a)) ** (1.0 / a) - SAMPLING_SHIFT_GEV
    return min(max(energy, low), high)


@njit(nogil=True)
def energy_pdf(energy, low, high, index):
    """Density (GeV^-1) of :func:`sample_energy`."""
    bottom, top = low + SAMPLING_SHIFT_GEV, high + SAMPLING_SHIFT_GEV
    if abs(index - 1.0) < 1e-9:
        return 1.0 / ((energy + SAMPLING_SHIFT_GEV) * math.log(top / bottom))
    a = 1.0 - index
    return a * (energy + SAMPLING_SHIFT_GEV) ** (-index) / (top**a - bottom**a)


@njit(nogil=True)
def momentum_per_nucleon(energy):
    """Momentum per nucleon (GeV/c) at kinetic energy per nucleon ``energy`` (GeV)."""
    return math.sqrt(energy * (energy + 2.0 * NUCLEON_MASS_GEV))


@njit(nogil=True)
def rigidity(energy, group):
    """Rigidity p A / Z (GV) of a fully stripped nucleus."""
    return momentum_per_nucleon(energy) * GROUP_MASS_NUMBER[group] / GROUP_CHARGE[group]


_NO_TABLE = np.zeros((5, 0))


@dataclass(frozen=True)
class PrimaryModel:
    """A primary model with its modulation, ready for the kernels.

    Attributes
    ----------
    name : str
        One of :func:`model_names`.
    solar_potential_MV : float
        Force-field potential (MV) on the scale on which July 1998 has 591 MV.
    fits : float64 array (5, 2, 5)
        Per group up to two fits (gamma, K, b, c, weight).
    delta_GV : float
        Potential relative to that of the fits or the table (GV).
    table : float64 array (5, n)
        See :class:`Spectrum`; n is 0 for the fits.
    source : str
        Citation, and what was done to the model.
    solar : str
        Where the potential is from, in words.
    relative_error : float64 array (6, n)
        One standard error of the groups' fluxes and of the all-nucleon flux, relative, at :data:`TABLE_ENERGIES_GEV`;
        n is 0 for a model that states none.
    norm, slope : float64 arrays (5,)
        Changes of the groups that a run was asked for, see :class:`Spectrum`.
    """

    name: str
    solar_potential_MV: float
    fits: np.ndarray
    delta_GV: float
    table: np.ndarray = field(default_factory=_NO_TABLE.copy)
    source: str = ""
    solar: str = ""
    relative_error: np.ndarray = field(default_factory=lambda: np.zeros((6, 0)))
    norm: np.ndarray = field(default_factory=lambda: np.ones(5))
    slope: np.ndarray = field(default_factory=lambda: np.zeros(5))

    @property
    def spectrum(self) -> Spectrum:
        """What the kernels take."""
        return Spectrum(self.fits, self.table, self.delta_GV, self.norm, self.slope)

    def flux(self, group: str, energy_GeV: Any) -> np.ndarray:
        """Flux of nuclei of ``group`` (m^-2 s^-1 sr^-1 (GeV/n)^-1), broadcast over ``energy_GeV``."""
        k = _group_number(group)
        energies = np.asarray(energy_GeV, dtype=float)
        return np.vectorize(lambda e: group_flux(e, k, self.spectrum), otypes=[float])(energies)

    def nucleon_flux(self, energy_GeV: Any) -> np.ndarray:
        """All-nucleon flux (m^-2 s^-1 sr^-1 GeV^-1), broadcast over ``energy_GeV``."""
        energies = np.asarray(energy_GeV, dtype=float)
        return np.vectorize(lambda e: nucleon_flux(e, self.spectrum), otypes=[float])(energies)

    @property
    def has_errors(self) -> bool:
        """Whether the model states errors."""
        return self.relative_error.shape[1] > 0

    def flux_error(self, group: str, energy_GeV: Any) -> np.ndarray:
        """One standard error of :meth:`flux` (same unit and shape), of the fit's parameters alone.

        Raises
        ------
        PrimaryInputError
            If the model states no errors.
        """
        k = _group_number(group)
        shift = self.delta_GV * float(GROUP_CHARGE[k] / GROUP_MASS_NUMBER[k])
        return self.flux(group, energy_GeV) * self._relative(k, np.asarray(energy_GeV, dtype=float) + shift)

    def nucleon_flux_error(self, energy_GeV: Any) -> np.ndarray:
        """One standard error of :meth:`nucleon_flux`, with the correlations of the groups.

        Raises
        ------
        PrimaryInputError
            If the model states no errors.
        """
        shift = 0.75 * self.delta_GV  # most nucleons are protons or helium; an error of an error
        return self.nucleon_flux(energy_GeV) * self._relative(5, np.asarray(energy_GeV, dtype=float) + shift)

    def _relative(self, row: int, energy: np.ndarray) -> np.ndarray:
        if not self.has_errors:
            raise PrimaryInputError(f"primaries.model: {self.name} states no errors; the models gsf:... do")
        return np.interp(np.log(np.maximum(energy, 1e-9)), np.log(TABLE_ENERGIES_GEV), self.relative_error[row])


def _group_number(group: str) -> int:
    if group not in GROUPS:
        raise PrimaryInputError(f"group: {group!r} is not one of {', '.join(GROUPS)}")
    return GROUPS.index(group)


def primary_model(
    name: str = "ghls2001-average",
    solar_potential_MV: float | str = "fit",
    date: str | None = None,
    join_GeV: float | None = None,
) -> PrimaryModel:
    """Build a primary model.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.
    solar_potential_MV : float or str
        Force-field potential in MV (0 to 3000), or "fit", "min", "max" (:data:`SOLAR_POTENTIAL_MV`), or "date".
    date : str, optional
        ``YYYY-MM-DD``, for "date": its month's potential (:func:`sim3d.solar.potential_by_date`; the models ``gsf:``
        have a series of their own).
    join_GeV : float, optional
        For models that do not hold at low energies: where they give way to the GHLS fits (see
        :mod:`sim3d.primary_libraries`). The default is the model's own.

    Raises
    ------
    PrimaryInputError, SolarInputError
        For an unknown model, a library that is not installed, a potential out of range, a month without potential.

    Examples
    --------
    >>> model = primary_model("ghls2001-average", "date", "2009-07-01")
    >>> model.solar_potential_MV, round(float(model.flux("p", 10.0)), 2)
    (430.0, 21.78)
    """
    if name not in model_names():
        raise PrimaryInputError(f"primaries.model: {name!r} is not one of {', '.join(model_names())}")
    by_date = solar_potential_MV == "date"
    if by_date:
        if date is None:
            raise PrimaryInputError('primaries.solar: "date" needs a date')
        # the series of a Global Spline Fit is that of its own interstellar spectrum, see below
        potential, words = (math.nan, "") if name.startswith("gsf:") else potential_by_date(date)
    elif isinstance(solar_potential_MV, str):
        if solar_potential_MV not in SOLAR_POTENTIAL_MV:
            raise PrimaryInputError(
                f"primaries.solar: {solar_potential_MV!r} is not one of {', '.join([*SOLAR_POTENTIAL_MV, 'date'])}"
            )
        potential, words = SOLAR_POTENTIAL_MV[solar_potential_MV], f"{solar_potential_MV} (Shikaze et al. 2007)"
    else:
        potential, words = float(solar_potential_MV), "given"
        if not 0.0 <= potential <= 3000.0:
            raise PrimaryInputError(f"primaries.solar_potential_MV: {potential} is not between 0 and 3000")
    if name not in MODELS:
        from sim3d.primary_libraries import library_spectrum

        found = library_spectrum(name, date if by_date else None, join_GeV)
        if found.potential_MV is not None:
            potential, words, delta = found.potential_MV, found.solar, 0.0
        else:
            delta = (potential - SOLAR_POTENTIAL_MV["fit"]) * 1e-3
        return PrimaryModel(
            name, potential, np.zeros((5, 2, 5)), delta, found.table, found.source, words, found.relative_error
        )
    if join_GeV is not None:
        raise PrimaryInputError(f"primaries.join_GeV: {join_GeV:g} is for models of libraries, not for {name}")
    return ghls_model(name, potential, words)


def ghls_model(
    name: str = "ghls2001-average",
    solar_potential_MV: float = SOLAR_POTENTIAL_MV["fit"],
    solar: str = "fit (Shikaze et al. 2007)",
) -> PrimaryModel:
    """Build the model of Gaisser, Honda, Lipari and Stanev (Proc. 27th ICRC, 2001, p. 1643).

    Parameters
    ----------
    name : str
        ``ghls2001-average``, ``-high`` or ``-low``: which fit of helium, see :data:`~sim3d.primary_catalogue.MODELS`.
    solar_potential_MV : float
        Force-field potential (MV).
    solar : str
        Where the potential is from, in words.
    """
    weights = {"average": {"high": 0.5, "low": 0.5}, "high": {"high": 1.0}, "low": {"low": 1.0}}[name.split("-")[1]]
    fits = np.zeros((5, 2, 5))
    table = _read_fits()
    for i, group in enumerate(GROUPS):
        chosen = {"only": 1.0} if "only" in table[group] else weights
        for k, (fit, weight) in enumerate(chosen.items()):
            fits[i, k] = (*table[group][fit], weight)
    delta = (solar_potential_MV - SOLAR_POTENTIAL_MV["fit"]) * 1e-3
    return PrimaryModel(name, solar_potential_MV, fits, delta, source=GHLS_SOURCE, solar=solar)
