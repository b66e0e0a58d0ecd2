"""How the tests of these commands call the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from sim3d.cli import main


@pytest.fixture
def run_json(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Callable[..., dict]:
    """Call a command with --json and -o in a temporary folder, and return what it printed."""

    def call(*arguments: str) -> dict:
        assert main([*arguments, "-o", str(tmp_path), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return call


@pytest.fixture
def read_csv() -> Callable[[Path], tuple[list[str], list[dict[str, str]]]]:
    """Return the comment lines and the rows of a CSV file."""

    def read(path: Path) -> tuple[list[str], list[dict[str, str]]]:
        lines = path.read_text().splitlines()
        comments = [line for line in lines if line.startswith("#")]
        return comments, list(csv.DictReader(line for line in lines if not line.startswith("#")))

    return read
