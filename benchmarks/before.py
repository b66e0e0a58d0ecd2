"""Compare runs of this checkout with those of the last commit before energies from 0.1 GeV to 10 TeV were one run.

    python benchmarks/before.py                              3 turns, ten minutes
    python benchmarks/before.py --turns 2 --primaries 500000 500000
    python benchmarks/before.py --reuse                      results that are there are not made again
    python benchmarks/before.py --more a.h5 --flux b.h5      with other results of the default configuration

Both make the same flux, that of this checkout's default configuration at Kamioka: the inputs are stated, and both
read this checkout's table of yields. The runs are made in turns (``versus.py``: a worktree of the other revision with
its own kernels), each with its own seed and one thread. Printed are

- the ratio of the fluxes averaged over the sky by flavour and band, with the errors of both;
- the ratio of the figures of merit, 1 / (relative variance x CPU seconds), by flavour at 0.3, 1, 3, 10 and 100 GeV: the
  mean relative variance of the five Honda bins around, from groups of batches. Seconds are those of the process less
  those of a run of a few primaries (start), so they include the survey that chooses the primaries' energies.

``--more`` takes results of this checkout's default configuration with 500,000 primaries or more, which count in both,
with the seconds for each primary of the turns; ``--flux`` takes shorter ones, without a survey, for the fluxes alone.
Results, seconds and the table are kept in output/before/.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from versus import FEW, ROOT, call, other_checkout

import sim3d
from sim3d.conventions.flavours import FLAVOURS

REVISION = "e5a0e9e"
"""The main line before energies were drawn from two densities and mesons shared their decays."""
FOLDER = ROOT / "output" / "before"
BANDS_GEV = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
MERIT_GEV = (0.3, 1.0, 3.0, 10.0, 100.0)
MERIT_WANTED = {"numu": (0.9, 0.9, 0.9, 0.9, 40.0), "nue": (0.9, 0.9, 0.9, 0.9, 20.0)}
"""By the kind of neutrino, at MERIT_GEV."""
FLUX_WANTED, FLUX_RANGE_GEV = 0.01, (0.3, 10.0)

CONFIG = """[run]
seed = {seed}
primaries = {primaries}
batch_size = {batch}
[primaries]
model = "gsf:2026.1"
solar = "date"
energy_GeV = [0.5, 1e7]
[hadronic]
model = "table"
table = "{table}"
[field]
date = "2020-01-01"
[sampling]
mode = "targeted"
[[sites]]
name = "kamioka"
altitude_m = 1370
"""
"""The defaults of this checkout, which the other one does not have."""
TABLE = ROOT / "hadronic" / "tables" / "accelerator.h5"

Row = dict[str, Any]


def _seconds(checkout: Path, stem: Path, seed: int, primaries: int) -> float:
    """CPU seconds of a run."""
    batch = max(primaries // 240, 50)
    text = CONFIG.format(seed=seed, primaries=primaries, batch=batch, table=TABLE)
    stem.with_suffix(".toml").write_text(text, encoding="utf-8")
    command = ["-m", "sim3d.cli", "run", str(stem.with_suffix(".toml")), "-o", str(stem.with_suffix(".h5"))]
    return call(checkout, *command, "--force", "--quiet", "--threads", "1")


def runs(there: Path, turns: int, primaries: tuple[int, int], reuse: bool) -> dict[str, list[tuple[Path, float]]]:
    """Make the runs in turns.

    Parameters
    ----------
    there : Path
        Checkout of the other revision.
    turns : int
    primaries : (int, int)
        Of a run of this checkout and of the other.
    reuse : bool
        Whether results that are there are kept.

    Returns
    -------
    dict
        For ``this`` and ``other``, the result files and their CPU seconds without the start.
    """
    FOLDER.mkdir(parents=True, exist_ok=True)
    notes = FOLDER / "seconds.json"
    known: dict[str, float] = json.loads(notes.read_text(encoding="utf-8")) if reuse and notes.exists() else {}
    made: dict[str, list[tuple[Path, float]]] = {"this": [], "other": []}
    checkouts = {"this": ROOT, "other": there}
    for turn in range(turns):
        for k, name in enumerate(("this", "other") if turn % 2 else ("other", "this")):
            number = primaries[name == "other"]
            stem = FOLDER / f"{name}_{turn}_{number}"
            if stem.name not in known:
                start = FOLDER / f"start_{name}"
                if turn == 0:
                    _seconds(checkouts[name], start, 1, FEW)  # this one compiles
                first = _seconds(checkouts[name], start, 1, FEW)
                known[stem.name] = _seconds(checkouts[name], stem, 100 + 2 * turn + k, number) - first
                notes.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
                print(f"{stem.name}: {known[stem.name]:.1f} CPU s", flush=True)
            made[name].append((stem.with_suffix(".h5"), known[stem.name]))
    return made


def sky_groups(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Read the sky averages of a result by group of batches.

    Parameters
    ----------
    path : Path

    Returns
    -------
    edges_GeV : float64 array (102,)
        Edges of Honda's bins.
    groups : float64 array (groups, 4, 101)
        Integral of the flux over each bin (m^-2 s^-1 sr^-1).
    """
    result = sim3d.load(path)
    edges = result.binning_energy_edges("fine_aa")
    fine = result.groups_east_west("kamioka")[result.group_weights > 0].mean(axis=(3, 4)) * np.diff(edges)
    return edges[::2], fine.reshape(*fine.shape[:2], -1, 2).sum(axis=3)


