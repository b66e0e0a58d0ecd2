"""Smooth fluxes of one site at several dates of the geomagnetic field, from one run for each date.

The field changes the flux by about a percent in twenty years, less than a run of ordinary size can see in a bin. So the
runs share one smooth flux, fitted to their mean, and each date has a factor on it: the exponential of penalised splines
in energy and zenith, common to flavours and azimuths (:func:`sim3d.flux.smoothing.factor_on`). A penalty on its first
differences makes it as flat as the runs permit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.files.flux_table import FluxTable
from sim3d.flux.bin_correlation import BinCorrelation, mean_correlation
from sim3d.flux.smoothing import correlation_of, factor_on, smooth_average, smooth_azimuth
from sim3d.results.result import Result
from sim3d.results.tables import sample_table


@dataclass(frozen=True)
class DatedFluxes:
    """Smooth fluxes of several dates.

    Attributes
    ----------
    table : FluxTable
        Bins, and the flux that the dates share.
    flux, relative_error : float64 arrays (date, flavour, energy, cos_zenith, azimuth)
        m^-2 s^-1 sr^-1 GeV^-1. Errors of different dates are almost fully correlated.
    relative_error_of_average : float64 array (date, flavour, energy, cos_zenith)
    """

    table: FluxTable
    flux: Array
    relative_error: Array
    relative_error_of_average: Array


def smooth_dates(results: Sequence[Result], site: str, azimuth_bins: int, shape: Array | None = None) -> DatedFluxes:
    """Fit the fluxes of a site at several dates.

    Parameters
    ----------
    results : sequence of Result
        One for each date, of as many primaries each, with different seeds.
    site : str
    azimuth_bins : int
    shape : float64 array (flavour, energy, cos_zenith), optional
        A flux without noise (:func:`sim3d.flux.smoothing.smooth_average`).

    Returns
    -------
    DatedFluxes

    Raises
    ------
    InputError
        As :func:`sim3d.flux.smoothing.smooth_result`.
    """
    averages = [sample_table(one, site, "honda", azimuth=False) for one in results]
    tables = [sample_table(one, site, "honda", azimuth=True, azimuth_bins=azimuth_bins) for one in results]
    correlation, of_azimuth = (
        mean_correlation([correlation_of(one, site, table) for one, table in zip(results, each, strict=True)])
        for each in (averages, tables)
    )
    fitted = smooth_average(mean_table(averages), shape, correlation)
    average, shared = fitted.table, smooth_azimuth(mean_table(tables), fitted, of_azimuth).table
    assert average.error is not None
    assert shared.error is not None
    relative = [shared.error / shared.flux, (average.error / average.flux)[..., 0]]
    flux, error, of_average = [], [], []
    for table in averages:
        factor, spread = np.ones((1, 1, 1)), np.zeros((1, 1, 1))
        if len(tables) > 1:
            # a run is part of the mean, so that their ratio has less than the run's variance
            part = 1.0 - 1.0 / len(tables)
            of_ratio = BinCorrelation(correlation.total * part, correlation.ratios * part)
            factor, spread = factor_on(table, average, of_ratio)
        flux.append(shared.flux * factor)
        error.append(np.hypot(relative[0], spread))
        of_average.append(np.hypot(relative[1], spread[..., 0]))
    return DatedFluxes(shared, np.stack(flux), np.stack(error), np.stack(of_average))


def mean_table(tables: Sequence[FluxTable]) -> FluxTable:
    """Average tables of independent runs of one size.

    Parameters
    ----------
    tables : sequence of FluxTable
        With sample errors and the same bins.

    Returns
    -------
    FluxTable
    """
    flux = np.mean([one.flux for one in tables], axis=0)
    squares = [np.where(one.hit, 0.0 if one.error is None else one.error, 0.0) ** 2 for one in tables]
    return replace(tables[0], flux=flux, error=np.sqrt(np.sum(squares, axis=0)) / len(tables), kind=None)
