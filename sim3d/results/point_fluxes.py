"""Fluxes and errors of a result at points, interpolated between bins of the tables; part of :class:`sim3d.Result`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.binning import BINNINGS, Binning
from sim3d.conventions.flavours import flavour_index
from sim3d.errors import InputError
from sim3d.files.flux_table import NO_LIMIT
from sim3d.files.record import RunRecord
from sim3d.results.at_points import flux_at
from sim3d.results.bin_errors import BinErrors

_SLACK = 1e-9
"""Relative tolerance at the ends of the energies, for their rounding."""


class PointFluxes(ABC):
    """Interpolated fluxes of a result.

    Attributes
    ----------
    record : RunRecord
    """

    record: RunRecord

    @abstractmethod
    def binned(self, site: str, binning: str = "fine") -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return flux, error and hits in bins, see :meth:`sim3d.Result.binned`."""

    @abstractmethod
    def errors(self, site: str, binning: str = "fine") -> BinErrors:
        """Return the errors of bins, see :meth:`sim3d.Result.errors`."""

    @abstractmethod
    def default_site(self, site: str | None) -> str:
        """Return ``site``, or if that is None the run's first site."""

    def flux(
        self,
        flavour: Any,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: ArrayLike | None = None,
        site: str | None = None,
        binning: str = "honda",
    ) -> Any:
        """Interpolate the flux at points between the centres of bins, broadcast over the arguments.

        The bins are those of the flux tables and of :class:`sim3d.Flux`, so the three agree but for the interpolation:
        here it is linear in E^3 flux between the centres of bins (:mod:`sim3d.results.at_points`), there a spline whose
        integral over each bin is that of the table. At a listed energy, in the centre of a zenith bin, this is the
        number of the table. A point on the edge of two bins has the mean of both.

        Parameters
        ----------
        flavour : str, int, or array of them
            numu, numubar, nue or nuebar, or a PDG id; tau neutrinos give zero.
        energy_GeV, cos_zenith, azimuth_deg : array_like
            Energies (GeV), zenith cosines (+1 down-going), azimuths of arrival (degrees from south through east);
            without azimuths the average over them.
        site : str, optional
            By default the run's first site.
        binning : str
            honda (20 energies per decade, 20 zenith bins), fluka, or fine (40 and 40, with larger errors).

        Returns
        -------
        float64
            m^-2 s^-1 sr^-1 GeV^-1, a number for a single point; 0 where all bins around the point are without hits.

        Raises
        ------
        InputError
            For an unknown site, flavour or binning, or a point outside the bins.
        """
        return self._interpolated(0, flavour, energy_GeV, cos_zenith, azimuth_deg, site, binning)

    def error(
        self,
        flavour: Any,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: ArrayLike | None = None,
        site: str | None = None,
        binning: str = "honda",
    ) -> Any:
        """Return the statistical error of :meth:`flux`, one standard deviation.

        The bins around the point have the errors of tables (:meth:`sim3d.Result.errors`) and are taken as independent.
        A bin without hits counts with its 90% upper limit, so the error is 0 for tau neutrinos only; 9.9999e99 where
        nothing is known (one batch, a flavour without a hit). Between bins it is smaller than :meth:`sim3d.Flux.error`,
        which is the error of one bin. Parameters, unit and errors raised as in :meth:`flux`.
        """
        found = self._interpolated(1, flavour, energy_GeV, cos_zenith, azimuth_deg, site, binning)
        return np.where(found >= 1e-6 * NO_LIMIT, NO_LIMIT, found)[()]

    def _interpolated(
        self,
        which: int,
        flavour: Any,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: ArrayLike | None,
        site: str | None,
        binning: str,
    ) -> Any:
        """Interpolate the flux (0) or its error (1)."""
        name = f"{binning}_aa" if azimuth_deg is None else binning
        if binning.endswith("_aa"):
            raise InputError("binning", binning, "honda, fluka or fine; without azimuth_deg it is averaged anyway")
        place = self.default_site(site)
        values = self.errors(place, name).error if which else self.binned(place, name)[0]
        return self._lookup(values, flavour, energy_GeV, cos_zenith, azimuth_deg, BINNINGS[name], errors=bool(which))

    def _lookup(
        self,
        values: np.ndarray,
        flavour: Any,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: Any,
        chosen: Binning,
        errors: bool = False,
    ) -> np.ndarray:
        index = np.vectorize(flavour_index, otypes=[int])(flavour)
        # the simulation makes no tau neutrinos; a last row of zeros is their flux
        values = np.concatenate([values, np.zeros_like(values[:1])])
        energy = np.asarray(energy_GeV, dtype=float)
        cos = np.asarray(cos_zenith, dtype=float)
        energy_edges = chosen.energy_edges_GeV
        low, high = energy_edges[0] * (1.0 - _SLACK), energy_edges[-1] * (1.0 + _SLACK)
        if not np.all((energy >= low) & (energy <= high)):
            raise InputError(f"energy_GeV: must be between {energy_edges[0]:.4g} and {energy_edges[-1]:.5g}")
        if not np.all((cos >= -1.0) & (cos <= 1.0)):
            raise InputError("cos_zenith: must be between -1 and 1")
        azimuth = None if azimuth_deg is None else np.asarray(azimuth_deg, dtype=float)
        if azimuth is not None and not np.all(np.isfinite(azimuth)):
            raise InputError("azimuth_deg: must be finite")
        lowest = self.record.config.scoring.energy_min_GeV
        edges = (energy_edges, chosen.cos_edges)
        return flux_at(values, index, edges, energy, cos, azimuth, lowest_GeV=lowest, errors=errors)
