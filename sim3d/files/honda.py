"""Read flux tables in Honda's text format, which PISA, GENIE and NEUT read, with a twin file of errors.

A file is a sequence of blocks. A block is two header lines and 101 rows (0.1 to 10,000 GeV, 20 per decade, log centres
of the bins). A row holds the energy in GeV and the fluxes of numu, numubar, nue, nuebar in m^-2 s^-1 sr^-1 GeV^-1.
Blocks run over cos_zenith from 0.90..1.00 (down-going) to -1.00..-0.90. Inside one zenith bin they run over azimuth
from 0..30 to 330..360 (arrival direction, degrees counter-clockwise from SOUTH: 0 S, 90 E, 180 N, 270 W). Readers count
lines, so no blank line and no comment may be added.

The twin ``.err.d`` has the same layout with the absolute statistical error (1 sigma) of every number, and headers that
begin with ``error of flux``. Where there was no hit the flux is 0 and the error file holds the upper limit. Of a flux
whose model has errors there are two more twins: ``.model.err.d`` and, of both in quadrature, ``.total.err.d``.

:func:`read` reads such tables of any origin: any number of zenith and azimuth blocks in any order, any energies.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_name
from sim3d.conventions.flux_units import find_flux_units, parse_flux_unit
from sim3d.conventions.text_files import read_start, read_text
from sim3d.conventions.words import AZIMUTH_FRAMES
from sim3d.errors import InputError
from sim3d.files.energy_grid import energy_edges, exact_energies
from sim3d.files.flux_table import ENERGY_KINDS, EnergyKind, FluxTable

COLUMN_LINE = " Enu(GeV)   NuMu       NuMubar    NuE        NuEbar  (m^2 sec sr GeV)^-1"

FRAME_WORDS = "phi_Az in the frame of the {}"
_FRAME = re.compile(FRAME_WORDS.format(f"({'|'.join(AZIMUTH_FRAMES)})"))
"""Words at the end of a line of columns, where readers that skip or ignore the line lose nothing."""

HONDA_ENERGIES_GEV = np.geomspace(0.1, 1.0e4, 101)
HONDA_COS_EDGES = np.linspace(-1.0, 1.0, 21)
HONDA_AZIMUTHS = 12
"""Grid of the tables that Honda's group distributes; programs that read them count on it."""

_NUMBER = r"([-+]?(?:\d+\.?\d*|\.\d+))"
_HEAD = re.compile(
    rf"cosZ\s*=\s*{_NUMBER}\s*--\s*{_NUMBER}\s*,\s*phi_Az\s*=\s*{_NUMBER}\s*--\s*{_NUMBER}", re.IGNORECASE
)
_ERROR_WORDS = re.compile(r"\b(?:errors?|uncertainty|sigma)\b", re.IGNORECASE)

PRINTED_PRECISION = 1e-4
"""Relative precision: five digits are printed, so the rounding error of an energy is at most half of this."""


@dataclass(frozen=True)
class HondaTable:
    """Fluxes, energies and bin edges of a Honda table.

    Attributes
    ----------
    energies_GeV : float64 array (energy,)
        Of the rows, ascending.
    cos_edges : float64 array (cos_zenith + 1,)
        Ascending.
    azimuth_edges_deg : float64 array (azimuth + 1,)
        Ascending, from 0 to 360.
    flux : float64 array (flavour, energy, cos_zenith, azimuth)
        numu, numubar, nue, nuebar; m^-2 s^-1 sr^-1 GeV^-1.
    azimuth_frame : str
        Stated frame of the azimuths, "site" or "crossing"; empty if the file states none.
    """

    energies_GeV: Array
    cos_edges: Array
    azimuth_edges_deg: Array
    flux: Array
    azimuth_frame: str = ""


