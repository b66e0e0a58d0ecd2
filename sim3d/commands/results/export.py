"""``sim3d export``: write fluxes of a result or a Honda table in the formats of other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.commands.site_source import calibration_option, date_option, site_flux
from sim3d.commands.worth import precision_lines
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.flux.interpolated import Flux


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE", type=InputPath())
@click.option(
    "--to",
    "target",
    type=click.Choice(["nusquids", "netcdf", "csv", "honda", "heights"]),
    required=True,
    help="nusquids: arrays for nuSQUIDSAtm, HDF5; netcdf: named axes and units; csv: one row per bin; honda: .d files; "
    "heights: distributions of the height of production, CSV, of a run with scoring.heights.",
)
@folder_option("Folder to write to, made if need be.  [default: the file's own]")
@click.option("--site", metavar="NAME", help="Of a result.  [default: all]")
@click.option(
    "--binning",
    type=click.Choice(["honda", "fluka", "fine"]),
    help="Of a result: 20 energy bins per decade and 20 zenith bins, 20 and 40, or 40 and 40.  [default: honda]",
)
@click.option(
    "--energies",
    type=click.Choice(["points", "bins"]),
    help="Of a Honda table: its numbers are values at the energies, or means over bins.  [default: points]",
)
@date_option
@calibration_option
@json_option
def command(
    file: Path,
    target: str,
    folder: Path | None,
    site: str | None,
    binning: str | None,
    energies: str | None,
    date: str | None,
    calibration: str | None,
    as_json: bool,
) -> None:
    """Write the fluxes of FILE for another program.

    FILE is a result (.h5), a Honda table (.d) of any author, or the name of a site of `sim3d flux --list`.  Errors are
    written too if there are any (a Honda table has them in its twins .err.d).  netcdf needs the extra: pip install
    'sim3d[netcdf]'.
    """
    from sim3d.files import csv_tables, honda_writing
    from sim3d.files.checksums import is_result_file
    from sim3d.files.site_flux_file import is_site_flux
    from sim3d.flux import exports

    written: list[Path] = []
    if target == "heights":
        written = _heights(file, site, folder)
    fluxes = {} if target == "heights" else _fluxes(file, site, binning, energies, date, calibration)
    where = output_folder(folder, file)
    for name, flux in fluxes.items():
        tables = [flux.table] if flux.azimuth_table is None else [flux.table, flux.azimuth_table]
        if target == "nusquids":
            written.append(exports.nusquids_state(flux).write(where / f"{name}-nusquids.h5"))
        elif target == "netcdf":
            written.append(exports.write_netcdf(where / f"{name}.nc", *tables))
        elif target == "csv":
            written += [csv_tables.write_table(table, where, name) for table in tables]
        else:
            for table in tables:
                if table.has_azimuth and (note := honda_writing.azimuth_note(table.flux.shape[3])):
                    click.echo(f"sim3d: note: {name}: {note}", err=True)
                written += honda_writing.write_what_fits(table, where, name)
    if as_json:
        print_json({"files": written})
        return
    for path in written:
        click.echo(path)
    if target != "heights" and file.is_file() and is_result_file(file) and not is_site_flux(file):
        for line in precision_lines(open_result(file), list(fluxes)):
            click.echo(line)


def _heights(file: Path, site: str | None, folder: Path | None) -> list[Path]:
    """Write the production heights of a result; return the paths."""
    from sim3d.results.heights import production_heights

    result = open_result(file)
    heights = [production_heights(result, name) for name in (list(result.sites) if site is None else [site])]
    target = output_folder(folder, file)
    return [one.write_csv(target) for one in heights]


def _fluxes(
    file: Path,
    site: str | None,
    binning: str | None,
    energies: str | None,
    date: str | None,
    calibration: str | None,
) -> dict[str, Flux]:
    """Return fluxes by the name of their files."""
    from sim3d.files.checksums import is_result_file
    from sim3d.flux.interpolated import Flux

    shipped = site_flux(file, date, calibration)
    if shipped is not None:
        for name, value in (("site", site), ("binning", binning), ("energies", energies)):
            if value is not None:
                raise InputError(name, value, "left out for a site, which has one table")
        return {shipped.table.name: shipped}
    if is_result_file(file):
        if energies is not None:
            raise InputError("energies", energies, "left out for a result, whose numbers are means over bins")
        result = open_result(file)
        names = list(result.sites) if site is None else [site]
        return {name: Flux.of_result(result, name, binning or "honda") for name in names}
    if binning is not None:
        raise InputError("binning", binning, "left out for a Honda table, which has its own")
    flux = Flux.load(file, site, energies="bins" if energies == "bins" else "points")
    return {flux.table.name: flux}
