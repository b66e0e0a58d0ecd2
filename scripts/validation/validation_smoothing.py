"""Pulls of smooth tables of many seeds against a longer run, and the share of the bins that reach a precision.

    python scripts/validation/validate.py --only smoothing --output DIR
    python scripts/validation/validation_smoothing.py run.h5 --seconds 280     precision; CPU seconds of the run

A pull is (smooth flux - flux of the long run) / (both errors, in quadrature), in each bin of Honda's table. Pulls of
all seeds and flavours are pooled by decade and third of the zenith. The long run is the same for all seeds, and a
smooth table errs alike in neighbouring bins, so that the mean of the pulls varies by more than 1 / sqrt(bins): its
standard error is that of the means of single seeds, without the part of the long run.
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from validation_report import Report

from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.flux.smoothing import smooth_result
from sim3d.results.result import Result, load
from sim3d.studies.run_shape import shape_of_result

SITE = "kamioka"
RUNS, SMALL, LONG = 20, 300_000, 4_000_000
AZIMUTHS = 12
DECADES_GEV = (0.1, 1.0, 10.0, 100.0, 1000.0, 10000.0)
THIRDS = (("up", -1.0, -1.0 / 3.0), ("horizon", -1.0 / 3.0, 1.0 / 3.0), ("down", 1.0 / 3.0, 1.0))
"""Names and limits in cos_zenith."""
MEAN, WIDTH = 0.1, (0.9, 1.1)
"""Wanted of the pulls in each decade and third: largest absolute mean, and limits of the standard deviation."""

PRECISION_SECONDS = 1200.0
PRECISION = {"average": (0.02, 0.04), "12 azimuths": (0.03, 0.06)}
"""Wanted relative errors of 95% of the bins after that time, from 0.1 GeV to 1 TeV and from 1 to 10 TeV."""


def _config(seed: int, primaries: int, batch_size: int) -> Config:
    tables: dict[str, Any] = {"run": {"seed": seed, "primaries": primaries, "batch_size": batch_size}}
    return make_config({**tables, "sites": [{"name": SITE}]})


def _rows(energy: np.ndarray, low: float, high: float) -> np.ndarray:
    return np.flatnonzero((energy > 0.99 * low) & (energy < (1.01 if high == DECADES_GEV[-1] else 0.99) * high))


def _long_flux(results: Sequence[Result]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Mean fluxes of long runs and their errors, azimuth average and by azimuth; primaries are the weights."""
    number = np.array([float(result.attributes["primaries"]) for result in results])
    share = number / number.sum()
    flux, error = [], []
    for name in ("honda_aa", "honda"):
        values = np.array([result.binned(SITE, name)[0] for result in results])
        errors = np.array([result.errors(SITE, name).error for result in results])
        mean, spread = np.tensordot(share, values, axes=1), np.sqrt(np.tensordot(share**2, errors**2, axes=1))
        flux.append(mean[..., None] if mean.ndim == 3 else mean)
        error.append(spread[..., None] if mean.ndim == 3 else spread)
    return flux, error


def pooled(pulls: np.ndarray, energy: np.ndarray, cos: np.ndarray) -> list[tuple[str, float, float, float, float]]:
    """Compute mean, its standard error and the standard deviation of pulls by decade and third.

    Parameters
    ----------
    pulls : float64 array (seeds, flavour, energy, cos_zenith, azimuth)
        NaN where the long run has no hit.
    energy, cos : float64 arrays
        Middles of the bins (GeV; cosine).

    Returns
    -------
    list of (str, float, float, float, float)
        Third, lowest energy of the decade, mean, its standard error, standard deviation.
    """
    out = []
    for low, high in itertools.pairwise(DECADES_GEV):
        for name, first, last in THIRDS:
            inside = pulls[:, :, _rows(energy, low, high)][..., (cos > first) & (cos < last), :]
            seeds = np.nanmean(inside.reshape(len(inside), -1), axis=1)
            out.append(
                (name, low, float(np.nanmean(inside)), float(seeds.std(ddof=1) / len(seeds) ** 0.5),
                 float(np.nanstd(inside)))
            )  # fmt: skip
    return out


