"""``sim3d run``: simulate a configuration and write a result file."""

from __future__ import annotations

import time
from pathlib import Path

import click

from sim3d.commands.arguments import json_option
from sim3d.commands.numbers import WholeNumber
from sim3d.commands.output import STATUS_OF, output_file, parse_range, part_range, report
from sim3d.commands.paths import FileCommand, InputPath, OutputPath, protect_files_of
from sim3d.errors import InputError
from sim3d.launcher import launcher_rank


@click.command(cls=FileCommand)
@click.argument("config_path", metavar="CONFIG.toml", type=InputPath())
@click.option(
    "-o",
    "--output",
    metavar="FILE.h5",
    type=OutputPath(),
    help="Result file; its folder must exist.  [default: output/<config name>.h5]",
)
@click.option("--primaries", type=WholeNumber(min=1), metavar="N", help="Instead of the configuration's.")
@click.option("--seed", type=WholeNumber(min=0), metavar="S", help="Instead of the configuration's.")
@click.option(
    "--threads", type=WholeNumber(min=1), metavar="T", help="Per process.  [default: OMP_NUM_THREADS, or all cores]"
)
@click.option("--resume", is_flag=True, help="Go on from the result file, if there is one.")
@click.option("--part", metavar="K/N", help="Do only part K of N, K from 1 to N (a task of a job array).")
@click.option("--batch-range", metavar="A:B", help="Do only the batches A to B - 1 (a part of a job array).")
@click.option("--force", is_flag=True, help="Replace an existing result file.")
@click.option("--quiet", is_flag=True, help="No progress, no summary.")
@json_option
def command(
    config_path: Path,
    output: Path | None,
    primaries: int | None,
    seed: int | None,
    threads: int | None,
    resume: bool,
    part: str | None,
    batch_range: str | None,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Simulate what CONFIG.toml describes and write one result file.

    The result depends on the configuration alone: any number of threads and of ranks (mpirun -n N sim3d run
    CONFIG.toml), any interruption and any division into parts give the same numbers bit by bit. Finished batches are
    saved in the file during the run; --resume continues from there, also with more --primaries.
    """
    from sim3d.config.load import load_config

    given = {"primaries": primaries, "seed": seed}
    if not config_path.is_file():
        raise InputError(f"{config_path}: no such configuration file")
    config = load_config(config_path, overrides={key: v for key, v in given.items() if v is not None})
    if resume and force:
        raise InputError("--resume, --force: give one of them, to go on or to begin anew")
    protect_files_of(config)
    if part is not None and batch_range is not None:
        raise InputError("--part, --batch-range: give one of them")
    batches = parse_range(batch_range) if part is None else part_range(part, config.n_batches)
    target = output_file(output, config_path, force, resume, resumable=True)

    from sim3d.simulation.engine import run_to_file

    first = launcher_rank() in (None, 0)
    started = time.perf_counter()
    speak = first and not quiet and not as_json
    if first and config.hadronic.table is not None:
        from hadronic.models import load_model
        from sim3d.commands.yields import show_energy_carried

        show_energy_carried(load_model(table=config.hadronic.table), quiet=not speak)
    outcome = run_to_file(
        config, target, threads=threads, progress=speak, resume=resume, batches=batches, replace=force
    )
    if first and (as_json or not quiet) and target.exists():
        report(target, time.perf_counter() - started, as_json, config_path, part=batches is not None)
    return STATUS_OF.get(outcome, 0)
