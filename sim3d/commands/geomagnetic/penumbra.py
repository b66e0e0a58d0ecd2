"""``sim3d cutoff --penumbra``: the verdict of every rigidity of a scan, in a table and as a strip."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import output_folder, print_json
from sim3d.commands.geomagnetic.output import (
    cutoff_lines,
    decimals,
    direction_words,
    draw,
    external_words,
    header,
    known_cutoffs,
    place_stem,
    place_words,
    stem,
)
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.files.csv_files import write_rows

if TYPE_CHECKING:
    from geomag.cutoffs.cutoff import CutoffTracer

DEFAULT_FOLDER = Path("output/cutoff/penumbra")


def run(
    tracer: CutoffTracer, view: dict[str, float], inputs: dict[str, Any], *, folder: Path | None, as_json: bool
) -> None:
    """Compute, write, draw and report the penumbra in one direction.

    Parameters
    ----------
    tracer : CutoffTracer
    view : dict
        Zenith angle and azimuth.
    inputs : dict
        For headers and JSON.
    folder : Path or None
        For the files.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.penumbra import penumbra
    from geomag.trajectories.asymptotic import VERDICTS
    from sim3d.plots.geomagnetic.penumbra import penumbra_figure

    found = penumbra(tracer, **view)
    target = output_folder(folder, DEFAULT_FOLDER / "penumbra")
    digits = decimals(tracer.step_GV)
    name = stem("penumbra", inputs, place_stem(inputs["site"], inputs["lat"], inputs["lon"]))
    words = place_words(inputs["lat"], inputs["lon"])
    title = f"{inputs['site']} ({words})" if inputs["site"] else words
    rows = (
        (f"{rigidity:.{digits}f}", VERDICTS[verdict])
        for rigidity, verdict in zip(found.rigidity_GV, found.verdict, strict=True)
    )
    cutoffs, reasons = known_cutoffs(found.cutoff)
    bounds = {key: reason.partition(":")[0] for key, reason in reasons.items()}
    printed = {key: None if value is None else f"{value:.{digits}f}" for key, value in cutoffs.items()}
    lines = header({**inputs, **printed, **bounds}, f"Verdict of every rigidity, {title}")
    written = [write_rows(target / f"{name}.csv", lines, ("rigidity_GV", "verdict"), rows)]
    full = f"{title}, {direction_words(*view.values())}, {inputs['altitude_km']:g} km, {inputs['date']}"
    full += external_words(inputs)
    written += draw(lambda: penumbra_figure(found, full, digits), target, name)
    if as_json:
        print_json(
            {
                **cutoffs,
                "reasons": reasons,
                "starts_allowed": found.cutoff.starts_allowed,
                "undecided": found.cutoff.undecided,
                "penumbra_allowed_share": found.allowed_share,
                "rigidity_GV": found.rigidity_GV,
                "verdict": [VERDICTS[v] for v in found.verdict],
                **inputs,
                "conventions": CUTOFF_CONVENTIONS,
                "files": written,
            }
        )
        return
    click.echo(full)
    for line in cutoff_lines(found.cutoff):
        click.echo(line)
    if found.cutoff.upper_GV > found.cutoff.lower_GV:
        click.echo(f"  allowed between lower and upper: {100.0 * found.allowed_share:.1f}%")
    click.echo(f"  trajectories that are undecided and count as forbidden: {found.cutoff.undecided}")
    for path in written:
        click.echo(path)
