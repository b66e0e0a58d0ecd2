"""A flux table in memory, whatever file it came from: numbers, edges, and what the numbers mean.

Everything that uses fluxes (interpolation, smoothing, exports, comparisons) takes a :class:`FluxTable`; what
differs between a result file and a Honda table is told by its fields, not by its origin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from sim3d.arrays import Array
from sim3d.errors import InputError
from sim3d.honda_tables import HondaTable, flux_and_error, read, rebin_azimuth
from sim3d.particles import FLAVOURS

if TYPE_CHECKING:
    from sim3d.results import Result


TABLE_BINNINGS = ("honda", "fluka", "fine")
"""Binnings of a result a table can have; the azimuth average of each is its own, with its own errors."""

EnergyKind = Literal["points", "bins"]
ENERGY_KINDS: tuple[EnergyKind, ...] = ("points", "bins")


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
        """Neighbouring azimuth bins averaged so that ``n`` remain, see :func:`sim3d.honda_tables.rebin_azimuth`."""
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
            # the same few events spread over all bins, as in honda_tables.rebin_azimuth
            limit = (self.error @ share) / len(share)
            error = np.where(flux > 0.0, np.sqrt(squares), limit)[..., None]
        return replace(self, flux=flux[..., None], error=error, azimuth_edges_deg=np.array([0.0, 360.0]))


def table_of_result(result: Result, site: str, binning: str = "honda", azimuth: bool = True) -> FluxTable:
    """The fluxes of one site of a result.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.
    azimuth : bool
        With azimuth bins, or the azimuth average with the errors that belong to it.

    Raises
    ------
    InputError
        For an unknown site or binning.
    """
    if binning not in TABLE_BINNINGS:
        raise InputError("binning", binning, f"one of {', '.join(TABLE_BINNINGS)}")
    if site not in result.sites:
        raise InputError("site", site, f"one of {', '.join(result.sites)}")
    flux, error = flux_and_error(result, site, binning if azimuth else f"{binning}_aa")
    return FluxTable(
        flux=flux if azimuth else flux[..., None],
        error=error if azimuth else error[..., None],
        energies_GeV=np.asarray(result.binning_energies(binning)),
        energy_edges_GeV=np.asarray(result.binning_energy_edges(binning)),
        energy_kind="bins",
        cos_edges=np.asarray(result.binning_cos_edges(binning)),
        azimuth_edges_deg=np.asarray(result.azimuth_edges_deg) if azimuth else np.array([0.0, 360.0]),
        name=site,
        source=site,
    )


def table_of_honda(path: Path, energy_kind: EnergyKind = "points") -> FluxTable:
    """The fluxes of a Honda table; errors from its twin ``.err.d`` if that is beside it.

    Parameters
    ----------
    path : Path
    energy_kind : "points" or "bins"
        What the numbers are: values at the energies of the rows, which is how the programs that read such tables
        use them, or means over bins around these energies, as sim3d writes.

    Raises
    ------
    InputError
        With file and line, if a file is malformed or the twin has another grid.
    """
    if energy_kind not in ENERGY_KINDS:
        raise InputError("energies", energy_kind, f"one of {', '.join(ENERGY_KINDS)}")
    table = read(path)
    error = _twin(path, table)
    logs = np.log(table.energies_GeV)
    middles = 0.5 * (logs[1:] + logs[:-1])
    if energy_kind == "points":
        edges = np.exp(np.concatenate([logs[:1], middles, logs[-1:]]))
        edges[[0, -1]] = table.energies_GeV[[0, -1]]
    else:
        if len(logs) < 2:
            raise InputError(f"{path}: a table of one energy has no energy bins; read it as points")
        first, last = logs[0] - 0.5 * (logs[1] - logs[0]), logs[-1] + 0.5 * (logs[-1] - logs[-2])
        edges = np.exp(np.concatenate([[first], middles, [last]]))
    return FluxTable(
        flux=table.flux,
        error=error,
        energies_GeV=table.energies_GeV,
        energy_edges_GeV=edges,
        energy_kind=energy_kind,
        cos_edges=table.cos_edges,
        azimuth_edges_deg=table.azimuth_edges_deg,
        name=path.name.removesuffix(".d"),
        source=str(path),
    )


def _twin(path: Path, table: HondaTable) -> Array | None:
    """Errors of a table from the ``.err.d`` beside it, or None."""
    beside = path.with_name(path.name.removesuffix(".d") + ".err.d")
    if path.name.endswith(".err.d") or not beside.is_file():
        return None
    errors = read(beside)
    same = all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-9)
        for a, b in (
            (errors.energies_GeV, table.energies_GeV),
            (errors.cos_edges, table.cos_edges),
            (errors.azimuth_edges_deg, table.azimuth_edges_deg),
        )
    )
    if not same:
        raise InputError(f"{beside}: its bins are not those of {path.name}, whose errors it should hold")
    return errors.flux
