"""Flux tables as CSV: one row per flavour, energy, zenith and azimuth bin."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.conventions.words import CSV_CONVENTIONS
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
    """Write one table, whatever it came from, as ``<name>-aa.csv`` or ``<name>-azimuth.csv``; no errors: nan."""
    path = folder / f"{name}-{'azimuth' if table.has_azimuth else 'aa'}.csv"
    energy = "a point, not a bin" if table.energy_kind == "points" else "log centre of a bin"
    about = [
        f"atmospheric neutrino fluxes, {table.name}",
        CSV_CONVENTIONS[0],
        f"energy_GeV: {energy}",
        *CSV_CONVENTIONS[2:],
    ]
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
    """Lines of the CSV, one string per flavour and energy; columns are [flavour, energy, cos, azimuth]."""
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
