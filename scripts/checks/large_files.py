"""Refuse large files, and files at the top level that nobody has named (a scratch file of a program, say).

python scripts/checks/large_files.py [FILE ...]      all files that git tracks, or these
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_KB = 600
TABLES = ("hadronic/tables/", "sim3d/reference/calibrations/", "sim3d/reference/sites/")
"""Folders whose files may be larger: data that a run needs, and fluxes and calibrations that ship."""

TOP_LEVEL = {
    ".git-blame-ignore-revs", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff",
    "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "constraints-dev.txt", "mkdocs.yml", "pyproject.toml",
}  # fmt: skip
"""Every file that may lie at the top level."""


def problems(names: list[str]) -> list[str]:
    """A line for each file that should not be committed.

    Parameters
    ----------
    names : list of str
        Paths relative to the repository.
    """
    found = []
    for name in names:
        path = ROOT / name
        if not path.is_file():
            continue
        size = path.stat().st_size / 1000.0
        if size > LIMIT_KB and not name.startswith(TABLES):
            found.append(f"{name}: {size:.0f} kB, at most {LIMIT_KB} kB are allowed")
        if "/" not in name and name not in TOP_LEVEL:
            found.append(f"{name}: not among the files of the top level (scripts/checks/large_files.py names them)")
    return found


def main(names: list[str]) -> int:
    """Print the problems; 1 if there are any."""
    if not names:
        listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
        names = listed.stdout.splitlines()
    found = problems(names)
    for line in found:
        print(line)
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
