"""Fluxes of a result as tables: in memory, as CSV files, and as files in Honda's format.

Empty bins carry an upper limit in place of the error, so that a fit does not take a flux of 0 as known exactly.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.words import csv_conventions
from sim3d.errors import InputError
from sim3d.files import honda, honda_writing
from sim3d.files.csv_tables import write_grid
from sim3d.files.flux_table import FluxTable, rebin_azimuth
from sim3d.results.bin_errors import BinErrors, bin_errors, neutrino_grid, with_prompt
from sim3d.results.calibrated_run import derivatives_of_result, errors_of_result
from sim3d.results.model_parameters import ParameterErrors, relative_error

if TYPE_CHECKING:
    from sim3d.results.result import Result, SiteInfo

TABLE_BINNINGS = ("honda", "fluka", "fine")
"""Binnings that a table can have; the azimuth average of each has its own sums of squares and errors."""


def flux_and_errors(
    result: Result, site: str, binning: str, azimuth_bins: int | None = None
) -> tuple[Array, BinErrors]:
    """Return the flux and its errors: expected errors where hits are few, 90% upper limits where there are none.

    An error of 0 beside a flux of 0 would tell a fit that the flux is exactly 0. See
    :mod:`sim3d.results.bin_errors`.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        See :meth:`sim3d.results.result.Result.binning`.
    azimuth_bins : int, optional
        Merge azimuth bins first so that this many remain.

    Returns
    -------
    flux : float64 array (flavour, energy, cos_zenith, azimuth)
        One azimuth for an average ("_aa").
    errors : BinErrors
        Of that shape; ``error`` is absolute and never 0.

    Raises
    ------
    InputError
        For an unknown site or binning, or if the azimuth bins cannot be merged so.
    """
    flux, error, azimuths = _sample(result, site, binning, azimuth_bins)
    grid = neutrino_grid(result.binning_energies(binning), result.binning_cos_edges(binning), azimuths)
    found = bin_errors(flux, error, grid, result.n_batches)
    if not result.record.prompt:
        return flux, found
    prompt = prompt_of_table(result, site, binning)
    return flux + prompt, with_prompt(found, prompt)


def prompt_of_table(result: Result, site: str, binning: str) -> Array:
    """Return the flux of the neutrinos of charm for a table, see :meth:`sim3d.results.result.Result.prompt`.

    Parameters
    ----------
    result : Result
    site, binning : str

    Returns
    -------
    float64 array (flavour, energy, cos_zenith, 1)
        The same for all azimuths.
    """
    return result.prompt(site, f"{binning.removesuffix('_aa')}_aa")[..., None]


def _sample(result: Result, site: str, binning: str, azimuth_bins: int | None) -> tuple[Array, Array, Array]:
    """Return simulated flux and sample error with an azimuth axis, and the edges of the azimuth bins."""
    flux, error, _ = result.sampled(site, binning)
    if flux.ndim == 3:
        return flux[..., None], error[..., None], np.array([0.0, 360.0])
    if azimuth_bins is None:
        return flux, error, np.asarray(result.azimuth_edges_deg)
    flux, error = rebin_azimuth(flux, error, azimuth_bins)
    return flux, error, np.linspace(0.0, 360.0, azimuth_bins + 1)


def table_of_result(
    result: Result,
    site: str,
    binning: str = "honda",
    azimuth: bool = True,
    azimuth_bins: int | None = None,
    errors: ParameterErrors | None = None,
) -> FluxTable:
    """Make a flux table of one site of a result.

    Parameters
    ----------
    result : Result
    site : str
    binning : str
        honda, fluka or fine.
    azimuth : bool
        With azimuth bins, or the azimuth average with the errors that belong to it.
    azimuth_bins : int, optional
        Merge azimuth bins first so that this many remain.
    errors : ParameterErrors, optional
        Parameters of the model and their errors; by default those of the run's calibration, if it has one.

    Returns
    -------
    FluxTable
        With the errors of the model, if its parameters have errors.

    Raises
    ------
    InputError
        For an unknown site or binning.
    """
    if binning not in TABLE_BINNINGS:
        raise InputError("binning", binning, f"one of {', '.join(TABLE_BINNINGS)}")
    if site not in result.sites:
        raise InputError("site", site, f"one of {', '.join(result.sites)}")
    name = binning if azimuth else f"{binning}_aa"
    flux, statistical = flux_and_errors(result, site, name, azimuth_bins)
    table = FluxTable(
        flux=flux,
        error=statistical.error,
        kind=statistical.kind,
        energies_GeV=np.asarray(result.binning_energies(binning)),
        energy_edges_GeV=np.asarray(result.binning_energy_edges(binning)),
        energy_kind="bins",
        cos_edges=np.asarray(result.binning_cos_edges(binning)),
        azimuth_edges_deg=_azimuth_edges(result, azimuth, azimuth_bins),
        name=site,
        source=site,
        azimuth_frame=result.azimuth_frame,
        place=place_in_words(result.sites[site]),
        note="; ".join(filter(None, (result.record.config.calibration_in_words, _charm(result)))),
    )
    errors = errors or errors_of_result(result)
    if errors is None:
        return table
    return replace(table, model_relative=relative_error(table, derivatives_of_result(result, site, errors)))


def place_in_words(site: SiteInfo) -> str:
    """Describe where the fluxes of a table are: position, altitude and detector.

    Parameters
    ----------
    site : SiteInfo

    Returns
    -------
    str
    """
    position = f"latitude {site.lat_deg:.4f}, longitude {site.lon_deg:.4f}"
    return f"{position}, altitude {site.altitude_m:g} m, detector {site.patch}"


def sample_table(
    result: Result, site: str, binning: str = "honda", azimuth: bool = True, azimuth_bins: int | None = None
) -> FluxTable:
    """Make a flux table with the sample errors, which are 0 in bins without hits; for fits that know how to use them.

    Parameters as in :func:`table_of_result`. It has the simulated flux alone, without the neutrinos of charm.

    Returns
    -------
    FluxTable

    Raises
    ------
    InputError
        As :func:`table_of_result`.
    """
    table = table_of_result(result, site, binning, azimuth, azimuth_bins)
    flux, error, _ = _sample(result, site, binning if azimuth else f"{binning}_aa", azimuth_bins)
    return replace(table, flux=flux, error=error, kind=None)


def _charm(result: Result) -> str:
    return f"charm: {result.attributes['charm']}" if "charm" in result.attributes else ""


def _azimuth_edges(result: Result, azimuth: bool, bins: int | None) -> Array:
    if not azimuth:
        return np.array([0.0, 360.0])
    return np.asarray(result.azimuth_edges_deg) if bins is None else np.linspace(0.0, 360.0, bins + 1)


def write_csv_tables(result: Result, folder: Path, binning: str = "honda") -> list[Path]:
    """Write the fluxes of every site as CSV, averaged over azimuth and in azimuth bins.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.
    binning : str
        honda, the bins that all formats share, or fluka or fine, which the names of the files then state.

    Returns
    -------
    list of Path
        The files: ``<site>-aa.csv`` and ``<site>-azimuth.csv``, or ``<site>-fluka-aa.csv`` and so on.

    Raises
    ------
    InputError
        For an unknown binning, or if a file cannot be written.
    """
    if binning not in TABLE_BINNINGS:
        raise InputError("binning", binning, f"one of {', '.join(TABLE_BINNINGS)}")
    written = []
    for name, site in result.sites.items():
        title = f"sim3d atmospheric neutrino fluxes, {name}: {place_in_words(site)}"
        stem = name if binning == "honda" else f"{name}-{binning}"
        for ending, azimuth in (("aa", False), ("azimuth", True)):
            table = table_of_result(result, name, binning, azimuth)
            assert table.error is not None
            unit, energy, *others = csv_conventions(result.azimuth_frame)
            if binning == "fine":
                energy = energy.replace("20 bins", "40 bins")
            path = folder / f"{stem}-{ending}.csv"
            about = (title, unit, energy, *others, table.note)
            written.append(write_grid(path, about, table, table.error))
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
        ``<site>-honda-ally-20-12.d``, ``<site>-honda-aa.d`` and their twins of errors, per site
        (:func:`sim3d.files.honda_writing.write_table`). A table with azimuth has the result's own bins where their
        number is no multiple of 12, and is left out where they have no whole degrees.
    """
    written = []
    azimuths = honda.HONDA_AZIMUTHS
    merged = azimuths if (len(result.azimuth_edges_deg) - 1) % azimuths == 0 else None
    for site in result.sites:
        for azimuth in (True, False):
            table = table_of_result(result, site, "honda", azimuth, merged if azimuth else None)
            written += honda_writing.write_what_fits(table, folder, site)
    return written
