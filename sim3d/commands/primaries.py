"""``sim3d primaries``: spectra of the primary models, printed and drawn against each other."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.primaries import PrimaryModel

SHOWN = (
    "ghls2001-average",
    "crflux:H3a",
    "crflux:GST4",
    "crflux:polygonato",
    "gsf:2026.1",
)
"""Models that are compared without --model."""

ENERGIES_GEV = (1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


@click.command()
@click.option("--model", "names", metavar="NAME", multiple=True, help="A model; may be repeated.  [default: five]")
@click.option("--list", "listed", is_flag=True, help="List the names of the models and their sources, and no more.")
@click.option("--solar", metavar="WHEN", help="fit, min, max or date.  [default: fit]")
@click.option("--solar-potential", type=float, metavar="MV", help="Force-field potential.")
@click.option("--date", metavar="YYYY-MM-DD", help="Month of the potential, for --solar date.")
@click.option("--join", type=float, metavar="GEV", help="Where models of high energies give way to the GHLS fits.")
@folder_option("Draw the models against each other and write the figures here (made if need be).")
@json_option
def command(
    names: tuple[str, ...],
    listed: bool,
    solar: str | None,
    solar_potential: float | None,
    date: str | None,
    join: float | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print the fluxes of primary models by mass group, and draw them against each other.

    Fluxes of nuclei per m2 s sr and GeV per nucleon, kinetic energy per nucleon; the all-nucleon flux is the sum of
    the mass numbers times these. The models crflux:... and gsf:... need the extra `primaries`.

    \b
    Examples:
      sim3d primaries --model gsf:2026.1 --solar date --date 2014-02-01
      sim3d primaries -o figures
    """
    if solar is not None and solar_potential is not None:
        raise InputError("give either --solar or --solar-potential, not both")
    if listed:
        _list(as_json)
        return
    from sim3d.primaries import PrimaryInputError, joins, model_names, primary_model

    potential: float | str = solar_potential if solar_potential is not None else (solar or "fit")
    models = []
    for name in names or SHOWN:
        if name not in model_names():
            raise InputError("--model", name, ", ".join(model_names()))
        try:
            models.append(primary_model(name, potential, date, join if joins(name) else None))
        except PrimaryInputError as problem:
            if names or "not installed" not in str(problem):
                raise
            click.echo(f"sim3d: note: {problem}; left out", err=True)
    documents = [describe(model) for model in models]
    files = []
    if folder is not None:
        from sim3d.primary_plots import draw

        files = draw(models, output_folder(folder, Path()))
    if as_json:
        print_json({"models": documents, "files": files})
        return
    for document in documents:
        _print(document)
    for path in files:
        click.echo(path)


def describe(model: PrimaryModel) -> dict[str, Any]:
    """Fluxes of a model up to where it holds, with errors where it states them."""
    from sim3d.primaries import GROUPS, highest_energy_GeV

    energies = [energy for energy in ENERGIES_GEV if energy <= highest_energy_GeV(model.name)]
    return {
        "model": model.name,
        "source": model.source,
        "solar_potential_MV": model.solar_potential_MV,
        "solar_modulation": model.solar,
        "energy_GeV": energies,
        "flux": {group: _without_nothing(model.flux(group, energies)) for group in GROUPS},
        "flux_error": {group: model.flux_error(group, energies) for group in GROUPS} if model.has_errors else None,
        "nucleon_flux": model.nucleon_flux(energies),
        "nucleon_flux_error": model.nucleon_flux_error(energies) if model.has_errors else None,
    }


def _without_nothing(flux: Any) -> Any:
    """Fluxes with 0 where a table has 1e-300, for a group that its model does not have."""
    return flux * (flux > 1e-200)


def _print(document: dict[str, Any]) -> None:
    click.echo(f"{document['model']}: {document['source']}")
    click.echo(f"  solar potential {document['solar_potential_MV']:.0f} MV: {document['solar_modulation']}")
    groups = list(document["flux"])
    click.echo(f"  {'GeV/n':>9s} " + " ".join(f"{group:>10s}" for group in groups) + "  all nucleons  error")
    for i, energy in enumerate(document["energy_GeV"]):
        values = [document["flux"][group][i] for group in groups]
        cells = " ".join(f"{value:10.3e}" if value > 0.0 else f"{'0':>10s}" for value in values)
        total = document["nucleon_flux"][i]
        error = ""
        if document["nucleon_flux_error"] is not None:
            error = f"{100.0 * document['nucleon_flux_error'][i] / total:5.1f}%"
        click.echo(f"  {energy:9.3g} {cells}  {total:12.4e} {error}".rstrip())


def _list(as_json: bool) -> None:
    from sim3d.primaries import GHLS_SOURCE, HIGHEST_GHLS_GEV, MODELS
    from sim3d.primary_libraries import LIBRARY_MODELS

    found = [
        {"model": name, "source": GHLS_SOURCE, "joined": False, "highest_GeV": HIGHEST_GHLS_GEV} for name in MODELS
    ]
    for name, model in LIBRARY_MODELS.items():
        found.append({"model": name, "source": model.citation, "joined": model.joins, "highest_GeV": model.highest_GeV})
    if as_json:
        print_json({"models": found})
        return
    for one in found:
        joined = ", joined to ghls2001-average" if one["joined"] else ""
        click.echo(f"{one['model']:22s} to {one['highest_GeV']:.0e} GeV/n{joined}: {one['source']}")
