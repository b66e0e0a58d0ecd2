"""Format tables for the terminal, and the numbers in them and in the report.

Cells are strings, formatted by the caller; a column is as wide as its widest cell.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from tabulate import tabulate

_ALIGNMENTS = {"l": "left", "r": "right"}


def text_table(
    head: Sequence[str] | None, rows: Iterable[Sequence[str]], align: str | None = None, indent: int = 2
) -> list[str]:
    """Format a table as lines of text: columns two spaces apart, without ruled lines.

    Parameters
    ----------
    head : sequence of str, or None
        Titles of the columns; None for a table without titles.
    rows : iterable of sequences of str
        Cells; a short row is filled up with empty ones, and an empty row is an empty line.
    align : str, optional
        A letter for each column, l (left) or r (right). Default: the first column left, the others right.
    indent : int
        Spaces before each line.

    Returns
    -------
    list of str
        Lines, without trailing spaces.
    """
    # titles are passed as a row, because tabulate makes columns with headers two spaces wider
    cells = [list(row) for row in ([] if head is None else [head])] + [list(row) for row in rows]
    columns = max((len(row) for row in cells), default=0)
    if columns == 0:
        return []
    cells = [row + [""] * (columns - len(row)) for row in cells]
    letters = ("l" + "r" * (columns - 1)) if align is None else align
    text = tabulate(
        cells, tablefmt="plain", disable_numparse=True, colalign=[_ALIGNMENTS[letter] for letter in letters]
    )
    return [(" " * indent + line).rstrip() for line in text.split("\n")]


def with_error(
    value: float | None,
    error: float | None,
    form: str = ".3f",
    error_form: str | None = None,
    *,
    missing: str = "no hits",
    sign: str = "+-",
) -> str:
    """Format a value and its standard error, as in ``0.216 +- 0.004``.

    Parameters
    ----------
    value, error : float or None
        The error is left out where it is None or not finite.
    form : str
        Format of the value, as of Python's ``format``.
    error_form : str, optional
        Format of the error. Default: that of the value, without a plus sign.
    missing : str
        Text for a value that is None or not finite.
    sign : str
        Text between value and error.

    Returns
    -------
    str
    """
    if value is None or not math.isfinite(value):
        return missing
    text = format(value, form)
    if error is None or not math.isfinite(error):
        return text
    return f"{text} {sign} {format(error, form.lstrip('+') if error_form is None else error_form)}"


def percent(share: float) -> str:
    """Format a fraction in per cent with two digits.

    Parameters
    ----------
    share : float

    Returns
    -------
    str
        ``unknown`` if the fraction is not finite.
    """
    if not math.isfinite(share):
        return "unknown"
    return f"{100.0 * share:.2g}%" if share < 0.995 else f"{100.0 * share:.0f}%"


def number(value: Any) -> str:
    """Format a number: floats with four digits, integers with narrow spaces between thousands.

    Parameters
    ----------
    value : object
        A number, a boolean (yes or no), or anything else (its text in one line).

    Returns
    -------
    str
    """
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | np.integer):
        return f"{int(value):,}".replace(",", "\u202f")
    if isinstance(value, float | np.floating):
        real = float(value)
        # an area of 49460 km2 is easier to read than one of 4.946e+04
        return f"{real:.4g}" if not 1e4 <= abs(real) < 1e15 else number(round(real))
    return " ".join(str(value).split())
