"""Derivatives of an interpolated flux by model parameters, with the covariance of these parameters.

Parameters are counted in units of one standard deviation (sigma) of their prior. The derivatives are those that a run
scored (:mod:`sim3d.results.gradients`), averaged over azimuth, as d ln(flux) / d(parameter), and interpolated linearly
in ln E and cos_zenith between the centres of their bins.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations_with_replacement
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.sparse import csr_matrix

from sim3d.config.parameters import check_name
from sim3d.conventions.arrays import Array
from sim3d.conventions.model_modes import ModelModes, is_mode
from sim3d.errors import InputError
from sim3d.files.calibration_file import Calibration, read_calibration
from sim3d.files.flux_table import FluxTable
from sim3d.results.at_points import between, log_centres
from sim3d.results.gradients import SiteGradients, over


@dataclass(frozen=True)
class ParameterErrors:
    """Parameters that have an error.

    Attributes
    ----------
    names : tuple of str
        Of :data:`sim3d.config.parameters.PARAMETERS`.
    sigma : float64 array (n,)
        Standard deviation of the prior of each parameter, in its own units; the unit of :attr:`covariance`.
    covariance : float64 array (n, n)
        Covariance of the parameters in units of ``sigma``.
    prior : float64 array (n, n) or None
        Covariance before the fit, in the same units; None if there was no fit.
    scale : float
        Factor on the errors of the fit where measurements disagree, which ``covariance`` contains.
    modes : ModelModes or None
        Functions of the pseudo-parameters (``model:NAME``), which are the last of ``names``; None without any.
    """

    names: tuple[str, ...]
    sigma: Array
    covariance: Array
    prior: Array | None = None
    scale: float = 1.0
    modes: ModelModes | None = None

    @property
    def physical(self) -> tuple[str, ...]:
        """Names without the pseudo-parameters."""
        return tuple(name for name in self.names if not is_mode(name))

    def with_modes(self, modes: ModelModes | None) -> ParameterErrors:
        """Add pseudo-parameters of width 1, independent of all others.

        Parameters
        ----------
        modes : ModelModes or None

        Returns
        -------
        ParameterErrors
        """
        if modes is None or not modes.names:
            return self
        k = len(modes.names)

        def wider(matrix: Array) -> Array:
            n = len(matrix)
            out = np.eye(n + k)
            out[:n, :n] = matrix
            return out

        prior = wider(self.covariance if self.prior is None else self.prior)
        sigma = np.concatenate([self.sigma, np.ones(k)])
        return replace(
            self, names=(*self.names, *modes.names), sigma=sigma, covariance=wider(self.covariance), prior=prior,
            modes=modes,
        )  # fmt: skip

    @classmethod
    def of_matrix(
        cls,
        names: Sequence[str],
        matrix: ArrayLike,
        sigma: ArrayLike | None = None,
        prior: ArrayLike | None = None,
        scale: float = 1.0,
    ) -> ParameterErrors:
        """Make the errors from a covariance matrix in the parameters' own units.

        Parameters
        ----------
        names : sequence of str
            Parameters.
        matrix : array_like (n, n)
            Covariance.
        sigma : array_like (n,), optional
            Units; by default the square roots of the diagonal.
        prior : array_like (n, n), optional
            Covariance before a fit.
        scale : float
            See :attr:`scale`.

        Returns
        -------
        ParameterErrors
            Without the parameters that have no error.

        Raises
        ------
        InputError
            For an unknown parameter, or a matrix that is no covariance.
        """
        square = np.asarray(matrix, dtype=float)
        n = len(names)
        if square.shape != (n, n) or not np.all(np.isfinite(square)) or not np.allclose(square, square.T):
            raise InputError(f"covariance: needs a symmetric matrix of {n} x {n} finite numbers, got {square.shape}")
        if n and np.linalg.eigvalsh(square)[0] < -1e-9 * np.abs(square).max():
            raise InputError("covariance: the matrix has a negative eigenvalue")
        for name in names:
            try:
                check_name(name)
            except ValueError as problem:
                raise InputError(f"covariance: {problem}") from None
        units = np.sqrt(np.diag(square)) if sigma is None else np.asarray(sigma, dtype=float)
        kept = np.flatnonzero(units > 0.0).tolist()
        units = units[kept]
        before = None if prior is None else np.asarray(prior, dtype=float)[np.ix_(kept, kept)] / np.outer(units, units)
        own = square[np.ix_(kept, kept)] / np.outer(units, units)
        return cls(tuple(names[i] for i in kept), units, own, before, scale)

    def prior_share(self, slopes: Array) -> Array:
        """Compute the share of the variance that comes from the priors: d^T C M^-1 C d / d^T C d.

        Here C is the covariance of the fit and M that of the priors (docs/methods/calibration.md).

        Parameters
        ----------
        slopes : float64 array (..., n)
            Derivatives d per sigma.

        Returns
        -------
        float64 array (...)
            1 without a fit; NaN where there is no error.
        """
        if self.prior is None:
            return np.ones(slopes.shape[:-1])
        n = len(self.physical)
        of_modes = np.sum(slopes[..., n:] ** 2, axis=-1)  # no muon tells of them
        own, prior = slopes[..., :n], self.prior[:n, :n]
        reach = own @ (self.covariance[:n, :n] / self.scale**2)
        of_prior = np.einsum("...i,...i->...", reach, np.linalg.solve(prior, reach[..., None])[..., 0])
        of_prior = self.scale**2 * of_prior + of_modes
        whole = self.scale**2 * np.einsum("...i,...i->...", reach, own) + of_modes
        return np.divide(of_prior, whole, out=np.full(np.shape(whole), np.nan), where=whole > 0.0)

    def sigma_of(self, slopes: Array) -> Array:
        """Compute sqrt(s^T C s), the standard deviation that follows from derivatives s per sigma.

        Parameters
        ----------
        slopes : float64 array (..., n)

        Returns
        -------
        float64 array (...)
        """
        values, vectors = np.linalg.eigh(self.covariance)
        return np.asarray(np.sqrt(np.sum((slopes @ (vectors * np.sqrt(np.maximum(values, 0.0)))) ** 2, axis=-1)))

    @classmethod
    def of_calibration(cls, path: str | Path) -> ParameterErrors:
        """Read the parameters and their covariance after the fit from a file of ``sim3d calibrate``.

        Parameters
        ----------
        path : str or Path

        Returns
        -------
        ParameterErrors
            In units of the priors' standard deviations.

        Raises
        ------
        InputError
            If the file is no calibration.
        """
        found = read_calibration(Path(path))
        return errors_of_calibration(found)


def errors_of_calibration(found: Calibration) -> ParameterErrors:
    """Return the parameters of a calibration, pseudo-parameters too, and their covariance.

    Parameters
    ----------
    found : Calibration

    Returns
    -------
    ParameterErrors
    """
    own = ParameterErrors.of_matrix(found.parameters, found.covariance, found.sigma, found.prior, found.scale)
    return own.with_modes(found.modes)


_PAIRS = tuple(combinations_with_replacement(range(4), 2))


class LogDerivatives:
    """d ln(flux) / d(parameter in units of its sigma) of one site, as a function of energy and zenith.

    Parameters
    ----------
    gradients : SiteGradients
        Of the run.
    errors : ParameterErrors
        Those that the run has no derivatives of are refused.

    Attributes
    ----------
    errors : ParameterErrors
    slopes : float64 array (flavour, energy, cos_zenith, parameters)
        In the bins.

    Raises
    ------
    InputError
        If the run has no derivative by one of the parameters.
    """

    def __init__(self, gradients: SiteGradients, errors: ParameterErrors) -> None:
        self.errors = errors
        places = [gradients.column(name) for name in errors.physical]
        mean = gradients.mean()
        slopes = without_holes(over(mean[..., places], mean[..., :1]) * errors.sigma[: len(places)])
        edges = gradients.energy_edges_GeV, gradients.cos_edges
        self._set(with_mode_slopes(slopes, *edges, errors), *edges)

    @classmethod
    def of_slopes(
        cls, slopes: Array, energy_edges_GeV: Array, cos_edges: Array, errors: ParameterErrors
    ) -> LogDerivatives:
        """Make the derivatives from their values in bins.

        Parameters
        ----------
        slopes : float64 array (flavour, energy, cos_zenith, parameters)
            d ln(flux) / d(parameter in units of its sigma), finite.
        energy_edges_GeV, cos_edges : float64 arrays
        errors : ParameterErrors

        Returns
        -------
        LogDerivatives
        """
        out = cls.__new__(cls)
        out.errors = errors
        out._set(slopes, energy_edges_GeV, cos_edges)
        return out

    @classmethod
    def of_cascade(cls, calibration: Calibration, errors: ParameterErrors) -> LogDerivatives:
        """Make the derivatives from those that a calibration has of the cascade equations.

        They are of sea level and a cutoff of 6 GV, the same from below as from above.

        Parameters
        ----------
        calibration : Calibration
        errors : ParameterErrors
            Of its parameters.

        Returns
        -------
        LogDerivatives
        """
        nodes, cosines = (calibration.arrays[f"neutrinos/{name}"] for name in ("energies_GeV", "cos_zenith"))
        slopes = calibration.arrays["neutrinos/slopes"] * errors.sigma[: len(calibration.parameters)]
        if errors.modes is not None:
            slopes = np.concatenate([slopes, errors.modes.at(nodes, cosines)], axis=-1)
        out = cls.__new__(cls)
        out.errors = errors
        out.slopes = np.ascontiguousarray(np.concatenate([slopes[:, :, ::-1], slopes], axis=2))
        out._energies, out._cosines = np.log(nodes), np.concatenate([-cosines[::-1], cosines])
        return out

    def _set(self, slopes: Array, energy_edges_GeV: Array, cos_edges: Array) -> None:
        self.slopes = np.ascontiguousarray(slopes)
        self._energies = log_centres(energy_edges_GeV)
        self._cosines = 0.5 * (cos_edges[1:] + cos_edges[:-1])

    def at(self, flavour: NDArray[np.int_], log_energy: Array, cos_zenith: Array) -> Array:
        """Interpolate the derivatives at points.

        Parameters
        ----------
        flavour : int array (n,)
        log_energy, cos_zenith : float64 arrays (n,)
            ln(E / GeV), zenith cosine. Beyond the outermost centres the derivatives are constant.

        Returns
        -------
        float64 array (n, parameters)
        """
        below, above, up = between(self._energies, log_energy)
        left, right, across = between(self._cosines, cos_zenith)
        _, n_energy, n_cos, n_parameters = self.slopes.shape
        rows = np.stack(
            [(flavour * n_energy + e) * n_cos + c for e in (below, above) for c in (left, right)], axis=1
        ).ravel()
        weights = np.stack([e * c for e in (1.0 - up, up) for c in (1.0 - across, across)], axis=1).ravel()
        first = np.arange(0, 4 * len(log_energy) + 1, 4)
        corners = csr_matrix((weights, rows, first), shape=(len(log_energy), self.slopes[..., 0].size))
        return np.asarray(corners @ self.slopes.reshape(-1, n_parameters))

    def sigma_at(self, flavour: NDArray[np.int_], log_energy: Array, cos_zenith: Array) -> Array:
        """Compute the relative errors of the model at points: :meth:`ParameterErrors.sigma_of` of :meth:`at`.

        The derivatives are w_1 s_1 + ... + w_4 s_4 of the four corners of a cell. So the variance is the sum of
        w_i w_j s_i^T C s_j, and the ten products of a cell are computed once for all points in it.

        Parameters
        ----------
        flavour, log_energy, cos_zenith
            As for :meth:`at`.

        Returns
        -------
        float64 array (n,)
        """
        below, _, up = between(self._energies, log_energy)
        left, _, across = between(self._cosines, cos_zenith)
        weights = [e * c for e in (1.0 - up, up) for c in (1.0 - across, across)]
        products, shape = self._products
        cell = (flavour * shape[1] + below) * shape[2] + left
        variance = np.zeros(len(log_energy))
        for (i, j), product in zip(_PAIRS, products, strict=True):
            variance += (1.0 if i == j else 2.0) * product[cell] * weights[i] * weights[j]
        return np.sqrt(np.maximum(variance, 0.0))

    @cached_property
    def _products(self) -> tuple[Array, tuple[int, ...]]:
        """The products s_i^T C s_j of every cell, by pair of its corners, and the numbers of cells."""
        slopes = self.slopes
        for axis in (1, 2):
            if slopes.shape[axis] == 1:
                slopes = np.repeat(slopes, 2, axis=axis)
        corners = [slopes[:, e][:, :, c] for e in (np.s_[:-1], np.s_[1:]) for c in (np.s_[:-1], np.s_[1:])]
        turned = [one @ self.errors.covariance for one in corners]
        shape = corners[0].shape[:-1]
        return np.array([np.sum(turned[i] * corners[j], axis=-1).ravel() for i, j in _PAIRS]), shape

    def changes(self, values: Mapping[str, float]) -> Array:
        """Arrange values of parameters, by name, in the order of the parameters.

        Parameters
        ----------
        values : mapping
            In units of sigma; parameters that are left out are 0.

        Returns
        -------
        float64 array (parameters,)

        Raises
        ------
        InputError
            For a name that is not among them, or a value that is not finite.
        """
        return ordered_values(self.errors.names, values)


def with_mode_slopes(slopes: Array, energy_edges_GeV: Array, cos_edges: Array, errors: ParameterErrors) -> Array:
    """Append the derivatives by the pseudo-parameters to those by the parameters, in the same bins.

    Parameters
    ----------
    slopes : float64 array (flavour, energy, cos_zenith, parameters)
    energy_edges_GeV, cos_edges : float64 arrays
    errors : ParameterErrors

    Returns
    -------
    float64 array (flavour, energy, cos_zenith, parameters and pseudo-parameters)
    """
    if errors.modes is None:
        return slopes
    energies, cosines = np.exp(log_centres(energy_edges_GeV)), 0.5 * (cos_edges[1:] + cos_edges[:-1])
    return np.concatenate([slopes, errors.modes.at(energies, cosines)], axis=-1)


def ordered_values(names: Sequence[str], values: Mapping[str, float]) -> Array:
    """Arrange values by name in the order of ``names``; see :meth:`LogDerivatives.changes`."""
    out = np.zeros(len(names))
    for name, value in values.items():
        if name not in names:
            raise InputError("parameter", name, f"one of {', '.join(names) or 'none, this flux has no parameters'}")
        if not np.isfinite(value):
            raise InputError(name, value, "a finite number of standard deviations")
        out[names.index(name)] = value
    return out


def scaled_table(table: FluxTable, derivatives: LogDerivatives, changes: Array, note: str) -> FluxTable:
    """Multiply a table by exp(derivatives times changes) at the centres of its bins.

    Parameters
    ----------
    table : FluxTable
    derivatives : LogDerivatives
    changes : float64 array (parameters,)
        In units of sigma.
    note : str
        Of the new table.

    Returns
    -------
    FluxTable
    """
    logs = at_centres(table, derivatives) @ changes
    factor = np.exp(logs)[..., None]
    error = None if table.error is None else table.error * factor
    return replace(table, flux=table.flux * factor, error=error, note=note)


def at_centres(table: FluxTable, derivatives: LogDerivatives) -> Array:
    """Interpolate derivatives to the centres of a table's bins: (flavour, energy, cos_zenith, parameters)."""
    n_flavours, n_energies, n_cos, _ = table.flux.shape
    middle = 0.5 * (table.cos_edges[1:] + table.cos_edges[:-1])
    f, e, c = np.meshgrid(np.arange(n_flavours), np.log(table.energies_GeV), middle, indexing="ij")
    return derivatives.at(f.ravel(), e.ravel(), c.ravel()).reshape(n_flavours, n_energies, n_cos, -1)


