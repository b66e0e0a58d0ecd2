"""A flux table in memory, whatever file it came from: numbers, edges, and what the numbers mean.

Everything that uses fluxes (interpolation, smoothing, exports, comparisons) takes a :class:`FluxTable`; what
differs between a result file and a Honda table is told by its fields, not by its origin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError

EnergyKind = Literal["points", "bins"]
ENERGY_KINDS: tuple[EnergyKind, ...] = ("points", "bins")

NO_LIMIT = 9.9999e99
"""Stands for an infinite limit (a site without any hit): not every reader knows ``inf``."""


@dataclass(frozen=True)
class FluxTable:
    """Fluxes on a grid.

    Attributes
    ----------
    flux : float64 array (flavour, energy, cos_zenith, azimuth)
        m^-2 s^-1 sr^-1 GeV^-1; flavours numu, numubar, nue, nuebar. Averages over the zenith and azimuth bins, and
        over the energy bins if ``energy_kind`` is "bins", else values at ``energies_GeV``.
    error : same shape, or None
        One standard deviation, absolute; where the flux is 0 the upper limit.
    energies_GeV : float64 array (energy,)
        Log centres of the bins, or the points.
    energy_edges_GeV : float64 array (energy + 1,)
        Edges of the energy bins; of points, halfway between them in the logarithm and ending at the outer points.
    energy_kind : "points" or "bins"
    cos_edges : float64 array (cos_zenith + 1,)
        Ascending.
    azimuth_edges_deg : float64 array (azimuth + 1,)
        From 0 to 360, from south through east; [0, 360] for an azimuth average.
    name : str
        Of the site, or the file's stem.
    source : str
        The file, for messages and headers.
    note : str
        What was done to the numbers, e.g. a smoothing; empty if nothing was.
    """

    flux: Array
    error: Array | None
    energies_GeV: Array
    energy_edges_GeV: Array
    energy_kind: EnergyKind
    cos_edges: Array
    azimuth_edges_deg: Array
    name: str
    source: str
    note: str = ""

    flavours = FLAVOURS

    @property
    def has_azimuth(self) -> bool:
        """Whether there is more than one azimuth bin."""
        return len(self.azimuth_edges_deg) > 2

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Where the flux is 0 (nothing was hit), shape of ``flux``."""
        return self.flux <= 0.0

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Where the flux is not 0."""
        return ~self.empty

    def with_azimuth_bins(self, n: int) -> FluxTable:
        """Neighbouring azimuth bins averaged so that ``n`` remain, see :func:`rebin_azimuth`."""
        error = np.zeros_like(self.flux) if self.error is None else self.error
        flux, error = rebin_azimuth(self.flux, error, n)
        edges = np.linspace(0.0, 360.0, n + 1)
        return replace(self, flux=flux, error=None if self.error is None else error, azimuth_edges_deg=edges)

    def azimuth_average(self) -> FluxTable:
        """The mean over azimuth; errors are added as independent ones (limits count where all bins are empty)."""
        if not self.has_azimuth:
            return self
        share = np.diff(self.azimuth_edges_deg) / 360.0
        flux = self.flux @ share
        error = None
        if self.error is not None:
            squares = np.where(self.hit, self.error, 0.0) ** 2 @ share**2
            # the same few events spread over all bins, as in rebin_azimuth
            limit = (self.error @ share) / len(share)
            error = np.where(flux > 0.0, np.sqrt(squares), limit)[..., None]
        return replace(self, flux=flux[..., None], error=error, azimuth_edges_deg=np.array([0.0, 360.0]))


def rebin_azimuth(flux: Array, error: Array, n: int) -> tuple[Array, Array]:
    """Average over neighbouring azimuth bins (last axis) so that ``n`` remain.

    Errors are added as independent ones.  Neutrinos of one shower that fall in neighbouring bins are slightly
    correlated, which this leaves out; a result made with ``n`` bins has the exact errors.
    """
    have = flux.shape[-1]
    if have == n:
        return flux, error
    if have % n:
        raise InputError("scoring.azimuth_bins of this result", have, f"a multiple of {n} for a Honda table")
    group = have // n
    shape = (*flux.shape[:-1], n, group)
    fluxes, errors = flux.reshape(shape), error.reshape(shape)
    mean = fluxes.mean(axis=-1)
    filled = fluxes > 0.0
    # Bins without hits carry a limit, not an error: it counts only where no bin of the group was hit, and
    # then the same few events spread over `group` bins are a limit `group` times lower.
    from_hits = np.sqrt(np.sum(np.where(filled, errors, 0.0) ** 2, axis=-1)) / group
    return mean, np.where(filled.any(axis=-1), from_hits, errors.mean(axis=-1) / group)
