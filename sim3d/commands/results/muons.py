"""``sim3d muons``: print, write and draw spectra of muons and nucleons of a result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json, result_file
from sim3d.commands.paths import FileCommand
from sim3d.commands.worth import muon_lines
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.files.flux_table import NO_LIMIT

if TYPE_CHECKING:
    from sim3d.results.muons import MuonSpectra

PARTICLES = ("mu+", "mu-", "p", "n")


@click.command(cls=FileCommand)
@result_file
@click.option(
    "--particle",
    "particles",
    multiple=True,
    type=click.Choice(PARTICLES),
    default=("mu+", "mu-"),
    help="What the records are of; may be given several times.  [default: mu+ and mu-]",
)
@click.option(
    "--cos-zenith",
    "acceptance",
    nargs=2,
    type=float,
    metavar="LOW HIGH",
    help="Acceptance of a measurement: average over it (edges of zenith bins).  [default: the steepest bin]",
)
@click.option("--site", "only", metavar="NAME", help="Only this site.  [default: all]")
@folder_option("Draw spectra, charge ratio, zenith and altitude there, and write muons-<site>.csv.")
@json_option
def command(
    file: Path,
    particles: tuple[str, ...],
    acceptance: tuple[float, float] | None,
    only: str | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print intensities and charge ratios of muons, protons and neutrons; with -o write and draw their spectra.

    Needs a run with scoring.muons. Spectra are by level, charge, momentum and zenith. --json prints a list of records:
    site, altitude_km, particle, charge, momentum_GeV and cos_zenith with the edges of their bins, flux and error (m^-2
    s^-1 sr^-1 (GeV/c)^-1; where the flux is 0, the upper limit), error_kind. With --cos-zenith tables, records and the
    CSV are averages over that range; edges are muons.cos_zenith_edges of the run.
    """
    from sim3d.results.muons import muon_spectra

    result = open_result(file)
    sites = [result.default_site(only)] if only is not None else list(result.sites)
    spectra = [muon_spectra(result, site) for site in sites]
    files: list[Path] = []
    if folder is not None:
        target = output_folder(folder, file)

        from sim3d.plots.muons import draw, write_csv
        from sim3d.results.words import context_lines

        places = {name: (site.lat_deg, site.lon_deg) for name, site in result.sites.items()}
        for one in spectra:
            files += [
                write_csv(one, target, PARTICLES, acceptance),
                *draw(one, target, context_lines(result.record, one.site), places[one.site]),
            ]
    if as_json:
        print_json([record for one in spectra for record in one.records(particles, acceptance)])
        return
    for one in spectra:
        for line in table(one, acceptance):
            click.echo(line)
    for path in files:
        click.echo(path)
    for one in spectra:
        for line in muon_lines(one, result):
            click.echo(line)


def table(spectra: MuonSpectra, acceptance: tuple[float, float] | None = None) -> list[str]:
    """Format integral intensities near the vertical, and the charge ratio, by level.

    Parameters
    ----------
    spectra : MuonSpectra
    acceptance : (float, float), optional
        Range of cos_zenith that is averaged over; by default the steepest bin.

    Returns
    -------
    list of str
        Lines of text.
    """
    low = spectra.momentum_edges_GeV[0]
    window = acceptance or (float(spectra.cos_zenith_edges[-2]), float(spectra.cos_zenith_edges[-1]))
    lines = [
        f"{spectra.site}: intensities above {low:.3g} GeV/c for cos_zenith {window[0]:g} to {window[1]:g} "
        "(m^-2 s^-1 sr^-1)",
    ]
    columns = {name: spectra.intensity([name], cos_zenith=window) for name in PARTICLES}
    ratio = spectra.charge_ratio(window, (0.0, float("inf")))
    rows = []
    for level, (height, depth) in enumerate(zip(spectra.altitudes_km, spectra.depths_g_cm2, strict=True)):
        cells = []
        for name in PARTICLES:
            value, error = (column[level] for column in columns[name])
            # a window without particles has an upper limit
            limit = f"< {error:.2g}" if error < NO_LIMIT else "no hits"
            cells.append(limit if value == 0.0 else with_error(value, error, ".4g", ".2g"))
        quotient = with_error(ratio[0][level], ratio[1][level])
        rows.append([f"{height:.3f}", f"{depth:.4g}", *cells[:2], quotient, *cells[2:]])
    head = ["altitude km", "depth g/cm2", "mu+", "mu-", "mu+/mu-", "p", "n"]
    return [*lines, *text_table(head, rows, "r" * len(head))]
