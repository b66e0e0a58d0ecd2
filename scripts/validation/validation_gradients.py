"""Validate flux gradients: derivatives, linear predictions and exact weights against runs with other parameters."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from validation_report import OLD_HADRONIC, OLD_PRIMARIES, Report, at_sea_level

from sim3d.config.load import make_config
from sim3d.results.jackknife import jackknife
from sim3d.results.result import Result
from sim3d.scoring.exact_sums import N_GROUPS
from sim3d.scoring.gradients import BINS

BATCHES = 48
PRIMARIES = {"targeted": 144_000, "rotated": 48_000, "analog": 48_000}
BAND_EDGES_GEV = (0.3, 1.0, 3.0, 10.0)
# one parameter of every class with a central difference
STEPS = {
    "pi+@31": 0.2,
    "K+@158": 0.3,
    "p@31": 0.2,
    "sigma:nucleon": 0.1,
    "sigma:pion": 0.2,
    "primary:He:norm": 0.3,
    "primary:p:slope": 0.05,
    "solar:MV": 200.0,
    "angle:pion": 0.2,
}
# a small change, for which the linear prediction holds, and changes for which it fails
POINTS = {
    "small": {"pi+@31": 0.03, "pi-@31": 0.03, "sigma:pion": 0.03, "primary:p:slope": 0.01},
    "slope": {"primary:p:slope": 0.3, "primary:He:slope": 0.3},
    "twice in a chain": {"p@31": 0.8, "n@31": 0.8, "pi+@31": 0.3, "pi-@31": 0.3},
}
LARGEST_PULL = 4.5


def _config(mode: str, vary: Mapping[str, float], gradients: bool) -> Any:
    points = [{"name": name.replace(" ", "-"), "parameters": values} for name, values in POINTS.items()]
    table: dict[str, Any] = {
        "run": {"primaries": PRIMARIES[mode], "batch_size": PRIMARIES[mode] // BATCHES, "seed": 17},
        "sampling": {"mode": mode},
        "primaries": OLD_PRIMARIES,
        "hadronic": OLD_HADRONIC,
        "sites": at_sea_level("kamioka"),
        "scoring": {
            "energy_min_GeV": 0.3,
            "gradients": sorted({*STEPS, *(key for point in POINTS.values() for key in point)})
            if gradients
            else "angles",
            "variations": points if gradients else [],
        },
        "vary": dict(vary),
    }
    if mode == "rotated":
        table["transport"] = {"bending": False}
    if mode == "analog":
        # the whole Earth as the patch: every neutrino is a hit
        table["sites"][0]["patch"] = {"radius_deg": 180.0}
        table["field"] = {"cutoff": False}
    return make_config(table)


def _bands(result: Result) -> np.ndarray:
    """Sum fluxes over directions and energy bands, (group, flavour, band, column)."""
    sums = result.record.tallies[0].extras["gradients"].group_sums()
    edges = np.searchsorted(BINS.energies_GeV, BAND_EDGES_GEV)
    weights = np.maximum(result.group_weights, 1).reshape(N_GROUPS, 1, 1, 1)
    return np.stack([sums[:, :, a:b].sum(axis=(2, 3)) for a, b in itertools.pairwise(edges)], 2) / weights


def _compare(result: Result, pairs: np.ndarray, flux: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Compute two quantities and their difference relative to the flux, with errors: ``pairs`` (2, group, ...)."""
    stacked = np.stack([pairs[0], pairs[1], pairs[0] - pairs[1], flux], axis=1)
    return jackknife(lambda mean: mean[:3] / mean[3], stacked, result.group_weights, signed=True)


