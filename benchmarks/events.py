"""Measure time, disk space and memory of event records, and the cost of checkpoints (docs/reports/costs.md).

    python benchmarks/events.py [--sites 12] [--primaries 20000] [--threads 2] [--every 3]

There are four runs, each in its own process: without records and checkpoints; with records; with records and a
checkpoint every few seconds; and that three times as long. CPU time is that of the simulation without compiling and
final writing.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def measure(case: dict[str, Any], path: Path) -> dict[str, float]:
    """Run one case in this process and measure it.

    Parameters
    ----------
    case : dict
        Options of the case.
    path : Path
        The result file.

    Returns
    -------
    dict of float
    """
    from geomag.sites import SITES
    from sim3d.config.load import make_config
    from sim3d.files.file_names import events_path
    from sim3d.simulation import engine
    from sim3d.simulation.checkpoint import Checkpoints
    from sim3d.simulation.ranks import FirstRank

    spent = {"checkpoint_s": 0.0, "checkpoints": 0.0}

    def timed(method: Any, count: int) -> Any:
        def call(*arguments: Any) -> Any:
            started = time.perf_counter()
            result = method(*arguments)
            spent["checkpoint_s"] += time.perf_counter() - started
            spent["checkpoints"] += count
            return result

        return call

    run_batches = engine._run_batches

    def run(*arguments: Any) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        run_batches(*arguments)
        spent["wall_s"], spent["cpu_s"] = time.perf_counter() - wall, time.process_time() - cpu

    engine._run_batches = run
    Checkpoints.write = timed(Checkpoints.write, 1)  # type: ignore[method-assign]
    FirstRank.settle = timed(FirstRank.settle, 0)  # type: ignore[method-assign]
    data = {
        "run": {"primaries": case["primaries"], "batch_size": 1000, "checkpoint_minutes": case["minutes"]},
        "scoring": {"events": case["events"]},
        "sites": [{"name": name} for name in list(SITES)[: case["sites"]]],
    }
    started = time.perf_counter()
    engine.run_to_file(make_config(data), path, threads=case["threads"])
    spent["whole_s"] = time.perf_counter() - started
    spent["peak_MiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    if case["events"]:
        import sim3d

        spent["records"] = float(sim3d.load(path).record.events.records.sum())
        spent["bytes"] = float(events_path(path).stat().st_size)
    return spent


def main() -> None:
    """Run the cases and print time, disk space and memory."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sites", type=int, default=12)
    parser.add_argument("--primaries", type=int, default=20_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=float, default=3.0, help="seconds between checkpoints")
    parser.add_argument("--case", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.case:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps(measure(json.loads(options.case), Path(folder) / "run.h5")))
        return
    common = {"sites": options.sites, "threads": options.threads}
    never, often = 1e5, options.every / 60.0
    cases = {
        "no records": {"events": False, "minutes": never, "primaries": options.primaries},
        "records": {"events": True, "minutes": never, "primaries": options.primaries},
        "and checkpoints": {"events": True, "minutes": often, "primaries": options.primaries},
        "three times as long": {"events": True, "minutes": often, "primaries": 3 * options.primaries},
    }
    first = None
    for name, case in cases.items():
        command = [sys.executable, __file__, "--case", json.dumps(case | common)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found = json.loads(done.stdout.splitlines()[-1])
        first = first or found
        ratio = found["cpu_s"] / first["cpu_s"] * options.primaries / case["primaries"]
        line = f"{name}: CPU {found['cpu_s']:.1f} s ({ratio:.3f} of the first), peak {found['peak_MiB']:.0f} MiB"
        line += f", {found['checkpoints']:.0f} checkpoints {found['checkpoint_s']:.2f} s of {found['wall_s']:.1f} s"
        line += f" ({100 * found['checkpoint_s'] / found['wall_s']:.2f}%)"
        if "records" in found:
            line += f", {found['records']:.0f} records of {found['bytes'] / found['records']:.1f} bytes"
        print(line, flush=True)


if __name__ == "__main__":
    main()
