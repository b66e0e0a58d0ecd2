"""Compare small runs of any checkout, bit by bit, with those kept in tests/data/bits.json.

    python scripts/golden/check_bits.py                         this checkout, all runs, threads and ranks
    python scripts/golden/check_bits.py --checkout ../other     another checkout, with this Python's libraries
    python scripts/golden/check_bits.py --only targeted-full --threads-only
    python scripts/golden/check_bits.py --write                 after a deliberate change of the numbers

Six runs: the sampling modes targeted, analog and rotated, each plain (the runs of make_golden.py) and with events,
gradients, a variation, heights and muons. Plain runs go in threads, full ones in threads and in two MPI ranks. The
script uses only the command line, ``sim3d.load`` and the result files, so that it works with any layout of the modules.
Compared are ``data_sha256`` of every result, the checksum of every array in it, the counters, and the fluxes and hits
summed by site and flavour. The status is 1 if anything differs, 2 if a run failed. The bits are those of one kind of
processor and one version of numba (written in the file): elsewhere compare two checkouts with --store and --against.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "data" / "bits.json"
Document = dict[str, Any]

# every input is stated, so that new defaults leave the runs as they are; but not that these models have no calibration,
# as checkouts of before know no such key
_COMMON = """
[primaries]
model = "ghls2001-average"
energy_GeV = [2.0, 1000.0]
solar_potential_MV = 1109.0
[hadronic]
model = "fluka-z"
definition = "printed"
[field]
date = "2015-01-01"
"""
_PATCHES = {
    "targeted": ("", "patch = { radius_deg = 5 }"),
    "analog": ("patch = { ns_deg = 60, ew_deg = 120 }", "patch = { radius_deg = 40 }"),
    "rotated": ("", ""),
}
_FULL = """
[scoring]
events = true
gradients = true
heights = true
muons = true
[[scoring.variations]]
name = "slope"
parameters = { "primary:p:slope" = 0.1 }
"""
RUNS = tuple(f"{mode}-{kind}" for kind in ("full", "plain") for mode in _PATCHES)

# Runs in the checkout's own process: summed fluxes (m^-2 s^-1) and hits of each site and flavour.
_SUMS = """
import json, sys
import sim3d
result = sim3d.load(sys.argv[1])
sums = {}
for site in result.sites:
    flux, _, hits = result.binned(site, "fine_aa")
    for i, flavour in enumerate(result.flavours):
        sums[f"{site} {flavour}"] = [float(flux[i].sum()), int(hits[i].sum())]
