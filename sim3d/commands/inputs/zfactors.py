"""``sim3d zfactors``: compute spectrum-weighted moments of a hadronic model and compare them with references."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.commands.yields import show_energy_carried
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.errors import InputError
from sim3d.files.csv_files import write_records, write_rows

if TYPE_CHECKING:
    from hadronic.models import HadronicModel
    from hadronic.observables.zfactors import ComparedMoment

# Kinetic energies of FLUKA's tables.
ZFACTOR_ENERGIES_GEV = (5.0, 10.0, 30.0, 50.0, 100.0)
DEFAULT_INTERACTIONS = 100_000
# Statistical error of the moments about 0.3 %.
ALL_INTERACTIONS = 400_000
MAX_INTERACTIONS = 100_000_000


@click.command(cls=FileCommand)
@click.option("--model", metavar="NAME", help="Hadronic model.  [default: that of a run]")
@click.option(
    "--table",
    metavar="FILE.h5",
    type=InputPath(),
    help="A file of yields instead (with --all: as well).",
)
@click.option("--all", "every", is_flag=True, help="All models side by side, with mean pT and numbers.")
@click.option("--data", "measured", is_flag=True, help="Models beside measured particle production: chi2 per point.")
@click.option("--balance", is_flag=True, help="Where the energy of showers goes, for the model or with --all for each.")
@click.option(
    "--showers",
    type=WholeNumber(),
    metavar="N",
    help="With --balance: at each energy and direction.  [default: 10000, fewer above 100 GeV]",
)
@click.option(
    "--definition",
    metavar="NAME",
    help="What x is in the reference that fluka-z is solved for: balanced (default), kinetic or printed.",
)
@click.option(
    "--energy",
    "energies",
    type=float,
    multiple=True,
    metavar="T",
    help="Kinetic energy of the proton in GeV (repeat for more).  Default: FLUKA's, 5 to 100.",
)
@click.option(
    "--interactions",
    type=WholeNumber(),
    metavar="N",
    help="Sampled at each energy.  [default: 100000, with --all 400000]",
)
@click.option("--seed", type=WholeNumber(), default=1, show_default=True, metavar="S", help="Of the random numbers.")
@folder_option("Write a CSV table and figures (PNG, PDF) there.")
@json_option
def command(
    model: str | None,
    table: Path | None,
    every: bool,
    measured: bool,
    balance: bool,
    showers: int | None,
    definition: str | None,
    energies: tuple[float, ...],
    interactions: int | None,
    seed: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compute energy fractions F and Z factors (exponent 1.7) of protons on air from sampled interactions.

    They are shown next to FLUKA's tables and, for Z, daemonflux's.  The definition of x (total or kinetic energy) is
    not certain in FLUKA's tables: the ratios to FLUKA are given for each definition, the first being the model's own.
    With --all every model is listed with one definition.
    With --data all models, or the one given, are compared with measurements on carbon (NA61, NA49, HARP) instead.
    With --balance primary protons are followed to the ground instead, and their energy is summed by category.
    """
    from hadronic.definitions import READINGS
    from hadronic.models import load_model
    from hadronic.observables.zfactors import compare_daemonflux, compare_protons

    for energy in energies:
        if not (math.isfinite(energy) and energy > 0.0):
            raise InputError("--energy", energy, "a kinetic energy in GeV above 0")
    if interactions is None:
        interactions = ALL_INTERACTIONS if every else DEFAULT_INTERACTIONS
    if not 2 <= interactions <= MAX_INTERACTIONS:
        raise InputError("--interactions", interactions, f"2 to {MAX_INTERACTIONS}")
    if seed < 0:
        raise InputError("--seed", seed, "0 or more")
    if showers is not None and not balance:
        raise InputError("--showers", showers, "goes with --balance only")
    if balance and folder is not None:
        raise InputError("--balance", folder, "no -o: the table goes to the terminal (--json for all digits)")
    if measured:
        if every or balance or energies or showers is not None:
            raise InputError("--data: takes --model, --definition, --table, -o and --json only")
        _measured(model, definition, table, folder, as_json)
        return
    if every:
        if model is not None or definition is not None:
            raise InputError("--all: takes neither --model nor --definition, every model comes as it is")
        if not balance:
            _survey(table, list(energies), interactions, seed, folder, as_json)
            return
    if balance:
        models = _all_models(table) if every else [load_model(model, definition, table)]
        _balance(models, list(energies), showers, seed, as_json)
        return
    # The model is loaded first, so that wrong input leaves no empty folder behind.
    chosen = load_model(model, definition, table)
    wanted = list(energies) if energies else list(ZFACTOR_ENERGIES_GEV)
    rows = compare_protons(chosen, wanted, interactions, seed)
    others = [] if energies else compare_daemonflux(chosen, interactions, seed)
    if not as_json:
        show_energy_carried(chosen)

    written: list[Path] = []
    if folder is not None:
        target = output_folder(folder, Path())
        written = [_write_csv(target / "zfactors.csv", chosen, interactions, rows + others)]
        from sim3d.plots.hadronic_moments import draw_compared

        written += draw_compared(chosen, rows, target)
    if as_json:
        print_json(
            {
                "model": chosen.name,
                "definition": chosen.definition,
                "description": chosen.description,
                "definitions_of_x": READINGS,
                "interactions": interactions,
                "seed": seed,
                "moments": [_as_dict(row) for row in rows],
                "daemonflux": [_as_dict(row) for row in others],
                "energy_balance": {f"{energy:g}": chosen.energy_balance(0, energy) for energy in wanted},
                "files": written,
            }
        )
        return
    click.echo(f"{chosen.name}, definition {chosen.definition}: {READINGS[rows[0].definition]}")
    click.echo(f"p-air, {interactions} interactions per energy; T kinetic energy of the proton")
    _print_table(rows, "FLUKA")
    if others:
        click.echo("\ndaemonflux (p-carbon, calibrated to muons; not what the model is solved for)")
        _print_table(others, "daemonflux")
    for path in written:
        click.echo(f"wrote {path}")


