"""Run all benchmarks on this machine (``make bench``) and write output/benchmarks.json and .md.

Absolute rates vary with the machine and its load. Every rate therefore also has a ratio to something timed in the same
run: a peer, the other sampling mode, fewer threads, or a fixed piece of work (one million evaluations of the degree-10
field).
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ground_muons
import measurement
import numpy as np
import peers
import world_map
from before import before
from decades import decades
from numba import njit
from sampling import figure_of_merit, paper_statistics, table_time
from starting import memory, scaling, starts

import sim3d  # noqa: F401  (sets the kernel cache before numba is imported)
from geomag.field.igrf import FieldModel
from sim3d.config.load import make_config
from sim3d.sampling.source import draw_entry
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.random_streams import primary_key, uniform
from sim3d.shower.stack import new_stack
from sim3d.simulation.setup import make_setup

OUTPUT = Path("output")
Row = dict[str, Any]


def yardstick() -> float:
    """Measure the CPU seconds of one million field evaluations, best of three.

    Returns
    -------
    float
    """
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


@njit(nogil=True)
def _follow(world, low, high, index, n, seed):
    """Simulate n protons from all over the globe, energies (GeV) on E^-index from low to high; count neutrinos."""
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    stack = new_stack(32768)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    total = 0
    a = 1.0 - index
    for i in range(n):
        rng[0] = primary_key(seed, i)
        energy = (low**a + uniform(rng) * (high**a - low**a)) ** (1.0 / a)
        draw_entry(world.top_km, start, rng)
        made, neutrinos, stack = shower(world, start, energy, 1.0, rng[0], stack, neutrinos, False)
        total += made
    return total


def showers(low: float, high: float, n: int) -> float:
    """Measure showers per CPU second: bending, neutrinos above 0.3 GeV, no thinning, E^-2; best of three.

    Parameters
    ----------
    low, high : float
        Energy range of the protons, GeV.
    n : int
        Number of showers.

    Returns
    -------
    float
    """
    config = make_config(
        {
            "sampling": {"mode": "analog", "thinning": 0.0},
            "scoring": {"energy_min_GeV": 0.3},
            "sites": [{"name": "kamioka"}],
        }
    )
    world = make_setup(config).world
    _follow(world, low, high, 2.0, 10, 1)
    rates = []
    for repeat in range(3):
        started = time.process_time()
        _follow(world, low, high, 2.0, n, repeat)
        rates.append(n / (time.process_time() - started))
    return max(rates)


def kernels(scale: float | None) -> list[Row]:
    """Measure the kernels relative to a million field evaluations.

    Parameters
    ----------
    scale : float or None
        Speed of this core relative to the one that targets are stated for (from the peers). Rows for that core are
        added where it is known.

    Returns
    -------
    list of dict
    """
    unit = yardstick()
    measured: list[tuple[str, float, str, float | None]] = [
        ("field evaluations, degree 10, one core", 1e6 / unit, "evaluations/s", None),
        ("showers, E^-2, 1.5-500 GeV, above 0.3 GeV, one core", showers(1.5, 500.0, 100_000), "showers/s", 20_000.0),
        ("showers at 100 GeV, above 0.3 GeV, one core", showers(99.0, 101.0, 20_000), "showers/s", None),
    ]
    rows: list[Row] = []
    for name, value, what, target in measured:
        row = {"name": name, "value": value, "unit": what, "peer": "1e6 field evaluations", "ratio": value * unit}
        met = None if target is None else bool(value >= target)
        if target is not None and scale is not None:
            rows.append(row | {"target": None, "met": None})
            name = f"{name}: on a core where gtracr's table does {peers.GTRACR_CORE:g}/s"
            row = {"name": name, "value": value / scale, "unit": what, "peer": "gtracr's table", "ratio": scale}
            met = bool(value / scale >= target)
        rows.append(row | {"target": target, "met": met})
    return rows


def write(rows: list[Row]) -> None:
    """Write output/benchmarks.json and output/benchmarks.md.

    Parameters
    ----------
    rows : list of dict
    """
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
    "peers": peers.rows,
    "world": world_map.rows,
    "merit": figure_of_merit,
    "paper": paper_statistics,
    "table": table_time,
    "decades": decades,
    "before": before,
    "muons": ground_muons.rows,
    "scaling": scaling,
    "starts": starts,
    "memory": memory,
    "measurement": measurement.rows,
}


def main() -> int:
    """Measure, print and write everything; return 1 if a target was missed."""
    names = ("peers", "kernels", *(name for name in SECTIONS if name != "peers"))
    parser = argparse.ArgumentParser(description="Measure sim3d's speed on this machine.")
    parser.add_argument("--only", nargs="+", choices=names, default=list(names))
    arguments = parser.parse_args()
    rows: list[Row] = []
    for name in names:
        if name not in arguments.only:
            continue
        scaled = {"kernels": kernels, "world": world_map.rows}.get(name)
        for row in scaled(peers.core_speed(rows)) if scaled else SECTIONS[name]():
            rows.append(row)
            ratio = "" if row["ratio"] is None else f", {row['ratio']:.4g} x {row['peer']}"
            verdict = "" if row["met"] is None else (" (met)" if row["met"] else f" (MISSED, target {row['target']:g})")
            print(f"{row['name']}: {row['value']:.4g} {row['unit']}{ratio}{verdict}", flush=True)
        write(rows)
    return 0 if all(row["met"] is not False for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
