"""``sim3d cutoff --curve``: cutoffs against geomagnetic latitude or azimuth, next to Stoermer's formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from sim3d.commands.arguments import output_folder, print_json
from sim3d.commands.geomagnetic.distribution import SharedMap
from sim3d.commands.geomagnetic.output import (
    check_start,
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

if TYPE_CHECKING:
    from geomag.field.igrf import FieldModel

DEFAULT_FOLDER = Path("output/cutoff/curves")
AZIMUTH_COLUMNS = (
    "azimuth_from_north_deg",
    "upper_GV",
    "lower_GV",
    "effective_GV",
    "penumbra_allowed_share",
    "stoermer_GV",
)


def run_latitude(
    field: FieldModel,
    rigidities: tuple[float, ...],
    options: dict[str, Any],
    inputs: dict[str, Any],
    *,
    folder: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compute, write, draw and report the latitude effect.

    Parameters
    ----------
    field : FieldModel
    rigidities : tuple of float
        Of the allowed shares, GV; empty for the default ones.
    options : dict
        Of :func:`geomag.cutoffs.curves.latitude_curve`.
    inputs : dict
        For headers and JSON.
    folder : Path or None
        For the files.
    threads : int or None
        By default the share of the cores of this process.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.curves import DEFAULT_LATITUDES_DEG, DEFAULT_LONGITUDES, DEFAULT_RIGIDITIES_GV, latitude_curve
    from geomag.cutoffs.world import PLACES_PER_TASK
    from sim3d.plots.geomagnetic.curves import latitude_figure

    target = output_folder(folder, DEFAULT_FOLDER / "curves")
    tasks = -(-len(DEFAULT_LATITUDES_DEG) * DEFAULT_LONGITUDES // PLACES_PER_TASK)
    shared = SharedMap(tasks, threads=threads, name="latitudes")
    chosen = rigidities or DEFAULT_RIGIDITIES_GV
    found = latitude_curve(field, rigidity_GV=chosen, map_tasks=shared, **options)
    shared.finish()
    if not shared.first:
        return
    check_start(found.lower_GV, inputs["lowest_GV"], inputs["step_GV"], "curve")
    shares = tuple(f"allowed_share_{rigidity:g}GV" for rigidity in found.rigidity_GV)
    columns = (
        "geomagnetic_lat_deg", "effective_GV", "lowest_effective_GV", "highest_effective_GV",
        "upper_GV", "lower_GV", "stoermer_GV", *shares,
    )  # fmt: skip
    table = np.column_stack(
        [
            found.lat_deg,
            found.effective_GV.mean(axis=1),
            found.effective_GV.min(axis=1),
            found.effective_GV.max(axis=1),
            found.upper_GV.mean(axis=1),
            found.lower_GV.mean(axis=1),
            found.stoermer_GV.mean(axis=1),
            found.allowed_share,
        ]
    )
    digits = decimals(inputs["step_GV"]) + 1
    rows = [(f"{row[0]:g}", *(f"{v:.{digits}f}" for v in row[1:7]), *(f"{v:.4f}" for v in row[7:])) for row in table]
    name = stem("cutoff-latitude", inputs)
    view = direction_words(inputs["zenith_deg"], inputs["azimuth_from_north_deg"])
    what = (
        "Cutoffs by geomagnetic latitude: means over geomagnetic longitudes, and the lowest and highest effective one"
    )
    written = [write_rows(target / f"{name}.csv", header(inputs, what), columns, rows)]
    title = f"{view}, {inputs['altitude_km']:g} km, {inputs['field']} degree {inputs['degree']} of {inputs['date']}"
    title += external_words(inputs)
    written += draw(lambda: latitude_figure(found, title), target, name)
    if as_json:
        arrays = dict(zip(columns, table.T, strict=True))
        print_json({**arrays, **inputs, "conventions": CUTOFF_CONVENTIONS, "files": written})
        return
    click.echo(title)
    click.echo("geomagnetic lat  effective    (lowest to highest)  Stoermer")
    for row in rows:
        click.echo(f"{row[0]:>15s}  {row[1]:>9s}  {row[2]:>9s} {row[3]:>9s}  {row[6]:>9s}")
    for path in written:
        click.echo(path)


def run_azimuth(
    field: FieldModel,
    place: tuple[str | None, float, float],
    zenith: float,
    options: dict[str, Any],
    inputs: dict[str, Any],
    *,
    folder: Path | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Compute, write, draw and report the east-west effect.

    Parameters
    ----------
    field : FieldModel
    place : (str or None, float, float)
        Name, latitude and longitude.
    zenith : float
        Degrees.
    options : dict
        Of :func:`geomag.cutoffs.curves.azimuth_curve`.
    inputs : dict
        For headers and JSON.
    folder : Path or None
        For the files.
    threads : int or None
        By default the share of the cores of this process.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.curves import azimuth_curve
    from sim3d.plots.geomagnetic.curves import azimuth_figure

    target = output_folder(folder, DEFAULT_FOLDER / "curves")
    shared = SharedMap(3, threads=threads, name="azimuths")
    found = azimuth_curve(place[1], place[2], zenith, field, map_tasks=shared, **options)
    shared.finish()
    if not shared.first:
        return
    check_start(found.lower_GV, inputs["lowest_GV"], inputs["step_GV"], "curve")
    digits = decimals(inputs["step_GV"])
    inputs = {key: value for key, value in inputs.items() if key != "azimuth_from_north_deg"}
    inputs = {"site": place[0], "lat": place[1], "lon": place[2], **inputs}
    words = place_words(place[1], place[2])
    title = f"{place[0]} ({words})" if place[0] else words
    rows = [
        (
            f"{found.azimuth_from_north_deg[i]:g}",
            *(f"{getattr(found, key)[i]:.{digits}f}" for key in AZIMUTH_COLUMNS[1:4]),
            "" if np.isnan(found.penumbra_allowed_share[i]) else f"{found.penumbra_allowed_share[i]:.4f}",
            f"{found.stoermer_GV[i]:.{digits}f}",
        )
        for i in range(len(found.azimuth_from_north_deg))
    ]
    name = f"{stem('cutoff-azimuth', {**inputs, 'zenith_deg': 0}, place_stem(*place))}-zenith{zenith:g}"
    written = [
        write_rows(target / f"{name}.csv", header(inputs, f"Cutoffs by azimuth, {title}"), AZIMUTH_COLUMNS, rows)
    ]
    full = f"{title}, zenith {zenith:g} deg, {inputs['altitude_km']:g} km\n"
    full += f"{inputs['field']} degree {inputs['degree']} of {inputs['date']}{external_words(inputs)}"
    written += draw(lambda: azimuth_figure(found, full), target, name)
    if as_json:
        arrays = {key: getattr(found, key) for key in AZIMUTH_COLUMNS}
        print_json({**arrays, **inputs, "conventions": CUTOFF_CONVENTIONS, "files": written})
        return
    click.echo(full.replace("\n", ", "))
    click.echo("azimuth    upper    lower  effective  Stoermer (GV)")
    for row in rows:
        click.echo(f"{row[0]:>7s}  {row[1]:>7s}  {row[2]:>7s}  {row[3]:>9s}  {row[5]:>8s}")
    for path in written:
        click.echo(path)
