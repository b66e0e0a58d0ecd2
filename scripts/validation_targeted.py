"""Validation of the targeted mode: against analog sampling bin by bin, and what the size of a detector does."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
from validation_report import Report, figure_of

from sim3d.asymmetry import east_west, published
from sim3d.config import load_config, make_config
from sim3d.particles import FLAVOURS
from sim3d.results import Result

ROOT = Path(__file__).resolve().parent.parent
BANDS_GEV = (0.5, 0.71, 1.0, 1.41, 2.0, 3.16, 5.6, 10.0)
LARGEST_ERROR = 0.10
"""Bins are compared where both errors are below this: an error that is itself known to a few percent."""


def _by_energy(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Sum (group, flavour, energy, ...) fluxes over BANDS_GEV."""
    start = [int(np.argmin(np.abs(np.log(edges / e)))) for e in BANDS_GEV]
    width = np.diff(edges).reshape(-1, *([1] * (values.ndim - 3)))
    integral = values * width
    return np.stack([integral[:, :, a:b].sum(axis=2) for a, b in itertools.pairwise(start)], axis=2)


def _views(result: Result, site: str) -> dict[str, np.ndarray]:
    """Group means in (flavour, energy, zenith, azimuth): 4 bands by 6 azimuths, and 10 cosines by east and west."""
    edges = result.energy_edges_GeV
    filled = result.group_weights > 0
    bands = _by_energy(result.groups_azimuth(site)[filled], edges)
    halves = _by_energy(result.groups_east_west(site)[filled], edges)
    return {
        "4 zenith bands x 6 azimuths": bands.reshape(*bands.shape[:4], 6, -1).mean(axis=5),
        "10 cosines x east, west": halves.reshape(*halves.shape[:3], 10, 4, 2).mean(axis=4),
    }


