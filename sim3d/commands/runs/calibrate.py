"""``sim3d calibrate``: fit model parameters to measured muons, and write their covariance."""

from __future__ import annotations

import json
from pathlib import Path

import click

from sim3d.commands.arguments import json_option, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath, OutputPath
from sim3d.errors import InputError


@click.command(cls=FileCommand)
@click.argument("config_path", metavar="CALIBRATION.toml", type=InputPath(), required=False)
@click.option(
    "-o",
    "--output",
    metavar="FILE.h5",
    type=OutputPath(),
    help="File of the calibration; FILE.html beside it is the report.  [default: <name of the TOML file>.h5]",
)
@click.option(
    "--work",
    metavar="DIR",
    type=OutputPath(),
    help="Folder for the runs, from which an interrupted calibration goes on.  [default: FILE.work]",
)
@click.option(
    "--threads", type=WholeNumber(min=1), metavar="T", help="Of the runs.  [default: OMP_NUM_THREADS, or all cores]"
)
@click.option("--list", "listed", is_flag=True, help="List the calibrations that ship with sim3d, and no more.")
@click.option("--no-report", is_flag=True, help="No HTML report.")
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
@json_option
def command(
    config_path: Path | None,
    output: Path | None,
    work: Path | None,
    threads: int | None,
    listed: bool,
    no_report: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Calibrate yields, cross sections and primaries to measurements of muons.

    Each measurement is simulated under its own conditions, with derivatives by all parameters. A fit with the priors of
    the parameters and the common errors of the measurements gives new values, at which everything is simulated again
    until they move no more. The same command goes on after an interruption, with the same numbers bit by bit.

    A run takes a calibration by its name or as a file: [calibration] name = "NAME" or file = "FILE.h5".
    """
    if listed:
        _list(as_json)
        return 0
    if config_path is None:
        raise InputError("CALIBRATION.toml: name a file, or give --list")
    from sim3d.calibration.workflow import calibrate, load_calibration_table
    from sim3d.files.atomic_files import check_output
    from sim3d.files.calibration_file import write_calibration

    table = load_calibration_table(config_path)
    target = check_output(output or Path(f"{config_path.stem}.h5"))
    speak = not quiet and not as_json
    found = calibrate(
        table,
        config_path.parent,
        work or target.with_suffix(".work"),
        threads,
        click.echo if speak else lambda _: None,
    )
    stored = found.stored()
    write_calibration(target, stored)
    if not no_report:
        from sim3d.report.calibration import write_report

        write_report(target.with_suffix(".html"), found)
    if as_json:
        click.echo(json.dumps({"file": str(target), **stored.record}))
    elif speak:
        from sim3d.calibration.words import summary

        click.echo(summary(stored))
        click.echo(f"{target} written")
    return 0


def _list(as_json: bool) -> None:
    """Print the calibrations that ship: names, chi2 and models."""
    from sim3d.files.calibration_file import read_calibration, shipped_calibrations

    found = [read_calibration(path) for path in shipped_calibrations().values()]
    if as_json:
        print_json({"calibrations": [{"name": one.name, **one.record} for one in found]})
        return
    if not found:
        click.echo("No calibration ships with this version of sim3d; `sim3d calibrate CALIBRATION.toml` makes one.")
    for one in found:
        models = ", ".join(f"{key} {value}" for key, value in one.record["models"].items())
        click.echo(f"{one.name}: chi2 {one.record['chi2']:.1f} of {one.record['dof']} points; {models}")
