"""The exception for input that this package cannot use, and a check of ranges."""

from __future__ import annotations

import math


class GeomagInputError(ValueError):
    """Bad input: the message is one line that names the field, its value and what is allowed."""


def check_range(name: str, value: float, low: float, high: float, unit: str = "") -> float:
    """Return `value` as a float when it is finite and in [low, high], else raise.

    Parameters
    ----------
    name : str
        What the user calls the quantity.
    value : float
        The value given.
    low, high : float
        Allowed range, ends included; `high` may be infinite.
    unit : str
        Printed behind the numbers.

    Returns
    -------
    float
        The value.
    """
    unit = f" {unit}" if unit else ""
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise GeomagInputError(f"{name} = {value!r} is not a number") from None
    if not math.isfinite(number) or not low <= number <= high:
        allowed = f"at least {low:g}" if math.isinf(high) else f"between {low:g} and {high:g}"
        raise GeomagInputError(f"{name} = {number:g}{unit} is not allowed: it must be {allowed}{unit}")
    return number
