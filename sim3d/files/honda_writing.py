"""Write flux tables in Honda's text format (:mod:`sim3d.files.honda` describes it), with twin files of errors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.words import AZIMUTH_FRAMES
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.flux_table import FluxTable
from sim3d.files.honda import (
    COLUMN_LINE,
    FRAME_WORDS,
    HONDA_AZIMUTHS,
    HONDA_COS_EDGES,
    HONDA_ENERGIES_GEV,
    PRINTED_PRECISION,
)

_FLUX_HEAD, _ERROR_HEAD = "average flux", "error of flux"


def write_table(table: FluxTable, folder: Path, name: str) -> list[Path]:
    """Write a flux table in Honda's format, with a twin for each kind of error that it has; see :func:`file_stem`.

    The twins are ``.err.d`` (statistical), ``.model.err.d`` and ``.total.err.d``.

    Parameters
    ----------
    table : FluxTable
    folder : Path
    name : str

    Returns
    -------
    list of Path
        The files written.

    Raises
    ------
    InputError
        If its azimuth bins are not equal and of whole degrees, as the format's headers require.
    """
    n = table.flux.shape[3]
    if 360 % n or not np.allclose(table.azimuth_edges_deg, np.linspace(0.0, 360.0, n + 1)):
        raise InputError("azimuth bins of this table", n, "equal bins of whole degrees for a Honda table")
    grid = (table.energies_GeV, table.cos_edges)
    stem = folder / file_stem(table, name)
    errors = table.errors()
    written = write_pair(stem, table.flux, errors.pop("statistical", None), *grid, table.azimuth_frame)
    for kind, error in errors.items():
        path = stem.with_name(f"{stem.name}.{kind}.err.d")
        text = "".join(blocks(error, *grid, f"{kind} {_ERROR_HEAD}", table.azimuth_frame))
        written.append(write_bytes(path, text.encode("ascii")))
    return written


def file_stem(table: FluxTable, name: str) -> str:
    """Name of the file of a table, without ``.d``.

    PISA (``pisa/utils/flux_weights.py``) takes a file for an azimuth average by the letters ``aa`` anywhere in its
    path, and refuses them in a table with azimuth. It wants ``honda`` in both paths, and counts on Honda's grid without
    looking at it. The names follow these rules, and other grids have other names.

    Parameters
    ----------
    table : FluxTable
    name : str
        Of the site, or what the file is to begin with.

    Returns
    -------
    str
        ``<name>-honda-aa`` and ``<name>-honda-ally-20-12`` for Honda's grid, where ``aa`` in the name of a table with
        azimuth becomes ``a_a``; ``<name>-<energies>x<zeniths>`` and ``<name>-<energies>x<zeniths>x<azimuths>`` for
        others.
    """
    n_energy, n_cos, n = table.flux.shape[1:]
    if not has_honda_grid(table):
        return f"{name}-{n_energy}x{n_cos}" + (f"x{n}" if table.has_azimuth else "")
    if not table.has_azimuth:
        return f"{name}-honda-aa"
    return f"{re.sub('a(?=a)', 'a_', name)}-honda-ally-{n_cos}-{n}"


def has_honda_grid(table: FluxTable) -> bool:
    """Whether a table has the energies, zenith bins and azimuth bins of those that Honda's group distributes.

    Parameters
    ----------
    table : FluxTable

    Returns
    -------
    bool
        True for 101 energies from 0.1 GeV to 10 TeV, 20 equal bins of cos_zenith, and 12 or no bins of azimuth.
    """
    return table.flux.shape[3] in (1, HONDA_AZIMUTHS) and _has_honda_bins(table)


def _has_honda_bins(table: FluxTable) -> bool:
    """Whether the energies and zenith bins are Honda's."""
    return (
        table.flux.shape[1:3] == (len(HONDA_ENERGIES_GEV), len(HONDA_COS_EDGES) - 1)
        and np.allclose(table.energies_GeV, HONDA_ENERGIES_GEV, rtol=PRINTED_PRECISION)
        and np.allclose(table.cos_edges, HONDA_COS_EDGES, atol=1e-6)
    )


