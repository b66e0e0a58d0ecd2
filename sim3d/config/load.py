"""Read and check a run configuration from a TOML file or a mapping.

An error message names the key, its value and the values that are allowed.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from sim3d.config.schema import Config, SiteTable, _shown
from sim3d.errors import InputError


def _allowed(error: Mapping[str, Any]) -> str:
    """Translate an error of pydantic into this project's wording."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return "is not a known key"
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    limits = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
    if kind in limits:
        key = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}[kind]
        return f"must be {limits[kind]} {context[key]:.6g}"
    if kind == "literal_error":
        return f"must be one of {context['expected']}"
    return error["msg"][0].lower() + error["msg"][1:]


def _message(exc: ValidationError) -> str:
    """Describe the first error in one line."""
    error = exc.errors()[0]
    path = ""
    for part in error["loc"]:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    what = _allowed(error)
    if not path:
        return what
    value = error.get("input")
    if error["type"] == "extra_forbidden":
        model: Any = Config
        for part in error["loc"][:-1]:
            if isinstance(part, str) and part in model.model_fields:
                annotation = model.model_fields[part].annotation
                model = SiteTable if part == "sites" else annotation
        known = ", ".join(model.model_fields) if hasattr(model, "model_fields") else ""
        return f"{path}: {what}" + (f"; allowed here: {known}" if known else "")
    if isinstance(value, int | float | str | list | tuple):
        return f"{path}: {_shown(value)} {what}"
    return f"{path}: {what}"


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
        raise InputError(_message(exc)) from None


def load_config(path: str | Path, overrides: Mapping[str, Any] | None = None) -> Config:
    """Read a TOML configuration file and check it.

    Parameters
    ----------
    path : str or pathlib.Path
        The file. Relative paths in it (``atmosphere.profile``, ``hadronic.table``) are relative to its folder.
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
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{file}: no such file") from None
    except IsADirectoryError:
        raise InputError(f"{file}: is a folder, not a TOML file") from None
    except UnicodeDecodeError:
        raise InputError(f"{file}: not a text file in UTF-8") from None
    except OSError as exc:
        raise InputError(f"{file}: cannot be read ({exc.strerror})") from None
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:  # besides syntax: huge integers, endless nesting
        raise InputError(f"{file}: not valid TOML: {str(exc)[:200]}") from None
    config = make_config(data, overrides)
    return _beside(_beside(config, file, "atmosphere", "profile"), file, "hadronic", "table")


def _beside(config: Config, file: Path, section: str, key: str) -> Config:
    """Replace a relative path in the configuration by one that begins with the folder of the file."""
    table = getattr(config, section)
    name = getattr(table, key)
    if name is None or Path(name).is_absolute():
        return config
    return config.model_copy(update={section: table.model_copy(update={key: str(file.parent / name)})})
