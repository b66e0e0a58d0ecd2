"""Coverage of limits and errors: 24 small runs against a long one, raw and smooth tables.

The truth of a bin is the flux of the long run; where that run expects fewer than ten effective hits in the bin, the
mean of the bins around (:mod:`sim3d.results.bin_errors`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from validation_report import Report

from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.files.flux_table import LIMIT
from sim3d.files.result_file import write_result
from sim3d.flux.smoothing import smooth_result
from sim3d.results.result import Result, load
from sim3d.simulation.merge import merge_files

SITE = "kamioka"
RUNS, SMALL, LONG = 24, 80_000, 4_500_000
DECADES_GEV = np.array([0.09, 1.0, 10.0, 100.0, 1000.0])
SMOOTH_RUNS = 4


def _config(seed: int, primaries: int, batch_size: int) -> Config:
    run = {"seed": seed, "primaries": primaries, "batch_size": batch_size}
    return make_config({"run": run, "sites": [{"name": SITE}]})


def _truth(long: Result, binning: str) -> np.ndarray:
    errors = long.errors(SITE, binning)
    few = errors.expected < 10.0 * errors.hit_value
    return np.where(few, errors.expected, long.binned(SITE, binning)[0])


def _raw(report: Report, small: list[Result], long: Result) -> None:
    head = "| table | GeV | empty | covered | median limit / flux | hit | beyond 3 | of sample errors |"
    report.add("", head)
    report.add("|---|---|---|---|---|---|---|---|")
    for binning in ("honda_aa", "fluka_aa", "fine_aa", "honda", "fine"):
        mean = _truth(long, binning)
        energies = long.binning_energies(binning)
        sums = np.zeros((len(DECADES_GEV) - 1, 5))
        ratios: list[list[np.ndarray]] = [[] for _ in sums]
        for result in small:
            flux, sample, _ = result.binned(SITE, binning)
            errors = result.errors(SITE, binning)
            for decade, total in enumerate(sums):
                inside = (energies >= DECADES_GEV[decade]) & (energies < DECADES_GEV[decade + 1])
                true, error, off = mean[:, inside], errors.error[:, inside], np.abs(flux - mean)[:, inside]
                empty = errors.kind[:, inside] == LIMIT
                hit = ~empty
                total += [
                    empty.sum(),
                    np.sum(error[empty] >= true[empty]),
                    hit.sum(),
                    np.sum(off[hit] > 3.0 * error[hit]),
                    np.sum(off[hit] > 3.0 * sample[:, inside][hit]),
                ]
                ratios[decade].append((error / true)[empty])
        for decade, (empty_bins, covered, hits, beyond, of_sample) in enumerate(sums):
            low, high = DECADES_GEV[decade : decade + 2]
            median = np.median(np.concatenate(ratios[decade])) if empty_bins else np.nan
            share = covered / max(empty_bins, 1)
            report.add(
                f"| {binning} | {low:g}-{high:g} | {empty_bins:.0f} | {share:.3f} | {median:.2f} "
                f"| {hits:.0f} | {beyond / max(hits, 1):.4f} | {of_sample / max(hits, 1):.4f} |"
            )
            report.check(
                f"{binning} {low:g}-{high:g} GeV: pulls beyond 3 at most 1.5%",
                f"{beyond / max(hits, 1):.4f}",
                beyond <= 0.015 * hits,
            )
        share = sums[:, 1].sum() / sums[:, 0].sum()
        report.check(f"{binning}: limits cover at least 88% of empty bins", f"{share:.3f}", share >= 0.88)
        median = float(np.median(np.concatenate([one for decade in ratios for one in decade])))
        report.check(f"{binning}: median limit below 5 times the flux", f"{median:.2f}", median < 5.0)


def _smooth(report: Report, small: list[Result], long: Result) -> None:
    true = _truth(long, "honda")
    energies, edges = long.binning_energies("honda"), long.binning_cos_edges("honda")
    count = true.shape[3]
    place = np.ix_(energies < 30.0, np.abs(0.5 * (edges[1:] + edges[:-1])) < 0.1)
    for half, azimuths in (("east", slice(0, count // 2)), ("west", slice(count // 2, None))):
        pulls = []
        for result in small[:SMOOTH_RUNS]:
            table = smooth_result(result, SITE, "honda", count)[1][0].table
            pull = (table.flux - true) / table.error
            pulls.append([pull[f][place][..., azimuths] for f in range(len(pull))])
        rms = float(np.sqrt(np.mean(np.square(pulls))))
        report.check(f"smooth tables, abs(cos) < 0.1, from the {half}: rms pull at most 1.5", f"{rms:.2f}", rms <= 1.5)


def coverage(report: Report) -> None:
    """Check upper limits, errors of bins with few hits, smooth tables, and the merging of seeds.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## Coverage of limits and errors", "")
    long = report.run("coverage_long", _config(77, LONG, 20_000))
    small = [report.run(f"coverage_{i}", _config(1001 + i, SMALL, 2_000)) for i in range(RUNS)]
    _raw(report, small, long)
    _smooth(report, small, long)
    merged = _merged(report.folder, len(small))
    flux = merged.binned(SITE, "honda_aa")[0]
    mean = np.mean([result.binned(SITE, "honda_aa")[0] for result in small], axis=0)
    off = float(np.max(np.abs(flux - mean) / np.where(mean > 0.0, mean, 1.0)))
    report.check("merged seeds: the mean of equal runs", f"{off:.1e}", off < 1e-9)


def _merged(folder: Path, count: int) -> Result:
    target = folder / "coverage_merged.h5"
    write_result(merge_files([folder / f"coverage_{i}.h5" for i in range(count)]), target)
    return load(target)
