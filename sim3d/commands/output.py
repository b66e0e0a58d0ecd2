"""Output file, range of batches, closing summary and exit statuses of commands that make a result."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from sim3d.commands.arguments import open_result, print_json
from sim3d.commands.numbers import whole_number
from sim3d.commands.status import STATUS_INTERRUPTED, STATUS_TIME
from sim3d.errors import InputError
from sim3d.files.atomic_files import check_output
from sim3d.files.file_names import EVENTS_SUFFIX, events_path, followed, journal_path

DEFAULT_FOLDER = Path("output")

STATUS_OF = {"time": STATUS_TIME, "interrupted": STATUS_INTERRUPTED}
"""Exit statuses of unfinished runs that can be resumed; a job script can test for them."""


def parse_range(text: str | None) -> tuple[int, int] | None:
    """Parse a range of batches written ``A:B``.

    Parameters
    ----------
    text : str or None

    Returns
    -------
    (int, int) or None
        None for None.

    Raises
    ------
    InputError
        For anything else.
    """
    if text is None:
        return None
    first, colon, last = text.partition(":")
    ends = whole_number(first), whole_number(last)
    if not colon or ends[0] is None or ends[1] is None or min(ends[0], ends[1]) < 0:
        raise InputError("--batch-range", text, "A:B, two whole numbers")
    return ends[0], ends[1]


def part_range(text: str, n_batches: int) -> tuple[int, int]:
    """Find the batches of part K of N of a run.

    Parameters
    ----------
    text : str
        ``K/N`` with K from 1 to N.
    n_batches : int
        Batches of the run.

    Returns
    -------
    (int, int)
        The first batch and the one after the last; all parts together have every batch once.

    Raises
    ------
    InputError
        For anything else, or if there are fewer batches than parts.

    Examples
    --------
    >>> [part_range(f"{k}/3", 10) for k in (1, 2, 3)]
    [(0, 3), (3, 6), (6, 10)]
    """
    first, slash, last = text.partition("/")
    k, n = whole_number(first), whole_number(last)
    if not slash or k is None or n is None or not 1 <= k <= n:
        raise InputError("--part", text, "K/N, two whole numbers with K from 1 to N, such as 1/10")
    if n > n_batches:
        raise InputError("--part", text, f"at most {n_batches} parts, the batches of this run")
    return (k - 1) * n_batches // n, k * n_batches // n


def output_file(
    output: Path | None, config_path: Path, force: bool, resume: bool = False, *, resumable: bool = False
) -> Path:
    """Determine the path of the result and check it before any time is spent on the simulation.

    Parameters
    ----------
    output : Path or None
        Path given by the user; None for ``output/<config name>.h5``, whose folder is made.
    config_path : Path
    force : bool
        Whether an existing file may be replaced.
    resume : bool
        Whether the run continues from an existing file.
    resumable : bool
        Whether the command has the option ``--resume``, which the message then names.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If the file cannot be written there, or exists and may not be replaced.
    """
    if output is None:
        output = DEFAULT_FOLDER / f"{config_path.stem}.h5"
        try:
            DEFAULT_FOLDER.mkdir(exist_ok=True)
        except OSError as problem:
            raise InputError(f"{DEFAULT_FOLDER}: cannot be made ({problem.strerror})") from None
    folder = followed(output).parent
    if not folder.is_dir():
        raise InputError(f"{output}: the folder {folder} does not exist")
    if output.is_dir():
        raise InputError(f"{output}: is a folder, needs the name of a file")
    for path in (output, events_path(output), journal_path(output)):
        check_output(path)
    if output.exists() and not force and not resume:
        remedy = " or --resume to go on from it" if resumable else ""
        raise InputError(f"{output}: exists, give --force to replace it{remedy}")
    if output.name.endswith(EVENTS_SUFFIX):
        raise InputError(f"{output}: names that end in {EVENTS_SUFFIX} are for event records")
    records = [path for path in (events_path(output), journal_path(output)) if path.exists()]
    # a run killed before its first checkpoint leaves a journal only
    if records and not output.exists() and not force and not (resume and records == [journal_path(output)]):
        raise InputError(
            f"{records[0]}: exists without {output.name}; move it to its result, or give --force to replace it"
        )
    if not os.access(folder, os.W_OK):
        raise InputError(f"{output}: no permission to write there")
    return output


def _shares(attributes: dict[str, Any], seconds: float) -> str:
    """Say how much of the time was compiling, of a run in one session that compiled for more than 5 s."""
    compiling = float(attributes.get("compile_time_s", 0.0))
    if int(attributes.get("sessions", 0)) != 1 or not 5.0 < compiling < seconds:
        return ""
    simulating = float(attributes.get("wall_time_s", 0.0))
    return f" ({simulating:.1f} s of simulation, {compiling:.1f} s of compiling or loading kernels)"


def report(
    path: Path,
    seconds: float,
    as_json: bool,
    config_path: Path | None = None,
    *,
    part: bool = False,
    merged: bool = False,
) -> None:
    """Print a summary of a finished run or merge, as text or as JSON.

    Parameters
    ----------
    path : Path
        The result file.
    seconds : float
        Duration of the command.
    as_json : bool
    config_path : Path, optional
        Configuration of the run, for the command that extends it.
    part : bool
        Whether the run was a part of a job array: what comes next is then the merge, and warnings are counted only.
    merged : bool
        Whether the command joined files: its duration is then no time of simulation.
    """
    from sim3d.commands.worth import show_worth, steps_after_run
    from sim3d.results.summary import describe_result
    from sim3d.results.words import field_in_words, models_in_words, sun_in_short

    result = open_result(path)
    document: dict[str, Any] = describe_result(result)
    if as_json:
        print_json({"file": path, "seconds": seconds, **document})
        return
    primaries = document["attributes"].get("primaries")
    count = f"{primaries} primaries, " if primaries is not None else ""
    batches = f"{document['batches']} of {document['batches_total']} batches"
    if document["batches"] == document["batches_total"]:
        batches = f"{document['batches']} batches"
    verb = ", merged" if merged else ""
    click.echo(f"{path}: {count}{batches}{verb} in {seconds:.1f} s{_shares(document['attributes'], seconds)}")
    click.echo(f"  {field_in_words(result.record)}; Sun: {sun_in_short(result.record)}")
    click.echo(f"  {models_in_words(result.record)}")
    click.echo(f"  {result.record.config.calibration_in_words}")
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
    warnings = document["warnings"]
    if part and warnings:
        click.echo(f"  {len(warnings)} warnings about this part alone (sim3d info); those of the merged file count")
    for line in [] if part else warnings:
        click.echo(f"  WARNING {line}")
    show_worth(result, steps_after_run(path, result, config_path, part=part))
