"""``sim3d dimensions``: compute 3-D/1-D flux ratios of a configuration, and the effect of bending alone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.output import DEFAULT_FOLDER, STATUS_OF
from sim3d.commands.paths import FileCommand, InputPath, protect_files_of
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.errors import InputError
from sim3d.files.atomic_files import check_output
from sim3d.files.csv_files import write_rows
from sim3d.launcher import launcher_rank

if TYPE_CHECKING:
    from sim3d.analysis.dimensions import EastWest, Ratio
    from sim3d.config.schema import Config

HEADINGS = {
    "3-D / 1-D": "Three dimensions over one",
    "bending": "With bending in the air over without",
}
"""Ratios that are printed; the third one (angles alone) is in the CSV and in JSON."""


@click.command(cls=FileCommand)
@click.argument("config_path", metavar="CONFIG.toml", type=InputPath())
@folder_option("Folder for runs, table and figures.  [default: output/<config name>-dimensions]")
@click.option("--primaries", type=WholeNumber(min=1), metavar="N", help="Of each run, instead of the configuration's.")
@click.option("--seed", type=WholeNumber(min=0), metavar="S", help="Instead of the configuration's.")
@click.option("--site", metavar="NAME", help="Print and draw this site alone.  [default: all]")
@click.option(
    "--threads", type=WholeNumber(min=1), metavar="T", help="Per process.  [default: OMP_NUM_THREADS, or all cores]"
)
@click.option("--quiet", is_flag=True, help="No progress.")
@json_option
def command(
    config_path: Path,
    folder: Path | None,
    primaries: int | None,
    seed: int | None,
    site: str | None,
    threads: int | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Run CONFIG.toml as it is, without bending in the air, and in one dimension; compare the three.

    The runs have the same random numbers and are full.h5, no-bending.h5 and collinear.h5 in DIR. Existing runs are
    continued, so more --primaries add to them. Ratios of fluxes by zenith, flavour and energy, and east-west
    asymmetries are printed; dimensions.csv has them all. Works under mpirun as `sim3d run` does.
    """
    from sim3d.analysis.dimensions import variants
    from sim3d.config.load import load_config

    if not config_path.is_file():
        raise InputError(f"{config_path}: no such configuration file")
    config = load_config(config_path, overrides={"primaries": primaries, "seed": seed})
    protect_files_of(config)
    runs = variants(config)
    names = [site.name for site in config.sites]
    if site is not None and site not in names:
        raise InputError("--site", site, ", ".join(names))
    target = output_folder(folder or DEFAULT_FOLDER / f"{config_path.stem}-dimensions", config_path)
    for name in (*(f"{run}.h5" for run in runs), "dimensions.csv"):
        check_output(target / name)  # before the runs, which take long

    outcome = _simulate(runs, target, threads, speak=not (quiet or as_json))
    if outcome != "complete":
        return STATUS_OF.get(outcome, 0)
    if launcher_rank() in (None, 0):
        _show([site] if site else names, runs, target, as_json)
    return 0


def _simulate(runs: dict[str, Config], folder: Path, threads: int | None, speak: bool) -> str:
    """Simulate the runs that are missing, one after the other; return how they ended, on every rank."""
    from sim3d.simulation.engine import run_to_file
    from sim3d.simulation.processes import connect

    processes = connect()
    for number, (name, config) in enumerate(runs.items(), start=1):
        path = folder / f"{name}.h5"
        if speak and processes.first:
            click.echo(f"sim3d: run {number} of {len(runs)}: {path}", err=True)
        outcome = run_to_file(config, path, threads, progress=speak, resume=True)
        # only rank 0 knows that time was up
        outcome = processes.agree(outcome)
        if outcome not in ("complete", "target"):
            return outcome
    return "complete"


def _show(sites: list[str], runs: dict[str, Config], folder: Path, as_json: bool) -> None:
    """Write table and figures, and print the ratios."""
    from sim3d.analysis import dimensions
    from sim3d.plots import dimensions as dimension_plots
    from sim3d.results.pairs import paired

    results = {name: open_result(folder / f"{name}.h5") for name in runs}
    written: list[Path] = []
    by_site: dict[str, tuple[list[Ratio], list[EastWest]]] = {}
    for site in sites:
        by_site[site] = list(dimensions.ratios(results, site)), dimensions.bending_asymmetries(results, site)
        written += dimension_plots.draw(results, site, folder)
    written.insert(0, _write_table(by_site, folder / "dimensions.csv"))
    first = next(iter(results.values()))
    if as_json:
        document: dict[str, Any] = {
            "runs": {name: folder / f"{name}.h5" for name in runs},
            "pairs": {pair: f"{a} / {b}" for pair, (a, b) in dimensions.PAIRS.items() if a in runs and b in runs},
            "same_showers": all(paired(first, result) for result in results.values()),
            "sites": {
                site: {"ratios": [asdict(row) for row in rows], "east_west": [asdict(row) for row in asymmetries]}
                for site, (rows, asymmetries) in by_site.items()
            },
            "files": written,
        }
        print_json(document)
        return
    for site, (rows, asymmetries) in by_site.items():
        for pair, heading in HEADINGS.items():
            if any(row.pair == pair for row in rows):
                click.echo(f"\n{site}: {heading}")
                click.echo("\n".join(dimensions.table(rows, pair)))
        if asymmetries:
            click.echo(f"\n{site}: East-west asymmetry, 0.5-3 GeV, |cos zenith| < 0.5")
            click.echo("\n".join(_asymmetry_lines(site, asymmetries)))
    click.echo()
    for path in written:
        click.echo(path)


def _asymmetry_lines(site: str, rows: list[EastWest]) -> list[str]:
    from sim3d.analysis.asymmetry import published

    others = published(site)
    heads = [*rows[0].by_run, *(["bending adds"] if rows[0].bending else []), *(["paper"] if others else [])]
    lines = []
    for row in rows:
        values = [*row.by_run.values(), *([row.bending] if row.bending else [])]
        cells = [with_error(*value, "+.3f", missing="-") for value in values]
        if row.flavour in others:
            known = others[row.flavour]
            cells.append(with_error(known.paper, known.paper_error, "+.3f", missing=""))
        lines.append([row.flavour, *cells])
    return text_table(["", *heads], lines)


def _write_table(by_site: dict[str, tuple[list[Ratio], list[EastWest]]], path: Path) -> Path:
    """Write all ratios as CSV."""
    columns = ("site", "pair", "band", "flavour", "energy_low_GeV", "energy_high_GeV", "ratio", "error")
    lines = [
        (site, row.pair, row.band, row.flavour, *(f"{x:.6g}" for x in (*row.energy_GeV, row.value, row.error)))
        for site, (rows, _) in by_site.items()
        for row in rows
    ]
    write_rows(path, (), columns, lines)
    return path
