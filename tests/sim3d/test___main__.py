"""``python -m sim3d`` is the command line."""

import subprocess
import sys

import sim3d


def test_python_m_sim3d():
    done = subprocess.run([sys.executable, "-m", "sim3d", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"sim3d {sim3d.__version__}\n"
    wrong = subprocess.run([sys.executable, "-m", "sim3d", "info", "none.h5"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith("sim3d: error: none.h5")
