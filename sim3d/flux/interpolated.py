"""Interpolated fluxes as a continuous function of energy and direction, from a result file or a Honda table.

:meth:`sim3d.Result.flux` interpolates the same bins linearly; :class:`Flux` draws a spline through them. The
method is described in :mod:`sim3d.flux.spline`, and its use in docs/manual/python.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_index
from sim3d.errors import InputError
from sim3d.files.checksums import is_result_file
from sim3d.files.flux_table import EnergyKind, FluxTable
from sim3d.files.honda import table_of_honda
from sim3d.flux.model_parameters import LogDerivatives, ParameterErrors, errors_of_result, ordered_values, scaled_table
from sim3d.flux.spline import FluxSpline
from sim3d.results.result import Result, load
from sim3d.results.tables import table_of_result
from sim3d.results.words import WINDOW_GEV, median_errors

CM2_PER_M2 = 1.0e4

Extrapolate = Literal["refuse", "flag"]

ErrorKind = Literal["statistical", "model", "total"]

_SLACK = 1e-9
"""Relative tolerance at the ends of the table, for the rounding of energies."""


class Flux:
    """Interpolated fluxes of one site.

    Make one with :meth:`load` (a file), :meth:`of_result` (a result in memory) or from tables.

    Parameters
    ----------
    average : FluxTable
        The azimuth average.
    by_azimuth : FluxTable, optional
        The same with azimuth bins.
    extrapolate : "refuse" or "flag"
        For a point outside the table: raise an :class:`InputError` that names the range, or return NaN.
    derivatives : LogDerivatives, optional
        Derivatives by the model parameters that have errors; without them the flux has no parameters.

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
        self,
        average: FluxTable,
        by_azimuth: FluxTable | None = None,
        extrapolate: Extrapolate = "refuse",
        derivatives: LogDerivatives | None = None,
    ) -> None:
        if extrapolate not in ("refuse", "flag"):
            raise InputError("extrapolate", extrapolate, "refuse or flag")
        self.table, self.azimuth_table = average, by_azimuth
        self.extrapolate = extrapolate
        edges = average.energy_edges_GeV
        self.energy_range_GeV = (float(edges[0]), float(edges[-1]))
        self._average = FluxSpline(average)
        self._by_azimuth: FluxSpline | None = None
        self._derivatives = derivatives

    def __repr__(self) -> str:
        """Return source, flavours, ranges and kinds of errors in a few lines."""
        table = self.table
        low, high = self.energy_range_GeV
        cells = f"{len(table.energies_GeV)} energies, {len(table.cos_edges) - 1} zenith bins"
        azimuths = "" if self.azimuth_table is None else f", {len(self.azimuth_table.azimuth_edges_deg) - 1} in azimuth"
        kinds = ["statistical"] * self.has_errors + ["model"] * bool(self.parameters)
        lines = [
            f"sim3d flux of {table.name}"
            + (f", from {table.source}" if table.source != table.name else "")
            + (f" ({table.note})" if table.note else ""),
            f"  {', '.join(self.flavours)}; {low:.4g} to {high:.5g} GeV, cos_zenith {table.cos_edges[0]:g} to "
            f"{table.cos_edges[-1]:g}",
            f"  interpolated between {cells}{azimuths or ', averaged over azimuth'}; m^-2 s^-1 sr^-1 GeV^-1",
            f"  errors: {' and '.join(kinds) or 'none'}" + (f", {self._median_error()}" if self.has_errors else ""),
        ]
        return "\n".join(lines)

    def _median_error(self) -> str:
        """State the median statistical error of the bins of the azimuth average, by flavour."""
        table = self.table
        assert table.error is not None
        every = np.ones(len(table.energies_GeV), dtype=bool)
        found = median_errors(table.flux, table.error, table.energies_GeV, every, self.flavours)
        return f"median of a bin, {WINDOW_GEV[0]:g} to {WINDOW_GEV[1]:g} GeV: {', '.join(found)}"

    @classmethod
    def load(
        cls,
        path: str | Path,
        site: str | None = None,
        binning: str = "honda",
        energies: EnergyKind = "points",
        extrapolate: Extrapolate = "refuse",
        errors: ParameterErrors | None = None,
    ) -> Flux:
        """Read a result file of ``sim3d run`` or a Honda table (``.d``), distinguished by their first bytes.

        Parameters
        ----------
        path : str or Path
        site : str, optional
            Of a result file: by default the run's first site.
        binning : str
            Of a result file: honda (the default), fluka, or fine.
        energies : "points" or "bins"
            Whether the numbers of a Honda table are values at energies or means over bins, see
            :func:`sim3d.files.honda.table_of_honda`. Those of a result file are always means over bins.
        extrapolate : "refuse" or "flag"
        errors : ParameterErrors, optional
            Model parameters and their errors; the result must have the gradients by them (``scoring.gradients``). By
            default those of the run's calibration, if it has one.

        Returns
        -------
        Flux

        Raises
        ------
        InputError
            With a message of one line, if the file cannot be used.
        """
        path = Path(path)
        if is_result_file(path):
            return cls.of_result(load(path), site, binning, extrapolate, errors)
        if errors is not None:
            raise InputError(f"errors: {path} is a Honda table, without gradients; give a result file that has them")
        table = table_of_honda(path, energies)
        if site is not None:
            raise InputError("site", site, "none, a Honda table has one site alone")
        return cls(table.azimuth_average(), table if table.has_azimuth else None, extrapolate)

    @classmethod
    def of_result(
        cls,
        result: Result,
        site: str | None = None,
        binning: str = "honda",
        extrapolate: Extrapolate = "refuse",
        errors: ParameterErrors | None = None,
    ) -> Flux:
        """Make the interpolated fluxes of one site of a result; parameters as in :meth:`load`."""
        name = result.default_site(site)
        errors = errors or errors_of_result(result)
        return cls(
            table_of_result(result, name, binning, azimuth=False),
            table_of_result(result, name, binning, azimuth=True),
            extrapolate,
            None if errors is None else LogDerivatives(result.gradients(name), errors),
        )

    @property
    def parameters(self) -> list[str]:
        """Names of the model parameters that the flux depends on; empty if it knows none."""
        return [] if self._derivatives is None else list(self._derivatives.errors.names)

    @property
    def parameter_covariance(self) -> Array:
        """Covariance of the parameters, (parameters, parameters), each in units of the sigma of its prior."""
        return np.zeros((0, 0)) if self._derivatives is None else self._derivatives.errors.covariance

    def derivatives(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None = None
    ) -> Array:
        """Interpolate d ln(flux) / d(parameter) at points, broadcast over the arguments.

        Parameters
        ----------
        flavour, energy_GeV, cos_zenith, azimuth_deg
            As in :meth:`flux`. The derivatives are averages over azimuth.

        Returns
        -------
        float64 array (points, parameters), for a single point (parameters,)
            Per sigma of each parameter's prior; the points in the order of their broadcast arguments. Tau neutrinos
            have zeros, points outside the table NaN (with ``extrapolate="flag"``).

        Raises
        ------
        InputError
            As :meth:`flux`.
        """
        slopes, shape = self._slopes(flavour, energy_GeV, cos_zenith, azimuth_deg)
        return slopes if shape else slopes[0]

    def _slopes(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None
    ) -> tuple[Array, tuple[int, ...]]:
        """Return the derivatives, (points, parameters), and the shape of the points."""
        _, index, good, (log_energy, cos, _), shape = self._points(flavour, energy_GeV, cos_zenith, azimuth_deg)
        if self._derivatives is None:
            return np.zeros((len(index), 0)), shape
        known = index < len(FLAVOURS)
        out = self._derivatives.at(np.where(known, index, 0), log_energy, cos)
        out[~known] = 0.0
        out[~good] = np.nan
        return out, shape

    def covariance(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None = None
    ) -> Any:
        """Compute the covariance of ln(flux) between points that follows from the errors of the parameters.

        Parameters
        ----------
        flavour, energy_GeV, cos_zenith, azimuth_deg
            As in :meth:`flux`.

        Returns
        -------
        float64 array (points, points), for a single point a number
            Relative: multiply by the fluxes of both points for an absolute covariance. Zero without parameters. The
            statistical errors of the simulation are not in it.

        Raises
        ------
        InputError
            As :meth:`flux`.
        """
        slopes, shape = self._slopes(flavour, energy_GeV, cos_zenith, azimuth_deg)
        found = slopes @ self.parameter_covariance @ slopes.T
        return found if shape else found[0, 0]

    def shifted(self, values: Mapping[str, float]) -> Flux:
        """Make the flux for other values of the parameters: flux times exp(sum of value times derivative).

        That agrees to first order with :meth:`sim3d.results.gradients.SiteGradients.vary` and is never negative; for a
        slope of the primaries it is exact. The factor is taken at the centres of the table's bins.

        Parameters
        ----------
        values : mapping
            Values by name, in units of sigma, from this flux's; parameters that are left out stay.

        Returns
        -------
        Flux
            With the same parameters and derivatives.

        Raises
        ------
        InputError
            For a name that is not in :attr:`parameters`, or a value that is not finite.
        """
        changes = ordered_values(self.parameters, values)
        if self._derivatives is None:
            return self
        label = "shifted by " + ", ".join(f"{name} = {value:g} sigma" for name, value in values.items())
        return Flux(
            scaled_table(self.table, self._derivatives, changes, label),
            None if self.azimuth_table is None else scaled_table(self.azimuth_table, self._derivatives, changes, label),
            self.extrapolate,
            self._derivatives,
        )

    def penalty(self, values: Mapping[str, float]) -> float:
        """Compute the chi2 of values of the parameters: v^T C^-1 v, with C of :attr:`parameter_covariance`.

        Parameters
        ----------
        values : mapping
            As for :meth:`shifted`. A parameter that is left out is 0, not free.

        Returns
        -------
        float

        Raises
        ------
        InputError
            As :meth:`shifted`.
        """
        changes = ordered_values(self.parameters, values)
        return float(changes @ np.linalg.lstsq(self.parameter_covariance, changes, rcond=None)[0])

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
        names, where = np.unique(np.asarray(flavour), return_inverse=True)
        index = np.array([flavour_index(name) for name in names.tolist()], dtype=int)[where].reshape(np.shape(flavour))
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
        index, energy, cos, azimuth, good = np.broadcast_arrays(index, energy, cos, azimuth, inside & covered)
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

    def error(
        self,
        flavour: Any,
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: ArrayLike | None = None,
        kind: ErrorKind = "statistical",
    ) -> Any:
        """Interpolate the error of the flux at points, one standard deviation.

        The statistical error is the flux times the relative error, interpolated linearly between bin centres. So it is
        the error of a bin of the table around the point, not the (smaller) error of a fit. In an empty bin it is the
        upper limit. Parameters and unit as in :meth:`flux`.

        Parameters
        ----------
        flavour, energy_GeV, cos_zenith, azimuth_deg
            As in :meth:`flux`.
        kind : "statistical", "model" or "total"
            Of the simulation, of the model parameters (:meth:`covariance`), or both in quadrature.

        Raises
        ------
        InputError
            As :meth:`flux`, for a table without errors, and for a flux without parameters.
        """
        if kind not in ("statistical", "model", "total"):
            raise InputError("kind", kind, "statistical, model or total")
        point = (flavour, energy_GeV, cos_zenith, azimuth_deg)
        if kind != "statistical":
            if not self.parameters:
                raise InputError(f"kind: {self.table.source} has no parameters with errors, only statistical ones")
            slopes, _ = self._slopes(*point)
            flux = self._evaluate(False, *point)
            variance = np.einsum("ni,ij,nj->n", slopes, self.parameter_covariance, slopes, optimize=True)
            model = flux * np.sqrt(np.maximum(variance, 0.0)).reshape(np.shape(flux))
            if kind == "model":
                return model[()]
        if not self.has_errors:
            raise InputError(f"error: {self.table.source} carries no errors (no .err.d beside it)")
        statistical = self._evaluate(True, *point)
        return statistical if kind == "statistical" else np.hypot(statistical, model)

    def _evaluate(self, error: bool, *point: Any) -> Any:
        spline, index, good, coordinates, shape = self._points(*point)
        # the simulation makes no tau neutrinos: their flux is 0
        chosen = good & (index < len(FLAVOURS))
        values = np.where(good, 0.0, np.nan)
        at = tuple(x[chosen] for x in coordinates)
        flux = spline.flux(index[chosen], at)  # type: ignore[arg-type]
        values[chosen] = spline.error(index[chosen], at, flux) if error else flux  # type: ignore[arg-type]
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
        float64, or float64 array (energy, cos_zenith), with azimuths (energy, cos_zenith, azimuth)
            m^-2 s^-1; one bin (two edges of each) gives a number, more an array. Over a bin of the table it is the
            table's flux times the size of the bin, up to rounding. The
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
        azimuth = np.array([0.0, 360.0]) if azimuth_edges_deg is None else _turn(azimuth_edges_deg)
        sums = np.zeros(tuple(len(edges) - 1 for edges in (energy, cos, azimuth)))
        if index < len(FLAVOURS):
            # the spline's azimuths end at 360: a bin across it is two, whose integrals are added
            pieces = azimuth if azimuth[-1] <= 360.0 or 360.0 in azimuth else np.sort(np.append(azimuth, 360.0))
            parts = [pieces[pieces <= 360.0], pieces[pieces >= 360.0] - 360.0]
            found = [spline.integrals(index, (np.log(energy), cos, part)) for part in parts if len(part) > 1]
            whole = np.concatenate(found, axis=2) * np.radians(1.0)
            sums = np.add.reduceat(whole, np.searchsorted(pieces, azimuth[:-1]), axis=2)
        if sums.size == 1:
            return sums.reshape(())[()]
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
        float64, or float64 array
            m^-2 s^-1 sr^-1 GeV^-1.

        Raises
        ------
        InputError
            As :meth:`integral`.
        """
        sums = self.integral(flavour, energy_edges_GeV, cos_edges, azimuth_edges_deg)
        width = np.multiply.outer(np.diff(np.asarray(energy_edges_GeV, float)), np.diff(np.asarray(cos_edges, float)))
        space = 2.0 * np.pi * width
        if azimuth_edges_deg is not None:
            space = np.multiply.outer(width, np.radians(np.diff(_turn(azimuth_edges_deg))))
        return sums / space if space.size > 1 else sums / space.item()


def _turn(values: ArrayLike) -> Array:
    """Edges of azimuth bins (degrees) as numbers that rise, the first in [0, 360); they may fall once, across 360."""
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
