"""Find the points with the largest chi2 of the calibration: fits by the cascade equations without some, or with more.

    python scripts/calibration/calibration_by_cascade.py -o DIR
    python scripts/calibration/calibration_tensions.py -o DIR [--above 3]

Fits at the derivatives of the unchanged model that the first command keeps in DIR. Nothing here is a choice of the
calibration: a step in the flux of BESS-TeV at 20.6 GeV/c, where its acceptance widens, is no published error, and the
acceptance of cos_zenith 0.90 to 1 is what is published; they show where chi2 comes from.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from calibration_by_cascade import MODEL, NAMES, fitted_set

from sim3d.calibration.cascade_muons import CascadeMuons, points_key, read_points
from sim3d.calibration.fit import FittedSet, fit
from sim3d.calibration.measurements import SHIPPED, Measurement, load_measurement
from sim3d.calibration.priors import prior_covariance

STEP_GEV = 20.6
WIDE_PRIOR = 3.0
GROUPS: dict[str, Callable[[str], bool]] = {
    "tilts": lambda name: name.startswith("tilt"),
    "cross sections": lambda name: name.startswith("sigma"),
    "primaries": lambda name: name.startswith("primary"),
    "pions": lambda name: name.startswith("pi") and "@" in name,
    "kaons": lambda name: name.startswith("K"),
    "nucleons": lambda name: name.startswith(("p@", "n@", "elasticity")),
}


def momenta(measurement: Measurement, above: float) -> tuple[np.ndarray, np.ndarray]:
    """Momenta of the points, and which of them are fluxes."""
    kept = [each.at_GeV[each.low_GeV >= above * 0.999] for each in measurement.points]
    flux = [np.full(len(p), each.table.quantity == "flux") for p, each in zip(kept, measurement.points, strict=True)]
    return np.concatenate(kept), np.concatenate(flux)


def part(one: FittedSet, keep: np.ndarray) -> FittedSet:
    """Some of the points of a set."""
    r, both = one.response, np.ix_(keep, keep)
    response = replace(
        r, values=r.values[keep], slopes=r.slopes[keep], nuisances=r.nuisances[keep], covariance=r.covariance[both]
    )
    return replace(one, response=response, data=one.data[keep], covariance=one.covariance[both])


def with_step(one: FittedSet, where: np.ndarray) -> FittedSet:
    """A set with a free factor (of prior 10%) on some points."""
    columns = np.column_stack([one.response.nuisances, 0.1 * where])
    response = replace(one.response, nuisances=columns)
    return replace(one, response=response, nuisance_names=(*one.nuisance_names, "step"))


def vertical(one: FittedSet, measurement: Measurement, share: float, muons: CascadeMuons, above: float) -> FittedSet:
    """BESS-TeV with a share of its prediction in the narrow acceptance at all momenta."""
    fluxes = muons.fluxes({})
    points = measurement.points[0]
    factors = []
    for low, high, cosines in zip(points.low_GeV, points.high_GeV, points.cos_zenith, strict=True):
        if low < above * 0.999:
            continue
        wide, narrow = (
            sum(fluxes[measurement.name, each].mean_flux(charge, low, high) for charge in ("mu+", "mu-"))
            for each in (cosines, points.cos_zenith[0])
        )
        factors.append(1.0 + share * float(narrow / wide - 1.0))
    values = one.response.values.copy()
    values[: len(factors)] *= factors
    return replace(one, response=replace(one.response, values=values))


def main() -> None:
    """Print all variations."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--above", type=float, default=3.0, metavar="GEV")
    options = parser.parse_args()
    measurements = {name: load_measurement(name) for name in SHIPPED}
    prior, start = prior_covariance(NAMES), np.zeros(len(NAMES))
    key = points_key(list(measurements.values()), MODEL, NAMES, start)
    points = read_points(options.output / "cascade-0.npz", key)
    if points is None:
        raise SystemExit("run calibration_by_cascade.py -o DIR first")
    sets = {name: fitted_set(one, points[name], start, options.above) for name, one in measurements.items()}

    def show(label: str, changed: dict[str, FittedSet] | None = None, wide: np.ndarray = prior) -> None:
        used = {**sets, **(changed or {})}
        found = fit(list(used.values()), NAMES, wide)
        loss, error = (each[1] for each in found.nuisances["l3c"])
        words = f"energy loss {loss:+.2f} +- {error:.2f}, curvature {found.nuisances['l3c'][0][2]:+.2f}"
        if used["bess-tev"].nuisance_names[-1] == "step":
            step, error = (10.0 * each[-1] for each in found.nuisances["bess-tev"])
            words += f", step {step:+.1f} +- {error:.1f}%"
        of = ", ".join(f"{name} {found.chi2[name]:.1f}/{found.n_points[name]}" for name in ("bess-tev", "l3c"))
        print(f"{label:34s} {found.chi2_total:6.1f} of {found.dof} ({found.probability:.2g}); {of}; {words}")

    show("all")
    p, _ = momenta(measurements["l3c"], options.above)
    for least in (27.0, 42.0, 60.0, 100.0):
        show(f"L3+C above {least:g}", {"l3c": part(sets["l3c"], p > least)})
    for most in (300.0, 150.0):
        show(f"L3+C below {most:g}", {"l3c": part(sets["l3c"], p < most)})
    bess, (p, flux) = sets["bess-tev"], momenta(measurements["bess-tev"], options.above)
    show("BESS-TeV below its step", {"bess-tev": part(bess, p < STEP_GEV)})
    show("BESS-TeV above its step", {"bess-tev": part(bess, p > STEP_GEV)})
    show("BESS-TeV with a step", {"bess-tev": with_step(bess, flux & (p > STEP_GEV))})
    alone = fit([with_step(bess, flux & (p > STEP_GEV))], NAMES, prior)
    step, error = (10.0 * each[-1] for each in alone.nuisances["bess-tev"])
    print(f"BESS-TeV alone, with a step: {alone.chi2_total:.1f} of {alone.dof}; step {step:+.1f} +- {error:.1f}%")
    muons = CascadeMuons([measurements["bess-tev"]], MODEL)
    for share in (0.5, 1.0):
        moved = vertical(bess, measurements["bess-tev"], share, muons, options.above)
        show(f"BESS-TeV {share:.0%} vertical", {"bess-tev": moved})
        show(f"BESS-TeV {share:.0%} vertical and a step", {"bess-tev": with_step(moved, flux & (p > STEP_GEV))})
    for label, chosen in GROUPS.items():
        factor = np.where([chosen(name) for name in NAMES], WIDE_PRIOR, 1.0)
        show(f"priors of {label} x {WIDE_PRIOR:g}", wide=prior * np.outer(factor, factor))


if __name__ == "__main__":
    main()
