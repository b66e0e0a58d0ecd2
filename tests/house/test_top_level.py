"""The top level of the repository holds what is listed here, and nothing large is committed."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = {
    ".ci", ".github", "atmosphere", "benchmarks", "changelog.d", "docs", "examples", "geomag", "hadronic", "output",
    "scripts", "sim3d", "tests",
}  # fmt: skip
FILES = {
    ".git-blame-ignore-revs", ".gitattributes", ".gitignore", ".pre-commit-config.yaml", "CHANGELOG.md", "CITATION.cff",
    "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE", "Makefile", "README.md", "constraints-dev.txt", "mkdocs.yml",
    "pyproject.toml",
}  # fmt: skip
LARGEST_BYTES = 1_000_000


def committed() -> list[Path]:
    """Files that git knows, relative to the top level."""
    command = ["git", "-C", str(ROOT), "ls-files", "-z"]
    try:
        listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("not a checkout of git")
    return [Path(name) for name in listed.split("\0") if name and (ROOT / name).exists()]


def test_nothing_unknown_lies_at_the_top_level() -> None:
    """A new file or folder there is put on the list above on purpose."""
    files = committed()
    assert {path.parts[0] for path in files if len(path.parts) > 1} <= FOLDERS
    assert {path.name for path in files if len(path.parts) == 1} <= FILES


def test_no_file_is_large() -> None:
    """Above 1 MB: results and scratch files of generators do not belong into the repository."""
    large = {str(path) for path in committed() if (ROOT / path).stat().st_size > LARGEST_BYTES}
    assert large == set()
