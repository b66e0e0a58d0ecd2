"""Run the tests, then every other check though one fails, and say at the end what each gave (``make test``).

    python scripts/checks/run_checks.py [--only NAME ...] [-- arguments for pytest]

First the kernels are compiled (scripts/checks/compile_kernels.py), then come the tests, on two processes; the other
checks after them, two at a time. At the end: a line per
check with its time, the skipped tests with their reasons, pytest's own last line. Status 1 if a check failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
JUNIT = ROOT / "output" / "checks" / "tests.xml"
TESTS = ["-m", "pytest", "-m", "not slow", "--durations=15", f"--junitxml={JUNIT}"]
# a file's tests stay together (they share runs); tests/conftest.py puts the longest files first
TESTS += ["-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"]


CHECKS: dict[str, list[str]] = {
    "types (mypy)": ["mypy"],
    "documentation (mkdocs)": ["mkdocs", "build", "--strict", "--quiet"],
    "imports (lint-imports)": ["lint-imports"],
    "spelling (codespell)": ["codespell"],
    "large files": ["python", "scripts/checks/large_files.py"],
    "lint (ruff)": ["ruff", "check", "."],
    "format (ruff)": ["ruff", "format", "--check", "."],
    "changelog fragments": ["python", "scripts/checks/changelog.py", "--check"],
}


def run_check(name: str) -> tuple[int, float, str]:
    """Status, seconds and output of one check."""
    program, *arguments = CHECKS[name]
    command = [str(Path(sys.executable).with_name(program)), *arguments]
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    started = time.perf_counter()
    try:
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    except OSError as problem:
        return 1, 0.0, f"{command[0]}: {problem.strerror}\n"
    return done.returncode, time.perf_counter() - started, done.stdout + done.stderr


def skipped_tests() -> Counter[str]:
    """Reasons of skips in the last run of the tests, with how many tests they concern."""
    reasons: Counter[str] = Counter()
    if JUNIT.exists():
        for case in ET.parse(JUNIT).iter("testcase"):
            skip = case.find("skipped")
            if skip is not None:
                where = case.get("classname", "").split(".")[-1]
                reasons[f"{where}: {skip.get('message', '')}"] += 1
    return reasons


def last_line_of_pytest() -> str:
    """Passed, failed and skipped tests, as pytest counts them."""
    if not JUNIT.exists():
        return "0 passed, 0 failed"
    suites = list(ET.parse(JUNIT).iter("testsuite"))
    total, bad, skipped = (
        sum(int(suite.get(key, "0")) for suite in suites for key in keys)
        for keys in (("tests",), ("failures", "errors"), ("skipped",))
    )
    return f"{total - bad - skipped} passed, {bad} failed, {skipped} skipped"


def main() -> int:
    """Run what was asked for; 1 if anything failed."""
    names = ("tests", *CHECKS)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=names, default=names, metavar="NAME", help=", ".join(names))
    parser.add_argument("pytest", nargs="*", help="arguments for pytest, after --")
    options = parser.parse_args()
    JUNIT.parent.mkdir(parents=True, exist_ok=True)
    found: dict[str, tuple[int, float]] = {}
    if "tests" in options.only:
        JUNIT.unlink(missing_ok=True)
        started = time.perf_counter()
        status = subprocess.run([sys.executable, "scripts/checks/compile_kernels.py"], cwd=ROOT, check=False).returncode
        found["kernels"] = status, time.perf_counter() - started
        started = time.perf_counter()
        status = subprocess.run([sys.executable, *TESTS, *options.pytest], cwd=ROOT, check=False).returncode
        found["tests"] = status, time.perf_counter() - started
    chosen = [name for name in CHECKS if name in options.only]
    if "tests" in found and not options.pytest:
        # tests/docs/test_site.py has built the site, strictly
        chosen = [name for name in chosen if name != "documentation (mkdocs)"]
    with ThreadPoolExecutor(max_workers=2) as pool:
        for name, (status, seconds, output) in zip(chosen, pool.map(run_check, chosen), strict=True):
            found[name] = status, seconds
            if status:
                print(f"\n==== {name}: status {status}\n{output}", flush=True)
    print("\n==== summary")
    for name, (status, seconds) in found.items():
        print(f"{'FAILED' if status else 'ok':>8}  {name} ({seconds:.0f} s)")
    if "tests" in found:
        skips = skipped_tests()
        print(f"{sum(skips.values()):>8}  tests skipped{':' if skips else ''}")
        for reason, count in skips.items():
            print(f"{'':10}{count} x {reason}")
        print(last_line_of_pytest())
    return int(any(status for status, _ in found.values()))


if __name__ == "__main__":
    sys.exit(main())
