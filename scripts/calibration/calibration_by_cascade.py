"""Fit the calibration with muons of the cascade equations in place of simulations: quick, and without random errors.

    python scripts/calibration/calibration_by_cascade.py -o DIR [--above 3] [--iterations 3] [--prior NAME=SIGMA ...]

Measurements, nuisances, priors and fit are those of ``sim3d calibrate``; the responses are
:mod:`sim3d.calibration.cascade_muons` without any correction by a simulation. Points below ``--above`` (GeV/c) are left
out, because muons of a few GeV/c need three dimensions. Derivatives are computed once, at the unchanged model, fluxes
in every iteration. Printed are the data over the unchanged model, fits of all and of some of the measurements, the
changes of muons by one standard deviation of each parameter, and the errors of neutrinos before and after the fit (mean
of cos_zenith 1 and 0.3, cutoff 6 GV).
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.calibration.cascade_muons import CascadeMuons, charges_at, points_key, read_points, write_points
from sim3d.calibration.control import CascadePoints
from sim3d.calibration.fit import Fit, FittedSet, fit, left_out
from sim3d.calibration.measurements import SHIPPED, Measurement, load_measurement
from sim3d.calibration.neutrino_points import NEUTRINO_COSINES, NEUTRINO_GEV, NEUTRINOS
from sim3d.calibration.predictions import cascade_response
from sim3d.calibration.priors import DEFAULT, prior_covariance
from sim3d.config.parameters import PARAMETERS
from sim3d.conventions.flavours import FLAVOURS
from sim3d.primaries.catalogue import highest_energy_GeV

NAMES = tuple(name for name in PARAMETERS if name in DEFAULT)
PRIMARIES = "gsf:2026.1"
MODEL: dict[str, Any] = {
    "hadronic": "accelerator",
    "primaries": PRIMARIES,
    "atmosphere": "nrlmsis",
    "highest_GeV": highest_energy_GeV(PRIMARIES),
}
BANDS_GEV = ((3.0, 6.0), (6.0, 20.0), (20.0, 100.0), (100.0, 400.0))
SHOWN_GEV = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
SHOWN_COSINES = (0.3, 1.0)
SOME = (("l3c",), ("bess-tev",), ("caprice94",), ("bess-tev", "l3c"), ("bess-tev", "caprice94"))


def fitted_set(measurement: Measurement, points: CascadePoints, centre: np.ndarray, above: float) -> FittedSet:
    """A measurement as the fit sees it, with the points above a momentum alone."""
    response = cascade_response(measurement, points, NAMES)
    keep = np.concatenate([each.low_GeV >= above * 0.999 for each in measurement.points])
    covariance = np.zeros((len(keep), len(keep)))
    first = 0
    for each in measurement.points:
        here = slice(first, first + len(each.value))
        covariance[here, here], first = each.covariance, here.stop
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
        f"chi2 {found.chi2_total:.1f} of {found.dof} (probability {found.probability:.2g}); priors "
        f"{found.chi2_priors:.1f}, nuisances {found.chi2_nuisances:.1f}"
    )
    for one in sets:
        values = ", ".join(
            f"{name} {v:+.2f}" for name, v in zip(one.nuisance_names, found.nuisances[one.name][0], strict=True)
        )
        worst = float(np.abs(found.pulls[one.name]).max())
        points = f"{found.chi2[one.name]:6.1f} of {found.n_points[one.name]:3d}, pulls to {worst:.1f}"
        print(f"  {one.name:10s} {points}; {values}")
    order = np.argsort(-np.abs(found.values - found.prior_centre))[:8]
    print("  parameters: " + ", ".join(f"{found.parameters[i]} {found.values[i]:+.2f}" for i in order))


def show_ratios(measurement: Measurement, one: FittedSet, above: float) -> None:
    """Print the data over the unchanged model by momentum, and their means in bands."""
    first = 0
    for points in measurement.points:
        p, name = points.at_GeV[points.low_GeV >= above * 0.999], points.table.name
        here = slice(first, first + len(p))
        first = here.stop
        ratio = one.data[here] / one.response.values[here]
        weight = one.response.values[here] ** 2 / np.diag(one.covariance)[here]
        print(f"{measurement.name} {name}: " + " ".join(f"{a:.3g}: {r:.3f}" for a, r in zip(p, ratio, strict=True)))
        for low, high in BANDS_GEV:
            inside = (p >= low) & (p < high)
            if inside.any():
                mean = float(np.average(ratio[inside], weights=weight[inside]))
                print(f"  mean of {low:g}-{high:g} GeV/c: {mean:.3f}")


def show_sizes(measurement: Measurement, response_slopes: np.ndarray, prior: np.ndarray) -> None:
    """Print what one standard deviation of each parameter does to the flux of BESS-TeV, in percent by band."""
    p = measurement.points[0].at_GeV
    rows = np.array([response_slopes[: len(p)][(p >= low) & (p < high)].mean(axis=0) for low, high in BANDS_GEV])
    total = 100.0 * np.sqrt(np.einsum("ni,ij,nj->n", rows, prior, rows))
    change = 100.0 * rows * np.sqrt(np.diag(prior))
    print("change of muons by one standard deviation, percent, in", BANDS_GEV, "GeV/c; all together", total.round(1))
    for i in np.argsort(-np.abs(change[2]))[:16]:
        print(f"  {NAMES[i]:18s}", change[:, i].round(2))


def shown_neutrinos(values: np.ndarray) -> np.ndarray:
    """Numu, then nue, at :data:`SHOWN_GEV`, means over :data:`SHOWN_COSINES`: (16, ...) of (4, e * c, ...)."""
    grid = values.reshape(4, len(NEUTRINO_GEV), len(NEUTRINO_COSINES), *values.shape[2:])
    rows = [NEUTRINO_GEV.index(energy) for energy in SHOWN_GEV]
    columns = [NEUTRINO_COSINES.index(cosine) for cosine in SHOWN_COSINES]
    chosen = grid[:, rows][:, :, columns].mean(axis=2)
    return np.concatenate([chosen[FLAVOURS.index(flavour)] for flavour in ("numu", "nue")])


def show_neutrinos(found: Fit, slopes: np.ndarray) -> None:
    """Print relative errors of neutrinos (percent) before and after the fit, the latter also with the fit's scale."""
    units = np.outer(found.sigma, found.sigma)
    for flavour, rows in zip(("numu", "nue"), np.split(slopes, 2), strict=True):
        for label, matrix in (("before", found.prior * units), ("after", found.covariance * units)):
            error = 100.0 * np.sqrt(np.einsum("ni,ij,nj->n", rows, matrix, rows))
            print(f"  {flavour} {label:7s}", " ".join(f"{value:5.1f}" for value in error))
        move = 100.0 * rows @ (found.values * found.sigma)
        print(f"  {flavour} moves  ", " ".join(f"{value:+5.1f}" for value in move))


