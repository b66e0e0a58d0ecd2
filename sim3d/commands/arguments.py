"""Arguments, options and checks used by several commands, and JSON output."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.commands.paths import InputPath, OutputPath
from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.results.result import Result


def result_file(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the argument FILE.h5, a result of ``sim3d run``; the function gets the path as ``file``.

    Parameters
    ----------
    function : callable
        A command.

    Returns
    -------
    callable
    """
    return click.argument("file", metavar="FILE.h5", type=InputPath())(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option --json; the function gets it as the flag ``as_json``.

    Parameters
    ----------
    function : callable
        A command.

    Returns
    -------
    callable
    """
    return click.option("--json", "as_json", is_flag=True, help="Print JSON alone on stdout.")(function)


def folder_option(
    help_text: str = "Folder to write to, made if need be.  [default: the result's own]",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that adds the option -o DIR; the function gets the path or None as ``folder``.

    Parameters
    ----------
    help_text : str

    Returns
    -------
    callable
    """
    return click.option("-o", "--output", "folder", metavar="DIR", type=OutputPath(), help=help_text)


def cos_max_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the option --cos-max of the east-west asymmetries; the function gets it as ``cos_max``.

    Parameters
    ----------
    function : callable
        A command.

    Returns
    -------
    callable
    """
    return click.option(
        "--cos-max",
        type=float,
        default=0.5,
        show_default=True,
        metavar="C",
        help="Directions with |cos_zenith| < C.",
    )(function)


def settings_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Make a decorator that adds the option --set NAME=VALUE; the function gets the texts as ``settings``.

    Parameters
    ----------
    help_text : str

    Returns
    -------
    callable
    """
    return click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help=help_text)


def parameter_values(settings: tuple[str, ...]) -> dict[str, float]:
    """Parse the texts of --set NAME=VALUE.

    Parameters
    ----------
    settings : tuple of str

    Returns
    -------
    dict of float
        Values by parameter (:mod:`sim3d.config.parameters`).

    Raises
    ------
    InputError
        For a text that is not NAME=VALUE.
    """
    values: dict[str, float] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        try:
            values[name.strip()] = float(text)
        except ValueError:
            equals = ""
        if not equals:
            raise InputError("--set", setting, "NAME=VALUE, such as pi+@158=0.1")
    return values


def open_result(path: Path) -> Result:
    """Read a result file for a command.

    An unfinished run is read like any other, with a note on stderr.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Result

    Raises
    ------
    InputError
        For a file that is not a result; the message is one line.
    """
    import sim3d

    result = sim3d.load(path)
    if not result.attributes.get("complete", True):
        n, total = result.attributes["batches"], result.attributes["batches_total"]
        click.echo(f"sim3d: note: {path} holds {n} of {total} batches", err=True)
    return result


def output_folder(folder: Path | None, file: Path) -> Path:
    """Create the output folder if it does not exist, and return it.

    Parameters
    ----------
    folder : Path or None
        None: the folder of the result file.
    file : Path
        The result file.

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If it cannot be created, or nothing can be written in it.
    """
    target = file.parent if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{target}: cannot be made a folder, a file is in the way") from None
    except OSError as problem:
        raise InputError(f"{target}: cannot be made ({problem.strerror})") from None
    if not os.access(target, os.W_OK):
        raise InputError(f"{target}: no permission to write there")
    return target


def check_maps(*, sky_cell: float = 5.0, step: float = 0.1, cell: float = 6.0, directions: int = 60) -> None:
    """Check that the resolution of a map is in the allowed range.

    Parameters
    ----------
    sky_cell : float
        Cell of the cutoff maps, degrees.
    step : float
        Rigidity step of the scan, GV.
    cell : float
        Cell of the intensity maps, degrees; must divide 180.
    directions : int
        Directions per cell of the intensity maps.

    Raises
    ------
    InputError
        For a value out of range.
    """
    for name, value, low, high, unit in (
        ("--sky-cell", sky_cell, 0.5, 45.0, "degrees"),
        ("--step", step, 0.001, 10.0, "GV"),
        ("--cell", cell, 0.5, 45.0, "degrees that divide 180"),
        ("--directions", directions, 1, 100_000, ""),
    ):
        if not low <= value <= high:
            raise InputError(name, value, f"{low:g} to {high:g} {unit}".strip())
    if abs(round(180.0 / cell) * cell - 180.0) > 1e-6:
        raise InputError("--cell", cell, "0.5 to 45 degrees that divide 180")


def print_json(document: Any) -> None:
    """Print ``document`` as JSON on stdout; numbers that are not finite become null.

    Parameters
    ----------
    document : object
        May contain numpy arrays and paths.
    """
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """Replace numpy types, paths and non-finite numbers in ``value`` by types that JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(item) for item in value]
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return str(value)
