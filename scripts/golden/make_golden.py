"""Write tests/data/golden.json: results of small fixed runs, for tests/golden/test_golden.py.

Run it after a deliberate change of the physics or of the random streams (``python scripts/golden/make_golden.py``), and
say in the commit what changed. Any other change of the code must leave the numbers as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.simulation.engine import simulate

GOLDEN = Path(__file__).resolve().parents[2] / "tests" / "data" / "golden.json"

_COMMON: dict[str, Any] = {
    "run": {"seed": 20200101, "primaries": 2000, "batch_size": 250},
    # every input is stated, so that new defaults leave the runs as they are
    "primaries": {"model": "ghls2001-average", "energy_GeV": [2.0, 1000.0], "solar_potential_MV": 1109.0},
    "hadronic": {"model": "fluka-z", "definition": "printed"},
    "field": {"date": "2015-01-01"},
    "calibration": {"name": "none"},
}
_KAMIOKA, _SNO = ({"name": name, "altitude_m": 0.0} for name in ("kamioka", "sno"))
RUNS: dict[str, dict[str, Any]] = {
    "targeted": {
        **_COMMON,
        "sites": [_KAMIOKA, {**_SNO, "patch": {"radius_deg": 5}}],
    },
    "analog": {
        **_COMMON,
        "sampling": {"mode": "analog"},
        "sites": [
            {**_KAMIOKA, "patch": {"ns_deg": 60, "ew_deg": 120}},
            {**_SNO, "patch": {"radius_deg": 40}},
        ],
    },
    "rotated": {
        **_COMMON,
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "sites": [_KAMIOKA, _SNO],
    },
}


def measure(name: str) -> dict[str, Any]:
    """Simulate a run and sum its fluxes and hits at each site, by flavour.

    Parameters
    ----------
    name : str
        A key of :data:`RUNS`.

    Returns
    -------
    dict
        Fluxes (m^-2 s^-1, mean over batches), hits and counters.
    """
    record = simulate(make_config(RUNS[name]), threads=2)
    if record is None or record.failure:
        raise RuntimeError(f"{name}: the run failed")
    sites: dict[str, Any] = {}
    for detector, tally in zip(record.detectors, record.tallies, strict=True):
        flux = tally.plain_sum().sum(axis=(1, 2, 3)) / int(record.batches_done.sum())
        down = tally.plain_sum()[:, :, 20:].sum(axis=(1, 2, 3)) / int(record.batches_done.sum())
        hits = tally.hits.sum(axis=(1, 2, 3))
        sites[detector.name] = {
            flavour: {"flux": float(flux[i]), "down_going": float(down[i]), "hits": int(hits[i])}
            for i, flavour in enumerate(FLAVOURS)
        }
    return {"sites": sites, "counters": record.counters}


def main() -> None:
    """Simulate all runs and write the file."""
    document = {name: measure(name) for name in RUNS}
    GOLDEN.parent.mkdir(parents=True, exist_ok=True)
    GOLDEN.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    for name, run in document.items():
        total = np.sum([f["flux"] for site in run["sites"].values() for f in site.values()])
        print(f"{name}: {total:.6g} m^-2 s^-1 over all sites and flavours")


if __name__ == "__main__":
    main()
