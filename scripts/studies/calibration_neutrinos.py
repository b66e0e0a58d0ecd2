"""What a calibration does to neutrinos: moves and errors by energy, without any measurement, and the nuisances.

    python scripts/studies/calibration_neutrinos.py FILE.h5

FILE.h5 is the result of ``sim3d calibrate``. Derivatives of numu and nue (mean of cos_zenith 1 and 0.3, cutoff 6 GV)
are those of tests/data/cascade_slopes.npz. The month's Sun is part of the covariance of the file; errors here have it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from calibration_by_cascade import NAMES, neutrino_slopes

from sim3d.files.calibration_file import read_calibration


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    found = read_calibration(parser.parse_args().file)
    rows = neutrino_slopes()[:, [NAMES.index(name) for name in found.parameters]]

    def show(label: str, values: np.ndarray) -> None:
        for flavour, part in zip(("numu", "nue"), np.split(values, 2), strict=True):
            print(f"{flavour} {label:22s}", " ".join(f"{value:6.1f}" for value in part))

    def error(covariance: np.ndarray) -> np.ndarray:
        return np.sqrt(np.einsum("ni,ij,nj->n", rows, covariance, rows))

    print("percent at 0.3, 1, 3, 10, 30, 100, 300, 1000 GeV; scale", round(found.scale, 3))
    show("prior", 100.0 * error(found.prior))
    show("fit", 100.0 * error(found.covariance))
    show("moves by", 100.0 * rows @ found.values)
    for name in found.record["nuisances"]:
        arrays = {key: found.arrays[f"sets/{name}/{key}"] for key in ("nuisance_values", "nuisance_errors", "pulls")}
        moved = rows @ (found.arrays[f"sets/{name}/left_out_values"] - found.values) / error(found.covariance)
        show(f"without {name}, in errors", moved)
        own, data = found.arrays[f"sets/{name}/response/covariance"], found.arrays[f"sets/{name}/data_covariance"]
        share = np.sqrt(np.diag(own) / np.diag(data)) * found.arrays[f"sets/{name}/data"]
        words = ", ".join(
            f"{label} {v:+.2f} +- {e:.2f}"
            for label, v, e in zip(
                found.record["nuisances"][name], arrays["nuisance_values"], arrays["nuisance_errors"], strict=True
            )
        )
        worst = float(np.abs(arrays["pulls"]).max())
        print(f"  {name}: largest pull {worst:.2f}, simulation over data {np.median(share):.2f}; {words}")
    for step in found.record["steps"]:
        print(" ", {key: round(v, 3) if isinstance(v, float) else v for key, v in step.items()})


if __name__ == "__main__":
    main()
