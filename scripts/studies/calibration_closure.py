"""Whether a fit to muons of another truth gives the neutrinos of that truth, within the covariance it claims.

    python scripts/studies/calibration_closure.py -o DIR [MODEL ...]

The muons of every measurement that ships are computed with another hadronic model (or, for names that begin with
``primaries=``, another model of the primaries) by the cascade equations, and put in the place of the data, with the
errors of the data. The fit starts from the default models, as ``sim3d calibrate`` does. Fluxes of numu and nue (mean of
cos_zenith 1 and 0.3, cutoff 6 GV) of the truth are compared with those of the fit: relative differences in percent,
their pulls, and chi2 by eigenmodes of the claimed covariance, of which those below 0.5% are left out, because no
parameter describes differences so small.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_by_cascade import MODEL, NAMES, fitted_set, neutrino_slopes, show
from error_forecast import Forecast

from sim3d.calibration.cascade_muons import CascadeMuons, charges_at, points_key, read_points
from sim3d.calibration.fit import fit
from sim3d.calibration.measurements import SHIPPED, load_measurement
from sim3d.calibration.predictions import quantity
from sim3d.calibration.priors import prior_covariance
from sim3d.config.parameters import CLASS_OF
from sim3d.primaries.catalogue import highest_energy_GeV
from sim3d.simulation.variation import varied_hadronic, varied_primaries
from sim3d.studies.cascade.solver import CascadeSolver

TRUTHS = ("urqmd-sibyll", "pythia8", "primaries=ghls2001-average")
LEAST_ERROR = 0.005


def neutrinos(forecast: Forecast, values: dict[str, float]) -> np.ndarray:
    """Fluxes of numu and nue for values of the parameters, (16,)."""
    own = {name: v for name, v in values.items() if v != 0.0 and CLASS_OF[name] in ("yields", "cross-sections")}
    rest = {name: v for name, v in values.items() if v != 0.0 and name not in own}
    solver = CascadeSolver(varied_hadronic(forecast.hadronic, own).tables, forecast.grid)
    return forecast.fluxes(solver, varied_primaries(forecast.primaries, rest))[:16]


def main() -> None:
    """Print the closure of every truth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR", help="of calibration_by_cascade.py")
    parser.add_argument("truths", nargs="*", default=TRUTHS)
    options = parser.parse_args()
    measurements = [load_measurement(name) for name in SHIPPED]
    prior, start = prior_covariance(NAMES), np.zeros(len(NAMES))
    points = read_points(options.output / "cascade-0.npz", points_key(measurements, MODEL, NAMES, start))
    if points is None:
        raise SystemExit("run calibration_by_cascade.py -o DIR first")
    default = Forecast()
    for truth in options.truths:
        hadronic, primaries = MODEL["hadronic"], MODEL["primaries"]
        if truth.startswith("primaries="):
            primaries = truth.removeprefix("primaries=")
        else:
            hadronic = truth
        model = {**MODEL, "hadronic": hadronic, "primaries": primaries, "highest_GeV": highest_energy_GeV(primaries)}
        fluxes = CascadeMuons(measurements, model).fluxes({})
        sets = []
        for one in measurements:
            kinds = [each.table.quantity for each in one.points for _ in each.value]
            pretended = quantity(kinds, charges_at(one, fluxes))
            own = fitted_set(one, points[one.name], start, 0.0)
            relative = np.sqrt(np.diag(own.covariance)) / own.data
            factors = pretended / own.data
            sets.append(replace(own, data=pretended, covariance=own.covariance * np.outer(factors, factors)))
            assert np.all(relative > 0.0)
        found = fit(sets, NAMES, prior)
        print(f"truth {truth}")
        show(found, sets)
        values = dict(zip(NAMES, (found.values * found.sigma).tolist(), strict=True))
        other = Forecast(hadronic=hadronic, primaries=primaries)
        of_truth = other.fluxes(other.solver, other.primaries)[:16]
        before = np.log(of_truth / default.fluxes(default.solver, default.primaries)[:16])
        difference = np.log(of_truth / neutrinos(default, values))
        rows = neutrino_slopes() * found.sigma
        covariance = rows @ found.covariance @ rows.T
        error = np.sqrt(np.diag(covariance))
        for k, flavour in enumerate(("numu", "nue")):
            here = slice(8 * k, 8 * k + 8)
            for label, line in (
                ("before, %", 100 * before),
                ("after, %", 100 * difference),
                ("pull", difference / error),
            ):
                print(f"  {flavour} {label:10s}", " ".join(f"{value:+5.1f}" for value in line[here]))
        variance, modes = np.linalg.eigh(covariance)
        kept = variance > LEAST_ERROR**2
        pulls = (modes.T @ difference)[kept] / np.sqrt(variance[kept])
        print(f"  chi2 per eigenmode {float(np.mean(pulls**2)):.2f} of {int(kept.sum())}: {pulls.round(1)}")


if __name__ == "__main__":
    main()
