"""Kernels compiled ahead in two processes are those that the batch kernel needs, and no others."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

PROGRAM = """
import json, sys
from sim3d.cli import main
from sim3d.simulation import compile_ahead
kept = []
listed = compile_ahead.kernels_of_a_batch
def keep(*arguments):
    kept.append(listed(*arguments))
    return kept[-1]
compile_ahead.kernels_of_a_batch = keep
main(["run", sys.argv[1], "-o", sys.argv[2], "--threads", "1"])
(showers, others), = kept
print(json.dumps({kernel.py_func.__name__: len(kernel.overloads) for kernel, _ in [*showers, *others]}))
print(showers[0][0].stats.cache_hits)
"""


@pytest.mark.slow
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2 or sys.platform != "linux", reason="needs two cores and Linux")
def test_every_kernel_is_compiled_once(tmp_path):
    """The types guessed for compiling ahead are those of the batch kernel: no kernel has a second version."""
    config = tmp_path / "run.toml"
    config.write_text('[run]\nseed = 1\nprimaries = 40\nbatch_size = 20\n[[sites]]\nname = "kamioka"\n')
    environment = {**os.environ, "SIM3D_CACHE_DIR": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(config), str(tmp_path / "run.h5")],
        capture_output=True, text=True, env=environment, check=True, timeout=600,
    )  # fmt: skip
    *_, versions, hits = done.stdout.splitlines()
    assert set(json.loads(versions).values()) == {1}
    assert hits != "Counter()"  # the shower came from the child, through the cache
