"""``sim3d cutoff --places``: cutoffs of the places of a CSV file, or along a flight with altitude and date by row."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from sim3d.commands.arguments import output_folder, print_json
from sim3d.commands.geomagnetic.distribution import SharedMap
from sim3d.commands.geomagnetic.output import decimals, header
from sim3d.conventions.text_files import read_text
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.errors import InputError
from sim3d.files.csv_files import write_rows

if TYPE_CHECKING:
    from geomag.field.magnetosphere import Magnetosphere

DEFAULT_FOLDER = Path("output/cutoff/places")
NUMBERS = ("lat", "lon", "altitude_km", "zenith_deg", "azimuth_from_north_deg")
KNOWN = ("name", "date", *NUMBERS)
RESULTS = ("upper_GV", "lower_GV", "effective_GV", "undecided", "starts_allowed")
_MOST_ROWS = 1_000_000


def read_places(path: Path, defaults: dict[str, Any]) -> list[dict[str, Any]]:
    """Read places from a CSV file with a line of column names; lines that begin with ``#`` are comments.

    Parameters
    ----------
    path : Path
        Plain or compressed with gzip, any line ends. Columns ``lat`` and ``lon``, or ``name`` alone (a site or
        station); wanted or not ``altitude_km``, ``date``, ``zenith_deg``, ``azimuth_from_north_deg``; others are left
        out.
    defaults : dict
        Values of columns that the file lacks, or of empty cells.

    Returns
    -------
    list of dict
        One for each row, with the keys :data:`KNOWN`.

    Raises
    ------
    InputError
        For a file that cannot be read or a cell that is not what it should be.
    """
    from geomag.stations import place

    text = read_text(path, "--places ")
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip() and line[0] != "#"]
    try:
        table = list(csv.reader(line for _, line in lines))
    except csv.Error as problem:
        raise InputError(f"--places {path}: not a CSV file ({problem})") from None
    head = [cell.strip() for cell in table[0]] if table else []
    if not {"lat", "lon"} <= set(head) and "name" not in head:
        raise InputError(
            f"--places {path}: columns {', '.join(head) or 'none'}, allowed: lat and lon, or name, and more"
        )
    found = []
    for (number, _), cells in zip(lines[1:], table[1:], strict=False):
        row: dict[str, Any] = dict(defaults) | {"name": ""}
        given = {key: cell.strip() for key, cell in zip(head, cells, strict=False) if key in KNOWN and cell.strip()}
        row |= given
        for key in NUMBERS:
            if key in given:
                try:
                    row[key] = float(given[key])
                except ValueError:
                    raise InputError(f"--places {path} line {number}: {key}", given[key], "a number") from None
        if "lat" not in row or "lon" not in row:
            if not row["name"]:
                raise InputError(f"--places {path} line {number}: no lat and lon, and no name")
            _, row["lat"], row["lon"] = place(row["name"])
        found.append(row)
    if not 0 < len(found) <= _MOST_ROWS:
        raise InputError(f"--places {path}: {len(found)} rows", len(found), f"1 to {_MOST_ROWS}")
    return found


def _moment(date: Any, external: Magnetosphere | None) -> datetime.datetime | None:
    """Return the moment of a row: its date with its own time of the day, else with that of the magnetosphere."""
    if external is None:
        return None
    from geomag.field.igrf import parse_date

    when = parse_date(date)
    return when if len(str(date)) > len("2000-01-01") else parse_date(external.on(when).time)


def run(
    path: Path,
    view: dict[str, float],
    scan: dict[str, Any],
    inputs: dict[str, Any],
    *,
    folder: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compute and write the cutoffs of the places of a file; without a folder the table goes to stdout.

    Parameters
    ----------
    path : Path
        See :func:`read_places`.
    view : dict
        Zenith angle and azimuth of rows that have none.
    scan : dict
        Floor, step, lowest rigidity, longest path, integrator and magnetosphere.
    inputs : dict
        For headers and JSON; altitude and date of rows that have none.
    folder : Path or None
        For the CSV file.
    threads : int or None
        By default the share of the cores of this process.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.world import PLACES_PER_TASK, place_cutoffs
    from geomag.field.igrf import FieldModel

    rows = read_places(path, {"altitude_km": inputs["altitude_km"], "date": inputs["date"], **view})
    # the coefficients of a day are those of midnight: within a flight the field does not change
    days = [str(row["date"])[:10] for row in rows]
    fields = {day: FieldModel(day, inputs["degree"]) for day in dict.fromkeys(days)}
    # the magnetosphere turns with the hours; a row without a time has that of the options
    times = [_moment(row["date"], scan["external"]) for row in rows]
    # below the floor's height a row has its own floor, whatever the others have
    tasks = [
        (day, time, min(scan["floor_km"], row["altitude_km"])) for day, time, row in zip(days, times, rows, strict=True)
    ]
    groups = {task: [i for i, one in enumerate(tasks) if one == task] for task in dict.fromkeys(tasks)}
    shared = SharedMap(
        sum(-(-len(group) // PLACES_PER_TASK) for group in groups.values()), threads=threads, name="places"
    )
    results = np.empty((len(rows), len(RESULTS)))
    for (day, time, floor), group in groups.items():
        shared.section = f"{day} {time} {floor}"
        external = scan["external"] and dataclasses.replace(scan["external"], time=time)
        columns = {key: [rows[i][key] for i in group] for key in NUMBERS}
        found = place_cutoffs(
            columns["lat"],
            columns["lon"],
            fields[day],
            zenith_deg=columns["zenith_deg"],
            azimuth_from_north_deg=columns["azimuth_from_north_deg"],
            altitude_km=columns["altitude_km"],
            map_tasks=shared,
            **{**scan, "floor_km": floor, "external": external},
        )
        results[group] = np.column_stack([getattr(found, key) for key in RESULTS])
    shared.finish()
    if not shared.first:
        return
    own = {"altitude_km", "date", "time_UT"}
    inputs = {"places": path.name, **{key: inputs[key] for key in inputs if key not in own}}
    inputs |= {"step_GV": scan["step_GV"]}
    if as_json:
        print_json(
            {
                "places": [
                    {key: row[key] for key in KNOWN} | dict(zip(RESULTS, result, strict=True))
                    for row, result in zip(rows, results, strict=True)
                ],
                **{key: value for key, value in inputs.items() if key != "places"},
                "conventions": CUTOFF_CONVENTIONS,
            }
        )
        return
    digits = decimals(scan["step_GV"])
    table = [
        (
            *(row[key] if key in {"name", "date"} else f"{row[key]:g}" for key in KNOWN),
            *(f"{value:.{digits}f}" for value in result[:3]),
            *(int(value) for value in result[3:]),
        )
        for row, result in zip(rows, results, strict=True)
    ]
    if folder is None:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow((*KNOWN, *RESULTS))
        writer.writerows(table)
        return
    target = output_folder(folder, DEFAULT_FOLDER)
    stem = Path(path.name.removesuffix(".gz")).stem
    what = "Rigidity cutoffs by place; geodetic degrees"
    click.echo(write_rows(target / f"{stem}-cutoffs.csv", header(inputs, what), (*KNOWN, *RESULTS), table))
