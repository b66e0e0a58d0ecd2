"""``sim3d primaries``: print and draw spectra of the primary models, also in bands of geomagnetic latitude."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.primaries.model import PrimaryModel
    from sim3d.studies.latitude_bands import LatitudeBands

SHOWN = (
    "ghls2001-average",
    "crflux:H3a",
    "crflux:GST4",
    "crflux:polygonato",
    "gsf:2026.1",
)
"""Models that are compared without --model."""

ENERGIES_GEV = (1.0, 3.0, 10.0, 30.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8)


@click.command(cls=FileCommand)
@click.option("--model", "names", metavar="NAME", multiple=True, help="A model; may be repeated.  [default: five]")
@click.option("--list", "listed", is_flag=True, help="List the names of the models and their sources, and no more.")
@click.option("--solar", metavar="WHEN", help="fit, min, max or date.  [default: fit]")
@click.option("--solar-potential", type=float, metavar="MV", help="Force-field potential.")
@click.option("--date", metavar="YYYY-MM-DD", help="Month of the potential, for --solar date; of the field.")
@click.option("--join", type=float, metavar="GEV", help="Where models of high energies give way to the GHLS fits.")
@click.option("--latitudes", is_flag=True, help="Protons above the air by geomagnetic latitude.  CSV, PNG, PDF.")
@click.option("--altitude", type=float, metavar="KM", help="With --latitudes, of the places.  [default: 380]")
@click.option("--cone", type=float, metavar="DEG", help="With --latitudes, around the zenith.  [default: 32]")
@click.option(
    "--samples", type=WholeNumber(), metavar="N", help="With --latitudes, per band and energy.  [default: 500]"
)
@click.option(
    "--seed", type=WholeNumber(), metavar="S", help="With --latitudes, of places and directions.  [default: 1]"
)
@folder_option("Write figures, and the CSV of --latitudes, here (made if need be).")
@json_option
def command(
    names: tuple[str, ...],
    listed: bool,
    solar: str | None,
    solar_potential: float | None,
    date: str | None,
    join: float | None,
    latitudes: bool,
    altitude: float | None,
    cone: float | None,
    samples: int | None,
    seed: int | None,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Print the fluxes of primary models by mass group, and draw them with their ratios.

    Fluxes of nuclei per m2 s sr and GeV per nucleon, kinetic energy per nucleon; the all-nucleon flux is the sum of
    the mass numbers times these. The models crflux:... need the extra `primaries`.

    With --latitudes: one model's protons at an altitude in bands of geomagnetic latitude, behind the geomagnetic
    field of the date [1998-07-01]; primaries alone, no secondary (albedo) protons.

    \b
    Examples:
      sim3d primaries --model gsf:2026.1 --solar date --date 2014-02-01
      sim3d primaries -o figures
      sim3d primaries --latitudes -o figures
    """
    given = {"altitude_km": altitude, "cone_deg": cone, "samples": samples, "seed": seed}
    options: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    if options and not latitudes:
        raise InputError("--altitude, --cone, --samples and --seed are for --latitudes")
    if latitudes and (listed or len(names) > 1):
        raise InputError("--latitudes takes one --model, and goes without --list")
    if solar is not None and solar_potential is not None:
        raise InputError("give either --solar or --solar-potential, not both")
    if listed:
        _list(as_json)
        return
    from sim3d.primaries.build import primary_model
    from sim3d.primaries.catalogue import joins, model_names
    from sim3d.primaries.groups import PrimaryInputError

    potential: float | str = solar_potential if solar_potential is not None else (solar or "fit")
    if latitudes:
        name = names[0] if names else SHOWN[0]
        _latitudes(primary_model(name, potential, date, join), date, options, folder, as_json)
        return
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
    documents = [describe_model(model) for model in models]
    files = []
    if folder is not None:
        from sim3d.plots.primaries import draw

        files = draw(models, output_folder(folder, Path()))
    if as_json:
        print_json({"models": documents, "files": files})
        return
    for document in documents:
        _print(document)
    for path in files:
        click.echo(path)


def describe_model(model: PrimaryModel) -> dict[str, Any]:
    """Tabulate the fluxes of a model up to its highest energy, with errors where it states them.

    Parameters
    ----------
    model : PrimaryModel

    Returns
    -------
    dict
    """
    from sim3d.primaries.catalogue import highest_energy_GeV
    from sim3d.primaries.groups import GROUPS

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
    """Set fluxes to 0 where a table has 1e-300 for a mass group that its model does not have."""
    return flux * (flux > 1e-200)


