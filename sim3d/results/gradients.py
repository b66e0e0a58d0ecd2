"""Derivatives of the flux with respect to model parameters, fluxes under other parameters, and propagated errors.

All numbers are in the bins of :data:`sim3d.scoring.gradients.BINS`: averaged over azimuth, 20 bins of cos_zenith and
10 energy bins per decade. Statistical errors come from the jackknife over groups of batches. They include the
correlation between a derivative and the flux, which the same showers score.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sim3d.config.parameters import PARAMETERS, check_name, check_values
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_index
from sim3d.errors import InputError
from sim3d.results.at_points import between, value_at
from sim3d.results.jackknife import jackknife
from sim3d.results.varied_flux import VariedFlux
from sim3d.scoring.gradients import BINS

_POINT = "variation:"


@dataclass(frozen=True)
class PropagatedErrors:
    """Errors of the flux of a site that follow from errors of the model parameters, to first order.

    Attributes
    ----------
    site : str
    names : tuple of str
        Parameters that have an error.
    covariance : float64 array (n, n)
        Covariance matrix of the parameters.
    flux : float64 array (flavour, energy, cos_zenith)
    derivatives : float64 array (flavour, energy, cos_zenith, n)
        Derivatives of the flux with respect to the parameters.
    """

    site: str
    names: tuple[str, ...]
    covariance: Array
    flux: Array
    derivatives: Array

    @property
    def error(self) -> Array:
        """Standard deviation of the flux in every bin, (flavour, energy, cos_zenith), in units of the flux."""
        return _quadratic(self.derivatives, self.covariance)

    @property
    def relative(self) -> Array:
        """Relative standard deviation of the flux in every bin; NaN in bins without hits."""
        return over(self.error, self.flux)

    def ratio(self, numerator: Sequence[str], denominator: Sequence[str]) -> tuple[Array, Array]:
        """Compute the ratio of two sums of flavours and its standard deviation.

        Parameters
        ----------
        numerator, denominator : sequences of str
            Flavours to add up.

        Returns
        -------
        value, error : float64 arrays (energy, cos_zenith)

        Examples
        --------
        ``errors.ratio(["numu", "numubar"], ["nue", "nuebar"])``
        """
        top, bottom = (_rows(names) for names in (numerator, denominator))
        a, b = self.flux[top].sum(axis=0), self.flux[bottom].sum(axis=0)
        da, db = self.derivatives[top].sum(axis=0), self.derivatives[bottom].sum(axis=0)
        value = over(a, b)
        slopes = over(da, b[..., None]) - value[..., None] * over(db, b[..., None])
        return value, _quadratic(slopes, self.covariance)

    def sky(self) -> tuple[Array, Array]:
        """Compute relative errors of the fluxes averaged over the sky, and of (numu + numubar) / (nue + nuebar).

        Returns
        -------
        flavours : float64 array (flavour, energy)
        ratio : float64 array (energy,)
        """
        flux, slopes = self.flux.mean(axis=2), self.derivatives.mean(axis=2)
        logs = over(slopes, flux[..., None])
        mu, e = flux[:2].sum(axis=0), flux[2:].sum(axis=0)
        ratio = over(slopes[:2].sum(axis=0), mu[:, None]) - over(slopes[2:].sum(axis=0), e[:, None])
        return _quadratic(logs, self.covariance), _quadratic(ratio, self.covariance)

    def bins(self, flavour: str, cos_zenith: float) -> Array:
        """Compute the covariance matrix of the flux between energy bins, for one flavour and zenith angle.

        Parameters
        ----------
        flavour : str
        cos_zenith : float
            The derivatives are interpolated linearly between the middles of the zenith bins.

        Returns
        -------
        float64 array (energy, energy)
        """
        middle = 0.5 * (BINS.cos_edges[1:] + BINS.cos_edges[:-1])
        low, high, weight = between(middle, _inside(BINS.cos_edges, cos_zenith, "cos_zenith"))
        slopes = self.derivatives[_rows([flavour])[0]]
        d = (1.0 - weight) * slopes[:, low] + weight * slopes[:, high]
        return d @ self.covariance @ d.T


class SiteGradients:
    """Derivatives of the fluxes of one site (from :meth:`sim3d.results.result.Result.gradients`).

    Parameters
    ----------
    site : str
    groups : float64 array (N_GROUPS, flavour, energy, cos_zenith, column)
        Means over the batches of each group, integrated over each bin (m^-2 s^-1). The columns are the flux, its
        derivatives with respect to the parameters, and its values at the parameter points.
    weights : int array (N_GROUPS,)
        Number of batches in each group.
    columns : sequence of str
        Names of the columns, see ``scoring.columns`` of the configuration.
    points : mapping
        Parameter values of each parameter point, by name.

    Attributes
    ----------
    site : str
    parameters : tuple of str
        Parameters that have derivatives.
    variations : tuple of str
        Names of the parameter points whose fluxes were scored with exact weights.
    energy_edges_GeV, cos_edges : float64 arrays
    """

    def __init__(
        self,
        site: str,
        groups: Array,
        weights: NDArray[np.int_],
        columns: Sequence[str],
        points: Mapping[str, Mapping[str, float]],
    ) -> None:
        self.site = site
        self.parameters = tuple(name for name in columns[1:] if not name.startswith(_POINT))
        self.variations = tuple(name.removeprefix(_POINT) for name in columns if name.startswith(_POINT))
        self._points = points
        self._columns = {name: i for i, name in enumerate(columns)}
        self.energy_edges_GeV, self.cos_edges = BINS.energy_edges_GeV, BINS.cos_edges
        space = 2.0 * np.pi * np.multiply.outer(np.diff(self.energy_edges_GeV), np.diff(self.cos_edges))
        self._weights = weights
        self._groups = groups / space[None, None, :, :, None]

    def derive(self, quantity: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Compute a function of the mean fluxes and derivatives, and its jackknife error.

        Parameters
        ----------
        quantity : callable
            Takes an array (flavour, energy, cos_zenith, column): flux, derivatives, varied fluxes.

        Returns
        -------
        value, error : arrays
            As :func:`sim3d.results.jackknife.jackknife`.
        """
        return jackknife(quantity, self._groups, self._weights, signed=True)

    def derive_sky(
        self, quantity: Callable[[Array], Array], energy_GeV: tuple[float, float] | None = None
    ) -> tuple[Array, Array]:
        """Compute a function of the fluxes and derivatives averaged over the sky, and its jackknife error.

        Parameters
        ----------
        quantity : callable
            Takes an array (flavour, energy, column).
        energy_GeV : (float, float), optional
            Integrate over the energy bins whose centres lie in this range; the energy axis then has length 1.

        Returns
        -------
        value, error : arrays
            As :func:`sim3d.results.jackknife.jackknife`.

        Raises
        ------
        InputError
            If no bin has its centre in the range.
        """
        sky = self._groups.mean(axis=3)
        if energy_GeV is not None:
            inside = (BINS.energies_GeV >= energy_GeV[0]) & (BINS.energies_GeV <= energy_GeV[1])
            if not inside.any():
                raise InputError("energy", energy_GeV, "a range that holds the centre of a bin, 10 per decade")
            width = np.diff(self.energy_edges_GeV)[inside]
            sky = np.einsum("gfec,e->gfc", sky[:, :, inside], width)[:, :, None]
        return jackknife(quantity, sky, self._weights, signed=True)

    def column(self, name: str) -> int:
        """Find the column of a parameter's derivative.

        Parameters
        ----------
        name : str

        Returns
        -------
        int

        Raises
        ------
        InputError
            If the parameter is unknown or the run made no derivative of it.
        """
        if name not in self.parameters:
            try:
                check_name(name)
            except ValueError as problem:
                raise InputError(f"parameter: {problem}") from None
            raise InputError("parameter", name, f"one that the run made gradients for: {', '.join(self.parameters)}")
        return self._columns[name]

    def mean(self) -> Array:
        """Compute the mean of all columns over the batches, without errors: (flavour, energy, cos_zenith, column)."""
        return np.asarray(np.tensordot(self._weights / max(int(self._weights.sum()), 1), self._groups, axes=1))

    def flux(self) -> tuple[Array, Array]:
        """Compute the run's own flux in these bins and its error, each (flavour, energy, cos_zenith)."""
        return self.derive(lambda mean: mean[..., 0])

    def gradient(self, parameter: str, relative: bool = False) -> tuple[Array, Array]:
        """Compute the derivative of the flux, or of its logarithm, with respect to a parameter, and its error.

        Parameters
        ----------
        parameter : str
        relative : bool
            Derivative of ln(flux) instead of the flux.

        Returns
        -------
        value, error : float64 arrays (flavour, energy, cos_zenith)
            Flux per unit of the parameter (relative: 1 per unit).

        Raises
        ------
        InputError
            As :meth:`column`.
        """
        i = self.column(parameter)
        if relative:
            return self.derive(lambda mean: over(mean[..., i], mean[..., 0]))
        return self.derive(lambda mean: mean[..., i])

    def sky_gradient(self, parameter: str, energy_GeV: tuple[float, float] | None = None) -> tuple[Array, Array]:
        """Compute the derivative of ln(flux averaged over the sky) with respect to a parameter, and its error.

        Parameters as in :meth:`gradient` and :meth:`derive_sky`.

        Returns
        -------
        value, error : float64 arrays (flavour, energy)
        """
        i = self.column(parameter)
        return self.derive_sky(lambda mean: over(mean[..., i], mean[..., 0]), energy_GeV)

    def vary(self, values: Mapping[str, float]) -> VariedFlux:
        """Predict the flux for changed parameters by linear extrapolation: flux + sum of value times derivative.

        Parameters
        ----------
        values : mapping
            Parameter values by name; 0 is the run's own model.

        Returns
        -------
        VariedFlux

        Raises
        ------
        InputError
            For a parameter without derivatives, or a value out of range.
        """
        places = [self.column(name) for name in values]
        try:
            check_values(values)
        except ValueError as problem:
            raise InputError(f"vary: {problem}") from None
        numbers = np.array(list(values.values()), dtype=float)
        quantity = self._linear(places, numbers)
        label = "linear in " + ", ".join(f"{name} = {value:g}" for name, value in values.items())
        return self._varied(quantity, label)

    def _linear(self, places: list[int], numbers: Array) -> Callable[[Array], Array]:
        return lambda mean: mean[..., 0] + mean[..., places] @ numbers

    def variation(self, name: str) -> VariedFlux:
        """Compute the flux at a parameter point of ``[[scoring.variations]]`` from exact likelihood ratios.

        Unlike :meth:`vary` this is not linear in the parameters.

        Parameters
        ----------
        name : str
            Name of the point.

        Returns
        -------
        VariedFlux

        Raises
        ------
        InputError
            If the run has no such point.
        """
        if name not in self.variations:
            raise InputError("variation", name, f"one of {', '.join(self.variations) or 'none, the run has no points'}")
        i = self._columns[_POINT + name]
        label = f"variation {name}: " + ", ".join(f"{k} = {v:g}" for k, v in self._points[name].items())
        return self._varied(lambda mean: mean[..., i], label)

    def _varied(self, quantity: Callable[[Array], Array], label: str) -> VariedFlux:
        flux, error = self.derive(quantity)
        ratio, ratio_error = self.derive(lambda mean: over(quantity(mean), mean[..., 0]))
        sky = self.derive_sky(lambda mean: over(quantity(mean), mean[..., 0]))
        edges = (self.energy_edges_GeV, self.cos_edges)
        return VariedFlux(self.site, flux, error, ratio, ratio_error, *sky, *edges, label)

    def propagate(self, errors: Mapping[str, float] | tuple[Sequence[str], ArrayLike]) -> PropagatedErrors:
        """Propagate errors of the parameters to the flux, to first order.

        Parameters
        ----------
        errors : mapping, or (names, matrix)
            One standard deviation by parameter (uncorrelated), or parameters and their covariance matrix.

        Returns
        -------
        PropagatedErrors

        Raises
        ------
        InputError
            For a parameter without derivatives, or a matrix that is no covariance.
        """
        if isinstance(errors, Mapping):
            names, matrix = tuple(errors), np.diag(np.square(np.array(list(errors.values()), dtype=float)))
        else:
            names, matrix = tuple(errors[0]), np.asarray(errors[1], dtype=float)
        if not all(isinstance(name, str) for name in names):
            raise InputError("covariance: needs names of parameters and their matrix")
        places = [self.column(name) for name in names]
        n = len(names)
        if matrix.shape != (n, n) or not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T):
            raise InputError(f"covariance: needs a symmetric matrix of {n} x {n} finite numbers, got {matrix.shape}")
        if n and np.linalg.eigvalsh(matrix)[0] < -1e-9 * np.abs(matrix).max():
            raise InputError("covariance: the matrix has a negative eigenvalue")
        mean = self.mean()
        return PropagatedErrors(self.site, names, matrix, mean[..., 0], mean[..., places])

    def at(self, values: Array, flavour: Any, energy_GeV: ArrayLike, cos_zenith: ArrayLike) -> Any:
        """Interpolate values of bins at points (:func:`sim3d.results.at_points.value_at`); the arguments broadcast.

        Parameters
        ----------
        values : float64 array (flavour, energy, cos_zenith)
        flavour : str, int, or array of them
        energy_GeV, cos_zenith : array_like

        Returns
        -------
        float64

        Raises
        ------
        InputError
            For an unknown flavour, a tau neutrino, or a point outside the bins.
        """
        names = np.asarray(flavour)
        rows = np.array([_rows([name])[0] for name in names.ravel().tolist()], dtype=int).reshape(names.shape)
        edges = (self.energy_edges_GeV, self.cos_edges)
        energy = _inside(edges[0], energy_GeV, "energy_GeV")
        return value_at(values, rows, edges, energy, _inside(edges[1], cos_zenith, "cos_zenith"))


def _rows(flavours: Sequence[Any]) -> list[int]:
    rows = [flavour_index(one) for one in flavours]
    if any(row >= len(FLAVOURS) for row in rows):
        raise InputError("flavour", "nutau", f"one of {', '.join(FLAVOURS)}; the air makes no tau neutrinos here")
    return rows


def _inside(edges: Array, values: ArrayLike, name: str) -> Array:
    points = np.asarray(values, dtype=float)
    if not np.all((points >= edges[0]) & (points <= edges[-1])):
        raise InputError(f"{name}: must be between {edges[0]:.4g} and {edges[-1]:.5g}")
    return points


def over(a: Array, b: Array) -> Array:
    """Divide elementwise; NaN where the denominator is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(b != 0.0, a / b, np.nan)


def _quadratic(slopes: Array, covariance: Array) -> Array:
    """Compute sqrt(d^T C d) for the vectors d on the last axis of ``slopes``."""
    return np.sqrt(np.maximum(np.einsum("...i,ij,...j->...", slopes, covariance, slopes), 0.0))


def describe_parameters(names: Sequence[str]) -> dict[str, str]:
    """Return the descriptions of parameters, by name."""
    return {name: PARAMETERS[name] for name in names}
