"""``sim3d compare``: compute ratios of two results, Honda tables or tables of published fluxes."""

from __future__ import annotations

import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sim3d.commands.arguments import folder_option, json_option, open_result, output_folder, print_json
from sim3d.commands.paths import FileCommand, InputPath
from sim3d.conventions.text_tables import text_table
from sim3d.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sim3d.analysis.comparison import FluxSource

LARGEST_RMS = 10.0
"""Largest rms of a ratio that is printed: a larger one is that of a few bins with a reference near 0."""


@click.command(cls=FileCommand)
@click.argument("file", metavar="FILE", type=InputPath(), required=False)
@click.argument("reference", metavar="REFERENCE", type=InputPath(), required=False)
@click.option(
    "--release",
    "release",
    metavar="VERSION",
    help="Compare the fluxes that ship with those of a release, without files.",
)
@click.option("--site", metavar="NAME", help="Of a result.  [default: its only site, or kamioka]")
@click.option("--reference-site", metavar="NAME", help="Of a result that is the reference.  [default: as --site]")
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
@folder_option("Write compare.csv, every number with its ratio, and figures of the ratios there.")
@json_option
def command(
    file: Path | None,
    reference: Path | None,
    release: str | None,
    site: str | None,
    reference_site: str | None,
    energy: tuple[float, float],
    within: float,
    folder: Path | None,
    as_json: bool,
) -> None:
    """Compare FILE with REFERENCE: each a result (.h5), a Honda table (.d, .d.gz), or a CSV of fluxes.

    A CSV is one of `sim3d tables` or `export`, or has the columns flavour, energy_GeV, cos_zenith, flux, and comments
    that state its unit (`# unit: cm^-2 s^-1 sr^-1 GeV^-1`); fluka_sk_solmax.csv is FLUKA's at Super-Kamiokande, solar
    maximum, and ships with sim3d.
    Two tables with the same bins are compared bin by bin, others are interpolated.  A row of a CSV is compared with the
    bin of a result that is centred there.  Fluxes are averages over azimuth.  Ratios are FILE/REFERENCE; chi2 uses the
    statistical errors that are known.

    With --release what changed is listed by site, flavour, energy and zenith, and the entries `numbers` of the
    changelog since then (in a source tree).
    """
    if release is not None:
        if file is not None:
            raise InputError("--release", release, "given without files: it compares the fluxes that ship")
        _release(release, as_json)
        return
    if file is None or reference is None:
        raise InputError("FILE REFERENCE: name two files, or give --release VERSION")
    from sim3d.analysis.comparison import pair
    from sim3d.analysis.matching import agreement

    second = _open(reference, site if reference_site is None else reference_site)
    first = _open(file, site)
    matched = pair(first, second, energy)
    differ = _differences(_case(first, file), _case(second, reference))
    rows = agreement(matched, within)
    if same_showers := _same_showers((first, file), (second, reference), differ):
        rows = [replace(row, chi2=math.nan, chi2_note="both have the same showers") for row in rows]
    written: list[Path] = []
    if folder is not None:
        from sim3d.analysis.comparison import write_comparison
        from sim3d.plots import comparison as compare_plots
        from sim3d.results.words import context_lines

        target = output_folder(folder, file)
        written.append(write_comparison(matched, target / "compare.csv", first.name, second.name))
        about = [
            line
            for source in (first, second)
            if source.result is not None
            for line in context_lines(source.result.record, source.site)
        ]
        written += compare_plots.draw(matched, target, "compare", f"{first.name} / {second.name}", about)
    if as_json:
        print_json(
            {
                "site": first.site or second.site or None,
                "file": file,
                "reference": reference,
                "energy_GeV": energy,
                "within": within,
                "differences": {what: list(both) for what, both in differ.items()},
                "same_showers": same_showers,
                "flavours": {row.flavour: {k: v for k, v in asdict(row).items() if k != "flavour"} for row in rows},
                "unused": [asdict(one) for one in matched.unused],
                "files": written,
            }
        )
        return
    click.echo(f"{first.name} / {second.name}, {energy[0]:g}-{energy[1]:g} GeV")
    for what, (here, there) in differ.items():
        click.echo(f"  not the same {what}: {here} / {there}")
    fraction = f"<{within * 100:g}%"
    head = ("flavour", "bins", "empty", "median ratio", "|ratio-1|", "rms", "chi2", "stat", fraction)
    cells = [
        (
            row.flavour,
            f"{row.bins}",
            f"{row.empty}",
            _number(row.median_ratio, ".3f"),
            _number(row.median_deviation, ".3f"),
            f">{LARGEST_RMS:g}" if row.rms > LARGEST_RMS else _number(row.rms, ".3f"),
            _number(row.chi2, ".1f"),
            _number(row.median_error if row.chi2_bins else math.nan, ".3f"),
            _number(row.within * 100, ".0f", "%"),
        )
        for row in rows
    ]
    click.echo("\n".join(text_table(head, cells)))
    click.echo(
        "|ratio-1|: its median; chi2: about as large as bins where the two agree; stat: median statistical error of a "
        f"ratio;\n{fraction}: share of bins whose ratio is 1 to {within * 100:g}% and one more statistical error"
    )
    for line in dict.fromkeys(f"chi2: {row.chi2_note}" for row in rows if row.chi2_note):
        names = [row.flavour for row in rows if f"chi2: {row.chi2_note}" == line]
        click.echo(line if len(names) == len(rows) else f"{line} ({', '.join(names)})")
    for unused in matched.unused:
        reasons = "; ".join(f"{number} {reason}" for reason, number in unused.reasons.items())
        used = f"{unused.total - unused.count} of {unused.total} {unused.of} used"
        click.echo(f"{unused.source}: {used}" + (f"; not used: {reasons}" if reasons else ""))
    for source in (first, second):
        if source.rows is not None and source.rows.unit_assumed:
            click.echo(f"{source.name}: unit {source.rows.unit_text!r}, taken with {source.rows.unit_assumed}")
    if same_showers:
        click.echo("Of one run: what differs has much smaller errors than stat, which takes the two as independent.")
    elif any(row.chi2_bins and row.median_error > within for row in rows):
        click.echo("The statistical errors exceed the tolerance: simulate more to judge.")
    for path in written:
        click.echo(path)


