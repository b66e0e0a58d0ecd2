"""Speed of the kernels on one core, and of starting: ``make bench`` writes output/benchmarks.json and .md.

Rates are absolute and these machines are noisy, so every row also has a ratio to a fixed piece of work timed in the
same run: one million evaluations of the degree-10 field.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from numba import njit

import sim3d  # noqa: F401  (sets the kernel cache before numba is imported)
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.igrf import FieldModel
from geomag.tracing import backtrack, trace_params
from sim3d.config import make_config
from sim3d.engine import simulate

OUTPUT = Path("output")


@njit(nogil=True)
def _track_all(positions, directions, rigidities, gauss, params):
    allowed = 0
    for i in range(rigidities.shape[0]):
        x, y, z = positions[i]
        ux, uy, uz = directions[i]
        if backtrack(x, y, z, ux, uy, uz, rigidities[i], gauss, params) == 1:
            allowed += 1
    return allowed


def yardstick() -> float:
    """Seconds for one million field evaluations."""
    field = FieldModel()
    points = np.random.default_rng(1).normal(size=(1_000_000, 3))
    points *= 7000.0 / np.linalg.norm(points, axis=1, keepdims=True)
    field.field_xyz(points[:10])
    started = time.perf_counter()
    field.field_xyz(points)
    return time.perf_counter() - started


def trajectories() -> float:
    """Back-tracked trajectories per second: Kamioka, 20 km, upper hemisphere, 1-60 GV on R^-2.7."""
    rng = np.random.default_rng(2)
    n = 20_000
    field = FieldModel()
    params = trace_params(field)
    rigidity = (1.0 + rng.random(n) * (60.0**-1.7 - 1.0)) ** (-1.0 / 1.7)
    zenith = np.degrees(np.arccos(rng.random(n)))
    azimuth = 360.0 * rng.random(n)
    where = np.broadcast_to(geodetic_to_cartesian(36.43, 137.31, 20.0), (n, 3)).copy()
    direction = np.array([-arrival_direction(36.43, 137.31, z, a) for z, a in zip(zenith, azimuth, strict=True)])
    _track_all(where[:5], direction[:5], rigidity[:5], field.gauss, params)
    started = time.perf_counter()
    _track_all(where, direction, rigidity, field.gauss, params)
    return n / (time.perf_counter() - started)


def showers(energy: list[float], primaries: int) -> float:
    """Showers per second with bending, neutrinos above 0.3 GeV, energies on E^-2 in the given range."""
    record = simulate(
        make_config(
            {
                "run": {"primaries": primaries, "batch_size": primaries // 4},
                "primaries": {"energy_GeV": energy, "energy_index": 2.0},
                "sampling": {"thinning": 0.0},
                "scoring": {"energy_min_GeV": 0.3},
                "sites": [{"name": "kamioka"}],
            }
        ),
        threads=1,
    )
    if record is None:
        raise RuntimeError("benchmarks run in a single process")
    return record.counters["primaries"] / record.provenance["wall_time_s"]


def start_time() -> float:
    """Seconds of a whole warm `sim3d run` of two tiny batches."""
    table = "{'run': {'primaries': 20, 'batch_size': 10}, 'sites': [{'name': 'kamioka'}]}"
    code = f"import sim3d; sim3d.run({table}, threads=1)"
    subprocess.run([sys.executable, "-c", code], check=True)
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], check=True)
    return time.perf_counter() - started


def main() -> int:
    """Measure, print and write everything."""
    unit = yardstick()
    rows: list[dict[str, Any]] = []

    def add(name: str, value: float, unit_name: str, target: float | None, at_most: bool = False) -> None:
        met = None if target is None else (value <= target if at_most else value >= target)
        ratio = value * unit if unit_name.endswith("/s") else value / unit
        rows.append(
            {"name": name, "value": value, "unit": unit_name, "peer": "1e6 field evaluations", "ratio": ratio}
            | {"target": target, "met": met}
        )
        print(f"{name}: {value:.4g} {unit_name}", flush=True)

    add("field evaluations, degree 10, one core", 1e6 / unit, "evaluations/s", None)
    add("back-tracking, Kamioka 20 km, one core", trajectories(), "trajectories/s", None)
    add("showers, E^-2, 1.5-500 GeV, bending, one core", showers([1.5, 500.0], 100_000), "showers/s", 10_000.0)
    add("showers at 100 GeV, bending, one core", showers([99.0, 101.0], 20_000), "showers/s", None)
    add("warm start of a run", start_time(), "s", 5.0, at_most=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    add("peak memory of this benchmark", peak, "MiB", 1024.0, at_most=True)

    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "benchmarks.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lines = ["| what | value | unit | times 1e6 field evaluations | target | met |", "|---|---|---|---|---|---|"]
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:g}"
        met = {None: "", True: "yes", False: "NO"}[row["met"]]
        lines.append(f"| {row['name']} | {row['value']:.4g} | {row['unit']} | {row['ratio']:.4g} | {target} | {met} |")
    (OUTPUT / "benchmarks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return 0 if all(row["met"] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
