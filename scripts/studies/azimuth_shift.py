"""Compute how the east-west asymmetry of neutrinos follows the Sun and the primaries.

    python scripts/studies/azimuth_shift.py FILE.h5 [--sun-only]

``Flux.shifted`` multiplies all azimuths by one factor, as gradients are averages over azimuth, so that an asymmetry
stays as it is. FILE.h5 is a run with event records. They are reweighted to other primaries, so that the change of the
asymmetry has the errors of the same showers. Beside a change by the Sun stands what fluxes of sites for a date have,
:mod:`sim3d.studies.sun_by_azimuth`, and its difference from the showers, by energy and zenith too.
"""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

import numpy as np

import sim3d
from sim3d.analysis.asymmetry import FROM_EAST, FROM_WEST
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.scoring.gradients import BINS
from sim3d.simulation.reweight import reweight
from sim3d.studies.sun_by_azimuth import azimuth_factors

ENERGY_GEV = (0.5, 3.0)
Window = tuple[tuple[float, float], float, float]
"""Energies (GeV), lowest and highest cos_zenith."""
LARGEST_COSINES = (0.5, 0.2)
WINDOWS = tuple(
    (energies, low, high)
    for energies in ((0.3, 0.6), (0.6, 1.2), (1.2, 2.5), (2.5, 6.0))
    for low, high in ((-1.0, -0.5), (-0.5, 0.0), (0.0, 0.5), (0.5, 1.0))
)
"""Energies (GeV) and ranges of cos_zenith of the comparison with the closed form."""
CHANGES = (
    ("solar:MV", 364.0), ("solar:MV", 50.0), ("primary:p:slope", 0.05), ("primary:p@5", 0.1), ("primary:p@20", 0.1),
)  # fmt: skip
"""Parameters and their changes, own units."""


def coarse_halves(result: Result, site: str) -> np.ndarray:
    """Sum the fluxes by half of the sky in the bins of the gradients: (groups, flavour, energy, cos_zenith, 2)."""
    widths = np.diff(np.asarray(result.energy_edges_GeV))[:, None, None]
    every = np.asarray(result.groups_east_west(site)) * widths
    n, m = len(BINS.energies_GeV), len(BINS.cos_edges) - 1
    fine = every[:, :, : n * BINS.energy_group]
    return np.asarray(fine.reshape(*every.shape[:2], n, BINS.energy_group, m, BINS.cos_group, 2).sum(axis=(3, 5)))


def window(mean: np.ndarray, energies: tuple[float, float], low: float, high: float) -> np.ndarray:
    """Sum bins with centres in a window: (..., flavour, halves)."""
    e, c = BINS.energies_GeV, 0.5 * (BINS.cos_edges[1:] + BINS.cos_edges[:-1])
    inside = np.multiply.outer((e > energies[0]) & (e < energies[1]), (c > low) & (c < high))
    return np.einsum("fech,ec->fh", mean, inside)


def asymmetry(mean: np.ndarray) -> np.ndarray:
    """(west - east) / (west + east) of the last axis."""
    east, west = mean[..., FROM_EAST], mean[..., FROM_WEST]
    return (west - east) / (west + east)


def closed_form(old: np.ndarray, new: np.ndarray, factors: np.ndarray) -> np.ndarray:
    """Fluxes under the new potential with the average of the new showers and the closed form of the dependence.

    Parameters
    ----------
    old, new : float64 arrays (flavour, energy, cos_zenith, 2)
    factors : float64 array (energy, cos_zenith)
        From :func:`sim3d.studies.sun_by_azimuth.azimuth_factors`.

    Returns
    -------
    float64 array (flavour, energy, cos_zenith, 2)
    """
    average, after = (each.mean(axis=-1, keepdims=True) for each in (old, new))
    deviation = np.mean(np.divide(old, average, out=np.ones_like(old), where=average > 0.0) - 1.0, axis=0)
    sun = np.divide(after, average, out=np.ones_like(after), where=average > 0.0)
    q = np.where(np.isfinite(factors), np.exp(factors), np.nan)[..., None]
    change = np.where(np.isfinite(q), q / sun - 1.0, 0.0)
    return np.asarray(sun * (old + average * change * deviation))


def shift(mean: np.ndarray, where: Window) -> np.ndarray:
    """Change of the asymmetry from the first to the second pair of the last axis."""
    seen = window(mean, *where)
    return asymmetry(seen[..., 2:]) - asymmetry(seen[..., :2])


def beside_showers(mean: np.ndarray, where: Window, factors: np.ndarray) -> np.ndarray:
    """Changes of the asymmetry, means over flavours: of the showers, in closed form, their difference."""
    form = np.concatenate([mean[..., :2], closed_form(mean[..., :2], mean[..., 2:], factors)], axis=-1)
    a, b = shift(mean, where), shift(form, where)
    return np.array([a.mean(), b.mean(), (b - a).mean()])


def main() -> None:
    """Reweight the run and print the asymmetries and their changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--sun-only", action="store_true")
    options = parser.parse_args()
    run = sim3d.load(options.file)
    site = run.default_site(None)
    place, potential = run.sites[site], float(run.attributes["solar_potential_MV"])
    old, weights = coarse_halves(run, site), run.group_weights
    near: list[Window] = [(ENERGY_GEV, -largest, largest) for largest in LARGEST_COSINES]

    print(f"{site}, {potential:.0f} MV: {', '.join(run.flavours)}")
    for where in near:
        found = jackknife(lambda mean, w=where: asymmetry(window(mean, *w)), old, weights)
        show(f"asymmetry, {words(where)}", *found)
    for name, size in CHANGES[:1] if options.sun_only else CHANGES:
        changed = Result(reweight(options.file, values={name: run.record.config.vary.get(name, 0.0) + size}))
        both = np.concatenate([old, coarse_halves(changed, site)], axis=-1)
        for where in near:
            show(f"{name} + {size:g}, {words(where)}", *jackknife(partial(shift, where=where), both, weights))
        if name != "solar:MV":
            continue
        config = run.record.config
        factors = azimuth_factors(config, place.lat_deg, place.lon_deg, potential, (potential + size,))[0]
        for where in (*near, *WINDOWS):
            v, e = jackknife(partial(beside_showers, where=where, factors=factors), both, weights)
            print(
                f"  mean of flavours, {words(where)}: showers {v[0]:+.4f} +- {e[0]:.4f}, closed form {v[1]:+.4f}, "
                f"difference {v[2]:+.4f} +- {e[2]:.4f}"
            )


def words(where: Window) -> str:
    """Describe a window."""
    (first, last), low, high = where
    return f"{first:g} to {last:g} GeV, cos_zenith {low:g} to {high:g}"


def show(label: str, value: np.ndarray, error: np.ndarray) -> None:
    """Print a row."""
    print(f"{label:64s}", "  ".join(f"{v:+.4f} +- {e:.4f}" for v, e in zip(value, error, strict=True)))


if __name__ == "__main__":
    main()
