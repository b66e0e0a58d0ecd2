"""``sim3d figures``: draw the figures of the two papers from a result."""

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
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.commands.progress import steps


@click.command(cls=FileCommand)
@result_file
@folder_option()
@click.option(
    "--other",
    metavar="FILE2.h5",
    type=InputPath(),
    help="A second run, at another solar activity say, for the figures of two.",
)
@click.option("--only", multiple=True, metavar="NAME", help="Figures whose name begins so (repeatable).")
@click.option(
    "--sky-cell", type=float, default=5.0, show_default=True, metavar="DEG", help="Cells of the cutoff maps, 0.5-45."
)
@click.option("--step", type=float, default=0.1, show_default=True, metavar="GV", help="Step of their scans, 0.001-10.")
@click.option(
    "--cell",
    type=float,
    default=6.0,
    show_default=True,
    metavar="DEG",
    help="Cells of the intensity maps, 0.5-45, divides 180.",
)
@click.option(
    "--directions",
    type=WholeNumber(),
    default=60,
    show_default=True,
    metavar="N",
    help="Per cell of the intensity maps.",
)
@json_option
def command(
    file: Path,
    folder: Path | None,
    other: Path | None,
    only: tuple[str, ...],
    sky_cell: float,
    step: float,
    cell: float,
    directions: int,
    as_json: bool,
) -> None:
    """Draw the data figures of Tserkovnyak et al. and of the FLUKA paper, with their reference points.

    \b
      sim3d figures run.h5 -o figures
      sim3d figures min.h5 --other max.h5 -o figures      solar minimum and maximum
      sim3d figures run.h5 --only paper-cutoff --step 0.02 --sky-cell 2

    Each figure is a PNG and a PDF; captions.md says what each shows, and what was left out and why.
    """
    result = open_result(file)
    second = None if other is None else open_result(other)
    from sim3d.plots.papers import figures
    from sim3d.plots.papers.plan import MapOptions

    check_maps(sky_cell=sky_cell, step=step, cell=cell, directions=directions)
    options = MapOptions(sky_cell, step, cell, directions)
    chosen = figures.select(figures.plans(result, second, options), only)
    target = output_folder(folder, file)

    from sim3d.files.atomic_files import write_bytes

    with steps(len(chosen), "figures") as show:
        drawn, skipped = figures.draw(chosen, target, show)
    page = write_bytes(target / "captions.md", figures.captions(drawn, skipped, file.name).encode())
    if as_json:
        print_json(
            {
                "figures": {
                    one.name: {"files": list(one.files), "source": one.source, "caption": one.caption} for one in drawn
                },
                "skipped": {one.name: one.reason for one in skipped},
                "captions": page,
            }
        )
        return
    for one in drawn:
        for path in one.files:
            click.echo(path)
    click.echo(page)
    for left_out in skipped:
        click.echo(f"sim3d: note: {left_out.name} not made: {left_out.reason}", err=True)
