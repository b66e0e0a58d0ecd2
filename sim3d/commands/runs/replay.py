"""``sim3d replay``: simulate one primary of a run again, and list and draw its shower."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import json_option, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath, OutputPath, protect_files_of
from sim3d.commands.progress import waiting
from sim3d.errors import InputError
from sim3d.files.atomic_files import check_output

if TYPE_CHECKING:
    from sim3d.simulation.replay import Replay

_LINES = 40


@click.command(cls=FileCommand)
@click.argument("config_path", metavar="CONFIG.toml", type=InputPath())
@click.argument("index", metavar="INDEX", type=WholeNumber(min=0))
@click.option("--primaries", type=WholeNumber(min=1), metavar="N", help="Instead of the configuration's.")
@click.option("--seed", type=WholeNumber(min=0), metavar="S", help="Instead of the configuration's.")
@click.option("--png", metavar="FILE.png", type=OutputPath(), help="Draw the shower in 3-D.")
@click.option("--all", "everything", is_flag=True, help=f"Print all lines, not {_LINES} of each list.")
@json_option
def command(
    config_path: Path,
    index: int,
    primaries: int | None,
    seed: int | None,
    png: Path | None,
    everything: bool,
    as_json: bool,
) -> None:
    """Simulate primary number INDEX of a run again, exactly as in the run, and list its shower.

    Listed are its particles and vertices, the neutrinos produced, whether its trajectory is allowed by the geomagnetic
    field, and its contributions to the bins.
    """
    from sim3d.config.load import load_config

    if png is not None and (png.suffix.lower() != ".png" or not png.parent.is_dir()):
        raise InputError("--png", str(png), "a name that ends in .png, in a folder that exists")
    config = load_config(config_path, overrides={"primaries": primaries, "seed": seed})
    protect_files_of(config)
    if png is not None:
        check_output(png)
    from sim3d.simulation.replay import replay

    with waiting("replay", "kernels are compiled once for each version, installation and kind of run: 1 to 2 minutes"):
        found = replay(config, index)
    if png is not None and found.paths:
        from sim3d.plots.shower import draw

        draw(found, png)
    if as_json:
        print_json(_document(found) | {"png": png})
        return
    for line in _text(found, None if everything else _LINES):
        click.echo(line)
    if png is not None and found.paths:
        click.echo(f"picture: {png}")


def _document(found: Replay) -> dict[str, Any]:
    particles = [
        {
            "species": path.species,
            "kinetic_GeV": path.kinetic_GeV,
            "weight": path.weight,
            "parent": path.parent,
            "end": path.end,
            "end_kinetic_GeV": path.end_kinetic_GeV,
            "points_km": path.points,
        }
        for path in found.paths
    ]
    return {
        "primary": found.primary,
        "backtrack": found.backtrack or None,
        "particles": particles,
        "neutrinos": found.neutrinos,
        "scores": found.scores,
        "counters": found.counters,
        "failure": found.failure or None,
    }


def _text(found: Replay, most: int | None) -> list[str]:
    p = found.primary
    lines = [
        f"primary {p['index']} (batch {p['batch']}, seed {p['seed']}, mode {p['mode']}): {p['group']}, "
        f"{p['energy_GeV']:.5g} GeV per nucleon, {p['rigidity_GV']:.5g} GV (where it starts)",
        f"  starts at {p['starts']}: height {p['height_km']:.2f} km, latitude {p['lat_deg']:.2f}, "
        f"longitude {p['lon_deg']:.2f}, zenith angle {p['zenith_deg']:.2f} deg",
    ]
    if found.failure:
        lines.append(f"  FAILS: {found.failure}")
    if found.backtrack:
        lines.append(f"  back-track: {found.backtrack}")
    if found.counters:
        lines.append("  counted: " + ", ".join(f"{name} {n}" for name, n in found.counters.items()))
    kinds = ", ".join(f"{name} {n}" for name, n in found.species.items())
    lines.append(f"{len(found.paths)} particles: {kinds}")
    lines += _shortened(_vertices(found), most)
    if any(path.end == "interacts" for path in found.paths):
        lines.append("  (secondaries are drawn one by one: a collision conserves energy and charge on average only)")
    lines.append(f"{len(found.neutrinos)} neutrinos:")
    lines += _shortened(
        [
            f"  {nu['flavour']:<8} {nu['energy_GeV']:9.4g} GeV, born at {nu['height_km']:.2f} km, "
            f"weight {nu['weight']:.4g}"
            for nu in found.neutrinos
        ],
        most,
    )
    lines.append(f"{len(found.scores)} bins scored:")
    lines += _shortened(
        [
            f"  {s['site']} {s['flavour']}: {s['energy_GeV'][0]:.4g}-{s['energy_GeV'][1]:.4g} GeV, cos_zenith "
            f"{s['cos_zenith'][0]:.2f} to {s['cos_zenith'][1]:.2f}, azimuth {s['azimuth_deg'][0]:.0f}-"
            f"{s['azimuth_deg'][1]:.0f} deg: {s['hits']} hits, {s['flux']:.4g} m^-2 s^-1"
            for s in found.scores
        ],
        most,
    )
    return lines


def _vertices(found: Replay) -> list[str]:
    """Describe each particle's end and its products, one line each."""
    import numpy as np

    from sim3d.conventions.constants import EARTH_RADIUS_KM

    children: dict[int, list[str]] = {}
    for path in found.paths:
        children.setdefault(path.parent, []).append(f"{path.species} {path.kinetic_GeV:.3g}")
    lines = []
    for k, path in enumerate(found.paths):
        height = float(np.linalg.norm(path.points[-1])) - EARTH_RADIUS_KM
        products = f" -> {', '.join(children[k])}" if k in children else ""
        lines.append(
            f"  {k:4d} {path.species:<6} {path.kinetic_GeV:9.4g} GeV {path.end} at {height:.2f} km "
            f"with {path.end_kinetic_GeV:.4g} GeV{products}"
        )
    return lines


def _shortened(lines: list[str], most: int | None) -> list[str]:
    if most is None or len(lines) <= most:
        return lines
    return [*lines[:most], f"  ... and {len(lines) - most} more (--all)"]
