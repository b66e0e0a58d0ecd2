"""The kernels stay inside their arrays: a run with numba's bounds checks, which are off in production."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROGRAM = """
import sys
import sim3d

mode = sys.argv[1]
result = sim3d.run({
    "run": {"primaries": 200, "batch_size": 100},
    "primaries": {"energy_GeV": [2.0, 1.0e5]},
    "transport": {"bending": mode != "rotated"},
    "sampling": {"mode": mode},
    "scoring": {"heights": True, "gradients": True, "muons": True},
    "sites": [{"name": "kamioka", "patch": {"radius_deg": 60}}, {"name": "sno", "patch": {"radius_deg": 60}}],
}, threads=1)
assert result.record.tallies[0].hits.sum() > 0
assert result.attributes["primaries"] == 200
"""


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["targeted", "analog", "rotated"])
def test_no_index_is_out_of_bounds(tmp_path, mode):
    """An index outside an array raises IndexError in the kernel, which ends the run."""
    environment = {
        **os.environ,
        "NUMBA_BOUNDSCHECK": "1",
        "SIM3D_CACHE_DIR": str(tmp_path),
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }
    for name in ("NUMBA_CACHE_DIR", "SIM3D_SET_NUMBA_CACHE_DIR"):
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, mode], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
