"""``sim3d cutoff``: compute geomagnetic rigidity cutoffs, sky maps of them, and maps of the primary intensity.

World maps, dates, curves and lists of places are in :mod:`sim3d.commands.geomagnetic`.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.geomagnetic.options import (
    check_kinds,
    find_magnetosphere,
    find_place,
    magnetosphere_options,
    parse_dates,
    place_options,
    scan_options,
    work_options,
)
from sim3d.commands.geomagnetic.output import (
    check_start,
    cutoff_lines,
    decimals,
    direction_words,
    draw,
    external_words,
    known_cutoffs,
    place_stem,
    place_words,
)
from sim3d.commands.geomagnetic.output import header as comments
from sim3d.commands.geomagnetic.output import stem as name_files
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.errors import InputError
from sim3d.files.csv_files import write_rows

if TYPE_CHECKING:
    from geomag.cutoffs.cutoff import CutoffTracer
    from geomag.field.igrf import FieldModel

DEFAULT_FOLDER = Path("output/cutoff")
DEFAULT_MAX_PATH = 100.0


@click.command(cls=FileCommand)
@place_options
@scan_options
@click.option(
    "--precise/--fast",
    default=None,
    help="Trace the penumbra with an integrator of order 8, or all with order 5.  [default: precise, fast with --map]",
)
@magnetosphere_options
@click.option("--map", "sky", is_flag=True, help="Map the sky of the place: 10 zenith by 36 azimuth bins.")
@click.option("--world", is_flag=True, help="Map the cutoffs over the Earth: CSV, netCDF and figure.")
@click.option(
    "--dates",
    metavar="FIRST:LAST:STEP",
    help="Compute cutoffs for a range of years, such as 1900:2030:5, of a place or with --world.",
)
@click.option("--penumbra", "strip", is_flag=True, help="Write and draw the verdict of every rigidity of the scan.")
@click.option(
    "--curve",
    type=click.Choice(["latitude", "azimuth"]),
    help="Draw cutoffs against geomagnetic latitude, or at a place and zenith against azimuth, next to Stoermer's.",
)
@click.option(
    "--rigidity",
    type=float,
    multiple=True,
    metavar="GV",
    help="For --curve latitude: rigidity whose share of allowed directions is drawn (repeatable).  [default: 2, 5, 10]",
)
@click.option(
    "--places",
    type=InputPath(),
    metavar="FILE.csv",
    help="Cutoffs of many places, or along a flight: columns lat, lon, and name, altitude_km, date if wanted.",
)
@click.option(
    "--intensity",
    type=float,
    multiple=True,
    metavar="P",
    help="Map the share of protons of P GeV/c that arrive, over the Earth (repeatable).  CSV, PNG, PDF.",
)
@click.option(
    "--cell",
    type=float,
    default=5.0,
    show_default=True,
    metavar="DEG",
    help="Width of the cells of --world and --intensity.",
)
@click.option(
    "--directions",
    type=WholeNumber(),
    default=100,
    show_default=True,
    metavar="N",
    help="Directions in each cell of --intensity.",
)
@work_options
@folder_option(f"Folder for files, made if need be.  [default: {DEFAULT_FOLDER} and folders in it]")
@json_option
def command(
    site: str | None,
    lat: float | None,
    lon: float | None,
    zenith: float,
    azimuth: float,
    altitude: float,
    date: str,
    step: float,
    lowest: float | None,
    degree: int,
    floor: float | None,
    max_path: float,
    precise: bool | None,
    external: str,
    kp: float | None,
    time: str | None,
    pressure: float | None,
    bz: float | None,
    sky: bool,
    world: bool,
    dates: str | None,
    strip: bool,
    curve: str | None,
    rigidity: tuple[float, ...],
    places: Path | None,
    intensity: tuple[float, ...],
    cell: float,
    directions: int,
    threads: int | None,
    resume: bool,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute geomagnetic rigidity cutoffs for a place, direction, altitude and date.

    Every rigidity is traced through the IGRF: allowed at 10 Earth radii, forbidden below the floor or after the
    longest path. With --external, through the magnetosphere to its boundary, or to 25 Earth radii in the tail.

    \b
      sim3d cutoff --site kamioka
      sim3d cutoff --site OULU --date 2000-01-01 --penumbra
      sim3d cutoff --lat 36.4 --lon 137.3 --zenith 60 --azimuth-from-north 90
      sim3d cutoff --site OULU --external t89 --kp 3 --date 2000-01-01 --time 12:00
      sim3d cutoff --site sno --map
      sim3d cutoff --world
      sim3d cutoff --site OULU --dates 1900:2030:5
      sim3d cutoff --places flight.csv
      sim3d cutoff --site kamioka --zenith 60 --curve azimuth
      sim3d cutoff --intensity 2 --intensity 10
    """
    wide = world or bool(intensity) or places is not None or curve == "latitude"
    check_kinds(
        {
            "--map": sky,
            "--penumbra": strip,
            "--curve": curve is not None,
            "--places": places is not None,
            "--intensity": bool(intensity),
            "--world": world,
            "--dates": dates is not None,
        }
    )
    if (rigidity and curve != "latitude") or (resume and not world):
        raise InputError("--rigidity belongs to --curve latitude, and --resume to --world")
    if intensity and (sky or site is not None or lat is not None or lon is not None):
        raise InputError("--intensity maps the whole Earth: give it without --site, --lat, --lon and --map")
    if intensity and max_path != DEFAULT_MAX_PATH:
        raise InputError("--max-path", max_path, f"{DEFAULT_MAX_PATH:g} with --intensity")
    if intensity and (external != "none" or precise is not None):
        raise InputError("--intensity is for the internal field, traced fast: give no --external, --precise and --fast")
    if external != "none" and precise is not None:
        raise InputError("--external is always traced precisely: give no --precise and --fast")
    if wide and (site is not None or lat is not None or lon is not None):
        raise InputError("--world, --places and --curve latitude choose the places: give no --site, --lat and --lon")
    if folder is not None and not (sky or wide or strip or curve or dates):
        raise InputError("-o is for the files of --map, --world and the like; a single cutoff goes to stdout")
    place = None if wide else find_place(site, lat, lon)

    from geomag.cutoffs.cutoff import CutoffTracer
    from geomag.field.igrf import FieldModel

    field = FieldModel(date, degree)
    magnetosphere, settings = find_magnetosphere(external, kp, time, pressure, bz, date)
    if floor is None:
        floor = min(20.0, altitude)
    if precise is None:
        precise = not sky
    inputs: dict[str, Any] = {
        "altitude_km": altitude,
        "floor_km": floor,
        "max_path_radii": max_path,
        "date": field.date,
        "field": field.generation,
        "degree": field.degree,
        **settings,
    }
    if not intensity:
        inputs["integrator"] = "order 8" if settings else "order 5, 8 in the penumbra" if precise else "order 5"
    scan: dict[str, Any] = {
        "floor_km": floor,
        "step_GV": step,
        "lowest_GV": lowest,
        "max_path_radii": max_path,
        "precise": precise,
        "external": magnetosphere,
    }
    view = {"zenith_deg": zenith, "azimuth_from_north_deg": azimuth}
    target: dict[str, Any] = {"folder": folder, "threads": threads, "as_json": as_json}
    if world:
        from sim3d.commands.geomagnetic import world as world_maps

        fields = [field] if dates is None else [FieldModel(year, degree) for year in parse_dates(dates)]
        options = {"altitude_km": altitude, **view, **scan}
        more = {"step_GV": step, "lowest_GV": lowest, **view, **inputs}
        world_maps.run(fields, options, more, cell=cell, resume=resume, **target)
        return
    if places is not None:
        from sim3d.commands.geomagnetic import places as list_of_places

        list_of_places.run(places, view, scan, inputs, **target)
        return
    if curve is not None:
        from sim3d.commands.geomagnetic import curves

        more = {"step_GV": step, "lowest_GV": lowest, **view, **inputs}
        options = {"altitude_km": altitude, **scan}
        if place is None:
            curves.run_latitude(field, rigidity, {**options, **view}, more, **target)
        else:
            curves.run_azimuth(field, place, zenith, options, more, **target)
        return
    if dates is not None and place is not None:
        from sim3d.commands.geomagnetic import series

        more = {"site": place[0], "lat": place[1], "lon": place[2], "step_GV": step, **view, **inputs}
        options = {"altitude_km": altitude, "degree": degree, **scan}
        series.run(place, parse_dates(dates), {**options, **view}, more, **target)
        return
    if place is None:
        options = {"cell_deg": cell, "directions": directions, "altitude_km": altitude, "floor_km": floor}
        _intensity(field, intensity, options, inputs, folder, as_json)
        return
    name, lat, lon = place
    tracer = CutoffTracer(lat, lon, field=field, altitude_km=altitude, **scan)
    inputs = {"site": name, "lat": lat, "lon": lon, "step_GV": step} | inputs
    if sky:
        _sky(tracer, inputs, folder, as_json)
        return
    if strip:
        from sim3d.commands.geomagnetic import penumbra

        penumbra.run(tracer, view, {**view, **inputs}, folder=folder, as_json=as_json)
        return
    found = tracer.cutoff(zenith, azimuth)
    values, reasons = known_cutoffs(found)
    if as_json:
        print_json(
            {
                **values,
                "reasons": reasons,
                "starts_allowed": found.starts_allowed,
                "error_GV": 0.5 * step,
                "undecided": found.undecided,
                "scanned_GV": found.scanned_GV,
                "zenith_deg": zenith,
                "azimuth_from_north_deg": azimuth,
                **inputs,
                "conventions": CUTOFF_CONVENTIONS,
            }
        )
        return
    click.echo(_describe(inputs))
    click.echo(f"{direction_words(zenith, azimuth)}; error of each: half a step, {0.5 * step:g} GV")
    for line in cutoff_lines(found):
        click.echo(line)
    if found.undecided:
        click.echo(
            f"  trajectories that are undecided and count as forbidden (--max-path decides more): {found.undecided}"
        )


