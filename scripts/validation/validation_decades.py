"""Compare targeted sampling with rotated and with analog sampling from 0.1 GeV to 10 TeV, bin by bin."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from validation_report import Report
from validation_targeted import compare_views

from sim3d.config.load import make_config
from sim3d.results.result import Result

SITE = "kamioka"
BANDS_GEV = tuple(10.0 ** (-1.025 + 0.5 * k) for k in range(11))
"""Half-decades from 0.094 GeV to 9.4 TeV; edges of fine bins."""
SOFT = 6
"""Half-decades below 94 GeV, where fluxes depend on azimuth."""
ANALOG = (("decades_analog", 14), ("decades_analog_2", 101), ("decades_analog_3", 102))
"""Names and seeds of the analog runs, which have few hits in a bin; with several, the statistic of the comparison is
tested on runs that cannot differ."""


def views(result: Result, site: str) -> dict[str, np.ndarray]:
    """Return group means in several binnings.

    Parameters
    ----------
    result : Result
    site : str

    Returns
    -------
    dict
        By the name of the binning, arrays (group, flavour, ...).
    """
    edges = result.energy_edges_GeV
    filled = result.group_weights > 0
    first = [int(np.argmin(np.abs(np.log(edges / energy)))) for energy in BANDS_GEV]

    def banded(groups: np.ndarray) -> np.ndarray:
        integral = groups[filled] * np.diff(edges)[:, None, None]
        return np.stack([integral[:, :, a:b].sum(axis=2) for a, b in itertools.pairwise(first)], axis=2)

    halves, by_azimuth = banded(result.groups_east_west(site)), banded(result.groups_azimuth(site))
    n = len(halves)
    zenith = halves.sum(axis=4).reshape(n, 4, len(first) - 1, 8, 5).sum(axis=4)
    return {
        "flavour, energy (10)": halves.sum(axis=(3, 4)),
        "flavour, energy (10), zenith (8)": zenith,
        "flavour, energy below 94 GeV (6), azimuth (12)": by_azimuth[:, :, :SOFT].sum(axis=3),
        "flavour, energy below 94 GeV (6), zenith (4), azimuth (4)": by_azimuth[:, :, :SOFT]
        .reshape(n, 4, SOFT, 4, 4, 3)
        .sum(axis=5),
    }


def joined_views(runs: Sequence[Result], site: str) -> dict[str, np.ndarray]:
    """Return the group means of several runs of equal length together.

    Parameters
    ----------
    runs : sequence of Result
    site : str

    Returns
    -------
    dict
        As :func:`views`, with the groups of all runs.
    """
    every = [views(run, site) for run in runs]
    return {name: np.concatenate([one[name] for one in every]) for name in every[0]}


def _table(report: Report, words: tuple[str, str], runs: tuple[Sequence[Result], Sequence[Result]]) -> None:
    """Ratios by flavour and half-decade."""
    found = [joined_views(each, SITE)["flavour, energy (10)"] for each in runs]
    mean = [values.mean(axis=0) for values in found]
    relative = [values.std(axis=0, ddof=1) / len(values) ** 0.5 / m for values, m in zip(found, mean, strict=True)]
    ratio = mean[0] / mean[1]
    error = ratio * np.hypot(*relative)
    report.add(
        "", f"| {words[0]} / {words[1]}, GeV | " + " | ".join(runs[0][0].flavours) + " |", "|---|---|---|---|---|"
    )
    for band, (low, high) in enumerate(itertools.pairwise(BANDS_GEV)):
        cells = " | ".join(f"{r:.3f} +- {e:.3f}" for r, e in zip(ratio[:, band], error[:, band], strict=True))
        report.add(f"| {low:.3g}-{high:.3g} | {cells} |")


def decades(report: Report) -> None:
    """Compare targeted sampling with rotated without bending, and with analog on a large patch, to 10 TeV.

    Parameters
    ----------
    report : Report
    """
    straight: dict[str, Any] = {"sites": [{"name": SITE}], "transport": {"bending": False}}
    report.add("", "## Targeted against rotated sampling without bending, 0.1 GeV to 10 TeV", "")
    runs = (
        report.run("decades_targeted", make_config({**straight, "run": _run(11, 1_200_000)})),
        report.run(
            "decades_rotated", make_config({**straight, "run": _run(12, 600_000), "sampling": {"mode": "rotated"}})
        ),
    )
    compare_views(report, ("targeted", "rotated"), runs, [SITE], views)
    _table(report, ("targeted", "rotated"), ([runs[0]], [runs[1]]))

    large: dict[str, Any] = {"sites": [{"name": SITE, "patch": {"ns_deg": 10, "ew_deg": 40}}]}
    report.add("", "## Targeted against analog sampling, 0.1 GeV to 10 TeV", "")
    targeted = [report.run("decades_targeted_large", make_config({**large, "run": _run(13, 1_200_000)}))]
    analog = [
        report.run(name, make_config({**large, "run": _run(seed, 4_000_000), "sampling": {"mode": "analog"}}))
        for name, seed in ANALOG
    ]
    compare_views(report, ("targeted", "analog"), (targeted, analog), [SITE], joined_views)
    _table(report, ("targeted", "analog"), (targeted, analog))
    report.add("", "One of the analog runs, as long as the comparison had before, and against the others:")
    compare_views(report, ("targeted", "one analog"), (targeted, analog[:1]), [SITE], joined_views)
    compare_views(report, ("others", "one analog"), (analog[1:], analog[:1]), [SITE], joined_views)


def _run(seed: int, primaries: int) -> dict[str, int]:
    return {"seed": seed, "primaries": primaries, "batch_size": primaries // 120}
