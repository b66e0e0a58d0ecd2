"""Errors that a user sees in one line: a wrong argument, configuration or file, and a run that failed."""

from __future__ import annotations

from pathlib import Path
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


class RunError(RuntimeError):
    """A run that failed; the message names the rank and the primary, and the command ends with status 1."""


def cannot_write(path: Path, problem: OSError) -> InputError:
    """The error for a file that the system does not let us write, with its path and the system's reason."""
    return InputError(f"output: cannot write {path} ({problem.strerror or problem})")


def cannot_read(path: Path | str, problem: OSError | UnicodeDecodeError, what: str = "") -> InputError:
    """The error for a file of text that cannot be read, with the system's reason; ``what`` it is goes before its path.

    Examples
    --------
    >>> str(cannot_read("a.csv", FileNotFoundError(2, "No such file or directory"), "reference table "))
    'reference table a.csv: cannot be read (No such file or directory)'
    """
    reason = problem.strerror or problem if isinstance(problem, OSError) else "not a text file in UTF-8"
    return InputError(f"{what}{path}: cannot be read ({reason})")


def is_input_error(problem: BaseException) -> bool:
    """Whether a user, not the program, caused ``problem``.

    Every package has its own ``...InputError(ValueError)``, because the physics packages may not import this
    one; what they share is the name.
    """
    return isinstance(problem, ValueError) and type(problem).__name__.endswith("InputError")
