"""Closing lines of commands that make numbers: the statistical errors of the numbers, and the next commands."""

from __future__ import annotations

import math
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import numpy as np

from sim3d.conventions.text_tables import text_table
from sim3d.results.quality import DECADES_GEV, GOALS, WINDOW_GEV, Decade, Quality, site_quality

if TYPE_CHECKING:
    from sim3d.results.muons import MuonSpectra
    from sim3d.results.result import Result

KINDS = {"average": "azimuth average", "azimuth": "azimuth bins"}
"""Names of the kinds of tables, in the order in which they are listed."""


def qualities(result: Result) -> dict[str, Quality]:
    """Compute the quality of every site; empty for a run that scored no neutrinos.

    Parameters
    ----------
    result : Result

    Returns
    -------
    dict of Quality
        By site.
    """
    if not result.record.config.scoring.neutrinos or result.n_batches == 0:
        return {}
    return {site: site_quality(result, site) for site in result.sites}


def worth_lines(
    found: Mapping[str, Quality], smooth: Mapping[str, Mapping[str, Sequence[Decade]]] | None = None
) -> list[str]:
    """Describe the statistical errors of the tables of a result, in a table and two sentences.

    Parameters
    ----------
    found : mapping of Quality
        By site.
    smooth : mapping, optional
        By site and kind: the decades of the smooth tables, if they were made.

    Returns
    -------
    list of str
        Lines; none without sites.
    """
    if not found:
        return []
    spans = [f"{low:g}-{high:g}" for low, high in DECADES_GEV]
    rows: list[list[str]] = []
    for site, quality in found.items():
        for kind, name in KINDS.items():
            rows.append([f"{site}, {name}", *_cells(quality.decades[kind])])
            if smooth is not None and kind in smooth.get(site, {}):
                rows.append([f"{site}, {name}, smooth", *_cells(smooth[site][kind], "extrapolated")])
    out = ["Median statistical error of a bin of the tables, and share of bins without a hit, by energy in GeV:"]
    out += text_table(["", *spans], rows)
    for site, quality in found.items():
        out += _precision(site, quality)
    return out


def _cells(decades: Sequence[Decade], empty: str = "empty") -> list[str]:
    by_low = {one.low_GeV: one for one in decades}
    cells = []
    for low, _ in DECADES_GEV:
        one = by_low.get(low)
        if one is None:
            cells.append("not scored")
        elif math.isinf(one.median_error):
            cells.append(f"{one.empty:.0%} {empty}")
        else:
            error = percent(one.median_error) if one.median_error < 1.0 else "above 100%"
            cells.append(error + (f", {_share(one.empty)} {empty}" if one.empty > 0 else ""))
    return cells


def _share(fraction: float) -> str:
    return "<1%" if fraction < 0.005 else f"{fraction:.0%}"


def percent(fraction: float) -> str:
    """Format a relative error in percent with two digits.

    Parameters
    ----------
    fraction : float

    Returns
    -------
    str

    Examples
    --------
    >>> [percent(x) for x in (0.0123, 0.123, 1.5)]
    ['1.2%', '12%', '150%']
    """
    value = 100.0 * fraction
    return f"{value:.1f}%" if value < 9.95 else f"{value:.0f}%"


def _precision(site: str, quality: Quality) -> list[str]:
    window = f"{WINDOW_GEV[0]:g} to {WINDOW_GEV[1]:g} GeV"
    if math.isinf(quality.worst_error):
        return [
            f"{site}: half of the bins from {window} are empty for some flavour; run at least ten times the primaries "
            f"({counted(10 * quality.primaries)})."
        ]
    flavours = ", ".join(f"{name} {percent(error)}" for name, error in quality.median_error.items())
    needs = []
    for goal in GOALS:
        if quality.worst_error <= goal:
            needs.append(f"{goal:.0%} is reached")
            continue
        needed = quality.needed(goal)
        seconds = quality.seconds_for(max(0.0, needed - quality.primaries))
        time = "" if math.isnan(seconds) else f" ({duration(seconds)} more at this rate)"
        needs.append(f"{goal:.0%} needs about {counted(needed)}{time}")
    return [
        f"{site}, {window}, averaged over azimuth: {flavours} with {quality.primaries:,} primaries; {', '.join(needs)}."
    ]


