"""Parameters of a model of the data, and the priors of their values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError


@dataclass(frozen=True)
class Parameter:
    """A parameter.

    Attributes
    ----------
    name : str
    value : float
        Nominal value, at which a fit begins.
    low, high : float
        Limits.
    unit : str
    step : float
        First step of a fit, about one standard deviation.
    fixed : bool
    """

    name: str
    value: float
    low: float = -np.inf
    high: float = np.inf
    unit: str = ""
    step: float = 0.1
    fixed: bool = False

    def __post_init__(self) -> None:
        """Check that the value is a number between the limits."""
        if not (np.isfinite(self.value) and self.low <= self.value <= self.high):
            raise InputError(f"parameter {self.name}", self.value, f"{self.low:g} to {self.high:g}")
        if not (np.isfinite(self.step) and self.step > 0.0):
            raise InputError(f"parameter {self.name}: step", self.step, "above 0")


@dataclass(frozen=True)
class Prior:
    """Normal prior of one or more parameters.

    Attributes
    ----------
    names : tuple of str
    centre : float64 array (n,)
    covariance : float64 array (n, n)
    """

    names: tuple[str, ...]
    centre: Array
    covariance: Array

    @classmethod
    def of(cls, names: str | Sequence[str], centre: ArrayLike, covariance: ArrayLike) -> Prior:
        """Make a prior; of a single parameter from its centre and its standard deviation.

        Parameters
        ----------
        names : str or sequence of str
        centre : float or array_like (n,)
        covariance : float or array_like (n, n)
            Of a single name the standard deviation, else the covariance.

        Returns
        -------
        Prior

        Raises
        ------
        InputError
            If the numbers do not fit the names, or the matrix is not positive definite.

        Examples
        --------
        >>> Prior.of("norm", 1.0, 0.3).chi2(np.array([1.3])).__round__(9)
        1.0
        """
        if isinstance(names, str):
            deviation = np.asarray(covariance, dtype=float)
            if not (deviation.shape == () and deviation > 0.0):
                raise InputError(f"prior of {names}: standard deviation", covariance, "above 0")
            names, covariance = (names,), np.square(np.atleast_2d(deviation))
        middle, matrix = np.atleast_1d(np.asarray(centre, dtype=float)), np.asarray(covariance, dtype=float)
        n = len(names)
        if len(set(names)) != n:
            raise InputError(f"prior of {', '.join(names)}: a name is there twice")
        if middle.shape != (n,) or matrix.shape != (n, n):
            raise InputError(f"prior: {n} names need a centre of {n} and a covariance of {n} x {n} numbers")
        if not np.all(np.isfinite(middle)):
            raise InputError(f"prior of {', '.join(names)}: the centre is not finite")
        if not np.all(np.isfinite(matrix)) or not np.allclose(matrix, matrix.T):
            raise InputError(f"prior of {', '.join(names)}: the covariance is not symmetric and finite")
        if n and np.linalg.eigvalsh(matrix)[0] <= 0.0:
            raise InputError(f"prior of {', '.join(names)}: the covariance is not positive definite")
        return cls(tuple(names), middle, matrix)

    def chi2(self, values: Array) -> float:
        """Compute (v - c)^T C^-1 (v - c) for values (n,) in the order of the names."""
        away = values - self.centre
        return float(away @ np.linalg.solve(self.covariance, away))


class ParameterSet:
    """Parameters in an order, with their priors.

    Parameters
    ----------
    parameters : iterable of Parameter
        The same parameter may come from several parts of a model, if it is equal in all.
    priors : iterable of Prior
        No parameter has two.

    Raises
    ------
    InputError
        For two different parameters of one name, an unknown name in a prior, or two priors on one parameter.
    """

    def __init__(self, parameters: Iterable[Parameter], priors: Iterable[Prior] = ()) -> None:
        found: dict[str, Parameter] = {}
        for one in parameters:
            if found.setdefault(one.name, one) != one:
                raise InputError(f"parameters: {one.name!r} is defined twice, differently")
        self.parameters = tuple(found.values())
        self.names = tuple(found)
        self.priors: list[Prior] = []
        for prior in priors:
            if not any(prior is other for other in self.priors):
                self.priors.append(prior)
        seen: set[str] = set()
        for prior in self.priors:
            for name in prior.names:
                if name not in found or name in seen:
                    raise InputError(f"prior: {name!r}: {'has two priors' if name in seen else 'is no parameter'}")
                seen.add(name)
        self._places = [np.array([self.names.index(n) for n in p.names], dtype=int) for p in self.priors]
        self._inverses = [np.linalg.inv(p.covariance) for p in self.priors]

    def __len__(self) -> int:
        return len(self.names)

    @property
    def values(self) -> Array:
        """Nominal values, (parameters,)."""
        return np.array([one.value for one in self.parameters])

    def array(self, values: Mapping[str, float] | None = None) -> Array:
        """Arrange values by name in the order of the parameters; those left out are nominal.

        Parameters
        ----------
        values : mapping, optional

        Returns
        -------
        float64 array (parameters,)

        Raises
        ------
        InputError
            For an unknown name or a value that is not finite.
        """
        out = self.values
        for name, value in (values or {}).items():
            if name not in self.names:
                raise InputError("parameter", name, ", ".join(self.names))
            if not np.isfinite(value):
                raise InputError(name, value, "a finite number")
            out[self.names.index(name)] = value
        return out

    def penalty(self, x: Array) -> tuple[float, Array]:
        """Compute the chi2 of the priors and its gradient.

        Parameters
        ----------
        x : float64 array (parameters,)

        Returns
        -------
        chi2 : float
        gradient : float64 array (parameters,)
        """
        total, gradient = 0.0, np.zeros(len(x))
        for prior, at, inverse in zip(self.priors, self._places, self._inverses, strict=True):
            away = x[at] - prior.centre
            slope = inverse @ away
            total += float(away @ slope)
            gradient[at] += 2.0 * slope
        return total, gradient

    def with_centres(self, centres: Sequence[Array]) -> ParameterSet:
        """Return the same parameters with other centres of the priors, in their order."""
        moved = [replace(prior, centre=centre) for prior, centre in zip(self.priors, centres, strict=True)]
        return ParameterSet(self.parameters, moved)

    def thrown_centres(self, x: Array, rng: np.random.Generator) -> list[Array]:
        """Draw centres of the priors around values, as auxiliary measurements would give them.

        Parameters
        ----------
        x : float64 array (parameters,)
            True values.
        rng : numpy.random.Generator

        Returns
        -------
        list of float64 arrays
            One for each prior.
        """
        return [rng.multivariate_normal(x[at], p.covariance) for p, at in zip(self.priors, self._places, strict=True)]
