"""Z factors of protons after a calibration, with errors, beside those of daemonflux's fit to muons.

    python scripts/calibration/calibration_z_factors.py FILE.h5

FILE.h5 is the result of ``sim3d calibrate``, or the name of a calibration that ships. Z = sum of x^1.7 dN/dx on air at
daemonflux's knots (hadronic/reference/daemonflux_zfactors.csv is table 2 of Yanez and Fedynitch, Phys. Rev. D 107
(2023) 123037, on carbon). The tables of yields end at 1e6 GeV and are constant above, so that the knot of 2e6 GeV is
taken there. The error is that of ln(Z) by the parameters of the calibration, from finite differences.
"""

from __future__ import annotations

import argparse
import csv
from pathlib import Path

import numpy as np

import hadronic
from hadronic.builders.accelerator_errors import z_factor
from hadronic.models import load_model
from sim3d.config.parameters import CLASS_OF
from sim3d.files.calibration_file import named_calibration, read_calibration
from sim3d.simulation.variation import varied_hadronic

FILE = Path(hadronic.__file__).parent / "reference" / "daemonflux_zfactors.csv"
STEP = 0.3


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    name = parser.parse_args().file
    found = read_calibration(Path(name) if name.endswith(".h5") else named_calibration(name))
    rows = list(csv.DictReader(line for line in FILE.read_text().splitlines() if not line.startswith("#")))
    places = [(row["secondary"], float(row["projectile_energy_GeV"])) for row in rows]
    model = load_model(found.record["models"]["hadronic"])
    values = dict(zip(found.parameters, found.values.tolist(), strict=True))
    highest = float(np.exp(model.tables.ln_T[-1]))
    own = {key: value for key, value in values.items() if CLASS_OF[key] == "yields"}

    def factors(change: dict[str, float]) -> np.ndarray:
        changed = varied_hadronic(model, {key: value for key, value in change.items() if value != 0.0})
        return np.array([z_factor(changed, secondary, min(energy, highest)) for secondary, energy in places])

    before, after = factors({}), factors(own)
    slopes = np.zeros((len(places), len(found.parameters)))
    for i, (key, sigma) in enumerate(zip(found.parameters, np.sqrt(np.diag(found.covariance)), strict=True)):
        if key in own:
            slopes[:, i] = (np.log(factors({**own, key: own[key] + STEP * sigma})) - np.log(after)) / (STEP * sigma)
    errors = 100.0 * np.sqrt(np.einsum("ni,ij,nj->n", slopes, found.covariance, slopes))
    priors = 100.0 * np.sqrt(np.einsum("ni,ij,nj->n", slopes, found.prior, slopes))
    print("GeV, secondary, Z before (error), after (error), of daemonflux (error), difference in errors of both")
    for (secondary, energy), a, b, p, e, row in zip(places, before, after, priors, errors, rows, strict=True):
        z, of = float(row["Z"]), float(row["relative_error_percent"])
        pull = 100.0 * np.log(b / z) / np.hypot(e, of)
        print(f"{energy:8g} {secondary:4s} {a:.4f} ({p:4.1f}%)  {b:.4f} ({e:4.1f}%)  {z:.4f} ({of:.1f}%)  {pull:+.1f}")


if __name__ == "__main__":
    main()
