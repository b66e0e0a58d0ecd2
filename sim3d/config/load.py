"""Read and check a run configuration from a TOML file or a mapping.

The file may begin with a byte order mark and have any line ends. An error message names the key, its value and the
values that are allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim3d.config.messages import describe
from sim3d.config.schema import Config
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError


def make_config(data: Mapping[str, Any], overrides: Mapping[str, Any] | None = None) -> Config:
    """Build a configuration from nested mappings and check it.

    Parameters
    ----------
    data : mapping
        Tables and keys as in the TOML file.
    overrides : mapping, optional
        Values for keys of ``[run]``, by name; None values are ignored.

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If something is wrong: one line with the key, the value and the values that are allowed.

    Examples
    --------
    >>> config = make_config({"run": {"primaries": 200_000, "batch_size": 10_000}, "sites": [{"name": "kamioka"}]})
    >>> config.n_batches, config.sampling.mode
    (20, 'targeted')
    >>> make_config({"sites": [{"name": "kamioka"}], "run": {"seed": -1}})
    Traceback (most recent call last):
        ...
    sim3d.errors.InputError: run.seed: -1 must be >= 0
    """
    merged: dict[str, Any] = dict(data)
    chosen = {key: value for key, value in (overrides or {}).items() if value is not None}
    if chosen:
        run = merged.get("run", {})
        if not isinstance(run, Mapping):
            raise InputError("run: must be a table")
        merged["run"] = {**run, **chosen}
    try:
        return Config.model_validate(merged)
    except ValidationError as exc:
        raise InputError(describe(exc, merged)) from None


def load_config(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a TOML configuration file and check it.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Relative paths in it (``atmosphere.profile``, ``hadronic.table``, ``surface`` of a
        site) are relative to its folder.
    overrides : mapping, optional
        Values for keys of ``[run]``, by name; None values are ignored.

    Returns
    -------
    Config

    Raises
    ------
    InputError
        If the file cannot be read, is not valid TOML, or something in it is wrong.
    """
    file = Path(path)
    if file.is_dir():
        raise InputError(f"{file}: is a folder, not a TOML file")
    if not file.exists():
        raise InputError(f"{file}: no such file")
    text = read_text(file)
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # besides syntax: huge integers, endless nesting
        raise InputError(f"{file}: not valid TOML: {str(exc)[:200]}") from None
    config = _of_file(file, data, overrides)
    for section, key in (("atmosphere", "profile"), ("hadronic", "table"), ("calibration", "file")):
        config = _beside(config, file, section, key)
    sites = tuple(
        site if site.surface is None else site.model_copy(update={"surface": str(file.parent / site.surface)})
        for site in config.sites
    )
    return config.model_copy(update={"sites": sites})


def _of_file(file: Path, data: Mapping[str, Any], overrides: Mapping[str, Any] | None) -> Config:
    """Check the configuration of a file; errors begin with its name, unless a value of the overrides is wrong."""
    try:
        return make_config(data, overrides)
    except InputError as problem:
        wrong = problem
    if overrides:
        try:
            make_config(data)
        except InputError:
            pass
        else:
            raise wrong
    raise InputError(f"{file}: {wrong}")


def _beside(config: Config, file: Path, section: str, key: str) -> Config:
    """Replace a relative path in the configuration by one that begins with the folder of the file."""
    table = getattr(config, section)
    name = getattr(table, key)
    if name is None or Path(name).is_absolute():
        return config
    return config.model_copy(update={section: table.model_copy(update={key: str(file.parent / name)})})
