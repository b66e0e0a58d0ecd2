"""``sim3d plot``: draw the figures of a result."""

from __future__ import annotations

from pathlib import Path

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json, result_file
from sim3d.commands.paths import FileCommand


@click.command(cls=FileCommand)
@result_file
@folder_option()
@json_option
def command(file: Path, folder: Path | None, as_json: bool) -> None:
    """Draw spectra, zenith and azimuth distributions, ratios and asymmetries of every site, with error bars.

    Each figure is a PNG and a PDF.  For kamioka, FLUKA's table is drawn beside the result; for kamioka and
    sno, the published asymmetries.
    """
    result = open_result(file)
    target = output_folder(folder, file)

    from sim3d.plots.result import draw

    written = draw(result, target)
    if as_json:
        print_json({"files": written})
        return
    for path in written:
        click.echo(path)
