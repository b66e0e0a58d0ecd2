"""``sim3d reweight``: compute the result of a finished run under another primary model by event weights."""

from __future__ import annotations

import time
from pathlib import Path

import click

from sim3d.commands.arguments import json_option, parameter_values, result_file, settings_option
from sim3d.commands.output import output_file, report
from sim3d.commands.paths import FileCommand, OutputPath


@click.command(cls=FileCommand)
@result_file
@click.option("--model", metavar="MODEL", help="As primaries.model of a configuration.  [default: the run's]")
@click.option(
    "--solar", metavar="fit|min|max|date|MV", help="As primaries.solar, or a potential in MV.  [default: the run's]"
)
@settings_option(
    "Change a parameter of the primaries: primary:He:norm=0.1, primary:p:slope=0.05, solar:MV=100; repeat."
)
@click.option("-o", "--output", metavar="FILE.h5", type=OutputPath(), required=True, help="The new result.")
@click.option("--force", is_flag=True, help="Replace an existing result file.")
@json_option
def command(
    file: Path,
    model: str | None,
    solar: str | None,
    settings: tuple[str, ...],
    output: Path,
    force: bool,
    as_json: bool,
) -> None:
    """Compute the result of a run under another primary model, without simulating it again.

    Needs the event records of the run (scoring.events = true), which are beside FILE.h5. The new file is a result like
    any other; its errors are those of the new weights. It holds the neutrino fluxes alone: muons, heights, gradients
    and variations of the run are dropped, and named.
    """
    target = output_file(output, output, force)
    from sim3d.files.locks import sole_writer
    from sim3d.files.result_file import write_result
    from sim3d.simulation.reweight import reweight

    started = time.perf_counter()
    with sole_writer(target):
        record = reweight(file, model, solar, progress=not as_json, values=parameter_values(settings))
        if "charm" in record.models:
            from sim3d.cascade.prompt import prompt_of_run
            from sim3d.simulation.setup import make_setup

            setup = make_setup(record.config)
            models = setup.atmosphere, setup.hadronic, setup.primaries
            record.prompt = prompt_of_run(record.config, record.detectors, *models)
        write_result(record, target)
    if dropped := record.provenance.get("reweighted_without"):
        click.echo(f"sim3d: note: {target} is without {dropped}, which event records do not hold", err=True)
    report(target, time.perf_counter() - started, as_json)