def main() -> None:
    """Iterate the fit and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--above", type=float, default=3.0, metavar="GEV")
    parser.add_argument("--iterations", type=int, default=3)
    words = "a prior's standard deviation, in the place of the default"
    parser.add_argument("--prior", action="append", default=[], metavar="NAME=SIGMA", help=words)
    options = parser.parse_args()
    given = {name: float(sigma) for name, _, sigma in (each.partition("=") for each in options.prior)}
    options.output.mkdir(parents=True, exist_ok=True)
    measurements = [load_measurement(name) for name in SHIPPED]
    prior, centre = prior_covariance(NAMES, given), np.zeros(len(NAMES))
    key, path = points_key(measurements, MODEL, NAMES, centre), options.output / "cascade-0.npz"
    muons = CascadeMuons(measurements, MODEL)
    points = read_points(path, key)
    if points is None:
        points = muons.points(NAMES, {}, np.sqrt(np.diag(prior_covariance(NAMES))))
        write_points(path, key, points)
    slopes = shown_neutrinos(points[NEUTRINOS].slopes)
    for iteration in range(options.iterations):
        sets = [fitted_set(one, points[one.name], centre, options.above) for one in measurements]
        if iteration == 0:
            show_sizes(measurements[0], cascade_response(measurements[0], points["bess-tev"], NAMES).slopes, prior)
            for one, own in zip(measurements, sets, strict=True):
                show_ratios(one, own, options.above)
            for some in SOME:
                chosen = [one for one in sets if one.name in some]
                show(fit(chosen, NAMES, prior), chosen)
        found = fit(sets, NAMES, prior)
        print(f"iteration {iteration}")
        show(found, sets)
        centre = found.values * found.sigma
        fluxes = muons.fluxes(dict(zip(NAMES, centre.tolist(), strict=True)))
        points = {
            one.name: CascadePoints(
                charges_at(one, fluxes),
                points[one.name].higher * charges_at(one, fluxes) / points[one.name].charges,
                points[one.name].slopes,
            )
            for one in measurements
        }
    for name, (moved, _) in left_out(sets, found).items():
        step = (moved - found.values) / np.sqrt(np.diag(found.covariance))
        i = int(np.argmax(np.abs(step)))
        print(
            f"without {name}: {found.parameters[i]} moves by {step[i]:+.2f} errors; numu and nue in errors of all sets:"
        )
        rows = slopes * found.sigma
        errors = np.sqrt(np.einsum("ni,ij,nj->n", rows, found.covariance, rows))
        for part in np.split((rows @ (moved - found.values)) / (found.scale * errors), 2):
            print("  ", " ".join(f"{value:+5.1f}" for value in part))
    print("neutrinos at 0.3, 1, 3, 10, 30, 100, 300, 1000 GeV, percent")
    show_neutrinos(found, slopes)


if __name__ == "__main__":
    main()
