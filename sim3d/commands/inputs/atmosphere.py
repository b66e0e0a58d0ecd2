"""``sim3d atmosphere``: compute density and depth of an atmosphere, by place and season, and write it as CSV."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.conventions.text_tables import text_table
from sim3d.errors import InputError
from sim3d.files.csv_files import write_lines

if TYPE_CHECKING:
    from atmosphere import LayeredAtmosphere

HEIGHTS_KM = (0.0, 2.0, 5.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0, 60.0, 80.0, 100.0)
SEASONS = (1, 4, 7, 10)
"""Months that are drawn."""


@click.command(cls=FileCommand)
@click.option("--site", metavar="NAME", help="NRLMSIS at a site known by name (`sim3d sites` lists them).")
@click.option("--lat", type=float, help="NRLMSIS at a geodetic latitude, degrees; with --lon.")
@click.option("--lon", type=float, help="Longitude, degrees, east positive.")
@click.option("--month", type=WholeNumber(), metavar="1-12", help="Month (its 15th day).")
@click.option("--date", metavar="YYYY-MM-DD", help="Date, instead of a month.")
@click.option("--f107", type=float, default=150.0, show_default=True, help="Solar radio flux F10.7, 60 to 400.")
@click.option("--ap", type=float, default=4.0, show_default=True, help="Geomagnetic index, 0 to 400.")
@click.option("--csv", "profile", metavar="FILE.csv", type=InputPath(), help="Your own profile.")
@folder_option("Write the profile as a CSV for [atmosphere] csv and, for a place, draw its seasons (made if need be).")
@json_option
def command(
    site: str | None,
    lat: float | None,
    lon: float | None,
    month: int | None,
    date: str | None,
    f107: float,
    ap: float,
    profile: Path | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Show density and depth of an atmosphere, relative to the US Standard Atmosphere.

    Without a place or a file: the US Standard Atmosphere of 1976. A place needs the extra `msis` and a month or a date;
    how well the layers follow NRLMSIS is stated.

    \b
    Examples:
      sim3d atmosphere --site southpole --month 7 -o southpole
      sim3d atmosphere --csv my_profile.csv
    """
    from atmosphere import from_csv, from_msis, linsley

    if site is not None and (lat is not None or lon is not None):
        raise InputError("give either --site or --lat and --lon, not both")
    if (lat is None) != (lon is None):
        raise InputError("give both --lat and --lon")
    has_place = site is not None or lat is not None
    if profile is not None and has_place:
        raise InputError("give either --csv or a place, not both")
    files: list[Path] = []
    if not has_place:
        if month is not None or date is not None:
            raise InputError("of which place? Give --site NAME, or --lat and --lon")
        air = linsley() if profile is None else from_csv(profile)
        stem = "us-standard" if profile is None else profile.stem
    else:
        if site is not None:
            from geomag.sites import site as known_site

            known = known_site(site)
            stem, lat, lon = known.name, known.lat, known.lon
        else:
            stem = f"lat{lat:g}-lon{lon:g}"
        if lat is None or lon is None:
            raise InputError("give both --lat and --lon")
        found = from_msis(lat, lon, month=month, date=date, f107=f107, ap=ap)
        air = found.atmosphere
        when = f"{month:02d}" if month is not None else str(date)
        if folder is not None:
            from sim3d.plots.atmosphere import draw

            folder = output_folder(folder, Path())
            seasons = {m: from_msis(lat, lon, month=m, f107=f107, ap=ap).atmosphere for m in SEASONS}
            files += draw(stem, seasons, folder)
        stem += f"-{when}"
    if folder is not None:
        path = output_folder(folder, Path()) / f"atmosphere-{stem}.csv"
        write_csv(air, path)
        files.insert(0, path)
    document = describe_atmosphere(air)
    if as_json:
        print_json({**document, "files": files})
        return
    click.echo(f"{document['atmosphere']}; top {document['top_km']:.2f} km")
    head = ("height km", "density g/cm3", "depth g/cm2", "density/US", "depth/US")
    rows = [
        (f"{height:g}", f"{density:.4e}", f"{depth:.5g}", f"{density_ratio:.4f}", f"{depth_ratio:.4f}")
        for height, density, depth, density_ratio, depth_ratio in zip(*(document[key] for key in _COLUMNS), strict=True)
    ]
    click.echo("\n".join(text_table(head, rows, "rrrrr")))
    for path in files:
        click.echo(path)


_COLUMNS = ("height_km", "density_g_cm3", "depth_g_cm2", "density_ratio", "depth_ratio")


def describe_atmosphere(air: LayeredAtmosphere) -> dict[str, Any]:
    """Compute density and depth at some heights, and their ratio to the US Standard Atmosphere.

    Parameters
    ----------
    air : LayeredAtmosphere

    Returns
    -------
    dict
    """
    from atmosphere import linsley

    standard = linsley()
    density, depth = air.density(HEIGHTS_KM), air.depth(HEIGHTS_KM)
    return {
        "atmosphere": air.name,
        "top_km": air.top_km,
        "layers": len(air.layers),
        "height_km": list(HEIGHTS_KM),
        "density_g_cm3": density,
        "depth_g_cm2": depth,
        "density_ratio": density / standard.density(HEIGHTS_KM),
        "depth_ratio": depth / standard.depth(HEIGHTS_KM),
    }


def write_csv(air: LayeredAtmosphere, path: Path) -> None:
    """Write density and depth by height, as the CSV that ``[atmosphere] model = "csv"`` reads.

    Heights are the lower borders of the layers, every km above them, and the top.

    Parameters
    ----------
    air : LayeredAtmosphere
    path : Path
    """
    import numpy as np

    # Densities are taken just inside, because published layers jump a little at their borders.
    bottoms = air.layers[:, 0]
    gaps = [np.arange(low, high, 1.0) for low, high in zip(bottoms, np.append(bottoms[1:], air.top_km), strict=True)]
    heights = np.append(np.concatenate(gaps), air.top_km - 1e-6)
    density = np.minimum.accumulate(air.density(heights))
    lines = [f"{h:.6f},{rho:.9e},{x:.9e}\n" for h, rho, x in zip(heights, density, air.depth(heights), strict=True)]
    write_lines(path, (air.name,), ("height_km", "density_g_cm3", "depth_g_cm2"), lines)
