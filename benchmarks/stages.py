"""Measure where the CPU time of a run with targeted sampling goes, by stage and by function of the compiled kernels.

    python benchmarks/stages.py                      60,000 primaries at Kamioka
    python benchmarks/stages.py --primaries 200000

Needs Linux with `perf` (user events allowed) and `readelf`. Python's profiler sees a kernel as one function. Here perf
samples the process with its stack, and the symbols of the compiled kernels tell which function a sample is in and which
stage has called it. Kernels must be in the cache (run it twice). A function that the compiler has put into another one
counts as part of that one, so that the stages of an edited kernel may need other names.
"""

from __future__ import annotations

import argparse
import bisect
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

STAGES = (
    "draw_vertex", "list_crossings", "list_aims", "draw_aim", "draw_rotation", "trace_to_top", "_decide_some",
    "decide_many", "backtrack_state", "shower", "rotation_density", "hits_of_shower", "score_shower", "targeted_batch",
)  # fmt: skip
"""Functions that are counted with all that they call; the innermost one counts."""
_STACK_BYTES = 4096
_STACK_AT = 0xE8
"""Where a sample has the copy of its stack, after its header and sixteen registers (x86-64)."""


def simulate(primaries: int, symbols: Path) -> None:
    """Simulate batches and write address, size and name of every function of the kernels that were loaded.

    Parameters
    ----------
    primaries : int
    symbols : pathlib.Path
        Receives the symbols.
    """
    from numba.core import codegen

    loaded: list[tuple[Any, bytes]] = []
    kind: Any = codegen.CPUCodeLibrary
    original = kind._unserialize.__func__

    def unserialize(cls: Any, owner: Any, state: Any) -> Any:
        library = original(cls, owner, state)
        if state[1] == "object":
            loaded.append((library, state[2][0]))
        return library

    kind._unserialize = classmethod(unserialize)

    from sim3d.config.load import make_config
    from sim3d.sampling.batch import empty_scores
    from sim3d.simulation.setup import make_setup

    run = {"primaries": 10**9, "batch_size": 2000, "seed": 5}
    setup = make_setup(make_config({"run": run, "sites": [{"name": "kamioka"}], "allocation": {"mode": "off"}}))
    scores = empty_scores(1, setup.n_azimuth)
    run_batch = setup.batch_function()
    run_batch(0, scores)
    lines = []
    for library, code in loaded:
        with tempfile.NamedTemporaryFile(suffix=".o") as file:
            file.write(code)
            file.flush()
            table = subprocess.run(["readelf", "-sW", file.name], capture_output=True, text=True, check=True).stdout
        rows = [line.split() for line in table.splitlines() if " FUNC " in line and " UND " not in line]
        starts: dict[str, int] = {}
        for row in rows:
            address = library.codegen._engine.get_function_address(row[7])
            if address:
                starts.setdefault(row[6], address - int(row[1], 16))
        lines += [f"{starts[r[6]] + int(r[1], 16)} {int(r[2], 0)} {r[7]}" for r in rows if r[6] in starts]
    symbols.write_text("\n".join(lines), encoding="ascii")
    for batch in range(1, primaries // 2000 + 1):
        run_batch(batch, scores)


def short(symbol: str) -> str:
    """Return the function's name in a symbol of numba (_ZN, then length and text of each part)."""
    name, rest = symbol, symbol.removeprefix("_ZN")
    while rest[:1].isdigit():
        digits = len(rest) - len(rest.lstrip("0123456789"))
        length = int(rest[:digits])
        name, rest = rest[digits : digits + length], rest[digits + length :]
    return name


def count(recorded: Path, symbols: Path) -> tuple[Counter[str], Counter[str]]:
    """Count the samples of a recording that are in kernels or were called by them.

    Parameters
    ----------
    recorded, symbols : pathlib.Path
        Of perf, and of :func:`simulate`.

    Returns
    -------
    stages, functions : Counter
    """
    table = sorted((int(a), int(n), short(s)) for a, n, s in map(str.split, symbols.read_text().splitlines()))
    starts = [row[0] for row in table]

    def function_at(address: int) -> str:
        i = bisect.bisect_right(starts, address) - 1
        return table[i][2] if i >= 0 and starts[i] < address < starts[i] + table[i][1] else ""

    stages: Counter[str] = Counter()
    functions: Counter[str] = Counter()
    sample = bytearray()
    command = ["perf", "script", "-i", str(recorded), "-D", "--no-inline"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        for line in process.stdout or ():
            if line.startswith(". ... raw event"):
                sample.clear()
            elif line.startswith(".  0"):
                sample += bytes.fromhex(line[9:57])
            elif "PERF_RECORD_SAMPLE" in line:
                words = [sample[8:16]] + [sample[k : k + 8] for k in range(_STACK_AT, len(sample) - 8, 8)]
                chain = [function_at(int.from_bytes(word, "little")) for word in words]
                if any(chain):
                    functions[chain[0] or "C library, reference counts"] += 1
                    stages[next((name for name in chain if name in STAGES), "other")] += 1
    return stages, functions


def main() -> None:
    """Record a run and print the shares."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--primaries", type=int, default=60_000, help="primaries  [default: 60000]")
    parser.add_argument("--symbols", type=Path, help=argparse.SUPPRESS)  # of the run that is recorded
    arguments = parser.parse_args()
    if arguments.symbols:
        simulate(arguments.primaries, arguments.symbols)
        return
    with tempfile.TemporaryDirectory() as folder:
        recorded, symbols = Path(folder) / "perf.data", Path(folder) / "symbols"
        command = ["perf", "record", "-q", "-e", "cpu-clock:u", "-F", "999", "--call-graph", f"dwarf,{_STACK_BYTES}"]
        command += ["-o", str(recorded), sys.executable, __file__, "--primaries", str(arguments.primaries)]
        environment = os.environ | {"NUMBA_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        subprocess.run([*command, "--symbols", str(symbols)], check=True, env=environment)
        for title, counted in zip(("stage", "function"), count(recorded, symbols), strict=True):
            print(f"% of {counted.total()} samples, by {title}")
            for name, number in counted.most_common(14):
                print(f"{100.0 * number / counted.total():6.1f}  {name}")


if __name__ == "__main__":
    main()
