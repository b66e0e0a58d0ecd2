"""Compare the speed of this checkout with that of another revision, measurements taken in turns.

    python benchmarks/versus.py REVISION                          runs, trajectories, commands and the kernels
    python benchmarks/versus.py REVISION --only run starts --repeats 7
    python benchmarks/versus.py --checkout ../other               a folder that is there already

The other revision is checked out beside (``git worktree`` under output/versus/, kept for the next time) and uses this
Python's libraries, with its own folder first on PYTHONPATH and a cache of kernels of its own. Four kinds of rows:

- ``run``: CPU seconds of ``sim3d run`` for some primaries less those for a few (start, writing), for each sampling
  mode, and targeted with all scores on. Only the command line is used, so that any two layouts can be compared.
  Showers of two revisions with other physics (channels of decays, energies that are sampled) are not the same work.
- ``trajectories``: CPU seconds of ``sim3d cutoff --intensity`` with many directions less those with few: the same
  trajectories in any two revisions.
- ``commands``: CPU seconds of whole processes, start-up included, that do the same work in any two revisions: import,
  ``--help``, an atmosphere, a map of cutoffs, tables of a small result of format 1 (tests/data/format-1).
- every other name is a section of ``benchmarks/run.py``, run as a process in each checkout with its own scripts.

Each measurement is repeated, the two checkouts in turns (this, other, other, this, ...), after one that is not counted
(it compiles). The ratio is the median of this checkout over that of the other, so that 1.02 is 2% slower, for rates
their inverse; its spread is that of the ratios of neighbouring pairs (half of the range that holds 68%), divided by the
root of their number. A row is ``slower`` if the ratio exceeds 1 + tolerance by more than the spread; the status is 1
if one is.

Comparable with 7825836, the last revision before the modules were moved into packages: ``trajectories`` and
``commands``. Not comparable with it: ``run``, ``kernels``, ``merit``, ``paper``, ``table`` and ``scaling``, since
channels of decays, weights inside a shower and the energies that are sampled have changed (a shower is other work, and
so is a flux to a given error); ``starts`` compiles other kernels, and its run has another default hadronic model.
Ratios to 7825836 are in benchmarks/README.md.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "output" / "versus"

SECTIONS = ("kernels", "merit", "paper", "table", "scaling", "starts", "memory")
"""Of benchmarks/run.py; peers say nothing about two revisions."""

RATES = ("/s", "relative variance x CPU s)")
"""Ends of the units of numbers that are better when larger."""

RUNS = {
    "targeted": (30_000, '[sampling]\nmode = "targeted"\n', ""),
    "analog": (50_000, '[sampling]\nmode = "analog"\n', "patch = { ns_deg = 20, ew_deg = 40 }\n"),
    "rotated": (20_000, '[sampling]\nmode = "rotated"\n[transport]\nbending = false\n', ""),
    "targeted, all scores": (8_000, "[scoring]\nevents = true\ngradients = true\nheights = true\nmuons = true\n", ""),
}
"""Primaries (ten seconds: starting a process varies by a tenth), tables of the configuration, lines of the site."""

INPUTS = """[primaries]
model = "ghls2001-average"
solar = "fit"
[hadronic]
model = "fluka-z"
definition = "printed"
"""
"""Inputs of the runs, stated because two revisions may have different defaults."""

FEW = 200
"""Primaries of the run that is subtracted."""

CELLS, DIRECTIONS, FEW_DIRECTIONS = 648, 300, 20
"""Cells of ten degrees of the intensity map, its directions in each, and those of the map that is subtracted."""

COMMANDS = {
    "import sim3d": ["-c", "import sim3d"],
    "sim3d --help": ["-m", "sim3d.cli", "--help"],
    "sim3d atmosphere, NRLMSIS": ["-m", "sim3d.cli", "atmosphere", "--site", "kamioka", "--month", "1", "--json"],
    "sim3d cutoff, 360 directions": (
        ["-m", "sim3d.cli", "cutoff", "--site", "kamioka", "--map", "--step", "0.1", "-o", "{folder}"]
    ),
    "sim3d tables, Honda's format": ["-m", "sim3d.cli", "tables", "{folder}/run.h5", "-o", "{folder}"],
    "sim3d tables, CSV": ["-m", "sim3d.cli", "tables", "{folder}/run.h5", "--format", "csv", "-o", "{folder}"],
}
"""Arguments of Python, by row of the section ``commands``."""

RESULT = ROOT / "tests" / "data" / "format-1" / "run.h5.gz"
"""A result file that any revision reads."""

Values = dict[str, tuple[float, str]]


def other_checkout(revision: str) -> Path:
    """Folder with a revision's files: a git worktree, made if need be and brought to that revision."""
    command = ["git", "rev-parse", "--short=12", f"{revision}^{{commit}}"]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if found.returncode:
        raise SystemExit(f"{revision}: no revision of this repository")
    folder = OUTPUT / found.stdout.strip()
    if not (folder / "sim3d").is_dir():
        OUTPUT.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "worktree", "prune"], cwd=ROOT, check=True)
        command = ["git", "worktree", "add", "--force", "--detach", str(folder), found.stdout.strip()]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return folder


