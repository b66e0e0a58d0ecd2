"""Model of the primary flux: spectra of the mass groups, solar modulation, and their standard errors."""

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
    """Fluxes of primary nuclei by mass group at a solar modulation potential.

    Attributes
    ----------
    name : str
        One of :func:`sim3d.primaries.catalogue.model_names`.
    solar_potential_MV : float
        Force-field potential (MV), on a scale with 591 MV in July 1998.
    fits : float64 array (5, 2, 5)
        For each group up to two fits (gamma, K, b, c, weight).
    delta_GV : float
        Potential minus that of the fits or the table (GV).
    table : float64 array (5, n)
        See :class:`Spectrum`; n is 0 for the fits.
    source : str
        Citation, library, and the energy of joining.
    solar : str
        Source of the potential, in words.
    relative_error : float64 array (6, n)
        Relative standard errors of the groups' fluxes and of the all-nucleon flux at :data:`TABLE_ENERGIES_GEV`; n is 0
        for a model without errors.
    norm, slope : float64 arrays (5,)
        Changes of the groups' fluxes that the configuration asks for, see :class:`Spectrum`.
    pivots : float64 array (5, n)
        Further changes of them as a table, see :class:`Spectrum`.
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
    pivots: np.ndarray = field(default_factory=_NO_TABLE.copy)

    @property
    def spectrum(self) -> Spectrum:
        """The fluxes as an argument of kernels."""
        return Spectrum(self.fits, self.table, self.delta_GV, self.norm, self.slope, self.pivots)

    def flux(self, group: str, energy_GeV: Any) -> np.ndarray:
        """Compute the flux of nuclei of a mass group.

        Parameters
        ----------
        group : str
            One of :data:`~sim3d.primaries.groups.GROUPS`.
        energy_GeV : array_like
            Kinetic energy per nucleon (GeV).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 (GeV/n)^-1, with the shape of ``energy_GeV``.

        Raises
        ------
        PrimaryInputError
            If there is no such group.
        """
        k = _group_number(group)
        energies = np.asarray(energy_GeV, dtype=float)
        spectrum = self.spectrum
        return np.vectorize(lambda e: group_flux(e, k, spectrum), otypes=[float])(energies)

    def nucleon_flux(self, energy_GeV: Any) -> np.ndarray:
        """Compute the all-nucleon flux.

        Parameters
        ----------
        energy_GeV : array_like
            Kinetic energy per nucleon (GeV).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1, with the shape of ``energy_GeV``.
        """
        energies = np.asarray(energy_GeV, dtype=float)
        spectrum = self.spectrum
        return np.vectorize(lambda e: nucleon_flux(e, spectrum), otypes=[float])(energies)

    @property
    def has_errors(self) -> bool:
        """Whether the model has standard errors."""
        return self.relative_error.shape[1] > 0

    def flux_error(self, group: str, energy_GeV: Any) -> np.ndarray:
        """Compute the standard error of :meth:`flux` that follows from the covariance of the fit's parameters.

        Parameters
        ----------
        group : str
            One of :data:`~sim3d.primaries.groups.GROUPS`.
        energy_GeV : array_like
            Kinetic energy per nucleon (GeV).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 (GeV/n)^-1, with the shape of ``energy_GeV``.

        Raises
        ------
        PrimaryInputError
            If the model has no errors, or there is no such group.
        """
        k = _group_number(group)
        shift = self.delta_GV * float(GROUP_CHARGE[k] / GROUP_MASS_NUMBER[k])
        return self.flux(group, energy_GeV) * self._relative(k, np.asarray(energy_GeV, dtype=float) + shift)

    def nucleon_flux_error(self, energy_GeV: Any) -> np.ndarray:
        """Compute the standard error of :meth:`nucleon_flux`, with the correlations between the groups.

        Parameters
        ----------
        energy_GeV : array_like
            Kinetic energy per nucleon (GeV).

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1, with the shape of ``energy_GeV``.

        Raises
        ------
        PrimaryInputError
            If the model has no errors.
        """
        shift = 0.75 * self.delta_GV  # between Z/A of protons and helium; an approximation is enough for an error
        return self.nucleon_flux(energy_GeV) * self._relative(5, np.asarray(energy_GeV, dtype=float) + shift)

    def _relative(self, row: int, energy: np.ndarray) -> np.ndarray:
        if not self.has_errors:
            raise PrimaryInputError(f"primaries.model: {self.name} states no errors; the models gsf:... do")
        return np.interp(np.log(np.maximum(energy, 1e-9)), np.log(TABLE_ENERGIES_GEV), self.relative_error[row])