def is_honda_table(path: Path) -> bool:
    """Whether the first line of a file that is not blank is the header of a block.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    return _HEAD.search(read_start(path).lstrip().partition("\n")[0]) is not None


def is_error_table(path: Path) -> bool:
    """Whether a Honda table holds errors instead of fluxes, by its name (``.err.d``) or the words of its first header.

    Parameters
    ----------
    path : Path
        Plain or compressed.

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If the file cannot be read.
    """
    head = read_start(path).lstrip().partition("\n")[0]
    return path.name.removesuffix(".gz").endswith(".err.d") or _ERROR_WORDS.search(head) is not None


def read(path: Path) -> HondaTable:
    """Read a Honda table of any origin, with or without azimuth.

    Blocks may come in any order and number, as long as they fill a grid of zenith and azimuth bins. All must have the
    same energies, of any number. Blank lines are ignored, the file may be compressed and have any line ends, and
    columns may have any of the usual names of the flavours. Energies that are equally spaced in the logarithm within
    the five digits printed are taken as exactly so (1.1220E-01 is 10^-0.95). At a spectral index of 3 the rounding of
    the energy would otherwise matter more than that of the flux.

    Parameters
    ----------
    path : Path

    Returns
    -------
    HondaTable

    Raises
    ------
    InputError
        If the file is no text or not a Honda table; if a number is missing, not a number, negative or not finite; if
        energies do not rise or differ between blocks; if blocks overlap or leave a gap. The message is one line with
        file and line number.
    """
    lines = read_text(path).split("\n")
    blocks_read: dict[tuple[float, float, float, float], tuple[int, Array]] = {}
    rows: list[list[float]] = []
    head: tuple[float, float, float, float] | None = None
    head_line, columns_seen, frame = 0, False, ""

    def close() -> None:
        if head is None:
            return
        if not rows:
            raise InputError(f"{path}, line {head_line}: a block without a row")
        if head in blocks_read:
            raise InputError(f"{path}, line {head_line}: the same block as in line {blocks_read[head][0]}")
        blocks_read[head] = head_line, np.array(rows)

    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if match := _HEAD.search(line):
            close()
            head, head_line, columns_seen, rows = _block_bins(match, path, number), number, False, []
        elif head is None:
            raise InputError(f"{path}, line {number}: not a Honda table, needs 'average flux in [cosZ = ...' first")
        elif not columns_seen:
            _check_columns(line, path, number)
            stated = _FRAME.search(line)
            columns_seen, frame = True, stated.group(1) if stated else frame
        else:
            rows.append(_row(line, path, number, rows[-1][0] if rows else 0.0))
    close()
    if not blocks_read:
        raise InputError(f"{path}: empty, not a Honda table")
    return replace(_assemble(blocks_read, path), azimuth_frame=frame)


def _block_bins(match: re.Match[str], path: Path, number: int) -> tuple[float, float, float, float]:
    cos_low, cos_high, low, high = (float(text) + 0.0 for text in match.groups())
    cos_low, cos_high = sorted((cos_low, cos_high))
    if not -1.0 <= cos_low < cos_high <= 1.0:
        raise InputError(f"{path}, line {number}: cosZ {cos_low:g} -- {cos_high:g}, allowed: -1 to 1, not empty")
    if not 0.0 <= low < high <= 360.0:
        raise InputError(f"{path}, line {number}: phi_Az {low:g} -- {high:g}, allowed: 0 to 360, the lower first")
    return cos_low, cos_high, low, high


def _check_columns(line: str, path: Path, number: int) -> None:
    start = f"{path}, line {number}: "
    names = re.findall(r"[A-Za-z][\w-]*", line)
    flavours = [flavour for name in names if (flavour := flavour_name(name)) is not None]
    if not names or not names[0].lower().startswith("e") or tuple(flavours) != FLAVOURS:
        raise InputError(f"{start}needs the columns Enu(GeV) NuMu NuMubar NuE NuEbar")
    energy = re.search(r"[(\[]\s*([a-z]?ev)\s*[)\]]", line.partition(names[1])[0], re.IGNORECASE)
    if energy and energy[1].lower() != "gev":
        raise InputError(f"{start}energies in {energy[1]}, a Honda table has GeV")
    for text in find_flux_units(line):
        try:
            unit = parse_flux_unit(text)
        except InputError as problem:
            raise InputError(f"{start}{problem}") from None
        if unit.factor != 1.0:
            what = "per cm^2" if unit.area == "cm^-2" else f"in {unit.text}"
            raise InputError(f"{start}a flux {what}, a Honda table is per m^2: (m^2 sec sr GeV)^-1")


def _row(line: str, path: Path, number: int, above: float) -> list[float]:
    cells = line.split()
    try:
        # Fortran may write D for the exponent
        values = [float(cell.upper().replace("D", "E")) for cell in cells]
    except ValueError:
        raise InputError(f"{path}, line {number}: needs five numbers, has {line.strip()[:60]!r}") from None
    if len(values) != 5:
        raise InputError(f"{path}, line {number}: needs five numbers, has {len(values)}")
    if not all(np.isfinite(values)) or min(values) < 0.0:
        raise InputError(f"{path}, line {number}: a number that is negative or not finite")
    if not values[0] > above:
        raise InputError(f"{path}, line {number}: energy {values[0]:g} GeV, must be above {above:g} GeV")
    return values


def _assemble(blocks_read: dict[tuple[float, float, float, float], tuple[int, Array]], path: Path) -> HondaTable:
    cos_bins = _contiguous({(key[0], key[1]) for key in blocks_read}, path, "cosZ")
    azimuth_bins = _contiguous({(key[2], key[3]) for key in blocks_read}, path, "phi_Az")
    if azimuth_bins[0][0] != 0.0 or azimuth_bins[-1][1] != 360.0:
        raise InputError(f"{path}: phi_Az covers {azimuth_bins[0][0]:g} to {azimuth_bins[-1][1]:g}, not 0 to 360")
    _, first = next(iter(blocks_read.values()))
    energies = first[:, 0]
    flux = np.empty((4, len(energies), len(cos_bins), len(azimuth_bins)))
    for (i, cos), (j, azimuth) in itertools.product(enumerate(cos_bins), enumerate(azimuth_bins)):
        if (*cos, *azimuth) not in blocks_read:
            raise InputError(f"{path}: no block cosZ {cos[0]:g} -- {cos[1]:g}, phi_Az {azimuth[0]:g} -- {azimuth[1]:g}")
        line, block = blocks_read[(*cos, *azimuth)]
        if len(block) != len(energies):
            raise InputError(f"{path}, block of line {line}: {len(block)} energies, the first block {len(energies)}")
        if not np.array_equal(block[:, 0], energies):
            raise InputError(f"{path}, block of line {line}: other energies than the first block")
        flux[:, :, i, j] = block[:, 1:].T
    return HondaTable(
        exact_energies(energies, PRINTED_PRECISION),
        np.array([cos_bins[0][0], *(high for _, high in cos_bins)]),
        np.array([azimuth_bins[0][0], *(high for _, high in azimuth_bins)]),
        flux,
    )


def _contiguous(bins: set[tuple[float, float]], path: Path, what: str) -> list[tuple[float, float]]:
    ordered = sorted(bins)
    for low, high in itertools.pairwise(ordered):
        if low[1] != high[0]:
            word = "overlap" if high[0] < low[1] else "leave a gap"
            raise InputError(f"{path}: the {what} bins {low[0]:g} -- {low[1]:g} and {high[0]:g} -- {high[1]:g} {word}")
    return ordered


def table_of_honda(path: Path, energy_kind: EnergyKind = "points") -> FluxTable:
    """Read the fluxes of a Honda table, with the errors of its twins ``.err.d`` and ``.model.err.d`` if they exist.

    Parameters
    ----------
    path : Path
    energy_kind : "points" or "bins"
        Meaning of the numbers: values at the energies of the rows ("points"), as the programs that read such tables use
        them, or means over bins around these energies ("bins"), as sim3d writes.

    Returns
    -------
    FluxTable

    Raises
    ------
    InputError
        If a file is malformed or the twin has another grid, with file and line; if the file holds errors.
    """
    if energy_kind not in ENERGY_KINDS:
        raise InputError("energies", energy_kind, f"one of {', '.join(ENERGY_KINDS)}")
    if is_error_table(path):
        flux = path.with_name(re.sub(r"(\.model|\.total)?\.err\.d", ".d", path.name))
        hint = f"; the fluxes are in {flux.name}" if flux != path else ""
        raise InputError(f"{path}: holds the errors of fluxes, no fluxes{hint}")
    table = read(path)
    error, model = _twin(path, table, ""), _twin(path, table, ".model")
    if model is not None:
        model = np.divide(model, table.flux, out=np.zeros_like(model), where=table.flux > 0.0)
    edges = energy_edges(table.energies_GeV, energy_kind, str(path))
    return FluxTable(
        flux=table.flux,
        error=error,
        energies_GeV=table.energies_GeV,
        energy_edges_GeV=edges,
        energy_kind=energy_kind,
        cos_edges=table.cos_edges,
        azimuth_edges_deg=table.azimuth_edges_deg,
        name=_stem(path),
        source=str(path),
        azimuth_frame=table.azimuth_frame,
        model_relative=model,
    )


def _stem(path: Path) -> str:
    return path.name.removesuffix(".gz").removesuffix(".d")


def _twin(path: Path, table: HondaTable, kind: str) -> Array | None:
    """Read the errors of a table from the ``<kind>.err.d`` (or ``.err.d.gz``) beside it; None if there is none."""
    names = [f"{_stem(path)}{kind}.err.d{end}" for end in ("", ".gz")]
    if path.name.endswith(".gz"):
        names.reverse()
    beside = next((twin for name in names if (twin := path.with_name(name)).is_file()), None)
    if beside is None:
        return None
    errors = read(beside)
    same = all(
        a.shape == b.shape and np.allclose(a, b, rtol=1e-4, atol=1e-9)
        for a, b in (
            (errors.energies_GeV, table.energies_GeV),
            (errors.cos_edges, table.cos_edges),
            (errors.azimuth_edges_deg, table.azimuth_edges_deg),
        )
    )
    if not same:
        raise InputError(f"{beside}: its bins are not those of {path.name}, whose errors it should hold")
    return errors.flux
