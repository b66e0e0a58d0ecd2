"""``sim3d info``: what a result file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.arguments import json_option, open_result, print_json, result_file

if TYPE_CHECKING:
    from sim3d.results import Result

_SITE_FIELDS = ("name", "lat_deg", "lon_deg", "altitude_m", "declination_deg", "patch", "area_m2")


@click.command()
@result_file
@click.option("--verify", is_flag=True, help="Check the file's checksums; status 2 if they do not agree.")
@json_option
def command(file: Path, verify: bool, as_json: bool) -> None:
    """Show the sites, statistics, configuration and provenance of a result."""
    if verify:
        check(file, as_json)
        return
    document = describe(open_result(file))
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
        f"{document['azimuth_bins']} azimuth; {document['batches']} of {document['batches_total']} batches"
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
    """Check a file's checksums and say so."""
    from sim3d.event_file import verify_events
    from sim3d.result_file import read_result, verify_result

    found: dict[str, Any] = verify_result(file)
    record = read_result(file)
    if record.events is not None:
        found |= verify_events(file, record)
    if as_json:
        print_json({"path": file, **found})
        return
    written = "every byte is as written" if found["file"] == "sealed" else "rewritten by another program, same numbers"
    click.echo(f"{file}: whole ({written})")
    click.echo(f"  data   sha256 {found['data_sha256']}")
    click.echo(f"  config sha256 {found['config_sha256']}")
    if "events" in found:
        click.echo(f"{found['events']}: whole ({found['event_records']} event records, as the run made them)")


def describe(result: Result) -> dict[str, Any]:
    """What is worth knowing of a result, as plain dictionaries."""
    from sim3d.hit_weights import outlier_warnings

    sites = {}
    warnings: list[str] = []
    for name, site in result.sites.items():
        fields = {key: getattr(site, key) for key in _SITE_FIELDS}
        if not result.config.get("scoring", {}).get("neutrinos", True):
            sites[name] = fields | {"hits": 0, "hits_by_flavour": {}, "weights": {}}
            continue
        hits = {
            flavour: int(count)
            for flavour, count in zip(result.flavours, result.binned(name, "fine_aa")[2].sum(axis=(1, 2)), strict=True)
        }
        histogram = result.hit_weights(name)
        sites[name] = fields | {
            "hits": sum(hits.values()),
            "hits_by_flavour": hits,
            "weights": _weights(histogram, result.flavours),
        }
        warnings += outlier_warnings(name, histogram, result.flavours)
    return {
        "sites": sites,
        "warnings": warnings,
        "batches": int(result.n_batches),
        "batches_total": int(result.attributes.get("batches_total", result.n_batches)),
        "complete": bool(result.attributes.get("complete", True)),
        "target": getattr(result, "target", None),
        "event_records": _event_records(result),
        "lost_primaries": [list(lost) for lost in result.record.lost] if hasattr(result, "record") else [],
        "energy_bins": len(result.energy_edges_GeV) - 1,
        "cos_zenith_bins": len(result.cos_zenith_edges) - 1,
        "azimuth_bins": len(result.azimuth_edges_deg) - 1,
        "attributes": dict(result.attributes),
        "config": result.config,
    }


def _event_records(result: Result) -> int | None:
    """Number of event records; None for a run without."""
    events = result.record.events if hasattr(result, "record") else None
    return None if events is None else int(events.records.sum())


def _weights(histogram: Any, flavours: tuple[str, ...]) -> dict[str, Any]:
    """Hits, effective number and largest weights, by flavour and decade of energy."""
    from sim3d.hit_weights import DECADE_EDGES_GEV, N_DECADES, summarise

    out: dict[str, Any] = {}
    for f, flavour in enumerate(flavours):
        out[flavour] = {}
        for d in range(N_DECADES):
            summary = summarise(histogram[f, d])
            out[flavour][f"{DECADE_EDGES_GEV[d]:g}-{DECADE_EDGES_GEV[d + 1]:g} GeV"] = {
                "hits": summary.hits,
                "effective_hits": round(summary.effective, 1),
                "largest_over_mean": round(summary.largest, 2),
                "heaviest_ten_share": round(summary.heaviest_share, 5),
            }
    return out


def key_lines(values: dict[str, Any], indent: int) -> list[str]:
    """``key: value`` lines; a dictionary inside becomes an indented block."""
    out = []
    for key, value in values.items():
        if isinstance(value, dict):
            out.append(f"{' ' * indent}{key}:")
            out += key_lines(value, indent + 2)
        else:
            out.append(f"{' ' * indent}{key}: {' '.join(str(value).split())}")
    return out
