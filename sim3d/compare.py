"""Compare a result, bin by bin, with a table of published fluxes; see also :mod:`sim3d.comparison`."""

from __future__ import annotations

import csv
import math
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sim3d.asymmetry import require_site
from sim3d.errors import InputError, cannot_read
from sim3d.reference_files import data_lines, reference_text

if TYPE_CHECKING:
    from sim3d.results import Result

COLUMNS = ("flavour", "energy_GeV", "cos_zenith", "flux")

ENERGY_RANGE_GEV = (0.29, 10.0)
WITHIN = 0.15

CM2_PER_M2 = 1.0e4

# "cm^-2", "/cm^2", "cm-2", "cm**-2", "(cm2 ..." and the same with m.
_UNIT = re.compile(r"(?<![A-Za-z])(cm|m)\s*(?:\^|\*\*)?\s*\(?-?\s*2", re.IGNORECASE)


FLUKA_TABLE = "fluka_sk_solmax.csv"
FLUKA_SITE = "kamioka"
"""The site that table was made for."""


@dataclass(frozen=True)
class ReferenceTable:
    """Published fluxes, one entry per row.

    Attributes
    ----------
    flavour : list of str
    energy_GeV, cos_zenith : arrays
        Bin centres (GeV); a zenith belongs to the bin that contains it.
    flux : array
        m^-2 s^-1 sr^-1 GeV^-1, whatever the file's own unit.
    unit : str
        The area unit found in the file, ``cm^-2`` or ``m^-2``.
    """

    flavour: list[str]
    energy_GeV: NDArray[np.float64]
    cos_zenith: NDArray[np.float64]
    flux: NDArray[np.float64]
    unit: str


