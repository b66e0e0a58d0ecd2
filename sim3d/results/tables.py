"""Fluxes of a result as tables: in memory, as CSV files, and as files in Honda's format.

Empty bins carry an upper limit in place of the error, so that a fit does not take a flux of 0 as known exactly.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.words import csv_conventions
from sim3d.errors import InputError
from sim3d.files import honda
from sim3d.files.csv_files import write_lines
from sim3d.files.csv_tables import TABLE_COLUMNS, csv_rows
from sim3d.files.flux_table import NO_LIMIT, FluxTable

if TYPE_CHECKING:
    from sim3d.results.result import Result

TABLE_BINNINGS = ("honda", "fluka", "fine")
"""Binnings that a table can have; the azimuth average of each has its own sums of squares and errors."""


def flux_and_error(result: Result, site: str, binning: str) -> tuple[Array, Array]:
    """Return the flux and its absolute error, with the 90% upper limit in place of the error in bins without hits.

    An error of 0 beside a flux of 0 would tell a fit that the flux is exactly 0.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        See :meth:`sim3d.results.result.Result.binning`.

    Returns
    -------
    flux, error : float64 arrays
        Shape and unit as :meth:`sim3d.results.result.Result.binned`.
    """
    flux, error, hits = result.binned(site, binning)
    limit = np.minimum(result.upper_limit(site, binning), NO_LIMIT)
    return np.asarray(flux), np.where(np.asarray(hits) > 0, error, limit)


def table_of_result(result: Result, site: str, binning: str = "honda", azimuth: bool = True) -> FluxTable:
    """Make a flux table of one site of a result.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.
    azimuth : bool
        With azimuth bins, or the azimuth average with the errors that belong to it.

    Returns
    -------
    FluxTable

    Raises
    ------
    InputError
        For an unknown site or binning.
    """
    if binning not in TABLE_BINNINGS:
        raise InputError("binning", binning, f"one of {', '.join(TABLE_BINNINGS)}")
    if site not in result.sites:
        raise InputError("site", site, f"one of {', '.join(result.sites)}")
    flux, error = flux_and_error(result, site, binning if azimuth else f"{binning}_aa")
    return FluxTable(
        flux=flux if azimuth else flux[..., None],
        error=error if azimuth else error[..., None],
        energies_GeV=np.asarray(result.binning_energies(binning)),
        energy_edges_GeV=np.asarray(result.binning_energy_edges(binning)),
        energy_kind="bins",
        cos_edges=np.asarray(result.binning_cos_edges(binning)),
        azimuth_edges_deg=np.asarray(result.azimuth_edges_deg) if azimuth else np.array([0.0, 360.0]),
        name=site,
        source=site,
        azimuth_frame=result.azimuth_frame,
    )


def write_csv_tables(result: Result, folder: Path) -> list[Path]:
    """Write the fluxes of every site as CSV: ``<site>-aa.csv`` (averaged over azimuth) and ``<site>-azimuth.csv``.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        The files.
    """
    written = []
    energies = np.asarray(result.binning_energies("fluka"))
    cos_edges = np.asarray(result.binning_cos_edges("fluka"))
    azimuth_edges = np.asarray(result.azimuth_edges_deg)
    for name, site in result.sites.items():
        title = (
            f"sim3d atmospheric neutrino fluxes, {name}: latitude {site.lat_deg:.4f}, "
            f"longitude {site.lon_deg:.4f}, altitude {site.altitude_m:g} m, detector {site.patch}"
        )
        flux, error = flux_and_error(result, name, "fluka")
        mean, mean_error = flux_and_error(result, name, "fluka_aa")
        for ending, values, errors, edges in (
            ("aa", mean[..., np.newaxis], mean_error[..., np.newaxis], np.array([0.0, 360.0])),
            ("azimuth", flux, error, azimuth_edges),
        ):
            path = folder / f"{name}-{ending}.csv"
            rows = csv_rows(result.flavours, energies, cos_edges, edges, values, errors)
            write_lines(path, (title, *csv_conventions(result.azimuth_frame)), TABLE_COLUMNS, rows)
            written.append(path)
    return written


def write_honda_tables(result: Result, folder: Path) -> list[Path]:
    """Write the fluxes of every site of a result as tables in Honda's format.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        ``<site>-honda-ally-20-12.d``, ``<site>-honda-aa.d`` and their ``.err.d`` twins, per site
        (:func:`sim3d.files.honda.file_stem`). A table with azimuth has the result's own bins where their number is no
        multiple of 12, and is left out where they have no whole degrees.
    """
    written = []
    for site in result.sites:
        for azimuth in (True, False):
            written += honda.write_what_fits(table_of_result(result, site, "honda", azimuth), folder, site)
    return written
