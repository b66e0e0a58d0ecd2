"""``sim3d flux``: the flux of a site that ships with sim3d, at a point or over energies, without a run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.geomagnetic.output import compass_point
from sim3d.commands.paths import FileCommand
from sim3d.commands.site_source import calibration_option, charm_option
from sim3d.conventions.text_tables import text_table
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.flux.interpolated import Flux

PER_DECADE = 5
"""Energies of a table over a range."""


@click.command(cls=FileCommand)
@click.argument("site", metavar="[SITE]", required=False)
@click.option("--date", metavar="YYYY-MM-DD", help="Month of the Sun, date of the field.  [default: as simulated]")
@calibration_option
@charm_option
@click.option("--energy", "energies", type=float, multiple=True, metavar="GEV", help="May be given several times.")
@click.option(
    "--range", "span", type=float, nargs=2, metavar="LOW HIGH", help="Energies from LOW to HIGH GeV, 5 per decade."
)
@click.option("--cos-zenith", type=float, metavar="C", help="+1 is down-going.  [default: the whole sky]")
@click.option("--azimuth", type=float, metavar="DEG", help="From south through east (90).  [default: all]")
@folder_option("Draw the fluxes over --range there, SITE-flux.png and .pdf.")
@click.option("--list", "listed", is_flag=True, help="List the sites whose fluxes ship, and no more.")
@json_option
def command(
    site: str | None,
    date: str | None,
    calibration: str | None,
    charm: bool,
    energies: tuple[float, ...],
    span: tuple[float, float] | None,
    cos_zenith: float | None,
    azimuth: float | None,
    folder: Path | None,
    listed: bool,
    as_json: bool,
) -> None:
    """Print the flux at SITE, all flavours, with statistical, model and total errors.

    SITE is a name of --list, or a file of `make site-tables`.  The date moves the Sun and the geomagnetic field; the
    atmosphere stays that of the simulation.  Fluxes are in m^-2 s^-1 sr^-1 GeV^-1.
    """
    from sim3d.flux.interpolated import Flux

    if listed:
        _list(as_json)
        return
    if site is None:
        raise InputError("SITE: name one, or give --list")
    if cos_zenith is None and azimuth is not None:
        raise InputError("--azimuth", azimuth, "given together with --cos-zenith")
    if folder is not None and energies:
        raise InputError("--output", str(folder), "given together with --range, not --energy")
    if energies and span is not None:
        raise InputError("--range", f"{span[0]:g} {span[1]:g}", "left out beside --energy")
    flux = Flux.site(site, date, calibration=calibration, charm=charm)
    at = _energies(flux, energies, span)
    rows = {flavour: _row(flux, flavour, at, cos_zenith, azimuth) for flavour in flux.flavours}
    written = (
        [] if folder is None else _draw(flux, rows, at, output_folder(folder, Path(site)), _where(cos_zenith, azimuth))
    )
    if as_json:
        print_json(
            {
                "site": flux.table.name, "date": date, "state": flux.table.note, "unit": "m^-2 s^-1 sr^-1 GeV^-1",
                "cos_zenith": cos_zenith, "azimuth_deg": azimuth, "energy_GeV": at, "flavours": rows, "files": written,
            }
        )  # fmt: skip
        return
    click.echo(f"{flux.table.name}, {_where(cos_zenith, azimuth)}; {flux.table.note}; m^-2 s^-1 sr^-1 GeV^-1")
    head = ("GeV", "flavour", "flux", *(f"{kind} error" for kind in flux.error_kinds))
    cells = [
        (f"{energy:.4g}", flavour, f"{row['flux'][i]:.4e}", *(_percent(row, kind, i) for kind in flux.error_kinds))
        for i, energy in enumerate(at)
        for flavour, row in rows.items()
    ]
    click.echo("\n".join(text_table(head, cells, "rl" + "r" * (1 + len(flux.error_kinds)))))
    for path in written:
        click.echo(path)


def _energies(flux: Flux, given: tuple[float, ...], span: tuple[float, float] | None) -> list[float]:
    if given:
        return list(given)
    low, high = span or flux.energy_range_GeV
    first, last = flux.energy_range_GeV
    if not first <= low < high <= last * (1.0 + 1e-9):
        raise InputError("--range", f"{low:g} {high:g}", f"rising, within {first:.4g} to {last:.5g} GeV")
    return np.geomspace(low, high, 1 + max(1, round(PER_DECADE * np.log10(high / low)))).clip(low, high).tolist()


def _row(flux: Flux, flavour: str, at: list[float], cos_zenith: float | None, azimuth: float | None) -> dict[str, Any]:
    """Return flux and errors at the energies; without a direction averages over the sky, in bins of 2% around them."""
    if cos_zenith is not None:
        point = (flavour, at, cos_zenith, azimuth)
        found: dict[str, Any] = {"flux": flux.flux(*point)}
        for kind in flux.error_kinds:
            found[kind] = flux.error(*point, kind=kind)
        return found
    out: dict[str, Any] = {"flux": [], **{kind: [] for kind in flux.error_kinds}}
    for energy in at:
        low, high = flux.energy_range_GeV
        edges = np.clip([energy / 1.01, energy * 1.01], low, high)
        size = 4.0 * np.pi * np.diff(edges)[0]
        out["flux"].append(float(flux.integral(flavour, edges)[0, 0]) / size)
        for kind in flux.error_kinds:
            out[kind].append(float(flux.integral_error(flavour, edges, kind=kind)[0, 0]) / size)
    return out


def _where(cos_zenith: float | None, azimuth: float | None) -> str:
    if cos_zenith is None:
        return "average over the sky"
    if azimuth is None:
        return f"cos_zenith {cos_zenith:g}, all azimuths"
    return f"cos_zenith {cos_zenith:g}, azimuth {azimuth:g} (from {compass_point(180.0 - azimuth)})"


def _percent(row: dict[str, Any], kind: str, i: int) -> str:
    value = row["flux"][i]
    return f"{100.0 * row[kind][i] / value:.1f}%" if value > 0.0 else "-"


def _list(as_json: bool) -> None:
    """Print the sites whose fluxes ship, with their errors, and the known sites without one."""
    from geomag.sites import SITES
    from sim3d.files.site_flux_file import read_site_flux, shipped_sites
    from sim3d.flux.site_flux import calibration_of_site

    found = [read_site_flux(path) for path in shipped_sites().values()]
    without = [name for name in SITES if name not in {one.name for one in found}]
    if as_json:
        keys = ("name", "lat_deg", "lon_deg", "altitude_m", "field_dates", "record")
        print_json({"sites": [{key: getattr(one, key) for key in keys} for one in found], "without": without})
        return
    if not found:
        click.echo(
            "No flux ships with this version of sim3d; `sim3d make-tables --site NAME` makes the tables of a site."
        )
        return
    of = {one.name: calibration_of_site(one) for one in found}
    cells = [
        (one.name, f"{one.lat_deg:.4f}", f"{one.lon_deg:.4f}", f"{one.altitude_m:.0f}", ", ".join(one.field_dates))
        + (*_precision(one.record), of[one.name])
        for one in found
    ]
    head = ("site", "lat", "lon", "altitude (m)", "field", "error to 1 TeV", "to 10 TeV", "calibration")
    click.echo("\n".join(text_table(head, cells, "lrrrlrrl")))
    click.echo("error: statistical, of azimuth averages: median, and the largest in 95% of the bins, from 0.1 GeV on")
    if set(of.values()) != {"none"}:
        click.echo("calibration: the flux is moved to it, and has its errors, unless --calibration says otherwise")
    if "none" in of.values():
        click.echo(
            "calibration none: not calibrated to muons; errors of the model are its priors (measurements of particle "
            "production and primaries, spread of models)"
        )
    if without:
        click.echo(f"No flux ships for {', '.join(without)}; `sim3d make-tables --site NAME` makes the tables of one.")


def _precision(record: dict[str, Any]) -> tuple[str, ...]:
    rows = record.get("precision", [])
    return tuple(f"{row['median']:.1%}, {row['in_95_percent']:.1%}" for row in rows) or ("-", "-")


def _draw(flux: Flux, rows: dict[str, Any], at: list[float], folder: Path, where: str) -> list[Path]:
    """Draw the fluxes times E^3 with their largest known error."""
    from sim3d.plots.site_flux import draw

    kind, name = flux.error_kinds[-1], flux.table.name
    fluxes = {flavour: (np.array(row["flux"]), np.array(row[kind])) for flavour, row in rows.items()}
    return draw(folder, name, np.array(at), fluxes, f"{name}, {where}", kind)