@dataclass(frozen=True)
class Matched:
    """Rows of a reference table next to the bins of a result: flux and error in m^-2 s^-1 sr^-1 GeV^-1.

    ``hits`` is 0 where the result has no flux; ``reference_error`` is None where the reference states none.
    """

    flavour: NDArray[np.str_]
    energy_GeV: NDArray[np.float64]
    cos_zenith: NDArray[np.float64]
    reference: NDArray[np.float64]
    flux: NDArray[np.float64]
    error: NDArray[np.float64]
    hits: NDArray[np.int64]
    reference_error: NDArray[np.float64] | None = None

    def where(self, chosen: NDArray[np.bool_]) -> Matched:
        """The rows that are chosen."""
        columns = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{name: column[chosen] for name, column in columns.items() if column is not None})

    def ratio(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """flux / reference and its error, from both errors taken as independent."""
        ratio = self.flux / self.reference
        sigma = self.error / self.reference
        if self.reference_error is not None:
            sigma = np.hypot(sigma, ratio * self.reference_error / self.reference)
        return ratio, sigma


@dataclass(frozen=True)
class Agreement:
    """How one flavour compares; ratios are result over reference.

    Attributes
    ----------
    flavour : str
    bins : int
        Bins compared; those without hits are counted in ``empty`` and left out of the rest.
    empty : int
    median_ratio : float
    median_deviation : float
        Median of |ratio - 1|.
    rms : float
        Root of the mean of (ratio - 1)^2.
    chi2 : float
        Sum over bins of (difference / statistical error)^2; the error is the result's, with the reference's where
        it has one; not finite if neither has.
    median_error : float
        Median relative statistical error of the ratio.
    within : float
        Fraction of bins with |ratio - 1| at most the tolerance plus one statistical error.
    """

    flavour: str
    bins: int
    empty: int
    median_ratio: float
    median_deviation: float
    rms: float
    chi2: float
    median_error: float
    within: float


def read_reference(path: Path) -> ReferenceTable:
    """Read a CSV with the columns flavour, energy_GeV, cos_zenith, flux and ``#`` comments.

    The unit comes from a comment: ``# unit: ...`` if there is one, else any comment that names cm^-2 or m^-2.
    A bare name that is no file here may be one of the tables that ship with sim3d (fluka_sk_solmax.csv).
    """
    if path.name == str(path) == FLUKA_TABLE and not path.exists():
        return fluka_table()
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise cannot_read(path, problem, "reference table ") from None
    return parse_reference(text, str(path))


def fluka_table() -> ReferenceTable:
    """FLUKA's Super-Kamiokande table at solar maximum, as shipped with sim3d."""
    return parse_reference(reference_text(FLUKA_TABLE), FLUKA_TABLE)


def parse_reference(text: str, source: str) -> ReferenceTable:
    """:func:`read_reference` of the text of a file; ``source`` names it in errors."""
    lines = [line for line in text.splitlines() if line.strip()]
    comments = [line for line in lines if line.lstrip().startswith("#")]
    rows = data_lines(lines)
    header = [cell.strip() for cell in next(csv.reader(rows[:1]), [])]
    missing = [column for column in COLUMNS if column not in header]
    if missing:
        raise InputError(
            f"reference table {source}: no column {', '.join(missing)}; needs {', '.join(COLUMNS)}, "
            f"found {', '.join(header)[:200] or 'nothing'}"
        )
    unit = _area_unit(comments, source)
    flavours: list[str] = []
    numbers: list[tuple[float, float, float]] = []
    for count, cells in enumerate(csv.reader(rows[1:]), start=1):
        row = dict(zip(header, (cell.strip() for cell in cells), strict=False))
        try:
            values = tuple(float(row[column]) for column in COLUMNS[1:])
        except (KeyError, ValueError):
            raise InputError(f"reference table {source}, row {count}: needs four values, has {cells}") from None
        energy, cosine, flux = values
        if not (math.isfinite(energy) and energy > 0 and -1 <= cosine <= 1 and math.isfinite(flux) and flux >= 0):
            raise InputError(
                f"reference table {source}, row {count}: out of range: "
                f"energy {energy:g}, cos_zenith {cosine:g}, flux {flux:g}"
            )
        flavours.append(row["flavour"])
        numbers.append((energy, cosine, flux))
    if not numbers:
        raise InputError(f"reference table {source}: no rows")
    table = np.array(numbers)
    factor = CM2_PER_M2 if unit == "cm^-2" else 1.0
    return ReferenceTable(flavours, table[:, 0], table[:, 1], table[:, 2] * factor, unit)


def _area_unit(comments: list[str], source: str) -> str:
    stated = [line for line in comments if re.match(r"\s*#\s*unit\s*:", line, re.IGNORECASE)]
    found = {match.group(1).lower() for line in stated or comments for match in _UNIT.finditer(line)}
    if len(found) != 1:
        raise InputError(
            f"reference table {source}: the unit is not clear, state it in a comment: "
            "'# unit: cm^-2 s^-1 sr^-1 GeV^-1' or m^-2"
        )
    return f"{found.pop()}^-2"


def match(
    result: Result,
    site: str,
    table: ReferenceTable,
    energy_GeV: tuple[float, float] = ENERGY_RANGE_GEV,
) -> Matched:
    """The rows of a table, in an energy range, next to a result's bins (binning "fluka", azimuth average).

    A row belongs to the energy bin with the nearest log centre, if that is within half a bin, and to the
    zenith bin that contains it; rows of other flavours or energies are left out.
    """
    require_site(result, site)
    low, high = energy_GeV
    if not 0.0 < low < high:
        raise InputError("energy", f"{low:g} {high:g} GeV", "two positive energies, the lower one first")
    log_centres = np.log10(np.asarray(result.binning_energies("fluka")))
    half_bin = 0.5 * (log_centres[1] - log_centres[0])
    cos_edges = np.asarray(result.binning_cos_edges("fluka"))
    flux, error, hits = (np.asarray(x) for x in result.binned(site, "fluka_aa"))

    log_energy = np.log10(table.energy_GeV)
    i_energy = np.abs(log_energy[:, None] - log_centres).argmin(axis=1)
    # Printed energies are rounded (0.106 for 0.10593): a little slack at the edge of the half bin.
    near = np.abs(log_energy - log_centres[i_energy]) <= half_bin * (1 + 1e-6)
    i_cos = np.clip(np.searchsorted(cos_edges, table.cos_zenith, side="right") - 1, 0, len(cos_edges) - 2)
    flavours = list(result.flavours)
    i_flavour = np.array([flavours.index(f) if f in flavours else -1 for f in table.flavour])
    keep = near & (i_flavour >= 0) & (table.energy_GeV >= low) & (table.energy_GeV <= high) & (table.flux > 0)
    if not keep.any():
        raise InputError(f"no row of the reference table is a flavour of the result between {low:g} and {high:g} GeV")
    at = (i_flavour[keep], i_energy[keep], i_cos[keep])
    return Matched(
        np.array(table.flavour)[keep],
        table.energy_GeV[keep],
        table.cos_zenith[keep],
        table.flux[keep],
        flux[at],
        error[at],
        hits[at],
    )


def agreement(matched: Matched, within: float = WITHIN) -> list[Agreement]:
    """Statistics per flavour, in the order the flavours appear in the table."""
    out = []
    all_ratios, all_sigmas = matched.ratio()
    for flavour in dict.fromkeys(matched.flavour.tolist()):
        chosen = matched.flavour == flavour
        hit = chosen & (matched.hits > 0)
        n, empty = int(hit.sum()), int(chosen.sum() - hit.sum())
        if n == 0:
            out.append(Agreement(flavour, 0, empty, *(math.nan,) * 6))
            continue
        ratio, sigma = all_ratios[hit], all_sigmas[hit]
        deviation = np.abs(ratio - 1.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            chi2 = float(np.sum((deviation / sigma) ** 2))
        out.append(
            Agreement(
                flavour,
                n,
                empty,
                float(np.median(ratio)),
                float(np.median(deviation)),
                float(np.sqrt(np.mean(deviation**2))),
                chi2,
                float(np.median(sigma / ratio)),
                float(np.mean(deviation <= within + sigma)),
            )
        )
    return out
