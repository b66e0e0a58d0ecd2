"""``sim3d vary``: compute flux gradients, fluxes under varied parameters, and errors propagated from parameters."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import numpy as np

from sim3d.commands.arguments import (
    folder_option,
    json_option,
    open_result,
    output_folder,
    parameter_values,
    print_json,
    result_file,
    settings_option,
)
from sim3d.commands.paths import FileCommand
from sim3d.commands.worth import precision_lines
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.errors import InputError
from sim3d.files.atomic_files import protect

if TYPE_CHECKING:
    from sim3d.results.gradients import PropagatedErrors, SiteGradients
    from sim3d.results.result import Result
    from sim3d.results.varied_flux import VariedFlux

EVERY = 5
"""The text output has one energy bin in so many: two per decade."""


@click.command(cls=FileCommand)
@result_file
@settings_option("Change a parameter, linearly: pi+@158=0.1, sigma:pion=0.05, solar:MV=100 ...; repeat for more.")
@click.option("--variation", metavar="NAME", help="A parameter point of the run's [[scoring.variations]], exactly.")
@click.option(
    "--errors",
    metavar="accelerator|daemonflux|FILE.csv",
    help="Propagate errors of the parameters: measured or daemonflux's yields, or columns parameter,error.",
)
@click.option("--site", metavar="NAME", help="One site.  [default: all]")
@click.option(
    "--energy",
    nargs=2,
    type=float,
    default=(0.5, 3.0),
    show_default=True,
    metavar="LOW HIGH",
    help="Neutrino energies in GeV that the list of gradients is for.",
)
@folder_option("Write tables (CSV and Honda's) and figures there; the folder is made if need be.")
@json_option
def command(
    file: Path,
    settings: tuple[str, ...],
    variation: str | None,
    errors: str | None,
    site: str | None,
    energy: tuple[float, float],
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute how the flux of a run with gradients changes with yields, cross sections or primaries.

    Without options: d ln flux / d parameter of the flux over the sky, for every parameter the run has ([scoring]
    gradients = true).  For the parameters and the limits of linearity see docs/manual/gradients.md.
    """
    values = parameter_values(settings)
    if values and variation is not None:
        raise InputError("--set and --variation: give one of them")
    from sim3d.analysis.parameter_errors import covariance_of
    from sim3d.files.honda_writing import azimuth_note
    from sim3d.results.gradients import describe_parameters

    if errors is not None:
        protect(Path(errors))
    covariance = None if errors is None else covariance_of(errors)
    result = open_result(file)
    parameters = describe_parameters(result.record.config.scoring.parameters)
    document: dict[str, Any] = {"parameters": parameters, "sites": {}}
    lines: list[str] = []
    files: list[Path] = []
    target = None if folder is None else output_folder(folder, file)
    if target is not None and (values or variation) and (note := azimuth_note(len(result.azimuth_edges_deg) - 1)):
        click.echo(f"sim3d: note: {note}", err=True)
    for name in [site] if site is not None else list(result.sites):
        site_gradients = result.gradients(name)
        varied = (
            site_gradients.vary(values)
            if values
            else site_gradients.variation(variation)
            if variation is not None
            else None
        )
        propagated = None if covariance is None else site_gradients.propagate(_known(covariance, site_gradients))
        document["sites"][name] = _document(site_gradients, varied, propagated, energy)
        lines += _words(site_gradients, varied, propagated, errors or "", energy)
        if target is not None:
            files += _write(result, site_gradients, varied, propagated, errors or "", target)
    if as_json:
        print_json({**document, "files": files})
        return
    for line in lines:
        click.echo(line)
    for path in files:
        click.echo(path)
    for line in precision_lines(result, list(document["sites"])):
        click.echo(line)


def _known(covariance: Any, site_gradients: SiteGradients) -> Any:
    """Select the part of a covariance whose parameters the run has; print a note if some are missing."""
    names, matrix = covariance
    have = [i for i, name in enumerate(names) if name in site_gradients.parameters]
    lacking = [name for i, name in enumerate(names) if i not in have and matrix[i, i] > 0.0]
    if lacking:
        click.echo(f"sim3d: note: the run has no gradient of {', '.join(lacking)}: their errors are left out", err=True)
    return tuple(names[i] for i in have), matrix[np.ix_(have, have)]


