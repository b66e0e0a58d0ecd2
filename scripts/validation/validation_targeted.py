"""Validate targeted sampling bin by bin against analog sampling, and measure the effect of the patch size."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import validation_figures as figures
from validation_pulls import pulls_of
from validation_report import OLD_HADRONIC, OLD_PRIMARIES, Report, at_sea_level, figure_of

from sim3d.analysis.asymmetry import east_west, published
from sim3d.config.load import load_config, make_config
from sim3d.conventions.flavours import FLAVOURS
from sim3d.plots.style import title
from sim3d.results.result import Result
from sim3d.results.words import context_lines

ROOT = Path(__file__).resolve().parents[2]
Run = TypeVar("Run")
BANDS_GEV = (0.5, 0.71, 1.0, 1.41, 2.0, 3.16, 5.6, 10.0)


def _by_energy(values: np.ndarray, edges: np.ndarray) -> np.ndarray:
    """Integrate (group, flavour, energy, ...) fluxes over BANDS_GEV."""
    start = [int(np.argmin(np.abs(np.log(edges / e)))) for e in BANDS_GEV]
    width = np.diff(edges).reshape(-1, *([1] * (values.ndim - 3)))
    integral = values * width
    return np.stack([integral[:, :, a:b].sum(axis=2) for a, b in itertools.pairwise(start)], axis=2)


def _views(result: Result, site: str) -> dict[str, np.ndarray]:
    """Return group means in several binnings.

    All of them are used: a choice of bins by their errors would bias the test.
    """
    edges = result.energy_edges_GeV
    filled = result.group_weights > 0
    bands = _by_energy(result.groups_azimuth(site)[filled], edges)
    halves = _by_energy(result.groups_east_west(site)[filled], edges)
    n, low = len(bands), BANDS_GEV.index(2.0)
    return {
        "flavour": bands.sum(axis=(2, 3, 4)),
        "flavour, energy": bands.sum(axis=(3, 4)),
        "flavour, cos_zenith (20)": halves.sum(axis=(2, 4)).reshape(n, 4, 20, 2).sum(axis=3),
        "flavour, azimuth (12)": bands.sum(axis=(2, 3)),
        "flavour, energy, zenith (4)": bands.sum(axis=4),
        "flavour, energy, azimuth (4)": bands.sum(axis=3).reshape(n, 4, -1, 4, 3).sum(axis=4),
        "flavour, energy below 2 GeV, zenith (4), azimuth (4)": bands[:, :, :low]
        .reshape(n, 4, low // 2, 2, 4, 4, 3)
        .sum(axis=(3, 6)),
    }


def compare_views(
    report: Report,
    names: tuple[str, str],
    runs: tuple[Run, Run],
    sites: list[str],
    views_of: Callable[[Run, str], dict[str, np.ndarray]],
) -> list[np.ndarray]:
    """Write a table of pulls of the first run minus the second, with verdicts.

    Bins with few hits have expected errors (:mod:`validation_pulls`).

    Parameters
    ----------
    report : Report
    names : (str, str)
        Of the runs.
    runs : (Result, Result)
        Or what ``views_of`` takes.
    sites : list of str
    views_of : callable
        Gives, for a result and a site, group means by the name of the binning.

    Returns
    -------
    list of float64 arrays
        Pulls by site and binning.
    """
    report.add(
        "",
        f"| site | bins in | n | chi2 per bin | mean pull | error of {names[1]} (median) | few hits "
        f"| {names[0]} / {names[1]} |",
        "|---|---|---|---|---|---|---|---|",
    )
    everything, verdicts = [], []
    for site in sites:
        views = [views_of(run, site) for run in runs]
        for name in views[0]:
            found = pulls_of(name, (views[0][name], views[1][name]))
            if found is None:
                report.check(f"{site}, {name}: hits in every bin", "no", False)
                continue
            z, (ratio, uncertain) = found.pull, found.ratio
            chi2, spread = float((z**2).mean()), float(np.sqrt(2.3 / len(z)))
            report.add(
                f"| {site} | {name} | {len(z)} | {chi2:.2f} +- {spread:.2f} | {z.mean():+.2f} +- {len(z) ** -0.5:.2f} "
                f"| {np.median(found.errors[1] / found.means[1]):.3f} | {100.0 * found.few:.0f}% "
                f"| {ratio:.4f} +- {uncertain:.4f} |"
            )
            # errors from 24 groups: pulls follow Student's t with 23 to 46 degrees of freedom, chi2 about 1.07
            verdicts.append((f"{site}, {name}: chi2 per bin near 1", chi2, abs(chi2 - 1.07) < 0.1 + 3.5 * spread))
            everything.append(z)
    report.add("")
    for name, value, passed in verdicts:
        report.check(f"{names[0]} against {names[1]}, {name}", f"{value:+.3f}", passed)
    return everything


def targeted(report: Report) -> None:
    """Compare targeted sampling with analog on patches of 10 x 40 degrees, and with rotated without bending.

    Parameters
    ----------
    report : Report
    """
    base: dict[str, Any] = {
        "primaries": {**OLD_PRIMARIES, "energy_GeV": [1.0, 5000.0]},
        "hadronic": OLD_HADRONIC,
        "field": {"date": "1995-01-01"},
        "scoring": {"energy_min_GeV": 0.5},
        "sites": [{**one, "patch": {"ns_deg": 10, "ew_deg": 40}} for one in at_sea_level("kamioka", "sno")],
    }
    many = {"primaries": 4_800_000, "batch_size": 20_000, "seed": 11}
    few = {"primaries": 960_000, "batch_size": 10_000, "seed": 12}
    harder = {"primaries": {**base["primaries"], "energy_index": 1.6}}
    report.add("", "## Targeted against analog sampling", "")
    runs = (
        report.run("targeted", make_config({**base, **harder, "run": few})),
        report.run("analog_reference", make_config({**base, "run": many, "sampling": {"mode": "analog"}})),
    )
    pulls = compare_views(report, ("targeted", "analog"), runs, ["kamioka", "sno"], _views)
    report.add("", "| site | flavour | A targeted | A analog | difference / error |", "|---|---|---|---|---|")
    verdicts = []
    for site in ("kamioka", "sno"):
        for ours, reference in zip(east_west(runs[0], site), east_west(runs[1], site), strict=True):
            pull = (ours.value - reference.value) / np.hypot(ours.error, reference.error)
            report.add(
                f"| {site} | {ours.flavour} | {ours.value:+.3f} +- {ours.error:.3f} "
                f"| {reference.value:+.3f} +- {reference.error:.3f} | {pull:+.2f} |"
            )
            verdicts.append((f"{site} {ours.flavour}: asymmetries equal within errors", float(pull), abs(pull) < 3.5))
    report.add("")
    for name, value, passed in verdicts:
        report.check(name, f"{value:+.3f}", passed)

    report.add("", "## Targeted against rotated sampling, without bending in the air", "")
    straight = {**base, "transport": {"bending": False}}
    small = at_sea_level("kamioka", "sno")
    runs = (
        report.run("targeted_straight", make_config({**straight, **harder, "run": few, "sites": small})),
        report.run("rotated_straight", make_config({**straight, "run": few, "sampling": {"mode": "rotated"}})),
    )
    pulls += compare_views(report, ("targeted", "rotated"), runs, ["kamioka", "sno"], _views)

    figure_of(
        report,
        "targeted_pulls",
        figures.pulls(np.concatenate(pulls), "Sampling: targeted minus analog, and minus rotated"),
        ["Kamioka and SNO, 0.5 to 10 GeV, bins of energy, zenith and azimuth", *_inputs(runs[0])],
    )


def _inputs(result: Result) -> list[str]:
    """Return models and number of primaries, for the line below a figure."""
    return context_lines(result.record)[1:]


def _horizon(result: Result, site: str, band: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Compute mean flux within |cos| < 0.1 over that of all the sky, and its error, by flavour."""
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
    """Measure the effect of a patch of 10 x 40 degrees on the east-west asymmetry and on the horizontal peak.

    Parameters
    ----------
    report : Report
    """
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

    cosines = 0.5 * (result.cos_zenith_edges[:-1:2] + result.cos_zenith_edges[2::2])
    edges = result.energy_edges_GeV
    a, b = (int(np.argmin(np.abs(np.log(edges / e)))) for e in (0.5, 3.16))
    filled = result.group_weights > 0
    fluxes: dict[str, dict[str, np.ndarray]] = {}
    for place in ("kamioka", "sno"):
        fluxes[title(place)] = by_size = {}
        for size in sizes:
            groups = result.groups_east_west(f"{place}-{size}")[filled].mean(axis=4)[:, :, a:b].mean(axis=1)
            flux = (groups * np.diff(edges)[a:b, None]).sum(axis=1)
            by_size[size.replace("x", " x ") + " degrees"] = flux.reshape(len(flux), 20, 2).mean(axis=2)
    figure_of(
        report,
        "patches",
        figures.patches(cosines, fluxes, "Detector patches of four sizes, 0.5 to 3.2 GeV"),
        [f"field of {result.record.config.field.date}; mean of four flavours; ratio: to 10 x 40", *_inputs(result)],
    )
