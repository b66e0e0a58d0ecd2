"""``sim3d zfactors``: moments of the hadronic model, from sampled interactions, next to their reference."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, output_folder, print_json
from sim3d.csv_files import write_records, write_rows
from sim3d.errors import InputError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hadronic.models import HadronicModel
    from hadronic.zfactors import ComparedMoment

# FLUKA's energies.
ZFACTOR_ENERGIES_GEV = (5.0, 10.0, 30.0, 50.0, 100.0)
DEFAULT_INTERACTIONS = 100_000
# Enough for moments to 0.3 %.
ALL_INTERACTIONS = 400_000
MAX_INTERACTIONS = 100_000_000


@click.command()
@click.option("--model", metavar="NAME", help="Hadronic model.  [default: fluka-z]")
@click.option(
    "--table",
    metavar="FILE.h5",
    type=click.Path(path_type=Path),
    help="A file of yields instead (with --all: as well).",
)
@click.option("--all", "every", is_flag=True, help="All models side by side, with mean pT and numbers.")
@click.option("--balance", is_flag=True, help="Where the energy of showers goes, for the model or with --all for each.")
@click.option(
    "--showers",
    type=int,
    metavar="N",
    help="With --balance: at each energy and direction.  [default: 10000, fewer above 100 GeV]",
)
@click.option(
    "--definition",
    metavar="NAME",
    help="What x is in the reference the model is solved for: printed (default), balanced or kinetic.",
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
    type=int,
    metavar="N",
    help="Sampled at each energy.  [default: 100000, with --all 400000]",
)
@click.option("--seed", type=int, default=1, show_default=True, metavar="S", help="Of the random numbers.")
@folder_option("Write a CSV table and figures (PNG, PDF) there.")
@json_option
def command(
    model: str | None,
    table: Path | None,
    every: bool,
    balance: bool,
    showers: int | None,
    definition: str | None,
    energies: tuple[float, ...],
    interactions: int | None,
    seed: int,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Energy fractions F and Z factors (exponent 1.7) of protons on air, from sampled interactions.

    Next to FLUKA's tables and, for Z, daemonflux's.  What x is (total or kinetic energy) is not certain in
    FLUKA's tables: the ratios to FLUKA are given for each meaning, the first being the model's own.
    With --all every model is listed in one meaning.
    With --balance primary protons are followed to the ground instead, and their energy is added up.
    """
    from hadronic.definitions import READINGS
    from hadronic.models import load_model
    from hadronic.zfactors import compare_daemonflux, compare_protons

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
    # Wrong input must not leave an empty folder behind, so the model comes first.
    chosen = load_model(model, definition, table)
    wanted = list(energies) if energies else list(ZFACTOR_ENERGIES_GEV)
    rows = compare_protons(chosen, wanted, interactions, seed)
    others = [] if energies else compare_daemonflux(chosen, interactions, seed)

    written: list[Path] = []
    if folder is not None:
        target = output_folder(folder, Path())
        written = [_write_csv(target / "zfactors.csv", chosen, interactions, rows + others)]
        written += _draw(target, chosen, rows)
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


def _balance(models: list[HadronicModel], energies: list[float], showers: int | None, seed: int, as_json: bool) -> None:
    """Where the energy of a primary goes."""
    from hadronic.models import check_projectile
    from sim3d import energy_balance as account

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
        print_json({"seed": seed, "categories": account.CATEGORIES, "balances": [asdict(row) for row in rows]})
        return
    click.echo(account.as_text(rows))


def _survey(
    table: Path | None, energies: list[float], interactions: int, seed: int, folder: Path | None, as_json: bool
) -> None:
    """All models side by side."""
    from hadronic.models import check_projectile
    from sim3d.model_survey import SURVEY_ENERGIES_GEV, as_rows, as_text, survey, worst

    models = _all_models(table)
    for model in models:
        for energy in energies:
            check_projectile(model.tables, 0, energy)
    rows = survey(models, energies or SURVEY_ENERGIES_GEV, interactions, seed)
    written: list[Path] = []
    if folder is not None:
        target = output_folder(folder, Path())
        path = target / "models.csv"
        write_records(
            path, ("secondaries of p-air per interaction; F, Z: E/E for mesons, T/T for baryons",), as_rows(rows)
        )
        written = [path, *_draw_all(target, models)]
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


def _draw_all(target: Path, models: list[HadronicModel]) -> list[Path]:
    import matplotlib.pyplot as plt

    from sim3d import moment_figures, style

    paths = []
    with plt.rc_context(style.RC):
        for stem, figure in (
            ("models-z", moment_figures.moments(models, "Z")),
            ("models-energy-fractions", moment_figures.moments(models, "F")),
            ("models-pt", moment_figures.transverse_momenta(models)),
            ("models-multiplicities", moment_figures.multiplicities(models)),
        ):
            paths += style.save(figure, target, stem)
            plt.close(figure)
    return paths


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
    # Ratios to daemonflux under other meanings of x say nothing: its energies are high enough.
    names = names if source == "FLUKA" else [own]
    ratios = "".join(f" {name:>8s}" for name in names)
    click.echo(f"  {'T/GeV':>7s}   {'secondary':9s} {'sampled':>19s} {'table':>8s} {source:>10s}  ratio:{ratios}")
    last = (0.0, "")
    for row in rows:
        here = (row.kinetic_energy_GeV, row.quantity)
        if last[0] and here != last and source == "FLUKA":
            click.echo("")
        last = here
        line = (
            f"  {row.kinetic_energy_GeV:7.5g} {row.quantity} {row.secondary:9s} "
            f"{row.value:9.5f} +- {row.error:.5f} {row.exact[own]:8.5f}"
        )
        if row.reference is not None:
            line += f" {row.reference:10.4f}        "
            for name in names:
                ratio = row.ratio(name)
                line += f" {'' if ratio is None else f'{ratio:.3f}':>8s}"
        click.echo(line.rstrip())


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