def _pulls(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    mean = [x.mean(axis=0) for x in (a, b)]
    error = [x.std(axis=0, ddof=1) / np.sqrt(len(x)) for x in (a, b)]
    use = (error[0] < LARGEST_ERROR * mean[0]) & (error[1] < LARGEST_ERROR * mean[1])
    return ((mean[0] - mean[1]) / np.hypot(*error))[use]


def targeted(report: Report) -> None:
    """Analog and targeted sampling of the same patches of 10 x 40 degrees."""
    report.add("", "## Targeted against analog sampling", "")
    base: dict[str, Any] = {
        "primaries": {"energy_GeV": [1.0, 5000.0]},
        "field": {"date": "1995-01-01"},
        "scoring": {"energy_min_GeV": 0.5},
        "sites": [{"name": name, "patch": {"ns_deg": 10, "ew_deg": 40}} for name in ("kamioka", "sno")],
    }
    runs = {
        "analog": report.run(
            "analog_reference",
            make_config(
                {
                    **base,
                    "sampling": {"mode": "analog"},
                    "run": {"primaries": 4_800_000, "batch_size": 20_000, "seed": 11},
                }
            ),
        ),
        "targeted": report.run(
            "targeted", make_config({**base, "run": {"primaries": 960_000, "batch_size": 10_000, "seed": 12}})
        ),
    }
    report.add("", "| site | bins | compared | chi2 per bin | expected | mean pull |", "|---|---|---|---|---|---|")
    everything: dict[str, np.ndarray] = {}
    verdicts = []
    for site in ("kamioka", "sno"):
        views = {mode: _views(result, site) for mode, result in runs.items()}
        for name in views["analog"]:
            z = _pulls(views["targeted"][name], views["analog"][name])
            everything[f"{site}, {name}"] = z
            if len(z) == 0:
                report.check(f"{site}, {name}: enough primaries to compare", "0 bins", False)
                continue
            # errors from 24 groups: a pull follows Student's t with 23 to 46 degrees of freedom
            chi2, spread = float((z**2).mean()), float(np.sqrt(2.3 / len(z)))
            report.add(
                f"| {site} | {name} | {len(z)} | {chi2:.3f} +- {spread:.3f} | 1.05 to 1.10 | {z.mean():+.3f} "
                f"+- {1 / np.sqrt(len(z)):.3f} |"
            )
            verdicts.append((f"{site}, {name}: chi2 per bin near 1", chi2, abs(chi2 - 1.07) < 0.07 + 3.5 * spread))
    report.add("", "| site | flavour | A targeted | A analog | difference / error |", "|---|---|---|---|---|")
    for site in ("kamioka", "sno"):
        for ours, reference in zip(east_west(runs["targeted"], site), east_west(runs["analog"], site), strict=True):
            pull = (ours.value - reference.value) / np.hypot(ours.error, reference.error)
            report.add(
                f"| {site} | {ours.flavour} | {ours.value:+.3f} +- {ours.error:.3f} "
                f"| {reference.value:+.3f} +- {reference.error:.3f} | {pull:+.2f} |"
            )
            verdicts.append((f"{site} {ours.flavour}: asymmetries equal within errors", float(pull), abs(pull) < 3.5))
    report.add("")
    for name, value, passed in verdicts:
        report.check(name, f"{value:+.3f}", passed)

    def draw(figure: Any, _plt: Any) -> None:
        axis = figure.add_subplot()
        grid = np.linspace(-4.5, 4.5, 37)
        z = np.concatenate(list(everything.values()))
        axis.hist(z, grid, histtype="stepfilled", color="0.85", label=f"{len(z)} bins")
        axis.plot(grid, len(z) * 0.25 * np.exp(-0.5 * grid**2) / np.sqrt(2 * np.pi), label="Gaussian of width 1")
        axis.set(xlabel="(targeted - analog) / error", ylabel="bins per 0.25", xlim=(-4.5, 4.5))
        axis.legend()

    figure_of(report, "targeted_pulls", draw)


def _horizon(result: Result, site: str, band: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Mean flux within |cos| < 0.1 over that of all the sky, and its error, by flavour."""
    edges = result.energy_edges_GeV
    a, b = (int(np.argmin(np.abs(np.log(edges / e)))) for e in band)
    filled = result.group_weights > 0
    groups = (result.groups_east_west(site)[filled].mean(axis=4)[:, :, a:b] * np.diff(edges)[a:b, None]).sum(axis=2)
    horizontal, total = groups[:, :, 18:22].mean(axis=2), groups.mean(axis=2)
    value = horizontal.mean(axis=0) / total.mean(axis=0)
    n = len(groups)
    rest = [(horizontal.sum(axis=0) - horizontal[i]) / (total.sum(axis=0) - total[i]) for i in range(n)]
    return value, np.sqrt((n - 1) / n * ((np.array(rest) - value) ** 2).sum(axis=0))


def patches(report: Report) -> None:
    """What a patch of 10 x 40 degrees does to the east-west asymmetry and to the horizontal peak."""
    report.add("", "## Patches of four sizes", "")
    result = report.run("patches", load_config(ROOT / "examples/patches.toml"))
    sizes = ("10x40", "5x5", "2x2", "1x1")
    report.add(
        "East-west asymmetry, 0.5-3 GeV, |cos zenith| < 0.5:",
        "",
        f"| site | flavour | {' | '.join(sizes)} | paper (10x40) | Lipari |",
        f"|---|---|{'---|' * (len(sizes) + 2)}",
    )
    checks = []
    for place in ("kamioka", "sno"):
        printed = published(place)
        rows = {size: {r.flavour: r for r in east_west(result, f"{place}-{size}")} for size in sizes}
        for flavour in FLAVOURS:
            cells = [f"{rows[s][flavour].value:+.3f} +- {rows[s][flavour].error:.3f}" for s in sizes]
            paper = printed[flavour]
            report.add(
                f"| {place} | {flavour} | {' | '.join(cells)} | {paper.paper:+.3f} +- {paper.paper_error:.3f} "
                f"| {paper.lipari:+.3f} |"
            )
            small, large = rows["1x1"][flavour], rows["2x2"][flavour]
            pull = (small.value - large.value) / np.hypot(small.error, large.error)
            checks.append((f"{place} {flavour}: 1 x 1 and 2 x 2 agree", float(pull)))
    report.add("", "Flux within |cos zenith| < 0.1 over the mean of the sky:", "")
    report.add(f"| site | energy | flavour | {' | '.join(sizes)} |", f"|---|---|---|{'---|' * len(sizes)}")
    for place in ("kamioka", "sno"):
        for band in ((0.5, 1.0), (1.0, 3.16), (3.16, 10.0)):
            values = {size: _horizon(result, f"{place}-{size}", band) for size in sizes}
            for f, flavour in enumerate(FLAVOURS):
                cells = [f"{values[s][0][f]:.3f} +- {values[s][1][f]:.3f}" for s in sizes]
                report.add(f"| {place} | {band[0]:g}-{band[1]:g} GeV | {flavour} | {' | '.join(cells)} |")
    report.add("")
    for name, pull in checks:
        report.check(name, f"{pull:+.2f} sigma", abs(pull) < 3.5)

    def draw(figure: Any, _plt: Any) -> None:
        axes = figure.subplots(1, 2, sharey=True)
        centres = 0.5 * (result.cos_zenith_edges[:-1:2] + result.cos_zenith_edges[2::2])
        edges = result.energy_edges_GeV
        a, b = (int(np.argmin(np.abs(np.log(edges / e)))) for e in (0.5, 3.16))
        for axis, place in zip(axes, ("kamioka", "sno"), strict=True):
            curves = {}
            for size in sizes:
                filled = result.group_weights > 0
                groups = result.groups_east_west(f"{place}-{size}")[filled].mean(axis=4)[:, :, a:b].sum(axis=1)
                flux = (groups * np.diff(edges)[a:b, None]).sum(axis=1)
                flux = flux.reshape(len(flux), 20, 2).mean(axis=2)
                curves[size] = flux.mean(axis=0), flux.std(axis=0, ddof=1) / np.sqrt(len(flux))
            for k, size in enumerate(sizes):
                value, error = curves[size]
                axis.errorbar(
                    centres + 0.012 * (k - 1.5), value / 4.0, error / 4.0, fmt="osD^"[k], ms=3, lw=0.8, label=size
                )
            axis.set(xlabel=r"$\cos\theta_z$", title=place, xlim=(-1, 1))
        axes[0].set_ylabel(r"mean flux of four flavours, 0.5-3.2 GeV (m$^{-2}$ s$^{-1}$ sr$^{-1}$)")
        axes[0].set_ylim(bottom=0)
        axes[1].legend(title="patch (degrees)")

    figure_of(report, "patches", draw)