def _document(
    site_gradients: SiteGradients,
    varied: VariedFlux | None,
    propagated: PropagatedErrors | None,
    energy: tuple[float, float],
) -> dict[str, Any]:
    from sim3d.scoring.gradients import BINS

    out: dict[str, Any] = {
        "energy_GeV": energy,
        "gradients": {},
        "variations": site_gradients.variations,
        "energies_GeV": BINS.energies_GeV,
    }
    for name in site_gradients.parameters:
        value, error = site_gradients.sky_gradient(name, energy)
        out["gradients"][name] = {"value": value[:, 0], "error": error[:, 0]}
    if varied is not None:
        out["varied"] = {"words": varied.label, "ratio": varied.sky_ratio, "ratio_error": varied.sky_ratio_error}
    if propagated is not None:
        flavours, ratio = propagated.sky()
        out["errors"] = {"parameters": propagated.names, "relative": flavours, "flavour_ratio": ratio}
    return out


def _words(
    site_gradients: SiteGradients,
    varied: VariedFlux | None,
    propagated: PropagatedErrors | None,
    source: str,
    energy: tuple[float, float],
) -> list[str]:
    from sim3d.config.parameters import UNITS, in_units
    from sim3d.conventions.flavours import FLAVOURS
    from sim3d.scoring.gradients import BINS

    lines = []
    if varied is None and propagated is None:
        lines.append(
            f"{site_gradients.site}: d ln flux / d parameter, flux over the sky, {energy[0]:g} to {energy[1]:g} GeV"
        )
        gradients = []
        for name in site_gradients.parameters:
            value, error = np.array(site_gradients.sky_gradient(name, energy)) * UNITS.get(name, 1.0)
            gradients.append([in_units(name), *map(_number, value[:, 0], error[:, 0])])
        lines += text_table(["", *FLAVOURS], gradients)
        if site_gradients.variations:
            lines.append(f"  variations: {', '.join(site_gradients.variations)}")
    rows = range(0, BINS.n_energy, EVERY)
    if varied is not None:
        lines.append(f"{site_gradients.site}: {varied.label}; flux over the sky, varied / own")
        ratios = [
            [f"{BINS.energies_GeV[i]:.3g}", *map(_number, varied.sky_ratio[:, i], varied.sky_ratio_error[:, i])]
            for i in rows
        ]
        lines += text_table(["GeV", *FLAVOURS], ratios, "r" * (len(FLAVOURS) + 1))
    if propagated is not None:
        flavours, ratio = propagated.sky()
        lines.append(f"{site_gradients.site}: errors of {source} propagated, flux over the sky, per cent")
        shares = [
            [
                f"{BINS.energies_GeV[i]:.3g}",
                *("-" if np.isnan(x) else f"{100 * x:.2f}" for x in (*flavours[:, i], ratio[i])),
            ]
            for i in rows
        ]
        lines += text_table(["GeV", *FLAVOURS, "numu/nue"], shares, "r" * (len(FLAVOURS) + 2))
    return lines


def _number(value: float, error: float) -> str:
    """Format a value with its error, with a dash where one of them is not known."""
    return "-" if np.isnan(error) else with_error(value, error, "+.4f", missing="-")


def _write(
    result: Result,
    site_gradients: SiteGradients,
    varied: VariedFlux | None,
    propagated: PropagatedErrors | None,
    source: str,
    folder: Path,
) -> list[Path]:
    from sim3d.files import csv_tables, honda_writing
    from sim3d.plots import gradients as gradient_plots
    from sim3d.results.tables import table_of_result
    from sim3d.results.words import context_lines

    about = context_lines(result.record, site_gradients.site)
    files = gradient_plots.draw_gradients(site_gradients, folder, about) if site_gradients.parameters else []
    if varied is not None:
        files += gradient_plots.draw_varied(site_gradients, varied, folder, about)
        files.append(csv_tables.write_table(varied.table(), folder, f"{site_gradients.site}-varied"))
        for azimuth in (False, True):
            table = varied.applied_to(table_of_result(result, site_gradients.site, "honda", azimuth))
            files += honda_writing.write_what_fits(table, folder, f"{site_gradients.site}-varied")
    if propagated is not None:
        files += gradient_plots.draw_errors(site_gradients, propagated, source, folder, about)
    return files
