r"""Compare the linear prediction of a calibration with fresh runs at its best fit, by several seeds.

    python scripts/calibration/calibration_seeds.py \
        scripts/campaigns/muons-2026.toml WORK minos=1200000,8 opera=400000,7

simulates each measurement at the best fit of the calibration that ships under the table's name, with that number of
primaries and of seeds, one after another; runs that WORK holds are read. For each measurement it prints

* the root mean square of the scatter between seeds over that of the errors that the runs state (24 groups of batches);
* how many independent points the points are worth, as they share primaries;
* chi2 per point of single runs about the linear prediction, with its expected width
  (:func:`sim3d.calibration.workflow.linear_agreement`);
* the same of the mean of all seeds, with the errors of all of them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from sim3d.calibration.control import CascadePoints
from sim3d.calibration.fit import FittedSet
from sim3d.calibration.measurements import load_measurement
from sim3d.calibration.predictions import response, squared_correlations
from sim3d.calibration.stored_sets import stored_sets
from sim3d.calibration.workflow import linear_agreement, load_calibration_table, response_configuration
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.results.muon_gradients import muon_gradients
from sim3d.results.result import load
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.simulation.engine import run_to_file

FIRST_SEED = 1000


def main() -> None:
    """Simulate what is missing and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("work", type=Path)
    parser.add_argument("sets", nargs="+", metavar="NAME=PRIMARIES,SEEDS")
    options = parser.parse_args()
    table = load_calibration_table(options.table)
    stored = read_calibration(named_calibration(table.name))
    known = {one.name: one for one in stored_sets(stored)}
    centre = np.array([float(f"{value:.12g}") for value in stored.values])
    options.work.mkdir(parents=True, exist_ok=True)
    totals = np.zeros((3, 2))
    for given in options.sets:
        name, _, numbers = given.partition("=")
        primaries, seeds = (int(float(each)) for each in numbers.split(","))
        measurement, old = load_measurement(name), known[name]
        n = len(old.data)
        bare = CascadePoints(np.ones((2, n)), np.ones((2, n)), np.zeros((2, n, 0)))
        fresh = []
        for k in range(1, seeds + 1):
            run = {"primaries_of": {name: primaries}, "seed": FIRST_SEED + k, "schedule": (1.0,)}
            path = options.work / f"{name}-s{k}-{primaries}.h5"
            config = response_configuration(measurement, table.model_copy(update=run), centre)
            if run_to_file(config, path, threads=1, resume=True) != "complete":
                raise SystemExit(f"{path}: not complete")
            fresh.append(response(measurement, muon_gradients(load(path)), (), bare))
        show(old, fresh, centre, totals)
    points = totals[2, 0]
    one, every = ((chi2 / points, variance**0.5 / points) for chi2, variance in totals[:2])
    print(f"together, {points:.0f} points: single runs {one[0]:.2f} +- {one[1]:.2f}, ", end="")
    print(f"mean of seeds {every[0]:.2f} +- {every[1]:.2f}")


def show(old: FittedSet, fresh: list, centre: np.ndarray, totals: np.ndarray) -> None:
    """Print the comparison of a measurement, and add chi2, variance and points to the totals."""
    n, seeds = len(old.data), len(fresh)
    logs = np.array([np.log(one.simulated[0]) for one in fresh])
    covariance = np.mean([one.simulated[1] for one in fresh], axis=0)
    scatter = logs.var(axis=0, ddof=1)
    alike = squared_correlations(covariance, N_GROUPS * seeds)
    ratio, worth = np.sqrt(scatter.sum() / np.trace(covariance)), n * n / alike
    singles = [linear_agreement(old, replace(old, response=one, centre=centre)) for one in fresh]
    chi2 = np.array([each for each, _ in singles])
    width = float(np.mean([variance for _, variance in singles])) ** 0.5
    linear = np.log(old.response.values) + old.response.slopes @ (centre - old.centre)
    both = old.response.covariance + covariance / seeds
    of_mean = float(np.sum((logs.mean(axis=0) - linear) ** 2 / np.diag(both)))
    variance = 2.0 * squared_correlations(both, N_GROUPS * seeds)
    totals += [[chi2.mean(), width**2], [of_mean, variance], [n, 0.0]]
    error = np.median(np.sqrt(np.diag(covariance)))
    print(
        f"{old.name}: {n} points, {seeds} seeds, error of a run {error:.1%} (median)\n"
        f"  scatter between seeds over stated errors {ratio:.2f} +- {ratio / np.sqrt(2.0 * (seeds - 1) * worth):.2f}; "
        f"worth {worth:.1f} independent points\n"
        f"  chi2 per point of single runs {chi2.mean() / n:.2f} +- {width / n / seeds**0.5:.2f} in the mean, from "
        f"{chi2.min() / n:.2f} to {chi2.max() / n:.2f}; width of one {width / n:.2f}\n"
        f"  of the mean of all seeds {of_mean / n:.2f} +- {variance**0.5 / n:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
