"""Types of parameters for files that a command reads or writes, and commands that never replace their inputs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sim3d.files.atomic_files import protect, protected_inputs
from sim3d.files.file_names import events_path, journal_path

if TYPE_CHECKING:
    from sim3d.config.schema import Config


class InputPath(click.Path):
    """Type of a parameter that names a file the command reads."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)


class OutputPath(click.Path):
    """Type of a parameter that names a file the command writes, or a folder for its files."""

    def __init__(self) -> None:
        super().__init__(path_type=Path)


class FileCommand(click.Command):
    """Command that protects the files it reads: an output that is one of them is refused."""

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command while its input files are protected."""
        with protected_inputs(input_files(self, ctx.params)):
            return super().invoke(ctx)


def input_files(command: click.Command, values: dict[str, Any]) -> list[Path]:
    """List the files named by the parameters of type :class:`InputPath`, with those that belong to them.

    Parameters
    ----------
    command : click.Command
    values : dict
        Values of its parameters by name.

    Returns
    -------
    list of Path
        Also event records and error tables beside the files; not all of them need exist.
    """
    found: list[Path] = []
    for parameter in command.params:
        if isinstance(parameter.type, InputPath):
            for path in _paths(values.get(parameter.name or "")):
                found += [path, *_companions(path)]
    return found


def _paths(value: Any) -> Iterator[Path]:
    if isinstance(value, Path):
        yield value
    elif isinstance(value, tuple):
        for one in value:
            yield from _paths(one)


def _companions(path: Path) -> list[Path]:
    """Event records of a result, and errors of a Honda table, that are read with a file."""
    if not path.name:
        return []
    stem = path.name.removesuffix(".d")
    errors = [path.with_name(f"{stem}{kind}.err.d") for kind in ("", ".model", ".total")]
    return [events_path(path), journal_path(path), *errors]


def protect_files_of(config: Config) -> None:
    """Protect the files that a configuration names: the density profile, the table of yields, surfaces.

    Parameters
    ----------
    config : Config
    """
    surfaces = (site.surface for site in config.sites)
    names = (config.atmosphere.profile, config.hadronic.table, config.calibration.file, *surfaces)
    protect(*(Path(name) for name in names if name is not None))
