"""The benchmark: ``make bench`` measures everything below on this machine and writes output/benchmarks.json and .md.

Rates are absolute and machines are noisy, so every rate also has a ratio to something timed in the same run: a peer,
the other sampling mode, fewer threads, or a fixed piece of work (one million evaluations of the degree-10 field).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import peers
from sampling import figure_of_merit, paper_statistics, table_time
from starting import memory, scaling, starts

import sim3d  # noqa: F401  (sets the kernel cache before numba is imported)
from geomag.igrf import FieldModel
from sim3d.config import make_config
from sim3d.engine import simulate

OUTPUT = Path("output")
Row = dict[str, Any]


def yardstick() -> float:
    """CPU seconds of one million field evaluations, best of three."""
    field = FieldModel()
    points = np.random.default_rng(1).normal(size=(1_000_000, 3))
    points *= 7000.0 / np.linalg.norm(points, axis=1, keepdims=True)
    field.field_xyz(points[:10])
    times = []
    for _ in range(3):
        started = time.process_time()
        field.field_xyz(points)
        times.append(time.process_time() - started)
    return min(times)


def showers(energy: list[float], primaries: int) -> float:
    """Showers per CPU second with bending, neutrinos above 0.3 GeV, energies on (E + 2 GeV)^-2 in the given range."""
    config = make_config(
        {
            "run": {"primaries": primaries, "batch_size": primaries // 4},
            "primaries": {"energy_GeV": energy, "energy_index": 2.0},
            "sampling": {"mode": "analog", "thinning": 0.0},
            "scoring": {"energy_min_GeV": 0.3},
            "sites": [{"name": "kamioka"}],
        }
    )
    tiny = config.model_copy(update={"run": config.run.model_copy(update={"primaries": 20, "batch_size": 10})})
    simulate(tiny, threads=1)
    rates = []
    for _ in range(2):
        started = time.process_time()
        record = simulate(config, threads=1)
        if record is None:
            raise RuntimeError("benchmarks run in a single process")
        rates.append(record.counters["primaries"] / (time.process_time() - started))
    return max(rates)


def kernels(unit: float) -> list[Row]:
    """Rows of the kernels, against a million field evaluations."""
    measured: list[tuple[str, float, str, float | None]] = [
        ("field evaluations, degree 10, one core", 1e6 / unit, "evaluations/s", None),
        ("showers, E^-2, 1.5-500 GeV, above 0.3 GeV, one core", showers([1.5, 500.0], 100_000), "showers/s", 20_000.0),
        ("showers at 100 GeV, above 0.3 GeV, one core", showers([99.0, 101.0], 20_000), "showers/s", None),
    ]
    return [
        {
            "name": name,
            "value": value,
            "unit": what,
            "peer": "1e6 field evaluations",
            "ratio": value * unit,
            "target": target,
            "met": None if target is None else value >= target,
        }
        for name, value, what, target in measured
    ]


def write(rows: list[Row]) -> None:
    """output/benchmarks.json and output/benchmarks.md."""
    OUTPUT.mkdir(exist_ok=True)
    (OUTPUT / "benchmarks.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    lines = ["| what | value | unit | compared with | ratio | target | met |", "|---|---|---|---|---|---|---|"]
    for row in rows:
        target = "" if row["target"] is None else f"{row['target']:g}"
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.4g}"
        met = {None: "", True: "yes", False: "NO"}[row["met"]]
        lines.append(
            f"| {row['name']} | {row['value']:.4g} | {row['unit']} | {row['peer']} | {ratio} | {target} | {met} |"
        )
    (OUTPUT / "benchmarks.md").write_text("\n".join(lines) + "\n", encoding="utf-8")


SECTIONS: dict[str, Callable[[], list[Row]]] = {
    "kernels": lambda: kernels(yardstick()),
    "peers": peers.rows,
    "merit": figure_of_merit,
    "paper": paper_statistics,
    "table": table_time,
    "scaling": scaling,
    "starts": starts,
    "memory": memory,
}


def main() -> int:
    """Measure, print and write everything; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description="Measure sim3d's speed on this machine.")
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in arguments.only:
        for row in SECTIONS[name]():
            rows.append(row)
            ratio = "" if row["ratio"] is None else f", {row['ratio']:.4g} x {row['peer']}"
            verdict = "" if row["met"] is None else (" (met)" if row["met"] else f" (MISSED, target {row['target']:g})")
            print(f"{row['name']}: {row['value']:.4g} {row['unit']}{ratio}{verdict}", flush=True)
        write(rows)
    return 0 if all(row["met"] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
