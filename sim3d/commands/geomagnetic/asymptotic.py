"""``sim3d asymptotic``: the directions outside the field from which particles arrive at a place, by rigidity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

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

DEFAULT_FOLDER = Path("output/asymptotic")
DEFAULT_RIGIDITIES = "1:5:0.1,5.5:20:0.5,25:100:5"
COLUMNS = (
    "zenith_deg",
    "azimuth_from_north_deg",
    "rigidity_GV",
    "verdict",
    "lat",
    "lon",
    "geomagnetic_lat",
    "path_radii",
)
CONVENTIONS = {
    "lat, lon": "geographic latitude and longitude (degrees) of the direction the particle comes from, outside",
    "geomagnetic_lat": "latitude of that direction against the equator of the centred dipole, degrees",
    "azimuth_from_north_deg": "where the particle comes from at the place, from north through east",
}


@click.command(cls=FileCommand)
@place_options
@view_options
@magnetosphere_options
@click.option(
    "--rigidity",
    "rigidities",
    default=DEFAULT_RIGIDITIES,
    show_default=True,
    metavar="GV",
    help="Rigidities: numbers and ranges FIRST:LAST:STEP, with commas between.",
)
@click.option("--cone", is_flag=True, help="Add the four directions at --zenith, or at 30 degrees, from N, E, S and W.")
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
    cone: bool,
    escape_radii: float,
    max_path: float,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute asymptotic directions: where particles that arrive at a place come from, far outside.

    Every rigidity is followed outwards through the IGRF; its direction there, as geographic latitude and longitude,
    is the direction in which the place looks into space.

    \b
      sim3d asymptotic --site OULU
      sim3d asymptotic --site THUL --rigidity 0.5:20:0.1 --date 2005-01-20
      sim3d asymptotic --site kamioka --zenith 30 --cone
      sim3d asymptotic --site OULU --external t89 --kp 4 --time 06:00
    """
    name, lat, lon = find_place(site, lat, lon)
    values = parse_rigidities(rigidities)

    from geomag.field.igrf import FieldModel
    from geomag.trajectories.asymptotic import VERDICTS, asymptotic_directions
    from sim3d.plots.geomagnetic.asymptotic import asymptotic_figure

    field = FieldModel(date, degree)
    magnetosphere, settings = find_magnetosphere(external, kp, time, pressure, bz, date)
    floor = min(20.0, altitude) if floor is None else floor
    if cone:
        aside = zenith or 30.0
        zeniths, azimuths = [0.0, *[aside] * 4], [0.0, 0.0, 90.0, 180.0, 270.0]
    else:
        zeniths, azimuths = [zenith], [azimuth]
    limits = {"altitude_km": altitude, "floor_km": floor, "escape_radii": escape_radii, "max_path_radii": max_path}
    found = asymptotic_directions(
        lat, lon, values, field, zenith_deg=zeniths, azimuth_from_north_deg=azimuths, external=magnetosphere, **limits
    )
    if not (found.verdict == 1).any():
        raise InputError("--rigidity", rigidities, "at least one that arrives; none of these does")
    inputs: dict[str, Any] = {
        "site": name,
        "lat": lat,
        "lon": lon,
        **limits,
        "date": field.date,
        "field": field.generation,
        "degree": field.degree,
        **settings,
    }
    target = output_folder(folder, DEFAULT_FOLDER / "asymptotic")
    view = {} if cone else {"zenith_deg": zenith, "azimuth_from_north_deg": azimuth}
    stem_name = stem("asymptotic", {**inputs, **view}, place_stem(name, lat, lon)) + ("-cone" if cone else "")
    rows = [
        (
            f"{found.zenith_deg[i]:g}",
            f"{found.azimuth_from_north_deg[i]:g}",
            f"{found.rigidity_GV[j]:g}",
            VERDICTS[found.verdict[i, j]],
            *(
                f"{values[i, j]:.2f}" if found.verdict[i, j] == 1 else ""
                for values in (found.lat_deg, found.lon_deg, found.geomagnetic_lat_deg)
            ),
            f"{found.path_radii[i, j]:.2f}",
        )
        for i in range(len(found.zenith_deg))
        for j in range(len(found.rigidity_GV))
    ]
    words = place_words(lat, lon)
    title = f"{name} ({words})" if name else words
    lines = header({**inputs, **CONVENTIONS}, f"Asymptotic directions of approach, {title}")
    written = [write_rows(target / f"{stem_name}.csv", lines, COLUMNS, rows)]
    full = f"{title}, {altitude:g} km, {field.generation} degree {degree} of {field.date}{external_words(inputs)}"
    written += draw(lambda: asymptotic_figure(found, (lat, lon), field, full), target, stem_name)
    if as_json:
        print_json(
            {
                "rigidity_GV": found.rigidity_GV,
                "zenith_deg": found.zenith_deg,
                "azimuth_from_north_deg": found.azimuth_from_north_deg,
                "verdict": [[VERDICTS[v] for v in line] for line in found.verdict],
                "asymptotic_lat": found.lat_deg,
                "asymptotic_lon": found.lon_deg,
                "asymptotic_geomagnetic_lat": found.geomagnetic_lat_deg,
                "path_radii": found.path_radii,
                **inputs,
                "conventions": CONVENTIONS,
                "files": written,
            }
        )
        return
    click.echo(full)
    allowed = int((found.verdict == 1).sum())
    click.echo(
        f"{allowed} of {found.verdict.size} trajectories arrive; {int((found.verdict == 2).sum())} are undecided"
    )
    for path in written:
        click.echo(path)
