"""A primary model: spectra of its mass groups and its solar modulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sim3d.primaries.groups import (
    GROUP_CHARGE,
    GROUP_MASS_NUMBER,
    PrimaryInputError,
    _group_number,
)
from sim3d.primaries.spectrum import TABLE_ENERGIES_GEV, Spectrum, group_flux, nucleon_flux

_NO_TABLE = np.zeros((5, 0))


@dataclass(frozen=True)
class PrimaryModel:
    """A primary model with its modulation, ready for the kernels.

    Attributes
    ----------
    name : str
        One of :func:`sim3d.primaries.catalogue.model_names`.
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