def environment_of(checkout: Path) -> dict[str, str]:
    """Variables with which a process runs that checkout's code."""
    kept = {
        key: value for key, value in os.environ.items() if key not in ("NUMBA_CACHE_DIR", "SIM3D_SET_NUMBA_CACHE_DIR")
    }
    cache = OUTPUT / "kernels" / checkout.name
    cache.mkdir(parents=True, exist_ok=True)
    return kept | {"PYTHONPATH": str(checkout), "SIM3D_CACHE_DIR": str(cache)}


def call(checkout: Path, *arguments: str) -> float:
    """CPU seconds of a Python process in a checkout.

    Raises
    ------
    RuntimeError
        With the last line of what it printed, if its status is neither 0 nor 1 (a missed target).
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    done = subprocess.run(
        command, cwd=checkout, env=environment_of(checkout), capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 1) or "Traceback" in done.stderr:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise RuntimeError(f"{checkout.name}: {' '.join(arguments[:4])}: {last}")
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def run_rows(checkout: Path, scale: float) -> Values:
    """CPU seconds of runs, by name.

    Parameters
    ----------
    checkout : Path
    scale : float
        Factor on the number of primaries.
    """
    rows: Values = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (primaries, tables, site) in RUNS.items():
            config = Path(folder) / "run.toml"
            size = f"[run]\nseed = 5\nprimaries = {FEW}\nbatch_size = 100\n"
            place = f'[[sites]]\nname = "kamioka"\naltitude_m = 0\n{site}'
            config.write_text(f"{size}{INPUTS}{tables}{place}", encoding="utf-8")
            many = FEW + 100 * max(1, round(scale * primaries / 100))
            command = ["-m", "sim3d.cli", "run", str(config), "-o", str(Path(folder) / "run.h5"), "--force", "--quiet"]
            command += ["--threads", "1"]
            whole = call(checkout, *command, "--primaries", str(many))
            rows[f"run, {name}, {many - FEW} primaries"] = whole - call(checkout, *command), "CPU s"
    return rows


def trajectory_rows(checkout: Path, scale: float) -> Values:
    """CPU seconds of the trajectories of an intensity map, by name.

    Parameters
    ----------
    checkout : Path
    scale : float
        Factor on the number of directions.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = ["-m", "sim3d.cli", "cutoff", "--intensity", "2", "--cell", "10", "-o", folder, "--directions"]
        many = FEW_DIRECTIONS + max(1, round(scale * DIRECTIONS))
        seconds = call(checkout, *command, str(many)) - call(checkout, *command, str(FEW_DIRECTIONS))
    return {f"trajectories at 2 GV, {CELLS * (many - FEW_DIRECTIONS)}": (seconds, "CPU s")}


def command_rows(checkout: Path, _scale: float) -> Values:
    """CPU seconds of whole processes, by name; a command that the checkout does not have gives no row.

    Parameters
    ----------
    checkout : Path
    """
    rows: Values = {}
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "run.h5").write_bytes(gzip.decompress(RESULT.read_bytes()))
        for name, arguments in COMMANDS.items():
            try:
                rows[name] = call(checkout, *(part.format(folder=folder) for part in arguments)), "CPU s"
            except RuntimeError as problem:
                print(problem, file=sys.stderr, flush=True)
    return rows


def section_rows(checkout: Path, section: str) -> Values:
    """Rows of a section of the checkout's own benchmarks/run.py."""
    call(checkout, "benchmarks/run.py", "--only", section)
    rows = json.loads((checkout / "output" / "benchmarks.json").read_text(encoding="utf-8"))
    return {row["name"]: (float(row["value"]), row["unit"]) for row in rows}


OWN_ROWS = {"run": run_rows, "trajectories": trajectory_rows, "commands": command_rows}
"""Sections that this script measures itself."""


