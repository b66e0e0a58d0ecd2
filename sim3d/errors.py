"""The one error a user sees when an argument, a configuration or a file is wrong."""

from __future__ import annotations

from typing import Any


class InputError(ValueError):
    """Something the user gave is wrong; the message is one line and the command ends with status 2.

    Either ``InputError(message)``, or ``InputError(field, value, allowed)`` for the usual case.

    Parameters
    ----------
    message : str
        The field, what it was, and what is allowed, in one line.
    value : object, optional
        The value that was given; the first argument is then the field's name alone.
    allowed : str, optional
        What would have been right.

    Examples
    --------
    >>> str(InputError("sites[0].lat", 95.0, "-90 to 90"))
    'sites[0].lat: 95.0, allowed: -90 to 90'
    """

    def __init__(self, message: str, value: Any = None, allowed: str | None = None) -> None:
        if allowed is not None:
            message = f"{message}: {value!r}, allowed: {allowed}"
        super().__init__(" ".join(str(message).split()))


def is_input_error(problem: BaseException) -> bool:
    """Whether a user, not the program, caused ``problem``.

    Every package has its own ``...InputError(ValueError)``, because the physics packages may not import this
    one; what they share is the name.
    """
    return isinstance(problem, ValueError) and type(problem).__name__.endswith("InputError")
