"""``sim3d tables``: flux tables of a result."""

from __future__ import annotations

from pathlib import Path

import click

from sim3d.commands.arguments import json_option, open_result, output_folder, print_json, result_file


@click.command()
@result_file
@click.option(
    "-o",
    "--output",
    "folder",
    metavar="DIR",
    type=click.Path(path_type=Path),
    help="Folder to write to, made if need be.  [default: the result's own]",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["honda", "csv"]),
    default="honda",
    show_default=True,
    help="honda: .d files with .err.d twins for PISA and GENIE; csv: one row per bin.",
)
@json_option
def command(file: Path, folder: Path | None, file_format: str, as_json: bool) -> None:
    """Write flux tables for every site of a result, with the statistical error of every number.

    Fluxes are in m^-2 s^-1 sr^-1 GeV^-1; cos_zenith +1 is down-going; azimuth is the arrival direction, in
    degrees counter-clockwise from south (90 is east).
    """
    from sim3d import csv_tables, honda_tables

    result = open_result(file)
    target = output_folder(folder, file)
    write = honda_tables.write if file_format == "honda" else csv_tables.write
    written = write(result, target)
    if as_json:
        print_json({"files": written})
        return
    for path in written:
        click.echo(path)