def _draw(folder: Path, model: HadronicModel, rows: list[ComparedMoment]) -> list[Path]:
    """Figure of F and Z against energy: the model's tables, the sampled points, the published values."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.lines import Line2D

    from sim3d import style

    with plt.rc_context(style.RC):
        figure, axes = plt.subplots(1, 2, figsize=(9.4, 4.6), gridspec_kw={"wspace": 0.04})
        for ax, quantity in zip(axes, "FZ", strict=True):
            _draw_panel(ax, quantity, model, rows)
        axes[0].set_ylabel(r"Energy fraction $F$")
        axes[1].set_ylabel(r"Spectrum-weighted moment $Z$ ($\gamma = 2.7$)")
        shown: dict[str, Any] = {"color": style.BLACK, "linestyle": "none"}
        axes[0].legend(
            handles=[
                Line2D([], [], color=style.BLACK, label=f"{model.name} ({model.definition})"),
                Line2D([], [], marker="_", markersize=8, label="sampled", **shown),
                Line2D([], [], marker="o", markersize=5, markerfacecolor="none", label="FLUKA", **shown),
                Line2D([], [], marker="D", markersize=4, label="daemonflux (p-C)", **shown),
            ],
            loc="lower right",
        )
        paths = style.save(figure, folder, "zfactors")
        plt.close(figure)
    return paths


def _draw_panel(ax: Axes, quantity: str, model: HadronicModel, rows: list[ComparedMoment]) -> None:
    import numpy as np

    from hadronic.reference import daemonflux_reference, fluka_reference
    from hadronic.species import IS_BARYON
    from hadronic.zfactors import label_codes, moment_field
    from sim3d import style

    looks = {
        "p": (style.BLACK, r"$p$"),
        "n": (style.GREY, r"$n$"),
        "p+n": (style.BLACK, r"$p+n$"),
        "pi+": (style.BLUE, r"$\pi^+$"),
        "pi-": (style.VERMILION, r"$\pi^-$"),
        "pi0": (style.GREEN, r"$\pi^0$"),
        "K+": (style.ORANGE, r"$K^+$"),
        "K-": (style.PURPLE, r"$K^-$"),
        "K0": ("#56B4E9", r"$K^0+\bar K^0$"),
        "Lambda": ("#8C6D31", r"$\Lambda$"),
    }
    labels = list(dict.fromkeys(row.secondary for row in rows if row.quantity == quantity))
    energies = np.geomspace(1.0, 1.0e5, 101)
    end_values = []
    for label in labels:
        colour, name = looks[label]
        codes = label_codes(label)
        field = moment_field(rows[0].definition, quantity, bool(IS_BARYON[codes[0]]))
        curve = np.array([sum(getattr(model.moments(0, c, T), field) for c in codes) for T in energies])
        ax.plot(energies, np.where(curve > 1e-6, curve, np.nan), color=colour)
        end_values.append((float(curve[-1]), name, colour))
        ours = [row for row in rows if row.quantity == quantity and row.secondary == label]
        ax.errorbar(
            [row.kinetic_energy_GeV for row in ours],
            [row.value for row in ours],
            yerr=[row.error for row in ours],
            color=colour,
            marker="_",
            markersize=8,
            linestyle="none",
            elinewidth=0.8,
        )
        known = [one for one in fluka_reference() if one.quantity == quantity and one.secondary == label]
        ax.plot(
            [one.kinetic_energy_GeV for one in known if one.value > 0.0],
            [one.value for one in known if one.value > 0.0],
            color=colour,
            marker="o",
            markersize=5,
            markerfacecolor="none",
            linestyle="none",
        )
        muons = [one for one in daemonflux_reference() if one.quantity == quantity and one.secondary == label]
        muons = [one for one in muons if one.kinetic_energy_GeV <= 1.0e5]
        ax.errorbar(
            [one.kinetic_energy_GeV for one in muons],
            [one.value for one in muons],
            yerr=[one.error or 0.0 for one in muons],
            color=colour,
            marker="D",
            markersize=4,
            linestyle="none",
            elinewidth=0.8,
        )
    ax.set(xscale="log", yscale="log", xlim=(1.0, 1.0e5), xlabel="Proton kinetic energy (GeV)")
    ax.set_ylim((3e-4, 0.8) if quantity == "F" else (1e-4, 0.8))
    _label_ends(ax, end_values)


def _label_ends(ax: Axes, ends: list[tuple[float, str, str]]) -> None:
    """Names of the curves at their right ends, kept a line of text apart."""
    low, high = (math.log(value) for value in ax.get_ylim())
    apart = 0.045
    ends = sorted(ends)
    heights = [(math.log(value) - low) / (high - low) for value, _, _ in ends]
    for _ in range(200):
        for i in range(len(heights) - 1):
            overlap = apart - (heights[i + 1] - heights[i])
            if overlap > 0.0:
                heights[i] -= 0.5 * overlap
                heights[i + 1] += 0.5 * overlap
    for (_, name, colour), height in zip(ends, heights, strict=True):
        ax.text(1.02, height, name, color=colour, transform=ax.transAxes, va="center", fontsize=9)
