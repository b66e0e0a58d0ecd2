"""Match rows of a published flux table to the bins of a result, and compute statistics of their ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sim3d.analysis import reference as compare
from sim3d.analysis.reference import ReferenceTable
from sim3d.conventions.arrays import Array
from sim3d.conventions.binning import (
    COS_WIDTH,
    ENERGY_BINS_PER_DECADE,
    ENERGY_EDGES_GEV,
    LOG10_ENERGY_LOW,
    N_COS,
    N_ENERGY,
)
from sim3d.errors import InputError
from sim3d.results.windows import lowest_energy, require_site

if TYPE_CHECKING:
    from sim3d.results.result import Result

MATCHED_ENERGIES_GEV = (0.29, 10.0)
"""Energies (GeV) that a comparison with a table of published fluxes covers unless others are asked for."""

_ON_EDGE = 1e-3
"""Distance from an edge, in zenith bins, within which a row is on it: cosines are printed with four digits or more."""

WITHIN = 0.15
"""Relative deviation up to which a bin counts as in agreement."""


@dataclass(frozen=True)
class Unused:
    """Rows or bins of a source that a comparison does not use.

    Attributes
    ----------
    source : str
        Name of the source.
    of : str
        What is counted: ``rows`` or ``bins``.
    total : int
        Their number in the source.
    reasons : dict of int
        Numbers of those not used, by reason.
    """

    source: str
    of: str
    total: int
    reasons: dict[str, int] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Number of those not used."""
        return sum(self.reasons.values())


def count_unused(source: str, of: str, tests: Sequence[tuple[str, NDArray[np.bool_]]]) -> Unused:
    """Count what a comparison leaves out of a source, each row under the first reason that holds.

    Parameters
    ----------
    source, of : str
        See :class:`Unused`.
    tests : sequence of (str, bool array (n,))
        Reasons, and where each of them holds.

    Returns
    -------
    Unused
    """
    left = np.ones_like(tests[0][1])
    reasons = {}
    for reason, holds in tests:
        if number := int((left & holds).sum()):
            reasons[reason] = number
        left &= ~holds
    return Unused(source, of, left.size, reasons)


