"""``sim3d make-tables``: flux tables of a place in one command, simulated until they are as precise as asked for."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import json_option, open_result, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, OutputPath
from sim3d.commands.progress import steps
from sim3d.commands.status import STATUS_INTERRUPTED, STATUS_TIME
from sim3d.commands.worth import counted, duration, next_lines, percent, qualities, quoted, show_worth
from sim3d.errors import InputError
from sim3d.files.atomic_files import check_output, write_bytes
from sim3d.launcher import launched_size

if TYPE_CHECKING:
    from sim3d.config.schema import Config
    from sim3d.results.quality import Quality
    from sim3d.results.result import Result

FIRST_PRIMARIES, BATCH_SIZE = 240_000, 5_000
"""Primaries of the first look at the errors, in 48 batches."""

MOST_GROWTH = 4.0
"""Largest factor from one look to the next: errors of few hits are too large, and ask for too many primaries."""

LEAST_GROWTH = 1.02
SURPLUS = 1.05
"""Primaries beyond what the errors ask for, so that the next look is the last."""

COMMENTS = {
    "run.primaries": "more primaries, smaller errors: `sim3d run THIS -o FILE.h5 --resume` goes on",
    "primaries.solar": 'or "date", "min", "max", "fit"; or solar_potential_MV = 700',
    "field.date": "of the geomagnetic field",
    "calibration.name": 'to measured muons; or "none"',
    "sites.lat": "degrees north",
    "sites.lon": "degrees east",
}


@click.command("make-tables", cls=FileCommand)
@click.option("--site", metavar="NAME", help="A place that sim3d knows (sim3d sites).")
@click.option("--lat", type=float, metavar="DEG", help="Latitude of your place, north positive.")
@click.option("--lon", type=float, metavar="DEG", help="Longitude, east positive.")
@click.option("--name", metavar="NAME", help="Name of your place, for the files.")
@click.option(
    "--altitude",
    type=float,
    metavar="M",
    help="Altitude above sea level, metres.  [default: of the surface at --site, else 0]",
)
@click.option("--date", metavar="YYYY-MM-DD", help="Of the geomagnetic field.  [default: as in sim3d run]")
@click.option("--solar", metavar="fit|min|max|date|MV", help="Solar activity.  [default: as in sim3d run]")
@click.option(
    "--calibration",
    metavar="NAME|none",
    help="Of the models, to measured muons (sim3d calibrate --list).  [default: that of a run]",
)
@click.option(
    "--precision",
    default="5%",
    show_default=True,
    metavar="P",
    help="Median error of the bins from 0.3 to 10 GeV, averaged over azimuth, in the worst flavour; 0.5% to 50%.",
)
@click.option(
    "--max-minutes", type=float, default=60.0, show_default=True, metavar="T", help="Simulate no longer than this."
)
@click.option("-o", "--output", "folder", metavar="DIR", type=OutputPath(), required=True, help="Folder for all files.")
@click.option("--threads", type=WholeNumber(min=1), metavar="N", help="[default: OMP_NUM_THREADS, or all cores]")
@click.option("--seed", type=WholeNumber(min=0), metavar="S", help="[default: 1]")
@click.option("--force", is_flag=True, help="Begin anew where DIR holds another run.")
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def command(
    site: str | None,
    lat: float | None,
    lon: float | None,
    name: str | None,
    altitude: float | None,
    date: str | None,
    solar: str | None,
    calibration: str | None,
    precision: str,
    max_minutes: float,
    folder: Path,
    threads: int | None,
    seed: int | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Simulate a place until its flux tables are as precise as asked for, and write them.

    \b
      sim3d make-tables --lat -30.19 --lon -69.82 --name andes --solar max -o andes
      sim3d make-tables --site kamioka --precision 10% --max-minutes 5 -o kamioka

    Written are tables in Honda's format, raw and smooth, the same in CSV, SITE.meta.json, figures and a report; also
    the configuration (SITE.toml, to be edited and run with sim3d run) and the result (SITE.h5).  Called again, it goes
    on from there, for a smaller error say.  Status 3 if the time was too short for the precision; the tables are
    written all the same.
    """
    goal = _precision(precision)
    if not 0.0 < max_minutes <= 1e6:
        raise InputError("--max-minutes", max_minutes, "above 0, at most 1e6")
    if launched_size() not in (None, 1):
        raise InputError("make-tables: is for one process; with mpirun use sim3d run, then sim3d tables")
    config = _configuration(site, lat, lon, name, altitude, date, solar, calibration, seed)
    target = output_folder(folder, folder / "x.h5")
    stem = config.sites[0].name
    path, toml = target / f"{stem}.h5", target / f"{stem}.toml"
    for file in (path, toml):
        check_output(file)
    config = _as_before(config, path, toml, force)
    speak = not quiet and not as_json
    result, outcome = _simulate(config, path, toml, goal, max_minutes, threads, speak, force)
    if result is None or outcome == "interrupted":
        return STATUS_INTERRUPTED
    files, smooth, lines = _write(result, stem, target)
    quality = qualities(result)[stem]
    reached = quality.worst_error <= goal
    status = 0 if reached else STATUS_TIME
    if as_json:
        document = {"files": [toml, path, *files], "precision": goal, "reached": reached, "quality": quality.as_dict()}
        print_json(document)
        return status
    for file in (toml, path, *files):
        click.echo(file)
    for line in lines:
        click.echo(line)
    show_worth(result, (), smooth)
    for line in _verdict(quality, goal, max_minutes, toml, path):
        click.echo(line)
    return status


