"""Flux table in memory, independent of the file it came from: fluxes, errors, bin edges and their meaning.

Interpolation, smoothing, exports and comparisons take a :class:`FluxTable`. The differences between a result file and a
Honda table are in its fields.
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

SAMPLE, EXPECTED, LIMIT, EXTRAPOLATED = 0, 1, 2, 3
"""Kinds of an error: see :data:`ERROR_KINDS`."""

ERROR_KINDS = ("sample", "expected", "limit", "extrapolated")
"""Names of the kinds of an error, as files have them.

sample: the standard error of the mean of the batches, or of a fit. expected: from the bins around, because few hits
are in the bin. limit: no hit, the 90% upper limit. extrapolated: the flux is that of a fit where no hits are near.
"""

ERROR_SOURCES = ("statistical", "model", "total")
"""Where an error comes from: the simulation, the parameters of the model, or both in quadrature."""

NO_LIMIT = 9.9999e99
"""Written for an infinite limit (a site without any hit), because not every reader accepts ``inf``."""


@dataclass(frozen=True)
class FluxTable:
    """Fluxes on a grid of flavour, energy, zenith and azimuth.

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
        Processing of the numbers, e.g. a smoothing; empty if there was none.
    azimuth_frame : str
        Frame of the azimuths (:data:`sim3d.conventions.words.AZIMUTH_FRAMES`); empty if it is not known.
    kind : int8 array, shape of ``flux``, or None
        Kind of each error, an index of :data:`ERROR_KINDS`; None if not known.
    model_relative : float64 array, shape of ``flux``, or None
        Relative error of the flux that follows from the errors of the model's parameters, one standard deviation; None
        if not known. It is common to neighbouring bins.
    place : str
        Position, altitude and detector, in words; empty if they are not known.
    smooth : bool
        Whether the fluxes are those of a fit, so that neighbouring bins have the same statistical error.
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
    azimuth_frame: str = ""
    kind: NDArray[np.int8] | None = None
    model_relative: Array | None = None
    place: str = ""
    smooth: bool = False

    flavours = FLAVOURS

    @property
    def has_azimuth(self) -> bool:
        """Whether the table has more than one azimuth bin."""
        return len(self.azimuth_edges_deg) > 2

    @property
    def empty(self) -> NDArray[np.bool_]:
        """Where the flux is 0 (no hit), shape of ``flux``."""
        return self.flux <= 0.0

    @property
    def hit(self) -> NDArray[np.bool_]:
        """Where the flux is not 0, shape of ``flux``."""
        return ~self.empty

    @property
    def model_error(self) -> Array | None:
        """Error of the model, in the unit of the flux and of its shape; 0 where the flux is 0, None if not known."""
        return None if self.model_relative is None else self.model_relative * self.flux

    @property
    def total_error(self) -> Array | None:
        """Statistical and model error in quadrature; the limit where the flux is 0, None if one is not known."""
        model = self.model_error
        return None if self.error is None or model is None else np.hypot(self.error, model)

    def errors(self) -> dict[str, Array]:
        """Return the errors that the table has, by :data:`ERROR_SOURCES`: in the unit of the flux and of its shape."""
        found = (self.error, self.model_error, self.total_error)
        return {name: one for name, one in zip(ERROR_SOURCES, found, strict=True) if one is not None}

    def with_azimuth_bins(self, n: int) -> FluxTable:
        """Average over neighbouring azimuth bins so that ``n`` remain, see :func:`rebin_azimuth`.

        Parameters
        ----------
        n : int

        Returns
        -------
        FluxTable

        Raises
        ------
        InputError
            If the number of azimuth bins is not a multiple of ``n``.
        """
        error = np.zeros_like(self.flux) if self.error is None else self.error
        flux, error = rebin_azimuth(self.flux, error, n)
        edges = np.linspace(0.0, 360.0, n + 1)
        group = np.repeat(np.eye(n), self.flux.shape[3] // n, axis=0) / (self.flux.shape[3] // n)
        return replace(
            self, flux=flux, error=None if self.error is None else error, kind=None, azimuth_edges_deg=edges,
            model_relative=self._averaged_model(group),
        )  # fmt: skip

    def _averaged_model(self, weights: Array) -> Array | None:
        """Average the relative model error over azimuth, with the fluxes as weights: all bins move together."""
        if self.model_relative is None:
            return None
        flux = self.flux @ weights
        plain = self.model_relative @ weights
        return np.divide((self.flux * self.model_relative) @ weights, flux, out=plain, where=flux > 0.0)

    def azimuth_average(self) -> FluxTable:
        """Average the fluxes over azimuth; errors are added in quadrature, as independent.

        Where all azimuth bins are empty the error is the mean of their upper limits, divided by the number of bins.

        Returns
        -------
        FluxTable
        """
        if not self.has_azimuth:
            return self
        share = np.diff(self.azimuth_edges_deg) / 360.0
        flux = self.flux @ share
        error = None
        if self.error is not None:
            squares = np.where(self.hit, self.error, 0.0) ** 2 @ share**2
            # a limit is lower by the number of bins, see rebin_azimuth
            limit = (self.error @ share) / len(share)
            error = np.where(flux > 0.0, np.sqrt(squares), limit)[..., None]
        return replace(
            self, flux=flux[..., None], error=error, kind=None, azimuth_edges_deg=np.array([0.0, 360.0]),
            model_relative=self._averaged_model(share[:, None]),
        )  # fmt: skip


def rebin_azimuth(flux: Array, error: Array, n: int) -> tuple[Array, Array]:
    """Average over neighbouring azimuth bins (last axis) so that ``n`` remain; errors are added in quadrature.

    Neutrinos of one shower in neighbouring bins are slightly correlated, which this neglects. A result made with ``n``
    bins has the exact errors.

    Parameters
    ----------
    flux, error : arrays (..., azimuth)
    n : int

    Returns
    -------
    flux, error : arrays (..., n)

    Raises
    ------
    InputError
        If the number of azimuth bins is not a multiple of ``n``.
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
    # Bins without hits hold an upper limit, not an error: it is used only where no bin of the group was hit. The same
    # upper limit of events then applies to the whole group, so the limit of the mean flux is `group` times lower.
    from_hits = np.sqrt(np.sum(np.where(filled, errors, 0.0) ** 2, axis=-1)) / group
    return mean, np.where(filled.any(axis=-1), from_hits, errors.mean(axis=-1) / group)
