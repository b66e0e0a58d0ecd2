"""``sim3d info``: show the contents of a result file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import json_option, open_result, print_json, result_file
from sim3d.commands.paths import FileCommand
from sim3d.commands.worth import quoted, show_worth

if TYPE_CHECKING:
    from sim3d.config.schema import Config
    from sim3d.results.result import Result


@click.command(cls=FileCommand)
@result_file
@click.option("--verify", is_flag=True, help="Check the file's checksums; status 2 if they do not agree.")
@click.option("--all", "everything", is_flag=True, help="Also weights, every setting and versions.")
@json_option
def command(file: Path, verify: bool, everything: bool, as_json: bool) -> None:
    """Show place, dates, models, size and quality of a result; with --all also settings and versions."""
    if verify:
        check(file, as_json)
        return
    from sim3d.results.summary import describe_result

    result = open_result(file)
    document = describe_result(result)
    if as_json:
        print_json({"file": file, **document})
        return
    for line in [str(file), *_short(result, document)]:
        click.echo(line)
    for line in document["warnings"]:
        click.echo(f"  WARNING {line}")
    if document["target"] is not None:
        click.echo(f"  {document['target']}")
    for index, reason in document["lost_primaries"]:
        click.echo(f"  lost primary {index}: {reason}")
    show_worth(result, [] if everything else [(f"sim3d info {quoted(file)} --all", "weights, every setting, versions")])
    if everything:
        for line in _long(document):
            click.echo(line)


def _short(result: Result, document: dict[str, Any]) -> list[str]:
    """Describe a result on less than a screen: sites, dates, models, size."""
    from sim3d.results.words import sun_in_short

    config, attributes = result.record.config, document["attributes"]
    lines = []
    for name, site in document["sites"].items():
        lines.append(
            f"  site {name}: latitude {site['lat_deg']:.3f}, longitude {site['lon_deg']:.3f}, "
            f"altitude {site['altitude_m']:g} m; detector {site['patch']}, {site['area_m2'] * 1e-6:.4g} km2"
        )
        if site["hits_by_flavour"]:
            lines.append(
                "    neutrinos: " + ", ".join(f"{flavour} {n:,}" for flavour, n in site["hits_by_flavour"].items())
            )
    cutoff = "" if config.field.cutoff else "; cutoffs are not applied"
    lines += [
        f"  field {attributes.get('field_generation', '')} of {config.field.date}{cutoff}; Sun: "
        f"{sun_in_short(result.record)}",
        f"  primaries {attributes.get('primary_model', '?')}, hadrons {attributes.get('hadronic_model', '?')}, "
        f"air {attributes.get('atmosphere', '?')}{', with charm' if 'charm' in attributes else ''}",
        f"  {config.calibration_in_words}",
        f"  {attributes['primaries']:,} primaries in {document['batches']} of {document['batches_total']} batches, "
        f"seed {attributes['seed']}, mode {config.sampling.mode}; sim3d {attributes.get('sim3d', '?')}",
    ]
    if document["allocation"] is not None:
        lines.append(f"  energies of primaries by a survey, for {_part(config)}")
    if document["event_records"] is not None:
        lines.append(f"  {document['event_records']} event records")
    if attributes.get("muon_crossings"):
        lines.append(f"  {attributes['muon_crossings']} muons and nucleons; see sim3d muons")
    return lines


def _part(config: Config) -> str:
    """Name the part of the flux table that a run serves."""
    part = config.allocation
    if part.whole:
        return "the whole table"
    return (
        f"{', '.join(part.flavours)}, {part.energy_GeV[0]:.3g}-{part.energy_GeV[1]:.5g} GeV, "
        f"cos zenith {part.cos_zenith[0]:g} to {part.cos_zenith[1]:g}"
    )


def _long(document: dict[str, Any]) -> list[str]:
    """List weights, bins, attributes and configuration."""
    from sim3d.results.summary import key_lines

    lines = []
    for name, site in document["sites"].items():
        lines.append(f"  {name}: magnetic declination {site['declination_deg']:.2f} deg")
        if site["weights"]:
            what = "primaries with hits" if document["weights_of"] == "primaries" else "neutrinos"
            lines.append(f"    effective number of {what} (largest weight over the mean) by decade of energy:")
        for flavour, decades in site["weights"].items():
            cells = [
                f"{span} {row['effective']:.0f} ({row['largest_over_mean']:.0f})"
                for span, row in decades.items()
                if row["hits"]
            ]
            lines.append(f"      {flavour}: {', '.join(cells) or 'none'}")
    lines.append(
        f"  bins: {document['energy_bins']} energies, {document['cos_zenith_bins']} cos_zenith, "
        f"{document['azimuth_bins']} azimuth (frame of the {document['azimuth_frame']})"
    )
    if (found := document["allocation"]) is not None:
        lines.append("  energies of primaries (GeV per nucleon): share (by default; microseconds for each)")
        for low, high, share, usual, each in zip(
            found["edges_GeV"][:-1],
            found["edges_GeV"][1:],
            found["share"],
            found["default_share"],
            found["cost_us"],
            strict=True,
        ):
            lines.append(f"    {low:g}-{high:g}: {100.0 * share:.3g}% ({100.0 * usual:.3g}%; {each:.0f})")
    for title in ("attributes", "config"):
        lines.append(f"  {title}:")
        lines += key_lines(document[title], indent=4)
    return lines


def check(file: Path, as_json: bool) -> None:
    """Verify a file's checksums and print the outcome.

    Parameters
    ----------
    file : Path
    as_json : bool
    """
    from sim3d.files.event_file import verify_events
    from sim3d.files.result_file import read_result, verify_result

    checked: dict[str, Any] = verify_result(file)
    record = read_result(file)
    if record.events is not None:
        checked |= verify_events(file, record)
    if as_json:
        print_json({"path": file, **checked})
        return
    written = (
        "every byte is as written" if checked["file"] == "sealed" else "rewritten by another program, same numbers"
    )
    click.echo(f"{file}: whole ({written})")
    click.echo(f"  data   sha256 {checked['data_sha256']}")
    click.echo(f"  config sha256 {checked['config_sha256']}")
    if "events" in checked:
        click.echo(f"{checked['events']}: whole ({checked['event_records']} event records, as the run made them)")
