"""Coverage of limits and errors: small runs against long ones, for raw, smooth, muon and varied tables.

The truth of a bin is the flux of the long run. Where that run expects fewer than ten effective hits in the bin, the
truth is the mean of the bins around (:mod:`sim3d.results.bin_errors`). Above 100 GeV a run of the small runs' spectrum
of primaries has few hits, however long it is, and a bin that it hit is one that fluctuated up. The truth is that of a
run whose primaries have 90 GeV per nucleon at least; with less none makes a neutrino of 94.4 GeV, the lower edge of
the first of these bins. A bin in which the long run expects less than one effective hit has no truth and is not judged:
protons and neutrons at the ground, for one.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from validation_report import Report

from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.files.flux_table import LIMIT
from sim3d.files.result_file import write_result
from sim3d.flux.site_flux import shipped_site, site_tables
from sim3d.flux.smoothing import smooth_result
from sim3d.results.bin_errors import BinErrors
from sim3d.results.muons import muon_spectra, spectrum_errors
from sim3d.results.result import Result, load
from sim3d.simulation.merge import merge_files

SITE = "kamioka"
RUNS, SMALL, LONG, HIGH = 24, 80_000, 4_500_000, 480_000
HARD_GEV = 100.0
"""From this energy on the truth is that of the run of energetic primaries."""
DECADES_GEV = np.array([0.09, 1.0, 10.0, 100.0, 1000.0])
SMOOTH_RUNS = 4
SHIPPED_RUNS = 5
SMOOTH_BANDS_GEV = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

MUON_RUNS, MUON_SMALL, MUON_LONG = 8, 8_000, 2_000_000
MUON_DECADES_GEV = np.array([0.59, 10.0, 100.0, 1000.0, 3100.0])

VARIED_RUNS, VARIED_SMALL, VARIED_LONG = 8, 20_000, 600_000
VARY = {"primary:p:slope": 0.1, "pi+@31": 0.2, "K+@158": 0.3}

KNOWN_HITS = 1.0
"""Effective hits that a long run must expect in a bin."""

COVERED, MEDIAN, BEYOND = 0.88, 5.0, 0.015
"""What is asked: share of the empty bins that limits cover, median of limit over truth, share of pulls beyond 3."""

Sample = tuple[np.ndarray, np.ndarray, BinErrors]
"""Flux and sample error of a small run, and the errors that its table has; second axis energy."""


def _config(seed: int, primaries: int, batch_size: int, tables: dict[str, Any] | None = None) -> Config:
    run = {"seed": seed, "primaries": primaries, "batch_size": batch_size}
    # the truth of the page is a long run of the models alone
    return make_config({"run": run, "sites": [{"name": SITE}], "calibration": {"name": "none"}, **(tables or {})})


def _expected(flux: np.ndarray, errors: BinErrors) -> np.ndarray:
    """Flux of a long run, the mean of the bins around where it expects few hits, NaN where it expects none."""
    mean = np.where(errors.expected < 10.0 * errors.hit_value, errors.expected, flux)
    return np.where(errors.expected >= KNOWN_HITS * errors.hit_value, mean, np.nan)


def _truth(long: Result, high: Result, binning: str) -> np.ndarray:
    low, hard = (_expected(run.binned(SITE, binning)[0], run.errors(SITE, binning)) for run in (long, high))
    low[:, _hard(long, binning)] = hard[:, _hard(long, binning)]
    return low


def _hard(result: Result, binning: str) -> np.ndarray:
    return np.asarray(result.binning_energies(binning) >= HARD_GEV * (1.0 - 1e-9))


def _count(report: Report, name: str, samples: Sequence[Sample], true: np.ndarray, at: np.ndarray, edges: np.ndarray):
    """Add a row for each decade of a table, and judge coverage, median limit and pulls."""
    sums = np.zeros((len(edges) - 1, 6))
    ratios: list[list[np.ndarray]] = [[] for _ in sums]
    for flux, sample, errors in samples:
        for decade, total in enumerate(sums):
            # false without truth, of which nothing can be said
            inside = (at >= edges[decade] * (1 - 1e-9)) & (at < edges[decade + 1] * (1 - 1e-9))
            mean, error = true[:, inside], errors.error[:, inside]
            off, known = np.abs(flux[:, inside] - mean), mean > 0.0
            empty = known & (errors.kind[:, inside] == LIMIT)
            hit = known & ~empty
            total += [
                empty.sum(),
                np.sum(error[empty] >= mean[empty]),
                hit.sum(),
                np.sum(off[hit] > 3.0 * error[hit]),
                np.sum(off[hit] > 3.0 * sample[:, inside][hit]),
                np.sum(~known),
            ]
            ratios[decade].append((error[empty] / mean[empty]).ravel())
    for decade, (empty_bins, covered, hits, beyond, of_sample, unknown) in enumerate(sums):
        low, high = edges[decade : decade + 2]
        median = np.median(np.concatenate(ratios[decade])) if empty_bins else np.nan
        report.add(
            f"| {name} | {low:g}-{high:g} | {empty_bins:.0f} | {covered / max(empty_bins, 1):.3f} | {median:.2f} "
            f"| {hits:.0f} | {beyond / max(hits, 1):.4f} | {of_sample / max(hits, 1):.4f} | {unknown:.0f} |"
        )
        if not hits:
            continue
        report.check(
            f"{name} {low:g}-{high:g} GeV: pulls beyond 3 at most 1.5%",
            f"{beyond / max(hits, 1):.4f}",
            beyond <= BEYOND * hits,
        )
    if not sums[:, 0].any():
        return
    share = sums[:, 1].sum() / max(sums[:, 0].sum(), 1.0)
    report.check(f"{name}: limits cover at least 88% of empty bins", f"{share:.3f}", share >= COVERED)
    median = float(np.median(np.concatenate([one for decade in ratios for one in decade])))
    report.check(f"{name}: median limit below 5 times the flux", f"{median:.2f}", median < MEDIAN)


def _head(report: Report) -> None:
    report.add(
        "", "| table | GeV | empty | covered | median limit / flux | hit | beyond 3 | of sample errors | no truth |"
    )
    report.add("|---|---|---|---|---|---|---|---|---|")


def _raw(report: Report, small: list[Result], long: Result, high: Result) -> None:
    _head(report)
    for binning in ("honda_aa", "fluka_aa", "fine_aa", "honda", "fine"):
        samples = [(*result.binned(SITE, binning)[:2], result.errors(SITE, binning)) for result in small]
        at = long.binning_energies(binning)
        _count(report, binning, samples, _truth(long, high, binning), at, DECADES_GEV)


def _shipped(report: Report) -> None:
    """Count tables of a few small runs against the site's shipped fluxes, which are smooth; this takes no long run.

    The fluxes are scaled by flavour and decade to the mean of the runs: they may be of another date.
    """
    small = [report.run(f"coverage_{i}", _config(1001 + i, SMALL, 2_000)) for i in range(SHIPPED_RUNS)]
    average, by_azimuth, _ = site_tables(shipped_site(SITE))
    _head(report)
    for binning, table in (("honda_aa", average.flux[..., 0]), ("honda", by_azimuth.flux)):
        samples = [(*result.binned(SITE, binning)[:2], result.errors(SITE, binning)) for result in small]
        at = small[0].binning_energies(binning)
        true = table[:, : len(at)].copy()
        mean = np.mean([flux for flux, *_ in samples], axis=0)
        weight = (at**3).reshape(-1, *[1] * (mean.ndim - 2))
        for low, high in itertools.pairwise(DECADES_GEV):
            inside = (at >= low) & (at < high)
            over = tuple(range(1, mean.ndim))
            scale = [np.sum((flux * weight)[:, inside], axis=over, keepdims=True) for flux in (mean, true)]
            true[:, inside] *= scale[0] / scale[1]
        _count(report, f"{binning}, shipped", samples, true, at, DECADES_GEV)


def _smooth(report: Report, small: list[Result], long: Result, high: Result) -> None:
    """Pulls of smooth tables near the horizon: rms by band, and the worst bin."""
    true, of_average = _truth(long, high, "honda"), _truth(long, high, "honda_aa")[..., None]
    noise = long.errors(SITE, "honda").error, long.errors(SITE, "honda_aa").error[..., None]
    energies, edges = long.binning_energies("honda"), long.binning_cos_edges("honda")
    near = np.abs(0.5 * (edges[1:] + edges[:-1])) < 0.1
    count = true.shape[3]
    smooth = [[one.table for one, _ in smooth_result(r, SITE, "honda", count)] for r in small[:SMOOTH_RUNS]]
    report.add("", "| smooth, abs(cos) < 0.1 | GeV | rms pull | worst bin: flavour, GeV | off | claimed |")
    report.add("|---|---|---|---|---|---|")
    parts: list[tuple[str, int, np.ndarray, np.ndarray, slice]] = [
        ("average", 0, of_average, noise[1], slice(0, 1)),
        ("from the east", 1, true, noise[0], slice(0, count // 2)),
        ("from the west", 1, true, noise[0], slice(count // 2, count)),
    ]
    for label, which, mean, spread, azimuths in parts:
        every = []
        for low, top in itertools.pairwise(SMOOTH_BANDS_GEV):
            rows = np.flatnonzero((energies >= low * (1 - 1e-9)) & (energies < top * (1 - 1e-9)))

            def cut(values: np.ndarray, rows: np.ndarray = rows, azimuths: slice = azimuths) -> np.ndarray:
                return values[:, rows][:, :, near][..., azimuths]

            flux = np.stack([cut(tables[which].flux) for tables in smooth])
            error = np.stack([cut(np.asarray(tables[which].error)) for tables in smooth])
            off = flux - cut(mean)
            # the noise of the truth is no fault of the table
            pull = np.abs(off) / np.hypot(error, cut(spread))
            every.append((pull**2)[np.isfinite(pull)])
            run, f, e, c, a = (int(i) for i in np.unravel_index(np.nanargmax(pull), pull.shape))
            report.add(
                f"| {label} | {low:g}-{top:g} | {np.sqrt(np.nanmean(pull**2)):.2f} "
                f"| {long.flavours[f]}, {energies[rows[e]]:.3g} | {off[run, f, e, c, a] / cut(mean)[f, e, c, a]:+.0%} "
                f"| {error[run, f, e, c, a] / flux[run, f, e, c, a]:.0%} |"
            )
        rms = float(np.sqrt(np.mean(np.concatenate(every))))
        report.check(f"smooth tables, abs(cos) < 0.1, {label}: rms pull at most 1.5", f"{rms:.2f}", rms <= 1.5)


def _muons(report: Report) -> None:
    """Limits and errors of muon, proton and neutron tables at the ground."""

    def config(seed: int, primaries: int, size: int) -> Config:
        return _config(
            seed,
            primaries,
            size,
            {
                "primaries": {"energy_GeV": [2.0, 1e6], "energy_index": 1.15},
                "scoring": {"neutrinos": False, "muons": True},
                "muons": {"ground": True, "momentum_GeV": [0.6, 3000.0]},
            },
        )

    def rows(result: Result) -> tuple[Sample, np.ndarray]:
        found = muon_spectra(result, SITE)
        levels = result.extra("muons", SITE)
        space = 2.0 * np.pi * np.diff(found.momentum_edges_GeV)[:, None] * np.diff(found.cos_zenith_edges)
        flux, sample = (x / space for x in levels.mean_and_error(result.n_batches))
        edges = (found.momentum_edges_GeV, found.cos_zenith_edges)
        errors = spectrum_errors(flux, sample, *edges, result.n_batches)
        # one level: (particle, momentum, cos_zenith)
        return (flux[0], sample[0], errors.reshaped(errors.error.shape[1:])), found.momenta_GeV

    long, momenta = rows(report.run("coverage_muons_long", config(77, MUON_LONG, 20_000)))
    small = [
        rows(report.run(f"coverage_muons_{i}", config(1001 + i, MUON_SMALL, MUON_SMALL // 40)))[0]
        for i in range(MUON_RUNS)
    ]
    _head(report)
    true = _expected(long[0], long[2])
    for name, which in (("muons", slice(0, 2)), ("nucleons", slice(2, 4))):
        samples = [(flux[which], sample[which], _of_rows(errors, which)) for flux, sample, errors in small]
        _count(report, name, samples, true[which], momenta, MUON_DECADES_GEV)


def _of_rows(errors: BinErrors, rows: slice) -> BinErrors:
    return BinErrors(*(getattr(errors, field.name)[rows] for field in dataclasses.fields(errors)))


def _varied(report: Report) -> None:
    """Limits and errors of tables under varied parameters, below 100 GeV."""

    def config(seed: int, primaries: int, size: int) -> Config:
        return _config(seed, primaries, size, {"scoring": {"gradients": sorted(VARY)}})

    def sample(result: Result) -> tuple[Sample, np.ndarray]:
        varied = result.gradients(SITE).vary(VARY)
        errors = varied.bin_errors()
        return (varied.flux, varied.error, errors), np.sqrt(varied.energy_edges_GeV[1:] * varied.energy_edges_GeV[:-1])

    long, at = sample(report.run("coverage_varied_long", config(77, VARIED_LONG, 10_000)))
    small = [
        sample(report.run(f"coverage_varied_{i}", config(1001 + i, VARIED_SMALL, VARIED_SMALL // 48)))[0]
        for i in range(VARIED_RUNS)
    ]
    _head(report)
    _count(report, "varied", small, _expected(long[0], long[2]), at, DECADES_GEV[:4])


def _seeds(report: Report, small: list[Result]) -> None:
    merged = _merged(report.folder, len(small))
    flux = merged.binned(SITE, "honda_aa")[0]
    mean = np.mean([result.binned(SITE, "honda_aa")[0] for result in small], axis=0)
    off = float(np.max(np.abs(flux - mean) / np.where(mean > 0.0, mean, 1.0)))
    report.check("merged seeds: the mean of equal runs", f"{off:.1e}", off < 1e-9)


def _merged(folder: Path, count: int) -> Result:
    target = folder / "coverage_merged.h5"
    write_result(merge_files([folder / f"coverage_{i}.h5" for i in range(count)]), target)
    return load(target)


def coverage(report: Report) -> None:
    """Check upper limits, errors of bins with few hits, smooth tables, and the merging of seeds.

    Parameters
    ----------
    report : Report
    """
    report.add("", "## Coverage of limits and errors", "")
    alone: dict[str, Callable[[Report], None]] = {"shipped": _shipped, "muons": _muons, "varied": _varied}
    for name, part in alone.items():
        if name in report.parts:
            part(report)
    if "neutrinos" not in report.parts:
        return
    hard = {"primaries": {"energy_GeV": [90.0, 1e6]}, "scoring": {"energy_min_GeV": 90.0}}
    high = report.run("coverage_high", _config(78, HIGH, 10_000, hard))
    small = [report.run(f"coverage_{i}", _config(1001 + i, SMALL, 2_000)) for i in range(RUNS)]
    long = report.run("coverage_long", _config(77, LONG, 20_000))
    _raw(report, small, long, high)
    _smooth(report, small, long, high)
    _seeds(report, small)