def _precision(text: str) -> float:
    """Read a relative error, written 5% or 0.05."""
    try:
        value = float(text.strip().removesuffix("%")) * (0.01 if text.strip().endswith("%") else 1.0)
    except ValueError:
        value = math.nan
    if not 0.005 <= value <= 0.5:
        raise InputError("--precision", text, "0.5% to 50%, such as 5% or 0.05")
    return value


def _configuration(
    site: str | None,
    lat: float | None,
    lon: float | None,
    name: str | None,
    altitude: float | None,
    date: str | None,
    solar: str | None,
    calibration: str | None,
    seed: int | None,
) -> Config:
    """Make the configuration of the options."""
    from sim3d.config.calibration import NO_CALIBRATION
    from sim3d.config.load import make_config
    from sim3d.files.calibration_file import named_calibration

    place: dict[str, Any]
    if site is not None:
        if lat is not None or lon is not None or name is not None:
            raise InputError("--site: is for a place that sim3d knows; for your own give --lat, --lon and --name")
        place = {"name": site}
    else:
        if lat is None or lon is None or name is None:
            raise InputError("--lat, --lon, --name: give all three, or --site with a place of `sim3d sites`")
        place = {"name": name, "lat": lat, "lon": lon}
    if altitude is not None:
        place["altitude_m"] = altitude
    data: dict[str, Any] = {
        "run": {"primaries": FIRST_PRIMARIES, "batch_size": BATCH_SIZE, "seed": 1 if seed is None else seed}
    }
    if solar is not None:
        try:
            data["primaries"] = {"solar_potential_MV": float(solar)}
        except ValueError:
            data["primaries"] = {"solar": solar}
    if date is not None:
        data["field"] = {"date": date}
    config = make_config({**data, "sites": [place]})
    if calibration is None:
        calibration = config.calibration.name
    elif calibration != NO_CALIBRATION:
        named_calibration(calibration)
    return make_config({**data, "calibration": {"name": calibration}, "sites": [place]})


def _as_before(config: Config, path: Path, toml: Path, force: bool) -> Config:
    """Take the number of primaries of an earlier call in this folder, whose configuration must otherwise be equal."""
    from sim3d.config.load import load_config

    if force or not toml.exists():
        if path.exists() and not force:
            raise InputError(f"{path}: exists without {toml.name}; give another -o, or --force to replace it")
        return config
    before = load_config(toml)
    primaries = max(before.run.primaries, config.run.primaries)
    again = _with(config, primaries=primaries)
    if again != _with(before, primaries=primaries):
        raise InputError(
            f"{toml}: is of other options, or was edited; run it with `sim3d run {toml}`, give another -o, or --force "
            "to replace it"
        )
    return again if path.exists() else config


def _with(config: Config, **run: Any) -> Config:
    """Change keys of the table [run]; all of them are checked again."""
    from sim3d.config.load import make_config

    return make_config(config.model_dump(mode="json", exclude_unset=True), run)


