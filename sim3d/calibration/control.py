"""Correction of fluxes of the cascade equations by a simulation: the smooth part of the ratio of both.

A simulation has statistics, the cascade equations leave out what three dimensions do. That is smooth in momentum and
falls with it: angles of production and deflection matter at a few GeV/c. So the ratio of the simulation to the
equations at the points of a measurement is fitted by

    K(p) = k_0 + k_1 / p + k_2 / p^2 (p in GeV/c),

for each charge, with k_0 alone where all points are above 5 GeV/c. The prediction is the flux of the equations times K.
k_0 should be 1 within its error; it is left free. The weights of the fit come from the variance of the simulation
as a smooth function of momentum, since the variance of a single point is correlated with its value. Ratios of runs at
several values of the parameters are put together: K is what three dimensions do, which hardly depends on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim3d.conventions.arrays import Array

ONE_DIMENSION_ABOVE_GEV = 5.0
POWERS = (0.0, -1.0, -2.0)
_SMOOTH_VARIANCE_DEGREE = 2
_LEAST_ERROR = 1e-9


@dataclass(frozen=True)
class CascadePoints:
    """Fluxes at the points of a measurement by the cascade equations.

    Attributes
    ----------
    charges : float64 array (2, points)
        Of mu+ and mu-, m^-2 s^-1 sr^-1 (GeV/c)^-1; points of all observables, one after another.
    higher : float64 array (2, points)
        The same 0.2 km higher.
    slopes : float64 array (2, points, parameters)
        Derivatives of ln(charges), in the parameters' own units.
    """

    charges: Array
    higher: Array
    slopes: Array


@dataclass(frozen=True)
class Ratios:
    """Simulations over cascade equations, each at the same values of the parameters, in independent groups of batches.

    Attributes
    ----------
    groups : float64 array (groups, 2, points)
        Of mu+ and mu-.
    primaries : float64 array (groups,)
        Number of primaries of each, its weight.
    """

    groups: Array
    primaries: Array

    def and_those(self, others: Sequence[Ratios]) -> Ratios:
        """Join the groups of several."""
        every = (self, *others)
        return Ratios(np.concatenate([one.groups for one in every]), np.concatenate([one.primaries for one in every]))

    @property
    def mean(self) -> Array:
        """Weighted mean, (2, points)."""
        return np.asarray(np.tensordot(self.share, self.groups, axes=1))

    @property
    def share(self) -> Array:
        """Share of each group in the mean."""
        return np.asarray(self.primaries / self.primaries.sum())

    @property
    def rests(self) -> Array:
        """Means without each group, for the jackknife, (groups, 2, points)."""
        share = self.share[:, None, None]
        return np.asarray((self.mean - share * self.groups) / (1.0 - share))


def smooth_factors(ratio: Array, variance: Array, momentum_GeV: Array) -> Array:
    """Return the matrix that turns ratios at the points into the smooth function K at the points.

    Parameters
    ----------
    ratio, variance : float64 arrays (points,)
        Simulation over cascade equations for one charge, and its variance.
    momentum_GeV : float64 array (points,)
        GeV/c.

    Returns
    -------
    float64 array (points, points)

    Examples
    --------
    >>> p = np.geomspace(1.0, 100.0, 50)
    >>> truth = 1.0 - 0.05 / p
    >>> K = smooth_factors(truth, 0.01 * np.ones(50), p) @ truth
    >>> bool(np.allclose(K, truth))
    True
    """
    powers = POWERS if momentum_GeV.min() < ONE_DIMENSION_ABOVE_GEV else POWERS[:1]
    basis = momentum_GeV[:, None] ** np.array(powers)
    logs = np.log(momentum_GeV)
    known = variance > (_LEAST_ERROR * ratio) ** 2
    weights = np.ones_like(logs)
    if len(set(logs[known].tolist())) > _SMOOTH_VARIANCE_DEGREE:
        law = np.polynomial.Polynomial.fit(logs[known], np.log(variance[known]), _SMOOTH_VARIANCE_DEGREE)
        weights = np.exp(-law(logs))
    weighted = basis.T * weights
    return np.asarray(basis @ np.linalg.solve(weighted @ basis, weighted))
