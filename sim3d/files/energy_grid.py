"""Energies of a flux table that was printed with few digits, and the edges of the bins around them."""

from __future__ import annotations

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.flux_table import EnergyKind


def exact_energies(energies: Array, precision: float) -> Array:
    """Replace energies that are equally spaced in the logarithm within their rounding by exactly spaced ones.

    At a spectral index of 3 the rounding of an energy would otherwise matter more than that of the flux.

    Parameters
    ----------
    energies : float64 array (n,)
        Ascending, GeV.
    precision : float
        Relative rounding error of an energy.

    Returns
    -------
    float64 array (n,)

    Examples
    --------
    >>> float(exact_energies(np.array([0.1, 0.11220, 0.12589]), 1e-4)[1].round(6))
    0.112201
    """
    exact = np.geomspace(energies[0], energies[-1], len(energies))
    return exact if np.all(np.abs(energies / exact - 1.0) < precision) else energies


def energy_edges(energies: Array, kind: EnergyKind, source: str) -> Array:
    """Compute the edges of energy bins, halfway between the energies in the logarithm.

    Parameters
    ----------
    energies : float64 array (n,)
        Ascending, GeV.
    kind : "points" or "bins"
        The outermost edges are the outermost points, or half a bin beyond the outermost centres.
    source : str
        The file, for the error message.

    Returns
    -------
    float64 array (n + 1,)

    Raises
    ------
    InputError
        For bins around a single energy.
    """
    logs = np.log(energies)
    middles = 0.5 * (logs[1:] + logs[:-1])
    if kind == "points":
        edges = np.exp(np.concatenate([logs[:1], middles, logs[-1:]]))
        edges[[0, -1]] = energies[[0, -1]]
        return edges
    if len(logs) < 2:
        raise InputError(f"{source}: a table of one energy has no energy bins; read it as points")
    first, last = logs[0] - 0.5 * (logs[1] - logs[0]), logs[-1] + 0.5 * (logs[-1] - logs[-2])
    return np.exp(np.concatenate([[first], middles, [last]]))
