"""Read CSV files with comments, such as the tables of published numbers in ``sim3d/reference``."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from importlib import resources


def data_lines(lines: Iterable[str]) -> list[str]:
    """Select the lines of a CSV file that are neither comments (``#``) nor empty.

    Parameters
    ----------
    lines : iterable of str

    Returns
    -------
    list of str

    Examples
    --------
    >>> data_lines(["# about", "a,b", "", "1,2"])
    ['a,b', '1,2']
    """
    return [line for line in lines if line.strip() and not line.lstrip().startswith("#")]


def reference_text(name: str) -> str:
    """Read a file in ``sim3d/reference``.

    Parameters
    ----------
    name : str
        Name of the file.

    Returns
    -------
    str
    """
    return (resources.files("sim3d") / "reference" / name).read_text(encoding="utf-8")


def reference_rows(name: str) -> list[dict[str, str]]:
    """Read the rows of a CSV file with comments in ``sim3d/reference``.

    Parameters
    ----------
    name : str
        Name of the file.

    Returns
    -------
    list of dict
        Cells of each row, by the name of the column.
    """
    return list(csv.DictReader(data_lines(reference_text(name).splitlines())))
