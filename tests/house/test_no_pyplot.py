"""Importing sim3d leaves matplotlib as the user has set it."""

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys
import matplotlib
matplotlib.use("svg")
before = {name: dict.__getitem__(matplotlib.rcParams, name) for name in matplotlib.rcParams}
for package in ("sim3d", "geomag", "atmosphere", "hadronic"):
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, package + "."):
        importlib.import_module(module.name)
        assert "matplotlib.pyplot" not in sys.modules, f"{module.name} imports pyplot"
        after = {name: dict.__getitem__(matplotlib.rcParams, name) for name in matplotlib.rcParams}
        assert after == before, f"{module.name} changes rcParams"
assert "sim3d.plots.result" in sys.modules or "sim3d.plots.result.result" in sys.modules
"""

DRAW = """
import sys
import matplotlib
matplotlib.use("svg")
before = {name: dict.__getitem__(matplotlib.rcParams, name) for name in matplotlib.rcParams}
from sim3d import cli
code = cli.main(["zfactors", "--interactions", "100", "--energy", "10", "-o", sys.argv[1]])
assert code == 0
assert "matplotlib.pyplot" not in sys.modules
assert {name: dict.__getitem__(matplotlib.rcParams, name) for name in matplotlib.rcParams} == before
"""


def _run(code, *arguments):
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_no_module_imports_pyplot_or_changes_settings():
    _run(IMPORT_ALL)


def test_drawing_changes_no_settings(tmp_path):
    _run(DRAW, str(tmp_path))
    assert (tmp_path / "zfactors.png").stat().st_size > 10_000
