"""``sim3d report``: write an HTML report of a run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from sim3d.commands.arguments import (
    check_maps,
    folder_option,
    json_option,
    open_result,
    output_folder,
    print_json,
    result_file,
)
from sim3d.commands.paths import FileCommand


@click.command(cls=FileCommand)
@result_file
@folder_option()
@click.option(
    "--sky-cell", type=float, default=5.0, show_default=True, metavar="DEG", help="Cells of the cutoff maps, 0.5-45."
)
@click.option("--step", type=float, default=0.1, show_default=True, metavar="GV", help="Step of their scans.")
@json_option
def command(file: Path, folder: Path | None, sky_cell: float, step: float, as_json: bool) -> None:
    """Write one self-contained HTML page, FILE-report.html, that any browser opens, also offline and on a phone.

    Configuration, statistical precision, spectra, zenith and azimuth distributions, east-west asymmetries, comparison
    with references, cutoff maps of the sky, and provenance.
    """
    result = open_result(file)
    check_maps(sky_cell=sky_cell, step=step)
    target = output_folder(folder, file)

    from tqdm import tqdm

    from sim3d.files.atomic_files import write_bytes
    from sim3d.plots.papers.plan import MapOptions
    from sim3d.report import build as report

    options = MapOptions(sky_cell_deg=sky_cell, step_GV=step)
    with tqdm(total=report.parts(result), desc="report", disable=None, file=sys.stderr, leave=False) as bar:

        def show(part: str) -> None:
            bar.set_postfix_str(part, refresh=False)
            bar.update(1)

        text, skipped = report.build(result, file, options, show)
    path = write_bytes(target / f"{file.stem}-report.html", text.encode())
    if as_json:
        print_json({"file": path, "bytes": len(text.encode()), "skipped": skipped})
        return
    click.echo(path)
    for line in skipped:
        click.echo(f"sim3d: note: not in the report: {line}", err=True)