def _simulate(
    config: Config,
    path: Path,
    toml: Path,
    goal: float,
    max_minutes: float,
    threads: int | None,
    speak: bool,
    force: bool,
) -> tuple[Result | None, str]:
    """Simulate, look at the errors and extend the run, until they are small enough or the time is over."""
    from sim3d.config.toml_text import config_text
    from sim3d.simulation.engine import run_to_file

    started = time.monotonic()
    result: Result | None = None
    while True:
        write_bytes(toml, config_text(config, COMMENTS).encode("utf-8"))
        left = max_minutes * 60.0 - (time.monotonic() - started)
        # a resumed run continues from the file, so it is replaced by the first call only
        begin = force and result is None
        timed = _with(config, max_minutes=max(left, 1.0) / 60.0)
        outcome = run_to_file(timed, path, threads, speak, resume=not begin, replace=begin)
        if not path.exists():
            return None, outcome
        result = open_result(path)
        if outcome in ("time", "interrupted"):
            return result, outcome
        quality = next(iter(qualities(result).values()))
        left = max_minutes * 60.0 - (time.monotonic() - started)
        if quality.worst_error <= goal or left <= 0.0:
            return result, outcome
        done = quality.primaries
        needed = quality.needed(goal) * SURPLUS
        rate = quality.seconds / done
        most = MOST_GROWTH * done if rate <= 0.0 else min(MOST_GROWTH * done, done + left / rate)
        wanted = min(needed, most)
        if speak:
            asked = "not known yet how many" if math.isinf(needed) else f"about {counted(needed)}"
            seconds = quality.seconds_for(needed - done) if math.isfinite(needed) else math.nan
            takes = "" if math.isnan(seconds) else f", {duration(seconds)} more"
            error = "above 100%" if quality.worst_error > 1.0 else percent(quality.worst_error)
            click.echo(
                f"sim3d: {error} with {done:,} primaries; {percent(goal)} needs {asked}{takes} (limit: "
                f"{duration(max(left, 0.0))})",
                err=True,
            )
        primaries = math.ceil(wanted / BATCH_SIZE) * BATCH_SIZE
        if primaries < LEAST_GROWTH * done:
            return result, outcome
        config = _with(config, primaries=primaries)


def _write(result: Result, site: str, folder: Path) -> tuple[list[Path], dict[str, Any], list[str]]:
    """Write tables, figures and the report; return the files, the errors of the smooth tables and the fit's quality."""
    from sim3d.commands.results.smooth import write_smooth
    from sim3d.plots import result as plots
    from sim3d.plots.papers.plan import MapOptions
    from sim3d.report import build as report
    from sim3d.report.about import tables_beside
    from sim3d.results import tables
    from sim3d.results.metadata import write_metadata

    with steps(4, "writing") as step:
        step("tables")
        files = [*tables.write_honda_tables(result, folder), *tables.write_csv_tables(result, folder)]
        step("smooth tables")
        smooth = write_smooth(result, folder, "honda")
        files += smooth.written
        files.append(write_metadata(result, site, folder, files))
        step("figures")
        files += plots.draw(result, folder)
        step("report")
        assert result.path is not None
        text, _ = report.build(result, result.path, MapOptions(), tables=tables_beside(folder, result))
        files.append(write_bytes(folder / f"{site}-report.html", text.encode()))
    return files, smooth.quality, [smooth.fit]


def _verdict(quality: Quality, goal: float, max_minutes: float, toml: Path, path: Path) -> list[str]:
    """State whether the precision was reached, and what to do next."""
    error = quality.worst_error
    shown = "above 100%" if error > 1.0 else percent(error)
    if error <= goal:
        lines = [f"Precision {percent(goal)} reached: {shown} in the worst flavour."]
    else:
        needed = quality.needed(goal)
        more = "" if math.isinf(needed) else f"; it needs about {counted(needed)} primaries"
        lines = [
            f"Precision {percent(goal)} NOT reached in {max_minutes:g} min: {shown} in the worst flavour{more}. The "
            "same command goes on."
        ]
    extend = f"sim3d run {quoted(toml)} -o {quoted(path)} --resume --primaries N"
    return lines + next_lines(
        [
            (extend, "N primaries in all: what is there stays"),
            (f"sim3d info {quoted(path)}", "what the result holds"),
        ]
    )