def smoothing(report: Report) -> None:
    """Compare the smooth tables of 20 runs of 300,000 primaries with a run of 4 million.

    Other results of the default configuration in the folder, by the name smooth_long_*.h5, count with the long run.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## Smooth tables against a longer run", "")
    long = report.run("smooth_long", _config(61, LONG, 20_000))
    small = [report.run(f"smooth_{i}", _config(4001 + i, SMALL, 2_500)) for i in range(RUNS)]
    energy, edges = long.binning_energies("honda_aa"), long.binning_cos_edges("honda_aa")
    cos = 0.5 * (edges[1:] + edges[:-1])
    others = [load(path) for path in sorted(report.folder.glob("smooth_long_*.h5"))]
    flux, error = _long_flux([long, *others])
    shape = shape_of_result(long, SITE, "honda")
    pulls: list[list[np.ndarray]] = [[], []]
    for run in small:
        for k, (smooth, _) in enumerate(smooth_result(run, SITE, "honda", AZIMUTHS, shape)):
            spread = np.hypot(np.asarray(smooth.table.error), error[k])
            pulls[k].append(np.where(flux[k] > 0.0, (smooth.table.flux - flux[k]) / spread, np.nan))
    for label, values in zip(PRECISION, pulls, strict=True):
        report.add("", f"| {label}, GeV | zenith third | mean pull | width |", "|---|---|---|---|")
        rows = pooled(np.array(values), energy, cos)
        for name, low, mean, spread, width in rows:
            report.add(f"| {low:g}-{10 * low:g} | {name} | {mean:+.3f} +- {spread:.3f} | {width:.3f} |")
        report.add("")
        largest = max(abs(row[2]) for row in rows)
        report.check(f"smooth, {label}: mean pull at most {MEAN:g} everywhere", f"{largest:.3f}", largest <= MEAN)
        widths = [row[4] for row in rows]
        report.check(
            f"smooth, {label}: width of the pulls {WIDTH[0]:g} to {WIDTH[1]:g} everywhere",
            f"{min(widths):.3f} to {max(widths):.3f}",
            WIDTH[0] <= min(widths) and max(widths) <= WIDTH[1],
        )


def shares(result: Result, seconds: float) -> list[tuple[str, str, float, float]]:
    """Compute the share of the bins of smooth tables with the wanted errors after PRECISION_SECONDS.

    Errors are scaled with the square root of the time.

    Parameters
    ----------
    result : Result
    seconds : float
        CPU seconds of the run.

    Returns
    -------
    list of (str, str, float, float)
        Table, range of energies, wanted relative error, share of the bins.
    """
    scale = (seconds / PRECISION_SECONDS) ** 0.5
    energy = result.binning_energies("honda_aa")
    out = []
    pairs = smooth_result(result, SITE, "honda", AZIMUTHS, shape_of_result(result, SITE, "honda"))
    for (label, wanted), (smooth, _) in zip(PRECISION.items(), pairs, strict=True):
        relative = scale * np.asarray(smooth.table.error) / smooth.table.flux
        for limit, (low, high) in zip(wanted, ((0.1, 1000.0), (1000.0, 10000.0)), strict=True):
            share = float(np.mean(relative[:, _rows(energy, low, high)] <= limit))
            out.append((label, f"{low:g}-{high:g}", limit, share))
    return out


def main() -> None:
    """Print the share of the bins with the wanted errors."""
    parser = argparse.ArgumentParser(description="Share of the bins of smooth tables at the wanted precision.")
    parser.add_argument("file", type=Path, help=f"a result of {SITE}")
    parser.add_argument("--seconds", type=float, required=True, help="CPU seconds that its run took")
    options = parser.parse_args()
    print(f"After {PRECISION_SECONDS:.0f} CPU s, scaled from {options.seconds:g} s")
    for label, energies, limit, share in shares(load(options.file), options.seconds):
        print(f"{label}, {energies} GeV, {limit:.0%} or better: {share:.2%} of the bins")


if __name__ == "__main__":
    main()
