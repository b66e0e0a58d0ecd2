"""``sim3d info``: show the contents of a result file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sim3d.commands.arguments import json_option, open_result, print_json, result_file
from sim3d.commands.paths import FileCommand


@click.command(cls=FileCommand)
@result_file
@click.option("--verify", is_flag=True, help="Check the file's checksums; status 2 if they do not agree.")
@json_option
def command(file: Path, verify: bool, as_json: bool) -> None:
    """Show the sites, statistics, configuration and provenance of a result."""
    if verify:
        check(file, as_json)
        return
    from sim3d.results.summary import describe_result, key_lines

    document = describe_result(open_result(file))
    if as_json:
        print_json({"file": file, **document})
        return
    click.echo(str(file))
    for name, site in document["sites"].items():
        click.echo(
            f"  site {name}: latitude {site['lat_deg']:.3f}, longitude {site['lon_deg']:.3f}, "
            f"altitude {site['altitude_m']:g} m, declination {site['declination_deg']:.2f} deg"
        )
        click.echo(f"    detector {site['patch']}, {site['area_m2'] * 1e-6:.4g} km2; {site['hits']} hits")
        if site["weights"]:
            click.echo("    effective hits (largest weight over the mean) by decade of energy:")
        for flavour, decades in site["weights"].items():
            cells = [
                f"{span} {row['effective_hits']:.0f} ({row['largest_over_mean']:.0f})"
                for span, row in decades.items()
                if row["hits"]
            ]
            click.echo(f"      {flavour}: {', '.join(cells) or 'none'}")
    for line in document["warnings"]:
        click.echo(f"  WARNING {line}")
    click.echo(
        f"  bins: {document['energy_bins']} energies, {document['cos_zenith_bins']} cos_zenith, "
        f"{document['azimuth_bins']} azimuth (frame of the {document['azimuth_frame']}); "
        f"{document['batches']} of {document['batches_total']} batches"
    )
    if document["event_records"] is not None:
        click.echo(f"  {document['event_records']} event records")
    if document["attributes"].get("muon_crossings"):
        click.echo(f"  {document['attributes']['muon_crossings']} muons and nucleons; see sim3d muons")
    if document["target"] is not None:
        click.echo(f"  {document['target']}")
    for index, reason in document["lost_primaries"]:
        click.echo(f"  lost primary {index}: {reason}")
    for title in ("attributes", "config"):
        click.echo(f"  {title}:")
        for line in key_lines(document[title], indent=4):
            click.echo(line)


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
