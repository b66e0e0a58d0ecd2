"""``sim3d trajectory``: trajectories of particles through the field to a place, as points and in a picture."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import numpy as np

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.geomagnetic.options import (
    end_options,
    find_magnetosphere,
    find_place,
    magnetosphere_options,
    parse_rigidities,
    place_options,
    view_options,
)
from sim3d.commands.geomagnetic.output import draw, external_words, header, place_stem, place_words, stem
from sim3d.commands.paths import FileCommand
from sim3d.errors import InputError
from sim3d.files.csv_files import write_rows

DEFAULT_FOLDER = Path("output/trajectory")
COLUMNS = (
    "rigidity_GV", "path_km", "x_km", "y_km", "z_km", "out_x", "out_y", "out_z", "lat", "lon", "altitude_km",
)  # fmt: skip
CONVENTIONS = {
    "x_km, y_km, z_km": "geocentric Cartesian; z to the north pole, x to latitude 0, longitude 0",
    "out_x, out_y, out_z": "unit direction of the path away from the place; the particle's momentum is the opposite",
    "lat, lon, altitude_km": "geodetic (WGS84)",
    "azimuth": "where the particle comes from at the place, from north through east",
    "asymptotic_lat, asymptotic_lon": "geographic direction the particle comes from, outside; null unless it escapes",
}
_MOST = 50


@click.command(cls=FileCommand)
@place_options
@view_options
@magnetosphere_options
@click.option(
    "--rigidity",
    "rigidities",
    required=True,
    metavar="GV",
    help=f"Rigidities: numbers and ranges FIRST:LAST:STEP, with commas between; at most {_MOST}.",
)
@click.option(
    "--spacing", type=float, default=100.0, show_default=True, metavar="KM", help="Distance of the points of the CSV."
)
@end_options
@folder_option(f"Folder for CSV, PNG and PDF, made if need be.  [default: {DEFAULT_FOLDER}]")
@json_option
def command(
    site: str | None,
    lat: float | None,
    lon: float | None,
    zenith: float,
    azimuth: float,
    altitude: float,
    date: str,
    degree: int,
    floor: float | None,
    external: str,
    kp: float | None,
    time: str | None,
    pressure: float | None,
    bz: float | None,
    rigidities: str,
    spacing: float,
    escape_radii: float,
    max_path: float,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Follow particles from a place outwards through the field, and write and draw their ways.

    The antiparticle is followed with reversed momentum; read from its end, its way is that of the particle.

    \b
      sim3d trajectory --site OULU --rigidity 5
      sim3d trajectory --site OULU --rigidity 0.7 --external t89 --kp 4 --time 06:00
      sim3d trajectory --site kamioka --rigidity 8,10.5,20 --zenith 30 --azimuth-from-north 270
    """
    name, lat, lon = find_place(site, lat, lon)
    values = parse_rigidities(rigidities)
    if len(values) > _MOST:
        raise InputError("--rigidity", f"{len(values)} rigidities", f"1 to {_MOST}")

    from geomag.field.igrf import FieldModel
    from geomag.trajectories.points import trace
    from sim3d.plots.geomagnetic.trajectories import trajectory_figure

    field = FieldModel(date, degree)
    magnetosphere, settings = find_magnetosphere(external, kp, time, pressure, bz, date)
    floor = min(20.0, altitude) if floor is None else floor
    inputs: dict[str, Any] = {
        "site": name,
        "lat": lat,
        "lon": lon,
        "zenith_deg": zenith,
        "azimuth_from_north_deg": azimuth,
        "altitude_km": altitude,
        "floor_km": floor,
        "spacing_km": spacing,
        "escape_radii": escape_radii,
        "max_path_radii": max_path,
        "date": field.date,
        "field": field.generation,
        "degree": field.degree,
        **settings,
    }
    ways = trace(
        lat,
        lon,
        values,
        field,
        **{
            key: inputs[key]
            for key in ("zenith_deg", "azimuth_from_north_deg", "altitude_km", "floor_km", "spacing_km")
        },
        escape_radii=escape_radii,
        max_path_radii=max_path,
        external=magnetosphere,
    )
    target = output_folder(folder, DEFAULT_FOLDER / "trajectory")
    chosen = "-".join(f"{value:g}" for value in values) if len(values) <= 3 else f"{values[0]:g}to{values[-1]:g}"
    stem_name = f"{stem('trajectory', inputs, place_stem(name, lat, lon))}-{chosen}GV"
    words = place_words(lat, lon)
    title = f"{name} ({words})" if name else words
    rows = (
        (
            f"{way.rigidity_GV:g}",
            f"{way.path_km[i]:.3f}",
            *(f"{v:.3f}" for v in way.xyz_km[i]),
            *(f"{v:.8f}" for v in way.outwards[i]),
            f"{north[i]:.5f}",
            f"{east[i]:.5f}",
            f"{height[i]:.3f}",
        )
        for way in ways
        for north, east, height in [way.geodetic]
        for i in range(len(way.path_km))
    )
    lines = header({**inputs, **CONVENTIONS}, f"Points along trajectories from the place outwards, {title}")
    ends = [
        {
            "rigidity_GV": way.rigidity_GV,
            "end": way.end,
            "path_km": float(way.path_km[-1]),
            "points": len(way.path_km),
            "end_radius_km": float(np.linalg.norm(way.xyz_km[-1])),
            "asymptotic_lat": way.asymptotic_lat_deg,
            "asymptotic_lon": way.asymptotic_lon_deg,
            "asymptotic_geomagnetic_lat": way.asymptotic_geomagnetic_lat_deg,
        }
        for way in ways
    ]
    lines += [f"{end['rigidity_GV']:g} GV: {_words(end)}" for end in ends]
    written = [write_rows(target / f"{stem_name}.csv", lines, COLUMNS, rows)]
    full = f"{title}, {altitude:g} km, {field.generation} degree {degree} of {field.date}{external_words(inputs)}"
    written += draw(lambda: trajectory_figure(ways, full), target, stem_name)
    if as_json:
        print_json({"trajectories": ends, **inputs, "conventions": CONVENTIONS, "files": written})
        return
    click.echo(full)
    for end in ends:
        click.echo(f"  {end['rigidity_GV']:g} GV: {_words(end)}")
    for path in written:
        click.echo(path)


def _words(end: dict[str, Any]) -> str:
    """Describe the end of a trajectory in words."""
    words = f"{end['end']} after {end['path_km']:.0f} km"
    if end["end"] == "escaped":
        words += f", comes from {place_words(end['asymptotic_lat'], end['asymptotic_lon'], 1)}"
        words += f" (geomagnetic latitude {end['asymptotic_geomagnetic_lat']:.1f})"
    return words
