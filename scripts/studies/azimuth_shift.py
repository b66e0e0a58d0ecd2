"""Compute how the east-west asymmetry of neutrinos follows the Sun and the primaries, which a shifted flux leaves out.

    python scripts/studies/azimuth_shift.py FILE.h5

``Flux.shifted`` multiplies all azimuths by one factor, as gradients are averages over azimuth, so that an asymmetry
stays as it is. FILE.h5 is a run with event records. They are reweighted to other primaries, so that the change of the
asymmetry has the errors of the same showers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

import sim3d
from sim3d.analysis.asymmetry import FROM_EAST, FROM_WEST
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.results.windows import cos_bins, energy_bins
from sim3d.simulation.reweight import reweight

ENERGY_GEV = (0.5, 3.0)
LARGEST_COSINES = (0.5, 0.2)
CHANGES = (
    ("solar:MV", 364.0), ("solar:MV", 50.0), ("primary:p:slope", 0.05), ("primary:p@5", 0.1), ("primary:p@20", 0.1),
)  # fmt: skip
"""Parameters and their changes, own units."""


def halves(result: Result, site: str, largest: float) -> np.ndarray:
    """Sum the fluxes near the horizon by half of the sky.

    Parameters
    ----------
    result : Result
    site : str
    largest : float
        Absolute cosine of the zenith angle.

    Returns
    -------
    float64 array (groups, flavour, 2)
    """
    energies = np.asarray(result.energy_edges_GeV)
    rows, columns = energy_bins(energies, ENERGY_GEV), cos_bins(np.asarray(result.cos_zenith_edges), largest)
    part = np.asarray(result.groups_east_west(site))[:, :, rows][:, :, :, columns]
    return np.asarray(np.einsum("gfech,e->gfh", part, np.diff(energies)[rows]))


def main() -> None:
    """Reweight the run and print the asymmetries and their changes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    run = sim3d.load(path)
    site = run.default_site(None)

    def asymmetry(mean: np.ndarray) -> np.ndarray:
        east, west = mean[..., FROM_EAST], mean[..., FROM_WEST]
        return (west - east) / (west + east)

    def change(mean: np.ndarray) -> np.ndarray:
        return asymmetry(mean[..., 2:]) - asymmetry(mean[..., :2])

    print(f"{site}, {ENERGY_GEV[0]:g} to {ENERGY_GEV[1]:g} GeV: {', '.join(run.flavours)}")
    for largest in LARGEST_COSINES:
        value, error = jackknife(asymmetry, halves(run, site, largest), run.group_weights)
        show(f"asymmetry, |cos_zenith| < {largest:g}", value, error)
    for name, size in CHANGES:
        new = Result(reweight(path, values={name: run.record.config.vary.get(name, 0.0) + size}))
        for largest in LARGEST_COSINES:
            both = np.concatenate([halves(run, site, largest), halves(new, site, largest)], axis=-1)
            show(f"{name} + {size:g}, |cos_zenith| < {largest:g}", *jackknife(change, both, run.group_weights))


def show(label: str, value: np.ndarray, error: np.ndarray) -> None:
    """Print a row."""
    print(f"{label:40s}", "  ".join(f"{v:+.4f} +- {e:.4f}" for v, e in zip(value, error, strict=True)))


if __name__ == "__main__":
    main()
