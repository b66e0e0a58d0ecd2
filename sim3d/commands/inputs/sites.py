"""``sim3d sites``: list the sites known by name."""

from __future__ import annotations

import sys

import click

from sim3d.commands.arguments import json_option, print_json
from sim3d.commands.paths import FileCommand
from sim3d.conventions.text_tables import text_table


@click.command(cls=FileCommand)
@click.option("--stations", "monitors", is_flag=True, help="List neutron-monitor stations by their codes instead.")
@json_option
def command(monitors: bool, as_json: bool) -> None:
    """List the sites known by name: place, altitude of the surface above the detector, declination, vertical cutoff.

    The surface of rock, ice or sea is the altitude of a site in runs and in `sim3d cascade` that give none. Declination
    and cutoff are of 2020-01-01, degree 10, 20 km. The cutoff is the effective one from overhead; `sim3d cutoff --site
    NAME` gives it in any direction.
    """
    if monitors:
        _stations(as_json)
        return
    from tqdm import tqdm

    from geomag.cutoffs.cutoff import CutoffTracer
    from geomag.field.igrf import FieldModel
    from geomag.geodesy import geodetic_to_geocentric
    from geomag.sites import SITES

    field = FieldModel()
    entries = []
    for place in tqdm(SITES.values(), desc="cutoffs", unit="site", disable=None, file=sys.stderr, leave=False):
        lat_geocentric, _ = geodetic_to_geocentric(place.lat)
        entries.append(
            {
                "name": place.name,
                "lat": place.lat,
                "lon": place.lon,
                "surface_m": place.surface_m,
                "declination_deg": round(field.declination_deg(lat_geocentric, place.lon), 2),
                "vertical_cutoff_GV": CutoffTracer(place.lat, place.lon, field=field).cutoff().effective_GV,
                "description": place.description,
            }
        )
    if as_json:
        print_json({"date": field.date, "field": field.generation, "degree": field.degree, "sites": entries})
        return
    click.echo(
        "Geodetic degrees; surface above the detector; declination and vertical cutoff: "
        f"{field.generation}, {field.date}, 20 km"
    )
    rows = [
        (
            entry["name"],
            f"{entry['lat']:.4f}",
            f"{entry['lon']:.4f}",
            f"{entry['surface_m']:.0f}",
            f"{entry['declination_deg']:.2f}",
            f"{entry['vertical_cutoff_GV']:.2f}",
            entry["description"],
        )
        for entry in entries
    ]
    head = ("name", "lat", "lon", "surface m", "declination", "cutoff GV", "description")
    click.echo("\n".join(text_table(head, rows, "lrrrrrl", indent=0)))


def _stations(as_json: bool) -> None:
    """Print the neutron-monitor stations."""
    import dataclasses

    from geomag.stations import stations

    table = stations().values()
    if as_json:
        print_json({"stations": [dataclasses.asdict(one) for one in table]})
        return
    click.echo("Geodetic degrees; published vertical cutoffs of unstated epochs; places checked against a second list")
    rows = [
        (
            one.code,
            f"{one.lat:.2f}",
            f"{one.lon:.2f}",
            f"{one.altitude_m:.0f}",
            "" if one.published_GV is None else f"{one.published_GV:.2f}",
            one.checked,
            one.name,
        )
        for one in table
    ]
    head = ("code", "lat", "lon", "altitude m", "published GV", "checked", "name")
    click.echo("\n".join(text_table(head, rows, "lrrrrll", indent=0)))
