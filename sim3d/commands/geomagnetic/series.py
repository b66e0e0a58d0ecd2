"""``sim3d cutoff --dates``: the cutoffs of a place through the years."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sim3d.commands.arguments import output_folder, print_json
from sim3d.commands.geomagnetic.distribution import SharedMap
from sim3d.commands.geomagnetic.output import (
    decimals,
    direction_words,
    draw,
    external_words,
    header,
    place_stem,
    place_words,
    stem,
)
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.files.csv_files import write_rows

DEFAULT_FOLDER = Path("output/cutoff/series")
COLUMNS = ("date", "year", "upper_GV", "lower_GV", "effective_GV", "undecided", "starts_allowed")


def run(
    place: tuple[str | None, float, float],
    years: list[float],
    options: dict[str, Any],
    inputs: dict[str, Any],
    *,
    folder: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compute, write, draw and report the cutoffs of a place at many dates.

    Parameters
    ----------
    place : (str or None, float, float)
        Name, latitude and longitude.
    years : list of float
        Decimal years.
    options : dict
        Of :func:`geomag.cutoffs.series.cutoff_series`.
    inputs : dict
        For headers and JSON.
    folder : Path or None
        For the files.
    threads : int or None
        By default the share of the cores of this process.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.series import cutoff_series

    target = output_folder(folder, DEFAULT_FOLDER / "series")
    shared = SharedMap(len(years), threads=threads, name="dates")
    found = cutoff_series(place[1], place[2], years, map_tasks=shared, **options)
    shared.finish()
    if not shared.first:
        return
    from sim3d.plots.geomagnetic.curves import series_figure

    inputs = {key: value for key, value in inputs.items() if key != "date"}
    digits = decimals(inputs["step_GV"])
    span = {**inputs, "date": f"{found.date[0][:4]}-{found.date[-1][:4]}"}
    name = stem("cutoff-series", span, place_stem(*place))
    rows = [
        (
            found.date[i],
            f"{found.year[i]:.3f}",
            *(f"{getattr(found, key)[i]:.{digits}f}" for key in COLUMNS[2:5]),
            int(found.undecided[i]),
            int(found.starts_allowed[i]),
        )
        for i in range(len(years))
    ]
    words = place_words(place[1], place[2])
    title = f"{place[0]} ({words})" if place[0] else words
    view = direction_words(inputs["zenith_deg"], inputs["azimuth_from_north_deg"])
    written = [write_rows(target / f"{name}.csv", header(inputs, f"Rigidity cutoffs by date, {title}"), COLUMNS, rows)]
    full = f"{title}, {view}, {inputs['altitude_km']:g} km\n{inputs['field']} degree {inputs['degree']}"
    full += external_words(inputs)
    written += draw(lambda: series_figure(found, full), target, name)
    if as_json:
        arrays = {key: getattr(found, key) for key in COLUMNS}
        print_json({**arrays, **inputs, "conventions": CUTOFF_CONVENTIONS, "files": written})
        return
    click.echo(full.replace("\n", ", "))
    click.echo("date          upper    lower  effective (GV)")
    for row, below in zip(rows, found.starts_allowed, strict=True):
        click.echo(f"{row[0]}  {row[2]:>7s}  {row[3]:>7s}  {row[4]:>9s}" + ("  all below" if below else ""))
    for path in written:
        click.echo(path)