def gradients(report: Report) -> None:
    """Compare derivatives with central differences, and varied fluxes with runs at those parameters.

    All classes of parameters are covered, in all three sampling modes.

    Parameters
    ----------
    report : Report
    """
    report.add(
        "",
        "## Gradients",
        "",
        "d ln flux / d parameter at Kamioka over the whole sky, from one run and from the central difference of two "
        "runs with the parameter at plus and minus the step. Pulls are those of 4 flavours and 3 energy bands with the "
        f"edges {', '.join(f'{e:g}' for e in BAND_EDGES_GEV)} GeV.",
        "",
        "| mode | parameter | step | gradient (numu, 1-3 GeV) | difference of runs | largest pull | mean square |",
        "|---|---|---|---|---|---|---|",
    )
    bases = {}
    pulls = []
    for mode in PRIMARIES:
        base = bases[mode] = report.run(f"gradients-{mode}", _config(mode, {}, True))
        flux = _bands(base)[..., 0]
        for name, step in STEPS.items():
            tag = name.replace(":", "-").replace("@", "-").replace("+", "plus")
            up, down = (
                _bands(report.run(f"gradients-{mode}-{tag}-{word}", _config(mode, {name: sign * step}, False)))[..., 0]
                for word, sign in (("up", 1.0), ("down", -1.0))
            )
            own = _bands(base)[..., base.gradients().column(name)]
            value, error = _compare(base, np.stack([own, (up - down) / (2.0 * step)]), flux)
            z = value[2] / error[2]
            pulls.append(z)
            report.add(
                f"| {mode} | {name} | {step:g} | {value[0, 0, 1]:.5f} ± {error[0, 0, 1]:.5f} | "
                f"{value[1, 0, 1]:.5f} ± {error[1, 0, 1]:.5f} | {np.abs(z).max():.1f} | {np.mean(z**2):.2f} |"
            )
    every = np.concatenate([z.ravel() for z in pulls])
    report.check(
        f"gradients equal differences of runs: no pull of {every.size} beyond {LARGEST_PULL:g}",
        f"largest {np.abs(every).max():.1f}, mean square {np.mean(every**2):.2f}",
        bool(np.abs(every).max() < LARGEST_PULL and np.mean(every**2) < 1.5),
    )
    report.add(
        "",
        "A point of parameters: a run made there, and the exact weights and the linear prediction of a run that was "
        "not, each over the flux of the latter.",
        "",
        "| mode | point | run there (numu, 1-3 GeV) | exact weights | linear | largest pull of exact | of linear |",
        "|---|---|---|---|---|---|---|",
    )
    exact_pulls, linear_pulls = [], {name: np.zeros(1) for name in POINTS}
    for mode, base in bases.items():
        columns = _bands(base)
        for i, (name, values) in enumerate(POINTS.items()):
            there = _bands(report.run(f"gradients-{mode}-{name.replace(' ', '-')}", _config(mode, values, False)))[
                ..., 0
            ]
            flux, exact = columns[..., 0], columns[..., columns.shape[-1] - len(POINTS) + i]
            linear = flux + sum(columns[..., base.gradients().column(key)] * value for key, value in values.items())
            value, error = _compare(base, np.stack([exact, there]), flux)
            z = value[2] / error[2]
            exact_pulls.append(z)
            guess, unsure = _compare(base, np.stack([linear, there]), flux)
            misses = guess[2] / unsure[2]
            linear_pulls[name] = np.concatenate([linear_pulls[name], misses.ravel()])
            report.add(
                f"| {mode} | {name} | {value[1, 0, 1]:.4f} | {value[0, 0, 1]:.4f} | {guess[0, 0, 1]:.4f} | "
                f"{np.abs(z).max():.1f} | {np.abs(misses).max():.1f} |"
            )
    every = np.concatenate([z.ravel() for z in exact_pulls])
    report.check(
        f"exact weights equal runs: no pull of {every.size} beyond {LARGEST_PULL:g}",
        f"largest {np.abs(every).max():.1f}, mean square {np.mean(every**2):.2f}",
        bool(np.abs(every).max() < LARGEST_PULL and np.mean(every**2) < 1.5),
    )
    small = np.abs(linear_pulls["small"]).max()
    report.check("the linear prediction holds for a small change", f"largest pull {small:.1f}", small < LARGEST_PULL)
    for name in ("slope", "twice in a chain"):
        worst = np.abs(linear_pulls[name]).max()
        report.check(f"the linear prediction fails for {name}, as it must", f"largest pull {worst:.1f}", worst > 6.0)