def _all_models(table: Path | None) -> list[HadronicModel]:
    from hadronic.models import load_model, model_names

    return [load_model(name) for name in model_names()] + ([] if table is None else [load_model(table=table)])


def _measured(
    model: str | None, definition: str | None, table: Path | None, folder: Path | None, as_json: bool
) -> None:
    """Print, write and draw models beside measured particle production."""
    from hadronic.models import load_model
    from hadronic.observables.measured import compare_all

    one = model is not None or definition is not None
    models = [load_model(model, definition, table)] if one else _all_models(table)
    channels = [compare_all(each) for each in models]
    names = [each.name for each in models]
    rows = [
        {
            "experiment": row[0].data.experiment,
            "projectile": row[0].data.projectile,
            "secondary": row[0].data.secondary,
            "kinetic_energy_GeV": row[0].data.T_GeV,
            "points": row[0].points,
            "chi2": {channel.model: channel.chi2 for channel in row},
        }
        for row in zip(*channels, strict=True)
    ]
    written: list[Path] = []
    if folder is not None:
        from sim3d.plots.hadronic_production import draw_production

        target = output_folder(folder, Path())
        path = target / "production.csv"
        head = ["experiment", "projectile", "secondary", "kinetic_energy_GeV", "points", *names]
        lines = [[*list(row.values())[:5], *(f"{value:.4g}" for value in row["chi2"].values())] for row in rows]
        about = ["chi2 of hadronic models against measured particle production on carbon"]
        written = [write_rows(path, about, head, lines), *draw_production(channels, target)]
    if as_json:
        print_json({"models": names, "channels": rows, "files": written})
        return
    head = ["measurement", "", "", "T/GeV", "points", *names]
    cells = [
        [row["experiment"], row["projectile"], row["secondary"], f"{row['kinetic_energy_GeV']:.4g}", str(row["points"])]
        + [f"{value / row['points']:.2f}" for value in row["chi2"].values()]
        for row in rows
    ]
    click.echo("chi2 per point; yields on carbon (air for the models), normalisation and its error included")
    click.echo("\n".join(text_table(head, cells, "lll" + "r" * (len(head) - 3))))
    for path in written:
        click.echo(f"wrote {path}")


def _balance(models: list[HadronicModel], energies: list[float], showers: int | None, seed: int, as_json: bool) -> None:
    """Print the energy balance of proton showers."""
    from hadronic.models import check_projectile
    from sim3d.studies import energy_account
    from sim3d.studies import energy_balance as account

    wanted = energies or list(account.BALANCE_ENERGIES_GEV)
    if showers is not None and not account.LEAST_SHOWERS <= showers <= account.MOST_SHOWERS:
        raise InputError("--showers", showers, f"{account.LEAST_SHOWERS} to {account.MOST_SHOWERS}")
    for model in models:
        for energy in wanted:
            check_projectile(model.tables, 0, energy)
    cases = [(energy, cosine) for energy in wanted for cosine in account.DEFAULT_COSINES]
    # models share random numbers, so that they can be compared; energies and directions do not
    rows = [
        account.energy_balance(
            model, energy, cosine, showers or account.default_showers(energy), seed, place * account.MOST_SHOWERS
        )
        for model in models
        for place, (energy, cosine) in enumerate(cases)
    ]
    if as_json:
        print_json({"seed": seed, "categories": energy_account.CATEGORIES, "balances": [asdict(row) for row in rows]})
        return
    click.echo(account.as_text(rows))


