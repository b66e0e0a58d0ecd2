"""``sim3d tables``: write flux tables of a result."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json, result_file
from sim3d.commands.paths import FileCommand
from sim3d.conventions.text_tables import text_table

if TYPE_CHECKING:
    from sim3d.flux.smoothing import RegionPull
    from sim3d.results.result import Result


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
    "--smooth", is_flag=True, help="Fit smooth fluxes to the noisy ones and write these, and the pulls they leave."
)
@json_option
def command(file: Path, folder: Path | None, file_format: str, smooth: bool, as_json: bool) -> None:
    """Write flux tables for every site of a result, with the statistical error of every number.

    With --smooth the names begin with SITE-smooth, errors are those of the fit, SITE-smooth-pulls-*.csv has the
    pull of every bin, and their summary is printed.

    Fluxes are in m^-2 s^-1 sr^-1 GeV^-1; cos_zenith +1 is down-going; azimuth is the arrival direction, in
    degrees counter-clockwise from south (90 is east).
    """
    from sim3d.files.honda_writing import azimuth_note
    from sim3d.results import tables as result_tables

    result = open_result(file)
    target = output_folder(folder, file)
    note = azimuth_note(len(result.azimuth_edges_deg) - 1)
    if file_format == "honda" and note:
        click.echo(f"sim3d: note: {note}", err=True)
    if smooth:
        _write_smooth(result, target, file_format, as_json)
        return
    write = result_tables.write_honda_tables if file_format == "honda" else result_tables.write_csv_tables
    written = write(result, target)
    if as_json:
        print_json({"files": written})
        return
    for path in written:
        click.echo(path)


def _write_smooth(result: Result, folder: Path, file_format: str, as_json: bool) -> None:
    from sim3d.files import csv_tables, honda_writing
    from sim3d.files import honda as honda_tables
    from sim3d.flux import smoothing

    written: list[Path] = []
    pulls: dict[str, dict[str, dict[str, dict[str, Any]]]] = {}
    by_region: dict[str, list[RegionPull]] = {}
    for site in result.sites:
        name = f"{site}-smooth"
        if file_format == "honda":
            n = len(result.azimuth_edges_deg) - 1
            blocks = honda_tables.HONDA_AZIMUTHS if n % honda_tables.HONDA_AZIMUTHS == 0 else None
            pairs = smoothing.smooth_result(result, site, "honda", blocks)
        else:
            pairs = smoothing.smooth_result(result, site, "fluka")
        pulls[site] = {}
        for smoothed, original in pairs:
            if file_format == "honda":
                written += honda_writing.write_what_fits(smoothed.table, folder, name)
            else:
                written.append(csv_tables.write_table(smoothed.table, folder, name))
            written.append(smoothing.write_pulls(smoothed, original, folder, name))
            kind = "azimuth" if smoothed.table.has_azimuth else "average"
            rows = [asdict(row) for row in smoothing.summary(smoothed)]
            pulls[site][kind] = {row.pop("flavour"): row for row in rows}
            by_region[f"{site} {kind}"] = smoothing.regions(smoothed)
    if as_json:
        listed = {name: [asdict(row) for row in rows] for name, rows in by_region.items()}
        print_json({"files": written, "pulls": pulls, "regions": listed})
        return
    for path in written:
        click.echo(path)
    click.echo("Pulls of bins with 5 effective hits or more (Gaussian: rms below 1, 0.3% beyond 3):")
    lines: list[list[str]] = []
    for site, kinds in pulls.items():
        for kind, flavours in kinds.items():
            for flavour, row in flavours.items():
                if row["bins"] == 0:
                    cells = ["0", *("-",) * 5, f"{row['known_below_GeV']:.3g} GeV"]
                    lines.append([f"{site} {kind} {flavour}", *cells])
                    continue
                cells = [
                    f"{row['bins']}",
                    f"{row['mean']:.2f}",
                    f"{row['rms']:.2f}",
                    f"{row['chi2']:.0f}/{row['ndf']:.0f}",
                    f"{row['beyond_3']:.2%}",
                    f"{row['largest']:.1f}",
                    f"{row['known_below_GeV']:.3g} GeV",
                ]
                lines.append([f"{site} {kind} {flavour}", *cells])
    head = ("", "bins", "mean", "rms", "chi2/ndf", ">3", "largest", "known below")
    click.echo("\n".join(text_table(head, lines)))
    click.echo(
        "known below: where the fit's relative error is under one half; above it is an extrapolation, with an error of "
        "at least the flux (CSV: error_kind is extrapolated)."
    )
    for name, regions in by_region.items():
        click.echo(f"{name}: pulls summed over zenith third, decade and half of azimuth, and mean deviation:")
        click.echo("\n".join(_region_table(regions)))


def _region_table(regions: list[RegionPull]) -> list[str]:
    """Format the sums of pulls: a row per decade and direction, a column per flavour."""
    rows: dict[tuple[float, str], dict[str, str]] = {}
    flavours = list(dict.fromkeys(one.flavour for one in regions))
    for one in regions:
        key = (one.low_GeV, one.zenith if one.azimuth == "all" else f"{one.zenith} {one.azimuth}")
        rows.setdefault(key, {})[one.flavour] = f"{one.pull:+.1f} ({one.deviation:+.1%})"
    lines = [
        [f"{low:g}-{10 * low:g} GeV {place}", *(cells.get(flavour, "-") for flavour in flavours)]
        for (low, place), cells in sorted(rows.items())
    ]
    return text_table(("", *flavours), lines)
