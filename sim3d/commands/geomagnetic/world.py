"""``sim3d cutoff --world``: cutoffs over the Earth, for a date, several dates, or as the change between two."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import output_folder, print_json
from sim3d.commands.geomagnetic.distribution import SharedMap
from sim3d.commands.geomagnetic.output import decimals, direction_words, draw, external_words, header, stem
from sim3d.conventions.words import CUTOFF_CONVENTIONS
from sim3d.files.csv_files import write_rows
from sim3d.files.netcdf import Variable, write_netcdf

if TYPE_CHECKING:
    from geomag.cutoffs.world import WorldCutoffs
    from geomag.field.igrf import FieldModel

DEFAULT_FOLDER = Path("output/cutoff")
COLUMNS = ("lat", "lon", "upper_GV", "lower_GV", "effective_GV", "undecided", "starts_allowed")


def run(
    fields: list[FieldModel],
    options: dict[str, Any],
    inputs: dict[str, Any],
    *,
    cell: float,
    folder: Path | None,
    threads: int | None,
    resume: bool,
    as_json: bool,
) -> None:
    """Compute, write and report one world map for each date, and the change from the first to the last.

    Parameters
    ----------
    fields : list of FieldModel
        One for each date.
    options : dict
        Of :func:`geomag.cutoffs.world.world_cutoffs`.
    inputs : dict
        For headers and JSON; the date is that of the field.
    cell : float
        Width of a cell, degrees.
    folder : Path or None
        For the files.
    threads : int or None
        By default the share of the cores of this process.
    resume : bool
        Continue an interrupted command.
    as_json : bool
        Print JSON.
    """
    from geomag.cutoffs.world import PLACES_PER_TASK, grid, world_cutoffs

    places = len(grid(cell)[0]) * len(grid(cell)[1])
    target = output_folder(folder, DEFAULT_FOLDER / "map")
    inputs = {"cell_deg": cell, **inputs}
    name = stem("cutoff-world", {**inputs, "date": fields[0].date if len(fields) == 1 else ""})
    shared = SharedMap(
        len(fields) * -(-places // PLACES_PER_TASK),
        threads=threads,
        store=target / f".{name}.partial.h5",
        inputs={**inputs, "dates": [field.date for field in fields]},
        resume=resume,
        name="world map",
    )
    maps = []
    for field in fields:
        shared.section = field.date
        external = options["external"] and options["external"].on(field.date)
        maps.append(world_cutoffs(field, cell, map_tasks=shared, **{**options, "external": external}))
    written: list[Path] = []
    if shared.first:
        for field, world in zip(fields, maps, strict=True):
            written += write_map(world, {**inputs, "date": field.date}, target)
        if len(fields) > 1:
            written += _write_change(fields, maps, inputs, target)
    shared.finish()
    if not shared.first:
        return
    if as_json:
        print_json(
            {
                "maps": [
                    {
                        "date": field.date,
                        **{key: getattr(world, key) for key in COLUMNS[2:]},
                    }
                    for field, world in zip(fields, maps, strict=True)
                ],
                "lat": maps[0].lat_deg,
                "lon": maps[0].lon_deg,
                **{key: value for key, value in inputs.items() if key != "date"},
                "conventions": {**CUTOFF_CONVENTIONS, "maps": "rows are latitudes, columns longitudes, cell centres"},
                "files": written,
            }
        )
        return
    digits = decimals(inputs["step_GV"])
    view = direction_words(inputs["zenith_deg"], inputs["azimuth_from_north_deg"])
    for field, world in zip(fields, maps, strict=True):
        low, high = float(world.effective_GV.min()), float(world.effective_GV.max())
        below = "below " if world.starts_allowed.any() else ""
        click.echo(
            f"{field.generation} degree {field.degree} of {field.date}{external_words(inputs)}, {view}, "
            f"{inputs['altitude_km']:g} km, {places} places: "
            f"effective cutoff from {below}{low:.{digits}f} to {high:.{digits}f} GV"
        )
    for path in written:
        click.echo(path)


def known_sites() -> dict[str, tuple[float, float]]:
    """Return latitude and longitude of the known sites by name.

    Returns
    -------
    dict of (float, float)
    """
    from geomag.sites import SITES

    return {site.name: (site.lat, site.lon) for site in SITES.values()}


def write_map(world: WorldCutoffs, inputs: dict[str, Any], target: Path) -> list[Path]:
    """Write a world map as CSV, netCDF, PNG and PDF.

    Parameters
    ----------
    world : WorldCutoffs
    inputs : dict
        For names and headers.
    target : Path
        Folder, which exists.

    Returns
    -------
    list of Path
        Files written.
    """
    from sim3d.plots.geomagnetic.world import world_figure

    name = stem("cutoff-world", inputs)
    digits = decimals(inputs["step_GV"])
    what = "Rigidity cutoffs over the Earth; cell centres, geodetic degrees"
    rows = (
        (
            f"{lat:g}",
            f"{lon:g}",
            *(f"{getattr(world, key)[i, j]:.{digits}f}" for key in COLUMNS[2:5]),
            int(world.undecided[i, j]),
            int(world.starts_allowed[i, j]),
        )
        for i, lat in enumerate(world.lat_deg)
        for j, lon in enumerate(world.lon_deg)
    )
    written = [write_rows(target / f"{name}.csv", header(inputs, what), COLUMNS, rows)]
    written.append(write_netcdf(target / f"{name}.nc", _variables(world), {"title": what, **inputs}))
    return written + draw(
        lambda: world_figure(world, _title(inputs, "Effective rigidity cutoff"), known_sites()),
        target,
        name,
        _about(inputs),
    )


def _variables(world: WorldCutoffs) -> dict[str, Variable]:
    """Return the variables of the netCDF file of a map."""
    variables = {
        "lat": Variable(("lat",), world.lat_deg, {"units": "degrees_north", "standard_name": "latitude"}),
        "lon": Variable(("lon",), world.lon_deg, {"units": "degrees_east", "standard_name": "longitude"}),
    }
    for which in ("upper", "lower", "effective"):
        values = getattr(world, f"{which}_GV")
        # GV is not a unit of UDUNITS, gigavolt is
        text = {"units": "gigavolt", "long_name": f"{which} rigidity cutoff"}
        variables[f"{which}_GV"] = Variable(("lat", "lon"), values, text)
    undecided = {"units": "1", "long_name": "undecided trajectories, counted as forbidden"}
    variables["undecided"] = Variable(("lat", "lon"), world.undecided, undecided)
    starts = {"units": "1", "long_name": "1 where the lowest rigidity scanned is allowed"}
    variables["starts_allowed"] = Variable(("lat", "lon"), world.starts_allowed.astype("int8"), starts)
    return variables


def _title(inputs: dict[str, Any], what: str) -> str:
    """Return what a map shows, its direction and date, for a figure's heading."""
    where = direction_words(inputs["zenith_deg"], inputs["azimuth_from_north_deg"])
    return f"{what}, {where}, {inputs['date']}"


