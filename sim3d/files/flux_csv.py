"""Read tables of fluxes in CSV: published fluxes row by row, and the tables that sim3d writes, with edges of bins.

Columns are ``flavour``, ``energy_GeV``, ``flux``, optionally ``error``, and ``cos_zenith`` or the edges
``cos_zenith_low`` and ``cos_zenith_high``; with edges of azimuth bins too the rows may fill a grid. Comments begin with
``#`` and state the unit. Separators are commas, semicolons or tabulators.
"""

from __future__ import annotations

import csv
import itertools
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import ALL_FLAVOURS, FLAVOURS, flavour_name
from sim3d.conventions.flux_units import FluxUnit, find_flux_units, parse_flux_unit
from sim3d.conventions.reference_files import data_lines
from sim3d.errors import InputError
from sim3d.files.energy_grid import energy_edges, exact_energies
from sim3d.files.flux_table import EnergyKind, FluxTable

REQUIRED_COLUMNS = ("flavour", "energy_GeV", "cos_zenith", "flux")

_COS_EDGES = ("cos_zenith_low", "cos_zenith_high")
_AZIMUTH_EDGES = ("azimuth_low_deg", "azimuth_high_deg")
_ERRORS = ("error", "model_error")
_GEV = {"ev": 1e-9, "kev": 1e-6, "mev": 1e-3, "gev": 1.0, "tev": 1e3, "pev": 1e6}

_PRINTED_PRECISION = 1e-5
"""Relative precision of an energy: six digits are printed."""


@dataclass(frozen=True)
class FluxRows:
    """Fluxes of a CSV table, one entry for each row.

    Attributes
    ----------
    flavour : list of str
        Names of :data:`sim3d.conventions.flavours.ALL_FLAVOURS`.
    energy_GeV, cos_zenith : float64 arrays (n,)
        With edges of zenith bins cos_zenith is their middle.
    flux : float64 array (n,)
        m^-2 s^-1 sr^-1 GeV^-1, whatever the file's own unit.
    error : float64 array (n,) or None
        In the same unit, NaN where it is not known; None without such a column.
    unit : FluxUnit
        That of the file.
    cos_edges, azimuth_edges_deg : float64 arrays (n, 2) or None
        Edges of the bins, None without such columns.
    energy_kind : "points" or "bins"
        Whether a comment calls the energies points.
    model_error : float64 array (n,) or None
        Error of the model, in the unit of the flux; None without such a column.
    """

    flavour: list[str]
    energy_GeV: Array
    cos_zenith: Array
    flux: Array
    error: Array | None
    unit: FluxUnit
    cos_edges: Array | None = None
    azimuth_edges_deg: Array | None = None
    energy_kind: EnergyKind = "bins"
    model_error: Array | None = None


def parse_flux_rows(text: str, source: str) -> FluxRows:
    """Parse the text of a CSV table of fluxes.

    Parameters
    ----------
    text : str
    source : str
        Name of the file, for error messages.

    Returns
    -------
    FluxRows

    Raises
    ------
    InputError
        If a column or the unit is missing, a flavour is not known, or a row is not valid.
    """
    start = f"reference table {source}"
    lines = [line for line in text.split("\n") if line.strip()]
    comments = [line for line in lines if line.lstrip().startswith("#")]
    rows = data_lines(lines)
    separator = next((mark for mark in ",;\t" if rows and mark in rows[0]), ",")
    cells = list(csv.reader(rows, delimiter=separator))
    columns = _columns(cells[0] if cells else [], start)
    unit = _unit(comments, cells[0] if cells else [], start)
    names, numbers = _numbers(cells[1:], columns, start)
    values = {name: np.array(column) for name, column in numbers.items()}
    cosine = values.get("cos_zenith")
    cos_edges = _edges(values, _COS_EDGES)
    if cosine is None:
        assert cos_edges is not None
        cosine = cos_edges.mean(axis=1)
    error = values.get("error")
    points = any("energy_gev: a point" in line.lower() for line in comments)
    return FluxRows(
        names,
        values["energy"] * columns["energy"][1],
        cosine,
        values["flux"] * unit.factor,
        None if error is None else error * unit.factor,
        unit,
        cos_edges,
        _edges(values, _AZIMUTH_EDGES),
        "points" if points else "bins",
        values["model_error"] * unit.factor if "model_error" in values else None,
    )


