"""Show which parameters move the muon flux of a measurement in a band of momentum, and where a calibration puts them.

    python scripts/studies/muon_band.py muons-2026 caprice94 --momentum 1.5 3

The first argument is a calibration that ships or the result of ``sim3d calibrate``, the second one of its measurements.
Derivatives are those in the file; points of the band are weighted with the errors of the data. By parameter: the change
of the flux by one standard deviation of the prior, how many of them would move it by the given percentage (`--by`) on
their own, and the value of the fit with its error, in the same unit, with the change that it makes.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sim3d.calibration.measurements import load_measurement
from sim3d.calibration.stored_sets import stored_prior, stored_sets
from sim3d.files.calibration_file import named_calibration, read_calibration


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("calibration")
    parser.add_argument("measurement")
    parser.add_argument("--momentum", type=float, nargs=2, default=(1.5, 3.0), metavar="GeV/c")
    parser.add_argument("--by", type=float, default=-6.4, metavar="PERCENT")
    parser.add_argument("--rows", type=int, default=12)
    arguments = parser.parse_args()
    name = arguments.calibration
    found = read_calibration(Path(name) if name.endswith(".h5") else named_calibration(name))
    (one,) = (each for each in stored_sets(found) if each.response.name == arguments.measurement)
    points = load_measurement(arguments.measurement).points
    momentum = np.concatenate([each.at_GeV for each in points])
    is_flux = np.concatenate([np.full(len(each.value), each.table.name == "flux") for each in points])
    low, high = arguments.momentum
    used = is_flux & (momentum >= low) & (momentum < high)
    weight = one.data[used] ** 2 / np.diag(one.covariance)[used]
    slopes = np.average(one.response.slopes[used], axis=0, weights=weight)
    sigma = np.sqrt(np.diag(stored_prior(found)))
    error = np.sqrt(np.diag(found.covariance))
    change = 100.0 * slopes * sigma
    prior = 100.0 * float(np.sqrt(slopes @ stored_prior(found) @ slopes))
    after = 100.0 * float(np.sqrt(slopes @ found.covariance @ slopes))
    moved = 100.0 * float(slopes @ found.values)
    print(f"{arguments.measurement}, {low:g}-{high:g} GeV/c, {used.sum()} points: error of all parameters", end=" ")
    print(f"{prior:.1f}% before, {after:.1f}% after the fit, which moves the flux by {moved:+.1f}%\n")
    print(f"| | one standard deviation, % | of them for {arguments.by:+g}% | fit | makes, % |")
    print("|---|---|---|---|---|")
    for i in np.argsort(-np.abs(change))[: arguments.rows]:
        value, width = found.values[i] / sigma[i], error[i] / sigma[i]
        print(
            f"| `{found.parameters[i]}` | {change[i]:+.2f} | {arguments.by / change[i]:+.1f} "
            f"| {value:+.2f} ± {width:.2f} | {change[i] * value:+.2f} |"
        )


if __name__ == "__main__":
    main()
