"""Write flux tables as CSV: one row per flavour, energy, zenith and azimuth bin."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.words import csv_conventions
from sim3d.files.csv_files import write_lines
from sim3d.files.flux_table import ERROR_KINDS

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

MODEL_COLUMNS = ("model_error", "total_error")
"""Columns after ``error`` of a flux whose model has errors; ``error`` is the statistical one."""

MODEL_LINE = (
    "error: statistical; model_error: of the model's parameters, common to neighbouring bins; total_error: both in "
    "quadrature"
)
"""Comment line of files with these columns."""

KIND_COLUMN = "error_kind"
"""Last column of tables that say of what kind each error is, see :data:`sim3d.files.flux_table.ERROR_KINDS`."""

KIND_LINE = (
    "error_kind: sample (of the batches, or of a fit), expected (few hits: from the bins around), "
    "limit (no hit: 90% upper limit), extrapolated (of a fit, where no hits are near)"
)
"""Comment line of files with that column."""


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
    title = f"atmospheric neutrino fluxes, {table.name}" + (f": {table.place}" if table.place else "")
    about = [title, unit, f"energy_GeV: {energy}", *others]
    if table.note:
        about.append(table.note)
    error = np.full_like(table.flux, np.nan) if table.error is None else table.error
    return write_grid(path, about, table, error)


def write_grid(path: Path, about: Iterable[str], table: FluxTable, error: NDArray[np.float64]) -> Path:
    """Write the fluxes of a table and their errors under given comments.

    Parameters
    ----------
    path : Path
    about : iterable of str
        Comment lines; those on the columns of errors are added.
    table : FluxTable
    error : float64 array, shape of its flux
        Statistical.

    Returns
    -------
    Path
        The file written.
    """
    lines = list(about)
    angles = (table.energies_GeV, table.cos_edges, table.azimuth_edges_deg)
    columns: tuple[str, ...] = TABLE_COLUMNS
    more: list[NDArray[np.float64]] = []
    model = table.model_error
    if model is not None:
        lines.append(MODEL_LINE)
        columns = (*columns, *MODEL_COLUMNS)
        more = [model, np.hypot(error, model)]
    if table.kind is not None:
        lines.append(KIND_LINE)
        columns = (*columns, KIND_COLUMN)
    return write_lines(
        path, lines, columns, csv_rows(table.flavours, *angles, table.flux, error, *more, kind=table.kind)
    )


def csv_rows(
    flavours: tuple[str, ...],
    energies: NDArray[np.float64],
    cos_edges: NDArray[np.float64],
    azimuth_edges: NDArray[np.float64],
    *columns: NDArray[np.float64],
    kind: NDArray[np.int8] | None = None,
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
    kind : int8 array of that shape, optional
        Kinds of errors, whose names follow the numbers.

    Yields
    ------
    str
    """
    angles = [
        f"{np.round(c0, 6) + 0.0:.4g},{np.round(c1, 6) + 0.0:.4g},{a0:.6g},{a1:.6g}"
        for c0, c1 in itertools.pairwise(cos_edges)
        for a0, a1 in itertools.pairwise(azimuth_edges)
    ]
    cells = ",%.6e" * len(columns)
    for i, flavour in enumerate(flavours):
        for j, energy in enumerate(energies):
            start = f"{flavour},{energy:.6g},"
            numbers = np.stack([column[i, j].ravel() for column in columns], axis=1).tolist()
            ends = ["\n"] * len(angles) if kind is None else [f",{ERROR_KINDS[k]}\n" for k in kind[i, j].ravel()]
            rows = zip(angles, numbers, ends, strict=True)
            yield "".join([f"{start}{angle}{cells % tuple(row)}{end}" for angle, row, end in rows])
