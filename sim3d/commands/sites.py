"""``sim3d sites``: the sites known by name."""

from __future__ import annotations

import sys

import click

from sim3d.commands.arguments import json_option, print_json


@click.command()
@json_option
def command(as_json: bool) -> None:
    """List the sites known by name: place, declination, vertical cutoff (2020-01-01, degree 10, 20 km).

    The cutoff is the effective one from overhead; `sim3d cutoff --site NAME` gives it in any direction.
    """
    from tqdm import tqdm

    from geomag.cutoff import CutoffTracer
    from geomag.geodesy import geodetic_to_geocentric
    from geomag.igrf import FieldModel
    from geomag.sites import SITES

    field = FieldModel()
    found = []
    for place in tqdm(SITES.values(), desc="cutoffs", unit="site", disable=None, file=sys.stderr, leave=False):
        lat_geocentric, _ = geodetic_to_geocentric(place.lat)
        found.append(
            {
                "name": place.name,
                "lat": place.lat,
                "lon": place.lon,
                "declination_deg": round(field.declination_deg(lat_geocentric, place.lon), 2),
                "vertical_cutoff_GV": CutoffTracer(place.lat, place.lon, field=field).cutoff().effective_GV,
                "description": place.description,
            }
        )
    if as_json:
        print_json({"date": field.date, "field": field.generation, "degree": field.degree, "sites": found})
        return
    click.echo(f"Geodetic degrees; declination and vertical cutoff: {field.generation}, {field.date}, 20 km")
    click.echo(f"{'name':10s} {'lat':>9s} {'lon':>10s} {'declination':>12s} {'cutoff GV':>10s}  description")
    for one in found:
        click.echo(
            f"{one['name']:10s} {one['lat']:9.4f} {one['lon']:10.4f} {one['declination_deg']:12.2f} "
            f"{one['vertical_cutoff_GV']:10.2f}  {one['description']}"
        )
