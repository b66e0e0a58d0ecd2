"""Flux tables in Honda's text format, as PISA, GENIE and NEUT read it, each with a twin file of errors.

A file is a row of blocks.  A block is two header lines and 101 rows (0.1 to 10,000 GeV, 20 per decade, log
centres of the bins): energy in GeV and the fluxes of numu, numubar, nue, nuebar in m^-2 s^-1 sr^-1 GeV^-1.
Blocks run over cos_zenith from 0.90..1.00 (down-going) to -1.00..-0.90 and, inside one, over azimuth (arrival
direction, degrees counter-clockwise from SOUTH: 0 S, 90 E, 180 N, 270 W) from 0..30 to 330..360.  Readers
count lines: no blank line and no comment may be added.

The twin ``.err.d`` has the same layout with the absolute statistical error (1 sigma) of every number.  Where
nothing was hit the flux is 0 and the error file holds the upper limit.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.results import Result

AZIMUTH_BLOCKS = 12

NO_LIMIT = 9.9999e99
"""Stands for an infinite limit (a site without any hit): not every reader knows ``inf``."""

COLUMN_LINE = " Enu(GeV)   NuMu       NuMubar    NuE        NuEbar  (m^2 sec sr GeV)^-1"

Array = NDArray[np.float64]


def write(result: Result, folder: Path) -> list[Path]:
    """Write Honda tables of every site of a result.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.

    Returns
    -------
    list of Path
        ``<site>-ally-20-12.d``, ``<site>-honda-aa.d`` and their ``.err.d`` twins, per site.  The names carry
        ``honda`` and ``aa`` because PISA tells formats by them.
    """
    written = []
    for site in result.sites:
        flux, error = rebin_azimuth(*flux_and_error(result, site, "honda"), AZIMUTH_BLOCKS)
        mean, mean_error = flux_and_error(result, site, "honda_aa")
        energies = np.asarray(result.binning_energies("honda"))
        edges = np.asarray(result.binning_cos_edges("honda"))
        for stem, values, errors in (
            (f"{site}-ally-20-12", flux, error),
            (f"{site}-honda-aa", mean[..., np.newaxis], mean_error[..., np.newaxis]),
        ):
            for suffix, numbers in ((".d", values), (".err.d", errors)):
                path = folder / f"{stem}{suffix}"
                path.write_text("".join(blocks(numbers, energies, edges)), encoding="ascii")
                written.append(path)
    return written


def flux_and_error(result: Result, site: str, binning: str) -> tuple[Array, Array]:
    """Flux and absolute error, with the upper limit in place of the error where nothing was hit.

    An error of 0 beside a flux of 0 would tell a fit that the flux is known to be nothing.
    """
    flux, error, hits = result.binned(site, binning)
    limit = np.minimum(result.upper_limit(site, binning), NO_LIMIT)
    return np.asarray(flux), np.where(np.asarray(hits) > 0, error, limit)


def rebin_azimuth(flux: Array, error: Array, n: int) -> tuple[Array, Array]:
    """Average over neighbouring azimuth bins (last axis) so that ``n`` remain.

    Errors are added as independent ones.  Neutrinos of one shower that fall in neighbouring bins are slightly
    correlated, which this leaves out; a result made with ``n`` bins has the exact errors.
    """
    have = flux.shape[-1]
    if have == n:
        return flux, error
    if have % n:
        raise InputError("scoring.azimuth_bins of this result", have, f"a multiple of {n} for a Honda table")
    group = have // n
    shape = (*flux.shape[:-1], n, group)
    fluxes, errors = flux.reshape(shape), error.reshape(shape)
    mean = fluxes.mean(axis=-1)
    filled = fluxes > 0.0
    # Bins without hits carry a limit, not an error: it counts only where no bin of the group was hit, and
    # then the same few events spread over `group` bins are a limit `group` times lower.
    from_hits = np.sqrt(np.sum(np.where(filled, errors, 0.0) ** 2, axis=-1)) / group
    return mean, np.where(filled.any(axis=-1), from_hits, errors.mean(axis=-1) / group)


def blocks(values: Array, energies: Array, cos_edges: Array) -> Iterator[str]:
    """The text of a table, block by block.

    Parameters
    ----------
    values : array, shape (4, n_energy, n_cos, n_azimuth)
        Ascending in cos_zenith and azimuth; flavours numu, numubar, nue, nuebar.
    energies : array, shape (n_energy,)
        GeV.
    cos_edges : array, shape (n_cos + 1,)
    """
    n_azimuth = values.shape[3]
    width = 360 // n_azimuth
    for i in range(values.shape[2] - 1, -1, -1):
        # Adding 0 turns a rounded -0.00 into 0.00.
        low, high = np.round(cos_edges[i], 2) + 0.0, np.round(cos_edges[i + 1], 2) + 0.0
        for j in range(n_azimuth):
            yield (
                f"average flux in [cosZ ={low:5.2f} -- {high:5.2f}, "
                f"phi_Az = {j * width:3d} -- {(j + 1) * width:3d}]\n{COLUMN_LINE}\n"
            )
            rows = np.column_stack([energies, values[:, :, i, j].T])
            yield "".join((" %.4E" * 5 + "\n") % tuple(row) for row in rows)
