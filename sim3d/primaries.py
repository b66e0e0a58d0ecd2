"""Primary cosmic rays: five mass groups in Bartol form, superposition, solar modulation, energy sampling.

Everything is in kinetic energy per nucleon E (GeV). Fluxes are per m2 s sr and per GeV (per nucleon).

Sources
-------
Spectra: T. K. Gaisser, M. Honda, P. Lipari and T. Stanev, Proc. 27th ICRC (2001) 1643, as tabulated by Battistoni et
al., Astropart. Phys. 19 (2003) 269; the unit of K is m^-2 (the table prints cm^-2).
Charges and masses of the groups: docs/physics.md, "Primaries".
Force field: L. J. Gleeson and W. I. Axford, Astrophys. J. 154 (1968) 1011: with potential Phi,
J(E) = J_LIS(E + Phi Z/A) E (E + 2m) / ((E + Phi Z/A)(E + Phi Z/A + 2m)). It is applied relative to the potential of
the fit, whose data are from mid 1998 (AMS-01, BESS-98).
Potentials: Y. Shikaze et al. (BESS), Astropart. Phys. 28 (2007) 154, one series on one interstellar spectrum: 491 MV
(July 1997, solar minimum), 591 MV (July 1998, when the fitted data were taken), 1109 MV (August 2002, solar
maximum; the 1296 MV of August 2000 follow the large Forbush decreases of that summer and are no average maximum).
"""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from importlib import resources
from typing import Any

import numpy as np
from numba import njit

from sim3d.particles import MASS_GEV, NEUTRON, PROTON

GROUPS = ("p", "He", "CNO", "MgSi", "Fe")
GROUP_CHARGE = np.array([1.0, 2.0, 7.0, 13.0, 24.0])
GROUP_MASS_NUMBER = np.array([1.0, 4.0, 14.0, 26.0, 50.0])
SOLAR_POTENTIAL_MV = {"fit": 591.0, "min": 491.0, "max": 1109.0}
MODELS = {
    "ghls2001-average": "mean of the high and low fits (the central model of the FLUKA calculation)",
    "ghls2001-high": "high fits of helium and heavier nuclei",
    "ghls2001-low": "low fits of helium and heavier nuclei",
}
SAMPLING_SHIFT_GEV = 2.0
"""Energies are drawn from (E + 2 GeV)^-index: like the fits' own (E + b exp(-c sqrt(E)))^-gamma with b = 2.15 this
turns over at low energy, so that few are spent on primaries below the cutoffs. Any value is exact."""
NUCLEON_MASS_GEV = 0.5 * float(MASS_GEV[PROTON] + MASS_GEV[NEUTRON])


class PrimaryInputError(ValueError):
    """A primary model, potential or energy that is not allowed."""


def _read_fits() -> dict[str, dict[str, tuple[float, float, float, float]]]:
    """Fit parameters {component: {fit: (gamma, K, b, c)}} from the packaged reference CSV."""
    text = resources.files("sim3d").joinpath("reference/primary_ghls2001.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(line for line in text.splitlines() if not line.startswith("#"))
    fits: dict[str, dict[str, tuple[float, float, float, float]]] = {}
    for row in rows:
        values = (float(row["gamma"]), float(row["K"]), float(row["b"]), float(row["c"]))
        fits.setdefault(row["component"], {})[row["fit"]] = values
    return fits


@njit(nogil=True)
def bartol_form(energy, gamma, norm, b, c):
    """K (E + b exp(-c sqrt(E)))^-gamma at kinetic energy per nucleon E (GeV)."""
    return norm * (energy + b * math.exp(-c * math.sqrt(energy))) ** (-gamma)


@njit(nogil=True)
def group_flux(energy, group, fits, delta_GV):
    """Flux of NUCLEI of one group (m^-2 s^-1 sr^-1 (GeV/n)^-1) at kinetic energy per nucleon ``energy`` (GeV).

    Parameters
    ----------
    fits : float64 array (5, 2, 5)
        For each group up to two fits (gamma, K, b, c, weight); the flux is their weighted sum.
    delta_GV : float
        Solar potential minus that of the fit (GV).
    """
    z_over_a = GROUP_CHARGE[group] / GROUP_MASS_NUMBER[group]
    shifted = energy + delta_GV * z_over_a
    if shifted < 0.01:
        shifted = 0.01  # the force field gives nothing meaningful here; keeps the value finite
    value = 0.0
    for k in range(2):
        if fits[group, k, 4] > 0.0:
            value += fits[group, k, 4] * bartol_form(
                shifted, fits[group, k, 0], fits[group, k, 1], fits[group, k, 2], fits[group, k, 3]
            )
    two_m = 2.0 * NUCLEON_MASS_GEV
    return value * energy * (energy + two_m) / (shifted * (shifted + two_m))


@njit(nogil=True)
def nucleon_flux(energy, fits, delta_GV):
    """All-nucleon flux, sum of A times the groups' fluxes (m^-2 s^-1 sr^-1 GeV^-1)."""
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, fits, delta_GV)
    return total


