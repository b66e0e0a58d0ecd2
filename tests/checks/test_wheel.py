"""What an installation contains: every module and data file of the checkout."""

import fnmatch
import tomllib
from pathlib import Path

from setuptools import find_packages

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
TOP = ("sim3d", "geomag", "atmosphere", "hadronic")


def test_every_module_is_in_a_package_that_is_installed():
    """Each .py file below the packages lies in a folder that ``packages.find`` finds."""
    found = SETUPTOOLS["packages"]["find"]
    assert found["namespaces"] is False
    packages = set(find_packages(ROOT, include=found["include"]))
    assert set(TOP) <= packages
    assert {name.split(".")[0] for name in packages} == set(TOP)
    folders = {path.parent.relative_to(ROOT) for top in TOP for path in (ROOT / top).rglob("*.py")}
    missing = sorted(str(folder) for folder in folders if ".".join(folder.parts) not in packages)
    assert missing == []


def test_every_data_file_is_in_the_package_data():
    """Each file that is no module matches a pattern of ``package-data``."""
    patterns = SETUPTOOLS["package-data"]
    missing = []
    for top in TOP:
        for path in (ROOT / top).rglob("*"):
            if path.is_dir() or path.suffix in (".py", ".pyc") or "__pycache__" in path.parts:
                continue
            inside = str(path.relative_to(ROOT / top))
            if not any(fnmatch.fnmatch(inside, p) for p in [*patterns.get(top, []), *patterns["*"]]):
                missing.append(f"{top}/{inside}")
    assert missing == []
