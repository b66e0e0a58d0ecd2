"""Compute how a calibration changes neutrino fluxes and their errors: by energy, source of error and measurement.

    python scripts/calibration/calibration_neutrinos.py FILE.h5

FILE.h5 is the result of ``sim3d calibrate`` with ``method = "cascade"``, or the name of a calibration that ships.
Derivatives of numu and nue (mean of cos_zenith 1 and 0.3, cutoff 6 GV) are those in the file. The month's Sun is part
of its covariance; errors here have it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from calibration_by_cascade import SHOWN_GEV, shown_neutrinos

from sim3d.conventions.flavours import FLAVOURS
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.results.model_parameters import errors_of_calibration

RATIOS = (("numu/numubar", (0,), (1,)), ("nue/nuebar", (2,), (3,)), ("mu/e", (0, 1), (2, 3)))


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    name = parser.parse_args().file
    found = read_calibration(Path(name) if name.endswith(".h5") else named_calibration(name))
    whole = found.arrays["neutrinos/slopes"]
    rows = shown_neutrinos(whole.reshape(4, -1, whole.shape[-1]))
    modes = found.modes
    changes = [] if modes is None else [shown_neutrinos(one.reshape(4, -1)) for one in modes.changes]

    def show(label: str, values: np.ndarray) -> None:
        for flavour, part in zip(("numu", "nue"), np.split(values, 2), strict=True):
            print(f"{flavour:5s} {label:34s}", " ".join(f"{value:6.1f}" for value in part))

    def error(covariance: np.ndarray) -> np.ndarray:
        return np.sqrt(np.einsum("ni,ij,nj->n", rows, covariance, rows))

    print("percent at", ", ".join(f"{energy:g}" for energy in SHOWN_GEV), "GeV; scale", round(found.scale, 3))
    total = np.sqrt(error(found.covariance) ** 2 + sum(change**2 for change in changes))
    show("prior", 100.0 * error(found.prior))
    show("of the parameters", 100.0 * error(found.covariance))
    for name, change in zip(() if modes is None else modes.names, changes, strict=True):
        show(f"of {name}", 100.0 * np.abs(change))
    show("all together", 100.0 * total)
    show("moves by", 100.0 * rows @ found.values)
    errors = errors_of_calibration(found)
    slopes = np.concatenate([rows * found.sigma, *(one[:, None] for one in changes)], axis=1)
    show("share of the variance that is prior", 100.0 * errors.prior_share(slopes))
    every = np.concatenate(
        [whole * found.sigma, *([] if modes is None else [np.moveaxis(modes.changes, 0, -1)])], axis=-1
    )
    energies, cosines = found.arrays["neutrinos/energies_GeV"].tolist(), found.arrays["neutrinos/cos_zenith"].tolist()
    at = [energies.index(energy) for energy in SHOWN_GEV], [cosines.index(cosine) for cosine in (0.3, 1.0)]
    moved = 100.0 * (whole @ found.values)[:, at[0]][:, :, at[1]].mean(axis=2)
    for flavour in ("numubar", "nuebar"):
        print(f"{flavour} moves by ".ljust(40), " ".join(f"{value:6.1f}" for value in moved[FLAVOURS.index(flavour)]))
    flux = found.arrays["neutrinos/flux"]
    for label, top, bottom in RATIOS:
        sides = [
            np.average(every[list(side)], axis=0, weights=np.repeat(flux[list(side)][..., None], every.shape[-1], -1))
            for side in (top, bottom)
        ]
        of = (sides[0] - sides[1])[at[0]][:, at[1]].mean(axis=1)
        print(f"{label:40s}", " ".join(f"{100.0 * value:6.1f}" for value in errors.sigma_of(of)))
    for name in found.record["nuisances"]:
        arrays = {key: found.arrays[f"sets/{name}/{key}"] for key in ("nuisance_values", "nuisance_errors", "pulls")}
        moved = rows @ (found.arrays[f"sets/{name}/left_out_values"] - found.values)
        show(f"without {name}, in errors", moved / total)
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
    print("  sizes that were enlarged:", found.record.get("enlarged", {}))
    for step in found.record["steps"]:
        print(" ", {key: round(v, 3) if isinstance(v, float) else v for key, v in step.items()})


if __name__ == "__main__":
    main()