def precision_lines(result: Result, sites: Sequence[str] | None = None) -> list[str]:
    """State in one sentence for each site how precise its fluxes are, and how many primaries 5% and 2% need.

    Parameters
    ----------
    result : Result
    sites : sequence of str, optional
        By default all of the run.

    Returns
    -------
    list of str
        None for a run without neutrinos.
    """
    return [
        line
        for site, quality in qualities(result).items()
        if sites is None or site in sites
        for line in _precision(site, quality)
    ]


def error_lines(what: str, errors: Mapping[str, float], goals: Sequence[float], result: Result) -> list[str]:
    """State the largest statistical error of some numbers, and the primaries that smaller ones need.

    Errors fall with the square root of the number of primaries.

    Parameters
    ----------
    what : str
        Name of the numbers.
    errors : mapping of float
        One standard deviation, absolute, by name; NaN for numbers without hits.
    goals : sequence of float
        Errors for which primaries are given, where they are not reached yet.
    result : Result

    Returns
    -------
    list of str
    """
    known = {name: error for name, error in errors.items() if math.isfinite(error) and error > 0.0}
    primaries = int(result.attributes["primaries"])
    if not known:
        return [f"{what}: no error is known with {primaries:,} primaries; run more."]
    worst = max(known, key=lambda name: known[name])
    text = f"{what}: statistical error {known[worst]:.2g} at most ({worst}) with {primaries:,} primaries"
    needs = []
    for goal in goals:
        if known[worst] <= goal:
            needs.append(f"{goal:g} is reached")
        else:
            needs.append(f"{goal:g} needs about {counted(primaries * (known[worst] / goal) ** 2)}")
    missing = len(errors) - len(known)
    lacking = f"; {missing} of {len(errors)} have no hits" if missing else ""
    return [f"{text}; {', '.join(needs)}{lacking}."]


MUON_SPANS_GEV = ((0.1, 1.0), (1.0, 10.0), (10.0, 100.0), (100.0, 1000.0))
"""Ranges of momentum for which the errors of muons are given, GeV/c."""


