"""``sim3d merge``: join parts of one run, or runs of different seeds, into one result."""

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
    """Join results of one configuration: parts of a run (made with run --part), or runs of different seeds.

    Parts of one run give bit by bit the single run, in any order. Runs of different seeds are weighted by their
    primaries, which averages weighted by errors would not replace: they are too low. Files of another configuration,
    and batches or seeds that two files hold, are refused.
    """
    target = output_file(output, output, force)
    from sim3d.simulation.merge import merge_to_file

    started = time.perf_counter()
    merge_to_file(files, target)
    report(target, time.perf_counter() - started, as_json, merged=True)
