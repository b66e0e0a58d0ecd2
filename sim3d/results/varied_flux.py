"""Flux of a site for changed values of the model parameters: its ratio to the run's own flux, and tables of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.files.flux_table import FluxTable
from sim3d.results.bin_errors import BinErrors, bin_errors, neutrino_grid
from sim3d.scoring.exact_sums import N_GROUPS


@dataclass(frozen=True)
class VariedFlux:
    """Flux of a site for changed values of the model parameters.

    Attributes
    ----------
    site : str
    flux, error : float64 arrays (flavour, energy, cos_zenith)
        m^-2 s^-1 sr^-1 GeV^-1, and its statistical error.
    ratio, ratio_error : same shape
        Ratio to the run's own flux, and its statistical error. That error is much smaller than those of the fluxes,
        since both come from the same showers. NaN in bins without hits.
    sky_ratio, sky_ratio_error : float64 arrays (flavour, energy)
        The same ratio, of fluxes averaged over the sky.
    energy_edges_GeV, cos_edges : float64 arrays
    label : str
        Description of the changes.
    """

    site: str
    flux: Array
    error: Array
    ratio: Array
    ratio_error: Array
    sky_ratio: Array
    sky_ratio_error: Array
    energy_edges_GeV: Array
    cos_edges: Array
    label: str

    def bin_errors(self) -> BinErrors:
        """Compute the errors of tables: expected ones where hits are few, upper limits where there are none.

        Returns
        -------
        BinErrors
            In the shape of ``flux``.
        """
        energies = np.sqrt(self.energy_edges_GeV[1:] * self.energy_edges_GeV[:-1])
        grid = neutrino_grid(energies, self.cos_edges, np.array([0.0, 360.0]))
        found = bin_errors(self.flux[..., None], self.error[..., None], grid, N_GROUPS)
        return found.reshaped(self.flux.shape)

    def table(self) -> FluxTable:
        """Return the varied flux as a flux table in these bins, for interpolation and export."""
        energies, whole = np.sqrt(self.energy_edges_GeV[1:] * self.energy_edges_GeV[:-1]), np.array([0.0, 360.0])
        errors = self.bin_errors()
        return FluxTable(
            flux=self.flux[..., None],
            error=errors.error[..., None],
            kind=errors.kind[..., None],
            energies_GeV=energies,
            energy_edges_GeV=self.energy_edges_GeV,
            energy_kind="bins",
            cos_edges=self.cos_edges,
            azimuth_edges_deg=whole,
            name=self.site,
            source=f"{self.site}, {self.label}",
            note=self.label,
        )

    def applied_to(self, table: FluxTable) -> FluxTable:
        """Multiply a flux table of the run by the ratio of the varied flux to the run's own.

        The ratio is interpolated linearly in ln E between bin centres, leaving out bins without hits. It is taken from
        the zenith bin that contains the centre of the table's zenith bin, and is the same for all azimuths. The error
        of the ratio is added in quadrature.

        Parameters
        ----------
        table : FluxTable
            Of the same run and site (Honda's bins, with azimuth or without).

        Returns
        -------
        FluxTable
        """
        centres = np.log(np.sqrt(self.energy_edges_GeV[1:] * self.energy_edges_GeV[:-1]))
        middle = 0.5 * (table.cos_edges[1:] + table.cos_edges[:-1])
        zenith = np.clip(np.searchsorted(self.cos_edges, middle) - 1, 0, len(self.cos_edges) - 2)
        shape = (len(FLAVOURS), len(table.energies_GeV), len(middle))
        ratio, more = np.ones(shape), np.zeros(shape)
        for f in range(shape[0]):
            for c, z in enumerate(zenith):
                hit = np.isfinite(self.ratio[f, :, z])
                if hit.any():
                    at = np.log(table.energies_GeV)
                    ratio[f, :, c] = np.interp(at, centres[hit], self.ratio[f, hit, z])
                    more[f, :, c] = np.interp(at, centres[hit], np.nan_to_num(self.ratio_error[f, hit, z]))
        error = None
        if table.error is not None:
            error = np.hypot(table.error * np.abs(ratio[..., None]), table.flux * more[..., None])
        return replace(
            table,
            flux=table.flux * ratio[..., None],
            error=error,
            note="; ".join(one for one in (table.note, self.label) if one),
        )
