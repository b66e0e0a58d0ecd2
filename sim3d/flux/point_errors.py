"""Errors of an interpolated flux: statistical, of the model's parameters, and both; of points, ratios and integrals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.errors import InputError
from sim3d.files.flux_table import ERROR_SOURCES, FluxTable
from sim3d.flux.bin_correlation import NO_CORRELATION, BinCorrelation
from sim3d.flux.integral_errors import integral_slopes, integral_variance
from sim3d.flux.interpolation import Extrapolate, InterpolatedTables, bin_values
from sim3d.results.model_parameters import LogDerivatives, ordered_values

ErrorKind = Literal["statistical", "model", "total"]


class FluxWithErrors(InterpolatedTables):
    """Interpolated fluxes of one site and their errors; :class:`sim3d.Flux` adds the ways to make one.

    Parameters
    ----------
    average : FluxTable
        The azimuth average.
    by_azimuth : FluxTable, optional
        The same with azimuth bins.
    extrapolate : "refuse" or "flag"
        As in :class:`sim3d.flux.interpolation.InterpolatedTables`.
    derivatives : LogDerivatives, optional
        Derivatives by the model parameters that have errors; without them the flux has no parameters.
    correlation : BinCorrelation, optional
        Of the bins of the azimuth average; by default they are independent.
    """

    def __init__(
        self,
        average: FluxTable,
        by_azimuth: FluxTable | None = None,
        extrapolate: Extrapolate = "refuse",
        derivatives: LogDerivatives | None = None,
        correlation: BinCorrelation = NO_CORRELATION,
    ) -> None:
        super().__init__(average, by_azimuth, extrapolate)
        self._derivatives = derivatives
        self.correlation = correlation

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

    def prior_share(
        self, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike, azimuth_deg: ArrayLike | None = None
    ) -> Any:
        """Compute the share of the model's variance of the flux that comes from priors and not from measured muons.

        Parameters
        ----------
        flavour, energy_GeV, cos_zenith, azimuth_deg
            As in :meth:`flux`.

        Returns
        -------
        float64
            Of the points' shape, from 0 to 1; 1 where no muon tells, and without a fit. NaN without parameters.

        Raises
        ------
        InputError
            As :meth:`flux`.
        """
        slopes, shape = self._slopes(flavour, energy_GeV, cos_zenith, azimuth_deg)
        if self._derivatives is None:
            return np.full(shape, np.nan)[()]
        return self._derivatives.errors.prior_share(slopes).reshape(shape)[()]

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

    def penalty(self, values: Mapping[str, float]) -> float:
        """Compute the chi2 of values of the parameters: v^T C^-1 v, with C of :attr:`parameter_covariance`.

        Parameters
        ----------
        values : mapping
            As for :meth:`sim3d.Flux.shifted`. A parameter that is left out is 0, not free.

        Returns
        -------
        float

        Raises
        ------
        InputError
            As :meth:`sim3d.Flux.shifted`.
        """
        changes = ordered_values(self.parameters, values)
        return float(changes @ np.linalg.lstsq(self.parameter_covariance, changes, rcond=None)[0])

    @property
    def error_kinds(self) -> tuple[ErrorKind, ...]:
        """Kinds of errors that :meth:`error` knows for this flux."""
        model = self._derivatives is not None or self.table.model_relative is not None
        if not self.has_errors:
            return ("model",) if model else ()
        return ("statistical", "model", "total") if model else ("statistical",)

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
            As :meth:`flux`, for a table without errors, and for a flux whose model has none.
        """
        _check_kind(kind)
        point = (flavour, energy_GeV, cos_zenith, azimuth_deg)
        if kind != "statistical":
            model = self._model_error(*point)
            if kind == "model":
                return model[()]
        if not self.has_errors:
            raise InputError(f"error: {self.table.source} carries no errors (no .err.d beside it)")
        statistical = self._evaluate(True, *point)
        return statistical if kind == "statistical" else np.hypot(statistical, model)

    def _model_error(self, *point: Any) -> Any:
        """Error of the model at points: from the derivatives, or else from the table's own errors of the model."""
        spline, index, good, coordinates, shape = self._points(*point)
        if self._derivatives is not None:
            known, (log_energy, cos, _) = index < len(FLAVOURS), coordinates
            relative = self._derivatives.sigma_at(np.where(known, index, 0), log_energy, cos)
            relative[~known] = 0.0
            relative[~good] = np.nan
        elif spline.table.model_relative is not None:
            relative = np.zeros(len(index))
            chosen = good & (index < len(FLAVOURS))
            at = tuple(x[chosen] for x in coordinates)
            relative[chosen] = bin_values(spline, spline.table.model_relative, index[chosen], at)  # type: ignore[arg-type]
        else:
            raise InputError(f"kind: {self.table.source} has no parameters with errors, only statistical ones")
        return (np.asarray(self._evaluate(False, *point)).ravel() * relative).reshape(shape)[()]

    def ratio(
        self,
        numerator: str | Sequence[str],
        denominator: str | Sequence[str],
        energy_GeV: ArrayLike,
        cos_zenith: ArrayLike,
        azimuth_deg: ArrayLike | None = None,
        kind: ErrorKind = "total",
    ) -> tuple[Any, Any]:
        """Compute the ratio of sums of flavours at points, and its error.

        What moves both sums alike cancels in the error of the model. The statistical errors of the flavours are taken
        as independent.

        Parameters
        ----------
        numerator, denominator : str or sequence of str
            Flavours to add up.
        energy_GeV, cos_zenith, azimuth_deg
            As in :meth:`flux`.
        kind : "statistical", "model" or "total"

        Returns
        -------
        value, error : float64
            Of the points' shape; NaN where the denominator is 0.

        Raises
        ------
        InputError
            As :meth:`error`; the model needs :attr:`parameters`.

        Examples
        --------
        ``flux.ratio(["numu", "numubar"], ["nue", "nuebar"], 1.0, 0.5)``
        """
        point = (energy_GeV, cos_zenith, azimuth_deg)
        sides = []
        for names in (_flavours(numerator), _flavours(denominator)):
            values = [np.asarray(self.flux(name, *point)) for name in names]
            slopes: Any = 0.0
            errors: list[Any] = []
            if self._model_wanted(kind):
                parts = (
                    value.ravel()[:, None] * self.derivatives(name, *point)
                    for name, value in zip(names, values, strict=True)
                )
                slopes = np.asarray(sum(parts)).reshape(*values[0].shape, -1)
            if kind != "model":
                errors = [np.asarray(self.error(name, *point)) for name in names]
            sides.append((sum(values), sum(error**2 for error in errors), slopes))
        return self._ratio(*sides)

    def integral_error(
        self,
        flavour: str | Sequence[str],
        energy_edges_GeV: ArrayLike,
        cos_edges: ArrayLike = (-1.0, 1.0),
        azimuth_edges_deg: ArrayLike | None = None,
        kind: ErrorKind = "total",
    ) -> Any:
        """Compute the error of the integral of the flux over bins, one standard deviation.

        Errors of the model are common to the cells of the table in a bin, and so are the statistical errors of a smooth
        table. Cells of a result are correlated as its batches are, those of a file are taken as independent; cells
        without hits add none.

        Parameters
        ----------
        flavour : str or sequence of str
            Several are added up.
        energy_edges_GeV, cos_edges, azimuth_edges_deg
            As in :meth:`integral`.
        kind : "statistical", "model" or "total"

        Returns
        -------
        float64 array, shape of :meth:`integral`
            m^-2 s^-1.

        Raises
        ------
        InputError
            As :meth:`integral` and :meth:`error`; the model needs :attr:`parameters`.
        """
        _, variance, slopes = self._integrals(flavour, (energy_edges_GeV, cos_edges, azimuth_edges_deg), kind)
        return np.sqrt(variance + self._model_variance(slopes))

    def integral_ratio(
        self,
        numerator: str | Sequence[str],
        denominator: str | Sequence[str],
        energy_edges_GeV: ArrayLike,
        cos_edges: ArrayLike = (-1.0, 1.0),
        azimuth_edges_deg: ArrayLike | None = None,
        kind: ErrorKind = "total",
    ) -> tuple[Any, Any]:
        """Compute the ratio of integrals of sums of flavours over bins, and its error.

        Parameters
        ----------
        numerator, denominator : str or sequence of str
            Flavours to add up.
        energy_edges_GeV, cos_edges, azimuth_edges_deg
            As in :meth:`integral`.
        kind : "statistical", "model" or "total"
            As in :meth:`ratio` and :meth:`integral_error`.

        Returns
        -------
        value, error : float64 arrays, shape of :meth:`integral`

        Raises
        ------
        InputError
            As :meth:`integral_error`.
        """
        bins = (energy_edges_GeV, cos_edges, azimuth_edges_deg)
        return self._ratio(*(self._integrals(names, bins, kind) for names in (numerator, denominator)))

    def _integrals(self, flavours: str | Sequence[str], bins: tuple[Any, Any, Any], kind: str) -> tuple[Any, Any, Any]:
        """Return integrals of a sum of flavours, their statistical variance and their slopes, as far as wanted."""
        names = _flavours(flavours)
        value = sum(np.asarray(self.integral(name, *bins)) for name in names)
        slopes: Any = 0.0
        if self._model_wanted(kind):
            slopes = sum(integral_slopes(self, self.derivatives, name, *bins) for name in names)
        if kind == "model":
            return value, 0.0, slopes
        if not self.has_errors:
            raise InputError(f"error: {self.table.source} carries no errors (no .err.d beside it)")
        return value, integral_variance(self, names, *bins, correlation=self.correlation), slopes

    def _model_wanted(self, kind: str) -> bool:
        _check_kind(kind)
        if kind != "statistical" and not self.parameters:
            raise InputError(f"kind: {self.table.source} has no parameters with errors, only statistical ones")
        return kind != "statistical"

    def _model_variance(self, slopes: Any) -> Any:
        if self._derivatives is None or np.ndim(slopes) == 0:
            return 0.0
        return self._derivatives.errors.sigma_of(slopes) ** 2

    def _ratio(self, top: tuple[Any, Any, Any], bottom: tuple[Any, Any, Any]) -> tuple[Any, Any]:
        """Return a ratio and its error; each side is (value, statistical variance, slopes by the parameters)."""
        (a, da, sa), (b, db, sb) = top, bottom
        with np.errstate(divide="ignore", invalid="ignore"):
            value = np.where(b > 0.0, np.divide(a, b), np.nan)
            variance = (da + value**2 * db) / np.square(b)
            if np.ndim(sa):
                variance = variance + self._model_variance((sa - value[..., None] * sb) / np.asarray(b)[..., None])
            return value[()], np.where(b > 0.0, np.sqrt(variance), np.nan)[()]


def _flavours(names: str | Sequence[str]) -> list[str]:
    return [names] if isinstance(names, str) else list(names)


def _check_kind(kind: str) -> None:
    if kind not in ERROR_SOURCES:
        raise InputError("kind", kind, "statistical, model or total")
