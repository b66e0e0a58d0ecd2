"""Compare the one-dimensional simulation with the cascade equations, which share its yields and none of its transport.

Fluxes of every flavour by half-decades and thirds of the zenith, without field and cutoff, from the same primaries in
both: from 0.3 to 100 GeV, and from 100 GeV to 10 TeV.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from validation_report import Report

from hadronic.models import load_model
from sim3d.cascade.energies import make_grid
from sim3d.cascade.flux import CascadeFlux, Place, solve_places
from sim3d.cascade.primaries import no_cutoff
from sim3d.cascade.solver import CascadeSolver
from sim3d.config.load import make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.primaries.build import primary_model
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result

THIRDS = (0.0, 0.35, 0.7, 1.0)
"""Edges in |cos_zenith|, multiples of the bins' width."""
_NODES = 4
"""Gauss-Legendre nodes of the average over a third."""
_PRIMARIES = {"model": "ghls2001-average", "solar": "fit"}

CONFIG: dict[str, Any] = {
    "run": {"primaries": 8_000_000, "batch_size": 20_000, "seed": 11},
    "primaries": {**_PRIMARIES, "energy_GeV": [1.0, 1.0e4], "energy_index": 1.7},
    "field": {"cutoff": False},
    "transport": {"bending": False, "transverse": False},
    "hadronic": {"model": "fluka-z", "definition": "balanced"},
    "sampling": {"mode": "rotated", "thinning": 3.0, "roulette_energy_GeV": 0.0},
    "scoring": {"energy_min_GeV": 0.29},
    "sites": [{"name": "kamioka", "altitude_m": 0.0}],
}


def _edges(first: int, number: int) -> tuple[float, ...]:
    """Edges of half-decades that are edges of fine energy bins."""
    return tuple(10.0 ** (-0.525 + 0.5 * k) for k in range(first, first + number))


@dataclass(frozen=True)
class Case:
    """A run and the range in which it is compared.

    Attributes
    ----------
    name : str
        Stem of the result file.
    config : dict
        Configuration of the run.
    edges_GeV : tuple of float
        Edges of the half-decades.
    grid_low_GeV : float
        Lowest energy of the grid of the cascade equations.
    allowed : float
        Largest deviation of a cell beyond 2 standard deviations.
    """

    name: str
    config: dict[str, Any]
    edges_GeV: tuple[float, ...]
    grid_low_GeV: float
    allowed: float

    @property
    def primaries_GeV(self) -> tuple[float, float]:
        """Range of the primaries' energies per nucleon."""
        low, high = self.config["primaries"]["energy_GeV"]
        return low, high


LOW = Case("cascade_1d", CONFIG, _edges(0, 6), 0.01, 0.01)
"""0.30, 0.94, 2.99, 9.4, 29.9, 94 GeV."""
HIGH = Case(
    "cascade_1d_high",
    {
        **CONFIG,
        "run": {"primaries": 2_000_000, "batch_size": 10_000, "seed": 12},
        "primaries": {**_PRIMARIES, "energy_GeV": [90.0, 1.0e6], "energy_index": 1.4},
        "scoring": {"energy_min_GeV": 90.0},
    },
    _edges(5, 5),
    1.0,
    0.02,
)
"""94, 299, 944, 2990, 9440 GeV."""