def compare(ours: list[float], theirs: list[float], unit: str, tolerance: float) -> dict[str, Any]:
    """Ratio of the medians, its spread, and a verdict.

    Parameters
    ----------
    ours, theirs : list of float
        Measurements of this checkout and the other, of the same length; neighbours in time have the same index.
    unit : str
        Of the measurements; see RATES.
    tolerance : float
        Ratios up to 1 + tolerance count as equal.

    Raises
    ------
    ValueError
        If a measurement is not positive: the runs are too short for what is subtracted.
    """
    if min(*ours, *theirs) <= 0.0:
        raise ValueError(f"a measurement is not positive ({min(*ours, *theirs):.3g} {unit}): use a larger --scale")
    is_rate = unit.endswith(RATES)
    a, b = (theirs, ours) if is_rate else (ours, theirs)
    ratio = statistics.median(a) / statistics.median(b)
    pairs = sorted(x / y for x, y in zip(a, b, strict=True))
    spread = None
    if len(pairs) > 2:
        low, high = (pairs[round(share * (len(pairs) - 1))] for share in (0.16, 0.84))
        spread = 0.5 * (high - low) / len(pairs) ** 0.5
    excess = ratio - 1.0 - tolerance
    verdict = (
        "slower" if excess > (spread or 0.0) else "faster" if ratio < 1.0 - tolerance - (spread or 0.0) else "equal"
    )
    return {
        "this": statistics.median(ours),
        "other": statistics.median(theirs),
        "unit": unit,
        "ratio": ratio,
        "spread": spread,
        "verdict": verdict,
        "measurements": {"this": ours, "other": theirs},
    }


def measure(here: Path, there: Path, sections: list[str], repeats: int, scale: float) -> dict[str, dict[str, Any]]:
    """Measurements by row: unit, and values of both checkouts in the order of the repeats."""
    rows: dict[str, dict[str, Any]] = {}
    for section in sections:
        for repeat in range(-1, repeats):
            order = (here, there) if repeat % 2 else (there, here)
            for checkout in order:
                if section in OWN_ROWS:
                    found = OWN_ROWS[section](checkout, scale)
                else:
                    found = section_rows(checkout, section)
                if repeat < 0:
                    continue  # this one compiled
                for name, (value, unit) in found.items():
                    row = rows.setdefault(name, {"unit": unit, str(here): [], str(there): []})
                    row[str(checkout)].append(value)
            print(f"{section}: {repeat + 1} of {repeats}", file=sys.stderr, flush=True)
    return rows


def table(found: dict[str, dict[str, Any]], other: str) -> str:
    """The comparison as a table in Markdown."""
    lines = [
        f"| what | unit | this | {other} | ratio (above 1: slower) | spread | verdict |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        spread = "" if row["spread"] is None else f"{row['spread']:.3f}"
        cells = [name, row["unit"], f"{row['this']:.4g}", f"{row['other']:.4g}", f"{row['ratio']:.3f}", spread]
        lines.append(f"| {' | '.join(cells)} | {row['verdict']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, write output/versus/versus.json and .md, print the table; 1 if a row is slower."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("revision", nargs="?", help="what git can resolve: a commit, a tag, a branch")
    parser.add_argument("--checkout", type=Path, help="instead of a revision: a folder that holds one")
    parser.add_argument(
        "--only", nargs="+", choices=(*OWN_ROWS, *SECTIONS), default=["run", "trajectories", "commands", "kernels"]
    )
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--scale", type=float, default=1.0, help="factor on the primaries of the runs")
    parser.add_argument("--tolerance", type=float, default=0.02)
    options = parser.parse_args()
    if (options.revision is None) == (options.checkout is None):
        parser.error("give a revision or --checkout")
    there = options.checkout.resolve() if options.checkout else other_checkout(options.revision)
    rows = measure(ROOT, there, options.only, options.repeats, options.scale)
    found = {}
    for name, row in rows.items():
        ours, theirs = row[str(ROOT)], row[str(there)]
        if len(ours) == len(theirs) == options.repeats:  # a row that only one of them has is left out
            found[name] = compare(ours, theirs, row["unit"], options.tolerance)
        else:
            print(f"only in one of the two: {name}", file=sys.stderr)
    OUTPUT.mkdir(parents=True, exist_ok=True)
    other = options.revision or there.name
    document = {"other": other, "tolerance": options.tolerance, "repeats": options.repeats, "rows": found}
    (OUTPUT / "versus.json").write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    (OUTPUT / "versus.md").write_text(table(found, other), encoding="utf-8")
    print(table(found, other), end="")
    return int(any(row["verdict"] == "slower" for row in found.values()))


if __name__ == "__main__":
    sys.exit(main())