def _about(inputs: dict[str, Any]) -> list[str]:
    """Return altitude, field and step for the line below a figure."""
    return [
        f"{inputs['altitude_km']:g} km above the ellipsoid, {inputs['date']}, {inputs['field']} degree "
        f"{inputs['degree']}{external_words(inputs)}, step {inputs['step_GV']:g} GV, cells of {inputs['cell_deg']:g} "
        "degrees; dots: known sites; coasts: Natural Earth"
    ]


def _write_change(
    fields: list[FieldModel], maps: list[WorldCutoffs], inputs: dict[str, Any], target: Path
) -> list[Path]:
    """Write and draw the change from the first date to the last."""
    from sim3d.plots.geomagnetic.world import change_figure

    first, last = fields[0].date, fields[-1].date
    digits = decimals(inputs["step_GV"])
    dates = {**inputs, "date": f"{last}-minus-{first}"}
    name = stem("cutoff-world", dates)
    rows = (
        (
            f"{lat:g}",
            f"{lon:g}",
            *(f"{getattr(maps[-1], key)[i, j] - getattr(maps[0], key)[i, j]:.{digits}f}" for key in COLUMNS[2:5]),
        )
        for i, lat in enumerate(maps[0].lat_deg)
        for j, lon in enumerate(maps[0].lon_deg)
    )
    what = f"Change of rigidity cutoffs over the Earth, {last} minus {first}; cell centres, geodetic degrees"
    written = [write_rows(target / f"{name}.csv", header(dates, what), COLUMNS[:5], rows)]
    between = {**inputs, "date": f"{last} minus {first}"}
    title = _title(between, "Change of the effective rigidity cutoff")
    return written + draw(lambda: change_figure(maps[-1], maps[0], title, known_sites()), target, name, _about(between))
