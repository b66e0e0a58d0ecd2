"""Interpolation of the flux tables of one site: the flux at points, integrals over bins, statistical errors.

The method is described in :mod:`sim3d.flux.spline`.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_index, flavour_indices
from sim3d.conventions.flux_units import CM2_PER_M2
from sim3d.errors import InputError
from sim3d.files.flux_table import FluxTable
from sim3d.flux.spline import FluxSpline

Extrapolate = Literal["refuse", "flag"]

_SLACK = 1e-9
"""Relative tolerance at the ends of the table, for the rounding of energies."""


class InterpolatedTables:
    """Interpolated fluxes of one site, without the errors of the model; :class:`sim3d.Flux` adds these.

    Parameters
    ----------
    average : FluxTable
        The azimuth average.
    by_azimuth : FluxTable, optional
        The same with azimuth bins.
    extrapolate : "refuse" or "flag"
        For a point outside the table: raise an :class:`InputError` that names the range, or return NaN.

    Attributes
    ----------
    flavours : tuple of str
    table, azimuth_table : FluxTable (azimuth_table may be None)
        The numbers that are interpolated.
    energy_range_GeV : (float, float)
        Lowest and highest energy of the table; there is no extrapolation beyond.
    """

    flavours = FLAVOURS

    def __init__(
        self, average: FluxTable, by_azimuth: FluxTable | None = None, extrapolate: Extrapolate = "refuse"
    ) -> None:
        if extrapolate not in ("refuse", "flag"):
            raise InputError("extrapolate", extrapolate, "refuse or flag")
        self.table, self.azimuth_table = average, by_azimuth
        self.extrapolate = extrapolate
        edges = average.energy_edges_GeV
        self.energy_range_GeV = (float(edges[0]), float(edges[-1]))
        self._average = FluxSpline(average)
        self._by_azimuth: FluxSpline | None = None

    @property
    def has_errors(self) -> bool:
        """Whether the table contains statistical errors."""
        return self.table.error is not None

    def _spline(self, azimuth: bool) -> FluxSpline:
        if not azimuth:
            return self._average
        if self.azimuth_table is None:
            raise InputError("azimuth_deg: this table is averaged over azimuth, leave it out")
        if self._by_azimuth is None:
            self._by_azimuth = FluxSpline(self.azimuth_table)
        return self._by_azimuth

    def _points(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None
    ) -> tuple[FluxSpline, np.ndarray, np.ndarray, tuple[Array, Array, Array], tuple[int, ...]]:
        """Return spline, flavour indices (4: tau), mask of points in range, coordinates and shape of the result."""
        index = flavour_indices(flavour)
        energy, cos = (np.asarray(x, dtype=float) for x in (energy_GeV, cos_zenith))
        azimuth = np.asarray(0.0 if azimuth_deg is None else azimuth_deg, dtype=float)
        if not np.all((cos >= -1.0) & (cos <= 1.0)):
            raise InputError("cos_zenith: must be between -1 and 1")
        if not np.all(np.isfinite(azimuth)):
            raise InputError("azimuth_deg: must be finite")
        low, high = self.energy_range_GeV
        inside = (energy >= low * (1.0 - _SLACK)) & (energy <= high * (1.0 + _SLACK))
        if self.extrapolate == "refuse" and not np.all(inside):
            bad = float(energy[~inside].flat[0])
            raise InputError("energy_GeV", bad, f"{low:.5g} to {high:.5g}, the range of {self.table.source}")
        table = self.table
        covered = (cos >= table.cos_edges[0]) & (cos <= table.cos_edges[-1])
        if self.extrapolate == "refuse" and not np.all(covered):
            raise InputError(
                "cos_zenith",
                float(cos[~covered].flat[0]),
                f"{table.cos_edges[0]:g} to {table.cos_edges[-1]:g}, the range of {table.source}",
            )
        # copies: numba would warn of a view that several elements share
        arrays = np.broadcast_arrays(index, energy, cos, azimuth, inside & covered)
        index, energy, cos, azimuth, good = (np.array(each) for each in arrays)
        shape = index.shape
        flat = (np.log(np.clip(energy.ravel(), low, high)), cos.ravel(), azimuth.ravel())
        return self._spline(azimuth_deg is not None), index.ravel(), good.ravel(), flat, shape

    def flux(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None = None
    ) -> Any:
        """Interpolate the flux at points, broadcast over the arguments.

        Parameters
        ----------
        flavour : str, int, or array of them
            numu, numubar, nue or nuebar, or a PDG id; tau neutrinos give zero.
        energy_GeV, cos_zenith, azimuth_deg : array_like
            Energies (GeV), zenith cosines (+1 down-going), azimuths of arrival (degrees from south through east,
            any number of turns); without azimuths the average over them.

        Returns
        -------
        float64
            m^-2 s^-1 sr^-1 GeV^-1; 0 anywhere in an empty bin; with ``extrapolate="flag"`` NaN outside the table.

        Raises
        ------
        InputError
            For an unknown flavour, a point outside the table, or azimuths where the table has none.
        """
        return self._evaluate(False, flavour, energy_GeV, cos_zenith, azimuth_deg)

    def _evaluate(self, error: bool, *point: Any) -> Any:
        spline, index, good, coordinates, shape = self._points(*point)
        # the simulation makes no tau neutrinos: their flux is 0
        chosen = good & (index < len(FLAVOURS))
        values = np.where(good, 0.0, np.nan)
        rows: Any = np.s_[:] if chosen.all() else chosen  # no copies where every point is inside
        at = tuple(x[rows] for x in coordinates)
        flux = spline.flux(index[rows], at)  # type: ignore[arg-type]
        values[rows] = spline.error(index[rows], at, flux) if error else flux  # type: ignore[arg-type]
        return values.reshape(shape)[()]

    def getFlux(self, pdgid: Any, energy: ArrayLike, cos_zenith: ArrayLike) -> Any:
        """Return the azimuth-averaged flux in the interface of nuflux and simweights, in **cm^-2** s^-1 sr^-1 GeV^-1.

        Parameters
        ----------
        pdgid : int or array of int
            PDG ids.
        energy : array_like
            GeV.
        cos_zenith : array_like
            +1 for down-going in these packages, as here.

        Returns
        -------
        float64
        """
        return self.flux(pdgid, energy, cos_zenith) / CM2_PER_M2

    def integral(
        self,
        flavour: Any,
        energy_edges_GeV: ArrayLike,
        cos_edges: ArrayLike = (-1.0, 1.0),
        azimuth_edges_deg: ArrayLike | None = None,
    ) -> Any:
        """Integrate the flux over energy and solid angle in bins.

        Parameters
        ----------
        flavour : str or int
        energy_edges_GeV, cos_edges : array_like (n + 1,)
            Ascending, inside the table.
        azimuth_edges_deg : array_like, optional
            Rising, at most one turn, from any azimuth to any other: 330 to 390, -30 to 30 and 330 to 30 are the same
            window across 360. By default the integral is over the whole turn (a factor 2 pi).

        Returns
        -------
        float64 array (energy, cos_zenith), with azimuths (energy, cos_zenith, azimuth)
            m^-2 s^-1. Over a bin of the table it is the table's flux times the size of the bin, up to rounding. The
            quadrature is Gauss-Legendre between the knots and edges of the table.

        Raises
        ------
        InputError
            For edges that are not ascending or outside the table (whatever ``extrapolate`` is).
        """
        energy = _edges("energy_edges_GeV", energy_edges_GeV, *self.energy_range_GeV)
        cos = _edges("cos_edges", cos_edges, float(self.table.cos_edges[0]), float(self.table.cos_edges[-1]))
        index = flavour_index(flavour)
        spline = self._spline(azimuth_edges_deg is not None)
        azimuth = np.array([0.0, 360.0]) if azimuth_edges_deg is None else azimuth_turn(azimuth_edges_deg)
        sums = np.zeros(tuple(len(edges) - 1 for edges in (energy, cos, azimuth)))
        if index < len(FLAVOURS):
            # the spline's azimuths end at 360: a bin across it is two, whose integrals are added
            pieces = azimuth if azimuth[-1] <= 360.0 or 360.0 in azimuth else np.sort(np.append(azimuth, 360.0))
            parts = [pieces[pieces <= 360.0], pieces[pieces >= 360.0] - 360.0]
            found = [spline.integrals(index, (np.log(energy), cos, part)) for part in parts if len(part) > 1]
            whole = np.concatenate(found, axis=2) * np.radians(1.0)
            sums = np.add.reduceat(whole, np.searchsorted(pieces, azimuth[:-1]), axis=2)
        return sums[..., 0] if azimuth_edges_deg is None else sums

    def bin_average(
        self,
        flavour: Any,
        energy_edges_GeV: ArrayLike,
        cos_edges: ArrayLike = (-1.0, 1.0),
        azimuth_edges_deg: ArrayLike | None = None,
    ) -> Any:
        """Compute the mean flux in bins.

        Parameters and shape as in :meth:`integral`.

        Returns
        -------
        float64 array
            m^-2 s^-1 sr^-1 GeV^-1.

        Raises
        ------
        InputError
            As :meth:`integral`.
        """
        sums = self.integral(flavour, energy_edges_GeV, cos_edges, azimuth_edges_deg)
        width = np.multiply.outer(np.diff(np.asarray(energy_edges_GeV, float)), np.diff(np.asarray(cos_edges, float)))
        if azimuth_edges_deg is None:
            return sums / (2.0 * np.pi * width)
        return sums / np.multiply.outer(width, np.radians(np.diff(azimuth_turn(azimuth_edges_deg))))


def bin_values(spline: FluxSpline, values: Array, flavour: Array, coordinates: tuple[Array, Array, Array]) -> Array:
    """Interpolate numbers of a table's bins linearly between the bin centres.

    Parameters
    ----------
    spline : FluxSpline
        Of the table.
    values : float64 array, shape of the table's flux
    flavour : int array (n,)
    coordinates : three float64 arrays (n,)
        ln(E/GeV), cos_zenith, azimuth in degrees.

    Returns
    -------
    float64 array (n,)
    """
    (ie, we), (ic, wc), (ia, wa) = (axis.linear(c) for axis, c in zip(spline.axes, coordinates, strict=True))
    index = (flavour[:, None, None, None], ie[:, :, None, None], ic[:, None, :, None], ia[:, None, None, :])
    return np.asarray(np.einsum("nijk,ni,nj,nk->n", values[index], we, wc, wa, optimize=True))


def azimuth_turn(values: ArrayLike) -> Array:
    """Arrange edges of azimuth bins as numbers that rise, the first in [0, 360).

    Parameters
    ----------
    values : array_like (n + 1,)
        Degrees; they may fall once, across 360.

    Returns
    -------
    float64 array (n + 1,)

    Raises
    ------
    InputError
        For numbers that are no edges, or more than one turn.
    """
    edges = np.array(values, dtype=float)
    name = "azimuth_edges_deg"
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.isfinite(edges)):
        raise InputError(f"{name}: needs two or more finite numbers")
    falls = np.flatnonzero(np.diff(edges) < 0.0)
    if len(falls) == 1 and edges.min() >= 0.0 and edges.max() <= 360.0:
        edges[falls[0] + 1 :] += 360.0
    # 360 stays 360 as the end of [0, 360], and is 0 as a beginning
    edges -= 360.0 * np.floor(edges[0] / 360.0)
    if not np.all(np.diff(edges) > 0.0):
        raise InputError(f"{name}: needs numbers that rise (once they may fall, across 360)")
    if edges[-1] - edges[0] > 360.0 * (1.0 + _SLACK):
        raise InputError(name, f"{edges[0]:.5g} to {edges[-1]:.5g}", "at most one turn, 360 degrees")
    return edges


def _edges(name: str, values: ArrayLike, low: float, high: float) -> Array:
    edges = np.asarray(values, dtype=float)
    if edges.ndim != 1 or len(edges) < 2 or not np.all(np.diff(edges) > 0.0):
        raise InputError(f"{name}: needs two or more numbers that rise")
    if edges[0] < low - _SLACK * abs(low) or edges[-1] > high + _SLACK * abs(high):
        raise InputError(name, f"{edges[0]:.5g} to {edges[-1]:.5g}", f"{low:.5g} to {high:.5g}")
    return np.clip(edges, low, high)
