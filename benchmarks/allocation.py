"""Measure how much an allocation of primaries lowers the errors, and how well the counted cost of one fits its time.

    python benchmarks/allocation.py                  a part of the table: error at equal time, with and without
    python benchmarks/allocation.py --seconds 60 --flavours nue nuebar --energy 1e3 1e4 --zenith -0.2 0.2
    python benchmarks/allocation.py --cost           times of strata, the least-squares coefficients, and COST_US

One site (Kamioka, 2 x 2 degrees), one thread; times are of the process, without compiling. The time of the survey
is part of the run, which lasts RUN_SECONDS. The whole table is measured by benchmarks/decades.py.
"""

from __future__ import annotations

import argparse
import math
import time
from typing import Any

import numpy as np
from scipy.optimize import nnls

from sim3d.config.load import make_config
from sim3d.sampling.allocation import COST_US, cost, part_of_table
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.counters import C_NEUTRINOS, C_ROTATIONS, N_COUNTERS
from sim3d.sampling.energy_law import LAW_ENERGIES_GEV
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import make_setup
from sim3d.simulation.survey import JOBS, agreed_allocation, run_job, run_strata

BATCH = 2000
RUN_SECONDS = 600.0
SIZES = (20, 80)


def configuration(seed: int, allocation: dict[str, Any]) -> dict[str, Any]:
    """Make the tables of a run at Kamioka."""
    return {
        "run": {"primaries": 10**9, "batch_size": BATCH, "seed": seed},
        "sites": [{"name": "kamioka"}],
        "allocation": allocation,
    }


def part_error(seconds: float, seed: int, part: dict[str, Any], *, used: bool) -> tuple[float, int]:
    """Measure the error of the cells of a part of the flux table in a run of RUN_SECONDS.

    Parameters
    ----------
    seconds : float
        CPU seconds that are simulated.
    seed : int
    part : dict
        Keys of ``[allocation]``.
    used : bool
        Whether the run serves the part; else it has the fixed density.

    Returns
    -------
    error : float
        Root mean square of the relative errors of the cells; infinite if one is empty.
    batches : int
    """
    cells = part_of_table(make_config(configuration(seed, part)).allocation)
    setup = make_setup(make_config(configuration(seed, part if used else {"mode": "off"})))
    scores = empty_scores(1, setup.n_azimuth)
    setup.batch_function()(0, scores)
    started = time.process_time()
    setup = setup.with_allocation(agreed_allocation(setup, Processes(), 1, None))
    length = RUN_SECONDS - (time.process_time() - started)
    run_batch = setup.batch_function()
    values: list[np.ndarray] = []
    spent = 0.0
    while spent < seconds or len(values) < 2:
        scores.clear()
        started = time.process_time()
        run_batch(len(values) + 1, scores)
        spent += time.process_time() - started
        values.append(cells.values(scores.flux))
    flux = np.array(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        error = flux.std(axis=0, ddof=1) / math.sqrt(len(values)) / flux.mean(axis=0) * math.sqrt(spent / length)
    error = np.where(np.isfinite(error), error, np.inf)
    return float(np.sqrt(np.mean(error**2))), len(values)


def fit_cost(seed: int) -> None:
    """Print the times of the strata of a survey, and the coefficients that describe them best."""
    setup = make_setup(make_config(configuration(seed, {"mode": "on"})))
    nodes = run_strata(setup)
    run_job(setup, nodes, 2, 0)
    rows, times, counted = [], [], []
    for size in SIZES:
        for stratum in range(len(nodes) - 1):
            counters, used = np.zeros(N_COUNTERS, dtype=np.int64), 0.0
            for job in range(stratum * JOBS, (stratum + 1) * JOBS):
                started = time.process_time()
                counters += run_job(setup, nodes, size, job)[1]
                used += time.process_time() - started
            each = counters / (size * JOBS)
            rows.append([1.0 / size, 1.0, each[C_NEUTRINOS], each[C_ROTATIONS]])
            times.append(1e6 * used / (size * JOBS))
            counted.append(float(cost(counters[None])[0]))
    matrix, measured = np.array(rows), np.array(times)
    fitted, _ = nnls(matrix / measured[:, None], np.ones(len(measured)))
    print(
        f"microseconds: {fitted[0]:.0f} for a job, {fitted[1]:.1f} for a primary, {fitted[2]:.2f} for a neutrino of the"
    )
    print(f"pilot, {fitted[3]:.0f} for a rotation; COST_US = {COST_US}")
    print("GeV per nucleon    measured  COST_US (microseconds a primary, without the time of the job)")
    last = len(nodes) - 1
    for k in range(last):
        without = measured[last + k] - fitted[0] / SIZES[1]
        print(f"{LAW_ENERGIES_GEV[nodes[k]]:12.4g} {without:14.0f} {counted[last + k]:8.0f}")


def main() -> None:
    """Print the measured errors, or the cost."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=30.0, help="CPU seconds of each run  [default: 30]")
    parser.add_argument("--seed", type=int, default=11, help="seed  [default: 11]")
    parser.add_argument("--flavours", nargs="+", default=["nue", "nuebar"])
    parser.add_argument("--energy", nargs=2, type=float, default=[1.0e3, 1.0e4], metavar=("LOW", "HIGH"))
    parser.add_argument("--zenith", nargs=2, type=float, default=[-0.2, 0.2], metavar=("LOW", "HIGH"))
    parser.add_argument("--cost", action="store_true", help="fit the cost of a primary")
    arguments = parser.parse_args()
    if arguments.cost:
        fit_cost(arguments.seed)
        return
    part = {"flavours": arguments.flavours, "energy_GeV": arguments.energy, "cos_zenith": arguments.zenith}
    print(f"rms error of the cells in {RUN_SECONDS:.0f} CPU s, from {arguments.seconds:g} s each:")
    for used in (False, True):
        error, batches = part_error(arguments.seconds, arguments.seed, part, used=used)
        print(f"  {'with' if used else 'without'} allocation: {100.0 * error:.2f}% ({batches} batches)")


if __name__ == "__main__":
    main()
