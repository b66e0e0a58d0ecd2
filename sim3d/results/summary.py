"""Summary of a result as plain dictionaries: sites, hits, warnings, configuration and provenance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim3d.results.result import Result

LONGEST = 500
"""Characters of a value that a text output shows."""

_SITE_FIELDS = ("name", "lat_deg", "lon_deg", "altitude_m", "declination_deg", "patch", "area_m2")


def describe_result(result: Result) -> dict[str, Any]:
    """Summarise a result: sites with their hits and weights, warnings, batches, attributes and configuration.

    Parameters
    ----------
    result : Result

    Returns
    -------
    dict
        Plain dictionaries, lists, strings and numbers, as ``sim3d info --json`` prints them.
    """
    from sim3d.scoring.hit_weights import outlier_warnings

    sites = {}
    warnings: list[str] = []
    for name, site in result.sites.items():
        fields = {key: getattr(site, key) for key in _SITE_FIELDS}
        if not result.record.config.scoring.neutrinos:
            sites[name] = fields | {"hits": 0, "hits_by_flavour": {}, "weights": {}}
            continue
        crossings = result.binned(name, "fine_aa")[2].sum(axis=2)
        hits = {flavour: int(row.sum()) for flavour, row in zip(result.flavours, crossings, strict=True)}
        histogram = result.hit_weights(name)
        sites[name] = fields | {
            "hits": sum(hits.values()),
            "hits_by_flavour": hits,
            "weights": _weights(histogram, crossings, result.flavours),
        }
        warnings += outlier_warnings(name, histogram, result.flavours, result.record.weights_of)
    return {
        "sites": sites,
        "warnings": warnings,
        "weights_of": result.record.weights_of,
        "batches": result.n_batches,
        "batches_total": len(result.record.batches_done),
        "complete": result.complete,
        "target": result.target,
        "allocation": _allocation(result),
        "event_records": _event_records(result),
        "lost_primaries": [list(lost) for lost in result.record.lost],
        "energy_bins": len(result.energy_edges_GeV) - 1,
        "cos_zenith_bins": len(result.cos_zenith_edges) - 1,
        "azimuth_bins": len(result.azimuth_edges_deg) - 1,
        "azimuth_frame": result.azimuth_frame,
        "attributes": dict(result.attributes),
        "config": result.config,
    }


def _allocation(result: Result) -> dict[str, list[float]] | None:
    """Describe the density of the primaries' energies that a survey has chosen, by stratum; None without one."""
    found = result.record.allocation
    if found is None:
        return None
    return {
        "edges_GeV": [float(f"{edge:.4g}") for edge in found.edges_GeV],
        "default_share": [round(float(value), 6) for value in found.default_share],
        "share": [round(float(value), 6) for value in found.share],
        "cost_us": [round(float(value), 1) for value in found.cost],
    }


def _event_records(result: Result) -> int | None:
    """Return the number of event records; None for a run without."""
    events = result.record.events
    return None if events is None else int(events.records.sum())


def _weights(histogram: Any, crossings: Any, flavours: tuple[str, ...]) -> dict[str, Any]:
    """Summarise the weights by flavour and decade: hits, what is weighted, effective number, largest weights."""
    from sim3d.scoring.hit_weights import DECADE_EDGES_GEV, N_DECADES, decades_of_bins, summarise

    out: dict[str, Any] = {}
    for f, flavour in enumerate(flavours):
        out[flavour] = {}
        for d in range(N_DECADES):
            summary = summarise(histogram[f, d])
            hits = int(crossings[f, decades_of_bins() == d].sum())
            out[flavour][f"{DECADE_EDGES_GEV[d]:g}-{DECADE_EDGES_GEV[d + 1]:g} GeV"] = {
                "hits": hits,
                "counted": summary.count,
                "effective": round(summary.effective, 1),
                "largest_over_mean": round(summary.largest, 2),
                "heaviest_ten_share": round(summary.heaviest_share, 5),
            }
    return out


def key_lines(values: dict[str, Any], indent: int) -> list[str]:
    """Format a dictionary as lines ``key: value``; a dictionary inside it becomes an indented block.

    Parameters
    ----------
    values : dict
    indent : int
        Spaces before each line.

    Returns
    -------
    list of str
    """
    out = []
    for key, value in values.items():
        if isinstance(value, dict):
            out.append(f"{' ' * indent}{key}:")
            out += key_lines(value, indent + 2)
        else:
            out.append(f"{' ' * indent}{key}: {shortened(value)}")
    return out


def shortened(value: Any) -> str:
    """Write a value on one line, of a long one (the covariance of a calibration) the begin.

    Parameters
    ----------
    value : Any

    Returns
    -------
    str
        At most :data:`LONGEST` characters of the value.

    Examples
    --------
    >>> shortened("two  words"), shortened("0.1, " * 1000)[-48:]
    ('two words', '... (4999 characters; sim3d info --json has all)')
    """
    text = " ".join(str(value).split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}... ({len(text)} characters; sim3d info --json has all)"
