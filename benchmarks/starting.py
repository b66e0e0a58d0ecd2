"""Measure start-up time (cold and warm), scaling with threads and ranks, and memory."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

Row = dict[str, Any]

_TINY = "{'run': {'primaries': 20, 'batch_size': 10}, 'sites': [{'name': 'kamioka'}]}"
_CONFIG = """
[run]
primaries = {primaries}
batch_size = 5000
[scoring]
energy_min_GeV = 0.3
[[sites]]
name = "kamioka"
"""


def _start(environment: dict[str, str] | None = None) -> float:
    """Measure the seconds of a whole process that imports sim3d and runs two tiny batches."""
    started = time.perf_counter()
    code = f"import sim3d; sim3d.run({_TINY}, threads=1)"
    subprocess.run([sys.executable, "-c", code], check=True, env={**os.environ, **(environment or {})})
    return time.perf_counter() - started


def starts() -> list[Row]:
    """Measure cold and warm starts: without and with compiled kernels in the cache.

    Returns
    -------
    list of dict
    """
    with tempfile.TemporaryDirectory() as folder:
        cold = _start({"SIM3D_CACHE_DIR": folder})
        warm = min(_start({"SIM3D_CACHE_DIR": folder}) for _ in range(2))
    return [
        {
            "name": "cold start of a run (compiling)",
            "value": cold,
            "unit": "s",
            "peer": "warm start",
            "ratio": cold / warm,
            "target": None,
            "met": None,
        },
        {
            "name": "warm start of a run",
            "value": warm,
            "unit": "s",
            "peer": "cold start",
            "ratio": warm / cold,
            "target": 5.0,
            "met": warm <= 5.0,
        },
    ]


def _wall_time(folder: Path, ranks: int, threads: int) -> float:
    """Measure the seconds of simulation (no start, no compilation) of the same run with some ranks and threads."""
    out = folder / "run.h5"
    command = [sys.executable, "-m", "sim3d.cli", "run", str(folder / "run.toml"), "-o", str(out), "--force", "--quiet"]
    command += ["--threads", str(threads)]
    environment = dict(os.environ)
    if ranks > 1:
        environment |= {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        launcher = Path(sys.executable).parent / "mpirun"
        found = str(launcher) if launcher.exists() else (shutil.which("mpirun") or "")
        if not found:
            raise FileNotFoundError("mpirun")
        command = [found, "-n", str(ranks), "--oversubscribe", "--bind-to", "none", *command]
    subprocess.run(command, check=True, env=environment, capture_output=True)
    import sim3d

    return float(sim3d.load(out).attributes["wall_time_s"])


def scaling(primaries: int = 200_000, repeats: int = 5) -> list[Row]:
    """Measure two threads and two ranks relative to one: best of some repeats, taken in turn.

    Parameters
    ----------
    primaries, repeats : int

    Returns
    -------
    list of dict
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1)
    if cores < 2:
        print("scaling: skipped, this machine lends one core only", flush=True)
        return []
    rows = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run.toml").write_text(_CONFIG.format(primaries=primaries), encoding="utf-8")
        kinds = {"one": (1, 1), "two threads": (1, 2), "two ranks": (2, 1)}
        best: dict[str, float] = {}
        for _ in range(repeats):
            for kind, (ranks, threads) in list(kinds.items()):
                try:
                    seconds = _wall_time(folder, ranks, threads)
                except (FileNotFoundError, subprocess.CalledProcessError) as problem:
                    print(f"scaling: {kind} skipped ({problem})", flush=True)
                    del kinds[kind]
                    continue
                best[kind] = min(best.get(kind, seconds), seconds)
    for kind in ("two threads", "two ranks"):
        if kind in best:
            rows.append(
                {
                    "name": f"{kind} against one, best of {repeats}",
                    "value": primaries / best[kind],
                    "unit": "primaries/s",
                    "peer": "one rank of one thread",
                    "ratio": best["one"] / best[kind],
                    "target": 1.8,
                    "met": best["one"] / best[kind] >= 1.8,
                }
            )
    return rows


def memory() -> list[Row]:
    """Measure the largest resident memory of a run of twelve sites, in its own process.

    Returns
    -------
    list of dict
    """
    code = (
        "import sim3d, resource\n"
        "sites = [{'name': f's{k}', 'lat': -55.0 + 10.0 * k, 'lon': 30.0 * k} for k in range(12)]\n"
        "sim3d.run({'run': {'primaries': 2000, 'batch_size': 1000}, 'sites': sites}, threads=2)\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    unit = 1024.0 if sys.platform != "darwin" else 1024.0**2
    peak = float(done.stdout.split()[-1]) / unit
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit
    return [
        {
            "name": "peak memory of a run of twelve sites with two threads",
            "value": peak,
            "unit": "MiB",
            "peer": "this benchmark's own process",
            "ratio": peak / own,
            "target": 2048.0,
            "met": peak <= 2048.0,
        }
    ]
