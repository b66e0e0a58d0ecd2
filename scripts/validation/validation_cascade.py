"""Compare the one-dimensional simulation with the cascade equations, which share its yields and none of its transport.

Fluxes of every flavour by half-decades from 0.3 to 100 GeV and thirds of the zenith, without field and cutoff, from
primaries of 1 to 10^4 GeV in both.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from validation_report import Report

from hadronic.models import load_model
from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.primaries.build import primary_model
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.studies.cascade.energies import make_grid
from sim3d.studies.cascade.flux import CascadeFlux, Place, solve_places
from sim3d.studies.cascade.primaries import no_cutoff
from sim3d.studies.cascade.solver import CascadeSolver

HALF_DECADES_GEV = tuple(10.0 ** (-0.525 + 0.5 * k) for k in range(6))
"""Edges of fine energy bins: 0.30, 0.94, 2.99, 9.4, 29.9, 94 GeV."""
THIRDS = (0.0, 0.35, 0.7, 1.0)
"""Edges in |cos_zenith|, multiples of the bins' width."""
PRIMARIES_GEV = (1.0, 1.0e4)
ALLOWED = 0.01
_NODES = 4
"""Gauss-Legendre nodes of the average over a third."""

CONFIG: dict[str, Any] = {
    "run": {"primaries": 8_000_000, "batch_size": 20_000, "seed": 11},
    "primaries": {"model": "ghls2001-average", "solar": "fit", "energy_GeV": list(PRIMARIES_GEV), "energy_index": 1.7},
    "field": {"cutoff": False},
    "transport": {"bending": False, "transverse": False},
    "hadronic": {"model": "fluka-z", "definition": "balanced"},
    "sampling": {"mode": "rotated", "thinning": 3.0, "roulette_energy_GeV": 0.0},
    "scoring": {"energy_min_GeV": 0.29},
    "sites": [{"name": "kamioka", "altitude_m": 0.0}],
}


def simulated(result: Result) -> tuple[np.ndarray, np.ndarray]:
    """Compute integral fluxes of a one-dimensional run and their errors.

    Without cutoff and bending the sky below is that above, and both halves are averaged.

    Parameters
    ----------
    result : Result

    Returns
    -------
    value, error : float64 arrays (4, half-decades, thirds)
        m^-2 s^-1 sr^-1, mean over the solid angle of a third.
    """
    groups = result.groups_east_west("kamioka").mean(axis=4)
    edges = result.binning_energy_edges("fine_aa")
    first = [int(np.argmin(np.abs(np.log(edges / energy)))) for energy in HALF_DECADES_GEV]
    groups = groups * np.diff(edges)[None, None, :, None]
    half = groups.shape[3] // 2
    folded = 0.5 * (groups[..., half:] + groups[..., half - 1 :: -1])
    cosines = [round(c * half) for c in THIRDS]
    cells = np.array(
        [
            [folded[:, :, a:b, c:d].sum(axis=2).mean(axis=2) for c, d in itertools.pairwise(cosines)]
            for a, b in itertools.pairwise(first)
        ]
    ).transpose(2, 3, 0, 1)
    return jackknife(lambda mean: mean, cells, result.group_weights)


def solved() -> np.ndarray:
    """Compute the same fluxes by the cascade equations.

    Returns
    -------
    float64 array (4, half-decades, thirds)
    """
    from atmosphere.layers import linsley

    model = load_model(CONFIG["hadronic"]["model"], CONFIG["hadronic"]["definition"])
    primaries = primary_model("ghls2001-average", "fit")
    x, w = np.polynomial.legendre.leggauss(_NODES)
    cosines = [
        0.5 * (low + high) + 0.5 * (high - low) * x for low, high in itertools.pairwise(THIRDS)
    ]  # fmt: skip
    places = [Place(float(c), linsley(), primaries, 0.0, no_cutoff()) for third in cosines for c in third]
    solver = CascadeSolver(model.tables, make_grid(0.01, PRIMARIES_GEV[1]))
    fluxes = solve_places(solver, places, energy_GeV=PRIMARIES_GEV)

    def between(flux: CascadeFlux, flavour: str) -> np.ndarray:
        return -np.diff(flux.integral(flavour, HALF_DECADES_GEV))

    out = np.array([[between(flux, flavour) for flux in fluxes] for flavour in FLAVOURS])
    return np.einsum("ftne,n->fet", out.reshape(4, len(THIRDS) - 1, _NODES, -1), 0.5 * w)


def cascade(report: Report) -> None:
    """Compare the simulation without transverse momenta with the cascade equations.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## One dimension: simulation over cascade equations", "")
    value, error = simulated(report.run("cascade_1d", make_config(CONFIG)))
    expected = solved()
    ratio, spread = value / expected, error / expected
    report.add("", "| flavour | GeV | " + " | ".join(f"cos {a:g}-{b:g}" for a, b in itertools.pairwise(THIRDS)) + " |")
    report.add("|---|---|" + "---|" * (len(THIRDS) - 1))
    for f, flavour in enumerate(FLAVOURS):
        for e, (low, high) in enumerate(itertools.pairwise(HALF_DECADES_GEV)):
            cells = " | ".join(f"{r:.4f} +- {s:.4f}" for r, s in zip(ratio[f, e], spread[f, e], strict=True))
            report.add(f"| {flavour} | {low:.2g}-{high:.2g} | {cells} |")
    beyond = np.abs(ratio - 1.0) - 2.0 * spread
    report.add("")
    report.check("cascade: every cell within 1% beyond 2 sigma", f"{beyond.max():+.4f}", bool(beyond.max() <= ALLOWED))
    weights = spread**-2
    mean = float((ratio * weights).sum() / weights.sum())
    report.check("cascade: mean of all cells within 1%", f"{mean:.4f}", abs(mean - 1.0) <= ALLOWED)
    report.add(
        f"chi2 of ratio = 1: {float((((ratio - 1.0) / spread) ** 2).sum()):.0f} for {ratio.size} cells, correlated "
        "through common showers."
    )