def table_of_rows(rows: FluxRows, path: Path) -> FluxTable | None:
    """Arrange the rows of a table that has edges of bins on a grid.

    Parameters
    ----------
    rows : FluxRows
    path : Path
        The file, for names and messages.

    Returns
    -------
    FluxTable or None
        None if the rows have no edges, or do not fill a grid of the four flavours exactly once.
    """
    if rows.cos_edges is None or rows.azimuth_edges_deg is None:
        return None
    energies, at_energy = np.unique(rows.energy_GeV, return_inverse=True)
    cos_bins, at_cos = np.unique(rows.cos_edges, axis=0, return_inverse=True)
    azimuth_bins, at_azimuth = np.unique(rows.azimuth_edges_deg, axis=0, return_inverse=True)
    shape = (len(FLAVOURS), len(energies), len(cos_bins), len(azimuth_bins))
    contiguous = all(
        low[1] == high[0] for bins in (cos_bins, azimuth_bins) for low, high in itertools.pairwise(bins.tolist())
    )
    whole = len(azimuth_bins) > 0 and (azimuth_bins[0, 0], azimuth_bins[-1, 1]) == (0.0, 360.0)
    known = set(rows.flavour) <= set(FLAVOURS)
    if not (contiguous and whole and known and len(rows.flux) == math.prod(shape)):
        return None
    at = ([FLAVOURS.index(name) for name in rows.flavour], at_energy, at_cos.ravel(), at_azimuth.ravel())
    flux, error = np.full(shape, np.nan), np.full(shape, np.nan)
    flux[at] = rows.flux
    if np.isnan(flux).any():
        return None
    if rows.error is not None:
        error[at] = rows.error
    model = None
    if rows.model_error is not None:
        model = np.zeros(shape)
        model[at] = rows.model_error
        model = np.divide(model, flux, out=np.zeros(shape), where=flux > 0.0)
    exact = exact_energies(energies, _PRINTED_PRECISION)
    kind: EnergyKind = rows.energy_kind if len(energies) > 1 else "points"
    return FluxTable(
        flux=flux,
        error=None if np.isnan(error).any() else error,
        energies_GeV=exact,
        energy_edges_GeV=energy_edges(exact, kind, str(path)),
        energy_kind=kind,
        cos_edges=np.append(cos_bins[:, 0], cos_bins[-1, 1]),
        azimuth_edges_deg=np.append(azimuth_bins[:, 0], azimuth_bins[-1, 1]),
        name=path.name.removesuffix(".gz").removesuffix(".csv"),
        source=str(path),
        model_relative=model,
    )


def _columns(header: list[str], start: str) -> dict[str, tuple[int, float]]:
    """Find the columns: name to index and, of the energy, size of its unit in GeV."""
    found: dict[str, tuple[int, float]] = {}
    for index, cell in enumerate(header):
        name = cell.strip().lower()
        energy = re.fullmatch(r"energy_(\w+)", name)
        if energy and energy[1] in _GEV:
            found.setdefault("energy", (index, _GEV[energy[1]]))
        elif name.startswith("flux") and (name == "flux" or re.match(r"flux\s*[\[(]", name)):
            found.setdefault("flux", (index, 1.0))
        else:
            found.setdefault("flavour" if name == "flavor" else name, (index, 1.0))
    missing = [column for column in ("flavour", "energy", "cos_zenith", "flux") if column not in found]
    if "cos_zenith" in missing and all(name in found for name in _COS_EDGES):
        missing.remove("cos_zenith")
    if missing:
        named = ", ".join(column.replace("energy", "energy_GeV") for column in missing)
        raise InputError(
            f"{start}: no column {named}; needs {', '.join(REQUIRED_COLUMNS)} (or cos_zenith_low and cos_zenith_high), "
            f"found {', '.join(cell.strip() for cell in header)[:200] or 'nothing'}"
        )
    return found


