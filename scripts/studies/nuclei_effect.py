"""Compare neutrinos of nuclei that interact after their own length with those of superposition.

    python scripts/studies/nuclei_effect.py
    python scripts/studies/nuclei_effect.py --pairs 4 --primaries 5000

Pairs of small runs with the inputs of scripts/golden/make_golden.py, in the modes targeted and rotated. Printed is the
ratio of all neutrinos above 0.1 GeV, with the error from the scatter of the pairs.
"""

from __future__ import annotations

import argparse
import copy
import sys
from pathlib import Path

import numpy as np

from sim3d.config.load import make_config
from sim3d.simulation.engine import simulate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))
from make_golden import RUNS

FIRST_SEED = 100
BATCH_SIZE = 1000


def total(mode: str, nuclei: str, seed: int, primaries: int) -> float:
    """Simulate a run and sum its fluxes over sites and flavours.

    Parameters
    ----------
    mode : str
        A key of the runs of make_golden.py.
    nuclei : str
        ``transport.nuclei``.
    seed, primaries : int

    Returns
    -------
    float
        m^-2 s^-1.
    """
    run = copy.deepcopy(RUNS[mode])
    run["run"] = {"seed": seed, "primaries": primaries, "batch_size": BATCH_SIZE}
    run["transport"] = {**run.get("transport", {}), "nuclei": nuclei}
    record = simulate(make_config(run), threads=1)
    if record is None or record.failure:
        raise RuntimeError(f"{mode}, {nuclei}, seed {seed}: the run failed")
    batches = int(record.batches_done.sum())
    return float(sum(tally.plain_sum().sum() for tally in record.tallies)) / batches


def main() -> None:
    """Simulate the pairs and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--pairs", type=int, default=12)
    parser.add_argument("--primaries", type=int, default=15_000)
    arguments = parser.parse_args()
    for mode in ("targeted", "rotated"):
        found = np.array(
            [
                [total(mode, nuclei, FIRST_SEED + k, arguments.primaries) for nuclei in ("superposition", "own_length")]
                for k in range(arguments.pairs)
            ]
        )
        mean = found.mean(axis=0)
        error = np.diff(found, axis=1).std(ddof=1) / np.sqrt(arguments.pairs) / mean[0]
        print(f"{mode}: own_length / superposition {mean[1] / mean[0]:.4f} +- {error:.4f}")


if __name__ == "__main__":
    main()
