"""Compute how much of the squared weights the ten heaviest primaries carry, by flavour and decade of energy.

    python scripts/validation/heavy_primaries.py [--primaries N] [--threads N] [--reuse] -o DIR

A run of the default configuration at Kamioka keeps its event records. The weights of all hits of a primary are added,
each relative to the flux at its energy (sim3d.scoring.hit_weights.reference_flux), because hits of one primary are not
independent: the ten heaviest hits may be one neutrino of one primary, turned ten times.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from sim3d.config.load import make_config
from sim3d.conventions.binning import ENERGY_EDGES_GEV
from sim3d.results.result import Result, load
from sim3d.scoring.hit_weights import DECADE_EDGES_GEV, HEAVIEST, N_DECADES, reference_flux
from sim3d.simulation.engine import run_to_file

N_FLAVOURS = 4
LIMIT = 0.2
"""Largest share of the squared weights that ten primaries may carry, for a run of four million."""


def primary_weights(result: Result) -> list[list[np.ndarray]]:
    """Add the weights of the hits of each primary.

    Parameters
    ----------
    result : Result
        Of a run with event records and one site.

    Returns
    -------
    list of lists of float64 arrays
        By flavour and decade, a weight for each primary that has hits there.
    """
    centres = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    reference = centres * np.array([reference_flux(energy) for energy in centres])
    found: list[list[list[np.ndarray]]] = [[[] for _ in range(N_DECADES)] for _ in range(N_FLAVOURS)]
    for rows in result.events(2**20):
        decade = np.searchsorted(DECADE_EDGES_GEV, centres[rows["energy_bin"]], side="right") - 1
        value = rows["score"] / reference[rows["energy_bin"]]
        for f in range(N_FLAVOURS):
            for d in range(N_DECADES):
                chosen = (rows["flavour"] == f) & (decade == d)
                # a primary at the border of two chunks counts as two: ten of millions
                _, place = np.unique(rows["primary"][chosen], return_inverse=True)
                if place.size:
                    found[f][d].append(np.bincount(place, value[chosen]))
    return [[np.concatenate(parts) if parts else np.zeros(0) for parts in row] for row in found]


def main() -> int:
    """Run, and print the table; 1 if ten primaries carry more than LIMIT anywhere."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--primaries", type=int, default=4_000_000)
    parser.add_argument("--threads", type=int, default=None)
    parser.add_argument("--reuse", action="store_true", help="go on with the run in DIR, or take it if it is complete")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    path = options.output / "heavy.h5"
    config = make_config(
        {
            "run": {"primaries": options.primaries, "batch_size": max(options.primaries // 200, 1), "seed": 61},
            "scoring": {"events": True},
            "sites": [{"name": "kamioka"}],
            "calibration": {"name": "none"},
        }
    )
    if not options.reuse:
        path.unlink(missing_ok=True)
    if not path.exists() or not load(path).complete:
        run_to_file(config, path, threads=options.threads, resume=options.reuse)
    result = load(path)
    done = int(result.attributes["primaries"])
    print(f"{done:,} primaries: primaries with hits, effective ones, share of the {HEAVIEST} heaviest")
    print("in the squared weights")
    print("  flavour " + "".join(f"{f'{low:g}-{10 * low:g} GeV':>26}" for low in DECADE_EDGES_GEV[:N_DECADES]))
    worst = 0.0
    for flavour, row in zip(result.flavours, primary_weights(result), strict=True):
        cells = []
        for weights in row:
            squares = np.sort(weights**2)[::-1]
            share = squares[:HEAVIEST].sum() / squares.sum() if squares.size else np.nan
            effective = weights.sum() ** 2 / squares.sum() if squares.size else 0.0
            worst = max(worst, float(np.nan_to_num(share)))
            cells.append(f"{weights.size:10d}{effective:9.0f}{share:6.1%} ")
        print(f"  {flavour:8s}" + "".join(f"{cell:>26}" for cell in cells))
    print(f"largest share {worst:.1%}, allowed {LIMIT:.0%}")
    return int(worst > LIMIT)


if __name__ == "__main__":
    raise SystemExit(main())