def relative_error(table: FluxTable, derivatives: LogDerivatives) -> Array:
    """Compute the relative error of the model at the centres of a table's bins; the same in all azimuth bins.

    Parameters
    ----------
    table : FluxTable
    derivatives : LogDerivatives

    Returns
    -------
    float64 array, shape of the table's flux
    """
    sigma = derivatives.errors.sigma_of(at_centres(table, derivatives))
    return np.repeat(sigma[..., None], table.flux.shape[3], axis=3)


def without_holes(slopes: Array) -> Array:
    """Replace values that are not finite (bins without hits) by the nearest bin in energy that has one, else by 0.

    Parameters
    ----------
    slopes : float64 array (flavour, energy, cos_zenith, n)

    Returns
    -------
    float64 array of that shape
    """
    flat = np.moveaxis(slopes, 1, 0).copy()
    n = len(flat)
    good = np.asarray(np.isfinite(flat).all(axis=-1))
    place = np.arange(n).reshape((n,) + (1,) * (good.ndim - 1))
    distance = np.abs(place[:, None] - place[None]) + np.where(good[None], 0, 10 * n)
    nearest = distance.argmin(axis=1)
    filled = np.take_along_axis(flat, nearest[..., None], axis=0)
    return np.ascontiguousarray(np.moveaxis(np.nan_to_num(filled, nan=0.0), 0, 1))
