"""Reading commented CSV, and the tables of published numbers that are installed with sim3d (``sim3d/reference``)."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib import resources


def data_lines(lines: Iterable[str]) -> list[str]:
    """The lines of a commented CSV file but for comments (``#``) and empty lines.

    Examples
    --------
    >>> data_lines(["# about", "a,b", "", "1,2"])
    ['a,b', '1,2']
    """
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def reference_text(name: str) -> str:
    """The text of a file in ``sim3d/reference``."""
    return (resources.files("sim3d") / "reference" / name).read_text(encoding="utf-8")


def reference_rows(name: str) -> list[dict[str, str]]:
    """The rows of a commented CSV file in ``sim3d/reference``, each a dict by column."""
    return list(csv.DictReader(data_lines(reference_text(name).splitlines())))
