"""The world map of cutoffs beside gtracr and OTSO: CPU time of one core for 5 x 5 degrees, every 0.01 GV, vertical.

This package's time is that of a random tenth of the 2,592 places, scaled.  gtracr traces a sample of the same
trajectories, OTSO computes the cutoffs of a few of the places by its own scan of the penumbra; both are scaled.

`rows` returns the rows; ``python benchmarks/world_map.py`` prints them.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import numpy as np
from peers import ALTITUDE_KM, GTRACR_CORE, GTRACR_RATE, PeerError, Row, print_rows, row, run_peer, with_target

import sim3d  # noqa: F401  (sets the kernel cache before numba is imported)
from geomag.cutoffs.scanning import certain_rigidity_GV
from geomag.cutoffs.world import grid, place_cutoffs
from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.batch import BatchTracer
from geomag.trajectories.tracing import trace_params

SAMPLE, OTSO_SAMPLE, GTRACR_SAMPLE = 260, 6, 3000
"""Places of this package and of OTSO, trajectories of gtracr."""
STEP_GV = 0.01
TARGET_S = 180.0


def places(count: int) -> tuple[np.ndarray, np.ndarray, int]:
    """Latitudes and longitudes of random cells of the map, and the number of all cells."""
    lat, lon = (one.ravel() for one in np.meshgrid(*grid(5.0), indexing="ij"))
    chosen = np.random.default_rng(1).permutation(len(lat))[:count]
    return lat[chosen], lon[chosen], len(lat)


def own_seconds(precise: bool) -> float:
    """CPU seconds of the map, scaled from the sample."""
    lat, lon, total = places(SAMPLE)
    field = FieldModel("2020-01-01")
    place_cutoffs(lat[:1], lon[:1], field, step_GV=0.5, precise=precise)
    begun = time.process_time()
    place_cutoffs(lat, lon, field, step_GV=STEP_GV, precise=precise)
    return (time.process_time() - begun) * total / SAMPLE


def trajectories(count: int) -> tuple[dict[str, np.ndarray], float]:
    """A random sample of the trajectories of the map, and the number of all of them (from the sample of places)."""
    lat, lon, total = places(SAMPLE)
    field = FieldModel("2020-01-01")
    tracer = BatchTracer(field, trace_params(field, ALTITUDE_KM, True))
    xyz = geodetic_to_cartesian(lat, lon, ALTITUDE_KM)
    down = [arrival_direction(*one, 0.0, 0.0) for one in zip(lat, lon, strict=True)]
    last = [int(certain_rigidity_GV(*one, tracer) / STEP_GV) for one in zip(xyz, down, strict=True)]
    which = np.repeat(np.arange(SAMPLE), last)
    multiple = np.concatenate([np.arange(1, n + 1) for n in last])
    chosen = np.random.default_rng(2).choice(len(which), count, replace=False)
    given = {
        "lat": lat[which[chosen]],
        "lon": lon[which[chosen]],
        "altitude_km": np.array(ALTITUDE_KM),
        "zenith_deg": np.zeros(count),
        "azimuth_from_north_deg": np.zeros(count),
        "rigidity_GV": multiple[chosen] * STEP_GV,
    }
    return given, len(which) * total / SAMPLE


def gtracr_rows(own_s: float) -> list[Row]:
    """gtracr's row: the map's trajectories at its default settings; the ratio is its time over ours."""
    setting = "table, default tolerance"
    given, total = trajectories(GTRACR_SAMPLE)
    found = run_peer("gtracr", given | {"settings": np.array([setting])})
    spent = float(found[f"seconds {setting}"]) * total / GTRACR_SAMPLE
    name = (
        f"world map, gtracr, {setting}, the same {total / 1e6:.1f} million trajectories (scaled from {GTRACR_SAMPLE})"
    )
    return [row(name, spent, "s", "sim3d", spent / own_s)]


def otso_rows(own_s: float) -> list[Row]:
    """OTSO's rows: vertical cutoffs of a few places; the ratio is its time over ours."""
    lat, lon, total = places(OTSO_SAMPLE)
    empty = np.zeros(0)
    given = {
        "lat": np.array(0.0),
        "lon": np.array(0.0),
        "altitude_km": np.array(ALTITUDE_KM),
        **dict.fromkeys(("zenith_deg", "azimuth_from_north_deg", "rigidity_GV"), empty),
        **dict.fromkeys(("map_zenith_deg", "map_azimuth_deg"), empty),
        "place_lat": lat,
        "place_lon": lon,
    }
    found = run_peer("otso", given)
    lines = []
    for key, value in found.items():
        if key.startswith("places seconds "):
            spent = float(value) * total / OTSO_SAMPLE
            setting = key.removeprefix("places seconds ")
            name = f"world map, OTSO, {setting}, its scan of the penumbra alone (scaled from {OTSO_SAMPLE} places)"
            lines.append(row(name, spent, "s", "sim3d", spent / own_s))
    return lines


def rows(scale: float | None = None, report: Callable[[str], object] = print) -> list[Row]:
    """All rows of the world map, peers included where they run.

    Parameters
    ----------
    scale : float, optional
        Speed of this core relative to the one that targets are stated for; then a row for that core is added.
    report : callable
        Given one line of text when a peer is skipped.

    Returns
    -------
    list of dict
        name, value, unit, peer, ratio, target, met.
    """
    own_s = own_seconds(True)
    name = f"world map, 5 x 5 degrees, every {STEP_GV:g} GV, one core (scaled from {SAMPLE} places)"
    found = [row(name, own_s, "s"), row(f"{name}, --fast", own_seconds(False), "s")]
    if scale is None:
        found[0] = with_target(found[0], TARGET_S, at_most=True)
    else:
        line = row(f"{name}: on a core where {GTRACR_RATE} does {GTRACR_CORE:g}/s", own_s * scale, "s")
        found.append(with_target(line, TARGET_S, at_most=True))
    for peer, make in (("gtracr", gtracr_rows), ("OTSO", otso_rows)):
        try:
            found += make(own_s)
        except PeerError as reason:
            report(f"{peer} is left out of the world map: {reason}")
    return found


def main() -> int:
    """Measure and print the rows."""
    print_rows(rows())
    return 0


if __name__ == "__main__":
    sys.exit(main())