def _case(source: FluxSource, path: Path) -> dict[str, str]:
    """State place, field, Sun and models of a source, as far as they are known."""
    from geomag.sites import SITES
    from sim3d.analysis.reference import FLUKA_TABLE
    from sim3d.results.metadata import case_of_result, case_of_table
    from sim3d.results.words import degrees

    if source.result is not None:
        return case_of_result(source.result, source.site)
    if path.name == FLUKA_TABLE:
        return {"place": degrees(SITES["kamioka"].lat, SITES["kamioka"].lon)}
    return case_of_table(path)


def _differences(first: dict[str, str], second: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return what is known of both and is not the same."""
    return {what: (first[what], second[what]) for what in first if what in second and first[what] != second[what]}


def _same_showers(
    first: tuple[FluxSource, Path], second: tuple[FluxSource, Path], differ: Mapping[str, object]
) -> bool:
    """Return True for two fluxes of one place from one run: its result, its tables, or a reweighting of it."""
    from sim3d.results.metadata import run_of_result, run_of_table

    one, other = (
        run_of_table(path) if source.result is None else run_of_result(source.result)
        for source, path in (first, second)
    )
    return bool(one) and one == other and "place" not in differ


def _release(version: str, as_json: bool) -> None:
    """Print what changed since a release."""
    from sim3d.analysis.releases import announced, changes
    from sim3d.files.site_flux_file import shipped_sites
    from sim3d.flux.interpolated import Flux

    rows = changes(version, (Flux.site(name, calibration="none") for name in shipped_sites()))
    entries = announced(version)
    if as_json:
        print_json({"release": version, "changes": [asdict(row) for row in rows], "numbers": entries})
        return
    cells = [
        (row.site, row.flavour, f"{row.low_GeV:g}-{row.high_GeV:g}", row.zenith, f"{row.ratio - 1.0:+.1%}",
         f"{row.error:.1%}", f"{(row.ratio - 1.0) / row.error:+.1f}" if row.error > 0.0 else "-")
        for row in rows
    ]  # fmt: skip
    click.echo(f"Fluxes that ship over those of {version}, as simulated (not calibrated), statistical errors of both:")
    click.echo("\n".join(text_table(("site", "flavour", "GeV", "zenith", "change", "error", "pull"), cells, "llllrrr")))
    if not entries:
        click.echo(f"No entry `numbers` since {version} (an installed package has no changelog).")
    for entry in entries:
        click.echo(f"numbers: {entry}")


def _number(value: float, form: str, unit: str = "") -> str:
    """Format a number; a dash where it is not known."""
    return f"{value:{form}}{unit}" if math.isfinite(value) else "-"


def _open(path: Path, site: str | None) -> FluxSource:
    from sim3d.analysis.comparison import is_result, open_source

    return open_source(path, site, open_result(path) if is_result(path) else None)
