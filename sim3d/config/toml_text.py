"""Write a configuration as a TOML file that a user can read, edit and run again."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sim3d.config.schema import Config


def config_text(config: Config, comments: Mapping[str, str] | None = None, *, everything: bool = False) -> str:
    """Write a configuration as TOML.

    Parameters
    ----------
    config : Config
    comments : mapping, optional
        Comments to stand behind keys, by the dotted name of the key (``run.primaries``, ``sites.lat``).
    everything : bool
        Also keys that have their default value. Keys without a value cannot be written in TOML and are left out.

    Returns
    -------
    str
        :func:`sim3d.config.load.make_config` of its content is an equal configuration.
    """
    return toml_text(config.model_dump(mode="json", exclude_unset=not everything), comments or {})


def toml_text(data: Mapping[str, Any], comments: Mapping[str, str]) -> str:
    """Write nested mappings as TOML: tables, lists of tables, and values.

    Parameters
    ----------
    data : mapping
        Of tables (mappings) or lists of tables; None is left out.
    comments : mapping
        See :func:`config_text`.

    Returns
    -------
    str
    """
    blocks: list[list[str]] = []
    for name, value in data.items():
        if isinstance(value, Mapping):
            _table(name, value, comments, blocks, f"[{name}]")
        else:
            for one in value or ():
                _table(name, one, comments, blocks, f"[[{name}]]")
    return "\n\n".join("\n".join(lines) for lines in blocks) + "\n"


def _table(
    path: str, table: Mapping[str, Any], comments: Mapping[str, str], blocks: list[list[str]], head: str
) -> None:
    """Append the lines of a table, then those of the lists of tables in it."""
    lines, later = [head], []
    for key, value in table.items():
        if value is None or value in ({}, []):
            continue
        if isinstance(value, list) and isinstance(value[0], Mapping):
            later.append((key, value))
            continue
        comment = comments.get(f"{path}.{key}")
        lines.append(f"{_key(key)} = {_value(value)}" + (f"  # {comment}" if comment else ""))
    if len(lines) > 1 or not later:
        blocks.append(lines)
    for key, tables in later:
        for one in tables:
            _table(f"{path}.{key}", one, comments, blocks, f"[[{path}.{key}]]")


def _key(key: str) -> str:
    """Write a key bare where TOML allows it, else in quotes."""
    bare = key.replace("_", "").replace("-", "")
    return key if bare.isascii() and bare.isalnum() else json.dumps(key)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value:_}" if abs(value) >= 10_000 else str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_key(key)} = {_value(one)}" for key, one in value.items() if one is not None)
        return f"{{ {inside} }}" if inside else "{}"
    return f"[{', '.join(_value(one) for one in value)}]"