def simulated(result: Result, edges_GeV: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Compute integral fluxes of a one-dimensional run and their errors.

    Without cutoff and bending the sky below is that above, and both halves are averaged.

    Parameters
    ----------
    result : Result
    edges_GeV : tuple of float
        Edges of the half-decades.

    Returns
    -------
    value, error : float64 arrays (4, half-decades, thirds)
        m^-2 s^-1 sr^-1, mean over the solid angle of a third.
    """
    groups = result.groups_east_west("kamioka").mean(axis=4)
    edges = result.binning_energy_edges("fine_aa")
    first = [int(np.argmin(np.abs(np.log(edges / energy)))) for energy in edges_GeV]
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


def solved(case: Case) -> np.ndarray:
    """Compute the same fluxes by the cascade equations.

    Parameters
    ----------
    case : Case

    Returns
    -------
    float64 array (4, half-decades, thirds)
    """
    from atmosphere.layers import linsley

    model = load_model(CONFIG["hadronic"]["model"], CONFIG["hadronic"]["definition"])
    primaries = primary_model(_PRIMARIES["model"], _PRIMARIES["solar"])
    x, w = np.polynomial.legendre.leggauss(_NODES)
    cosines = [
        0.5 * (low + high) + 0.5 * (high - low) * x for low, high in itertools.pairwise(THIRDS)
    ]  # fmt: skip
    places = [Place(float(c), linsley(), primaries, 0.0, no_cutoff()) for third in cosines for c in third]
    solver = CascadeSolver(model.tables, make_grid(case.grid_low_GeV, case.primaries_GeV[1]))
    fluxes = solve_places(solver, places, energy_GeV=case.primaries_GeV)

    def between(flux: CascadeFlux, flavour: str) -> np.ndarray:
        return -np.diff(flux.integral(flavour, case.edges_GeV))

    out = np.array([[between(flux, flavour) for flux in fluxes] for flavour in FLAVOURS])
    return np.einsum("ftne,n->fet", out.reshape(4, len(THIRDS) - 1, _NODES, -1), 0.5 * w)


def _compare(report: Report, case: Case) -> None:
    value, error = simulated(report.run(case.name, make_config(case.config)), case.edges_GeV)
    expected = solved(case)
    ratio, spread = value / expected, error / expected
    report.add("", "| flavour | GeV | " + " | ".join(f"cos {a:g}-{b:g}" for a, b in itertools.pairwise(THIRDS)) + " |")
    report.add("|---|---|" + "---|" * (len(THIRDS) - 1))
    for f, flavour in enumerate(FLAVOURS):
        for e, (low, high) in enumerate(itertools.pairwise(case.edges_GeV)):
            cells = " | ".join(f"{r:.4f} +- {s:.4f}" for r, s in zip(ratio[f, e], spread[f, e], strict=True))
            report.add(f"| {flavour} | {low:.2g}-{high:.2g} | {cells} |")
    report.add("", "| | mean of the cells |", "|---|---|")
    for words, axes in ((FLAVOURS, (1, 2)), (itertools.pairwise(case.edges_GeV), (0, 2)), (_thirds(), (0, 1))):
        weights = spread**-2
        means, errors = (ratio * weights).sum(axis=axes) / weights.sum(axis=axes), weights.sum(axis=axes) ** -0.5
        for word, mean, uncertainty in zip(words, means, errors, strict=True):
            name = word if isinstance(word, str) else f"{word[0]:.2g}-{word[1]:.2g} GeV"
            report.add(f"| {name} | {mean:.4f} +- {uncertainty:.4f} |")
    beyond = np.abs(ratio - 1.0) - 2.0 * spread
    allowed = f"{100 * case.allowed:g}%"
    report.add("")
    report.check(
        f"{case.name}: every cell within {allowed} beyond 2 sigma",
        f"{beyond.max():+.4f}",
        bool(beyond.max() <= case.allowed),
    )
    weights = spread**-2
    mean = float((ratio * weights).sum() / weights.sum())
    report.check(f"{case.name}: mean of all cells within {allowed}", f"{mean:.4f}", abs(mean - 1.0) <= case.allowed)
    report.add(
        f"chi2 of ratio = 1: {float((((ratio - 1.0) / spread) ** 2).sum()):.0f} for {ratio.size} cells, correlated "
        "through common showers."
    )


def _thirds() -> list[str]:
    return [f"cos {a:g}-{b:g}" for a, b in itertools.pairwise(THIRDS)]


def cascade(report: Report) -> None:
    """Compare the simulation without transverse momenta with the cascade equations, below 100 GeV.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## One dimension: simulation over cascade equations", "")
    _compare(report, LOW)


def cascade_high_energy(report: Report) -> None:
    """Compare the simulation without transverse momenta with the cascade equations, from 100 GeV to 10 TeV.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## One dimension, 100 GeV to 10 TeV: simulation over cascade equations", "")
    _compare(report, HIGH)