def _print(document: dict[str, Any]) -> None:
    click.echo(f"{document['model']}: {document['source']}")
    click.echo(f"  solar potential {document['solar_potential_MV']:.0f} MV: {document['solar_modulation']}")
    groups = list(document["flux"])
    errors = document["nucleon_flux_error"]
    rows = []
    for i, energy in enumerate(document["energy_GeV"]):
        values = [document["flux"][group][i] for group in groups]
        total = document["nucleon_flux"][i]
        cells = [f"{energy:.3g}", *(f"{value:.3e}" if value > 0.0 else "0" for value in values), f"{total:.4e}"]
        rows.append(cells if errors is None else [*cells, f"{100.0 * errors[i] / total:.1f}%"])
    head = ["GeV/n", *groups, "all nucleons", *([] if errors is None else ["error"])]
    click.echo("\n".join(text_table(head, rows, "r" * len(head))))


def _list(as_json: bool) -> None:
    from sim3d.primaries.catalogue import GHLS_SOURCE, HIGHEST_GHLS_GEV, LIBRARY_MODELS, MODELS

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


def _latitudes(
    model: PrimaryModel, date: str | None, options: dict[str, Any], folder: Path | None, as_json: bool
) -> None:
    """Compute, print and write the spectra in bands of geomagnetic latitude."""
    from tqdm import tqdm

    from geomag.field.igrf import FieldModel
    from sim3d.studies.latitude_bands import BAND_EDGES_RAD, DEFAULT_DATE, NOTE, latitude_bands, write_csv

    field = FieldModel(date or DEFAULT_DATE)
    total = len(BAND_EDGES_RAD) - 1
    with tqdm(total=total, desc="latitudes", unit="band", disable=None, file=sys.stderr) as bar:
        found = latitude_bands(model, field, progress=bar.update, **options)
    place = f"altitude {found.altitude_km:g} km, within {found.cone_deg:g}° of the zenith"
    about = f"{place}; {field.generation} degree {field.degree} of {field.date}"
    files = []
    if folder is not None:
        from sim3d.plots.latitudes import draw
        from sim3d.plots.primaries import title

        target = output_folder(folder, Path())
        spectrum = f"{model.name}, {model.solar_potential_MV:.0f} MV ({model.solar}); {found.samples} per point"
        files = [write_csv(found, target / "primaries-latitudes.csv", f"{about}; {spectrum}, seed {found.seed}")]
        heading = f"{title(model)}, {model.solar_potential_MV:.0f} MV; primaries alone\n{place}"
        files += draw(found, target, heading, [f"{about}; {found.samples} trajectories per point", model.source])
    if as_json:
        print_json(
            {
                "model": model.name,
                "source": model.source,
                "solar_potential_MV": model.solar_potential_MV,
                "solar_modulation": model.solar,
                "date": field.date,
                "field": field.generation,
                "degree": field.degree,
                **{key: value for key, value in vars(found).items() if key not in ("bands", "outside")},
                "flux_without_field": found.outside,
                "bands": [vars(band) for band in found.bands],
                "note": NOTE,
                "files": files,
            }
        )
        return
    click.echo(f"{model.name}: {model.source}")
    click.echo(f"  solar potential {model.solar_potential_MV:.0f} MV: {model.solar}")
    click.echo(f"{about}; {found.samples} trajectories per band and energy, seed {found.seed}")
    click.echo(NOTE)
    _print_bands(found)
    for path in files:
        click.echo(path)


def _print_bands(found: LatitudeBands) -> None:
    """Print fluxes by energy and band, then the cutoffs of the bands."""
    click.echo("flux of protons (m^-2 s^-1 sr^-1 GeV^-1) by |geomagnetic latitude| (rad)")
    heads = [f"{band.low_rad:.1f}-{band.high_rad:.3g}" for band in found.bands]
    fluxes = []
    for i, energy in enumerate(found.energy_GeV):
        cells = [f"{band.flux[i]:.2e}" if band.flux[i] > 0.0 else "0" for band in found.bands]
        fluxes.append([f"{energy:.3g}", *cells, f"{found.outside[i]:.2e}"])
    click.echo("\n".join(text_table(["GeV", *heads, "no field"], fluxes, "r" * (len(heads) + 2))))
    click.echo("cutoff (GV), where half of the places and directions are allowed, and Stoermer's vertical one")
    cutoffs = []
    for head, band in zip(heads, found.bands, strict=True):
        cutoff = with_error(band.cutoff_GV, band.cutoff_error_GV, ".3g", ".2g")
        if math.isnan(band.cutoff_GV):
            ends = (found.rigidity_GV[0], "below") if band.share[0] >= 0.5 else (found.rigidity_GV[-1], "above")
            cutoff = f"{ends[1]} {ends[0]:.2g}"
        worst = int(band.undecided_share.argmax())
        undecided = ""
        if band.undecided_share[worst] > 0.0:
            undecided = f"undecided (counted as forbidden): at most {100 * band.undecided_share[worst]:.1f}%"
            undecided += f", at {found.energy_GeV[worst]:.3g} GeV"
        cutoffs.append([head, cutoff, f"{band.stoermer_GV:.3g}", undecided])
    click.echo("\n".join(text_table(None, cutoffs, "rlrl")))
