"""Smooth tables of all sites of a result: files, and the lines that say how well they fit."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sim3d.commands.progress import steps
from sim3d.conventions.text_tables import text_table
from sim3d.files.flux_table import EXTRAPOLATED
from sim3d.results.quality import Decade, decades

if TYPE_CHECKING:
    from sim3d.flux.smooth_pulls import RegionPull
    from sim3d.flux.smoothing import Smoothed
    from sim3d.results.result import Result


@dataclass
class SmoothTables:
    """Files of smooth tables, and the quality of their fits.

    Attributes
    ----------
    written : list of Path
    pulls : dict
        Statistics of the pulls by site, kind of table and flavour.
    regions : dict of list
        Sums of pulls by region, by site and kind.
    quality : dict of dict of tuple of Decade
        Errors of the smooth fluxes by site and kind.
    fit : str
        How well the fit describes the raw tables, in a sentence.
    lines : list of str
        The pulls by flavour and region, for the terminal.
    """

    written: list[Path] = field(default_factory=list)
    pulls: dict[str, dict[str, dict[str, dict[str, Any]]]] = field(default_factory=dict)
    regions: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    quality: dict[str, dict[str, tuple[Decade, ...]]] = field(default_factory=dict)
    fit: str = ""
    lines: list[str] = field(default_factory=list)


def tables_of(site: str, paths: Iterable[Path], sites: Iterable[str]) -> list[Path]:
    """Choose the files of one site by their names; a name may be the beginning of another site's.

    Parameters
    ----------
    site : str
    paths : iterable of Path
    sites : iterable of str
        All sites of the result.

    Returns
    -------
    list of Path
    """

    def stem(name: str) -> tuple[str, str]:
        # honda_writing.file_stem puts an underscore between two letters a where PISA would misread them
        return name, name.replace("aa", "a_a")

    longer = [other for other in sites if other != site and other.startswith(f"{site}-")]
    return [
        path
        for path in paths
        if any(path.name.startswith(f"{one}-") for one in stem(site))
        and not any(path.name.startswith(f"{one}-") for other in longer for one in stem(other))
    ]


def write_smooth(result: Result, folder: Path, file_format: str, binning: str = "honda") -> SmoothTables:
    """Fit and write the smooth tables of every site.

    Parameters
    ----------
    result : Result
    folder : Path
        Must exist.
    file_format : str
        honda or csv.
    binning : str
        See :func:`sim3d.results.tables.write_csv_tables`; honda in Honda's format.

    Returns
    -------
    SmoothTables
    """
    from sim3d.files import csv_tables, honda_writing
    from sim3d.files import honda as honda_tables
    from sim3d.flux import smooth_pulls, smoothing
    from sim3d.studies.run_shape import shape_of_result

    made = SmoothTables()
    by_region: dict[str, list[RegionPull]] = {}
    with steps(len(result.sites), "smooth tables") as step:
        for site in result.sites:
            step(site)
            name = f"{site}-smooth" if binning == "honda" else f"{site}-smooth-{binning}"
            blocks = None
            if file_format == "honda":
                n = len(result.azimuth_edges_deg) - 1
                blocks = honda_tables.HONDA_AZIMUTHS if n % honda_tables.HONDA_AZIMUTHS == 0 else None
            made.pulls[site], made.quality[site] = {}, {}
            shape = shape_of_result(result, site, binning)
            for smoothed, original in smoothing.smooth_result(result, site, binning, blocks, shape):
                if file_format == "honda":
                    made.written += honda_writing.write_what_fits(smoothed.table, folder, name)
                else:
                    made.written.append(csv_tables.write_table(smoothed.table, folder, name))
                made.written.append(smooth_pulls.write_pulls(smoothed, original, folder, name))
                kind = "azimuth" if smoothed.table.has_azimuth else "average"
                rows = [asdict(row) for row in smooth_pulls.summary(smoothed)]
                made.pulls[site][kind] = {row.pop("flavour"): row for row in rows}
                made.quality[site][kind] = _errors_by_decade(smoothed)
                by_region[f"{site} {kind}"] = smooth_pulls.regions(smoothed)
    made.regions = {name: [asdict(row) for row in rows] for name, rows in by_region.items()}
    made.fit = _fit_in_words(made.pulls)
    made.lines = [*_pull_lines(made.pulls), *_region_lines(by_region)]
    return made


def _errors_by_decade(smoothed: Smoothed) -> tuple[Decade, ...]:
    """Summarise the errors of a smooth table; extrapolated bins count as empty."""
    table = smoothed.table
    assert table.error is not None
    assert table.kind is not None
    relative = np.where(table.kind == EXTRAPOLATED, np.inf, table.error / table.flux)
    return decades(relative, table.energies_GeV, np.ones(len(table.energies_GeV), dtype=bool))


def _fit_in_words(pulls: dict[str, dict[str, dict[str, dict[str, Any]]]]) -> str:
    """Describe the fit of all sites and flavours: chi2 per degree of freedom, and the share of bins beyond 3 sigma."""
    rows = [row for kinds in pulls.values() for flavours in kinds.values() for row in flavours.values() if row["bins"]]
    bins = sum(row["bins"] for row in rows)
    if not bins:
        return "Fit: no bin has 5 effective hits, so the fit cannot be checked; run more primaries."
    chi2, ndf = sum(row["chi2"] for row in rows), sum(row["ndf"] for row in rows)
    beyond = sum(row["beyond_3"] * row["bins"] for row in rows) / bins
    quality = chi2 / ndf if ndf > 0 else float("nan")
    return (
        f"Fit: chi2/ndf {quality:.2f} in {bins} bins of 5 effective hits or more (good: below 1.2), {beyond:.1%} of "
        "them beyond 3 sigma (good: below 1%); `sim3d tables --smooth --all` lists flavours and regions."
    )


def _pull_lines(pulls: dict[str, dict[str, dict[str, dict[str, Any]]]]) -> list[str]:
    """Format the statistics of the pulls."""
    rows: list[list[str]] = []
    for site, kinds in pulls.items():
        for kind, flavours in kinds.items():
            for flavour, row in flavours.items():
                head = f"{site} {kind} {flavour}"
                if row["bins"] == 0:
                    rows.append([head, "0", *("-",) * 5, f"{row['known_below_GeV']:.3g} GeV"])
                    continue
                rows.append(
                    [
                        head,
                        f"{row['bins']}",
                        f"{row['mean']:.2f}",
                        f"{row['rms']:.2f}",
                        f"{row['chi2']:.0f}/{row['ndf']:.0f}",
                        f"{row['beyond_3']:.2%}",
                        f"{row['largest']:.1f}",
                        f"{row['known_below_GeV']:.3g} GeV",
                    ]
                )
    titles = ("", "bins", "mean", "rms", "chi2/ndf", ">3", "largest", "known below")
    return [
        "Pulls (raw - smooth)/error of bins with 5 effective hits or more (Gaussian: rms below 1, 0.3% beyond 3):",
        *text_table(titles, rows),
        "known below: where the fit's relative error is under one half; above it is an extrapolation, with an error "
        "of at least the flux (CSV: error_kind is extrapolated).",
    ]


def _region_lines(by_region: dict[str, list[RegionPull]]) -> list[str]:
    lines = []
    for name, rows in by_region.items():
        lines.append(f"{name}: pulls summed over zenith third, decade and half of azimuth, and mean deviation:")
        lines += _region_table(rows)
    return lines


def _region_table(regions: list[RegionPull]) -> list[str]:
    """Format the sums of pulls: a row per decade and direction, a column per flavour."""
    rows: dict[tuple[float, str], dict[str, str]] = {}
    flavours = list(dict.fromkeys(one.flavour for one in regions))
    for one in regions:
        key = (one.low_GeV, one.zenith if one.azimuth == "all" else f"{one.zenith} {one.azimuth}")
        rows.setdefault(key, {})[one.flavour] = f"{one.pull:+.1f} ({one.deviation:+.1%})"
    lines = [
        [f"{low:g}-{10 * low:g} GeV {place}", *(cells.get(flavour, "-") for flavour in flavours)]
        for (low, place), cells in sorted(rows.items())
    ]
    return text_table(("", *flavours), lines)
