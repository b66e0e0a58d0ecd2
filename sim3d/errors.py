"""Errors that are reported in one line: a wrong argument, configuration or file, and a failed run."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class InputError(ValueError):
    """Error of a wrong input by the user; the message is one line and the command ends with status 2.

    Call it as ``InputError(message)``, or as ``InputError(field, value, allowed)``.

    Parameters
    ----------
    message : str
        The message; or the name of the field if ``value`` and ``allowed`` are given.
    value : object, optional
        The wrong value.
    allowed : str, optional
        The values that are allowed.

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
    """Error of a failed run; the message names the rank and the primary, and the command ends with status 1."""


def cannot_write(path: Path, problem: OSError) -> InputError:
    """Build the error of a file that cannot be written.

    Parameters
    ----------
    path : pathlib.Path
    problem : OSError
        Error of the system, whose reason is in the message.

    Returns
    -------
    InputError
    """
    return InputError(f"output: cannot write {path} ({problem.strerror or problem})")


def cannot_read(path: Path | str, problem: OSError | UnicodeDecodeError, what: str = "") -> InputError:
    """Build the error of a text file that cannot be read.

    Parameters
    ----------
    path : pathlib.Path or str
    problem : OSError or UnicodeDecodeError
        Error of the system, whose reason is in the message.
    what : str
        Kind of file; it precedes the path in the message.

    Returns
    -------
    InputError

    Examples
    --------
    >>> str(cannot_read("a.csv", FileNotFoundError(2, "No such file or directory"), "reference table "))
    'reference table a.csv: cannot be read (No such file or directory)'
    """
    reason = problem.strerror or problem if isinstance(problem, OSError) else "not a text file in UTF-8"
    return InputError(f"{what}{path}: cannot be read ({reason})")


def is_input_error(problem: BaseException) -> bool:
    """Test whether an exception is an error of the user's input, not of the program.

    Every package has its own ``...InputError(ValueError)``, because the physics packages may not import sim3d. The test
    is therefore on the name of the class.

    Parameters
    ----------
    problem : BaseException

    Returns
    -------
    bool
    """
    return isinstance(problem, ValueError) and type(problem).__name__.endswith("InputError")
