"""Write commented CSV files: lines that begin with ``#``, a row of column names, then data; Unix line ends."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim3d.files.atomic_files import text_writer


def write_lines(path: Path, comments: Iterable[str], columns: Iterable[str], lines: Iterable[str]) -> Path:
    """Write a CSV file from finished lines of text, each with its line end.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must exist.
    comments : iterable of str
        Lines for the top of the file, without ``#``.
    columns : iterable of str
        Names of the columns.
    lines : iterable of str

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with text_writer(path) as stream:
        stream.writelines(f"# {comment}\n" for comment in comments)
        stream.write(",".join(columns) + "\n")
        stream.writelines(lines)
    return path


def write_rows(path: Path, comments: Iterable[str], columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> Path:
    """Write a CSV file from rows of cells, quoted where needed.

    Parameters
    ----------
    path, comments, columns
        As for :func:`write_lines`.
    rows : iterable of iterables

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    with text_writer(path) as stream:
        stream.writelines(f"# {comment}\n" for comment in comments)
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def write_records(path: Path, comments: Iterable[str], records: Sequence[Mapping[str, Any]]) -> Path:
    """Write a CSV file from records (dictionaries with the same keys), floats with six significant digits.

    Parameters
    ----------
    path, comments
        As for :func:`write_lines`.
    records : sequence of mappings
        At least one; the keys of the first are the columns.

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    rows = (
        [f"{cell:.6g}" if isinstance(cell, float) else cell for cell in map(record.__getitem__, records[0])]
        for record in records
    )
    return write_rows(path, comments, records[0], rows)
