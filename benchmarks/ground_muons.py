"""Measure the error of muons at the ground by momentum, near the vertical, in 300 CPU seconds for one site.

    python benchmarks/ground_muons.py                          1 million primaries, scaled to 300 CPU seconds
    python benchmarks/ground_muons.py --primaries 3000000

The run is restricted as those of a calibration are (sim3d.calibration.predictions): muons without neutrinos, zenith
bins of the acceptance alone (cos_zenith 0.9 to 1), a patch of 3 degrees, primaries from 1 GeV per nucleon with the
density of runs that score muons alone (--index: a power law). The site is Kamioka at sea level. Bins are ten a decade
from 0.6 GeV/c to 3 TeV/c; the error is that of mu+ and mu- together, from the scatter of groups of batches. Seconds are
those of the process less those of a run of two batches, which also compiles.
"""

from __future__ import annotations

import argparse
import itertools
import time
from typing import Any

import numpy as np

from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.results.muons import muon_spectra
from sim3d.results.result import Result
from sim3d.simulation.engine import simulate

SITE_SECONDS = 300.0
TARGET = 1.0
"""Percent in every bin."""
BANDS_GEV = (0.6, 2.0, 10.0, 100.0, 1000.0, 3000.0)

Row = dict[str, Any]


def _config(primaries: int, energy_index: float | None) -> Config:
    return make_config(
        {
            "run": {"primaries": primaries, "batch_size": max(primaries // 240, 100), "seed": 21},
            "primaries": {"energy_GeV": [1.0, 1e7], "energy_index": energy_index},
            "scoring": {"neutrinos": False, "muons": True},
            "muons": {"momentum_GeV": [0.6, 3000.0], "bins_per_decade": 10, "cos_zenith_edges": [0.9, 1.0]},
            "sites": [{"name": "kamioka", "altitude_m": 0.0, "patch": {"radius_deg": 3.0}}],
        }
    )


def measure(primaries: int, energy_index: float | None = None) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Compute the errors of muons after SITE_SECONDS from a run of another length.

    Parameters
    ----------
    primaries : int
    energy_index : float, optional
        Of the power law of the primaries' energies; by default they have the density for muons.

    Returns
    -------
    momentum : float64 array (n,)
        Middles of the bins (GeV/c).
    both, charges : float64 arrays (n,), (2, n)
        Errors of mu+ and mu- together and of each, percent.
    seconds : float
        CPU seconds of the run.
    """
    spent = []
    for number in (200, 200, primaries):
        started = time.process_time()
        record = simulate(_config(number, energy_index), threads=1)
        spent.append(time.process_time() - started)
    if record is None:
        raise RuntimeError("benchmarks run in a single process")
    seconds = spent[2] - spent[1]
    found = muon_spectra(Result(record), "kamioka")
    groups = found.groups[found.group_weights > 0][:, 0, :2, :, 0]
    scale = 100.0 * (seconds / SITE_SECONDS) ** 0.5

    def error(values: np.ndarray) -> np.ndarray:
        return np.asarray(scale * values.std(axis=0, ddof=1) / len(values) ** 0.5 / values.mean(axis=0))

    return found.momenta_GeV, error(groups.sum(axis=1)), error(groups), seconds


def rows(primaries: int = 1_000_000) -> list[Row]:
    """Measure the largest and the rms error in each range of momenta.

    Parameters
    ----------
    primaries : int

    Returns
    -------
    list of dict
    """
    momentum, both, _, _ = measure(primaries)
    found = []
    for low, high in itertools.pairwise(BANDS_GEV):
        inside = (momentum > low) & (momentum < high)
        largest = float(both[inside].max())
        found.append(
            {
                "name": f"largest error of muons per bin, {low:g}-{high:g} GeV/c, cos_zenith above 0.9, "
                f"{SITE_SECONDS:.0f} CPU s",
                "value": largest,
                "unit": "%",
                "peer": "target",
                "ratio": largest / TARGET,
                "target": TARGET,
                "met": largest <= TARGET,
            }
        )
    return found


def main() -> None:
    """Print the errors by momentum."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--primaries", type=int, default=1_000_000)
    parser.add_argument("--index", type=float, help="of a power law of the primaries' energies")
    options = parser.parse_args()
    momentum, both, charges, seconds = measure(options.primaries, options.index)
    print(f"Errors after {SITE_SECONDS:.0f} CPU s, scaled from {options.primaries} primaries in {seconds:.1f} CPU s, %")
    print(f"{'GeV/c':>8s} {'both':>6s} {'mu+':>6s} {'mu-':>6s}")
    for p, one, plus, minus in zip(momentum, both, *charges, strict=True):
        print(f"{p:8.3g} {one:6.2f} {plus:6.2f} {minus:6.2f}")
    for low, high in itertools.pairwise(BANDS_GEV):
        inside = (momentum > low) & (momentum < high)
        rms = float(np.sqrt(np.mean(both[inside] ** 2)))
        print(f"{low:g}-{high:g} GeV/c: rms {rms:.2f}, largest {both[inside].max():.2f}")


if __name__ == "__main__":
    main()
