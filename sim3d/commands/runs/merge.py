"""``sim3d merge``: join parts of one run into one result."""

from __future__ import annotations

import time
from pathlib import Path

import click

from sim3d.commands.arguments import json_option
from sim3d.commands.output import output_file, report
from sim3d.commands.paths import FileCommand, InputPath, OutputPath


@click.command(cls=FileCommand)
@click.argument("files", metavar="FILE.h5 ...", type=InputPath(), nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE.h5", type=OutputPath(), required=True, help="The joined result.")
@click.option("--force", is_flag=True, help="Replace an existing result file.")
@json_option
def command(files: tuple[Path, ...], output: Path, force: bool, as_json: bool) -> None:
    """Join results of one configuration with different batches (a job array's, made with run --batch-range).

    The order of the files does not matter; the result is bit by bit that of a single run. Files of another
    configuration, and batches that two files hold, are refused.
    """
    target = output_file(output, output, force)
    from sim3d.simulation.merge import merge_to_file

    started = time.perf_counter()
    merge_to_file(files, target)
    report(target, time.perf_counter() - started, as_json)
