"""Simulation over cascade equations for the muons of a calibration: the smooth ratio K, its errors, and derivatives.

    python scripts/calibration/calibration_control.py WORK ITERATION

WORK is the folder of ``sim3d calibrate`` with ``method = "cascade"``. Printed are K of the flux of both charges with
its statistical error, chi2 of the run's points about the prediction, and the derivatives of both as a mean over
momenta, weighted by the run's errors, where the run has gradients.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from calibration_by_cascade import NAMES

from sim3d.calibration.cascade_muons import read_points
from sim3d.calibration.measurements import SHIPPED, load_measurement
from sim3d.calibration.predictions import cascade_response, response
from sim3d.results.muon_gradients import muon_gradients
from sim3d.results.result import load

SHOWN_GEV = (0.7, 1.0, 2.0, 5.0, 20.0, 100.0, 1000.0)


def main() -> None:
    """Print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("work", type=Path)
    parser.add_argument("iteration", type=int)
    options = parser.parse_args()
    path = options.work / f"cascade-{options.iteration}.npz"
    with np.load(path) as data:
        key = str(data["key"])
    points = read_points(path, key)
    assert points is not None
    for name in SHIPPED:
        measurement = load_measurement(name)
        result = load(options.work / f"{name}-{options.iteration}.h5")
        gradients = muon_gradients(result)
        both = response(measurement, gradients, NAMES, points[name])
        alone = cascade_response(measurement, points[name], NAMES)
        n = len(measurement.points[0].value)
        p = measurement.points[0].at_GeV
        ratio, error = both.values[:n] / alone.values[:n], np.sqrt(np.diag(both.covariance))[:n]
        words = []
        for at in SHOWN_GEV:
            if p[0] * 0.9 <= at <= p[-1] * 1.1:
                i = int(np.argmin(np.abs(np.log(p / at))))
                words.append(f"{p[i]:.3g}: {ratio[i]:.3f} +- {error[i]:.3f}")
        assert both.simulated is not None
        errors = np.sqrt(np.diag(both.simulated[1]))
        pulls = np.log(both.simulated[0] / both.values) / errors
        print(f"{name}: {measurement.points[0].table.name} K at GeV/c {', '.join(words)}")
        print(f"  run about the prediction: chi2 {np.sum(pulls**2):.1f} of {len(pulls)}")
        if not set(NAMES) <= set(gradients.parameters):
            continue  # runs of this method make no gradients; those of method "simulation" have them
        run = response(measurement, gradients, NAMES)
        weight = errors[:n] ** -2.0
        mean = [(weight @ each.slopes[:n]) / weight.sum() for each in (run, alone)]
        largest = np.argsort(-np.abs(mean[1]))[:6]
        print(
            "  derivatives, run and cascade: "
            + ", ".join(f"{NAMES[i]} {mean[0][i]:+.3f} {mean[1][i]:+.3f}" for i in largest)
        )


if __name__ == "__main__":
    main()
