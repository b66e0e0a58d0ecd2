"""Fit of the calibration with muons of the cascade equations in the place of simulations: minutes, and no statistics.

    python scripts/studies/calibration_by_cascade.py -o DIR [--above 3] [--iterations 3] [--model accelerator]

Every measurement that ships is computed in one dimension: its own air, depth or altitude, Sun of its date, effective
vertical cutoff, and the mean over its zenith angles (two points of Gauss). Points below ``--above`` (GeV/c) are left
out, because muons of a few GeV/c need three dimensions (sim3d/studies/muon_measurements.py). Nuisances, priors and fit
are those of ``sim3d calibrate``. Responses are kept in DIR by what they were made with.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np

from atmosphere.msis import from_msis
from hadronic.models import load_model
from sim3d.calibration import predictions
from sim3d.calibration.fit import Fit, FittedSet, fit, left_out
from sim3d.calibration.measurements import SHIPPED, Measurement, load_measurement
from sim3d.calibration.predictions import Response
from sim3d.calibration.priors import DEFAULT, prior_covariance
from sim3d.config.parameters import CLASS_OF, PARAMETERS
from sim3d.primaries.build import primary_model
from sim3d.simulation.variation import varied_hadronic, varied_primaries
from sim3d.studies.cascade.energies import make_grid
from sim3d.studies.cascade.flux import CascadeFlux, Place, mean_over, solve_places
from sim3d.studies.cascade.primaries import vertical_cutoff
from sim3d.studies.cascade.solver import CascadeSolver

NAMES = tuple(name for name in PARAMETERS if name in DEFAULT)
ABOVE_GEV = 3.0
SOLAR_STEP_MV = 20.0
BINS_PER_DECADE, HIGHEST_GEV = 10, 1.0e8
GAUSS = 0.5 / 3.0**0.5
SPECTRUM_BINS = 20
"""Bins per decade of the spectra whose slopes the nuisances need, as in a run."""


class Muons:
    """Muons of all measurements by the cascade equations, for any values of the parameters.

    Parameters
    ----------
    measurements : sequence of Measurement
    hadronic, primaries : str
        Names of models.
    """

    def __init__(self, measurements: list[Measurement], hadronic: str, primaries: str) -> None:
        self.measurements = measurements
        self.hadronic = load_model(hadronic, None, None)
        self.grid = make_grid(0.1, HIGHEST_GEV, BINS_PER_DECADE)
        self.conditions = []
        for one in measurements:
            where = one.table.conditions
            air = from_msis(where.lat, where.lon, month=where.month).atmosphere
            height = where.altitude_m * 1e-3 if where.depth_g_cm2 is None else float(air.height(where.depth_g_cm2))
            cutoff = vertical_cutoff(where.lat, where.lon, where.date)
            spectrum = primary_model(primaries, "date", where.date)
            for cosines in sorted({each for points in one.points for each in points.cos_zenith}):
                self.conditions.append((one.name, cosines, air, height, cutoff, spectrum))

    def fluxes(self, values: dict[str, float], lower_km: float = 0.0) -> dict[tuple[str, tuple], CascadeFlux]:
        """Fluxes by measurement and acceptance; ``lower_km`` moves all observers down."""
        changed = {name: value for name, value in values.items() if value != 0.0}
        own = {name: v for name, v in changed.items() if CLASS_OF[name] in ("yields", "cross-sections")}
        solver = self.solver(own)
        places, keys = [], []
        for name, (low, high), air, height, cutoff, spectrum in self.conditions:
            rest = {key: v for key, v in changed.items() if key not in own}
            moved = varied_primaries(spectrum, rest)
            for part in (-GAUSS, GAUSS):
                cosine = 0.5 * (low + high) + part * (high - low)
                places.append(Place(cosine, air, moved, height - lower_km, cutoff))
            keys.append((name, (low, high)))
        found = solve_places(solver, places)
        return {key: mean_over(found[2 * i : 2 * i + 2], (1.0, 1.0)) for i, key in enumerate(keys)}

    def solver(self, own: dict[str, float]) -> CascadeSolver:
        """Solver of changed yields; the last one is kept."""
        key = tuple(sorted(own.items()))
        if getattr(self, "_key", None) != key:
            self._key, self._solver = key, CascadeSolver(varied_hadronic(self.hadronic, own).tables, self.grid)
        return self._solver


def charges(measurement: Measurement, fluxes: dict) -> np.ndarray:
    """Fluxes of mu+ and mu- at all points of a measurement, (2, points)."""
    out = []
    for points in measurement.points:
        here = np.empty((2, len(points.value)))
        for i, cosines in enumerate(points.cos_zenith):
            flux = fluxes[measurement.name, cosines]
            for k, charge in enumerate(("mu+", "mu-")):
                if points.is_bin:
                    here[k, i] = flux.mean_flux(charge, points.low_GeV[i], points.high_GeV[i])
                else:
                    here[k, i] = flux.flux(charge, points.at_GeV[i])
        out.append(here)
    return np.concatenate(out, axis=1)


def responses(muons: Muons, centre: dict[str, float], sigma: np.ndarray) -> dict[str, Response]:
    """Responses of all measurements, with derivatives from finite differences of half a prior error."""
    base = muons.fluxes(centre)
    lower = muons.fluxes(centre, 0.2)
    columns: dict[str, list] = {one.name: [] for one in muons.measurements}
    kinds = {one.name: [each.table.quantity for each in one.points for _ in each.value] for one in muons.measurements}
    # primaries first: they share the solver of the centre
    order = sorted(range(len(NAMES)), key=lambda i: CLASS_OF[NAMES[i]] not in ("primaries", "solar"))
    found = {}
    for i in order:
        name = NAMES[i]
        step = SOLAR_STEP_MV if name == "solar:MV" else 0.5 * min(sigma[i], 0.1)
        moved = muons.fluxes({**centre, name: centre.get(name, 0.0) + step})
        for one in muons.measurements:
            a, b = charges(one, base), charges(one, moved)
            found[one.name, i] = (
                np.log(predictions._quantity(kinds[one.name], b) / predictions._quantity(kinds[one.name], a)) / step
            )
    out = {}
    for one in muons.measurements:
        columns[one.name] = [found[one.name, i] for i in range(len(NAMES))]
        slopes = np.array(columns[one.name]).T
        both = charges(one, base)
        values = predictions._quantity(kinds[one.name], both)
        low, high = one.momentum_GeV
        edges = np.geomspace(low, high, max(4, int(SPECTRUM_BINS * np.log10(high / low)) + 1))
        flux = base[one.name, one.points[0].cos_zenith[-1]]
        spectra = np.array([-np.diff(flux.integral(charge, edges)) for charge in ("mu+", "mu-")])
        depth = np.log(predictions._quantity(kinds[one.name], charges(one, lower)) / values) / (0.2 * 120.0)
        solar = slopes[:, NAMES.index("solar:MV")]
        nuisances = predictions._nuisances(one, both, SimpleNamespace(momentum_edges_GeV=edges), spectra, depth, solar)
        out[one.name] = Response(one.name, NAMES, values, slopes, np.zeros((len(values),) * 2), nuisances)
    return out


def stored_responses(folder: Path, muons: Muons, key: str, centre: dict[str, float], sigma: np.ndarray) -> dict:
    """Responses from the folder, or made and kept there."""
    digest = hashlib.sha256(json.dumps([key, sorted(centre.items())]).encode()).hexdigest()[:16]
    path = folder / f"{digest}.npz"
    if not path.exists():
        made = responses(muons, centre, sigma)
        arrays = {}
        for name, one in made.items():
            arrays |= {f"{name}/{k}": getattr(one, k) for k in ("values", "slopes", "nuisances")}
        np.savez(path, **arrays)
    out = {}
    with np.load(path) as data:
        for one in muons.measurements:
            v, s, n = (data[f"{one.name}/{k}"] for k in ("values", "slopes", "nuisances"))
            out[one.name] = Response(one.name, NAMES, v, s, np.zeros((len(v),) * 2), n)
    return out


def fitted_set(measurement: Measurement, response: Response, centre: np.ndarray, above: float) -> FittedSet:
    """A measurement as the fit sees it, with the points above a momentum alone."""
    keep = np.concatenate([each.low_GeV >= above * 0.999 for each in measurement.points])
    sizes = [len(each.value) for each in measurement.points]
    covariance = np.zeros((sum(sizes),) * 2)
    first = 0
    for each, size in zip(measurement.points, sizes, strict=True):
        covariance[first : first + size, first : first + size] = each.covariance
        first += size
    part = replace(
        response, values=response.values[keep], slopes=response.slopes[keep], nuisances=response.nuisances[keep],
        covariance=response.covariance[np.ix_(keep, keep)],
    )  # fmt: skip
    data = np.concatenate([each.value for each in measurement.points])[keep]
    return FittedSet(
        part, centre, data, covariance[np.ix_(keep, keep)], tuple(one.name for one in measurement.table.nuisances),
        tuple((each.table.name, int(np.sum(each.low_GeV >= above * 0.999))) for each in measurement.points),
    )  # fmt: skip


def show(found: Fit, sets: list[FittedSet]) -> None:
    """Print a fit."""
    print(
        f"chi2 {found.chi2_total:.1f} of {found.dof} (probability {found.probability:.3g}); priors "
        f"{found.chi2_priors:.1f}, nuisances {found.chi2_nuisances:.1f}"
    )
    for one in sets:
        values = ", ".join(
            f"{name} {v:+.2f}" for name, v in zip(one.nuisance_names, found.nuisances[one.name][0], strict=True)
        )
        pull = float(np.abs(found.pulls[one.name]).max())
        print(f"  {one.name:10s} {found.chi2[one.name]:6.1f} of {found.n_points[one.name]:3d}, {pull:.1f}; {values}")
    order = np.argsort(-np.abs(found.values - found.prior_centre))[:8]
    print("  " + ", ".join(f"{found.parameters[i]} {found.values[i]:+.2f}" for i in order))


def main() -> None:
    """Iterate the fit and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--above", type=float, default=ABOVE_GEV, metavar="GEV")
    parser.add_argument("--iterations", type=int, default=3)
    parser.add_argument("--model", default="accelerator")
    parser.add_argument("--primaries", default="gsf:2026.1")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    measurements = [load_measurement(name) for name in SHIPPED]
    muons = Muons(measurements, options.model, options.primaries)
    prior = prior_covariance(NAMES)
    sigma = np.sqrt(np.diag(prior))
    centre = np.zeros(len(NAMES))
    for iteration in range(options.iterations):
        values = {name: float(f"{v:.12g}") for name, v in zip(NAMES, centre, strict=True) if v != 0.0}
        made = stored_responses(options.output, muons, f"{options.model} {options.primaries}", values, sigma)
        sets = [fitted_set(one, made[one.name], centre, options.above) for one in measurements]
        found = fit(sets, NAMES, prior)
        print(f"iteration {iteration}")
        show(found, sets)
        centre = found.values * found.sigma
    for name, (moved, _) in left_out(sets, found).items():
        step = (moved - found.values) / np.sqrt(np.diag(found.covariance))
        i = int(np.argmax(np.abs(step)))
        print(f"without {name}: {found.parameters[i]} moves by {step[i]:+.2f} errors")
    errors = np.sqrt(np.diag(found.covariance))
    for i, name in enumerate(NAMES):
        print(
            f"{name:16s} {centre[i]:+.4f} +- {errors[i] * sigma[i]:.4f} (prior {sigma[i]:.4f}, {found.values[i]:+.2f})"
        )
    np.savez(options.output / "fit.npz", names=NAMES, values=centre, covariance=found.covariance, sigma=sigma)


if __name__ == "__main__":
    main()
