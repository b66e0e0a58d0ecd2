"""Whole numbers on the command line, also written as 1e6 or 1_000_000."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import click

_MOST_DIGITS = 40


def whole_number(text: str) -> int | None:
    """Read a whole number.

    Parameters
    ----------
    text : str

    Returns
    -------
    int or None
        None if the text is no whole number, or one of more than 40 digits.

    Examples
    --------
    >>> [whole_number(text) for text in ("1000", "1e3", "2.5e6", "1_000", "1.5", "many")]
    [1000, 1000, 2500000, 1000, None, None]
    """
    try:
        value = Decimal(text.strip())
    except InvalidOperation:
        return None
    if not value.is_finite() or value.adjusted() > _MOST_DIGITS or value != value.to_integral_value():
        return None
    return int(value)


class WholeNumber(click.IntRange):
    """Type of options that take a whole number, in any of the notations of :func:`whole_number`."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Convert a text to a whole number and check its range."""
        if isinstance(value, str) and (number := whole_number(value)) is not None:
            value = number
        return super().convert(value, param, ctx)

    def _describe_range(self) -> str:
        # click writes "x<=None" for a type without bounds
        return "" if self.min is None and self.max is None else super()._describe_range()