@njit(nogil=True)
def choose_group(energy, u, fits, delta_GV):
    """Mass group of a nucleon of this energy, chosen by its share of the all-nucleon flux with the uniform ``u``."""
    target = u * nucleon_flux(energy, fits, delta_GV)
    total = 0.0
    for group in range(5):
        total += GROUP_MASS_NUMBER[group] * group_flux(energy, group, fits, delta_GV)
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


@dataclass(frozen=True)
class PrimaryModel:
    """A primary model with its modulation, ready for the kernels.

    Attributes
    ----------
    name : str
        One of :data:`MODELS`.
    solar_potential_MV : float
        Force-field potential (MV).
    fits : float64 array (5, 2, 5)
        Per group up to two fits (gamma, K, b, c, weight).
    """

    name: str
    solar_potential_MV: float
    fits: np.ndarray

    @property
    def delta_GV(self) -> float:
        """Potential relative to that of the fitted data (GV)."""
        return (self.solar_potential_MV - SOLAR_POTENTIAL_MV["fit"]) * 1e-3

    def flux(self, group: str, energy_GeV: Any) -> np.ndarray:
        """Flux of nuclei of ``group`` (m^-2 s^-1 sr^-1 (GeV/n)^-1), broadcast over ``energy_GeV``."""
        if group not in GROUPS:
            raise PrimaryInputError(f"group: {group!r} is not one of {', '.join(GROUPS)}")
        k = GROUPS.index(group)
        energies = np.asarray(energy_GeV, dtype=float)
        return np.vectorize(lambda e: group_flux(e, k, self.fits, self.delta_GV), otypes=[float])(energies)

    def nucleon_flux(self, energy_GeV: Any) -> np.ndarray:
        """All-nucleon flux (m^-2 s^-1 sr^-1 GeV^-1), broadcast over ``energy_GeV``."""
        energies = np.asarray(energy_GeV, dtype=float)
        return np.vectorize(lambda e: nucleon_flux(e, self.fits, self.delta_GV), otypes=[float])(energies)


def primary_model(name: str = "ghls2001-average", solar_potential_MV: float | str = "fit") -> PrimaryModel:
    """Build a primary model.

    Parameters
    ----------
    name : str
        One of :data:`MODELS`.
    solar_potential_MV : float or str
        Force-field potential in MV (0 to 3000), or "fit", "min", "max" (:data:`SOLAR_POTENTIAL_MV`).

    Raises
    ------
    PrimaryInputError
        For an unknown model or a potential out of range.
    """
    if name not in MODELS:
        raise PrimaryInputError(f"primaries.model: {name!r} is not one of {', '.join(MODELS)}")
    if isinstance(solar_potential_MV, str):
        if solar_potential_MV not in SOLAR_POTENTIAL_MV:
            raise PrimaryInputError(
                f"primaries.solar: {solar_potential_MV!r} is not one of {', '.join(SOLAR_POTENTIAL_MV)}"
            )
        potential = SOLAR_POTENTIAL_MV[solar_potential_MV]
    else:
        potential = float(solar_potential_MV)
    if not 0.0 <= potential <= 3000.0:
        raise PrimaryInputError(f"primaries.solar_potential_MV: {potential} is not between 0 and 3000")
    weights = {"average": {"high": 0.5, "low": 0.5}, "high": {"high": 1.0}, "low": {"low": 1.0}}[name.split("-")[1]]
    fits = np.zeros((5, 2, 5))
    table = _read_fits()
    for i, group in enumerate(GROUPS):
        chosen = {"only": 1.0} if "only" in table[group] else weights
        for k, (fit, weight) in enumerate(chosen.items()):
            fits[i, k] = (*table[group][fit], weight)
    return PrimaryModel(name, potential, fits)
