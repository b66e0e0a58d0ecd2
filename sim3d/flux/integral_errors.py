"""Errors of integrals of the flux over bins: slopes by the model's parameters, and statistical variances."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_index
from sim3d.flux.bin_correlation import NO_CORRELATION, BinCorrelation
from sim3d.flux.interpolation import InterpolatedTables, azimuth_turn


def integral_slopes(
    flux: InterpolatedTables,
    derivatives: Callable[..., Array],
    flavour: str,
    energy_edges_GeV: ArrayLike,
    cos_edges: ArrayLike,
    azimuth_edges_deg: ArrayLike | None,
) -> Array:
    """Compute the derivatives of integrals of the flux by the parameters, each per sigma.

    Parameters
    ----------
    flux : InterpolatedTables
    derivatives : callable
        :meth:`sim3d.Flux.derivatives`.
    flavour : str
    energy_edges_GeV, cos_edges, azimuth_edges_deg
        As in :meth:`sim3d.Flux.integral`.

    Returns
    -------
    float64 array (*shape of the integral, parameters)
        m^-2 s^-1. The integral over each cell of the table times d ln(flux) at the cell's middle, added up.
    """
    energy, e_first = _refined(energy_edges_GeV, flux.table.energy_edges_GeV)
    cos, c_first = _refined(cos_edges, flux.table.cos_edges)
    cells = np.asarray(flux.integral(flavour, energy, cos, azimuth_edges_deg))
    middle = np.sqrt(energy[1:] * energy[:-1])[:, None], 0.5 * (cos[1:] + cos[:-1])
    slopes = derivatives(flavour, *middle).reshape(len(energy) - 1, len(cos) - 1, -1)
    if azimuth_edges_deg is not None:
        slopes = slopes[:, :, None]
    return _added(cells[..., None] * slopes, e_first, c_first)


def integral_variance(
    flux: InterpolatedTables,
    flavours: Sequence[str],
    energy_edges_GeV: ArrayLike,
    cos_edges: ArrayLike,
    azimuth_edges_deg: ArrayLike | None,
    correlation: BinCorrelation = NO_CORRELATION,
) -> Array:
    """Compute the statistical variance of integrals of the sum of flavours.

    The cells of a smooth table are taken to have one error in common, which is an upper limit. Those of other tables
    have the correlation that is given.

    Parameters
    ----------
    flux : InterpolatedTables
    flavours : sequence of str
    energy_edges_GeV, cos_edges, azimuth_edges_deg
        As for :func:`integral_slopes`.
    correlation : BinCorrelation, optional
        Of the cells of the azimuth average; by default they are independent.

    Returns
    -------
    float64 array, shape of the integral
        (m^-2 s^-1)^2.
    """
    azimuth = azimuth_edges_deg is not None
    table = flux.azimuth_table if azimuth else flux.table
    assert table is not None
    assert table.error is not None
    energy, e_first = _refined(energy_edges_GeV, table.energy_edges_GeV)
    cos, c_first = _refined(cos_edges, table.cos_edges)
    known = [name for name in flavours if flavour_index(name) < len(FLAVOURS)]  # no tau neutrinos are made
    if not known:
        return np.zeros_like(flux.integral(flavours[0], energy_edges_GeV, cos_edges, azimuth_edges_deg))
    rows = _cell(np.sqrt(energy[1:] * energy[:-1]), table.energy_edges_GeV)
    columns = _cell(0.5 * (cos[1:] + cos[:-1]), table.cos_edges)
    relative = np.divide(table.error, table.flux, out=np.zeros_like(table.flux), where=table.hit)
    angles, of_angle, a_first = None, np.zeros(1, dtype=int), np.zeros(1, dtype=int)
    if azimuth_edges_deg is not None:
        edges = np.concatenate([table.azimuth_edges_deg[:-1], table.azimuth_edges_deg + 360.0])
        angles, a_first = _refined(azimuth_turn(azimuth_edges_deg), edges)
        of_angle = _cell(np.mod(0.5 * (angles[1:] + angles[:-1]), 360.0), table.azimuth_edges_deg)
    errors = []
    for name in known:
        cells = np.asarray(flux.integral(name, energy, cos, angles)).reshape(len(rows), len(columns), -1)
        errors.append(cells * relative[flavour_index(name)][np.ix_(rows, columns)][..., of_angle])

    def added(values: Array) -> Array:
        return np.add.reduceat(_added(values, e_first, c_first), a_first, axis=2)

    together = np.sum(errors, axis=0)
    if table.smooth:
        out = added(together) ** 2
    else:
        ratios = np.broadcast_to(correlation.ratios, (len(FLAVOURS), *table.flux.shape[1:3], 1))
        total = np.broadcast_to(correlation.total, (*table.flux.shape[1:3], 1))
        at = np.ix_(rows, columns)
        own = [error**2 * ratios[flavour_index(name)][at] for name, error in zip(known, errors, strict=True)]
        # flavours have no negative correlation
        common = 0.25 * np.maximum(total - ratios.mean(axis=0), 0.0)[at]
        out = added(np.sum(own, axis=0) + common * together**2)
    return out if azimuth else out[..., 0]


def _refined(edges: ArrayLike, cells: Array) -> tuple[Array, Any]:
    """Return edges with those of the table between them, and the place of each bin's first part."""
    wanted = np.asarray(edges, dtype=float)
    inside = cells[(cells > wanted[0]) & (cells < wanted[-1])]
    # an edge of the table that is one of the bins up to rounding is no other one
    new = inside[np.min(np.abs(inside[:, None] - wanted), axis=1) > 1e-9 * np.abs(inside).clip(1e-3)]
    fine = np.sort(np.concatenate([wanted, new]))
    return fine, np.searchsorted(fine, wanted[:-1])


def _cell(x: Array, edges: Array) -> Any:
    return np.clip(np.searchsorted(edges, x, side="right") - 1, 0, len(edges) - 2)


def _added(parts: Array, e_first: Any, c_first: Any) -> Array:
    return np.add.reduceat(np.add.reduceat(parts, e_first, axis=0), c_first, axis=1)