def _describe(inputs: dict[str, Any]) -> str:
    """Describe place, altitude and field in one line."""
    place = "whole Earth"
    if "lat" in inputs:
        place = place_words(inputs["lat"], inputs["lon"])
    if inputs.get("site"):
        place = f"{inputs['site']} ({place})"
    field = f"{inputs['field']} degree {inputs['degree']} of {inputs['date']}{external_words(inputs)}"
    return f"{place}, altitude {inputs['altitude_km']:g} km, {field}"


def _sky(tracer: CutoffTracer, inputs: dict[str, Any], folder: Path | None, as_json: bool) -> None:
    """Compute, write and report a sky map of cutoffs."""
    from tqdm import tqdm

    from geomag.cutoffs.cutoff import sky_map
    from geomag.plots import sky_map_figure
    from sim3d.plots.style import title as style_title
    from sim3d.results.words import degrees

    target = output_folder(folder, DEFAULT_FOLDER / "map")
    with tqdm(total=360, desc="sky map", unit="direction", disable=None, file=sys.stderr) as bar:
        sky = sky_map(tracer, progress=bar.update)
    check_start(sky.lower_GV, tracer.lowest_GV, tracer.step_GV, "map")
    name = place_stem(inputs["site"], inputs["lat"], inputs["lon"])
    stem = name_files(f"{name}-cutoff-map", {"date": inputs["date"], **inputs})
    digits = decimals(inputs["step_GV"])
    header = ("zenith_deg", "azimuth_from_north_deg", "upper_GV", "lower_GV", "effective_GV", "undecided")
    rows = (
        (f"{zenith:.4f}", f"{azimuth:g}", *(f"{v:.{digits}f}" for v in (upper, lower, effective)), int(undecided))
        for i, zenith in enumerate(sky.zenith_deg)
        for azimuth, upper, lower, effective, undecided in zip(
            sky.azimuth_from_north_deg,
            sky.upper_GV[i],
            sky.lower_GV[i],
            sky.effective_GV[i],
            sky.undecided[i],
            strict=True,
        )
    )
    written = [write_rows(target / f"{stem}.csv", comments(inputs, "Rigidity cutoffs over the sky"), header, rows)]
    shown = style_title(inputs["site"]) if inputs["site"] else degrees(inputs["lat"], inputs["lon"])
    title = f"Rigidity cutoff over the sky: {shown}"
    written += draw(lambda: sky_map_figure(sky, title), target, stem, [_describe(inputs)])
    if as_json:
        arrays = {key: getattr(sky, key) for key in header}
        print_json({**arrays, **inputs, "conventions": CUTOFF_CONVENTIONS, "files": written})
        return
    click.echo(_describe(inputs))
    span = f"{sky.effective_GV.min():g} to {sky.effective_GV.max():g} GV"
    click.echo(f"effective cutoff over the sky: {span}")
    for path in written:
        click.echo(path)


