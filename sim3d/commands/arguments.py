"""Arguments, options and checks that commands share, and JSON on stdout."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.errors import InputError

if TYPE_CHECKING:
    from sim3d.results.result import Result


def result_file(function: Callable[..., Any]) -> Callable[..., Any]:
    """The argument FILE.h5, a result of ``sim3d run``, handed on as the path ``file``."""
    return click.argument("file", metavar="FILE.h5", type=click.Path(path_type=Path))(function)


def json_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option --json, handed on as the flag ``as_json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON alone on stdout.")(function)


def folder_option(
    help_text: str = "Folder to write to, made if need be.  [default: the result's own]",
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option -o DIR, handed on as the path ``folder`` or None."""
    return click.option("-o", "--output", "folder", metavar="DIR", type=click.Path(path_type=Path), help=help_text)


def cos_max_option(function: Callable[..., Any]) -> Callable[..., Any]:
    """The option --cos-max of the east-west asymmetries, handed on as ``cos_max``."""
    return click.option(
        "--cos-max",
        type=float,
        default=0.5,
        show_default=True,
        metavar="C",
        help="Directions with |cos_zenith| < C.",
    )(function)


def settings_option(help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """The option --set NAME=VALUE, handed on as ``settings`` for :func:`parameter_values`."""
    return click.option("--set", "settings", metavar="NAME=VALUE", multiple=True, help=help_text)


def parameter_values(settings: tuple[str, ...]) -> dict[str, float]:
    """Values by parameter (:mod:`sim3d.config.parameters`); :class:`InputError` for all but NAME=VALUE."""
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
    """Load a result file; anything that is not one gets an :class:`InputError` of one line.

    A run that is not finished is read like any other, but said to be so on stderr.
    """
    import sim3d

    result = sim3d.load(path)
    if not result.attributes.get("complete", True):
        n, total = result.attributes["batches"], result.attributes["batches_total"]
        click.echo(f"sim3d: note: {path} holds {n} of {total} batches", err=True)
    return result


def output_folder(folder: Path | None, file: Path) -> Path:
    """The folder to write to, made if need be; default: the result file's own."""
    target = file.parent if folder is None else folder
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise InputError(f"{target}: cannot be made a folder, a file is in the way") from None
    except OSError as problem:
        raise InputError(f"{target}: cannot be made ({problem.strerror})") from None
    return target


def check_maps(*, sky_cell: float = 5.0, step: float = 0.1, cell: float = 6.0, directions: int = 60) -> None:
    """Raise an :class:`InputError` for a cell, step or number of directions out of range; units as in the options."""
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
    """Print ``document`` as JSON on stdout; what is not a finite number becomes null."""
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """``value`` with numpy's types, paths and non-finite numbers replaced by what JSON knows."""
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