def _bands(edges: np.ndarray, limits: tuple[float, ...]) -> list[slice]:
    """Bins between the limits, which are middles of bins."""
    middles = np.sqrt(edges[1:] * edges[:-1])
    first = [int(np.argmin(np.abs(np.log(middles / limit)))) for limit in limits]
    return [slice(a, b) for a, b in itertools.pairwise(first)]


def _band_fluxes(path: Path) -> tuple[np.ndarray, np.ndarray, int]:
    """Sky averages of a result by flavour and band, their variances, and its number of primaries."""
    edges, groups = sky_groups(path)
    values = np.stack([groups[:, :, band].sum(axis=2) for band in _bands(edges, BANDS_GEV)], axis=2)
    return values.mean(axis=0), values.var(axis=0, ddof=1) / len(values), int(sim3d.load(path).attributes["primaries"])


def flux_ratios(ours: list[Path], theirs: list[Path]) -> tuple[np.ndarray, np.ndarray]:
    """Compute the fluxes of this checkout over those of the other, by flavour and band.

    Results are averaged with their primaries as weights, not with their errors, which are smaller where a result
    fluctuated down.

    Parameters
    ----------
    ours, theirs : list of Path
        Results of both.

    Returns
    -------
    ratio, error : float64 arrays (4, bands)
    """
    mean, relative = [], []
    for files in (ours, theirs):
        read = [_band_fluxes(path) for path in files]
        share = np.array([number for *_, number in read]) / sum(number for *_, number in read)
        mean.append(np.tensordot(share, np.array([one for one, *_ in read]), axes=1))
        variance = np.tensordot(share**2, np.array([one for _, one, _ in read]), axes=1)
        relative.append(np.sqrt(variance) / mean[-1])
    ratio = mean[0] / mean[1]
    return ratio, ratio * np.hypot(*relative)


def merits(files: list[tuple[Path, float]]) -> np.ndarray:
    """Compute the figure of merit by flavour at MERIT_GEV.

    Parameters
    ----------
    files : list of (Path, float)
        Results and CPU seconds.

    Returns
    -------
    float64 array (4, 5)
        1 / (relative variance x CPU s).
    """
    variances, shares = [], []
    for path, seconds in files:
        edges, groups = sky_groups(path)
        variances.append(groups.var(axis=0, ddof=1) / len(groups) / groups.mean(axis=0) ** 2 * seconds)
        shares.append(seconds)
    middles = np.sqrt(edges[1:] * edges[:-1])
    cost = np.average(variances, axis=0, weights=shares)
    near = [int(np.argmin(np.abs(np.log(middles / energy)))) for energy in MERIT_GEV]
    return 1.0 / np.stack([cost[:, max(i - 2, 0) : i + 3].mean(axis=1) for i in near], axis=1)


