"""``sim3d cutoff``: compute geomagnetic rigidity cutoffs, sky maps of them, and maps of the primary intensity."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.errors import InputError
from sim3d.files.csv_files import write_rows

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from geomag.cutoffs.cutoff import Cutoff, CutoffTracer
    from geomag.field.igrf import FieldModel

DEFAULT_FOLDER = Path("output/cutoff")


@click.command(cls=FileCommand)
@click.option("--site", metavar="NAME", help="A site known by name (`sim3d sites` lists them).")
@click.option("--lat", type=float, metavar="DEG", help="Geodetic latitude.")
@click.option("--lon", type=float, metavar="DEG", help="Longitude, east positive.")
@click.option("--zenith", type=float, default=0.0, show_default=True, metavar="DEG", help="0 to 90.")
@click.option(
    "--azimuth-from-north",
    "azimuth",
    type=float,
    default=0.0,
    show_default=True,
    metavar="DEG",
    help="Where the particle comes from, from north through east.",
)
@click.option("--altitude", type=float, default=20.0, show_default=True, metavar="KM", help="Of the start.")
@click.option("--date", default="2020-01-01", show_default=True, metavar="YYYY-MM-DD", help="1900 to 2030.")
@click.option("--step", type=float, default=0.01, show_default=True, metavar="GV", help="Of the scan.")
@click.option("--lowest", type=float, metavar="GV", help="Where the scan starts.  [default: one step]")
@click.option("--degree", type=WholeNumber(), default=10, show_default=True, metavar="N", help="Of the IGRF, 1 to 13.")
@click.option(
    "--floor",
    type=float,
    metavar="KM",
    help="Height below which a trajectory is forbidden.  [default: 20, or the altitude if that is lower]",
)
@click.option("--map", "sky", is_flag=True, help="Map the sky: 10 zenith by 36 azimuth bins.  CSV, PNG, PDF.")
@click.option(
    "--intensity",
    type=float,
    multiple=True,
    metavar="P",
    help="Map the share of protons of P GeV/c that arrive, over the Earth (repeatable).  CSV, PNG, PDF.",
)
@click.option("--cell", type=float, default=5.0, show_default=True, metavar="DEG", help="Cells of the intensity map.")
@click.option(
    "--directions", type=WholeNumber(), default=100, show_default=True, metavar="N", help="Per cell of that map."
)
@folder_option(f"Folder for the files of a map, made if need be.  [default: {DEFAULT_FOLDER}]")
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
    sky: bool,
    intensity: tuple[float, ...],
    cell: float,
    directions: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute geomagnetic rigidity cutoffs for a place, direction, altitude and date.

    Every rigidity is traced through the IGRF: allowed at 10 Earth radii, forbidden below the floor or after a
    path of 100 Earth radii.

    \b
      sim3d cutoff --site kamioka
      sim3d cutoff --lat 36.4 --lon 137.3 --zenith 60 --azimuth-from-north 90
      sim3d cutoff --site sno --map
      sim3d cutoff --intensity 2 --intensity 10
    """
    if intensity and (sky or site is not None or lat is not None or lon is not None):
        raise InputError("--intensity maps the whole Earth: give it without --site, --lat, --lon and --map")
    if folder is not None and not (sky or intensity):
        raise InputError("-o is for the files of --map and --intensity; a single cutoff goes to stdout")
    place = None if intensity else _place(site, lat, lon)

    from geomag.cutoffs.cutoff import CutoffTracer
    from geomag.field.igrf import FieldModel

    field = FieldModel(date, degree)
    floor = min(20.0, altitude) if floor is None else floor
    inputs: dict[str, Any] = {
        "altitude_km": altitude,
        "floor_km": floor,
        "date": field.date,
        "field": field.generation,
        "degree": field.degree,
    }
    if place is None:
        options = {"cell_deg": cell, "directions": directions, "altitude_km": altitude, "floor_km": floor}
        _intensity(field, intensity, options, inputs, folder, as_json)
        return
    name, lat, lon = place
    tracer = CutoffTracer(lat, lon, field=field, altitude_km=altitude, floor_km=floor, step_GV=step, lowest_GV=lowest)
    inputs = {"site": name, "lat": lat, "lon": lon, "step_GV": step} | inputs
    if sky:
        _sky(tracer, inputs, folder, as_json)
        return
    found = tracer.cutoff(zenith, azimuth)
    values, reasons = _known(found)
    if as_json:
        print_json(
            {
                **values,
                "reasons": reasons,
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
    click.echo(f"from zenith {zenith:g} deg, azimuth {azimuth:g} deg (from north through east)")
    for key, value in values.items():
        text = f"{value:9.4g} GV" if value is not None else f"    {reasons[key].partition(':')[0]}"
        click.echo(f"  {key.removesuffix('_GV'):9s}  {text}")
    if reasons:
        click.echo(f"  the scan starts at {found.scanned_GV[0]:g} GV, which is allowed: give a lower --lowest")
    if found.undecided:
        click.echo(f"  {found.undecided} undecided trajectories counted as forbidden")


def _known(found: Cutoff) -> tuple[dict[str, float | None], dict[str, str]]:
    """Return the cutoffs by key, None where the scan starts too high to find one, and the reasons for these."""
    start = found.scanned_GV[0]
    values: dict[str, float | None] = {}
    reasons: dict[str, str] = {}
    # Rigidity 0 is forbidden, so a scan from one step misses nothing. If the start of another scan is allowed, lower
    # rigidities may be, too: then lower and effective are not known, and upper is not if nothing above is forbidden.
    open_below = start > 1.5 * found.step_GV and found.lower_GV <= start * (1.0 + 1e-9)
    for key in ("upper_GV", "lower_GV", "effective_GV"):
        value = getattr(found, key)
        unknown = open_below and (key != "upper_GV" or value <= start * (1.0 + 1e-9))
        values[key] = None if unknown else value
        if unknown:
            reasons[key] = f"below {value:g} GV: the scan starts at {start:g} GV, which is allowed"
    return values, reasons


def _place(site: str | None, lat: float | None, lon: float | None) -> tuple[str | None, float, float]:
    """Return name, latitude and longitude from --site or from --lat and --lon."""
    if site is not None:
        if lat is not None or lon is not None:
            raise InputError("give either --site or --lat and --lon, not both")
        from geomag.sites import site as known_site

        known = known_site(site)
        return known.name, known.lat, known.lon
    if lat is None or lon is None:
        raise InputError("where? Give --site NAME, or both --lat and --lon")
    return None, lat, lon


def _describe(inputs: dict[str, Any]) -> str:
    """Describe place, altitude and field in one line."""
    place = "whole Earth"
    if "lat" in inputs:
        north, east = inputs["lat"], (inputs["lon"] + 180.0) % 360.0 - 180.0
        place = f"{abs(north):.2f} {'N' if north >= 0 else 'S'}, {abs(east):.2f} {'E' if east >= 0 else 'W'}"
    if inputs.get("site"):
        place = f"{inputs['site']} ({place})"
    field = f"{inputs['field']} degree {inputs['degree']} of {inputs['date']}"
    return f"{place}, altitude {inputs['altitude_km']:g} km, {field}"


def _sky(tracer: CutoffTracer, inputs: dict[str, Any], folder: Path | None, as_json: bool) -> None:
    """Compute, write and report a sky map of cutoffs."""
    from tqdm import tqdm

    from geomag.cutoffs.cutoff import sky_map
    from geomag.plots import sky_map_figure

    target = output_folder(folder, DEFAULT_FOLDER / "map")
    with tqdm(total=360, desc="sky map", unit="direction", disable=None, file=sys.stderr) as bar:
        sky = sky_map(tracer, progress=bar.update)
    if tracer.lowest_GV is not None and tracer.lowest_GV > 1.5 * tracer.step_GV:
        low = int((sky.lower_GV <= tracer.lowest_GV * (1.0 + 1e-9)).sum())
        if low:
            raise InputError(
                "--lowest", tracer.lowest_GV, f"less for this map: the scan's start is allowed in {low} directions"
            )
    stem = f"{inputs['site'] or 'place'}-cutoff-map"
    header = ("zenith_deg", "azimuth_from_north_deg", "upper_GV", "lower_GV", "effective_GV", "undecided")
    rows = (
        (f"{zenith:.4f}", f"{azimuth:g}", f"{upper:g}", f"{lower:g}", f"{effective:g}", int(undecided))
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
    written = [write_rows(target / f"{stem}.csv", (), header, rows)]
    title = _describe(inputs).replace(", IGRF", "\nIGRF")
    written += _draw(lambda: sky_map_figure(sky, title), target, stem)
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

    target = output_folder(folder, DEFAULT_FOLDER / "map")
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
    written = [write_rows(target / "intensity.csv", (), header, rows)]
    title = "Primary protons that arrive, averaged over all angles above the horizon\n"
    title += _describe(inputs).removeprefix("whole Earth, ")
    written += _draw(lambda: intensity_figure(maps, field, title), target, "intensity")
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


def _draw(make: Any, target: Path, stem: str) -> list[Path]:
    """Draw in the project's style and write the PNG and the PDF."""
    import matplotlib

    from sim3d.plots.style import RC, save

    figure: Figure
    with matplotlib.rc_context(RC):
        figure = make()
        return save(figure, target, stem)