def muon_lines(spectra: MuonSpectra, result: Result) -> list[str]:
    """State the median error of the bins of muons and the share of empty ones, by decade of momentum.

    Parameters
    ----------
    spectra : MuonSpectra
    result : Result

    Returns
    -------
    list of str
    """
    flux, error = spectra.flux[:, :2], spectra.error[:, :2]
    relative = np.where(flux > 0.0, error / np.where(flux > 0.0, flux, 1.0), np.inf)
    cells, head, worst = [], [], 0.0
    for low, high in MUON_SPANS_GEV:
        chosen = (spectra.momenta_GeV > low) & (spectra.momenta_GeV < high)
        if not chosen.any():
            continue
        ordered = np.sort(relative[:, :, chosen], axis=None)
        median = float(ordered[len(ordered) // 2])
        empty = float(np.mean(np.isinf(ordered)))
        head.append(f"{low:g}-{high:g}")
        known = percent(median) if median < 1.0 else "above 100%"
        cells.append("half empty" if math.isinf(median) else known + (f", {_share(empty)} empty" if empty else ""))
        worst = max(worst, median) if low >= 1.0 and high <= 100.0 else worst
    lines = ["Median statistical error of a bin of mu+ and mu-, by momentum in GeV/c:"]
    lines += text_table(["", *head], [[spectra.site, *cells]])
    primaries = int(result.attributes["primaries"])
    if math.isinf(worst):
        lines.append(f"{spectra.site}: run at least ten times the {primaries:,} primaries.")
    elif worst > 0.0:
        needs = [
            f"{goal:.0%} is reached"
            if worst <= goal
            else f"{goal:.0%} needs about {counted(primaries * (worst / goal) ** 2)}"
            for goal in GOALS
        ]
        lines.append(f"{spectra.site}, 1 to 100 GeV/c, with {primaries:,} primaries: {', '.join(needs)}.")
    return lines


def round_up(number: float) -> int:
    """Round a number up to two digits.

    Parameters
    ----------
    number : float
        Positive and finite.

    Returns
    -------
    int

    Examples
    --------
    >>> round_up(123_456), round_up(7)
    (130000, 7)
    """
    unit = 10 ** max(0, math.floor(math.log10(max(number, 1.0))) - 1)
    return int(math.ceil(number / unit) * unit)


def counted(primaries: float) -> str:
    """Format a number of primaries, rounded up to two digits.

    Parameters
    ----------
    primaries : float

    Returns
    -------
    str

    Examples
    --------
    >>> counted(8_231_178), counted(43_210)
    ('8.3 million', '44,000')
    """
    number = round_up(primaries)
    return f"{number / 1e6:.3g} million" if number >= 1_000_000 else f"{number:,}"


def duration(seconds: float) -> str:
    """Format a duration for people: seconds, minutes or hours, in two digits.

    Parameters
    ----------
    seconds : float

    Returns
    -------
    str

    Examples
    --------
    >>> [duration(x) for x in (4, 75, 700, 9000)]
    ['4 s', '1.2 min', '12 min', '2.5 h']
    """
    unit, name = (1.0, "s") if seconds < 60.0 else (60.0, "min") if seconds < 3600.0 else (3600.0, "h")
    value = seconds / unit
    return f"{value:.0f} {name}" if value >= 9.95 or name == "s" else f"{value:.1f} {name}"


def show_worth(
    result: Result,
    steps: Sequence[tuple[str, str]] = (),
    smooth: Mapping[str, Mapping[str, Sequence[Decade]]] | None = None,
) -> None:
    """Print the statistical errors of a result, and the commands that come next.

    Parameters
    ----------
    result : Result
    steps : sequence of (str, str)
        Commands and what they do.
    smooth : mapping, optional
        See :func:`worth_lines`.
    """
    for line in worth_lines(qualities(result), smooth):
        click.echo(line)
    for line in next_lines(steps):
        click.echo(line)


def next_lines(steps: Sequence[tuple[str, str]]) -> list[str]:
    """Format the next commands, each followed by what it does.

    Parameters
    ----------
    steps : sequence of (str, str)

    Returns
    -------
    list of str
    """
    if not steps:
        return []
    rows = text_table(None, [[command, what] for command, what in steps], align="ll")
    return ["Next:", *rows]


def quoted(path: Path | str) -> str:
    """Quote a path for a shell, if it needs quotes."""
    return shlex.quote(str(path))


def steps_after_run(
    path: Path, result: Result, config_path: Path | None = None, *, part: bool = False
) -> list[tuple[str, str]]:
    """List the commands that come after a run.

    Parameters
    ----------
    path : Path
        The result file.
    result : Result
    config_path : Path, optional
        Configuration of the run; with it the first step extends the run.
    part : bool
        Whether the run was a part of a job array; the only step is then the merge.

    Returns
    -------
    list of (str, str)
        Commands and what they do.
    """
    if part:
        return [(f"sim3d merge {quoted(path)} OTHER.h5 ... -o ALL.h5", "when all parts are done")]
    steps = []
    found = qualities(result)
    if config_path is not None and found:
        worst = max(found.values(), key=lambda one: one.worst_error)
        goal = next((goal for goal in GOALS if worst.worst_error > goal), None)
        needed = math.inf if goal is None else worst.needed(goal)
        if goal is not None and math.isfinite(needed):
            command = f"sim3d run {quoted(config_path)} -o {quoted(path)} --resume --primaries {round_up(needed)}"
            steps.append((command, f"to {goal:.0%}"))
    if found:
        steps.append((f"sim3d tables {quoted(path)} --smooth", "flux tables, raw ones without --smooth"))
        steps.append((f"sim3d report {quoted(path)}", "all of it on one page"))
    if result.record.config.scoring.muons:
        steps.append((f"sim3d muons {quoted(path)}", "muons and nucleons"))
    return steps