def write_what_fits(table: FluxTable, folder: Path, name: str) -> list[Path]:
    """Write a table with the azimuth bins that Honda's format can have; see :func:`write_table`.

    Parameters
    ----------
    table : FluxTable
        With azimuth bins of equal width, or without. On Honda's energies and zenith bins azimuth bins are merged to
        Honda's 12 if their number is a multiple of it.
    folder : Path
    name : str

    Returns
    -------
    list of Path
        The files written; none if the azimuth bins have no whole degrees, which the headers of the format cannot state
        (:func:`azimuth_note`).
    """
    n = table.flux.shape[3]
    if n % HONDA_AZIMUTHS == 0 and _has_honda_bins(table):
        table = table.with_azimuth_bins(HONDA_AZIMUTHS)
    elif 360 % n:
        return []
    return write_table(table, folder, name)


def azimuth_note(n: int) -> str:
    """State what becomes of a number of azimuth bins that is no multiple of Honda's 12; empty for others.

    Parameters
    ----------
    n : int

    Returns
    -------
    str
    """
    if n % HONDA_AZIMUTHS == 0:
        return ""
    if 360 % n == 0:
        return f"{n} azimuth bins do not make Honda's {HONDA_AZIMUTHS}: the azimuth table has {n}, under another name"
    return (
        f"{n} azimuth bins have no whole degrees: no azimuth table in Honda's format, --format csv and export have it"
    )


def write_pair(
    stem: Path, flux: Array, error: Array | None, energies: Array, cos_edges: Array, azimuth_frame: str = ""
) -> list[Path]:
    """Write a flux table and, if there are errors, its twin.

    Parameters
    ----------
    stem : Path
        Path without the suffix ``.d`` or ``.err.d``.
    flux : array, shape (4, n_energy, n_cos, n_azimuth)
    error : array of the same shape, or None
    energies : array, shape (n_energy,)
        GeV.
    cos_edges : array, shape (n_cos + 1,)
    azimuth_frame : str
        See :func:`blocks`.

    Returns
    -------
    list of Path
        The files written.
    """
    written = []
    for suffix, numbers, what in ((".d", flux, _FLUX_HEAD), (".err.d", error, _ERROR_HEAD)):
        if numbers is not None:
            path = stem.with_name(f"{stem.name}{suffix}")
            text = "".join(blocks(numbers, energies, cos_edges, what, azimuth_frame))
            written.append(write_bytes(path, text.encode("ascii")))
    return written


def blocks(
    values: Array, energies: Array, cos_edges: Array, what: str = _FLUX_HEAD, azimuth_frame: str = ""
) -> Iterator[str]:
    """Yield the text of a table, block by block.

    Parameters
    ----------
    values : array, shape (4, n_energy, n_cos, n_azimuth)
        Ascending in cos_zenith and azimuth; flavours numu, numubar, nue, nuebar.
    energies : array, shape (n_energy,)
        GeV.
    cos_edges : array, shape (n_cos + 1,)
    what : str
        First words of the headers.
    azimuth_frame : str
        Key of :data:`sim3d.conventions.words.AZIMUTH_FRAMES`; a table with azimuth bins states it behind the unit.

    Yields
    ------
    str
    """
    n_azimuth = values.shape[3]
    stated = n_azimuth > 1 and azimuth_frame in AZIMUTH_FRAMES
    columns = f"{COLUMN_LINE}  {FRAME_WORDS.format(azimuth_frame)}" if stated else COLUMN_LINE
    width = 360 // n_azimuth
    for i in range(values.shape[2] - 1, -1, -1):
        # Adding 0 turns a rounded -0.00 into 0.00.
        low, high = np.round(cos_edges[i], 2) + 0.0, np.round(cos_edges[i + 1], 2) + 0.0
        for j in range(n_azimuth):
            yield (
                f"{what} in [cosZ ={low:5.2f} -- {high:5.2f}, "
                f"phi_Az = {j * width:3d} -- {(j + 1) * width:3d}]\n{columns}\n"
            )
            rows = np.column_stack([energies, values[:, :, i, j].T])
            yield "".join((" %.4E" * 5 + "\n") % tuple(row) for row in rows)
