"""Compare neutrinos of nuclei that interact after their own length with those of superposition.

    python scripts/studies/nuclei_effect.py
    python scripts/studies/nuclei_effect.py --site sno

Runs of the default models (without calibration) and one seed, in mode targeted. The depths of first interactions have
the same mean in both treatments, and the weights of own lengths scatter. So the change is measured against a control:
own lengths with superposition's loss of energy above the first interaction, Z/A of a proton's per nucleon. Its showers
and weights are those of the run with own lengths. That the control is superposition is checked by a third run.

Printed are ratios of the fluxes averaged over the sky by flavour and decade of energy, with the jackknife error of
pairs of groups of batches.
"""

from __future__ import annotations

import argparse
import itertools
import time
from unittest import mock

import numpy as np

import sim3d
from sim3d.conventions.arrays import Array
from sim3d.primaries.nuclei import nuclei_table
from sim3d.results.pairs import jackknife_of_two
from sim3d.results.result import Result

BATCH_SIZE = 10_000
DECADES_GEV = (0.1, 1.0, 10.0, 100.0)


def simulate(treatment: str, arguments: argparse.Namespace) -> Result:
    """Simulate a run.

    Parameters
    ----------
    treatment : str
        ``transport.nuclei``, or ``control``: own lengths with the loss of superposition.
    arguments : Namespace

    Returns
    -------
    Result
    """
    tables = {name: nuclei_table(name) for name in ("superposition", "own_length")}
    tables["control"] = np.column_stack([tables["superposition"][:, 0], tables["own_length"][:, 1]])
    with mock.patch("sim3d.shower.world.nuclei_table", return_value=tables[treatment]):
        return sim3d.run(
            {
                "run": {"seed": arguments.seed, "primaries": arguments.primaries, "batch_size": BATCH_SIZE},
                "transport": {"nuclei": "superposition" if treatment == "superposition" else "own_length"},
                "calibration": {"name": "none"},
                # a survey would give each run energies of its own
                "allocation": {"mode": "off"},
                "sites": [{"name": arguments.site}],
            },
            threads=1,
        )


def decades(result: Result) -> Array:
    """Integrate the flux over the sky and over decades of energy.

    Parameters
    ----------
    result : Result

    Returns
    -------
    float64 array (groups, flavour + 1, decade)
        m^-2 s^-1; the last row of flavours is their sum.
    """
    edges = np.asarray(result.energy_edges_GeV)
    sky = result.groups_east_west(result.default_site(None)).sum(axis=-1)
    bins = np.einsum("gfec,e,c->gfe", sky, np.diff(edges), np.diff(result.cos_zenith_edges))
    centres = np.sqrt(edges[1:] * edges[:-1])
    parts = [
        bins[:, :, (centres > low) & (centres < high)].sum(axis=-1) for low, high in itertools.pairwise(DECADES_GEV)
    ]
    flavours = np.stack(parts, axis=-1)
    return np.concatenate([flavours, flavours.sum(axis=1, keepdims=True)], axis=1)


def show(title: str, first: Result, second: Result) -> None:
    """Print the changes from one run to another in percent.

    Parameters
    ----------
    title : str
    first, second : Result
    """
    change, error = jackknife_of_two(lambda a, b: 100.0 * (a / b - 1.0), first, second, decades)
    ranges = [f"{low:g}-{high:g} GeV" for low, high in itertools.pairwise(DECADES_GEV)]
    print(f"\n{title} - 1, percent\n")
    print("|".join(["", " ", *(f" {r} " for r in ranges), ""]))
    print("|".join(["", *["---"] * (len(ranges) + 1), ""]))
    for name, values, errors in zip([*first.flavours, "all"], change, error, strict=True):
        print("|".join(["", f" {name} ", *(f" {v:+.2f} ± {e:.2f} " for v, e in zip(values, errors, strict=True)), ""]))


def main() -> None:
    """Simulate the runs and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--primaries", type=int, default=480_000)
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--site", default="kamioka")
    arguments = parser.parse_args()
    start = time.process_time()
    own, control, superposition = (simulate(name, arguments) for name in ("own_length", "control", "superposition"))
    print(f"{arguments.site}, {arguments.primaries} primaries each")
    show("own_length / control", own, control)
    show("control / superposition", control, superposition)
    print(f"{time.process_time() - start:.0f} s of CPU time")


if __name__ == "__main__":
    main()