def _intensity(
    field: FieldModel,
    momenta: tuple[float, ...],
    options: dict[str, Any],
    inputs: dict[str, Any],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute, write and report maps of the primary intensity."""
    from tqdm import tqdm

    from geomag.cutoffs.intensity import intensity_map
    from geomag.plots import intensity_figure
    from sim3d.plots.geomagnetic.coastlines import coastlines

    target = output_folder(folder, DEFAULT_FOLDER / "map")
    name = name_files("intensity", inputs)
    maps = []
    with tqdm(total=len(momenta), desc="intensity maps", unit="map", disable=None, file=sys.stderr) as bar:
        for momentum in momenta:
            maps.append(intensity_map(momentum, field, **options))
            bar.update(1)
    header = ("momentum_GeV", "lat", "lon", "fraction")
    rows = (
        (f"{one.rigidity_GV:g}", f"{lat:g}", f"{lon:g}", f"{one.fraction[i, j]:.4f}")
        for one in maps
        for i, lat in enumerate(one.lat_deg)
        for j, lon in enumerate(one.lon_deg)
    )
    written = [
        write_rows(target / f"{name}.csv", comments(inputs, "Share of primary protons that arrive"), header, rows)
    ]
    title = "Primary protons that arrive, averaged over all angles above the horizon"
    lines = coastlines()
    written += draw(lambda: intensity_figure(maps, field, title, lines), target, name, [_describe(inputs)])
    if as_json:
        print_json(
            {
                "maps": [
                    {
                        "momentum_GeV": one.rigidity_GV,
                        "fraction": one.fraction,
                        "undecided": one.undecided,
                    }
                    for one in maps
                ],
                "lat": maps[0].lat_deg,
                "lon": maps[0].lon_deg,
                "directions": maps[0].directions,
                "weighting": maps[0].weighting,
                **inputs,
                "conventions": {
                    "fraction": "share of the directions above the horizon that are allowed, by solid angle",
                    "maps": "rows are latitudes (geodetic), columns longitudes, cell centres",
                },
                "files": written,
            }
        )
        return
    for path in written:
        click.echo(path)
