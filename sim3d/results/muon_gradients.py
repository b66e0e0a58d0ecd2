"""Derivatives of the fluxes of mu+ and mu- with respect to model parameters, by level, momentum and zenith.

The estimator is that of the neutrinos' (:mod:`sim3d.shower.gradients`). Statistical errors come from the jackknife over
groups of batches and include the correlation between a derivative and the flux, which the same showers score.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.results.gradients import over
from sim3d.results.jackknife import jackknife
from sim3d.scoring.muons import N_CHARGES, PARTICLES, cos_edges, momentum_edges

if TYPE_CHECKING:
    from sim3d.results.result import Result


@dataclass(frozen=True)
class MuonGradients:
    """Derivatives of the muon fluxes at the levels of a site.

    Attributes
    ----------
    site : str
    altitudes_km : float64 array (levels,)
        Highest first.
    momentum_edges_GeV, cos_zenith_edges : float64 arrays
    columns : tuple of str
        ``flux``, the parameters, and ``variation:NAME`` of the points.
    groups : float64 array (N_GROUPS, levels, 2, momentum, cos_zenith, column)
        Integrals over each bin (m^-2 s^-1), of mu+ and mu-, means over the batches of each group.
    group_weights : int array (N_GROUPS,)
        Number of batches in each group.
    """

    site: str
    altitudes_km: Array
    momentum_edges_GeV: Array
    cos_zenith_edges: Array
    columns: tuple[str, ...]
    groups: Array
    group_weights: Array

    @property
    def parameters(self) -> tuple[str, ...]:
        """Parameters that have derivatives."""
        return tuple(name for name in self.columns[1:] if not name.startswith("variation:"))

    def column(self, name: str) -> int:
        """Find a column by its name.

        Parameters
        ----------
        name : str

        Returns
        -------
        int

        Raises
        ------
        InputError
            If the run has no such column.
        """
        if name not in self.columns:
            raise InputError("parameter", name, f"one that the run made gradients for: {', '.join(self.parameters)}")
        return self.columns.index(name)

    def derive(self, quantity: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Compute a function of the mean integrals, and its jackknife error.

        Parameters
        ----------
        quantity : callable
            Takes an array (level, charge, momentum, cos_zenith, column) of integrals over bins (m^-2 s^-1).

        Returns
        -------
        value, error : arrays
            As :func:`sim3d.results.jackknife.jackknife`.
        """
        return jackknife(quantity, self.groups, self.group_weights, signed=True)

    def gradient(self, parameter: str, relative: bool = False) -> tuple[Array, Array]:
        """Compute the derivative of the flux, or of its logarithm, and its error.

        Parameters
        ----------
        parameter : str
        relative : bool
            Derivative of ln(flux) instead of the flux.

        Returns
        -------
        value, error : float64 arrays (level, charge, momentum, cos_zenith)
            m^-2 s^-1 sr^-1 (GeV/c)^-1 per unit of the parameter; relative: 1 per unit.

        Raises
        ------
        InputError
            As :meth:`column`.
        """
        i = self.column(parameter)
        if relative:
            return self.derive(lambda mean: over(mean[..., i], mean[..., 0]))
        space = 2.0 * math.pi * np.diff(self.momentum_edges_GeV)[:, None] * np.diff(self.cos_zenith_edges)
        return self.derive(lambda mean: mean[..., i] / space)

    def vary(
        self, values: Mapping[str, float], charges: tuple[str, ...] = PARTICLES[:N_CHARGES]
    ) -> tuple[Array, Array]:
        """Predict the ratio of the flux for other values of the parameters to the run's own, linearly.

        Parameters
        ----------
        values : mapping
            Values by name; 0 is the run's own model.
        charges : tuple of str
            ``mu+``, ``mu-`` or both, whose fluxes are added.

        Returns
        -------
        ratio, error : float64 arrays (level, momentum, cos_zenith)

        Raises
        ------
        InputError
            As :meth:`column`.
        """
        places = [self.column(name) for name in values]
        rows = [PARTICLES.index(name) for name in charges]
        changes = np.array(list(values.values()), dtype=float)

        def ratio(mean: Array) -> Array:
            total = mean[:, rows].sum(axis=1)
            return 1.0 + over(total[..., places] @ changes, total[..., 0])

        return self.derive(ratio)


def muon_gradients(result: Result, site: str | None = None) -> MuonGradients:
    """Read the gradients of the muon fluxes at a site of a result.

    Parameters
    ----------
    result : Result
        Of a run with ``scoring.muons = true`` and ``scoring.gradients``.
    site : str, optional
        By default the run's first site.

    Returns
    -------
    MuonGradients

    Raises
    ------
    InputError
        If the run made none, or has no such site.
    """
    config = result.record.config
    name = result.default_site(site)
    sums = result.extra("muon_gradients", name)
    place = list(result.sites).index(name)
    weights = result.group_weights
    altitudes = np.asarray(result.attributes["muon_altitudes_km"], dtype=float).reshape(len(result.sites), -1)
    return MuonGradients(
        site=name,
        altitudes_km=altitudes[place],
        momentum_edges_GeV=momentum_edges(config),
        cos_zenith_edges=cos_edges(config),
        columns=config.scoring.columns,
        groups=sums.group_sums() / np.maximum(weights, 1).reshape(-1, 1, 1, 1, 1, 1),
        group_weights=weights,
    )