print(json.dumps(sums))
"""


def configuration(name: str) -> str:
    """The TOML text of a run."""
    mode, kind = name.split("-")
    size = "primaries = 2000\nbatch_size = 250" if kind == "plain" else "primaries = 600\nbatch_size = 100"
    text = f'[run]\nseed = 20200101\n{size}\n{_COMMON}[sampling]\nmode = "{mode}"\n'
    text += "[transport]\nbending = false\n" if mode == "rotated" else ""
    text += _FULL if kind == "full" else ""
    for site, patch in zip(("kamioka", "sno"), _PATCHES[mode], strict=True):
        text += f'[[sites]]\nname = "{site}"\naltitude_m = 0.0\n{patch}\n'
    return text


def arrays_of(path: Path) -> dict[str, str]:
    """First 16 digits of the SHA-256 of every array in an HDF5 file, by its name; texts are left out."""
    import h5py
    import numpy as np

    found: dict[str, str] = {}

    def note(name: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind != "O":
            value = np.ascontiguousarray(item[()])
            digest = hashlib.sha256(f"{value.dtype.str} {value.shape}".encode())
            digest.update(value.tobytes())
            found[name] = digest.hexdigest()[:16]

    with h5py.File(path) as file:
        file.visititems(note)
    return found


def run(name: str, checkout: Path, ranks: int) -> Document:
    """What one run gives: checksums, counters and sums.

    Parameters
    ----------
    name : str
        One of RUNS.
    checkout : Path
        Folder that holds the packages.
    ranks : int
        MPI processes of one thread each; 1 for two threads in one process.
    """
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    with tempfile.TemporaryDirectory() as folder:
        config, result = Path(folder) / f"{name}.toml", Path(folder) / "run.h5"
        config.write_text(configuration(name), encoding="utf-8")

        def python(*arguments: str, launcher: tuple[str, ...] = ()) -> str:
            done = subprocess.run(
                [*launcher, sys.executable, *arguments],
                env=environment, cwd=folder, capture_output=True, text=True, check=False,
            )  # fmt: skip
            if done.returncode:
                raise RuntimeError(f"{name}: status {done.returncode} of {' '.join(arguments[:3])}\n{done.stderr}")
            return done.stdout

        launcher: tuple[str, ...] = ()
        if ranks > 1:
            launcher = (mpirun(), "-n", str(ranks))
            # Open MPI refuses root and more ranks than cores unless told
            if Path(launcher[0]).with_name("ompi_info").exists():
                launcher += ("--allow-run-as-root", "--oversubscribe")
        command = ["-m", "sim3d.cli", "run", str(config), "-o", str(result), "--quiet"]
        python(*command, "--threads", "1" if ranks > 1 else "2", launcher=launcher)
        checked = json.loads(python("-m", "sim3d.cli", "info", str(result), "--verify", "--json"))
        info = json.loads(python("-m", "sim3d.cli", "info", str(result), "--json"))
        attributes = info["attributes"]
        return {
            "data_sha256": checked["data_sha256"],
            "event_records": info["event_records"],
            "counters": {key: value for key, value in sorted(attributes.items()) if key.startswith("count_")},
            "sums": json.loads(python("-c", _SUMS, str(result))),
            "arrays": arrays_of(result),
        }


def mpirun() -> str:
    """The launcher beside this Python, or the one on the PATH."""
    beside = Path(sys.executable).with_name("mpirun")
    found = str(beside) if beside.exists() else shutil.which("mpirun")
    if found is None:
        raise RuntimeError("no mpirun beside this Python nor on the PATH; give --threads-only")
    return found


def differences(expected: Document, found: Document) -> list[str]:
    """What differs between two runs, a line each; none if the results are the same bit by bit."""
    if expected["data_sha256"] == found["data_sha256"] and expected["event_records"] == found["event_records"]:
        return []
    lines = [f"data_sha256 {found['data_sha256'][:16]}..., expected {expected['data_sha256'][:16]}..."]
    for key in ("arrays", "counters", "sums"):
        names = sorted({*expected[key], *found[key]})
        lines += [
            f"{key}: {name}: {found[key].get(name)}, expected {expected[key].get(name)}"
            for name in names
            if found[key].get(name) != expected[key].get(name)
        ]
    return lines


def main() -> int:
    """Make the runs and compare or store them."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkout", type=Path, default=Path.cwd(), help="folder with the packages  [default: here]")
    parser.add_argument("--only", nargs="+", choices=RUNS, default=RUNS, metavar="RUN", help=", ".join(RUNS))
    parser.add_argument("--threads-only", action="store_true", help="no MPI ranks")
    parser.add_argument(
        "--against", type=Path, default=KEPT, help="file to compare with  [default: tests/data/bits.json]"
    )
    parser.add_argument("--store", type=Path, help="write what was found to this file; nothing is compared")
    parser.add_argument("--write", action="store_true", help="the same, to tests/data/bits.json")
    options = parser.parse_args()
    checkout = options.checkout.resolve()
    if not (checkout / "sim3d").is_dir():
        parser.error(f"--checkout: {checkout} holds no folder sim3d")
    target = KEPT if options.write else options.store
    kept: Document = {} if target else json.loads(options.against.read_text(encoding="utf-8"))["runs"]
    found: Document = {}
    bad = 0
    for name in options.only:
        ways = [1] if options.threads_only or name.endswith("plain") else [1, 2]
        for ranks in ways:
            try:
                now = run(name, checkout, ranks)
            except RuntimeError as problem:
                print(problem, file=sys.stderr)
                return 2
            found.setdefault(name, now)
            problems = differences(kept.get(name, found[name]), now)
            bad += bool(problems)
            way = "2 threads" if ranks == 1 else f"{ranks} ranks"
            print(f"{name}, {way}: {'DIFFERS' if problems else 'same'}, {now['data_sha256']}", flush=True)
            for line in problems[:40]:
                print(f"    {line}")
    if target:
        import numba
        import numpy

        made = {"numba": numba.__version__, "numpy": numpy.__version__, "machine": platform.machine()}
        target.write_text(json.dumps({"made_with": made, "runs": found}, indent=1) + "\n", encoding="utf-8")
        print(f"written: {target}")
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
