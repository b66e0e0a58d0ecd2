"""``sim3d run``: from a configuration to a result file."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import click

from sim3d.cli import STATUS_INTERRUPTED, launcher_rank
from sim3d.commands.arguments import json_option, open_result, print_json
from sim3d.companions import EVENTS_SUFFIX, events_path, journal_path
from sim3d.errors import InputError

DEFAULT_FOLDER = Path("output")

STATUS_OF = {"time": 3, "interrupted": STATUS_INTERRUPTED}
"""Exit statuses of runs that can go on; a job script tells by them whether to come back."""


@click.command()
@click.argument("config_path", metavar="CONFIG.toml", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    metavar="FILE.h5",
    type=click.Path(path_type=Path),
    help="Result file; its folder must exist.  [default: output/<config name>.h5]",
)
@click.option("--primaries", type=click.IntRange(min=1), metavar="N", help="Instead of the configuration's.")
@click.option("--seed", type=click.IntRange(min=0), metavar="S", help="Instead of the configuration's.")
@click.option("--threads", type=click.IntRange(min=1), metavar="T", help="Per process.  [default: all cores]")
@click.option("--resume", is_flag=True, help="Go on from the result file, if there is one.")
@click.option("--batch-range", metavar="A:B", help="Do only the batches A to B - 1 (a part of a job array).")
@click.option("--force", is_flag=True, help="Replace an existing result file.")
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
@json_option
def command(
    config_path: Path,
    output: Path | None,
    primaries: int | None,
    seed: int | None,
    threads: int | None,
    resume: bool,
    batch_range: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Simulate what CONFIG.toml describes and write one result file.

    The result depends on the configuration alone: any number of threads and of ranks (mpirun -n N sim3d run
    CONFIG.toml), any interruption and any division into parts give the same numbers bit by bit. What is finished is
    in the file all the time; --resume goes on from there, also with more --primaries.
    """
    from sim3d.config import load_config

    given = {"primaries": primaries, "seed": seed}
    if not config_path.is_file():
        raise InputError(f"{config_path}: no such configuration file")
    config = load_config(config_path, overrides={key: v for key, v in given.items() if v is not None})
    if resume and force:
        raise InputError("--resume, --force: give one of them, to go on or to begin anew")
    batches = parse_range(batch_range)
    target = output_file(output, config_path, force, resume)

    from sim3d.engine import run_to_file

    first = launcher_rank() in (None, 0)
    started = time.perf_counter()
    speak = first and not quiet and not as_json
    outcome = run_to_file(config, target, threads=threads, progress=speak, resume=resume, batches=batches)
    if first and (as_json or not quiet) and target.exists():
        report(target, time.perf_counter() - started, as_json)
    return STATUS_OF.get(outcome, 0)


def parse_range(text: str | None) -> tuple[int, int] | None:
    """The range of batches written ``A:B``."""
    if text is None:
        return None
    first, colon, last = text.partition(":")
    if not (colon and first.isdecimal() and last.isdecimal() and len(text) < 40):
        raise InputError("--batch-range", text, "A:B, two whole numbers")
    return int(first), int(last)


def output_file(output: Path | None, config_path: Path, force: bool, resume: bool = False) -> Path:
    """Where the result goes, checked before any time is spent on simulating it.

    Parameters
    ----------
    output : Path or None
        What the user asked for; None for ``output/<config name>.h5``, whose folder is made.
    config_path : Path
    force : bool
        Whether an existing file may be replaced.
    resume : bool
        Whether the run goes on from an existing file.
    """
    if output is None:
        output = DEFAULT_FOLDER / f"{config_path.stem}.h5"
        try:
            DEFAULT_FOLDER.mkdir(exist_ok=True)
        except OSError as problem:
            raise InputError(f"{DEFAULT_FOLDER}: cannot be made ({problem.strerror})") from None
    if not output.parent.is_dir():
        raise InputError(f"{output}: the folder {output.parent} does not exist")
    if output.is_dir():
        raise InputError(f"{output}: is a folder, needs the name of a file")
    if output.exists() and not force and not resume:
        raise InputError(f"{output}: exists, give --force to replace it or --resume to go on from it")
    if output.name.endswith(EVENTS_SUFFIX):
        raise InputError(f"{output}: names that end in {EVENTS_SUFFIX} are for event records")
    records = [path for path in (events_path(output), journal_path(output)) if path.exists()]
    # a journal alone is what a run leaves that was killed before its first checkpoint
    if records and not output.exists() and not force and not (resume and records == [journal_path(output)]):
        raise InputError(
            f"{records[0]}: exists without {output.name}; move it to its result, or give --force to replace it"
        )
    if not os.access(output.parent, os.W_OK) or (output.exists() and not os.access(output, os.W_OK)):
        raise InputError(f"{output}: no permission to write there")
    return output


def report(path: Path, seconds: float, as_json: bool) -> None:
    """Print what a finished run gave: a few lines, or JSON."""
    from sim3d.summary import describe_result

    document: dict[str, Any] = describe_result(open_result(path))
    if as_json:
        print_json({"file": path, "seconds": seconds, **document})
        return
    primaries = document["attributes"].get("primaries")
    count = f"{primaries} primaries, " if primaries is not None else ""
    batches = f"{document['batches']} of {document['batches_total']} batches"
    if document["batches"] == document["batches_total"]:
        batches = f"{document['batches']} batches"
    click.echo(f"{path}: {count}{batches} in {seconds:.1f} s")
    if document["attributes"].get("atmosphere", "").startswith("NRLMSIS"):
        click.echo(f"  atmosphere: {document['attributes']['atmosphere']}")
    if document["target"] is not None:
        click.echo(f"  {document['target']}")
    if document["attributes"].get("lost"):
        click.echo(f"  {document['attributes']['lost']} primaries were lost; see sim3d info --json, sim3d replay")
    for name, site in document["sites"].items():
        if site["hits_by_flavour"]:
            hits = ", ".join(f"{flavour} {n}" for flavour, n in site["hits_by_flavour"].items())
            click.echo(f"  {name}: {hits} hits")
    if document["attributes"].get("muon_crossings"):
        click.echo(f"  {document['attributes']['muon_crossings']} muons and nucleons; see sim3d muons {path}")
    for line in document["warnings"]:
        click.echo(f"  WARNING {line}")