def before(
    turns: int = 3,
    primaries: tuple[int, int] = (500_000, 1_000_000),
    reuse: bool = False,
    checkout: Path | None = None,
    more: Sequence[Path] = (),
    flux: Sequence[Path] = (),
) -> list[Row]:
    """Compare fluxes and figures of merit with those of REVISION.

    Parameters
    ----------
    turns : int
    primaries : (int, int)
        Of a run of this checkout and of the other.
    reuse : bool
        Whether results that are there are kept.
    checkout : Path, optional
        A folder with the other revision, instead of a worktree of REVISION.
    more, flux : sequence of Path
        Other results of the default configuration: for both comparisons, and for the fluxes alone.

    Returns
    -------
    list of dict
        Rows of the benchmarks; none if git does not have the revision.
    """
    try:
        there = checkout or other_checkout(REVISION)
    except (SystemExit, subprocess.CalledProcessError) as problem:
        print(f"before: skipped ({problem})", flush=True)
        return []
    made = runs(there, turns, primaries, reuse)
    each = sum(seconds for _, seconds in made["this"]) / (turns * primaries[0])
    made["this"] += [(path, each * int(sim3d.load(path).attributes["primaries"])) for path in more]
    rows: list[Row] = []
    ours, theirs = ([path for path, _ in made[name]] for name in ("this", "other"))
    ratio, error = flux_ratios([*ours, *flux], theirs)
    for f, flavour in enumerate(FLAVOURS):
        for b, (low, high) in enumerate(itertools.pairwise(BANDS_GEV)):
            judged = FLUX_RANGE_GEV[0] <= low and high <= FLUX_RANGE_GEV[1]
            deviation = abs(ratio[f, b] - 1.0)
            rows.append(
                {
                    "name": f"flux over that of {REVISION}, {flavour}, {low:g}-{high:g} GeV (+- {error[f, b]:.4f})",
                    "value": float(ratio[f, b]),
                    "unit": "",
                    "peer": REVISION,
                    "ratio": float(ratio[f, b]),
                    "target": 1.0 if judged else None,
                    "met": bool(deviation - 2.0 * error[f, b] <= FLUX_WANTED) if judged else None,
                }
            )
    single = [np.array([merits([one]) for one in made[name]]) for name in ("this", "other")]
    spread = np.sqrt(sum(np.var(np.log(one), axis=0, ddof=1) / len(one) for one in single))
    merit = [merits(made[name]) for name in ("this", "other")]
    for f, flavour in enumerate(FLAVOURS):
        for e, energy in enumerate(MERIT_GEV):
            gain, wanted = merit[0][f, e] / merit[1][f, e], MERIT_WANTED[flavour.removesuffix("bar")][e]
            rows.append(
                {
                    "name": f"figure of merit over that of {REVISION}, {flavour}, {energy:g} GeV "
                    f"(+- {100 * spread[f, e]:.0f}%)",
                    "value": float(merit[0][f, e]),
                    "unit": "1/(relative variance x CPU s)",
                    "peer": REVISION,
                    "ratio": float(gain),
                    "target": wanted,
                    "met": bool(gain >= wanted),
                }
            )
    return rows


def main() -> int:
    """Print the rows; 1 if a target was missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--primaries", type=int, nargs=2, default=(500_000, 1_000_000), help="of a run of each")
    parser.add_argument("--more", type=Path, nargs="+", default=[], help="results of the default configuration")
    parser.add_argument("--flux", type=Path, nargs="+", default=[], help="shorter ones, for the fluxes alone")
    parser.add_argument("--checkout", type=Path, help=f"a folder with the other revision  [default: {REVISION}]")
    parser.add_argument("--reuse", action="store_true", help="keep results that are there")
    options = parser.parse_args()
    if options.turns < 2:
        parser.error("--turns: at least 2")
    this, other = options.primaries
    rows = before(options.turns, (this, other), options.reuse, options.checkout, options.more, options.flux)
    for row in rows:
        verdict = {None: "", True: "met", False: "MISSED"}[row["met"]]
        target = "" if row["target"] is None else f"target {row['target']:g}"
        print(f"{row['name']}: {row['ratio']:.4g} {target} {verdict}".rstrip())
    return int(any(row["met"] is False for row in rows))


if __name__ == "__main__":
    raise SystemExit(main())
