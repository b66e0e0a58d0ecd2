"""Measure the CPU time and memory of runs with gradients relative to runs without (docs/reports/gradients.md).

    python benchmarks/gradients.py [--primaries 100000]

The cases take turns batch by batch in one process, so that other load on the machine affects all of them alike. Ratios
are of CPU time without compiling.
"""

from __future__ import annotations

import argparse
import time
from typing import Any

import numpy as np

from sim3d.config.load import make_config
from sim3d.files.record import make_tally
from sim3d.sampling.batch import empty_scores
from sim3d.simulation.setup import make_setup

BATCH = 5_000
POINT = {"pi+@31": 0.1, "sigma:pion": 0.1, "primary:p:slope": 0.05, "angle:pion": 0.1}
CASES: dict[str, dict[str, Any]] = {
    "without": {},
    "yields alone": {"gradients": "yields"},
    "all gradients": {"gradients": True},
    "all gradients, 10 points": {
        "gradients": True,
        "variations": [{"name": f"p{i}", "parameters": POINT} for i in range(10)],
    },
}


def prepare(mode: str, scoring: dict[str, Any]) -> Any:
    """Set up a case of the benchmark.

    Parameters
    ----------
    mode : str
        Sampling mode.
    scoring : dict
        Table [scoring] of the configuration.

    Returns
    -------
    run : callable
        Simulates a batch and adds it to the sums.
    sums_bytes, scores_bytes : int
        Memory of the sums, and of the scores of a thread.
    """
    table: dict[str, Any] = {
        "run": {"primaries": 10 * BATCH, "batch_size": BATCH},
        "sampling": {"mode": mode},
        "scoring": {"energy_min_GeV": 0.1, **scoring},
        "hadronic": {"model": "fluka-z"},  # the angles of models with tables have no derivative
        "sites": [{"name": "kamioka"}],
    }
    if mode == "rotated":
        table["transport"] = {"bending": False}
    config = make_config(table)
    setup = make_setup(config)
    simulate = setup.batch_function()
    scores = empty_scores(1, setup.n_azimuth)
    extras, tally = setup.empty_extras(), make_tally(config, setup.detectors[0])

    def run(batch: int) -> None:
        scores.flux[:] = 0.0
        for values in extras.values():
            values[...] = 0.0
        simulate(batch, scores, None, extras)
        tally.add_batch(scores.flux[0], scores.hits[0], scores.weights[0], batch)
        for name, values in extras.items():
            tally.extras[name].add(values[0], batch)

    size = sum(array.nbytes for sums in tally.extras.values() for array in sums.arrays().values())
    return run, size, sum(values.nbytes for values in extras.values())


def main() -> None:
    """Run the benchmark and print a table for each mode."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--primaries", type=int, default=100_000)
    parser.add_argument("--modes", nargs="+", default=["targeted", "rotated"], choices=["targeted", "rotated"])
    arguments = parser.parse_args()
    batches = max(2, arguments.primaries // BATCH)
    for mode in arguments.modes:
        prepared = {name: prepare(mode, scoring) for name, scoring in CASES.items()}
        spent = {name: np.zeros(batches) for name in CASES}
        for run, _, _ in prepared.values():
            run(batches)  # compiles
        for batch in range(batches):
            for name, (run, _, _) in prepared.items():
                started = time.process_time()
                run(batch)
                spent[name][batch] = time.process_time() - started
        print(f"{mode}: {batches} batches of {BATCH} primaries, {spent['without'].sum():.1f} s CPU without")
        for name, (_, size, scores) in prepared.items():
            ratio = spent[name].sum() / spent["without"].sum()
            # batches are paired: the spread of their ratios says how well the ratio of sums is known
            error = np.std(spent[name] / spent["without"], ddof=1) / np.sqrt(batches)
            print(
                f"  {name:26s} CPU {ratio:.3f} +- {error:.3f}; sums {size / 2**20:.0f} MiB a site and process, "
                f"scores {scores / 2**20:.1f} MiB a site and thread"
            )


if __name__ == "__main__":
    main()
