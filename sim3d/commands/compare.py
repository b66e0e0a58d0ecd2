"""``sim3d compare``: a result next to published fluxes."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from sim3d.commands.arguments import json_option, open_result, print_json, result_file
from sim3d.errors import InputError


@click.command()
@result_file
@click.argument("reference", metavar="REFERENCE.csv", type=click.Path(path_type=Path))
@click.option("--site", metavar="NAME", help="Default: the only site, or kamioka.")
@click.option(
    "--energy",
    nargs=2,
    type=float,
    default=(0.29, 10.0),
    show_default=True,
    metavar="LOW HIGH",
    help="Energy range in GeV.",
)
@click.option(
    "--within",
    type=click.FloatRange(min=0.0, min_open=True),
    default=0.15,
    show_default=True,
    help="Tolerance on the ratio.",
)
@json_option
def command(
    file: Path, reference: Path, site: str | None, energy: tuple[float, float], within: float, as_json: bool
) -> None:
    """Compare a result bin by bin with a CSV of columns flavour, energy_GeV, cos_zenith, flux.

    REFERENCE.csv is a file, or the name of a table that ships with sim3d: fluka_sk_solmax.csv (FLUKA at
    Super-Kamiokande, solar maximum).  Its comments state the unit (cm^-2 or m^-2, `# unit: ...`).  A row is
    matched to the bin with the nearest log centre (20 per decade) and to the zenith bin (40) that contains it.
    Ratios are result/reference; chi2 has the result's statistical errors alone.
    """
    from sim3d.compare import agreement, match, read_reference

    table = read_reference(reference)
    result = open_result(file)
    if site is None:
        names = list(result.sites)
        if len(names) != 1 and "kamioka" not in names:
            raise InputError("site", "", f"one of {', '.join(names)} (give --site)")
        site = names[0] if len(names) == 1 else "kamioka"
    rows = agreement(match(result, site, table, energy), within)
    if as_json:
        print_json(
            {
                "site": site,
                "reference": reference,
                "energy_GeV": energy,
                "within": within,
                "flavours": {row.flavour: {k: v for k, v in asdict(row).items() if k != "flavour"} for row in rows},
            }
        )
        return
    click.echo(f"{site} / {reference.name}, {energy[0]:g}-{energy[1]:g} GeV")
    fraction = f"<{within * 100:g}%"
    click.echo(
        f"  {'flavour':8s} {'bins':>5s} {'empty':>5s} {'median ratio':>12s} {'|ratio-1|':>9s} {'rms':>6s} "
        f"{'chi2':>9s} {'stat':>6s} {fraction:>6s}"
    )
    for row in rows:
        click.echo(
            f"  {row.flavour:8s} {row.bins:5d} {row.empty:5d} {row.median_ratio:12.3f} "
            f"{row.median_deviation:9.3f} {row.rms:6.3f} {row.chi2:9.1f} {row.median_error:6.3f} "
            f"{row.within * 100:5.0f}%"
        )
    click.echo(f"|ratio-1|: median; stat: median relative error; {fraction}: share of bins within that and one sigma")
    if any(not row.median_error <= within for row in rows):
        click.echo("The result's statistical errors exceed the tolerance: simulate more to judge.")
