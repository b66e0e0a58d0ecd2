"""``sim3d report``: write an HTML report of a run."""

from __future__ import annotations

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
from sim3d.commands.progress import steps


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

    For each site place, cutoff, spectra, zenith and azimuth distributions, cutoff map of the sky and east-west
    asymmetries; then precision, comparison with references, links to tables beside the page, how to repeat and cite
    the run, its configuration and provenance.
    """
    result = open_result(file)
    check_maps(sky_cell=sky_cell, step=step)
    target = output_folder(folder, file)

    from sim3d.files.atomic_files import write_bytes
    from sim3d.plots.papers.plan import MapOptions
    from sim3d.report import build as report
    from sim3d.report.about import tables_beside

    options = MapOptions(sky_cell_deg=sky_cell, step_GV=step)
    with steps(report.parts(result), "report") as show:
        text, skipped = report.build(result, file, options, show, tables_beside(target, result))
    path = write_bytes(target / f"{file.stem}-report.html", text.encode())
    if as_json:
        print_json({"file": path, "bytes": len(text.encode()), "skipped": skipped})
        return
    click.echo(path)
    for line in skipped:
        click.echo(f"sim3d: note: not in the report: {line}", err=True)
