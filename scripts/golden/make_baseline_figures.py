"""Write the reference pictures and texts in tests/data/figures for tests/sim3d/plots/test_result_baselines.py.

Run it after a deliberate change of a figure (``python scripts/golden/make_baseline_figures.py``), look at the pictures,
and say in the commit what changed.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "tests" / "data" / "figures"


def main() -> int:
    """Run the test in the mode that writes; return its exit status."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in (*FOLDER.glob("*.png"), *FOLDER.glob("*.json")):
        old.unlink()
    (test,) = (ROOT / "tests").rglob("test_result_baselines.py")
    environment = os.environ | {"SIM3D_WRITE_BASELINES": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