@dataclass(frozen=True)
class Matched:
    """Fluxes of two sources at the same flavours, energies and zenith angles, one entry per row.

    Attributes
    ----------
    flavour : str array (n,)
    energy_GeV, cos_zenith : float64 array (n,)
    reference : float64 array (n,)
        Flux of the reference, m^-2 s^-1 sr^-1 GeV^-1.
    flux, error : float64 array (n,)
        Flux of the other source and its error, in the same unit.
    hits : int64 array (n,)
        Crossings in the bin of a result; 0 where it has no flux.
    reference_error : float64 array (n,) or None
        None where the reference states none.
    unused : tuple of Unused
        What the comparison leaves out of its sources.
    """

    flavour: NDArray[np.str_]
    energy_GeV: NDArray[np.float64]
    cos_zenith: NDArray[np.float64]
    reference: NDArray[np.float64]
    flux: NDArray[np.float64]
    error: NDArray[np.float64]
    hits: NDArray[np.int64]
    reference_error: NDArray[np.float64] | None = None
    unused: tuple[Unused, ...] = ()

    def where(self, chosen: NDArray[np.bool_]) -> Matched:
        """Select rows.

        Parameters
        ----------
        chosen : bool array (n,)

        Returns
        -------
        Matched
        """
        columns: dict[str, Any] = {one.name: getattr(self, one.name) for one in fields(self)}
        kept: dict[str, Any] = {n: column[chosen] for n, column in columns.items() if isinstance(column, np.ndarray)}
        return replace(self, **kept)

    def ratio(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Compute flux / reference and its error; the two errors are taken as independent.

        Returns
        -------
        ratio, sigma : float64 array (n,)
        """
        ratio = self.flux / self.reference
        sigma = self.error / self.reference
        if self.reference_error is not None:
            # NaN stands for an error that is not known
            sigma = np.hypot(sigma, ratio * np.nan_to_num(self.reference_error) / self.reference)
        return ratio, sigma


@dataclass(frozen=True)
class Agreement:
    """Statistics of the ratios result / reference of one flavour.

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
        Sum over the bins with a known error of (difference / statistical error)^2; the error is the result's, with the
        reference's where it has one; NaN without such a bin.
    chi2_bins : int
        Number of bins in that sum.
    chi2_note : str
        Why there is no chi2, or that some bins are not in it; empty otherwise.
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
    chi2_bins: int = 0
    chi2_note: str = ""


def match(
    result: Result,
    site: str,
    table: ReferenceTable,
    energy_GeV: tuple[float, float] = MATCHED_ENERGIES_GEV,
) -> Matched:
    """Match the rows of a published table to a result's bins, averaged over azimuth.

    A row at the log centre of a bin of FLUKA's or of Honda's, or of a fine bin, belongs to that energy bin; another row
    to the nearest of these. It belongs to the zenith bin that contains it, or on the edge of two fine bins (the centres
    of Honda's zenith bins are such) to both. Rows of other flavours or energies are left out.

    Parameters
    ----------
    result : Result
    site : str
    table : ReferenceTable
    energy_GeV : (float, float)
        Energy range, GeV.

    Returns
    -------
    Matched

    Raises
    ------
    InputError
        If the energy range is not valid, or no row of the table is in it.
    """
    require_site(result, site)
    low, high = energy_GeV
    if not 0.0 < low < high:
        raise InputError("energy", f"{low:g} {high:g} GeV", "two positive energies, the lower one first")
    inside = np.clip(table.energy_GeV, ENERGY_EDGES_GEV[0], ENERGY_EDGES_GEV[-1]) == table.energy_GeV
    flavours = list(result.flavours)
    i_flavour = np.array([flavours.index(f) if f in flavours else -1 for f in table.flavour])
    outside = (table.energy_GeV < low) | (table.energy_GeV > high)
    tests = [
        ("tau neutrinos", i_flavour < 0),
        (f"outside {low:g}-{high:g} GeV", outside),
        ("outside the result's energies", ~inside),
        ("flux 0", table.flux <= 0.0),
    ]
    keep = ~np.any([holds for _, holds in tests], axis=0)
    if not keep.any():
        raise InputError(f"no row of the reference table is a flavour of the result between {low:g} and {high:g} GeV")
    at = (table.energy_GeV[keep], table.cos_zenith[keep])
    flux, error, hits = _bins_around(result, site, i_flavour[keep], *at)
    reference_error = None if table.error is None else table.error[keep]
    unused = (count_unused("reference", "rows", tests),)
    return Matched(np.array(table.flavour)[keep], *at, table.flux[keep], flux, error, hits, reference_error, unused)


def _errors(result: Result, site: str, binning: str) -> NDArray[np.float64]:
    """Errors of tables in a binning (:mod:`sim3d.results.bin_errors`), 0 in bins without hits.

    A bin with one light hit has a sample error as small as its flux, and would count as known to be low.
    """
    return np.where(np.asarray(result.binned(site, binning)[0]) > 0.0, result.errors(site, binning).error, 0.0)


def _bins_around(
    result: Result, site: str, flavour: NDArray[np.intp], energy_GeV: Array, cos_zenith: Array
) -> tuple[Array, Array, NDArray[np.int64]]:
    """Return flux, error and hits of the bins centred nearest to each row: one fine bin or two, in energy and zenith.

    The errors of FLUKA's and Honda's bins are those of their binnings, which know the correlation of the fine bins;
    other pairs are taken as independent.
    """
    # in halves of a fine bin from the lowest edge: an odd number is the middle of a fine bin, an even one an edge
    halves = np.rint((np.log10(energy_GeV) - LOG10_ENERGY_LOW) * 2 * ENERGY_BINS_PER_DECADE).astype(int)
    halves = np.clip(halves, 1, 2 * N_ENERGY - 1)
    energies = (halves - 1) // 2, halves // 2
    place = (cos_zenith + 1.0) / COS_WIDTH
    edge = np.rint(place).astype(int)
    on_edge = (np.abs(place - edge) < _ON_EDGE) & (edge > 0) & (edge < N_COS)
    contains = np.clip(place.astype(int), 0, N_COS - 1)
    cosines = np.where(on_edge, edge - 1, contains), np.where(on_edge, edge, contains)
    fine, _, fine_hits = (np.asarray(x) for x in result.binned(site, "fine_aa"))
    fine_error = _errors(result, site, "fine_aa")
    width = np.diff(ENERGY_EDGES_GEV)
    pairs = [(e, c) for e in energies for c in cosines]
    # a single bin appears twice, with half of its weight each time
    weights = [width[e] / (2.0 * (width[energies[0]] + width[energies[1]])) for e, _ in pairs]
    flux = sum(w * fine[flavour, e, c] for w, (e, c) in zip(weights, pairs, strict=True))
    times = np.where(energies[0] == energies[1], 2, 1) * np.where(on_edge, 1, 2)
    squares = sum((w * fine_error[flavour, e, c]) ** 2 for w, (e, c) in zip(weights, pairs, strict=True))
    error = np.sqrt(times * squares)
    hits = sum(fine_hits[flavour, e, c] for e, c in pairs) // times
    pair = energies[0] != energies[1]
    for name, start, chosen in (
        ("fluka_aa", 1, pair & (energies[0] % 2 == 1) & ~on_edge),
        ("honda_aa", 0, pair & (energies[0] % 2 == 0) & on_edge & (edge % 2 == 1)),
    ):
        binning = result.binning(name)
        errors = _errors(result, site, name)
        i = np.clip((energies[0] - start) // binning.energy_group, 0, binning.n_energy - 1)
        error = np.where(chosen, errors[flavour, i, cosines[0] // binning.cos_group], error)
    return np.asarray(flux), error, np.asarray(hits)


def agreement(matched: Matched, within: float = WITHIN) -> list[Agreement]:
    """Compute statistics of the ratios result / reference for each flavour.

    Parameters
    ----------
    matched : Matched
    within : float
        Relative tolerance for :attr:`Agreement.within`.

    Returns
    -------
    list of Agreement
        In the order in which the flavours appear in the table.
    """
    out = []
    all_ratios, all_sigmas = matched.ratio()
    for flavour in dict.fromkeys(matched.flavour.tolist()):
        chosen = matched.flavour == flavour
        hit = chosen & (matched.hits > 0)
        n, empty = int(hit.sum()), int(chosen.sum() - hit.sum())
        if n == 0:
            out.append(Agreement(flavour, 0, empty, *(math.nan,) * 6, 0, "no bin has a flux in both"))
            continue
        ratio, sigma = all_ratios[hit], all_sigmas[hit]
        deviation = np.abs(ratio - 1.0)
        known = sigma > 0.0
        chi2 = float(np.sum((deviation[known] / sigma[known]) ** 2)) if known.any() else math.nan
        note = "no statistical error is known" if not known.any() else ""
        if known.any() and not known.all():
            note = f"{n - int(known.sum())} bins without a known error are not in it"
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
                int(known.sum()),
                note,
            )
        )
    return out


def fluka_rows(result: Result, site: str) -> Matched | None:
    """Match FLUKA's table to a result, using only bins wholly above the lowest energy scored.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    Matched or None
        None for a site other than FLUKA's, or if no bin is left.
    """
    table = compare.fluka_table()
    # half a bin of 20 per decade, and the rounding of the printed energies
    low = max(0.1, lowest_energy(result) * 10.0 ** (1.0 / 40.0) * 0.998)
    if site != compare.FLUKA_SITE or low > table.energy_GeV.max():
        return None
    return match(result, site, table, (low, 200.0))
