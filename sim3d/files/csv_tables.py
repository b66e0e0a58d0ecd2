"""Write flux tables as CSV: one row per flavour, energy, zenith and azimuth bin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.words import csv_conventions
from sim3d.files.csv_files import write_lines

if TYPE_CHECKING:
    from sim3d.files.flux_table import FluxTable

TABLE_COLUMNS = (
    "flavour",
    "energy_GeV",
    "cos_zenith_low",
    "cos_zenith_high",
    "azimuth_low_deg",
    "azimuth_high_deg",
    "flux",
    "error",
)


def write_table(table: FluxTable, folder: Path, name: str) -> Path:
    """Write a flux table as ``<name>-aa.csv``, or ``<name>-azimuth.csv`` with azimuth bins; missing errors are nan.

    Parameters
    ----------
    table : FluxTable
    folder : Path
    name : str

    Returns
    -------
    Path
        The file written.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    path = folder / f"{name}-{'azimuth' if table.has_azimuth else 'aa'}.csv"
    energy = "a point, not a bin" if table.energy_kind == "points" else "log centre of a bin"
    unit, _, *others = csv_conventions(table.azimuth_frame)
    about = [f"atmospheric neutrino fluxes, {table.name}", unit, f"energy_GeV: {energy}", *others]
    if table.note:
        about.append(table.note)
    error = np.full_like(table.flux, np.nan) if table.error is None else table.error
    angles = (table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    return write_lines(path, about, TABLE_COLUMNS, csv_rows(table.flavours, *angles, table.flux, error))


def csv_rows(
    flavours: tuple[str, ...],
    energies: NDArray[np.float64],
    cos_edges: NDArray[np.float64],
    azimuth_edges: NDArray[np.float64],
    *columns: NDArray[np.float64],
) -> Iterator[str]:
    """Yield the data lines of a CSV flux table, one string per flavour and energy.

    Parameters
    ----------
    flavours : tuple of str
    energies : float64 array (energy,)
        GeV.
    cos_edges : float64 array (cos_zenith + 1,)
    azimuth_edges : float64 array (azimuth + 1,)
        Degrees.
    columns : float64 arrays (flavour, energy, cos_zenith, azimuth)
        Numbers that follow the bin's edges in a row.

    Yields
    ------
    str
    """
    angles = [
        f"{np.round(c0, 6) + 0.0:.4g},{np.round(c1, 6) + 0.0:.4g},{a0:.6g},{a1:.6g}"
        for c0, c1 in itertools.pairwise(cos_edges)
        for a0, a1 in itertools.pairwise(azimuth_edges)
    ]
    cells = ",%.6e" * len(columns) + "\n"
    for i, flavour in enumerate(flavours):
        for j, energy in enumerate(energies):
            start = f"{flavour},{energy:.6g},"
            numbers = np.stack([column[i, j].ravel() for column in columns], axis=1).tolist()
            yield "".join([f"{start}{angle}{cells % tuple(row)}" for angle, row in zip(angles, numbers, strict=True)])
