"""Compute the share of the flux that the surface of a site absorbs, from two runs with one seed, with and without it.

    python scripts/studies/surface_effect.py mountain.h5 flat.h5

The errors are those of a jackknife that leaves out the same showers of both runs.
"""

from __future__ import annotations

import sys

import numpy as np

import sim3d
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.result import Result

COS_ZENITH = ((0.8, 1.0), (0.1, 0.4), (-1.0, 0.0))
ENERGY_GEV = ((0.3, 1.0), (1.0, 3.0), (3.0, 10.0))


def integrals(result: Result) -> np.ndarray:
    """Integrate the flux over each bin, for each group of batches: (group, flavour, energy, cos_zenith)."""
    sky = result.groups_east_west(result.default_site(None)).sum(axis=-1)
    return np.asarray(sky * np.diff(result.energy_edges_GeV)[:, None] * np.diff(result.cos_zenith_edges))


def main() -> None:
    """Print the shares in percent, with jackknife errors that allow for the common showers."""
    if len(sys.argv) != 3:
        sys.exit("usage: surface_effect.py WITH.h5 WITHOUT.h5")
    with_surface, without = sim3d.load(sys.argv[1]), sim3d.load(sys.argv[2])
    energy, cosine = without.energy_edges_GeV, without.cos_zenith_edges
    for bottom, top in COS_ZENITH:
        zenith = (cosine[:-1] > bottom - 1e-3) & (cosine[1:] < top + 1e-3)
        for low, high in ENERGY_GEV:
            inside = np.ix_((energy[:-1] > 0.99 * low) & (energy[1:] < 1.01 * high), zenith)

            def share(a: np.ndarray, b: np.ndarray, inside: tuple[np.ndarray, ...] = inside) -> np.ndarray:
                return 100.0 * (1.0 - a[:, *inside].sum(axis=(1, 2)) / b[:, *inside].sum(axis=(1, 2)))

            value, error = jackknife_of_two(share, with_surface, without, integrals)
            row = "  ".join(
                f"{name} {v:.2f} +- {e:.2f}" for name, v, e in zip(without.flavours, value, error, strict=True)
            )
            sys.stdout.write(f"cos_zenith {bottom:g} to {top:g}, {low:g} to {high:g} GeV, percent: {row}\n")


if __name__ == "__main__":
    main()