def _survey(
    table: Path | None, energies: list[float], interactions: int, seed: int, folder: Path | None, as_json: bool
) -> None:
    """Print, write and draw the moments of all models."""
    from hadronic.models import check_projectile
    from sim3d.studies.hadronic_models import SURVEY_ENERGIES_GEV, as_rows, as_text, survey, worst

    models = _all_models(table)
    for model in models:
        for energy in energies:
            check_projectile(model.tables, 0, energy)
    rows = survey(models, energies or SURVEY_ENERGIES_GEV, interactions, seed)
    written: list[Path] = []
    if folder is not None:
        target = output_folder(folder, Path())
        path = target / "models.csv"
        from sim3d.plots.hadronic_moments import draw_survey

        write_records(
            path, ("secondaries of p-air per interaction; F, Z: E/E for mesons, T/T for baryons",), as_rows(rows)
        )
        written = [path, *draw_survey(models, target)]
    if as_json:
        checks = {model.name: worst([row for row in rows if row.model == model.name]) for model in models}
        print_json(
            {
                "models": [
                    {
                        "name": model.name,
                        "description": model.description,
                        **model.provenance,
                        "sampled_against_table": {
                            "largest_relative_difference": checks[model.name][0],
                            "largest_in_standard_errors": checks[model.name][1],
                        },
                    }
                    for model in models
                ],
                "interactions": interactions,
                "seed": seed,
                "moments": as_rows(rows),
                "files": written,
            }
        )
        return
    click.echo(as_text(rows, models))
    for path in written:
        click.echo(f"wrote {path}")


def _as_dict(row: ComparedMoment) -> dict[str, Any]:
    return {
        "kinetic_energy_GeV": row.kinetic_energy_GeV,
        "quantity": row.quantity,
        "secondary": row.secondary,
        "value": row.value,
        "error": row.error,
        "table": row.exact[row.definition],
        "source": row.source,
        "reference": row.reference,
        "reference_error": row.reference_error,
        "ratio": row.ratio(),
        "by_definition": {
            name: {
                "value": row.sampled[name],
                "error": row.errors[name],
                "table": row.exact[name],
                "ratio": row.ratio(name),
            }
            for name in row.sampled
        },
    }


def _print_table(rows: list[ComparedMoment], source: str) -> None:
    own = rows[0].definition
    names = list(rows[0].sampled)
    # No ratios to daemonflux for other definitions of x: at its high energies they agree.
    names = names if source == "FLUKA" else [own]
    cells: list[list[str]] = []
    last = (0.0, "")
    for row in rows:
        here = (row.kinetic_energy_GeV, row.quantity)
        if last[0] and here != last and source == "FLUKA":
            cells.append([])
        last = here
        line = [f"{row.kinetic_energy_GeV:.5g}", row.quantity, row.secondary]
        line += [with_error(row.value, row.error, ".5f"), f"{row.exact[own]:.5f}"]
        if row.reference is not None:
            ratios = [row.ratio(name) for name in names]
            line += [f"{row.reference:.4f}", *(with_error(ratio, None, missing="") for ratio in ratios)]
        cells.append(line)
    head = ["T/GeV", "", "secondary", "sampled", "table", source, f"ratio: {names[0]}", *names[1:]]
    click.echo("\n".join(text_table(head, cells, "rll" + "r" * (len(head) - 3))))


def _write_csv(path: Path, model: HadronicModel, interactions: int, rows: list[ComparedMoment]) -> Path:
    from hadronic.definitions import READINGS

    names = list(rows[0].sampled)
    head = ["kinetic_energy_GeV", "quantity", "secondary", "value", "error", "table"]
    head += ["source", "reference", "reference_error", "ratio"]
    head += [f"{kind}_{name}" for name in names for kind in ("value", "ratio")]
    about = [
        "moments of p-air per interaction: F = <sum x>, Z = <sum x^1.7>",
        f"model {model.name}, definition {model.definition}, {interactions} interactions",
        *(f"x in definition {name}: {READINGS[name]}" for name in names),
        "value, error (one sigma) sampled; table: exact moment of the model's tables",
    ]
    lines = []
    for row in rows:
        line: list[Any] = [row.kinetic_energy_GeV, row.quantity, row.secondary, row.value, row.error]
        line += [row.exact[row.definition], row.source, row.reference, row.reference_error, row.ratio()]
        for name in names:
            line += [row.sampled[name], row.ratio(name)]
        lines.append([f"{cell:.6g}" if isinstance(cell, float) else cell for cell in line])
    return write_rows(path, about, head, lines)