def _unit(comments: list[str], header: list[str], start: str) -> FluxUnit:
    """Read the unit from a comment ``# unit: ...``, from the flux's column, or from any comment that has one."""
    stated = [line.split(":", 1)[1] for line in comments if re.match(r"\s*#\s*units?\s*:", line, re.IGNORECASE)]
    in_header = [m[1] for cell in header if (m := re.fullmatch(r"\s*flux\s*[\[(](.+)[\])]\s*", cell, re.IGNORECASE))]
    spans = [span for line in comments for span in find_flux_units(line)]
    units: list[FluxUnit] = []
    problem: InputError | None = None
    for text in stated or in_header or spans:
        try:
            units.append(parse_flux_unit(text))
        except InputError as exc:
            problem = exc
            if stated or in_header:
                break
    if problem is not None and not units:
        raise InputError(f"{start}: {problem}")
    if len({unit.factor for unit in units}) != 1:
        raise InputError(
            f"{start}: the unit is not clear, state it in a comment: '# unit: cm^-2 s^-1 sr^-1 GeV^-1' or m^-2"
        )
    return units[0]


def _numbers(
    rows: list[list[str]], columns: dict[str, tuple[int, float]], start: str
) -> tuple[list[str], dict[str, list[float]]]:
    """Read the names of flavours and the columns of numbers, with checks."""
    wanted = [n for n in ("energy", "cos_zenith", *_COS_EDGES, *_AZIMUTH_EDGES, "flux", *_ERRORS) if n in columns]
    names: list[str] = []
    numbers: dict[str, list[float]] = {name: [] for name in wanted}
    for count, cells in enumerate(rows, start=1):
        try:
            name = flavour_name(cells[columns["flavour"][0]])
            values = {key: float(cells[columns[key][0]] or ("nan" if key in _ERRORS else "")) for key in wanted}
        except (IndexError, ValueError):
            raise InputError(f"{start}, row {count}: needs four values, has {cells}") from None
        if name is None:
            raise InputError(
                f"{start}, row {count}: flavour {cells[columns['flavour'][0]].strip()!r} is not known, "
                f"allowed: {', '.join(ALL_FLAVOURS)}, the usual spellings of these (numu_bar, anumu ...) and PDG ids"
            )
        _check_row(values, f"{start}, row {count}")
        names.append(name)
        for key, value in values.items():
            numbers[key].append(value)
    if not names:
        raise InputError(f"{start}: no rows")
    return names, numbers


def _check_row(values: dict[str, float], start: str) -> None:
    energy, flux, error = values["energy"], values["flux"], values.get("error", 0.0)
    cosines = [values[name] for name in ("cos_zenith", *_COS_EDGES) if name in values]
    model = values.get("model_error", 0.0)
    good = (
        math.isfinite(energy)
        and energy > 0.0
        and all(-1.0 <= cosine <= 1.0 for cosine in cosines)
        and math.isfinite(flux)
        and flux >= 0.0
        and not error < 0.0
        and not model < 0.0
    )
    if not good:
        shown = ", ".join(f"{cosine:g}" for cosine in cosines)
        raise InputError(
            f"{start}: out of range: energy {energy:g}, cos_zenith {shown}, flux {flux:g}"
            + (f", error {error:g}" if error < 0.0 else "")
        )


def _edges(values: dict[str, Array], names: tuple[str, str]) -> Array | None:
    if not all(name in values for name in names):
        return None
    return np.stack([values[name] for name in names], axis=1)
