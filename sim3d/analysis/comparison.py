"""Compute ratios of two flux sources bin by bin: results, Honda tables, CSV tables of published fluxes.

The second is the reference. The numbers that are compared:

- two tables (results, Honda tables, CSV tables with edges of bins) with the same bins: bin by bin; with other bins: the
  first is interpolated and averaged over the bins of the second. A result takes the binning of the other where it can;
- a result and a CSV of rows: rows and the bins they belong to (:func:`sim3d.analysis.matching.match`);
- another table and a CSV of rows: the interpolated table at the rows;
- two CSVs of rows: rows of the same flavour, energy (to 1%) and zenith (to 0.001).

All are averages over azimuth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sim3d.analysis.matching import Matched, count_unused, match
from sim3d.analysis.reference import FLUKA_TABLE, ReferenceTable, fluka_table, reference_of_rows
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.text_files import read_text
from sim3d.conventions.words import CSV_CONVENTIONS
from sim3d.errors import InputError
from sim3d.files.checksums import is_result_file
from sim3d.files.csv_files import write_lines
from sim3d.files.flux_csv import parse_flux_rows, table_of_rows
from sim3d.files.flux_table import FluxTable
from sim3d.files.honda import is_honda_table, table_of_honda
from sim3d.flux.interpolated import Flux
from sim3d.results.result import Result
from sim3d.results.tables import table_of_result

SAME_ENERGY, SAME_COS = 0.01, 1e-3
_SAME_GRID = 1e-3

RATIO_COLUMNS = ("ratio", "ratio_error", "pull")
"""Last columns of the CSV of a comparison."""

_POINT_WIDTH = 1e-3
"""Relative half width of the interval over which an interpolated flux is averaged to stand for a point value."""


@dataclass(frozen=True)
class FluxSource:
    """A flux source read for a comparison: a result, a Honda table or a CSV table.

    Attributes
    ----------
    name : str
        For titles: the site, or the file.
    result : Result or None
    site : str
        Of the result.
    table : FluxTable or None
        Azimuth average of a result (in Honda's bins), of a Honda table or of a CSV that fills a grid of bins.
    rows : ReferenceTable or None
        Of another CSV.
    """

    name: str
    result: Result | None = None
    site: str = ""
    table: FluxTable | None = None
    rows: ReferenceTable | None = None


def open_source(path: Path, site: str | None, result: Result | None = None) -> FluxSource:
    """Read a flux source for a comparison; its kind is found from its content.

    Parameters
    ----------
    path : Path
        Or the name of a table that ships with sim3d.
    site : str or None
        Of a result; None: its only site, or kamioka.
    result : Result, optional
        If the file is open already.

    Returns
    -------
    FluxSource

    Raises
    ------
    InputError
        For a file that is none of the three, or a result without the site or with several and none named.
    """
    if result is not None:
        site = _site(result, site)
        return FluxSource(site, result=result, site=site, table=table_of_result(result, site, "honda", azimuth=False))
    if str(path) == FLUKA_TABLE and not path.exists():
        return FluxSource(path.name, rows=fluka_table())
    if path.is_file() and is_honda_table(path):
        return FluxSource(path.name, table=table_of_honda(path).azimuth_average())
    rows = parse_flux_rows(read_text(path, "reference table "), str(path))
    table = table_of_rows(rows, path)
    if table is not None:
        return FluxSource(path.name, table=table.azimuth_average())
    return FluxSource(path.name, rows=reference_of_rows(rows, str(path)))


def is_result(path: Path) -> bool:
    """Return True if a path is a sim3d result file.

    A path that does not exist gives False; the reader that opens it afterwards reports it.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    return path.is_file() and is_result_file(path)


def _site(result: Result, site: str | None) -> str:
    names = list(result.sites)
    if site is not None:
        if site not in names:
            raise InputError("site", site, f"one of {', '.join(names)}")
        return site
    if len(names) != 1 and "kamioka" not in names:
        raise InputError("site", "", f"one of {', '.join(names)} (give --site)")
    return names[0] if len(names) == 1 else "kamioka"


def pair(first: FluxSource, second: FluxSource, energy_GeV: tuple[float, float]) -> Matched:
    """Match the fluxes of two sources at common flavours, energies and zenith angles.

    Parameters
    ----------
    first : FluxSource
        Its fluxes become ``flux``.
    second : FluxSource
        The reference; its fluxes become ``reference``.
    energy_GeV : (float, float)
        Energy range, GeV.

    Returns
    -------
    Matched

    Raises
    ------
    InputError
        If the energy range is not valid, or the sources have no energy and direction in common in it.
    """
    low, high = energy_GeV
    if not 0.0 < low < high:
        raise InputError("energy", f"{low:g} {high:g} GeV", "two positive energies, the lower one first")
    if second.rows is not None:
        matched, other = _with_rows(first, second.rows, energy_GeV), second
    elif first.rows is not None:
        matched, other = swapped(_with_rows(second, first.rows, energy_GeV)), first
    else:
        matched, other = _tables(_table_like(first, second), _table_like(second, first), energy_GeV), second
    # one source is walked through row by row; what is left out of it is counted under its name
    matched = replace(matched, unused=tuple(replace(unused, source=other.name) for unused in matched.unused))
    if len(matched.flux) == 0:
        raise InputError(f"{first.name} and {second.name} have no flux in common between {low:g} and {high:g} GeV")
    return matched


def _table_like(source: FluxSource, other: FluxSource) -> FluxTable:
    """Return the table of a source; of a result in the bins of the other source, if these are unions of its own."""
    assert source.table is not None
    assert other.table is not None
    if source.result is None or other.result is not None:
        return source.table
    for binning in ("honda", "fluka", "fine"):
        table = table_of_result(source.result, source.site, binning, azimuth=False)
        if _same_bins(table, other.table):
            return table
    return source.table


def _same_bins(first: FluxTable, second: FluxTable) -> bool:
    return _same(first.energies_GeV, second.energies_GeV) and _same(first.cos_edges, second.cos_edges)


def swapped(matched: Matched) -> Matched:
    """Exchange flux and reference of a comparison.

    Rows whose new reference is 0 are left out.

    Parameters
    ----------
    matched : Matched

    Returns
    -------
    Matched
    """
    keep = matched.flux > 0.0
    reference_error = np.zeros_like(matched.flux) if matched.reference_error is None else matched.reference_error
    return Matched(
        matched.flavour[keep],
        matched.energy_GeV[keep],
        matched.cos_zenith[keep],
        matched.flux[keep],
        matched.reference[keep],
        reference_error[keep],
        (matched.reference[keep] > 0.0).astype(np.int64),
        matched.error[keep],
        matched.unused,
    )


def _with_rows(source: FluxSource, rows: ReferenceTable, energy_GeV: tuple[float, float]) -> Matched:
    if source.result is not None:
        return match(source.result, source.site, rows, energy_GeV)
    low, high = energy_GeV
    names = np.array(rows.flavour)
    tests = [
        ("tau neutrinos", ~np.isin(names, FLAVOURS)),
        (f"outside {low:g}-{high:g} GeV", (rows.energy_GeV < low) | (rows.energy_GeV > high)),
        ("flux 0", rows.flux <= 0.0),
    ]
    if source.rows is not None:
        return _two_lists(source.rows, rows, tests)
    assert source.table is not None
    flux = Flux(source.table)
    cos_low, cos_high = source.table.cos_edges[[0, -1]]
    tests += [
        (f"outside the energies of {source.name}", ~_inside(flux, rows.energy_GeV)),
        (f"outside the zenith angles of {source.name}", (rows.cos_zenith < cos_low) | (rows.cos_zenith > cos_high)),
    ]
    unused = count_unused("", "rows", tests)
    keep = ~np.any([holds for _, holds in tests], axis=0)
    at = (names[keep], rows.energy_GeV[keep], rows.cos_zenith[keep])
    if not keep.any():
        return _matched([], [], [], [], [], [], None)
    values = np.asarray(flux.flux(*at))
    error = np.asarray(flux.error(*at)) if flux.has_errors else np.zeros_like(values)
    reference_error = None if rows.error is None else rows.error[keep]
    return replace(_matched(*at, rows.flux[keep], values, error, reference_error), unused=(unused,))


def _inside(flux: Flux, energy: Array) -> NDArray[np.bool_]:
    low, high = flux.energy_range_GeV
    return (energy >= low) & (energy <= high)


def _two_lists(first: ReferenceTable, second: ReferenceTable, tests: list[tuple[str, NDArray[np.bool_]]]) -> Matched:
    names = np.array(first.flavour)
    pairs: list[tuple[int, int]] = []
    lonely = np.zeros(len(second.flux), dtype=bool)
    for j in np.flatnonzero(~np.any([holds for _, holds in tests], axis=0)):
        near = (
            (names == second.flavour[j])
            & (np.abs(first.energy_GeV / second.energy_GeV[j] - 1.0) < SAME_ENERGY)
            & (np.abs(first.cos_zenith - second.cos_zenith[j]) < SAME_COS)
        )
        if near.any():
            i = np.flatnonzero(near)[np.abs(np.log(first.energy_GeV[near] / second.energy_GeV[j])).argmin()]
            pairs.append((int(i), int(j)))
        else:
            lonely[j] = True
    at, to = np.array(pairs, dtype=int).reshape(-1, 2).T
    flavours = np.array(second.flavour)[to]
    error = np.zeros(len(at)) if first.error is None else np.nan_to_num(first.error[at])
    reference_error = None if second.error is None else second.error[to]
    unused = count_unused("", "rows", [*tests, ("no row of the other table there", lonely)])
    matched = _matched(
        flavours, second.energy_GeV[to], second.cos_zenith[to], second.flux[to], first.flux[at], error, reference_error
    )
    return replace(matched, unused=(unused,))


def _tables(first: FluxTable, second: FluxTable, energy_GeV: tuple[float, float]) -> Matched:
    low, high = energy_GeV
    inside = (second.energies_GeV >= low) & (second.energies_GeV <= high)
    middles = 0.5 * (second.cos_edges[1:] + second.cos_edges[:-1])
    tests = [(f"outside {low:g}-{high:g} GeV", ~inside)]
    if _same_bins(first, second):
        values = first.flux[..., 0][:, inside]
        error = None if first.error is None else first.error[..., 0][:, inside]
    else:
        flux = Flux(first)
        bottom, top = flux.energy_range_GeV
        edges = _energy_windows(second)
        beyond = (edges[:, 0] < bottom) | (edges[:, 1] > top)
        tests.append((f"outside the energies of {first.name}", beyond))
        inside &= ~beyond
        covered = (second.cos_edges[0] >= first.cos_edges[0]) and (second.cos_edges[-1] <= first.cos_edges[-1])
        if not covered:
            raise InputError(f"{first.source}: covers less of the zenith than {second.source}")
        rows = [[flux.bin_average(f, e, second.cos_edges) for e in edges[inside]] for f in first.flavours]
        values = np.array(rows).reshape(4, int(inside.sum()), len(middles))
        error = None
        if flux.has_errors:
            at = (np.array(first.flavours)[:, None, None], second.energies_GeV[inside][:, None], middles)
            error = np.asarray(flux.error(*at))
    reference = second.flux[..., 0][:, inside]
    reference_error = None if second.error is None else second.error[..., 0][:, inside]
    names, energies, cosines = np.broadcast_arrays(
        np.array(first.flavours)[:, None, None], second.energies_GeV[inside][:, None], middles
    )
    keep = reference > 0.0
    shape = second.flux.shape[:3]
    tests = [(reason, np.broadcast_to(holds[None, :, None], shape)) for reason, holds in tests]
    tests.append(("flux 0", second.flux[..., 0] <= 0.0))
    matched = _matched(
        names[keep],
        energies[keep],
        cosines[keep],
        reference[keep],
        values[keep],
        np.zeros(keep.sum()) if error is None else error[keep],
        None if reference_error is None else reference_error[keep],
    )
    return replace(matched, unused=(count_unused("", "bins", tests),))


def _energy_windows(table: FluxTable) -> Array:
    """Return the energy interval of each energy of a table, (energy, 2): its bin, or a narrow window around a point."""
    if table.energy_kind == "bins":
        return np.stack([table.energy_edges_GeV[:-1], table.energy_edges_GeV[1:]], axis=1)
    return table.energies_GeV[:, None] * np.array([1.0 - _POINT_WIDTH, 1.0 + _POINT_WIDTH])


def _same(first: Array, second: Array) -> bool:
    return first.shape == second.shape and bool(np.allclose(first, second, rtol=_SAME_GRID, atol=1e-6))


def _matched(
    flavour: object,
    energy: object,
    cosine: object,
    reference: object,
    flux: object,
    error: object,
    reference_error: Array | None,
) -> Matched:
    values = np.asarray(flux, dtype=float)
    return Matched(
        np.asarray(flavour, dtype=str),
        np.asarray(energy, dtype=float),
        np.asarray(cosine, dtype=float),
        np.asarray(reference, dtype=float),
        values,
        np.where(values > 0.0, np.asarray(error, dtype=float), 0.0),
        (values > 0.0).astype(np.int64),
        reference_error,
    )


def write_comparison(matched: Matched, path: Path, name: str, reference: str) -> Path:
    """Write a comparison as CSV: one row per flavour, energy and zenith, with ratio, its error and the pull.

    Errors that are not known are written as nan.

    Parameters
    ----------
    matched : Matched
    path : Path
    name, reference : str
        Names of the two sources, for the comments at the top of the file.

    Returns
    -------
    Path
        ``path``.
    """
    ratio, sigma = matched.ratio()
    unknown = np.full_like(ratio, np.nan)
    reference_error = unknown if matched.reference_error is None else matched.reference_error
    error = np.where(matched.error > 0.0, matched.error, np.nan)
    sigma = np.where(sigma > 0.0, sigma, np.nan)
    about = (
        f"flux: {name}",
        f"reference: {reference}",
        CSV_CONVENTIONS[0],
        CSV_CONVENTIONS[2],
        "errors: statistical, 1 sigma, absolute",
    )
    columns = ("flavour", "energy_GeV", "cos_zenith", "flux", "error", "reference", "reference_error", *RATIO_COLUMNS)
    numbers = (matched.flux, error, matched.reference, reference_error, ratio, sigma, (ratio - 1.0) / sigma)
    rows = (
        f"{flavour},{energy:.6g},{cosine:.4g}" + ",%.6e" * len(row) % row + "\n"
        for flavour, energy, cosine, *row_list in zip(
            matched.flavour, matched.energy_GeV, np.round(matched.cos_zenith, 6) + 0.0, *numbers, strict=True
        )
        for row in (tuple(row_list),)
    )
    write_lines(path, about, columns, rows)
    return path
