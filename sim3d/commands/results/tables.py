"""``sim3d tables``: write flux tables of a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json, result_file
from sim3d.commands.paths import FileCommand
from sim3d.commands.results.smooth import tables_of, write_smooth
from sim3d.commands.site_source import calibration_option, charm_option, date_option, site_flux
from sim3d.commands.worth import qualities, quoted, show_worth
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.flux.interpolated import Flux

BINNINGS = ("honda", "fluka", "fine")


@click.command(cls=FileCommand)
@result_file
@folder_option()
@click.option(
    "--format",
    "file_format",
    type=click.Choice(["honda", "csv"]),
    default="honda",
    show_default=True,
    help="honda: .d files with .err.d twins for PISA and GENIE; csv: one row per bin.",
)
@click.option(
    "--binning",
    type=click.Choice(BINNINGS),
    help="Of CSV tables: 20 energies per decade and 20 zenith bins as in Honda's format, 20 and 40, or 40 and 40.  "
    "[default: honda]",
)
@click.option(
    "--smooth", is_flag=True, help="Fit smooth fluxes to the noisy ones and write these, and the pulls they leave."
)
@click.option("--all", "everything", is_flag=True, help="With --smooth: the pulls by flavour and region.")
@date_option
@calibration_option
@charm_option
@json_option
def command(
    file: Path,
    folder: Path | None,
    file_format: str,
    binning: str | None,
    smooth: bool,
    everything: bool,
    date: str | None,
    calibration: str | None,
    charm: bool,
    as_json: bool,
) -> None:
    """Write flux tables for every site of a result, with the errors of every number.

    In the place of a file the name of a site that ships with sim3d (`sim3d flux --list`) gives its tables.

    All formats have the same bins.  SITE.meta.json beside them describes place, dates, models and quality.  The last
    lines say how precise the tables are, and how many primaries 5% and 2% need.

    With --smooth the names begin with SITE-smooth, errors are those of the fit, SITE-smooth-pulls-*.csv has the
    pull of every bin, and a sentence says how well the fit describes the raw table.

    Fluxes are in m^-2 s^-1 sr^-1 GeV^-1; cos_zenith +1 is down-going; azimuth is the arrival direction, in
    degrees counter-clockwise from south (90 is east).
    """
    from sim3d.files.honda_writing import azimuth_note
    from sim3d.results import tables as result_tables
    from sim3d.results.metadata import write_metadata

    if file_format == "honda" and binning not in (None, "honda"):
        raise InputError("--binning", binning, "honda in Honda's format; other bins with --format csv")
    shipped = site_flux(file, date, calibration, charm)
    if shipped is not None:
        _write_site(shipped, file, folder, file_format, binning, smooth, as_json)
        return
    result = open_result(file)
    target = output_folder(folder, file)
    note = azimuth_note(len(result.azimuth_edges_deg) - 1)
    if file_format == "honda" and note:
        click.echo(f"sim3d: note: {note}", err=True)
    bins = binning or "honda"
    made = None
    if smooth:
        made = write_smooth(result, target, file_format, bins)
        written = made.written
    elif file_format == "honda":
        written = result_tables.write_honda_tables(result, target)
    else:
        written = result_tables.write_csv_tables(result, target, bins)
    listed = [*written]
    for site in result.sites:
        listed.append(write_metadata(result, site, target, tables_of(site, written, result.sites)))
    found = qualities(result)
    if as_json:
        document = {"files": listed, "quality": {site: one.as_dict() for site, one in found.items()}}
        print_json(document | ({} if made is None else {"pulls": made.pulls, "regions": made.regions}))
        return
    for path in listed:
        click.echo(path)
    if made is not None:
        for line in made.lines if everything else [made.fit]:
            click.echo(line)
    show_worth(result, _steps(file, folder, smooth), None if made is None else made.quality)


def _write_site(
    flux: Flux, file: Path, folder: Path | None, file_format: str, binning: str | None, smooth: bool, as_json: bool
) -> None:
    """Write the tables of a site that ships, which are smooth and in Honda's bins."""
    from sim3d.files import csv_tables, honda_writing

    if smooth or binning not in (None, "honda"):
        raise InputError(
            "--smooth, --binning", binning or "smooth", "left out for a site: its tables are smooth, honda"
        )
    target = output_folder(folder, file)
    written: list[Path] = []
    for table in (flux.table, flux.azimuth_table):
        assert table is not None
        if file_format == "honda":
            written += honda_writing.write_what_fits(table, target, table.name)
        else:
            written.append(csv_tables.write_table(table, target, table.name))
    if as_json:
        print_json({"files": written, "state": flux.table.note})
        return
    for path in written:
        click.echo(path)


def _steps(file: Path, folder: Path | None, smooth: bool) -> list[tuple[str, str]]:
    """List the commands that come after tables."""
    where = "" if folder is None else f" -o {quoted(folder)}"
    name = quoted(file)
    steps = (
        [] if smooth else [(f"sim3d tables {name}{where} --smooth", "smooth tables, errors about three times smaller")]
    )
    return [*steps, (f"sim3d plot {name}{where}", "pictures"), (f"sim3d report {name}{where}", "all of it on one page")]
