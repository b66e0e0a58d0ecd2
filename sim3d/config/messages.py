"""Describe the first error of a configuration in one line, with the key, its value and the remedy."""

from __future__ import annotations

import difflib
import types
from collections.abc import Mapping
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from sim3d.config.schema import Config, _shown

_UNITS = {"deg": "degrees", "GeV": "GeV", "MV": "MV", "km": "km", "m": "m", "minutes": "minutes"}
"""Units of keys by the last part of their name."""


def describe(exc: ValidationError, data: Mapping[str, Any] | None = None) -> str:
    """Describe the first error in one line.

    Parameters
    ----------
    exc : ValidationError
        Of :class:`sim3d.config.schema.Config`.
    data : mapping, optional
        What was checked; with it an error of a site names the site.

    Returns
    -------
    str
        ``run.seed: -1 must be >= 0``, for instance.
    """
    error = exc.errors()[0]
    return _described(error, tuple(error["loc"]), error.get("input")) + _of_site(tuple(error["loc"]), data)


def _of_site(loc: tuple[Any, ...], data: Mapping[str, Any] | None) -> str:
    """Name the site that a place in the configuration belongs to, where it has a name and that is not what is wrong."""
    if data is None or len(loc) < 3 or loc[0] != "sites" or loc[2] == "name":
        return ""
    try:
        return f" (site {data['sites'][loc[1]]['name']!r})"
    except (KeyError, IndexError, TypeError):
        return ""


def _described(error: Mapping[str, Any], loc: tuple[Any, ...], value: Any) -> str:
    if error["type"] == "missing" and isinstance(loc[-1], int) and _is_pair(_annotation(loc[:-1])):
        # one number of a pair is missing: the pair is what is wrong
        loc, error = loc[:-1], {**error, "type": "tuple_type"}
    path = _path(loc)
    what = _what(error, loc, value)
    if not path:
        return what
    if error["type"] == "extra_forbidden":
        return f"{path}: {what}"
    if isinstance(value, int | float | str | list | tuple):
        return f"{path}: {_shown(value)} {what}"
    return f"{path}: {what}"


def _path(loc: tuple[Any, ...]) -> str:
    path = ""
    for part in loc:
        path += f"[{part}]" if isinstance(part, int) else (f".{part}" if path else str(part))
    return path


def _what(error: Mapping[str, Any], loc: tuple[Any, ...], value: Any) -> str:
    """Describe what is wrong with a value and what is allowed."""
    kind, context = error["type"], error.get("ctx", {})
    key = next((part for part in reversed(loc) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        return _unknown_key(loc)
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(context.get("error", error["msg"]))
    limits = {"greater_than": ">", "greater_than_equal": ">=", "less_than": "<", "less_than_equal": "<="}
    if kind in limits:
        limit = {"greater_than": "gt", "greater_than_equal": "ge", "less_than": "lt", "less_than_equal": "le"}[kind]
        unit = "degrees" if key in ("lat", "lon") else _UNITS.get(key.rsplit("_", 1)[-1] if "_" in key else "", "")
        return f"must be {limits[kind]} {context[limit]:.6g} {unit}".rstrip()
    if kind == "literal_error":
        return f"must be one of {context['expected']}{_potential(key, value)}"
    if kind in ("tuple_type", "list_type", "too_long"):
        return _list_wanted(loc, key, value)
    if kind in ("model_type", "model_attributes_type", "dict_type"):
        return _table_wanted(loc, key, value)
    if kind in ("int_parsing", "float_parsing", "int_type", "float_type"):
        if key == "solar_potential_MV" and value in ("fit", "min", "max", "date"):
            return f'is a name, not a potential in MV; write solar = "{value}"'
        whole = "whole number" if kind.startswith("int") else "number"
        return f"must be a {whole}{_unquoted(value)}"
    if kind == "int_from_float":
        return "must be a whole number"
    if kind in ("bool_parsing", "bool_type"):
        return "must be true or false"
    if kind == "string_type":
        return f'must be text in quotes, such as {key} = "{value}"'
    return str(error["msg"][0].lower() + error["msg"][1:])


def _unquoted(value: Any) -> str:
    try:
        float(str(value))
    except ValueError:
        return ""
    return f", without quotes: {value}"


def _potential(key: str, value: Any) -> str:
    """Name the key for a potential, if a number was given as ``solar``."""
    if key != "solar" or isinstance(value, bool):
        return ""
    try:
        return f"; a potential in MV is written solar_potential_MV = {float(value):g}"
    except (TypeError, ValueError):
        return ""


def _list_wanted(loc: tuple[Any, ...], key: str, value: Any) -> str:
    name = _path(loc)
    wanted = _annotation(loc)
    if _models_of(wanted):
        if isinstance(value, Mapping):
            return f"is one table; write [[{name}]] with double brackets, once for each of them"
        return f"must be tables, written [[{name}]] with double brackets"
    if _is_pair(wanted):
        default = _default(loc)
        example = f", such as {key} = [{default[0]:g}, {default[1]:g}]" if default else ""
        return f"must be two numbers [low, high]{example}"
    return f"must be a list, such as {key} = [{value}]"


def _table_wanted(loc: tuple[Any, ...], key: str, value: Any) -> str:
    if isinstance(loc[-1], int):
        name = _path(loc[:-1])
        example = f' and below it name = "{value}"' if isinstance(value, str) else ""
        return f"must be a table, written [[{name}]]{example}"
    if key == "patch":
        return "must be a table, such as patch = { ns_deg = 2, ew_deg = 2 }"
    name = _path(loc)
    return f"must be a table, written [{name}]" + (" with single brackets, once" if isinstance(value, list) else "")


def _unknown_key(loc: tuple[Any, ...]) -> str:
    """List the keys that are allowed beside an unknown one, and say where it belongs or how it is spelled."""
    key = str(loc[-1])
    models = _models_of(_annotation(loc[:-1]))
    known = list(models[0].model_fields) if models else []
    hint = ""
    homes = [
        name
        for name, field in Config.model_fields.items()
        for model in _models_of(field.annotation)
        if key in model.model_fields
    ]
    if homes and key not in known:
        home = f"[[{homes[0]}]]" if homes[0] == "sites" else f"[{homes[0]}]"
        hint = f"; it belongs into {home}"
    elif near := difflib.get_close_matches(key, known, 1):
        hint = f"; do you mean {near[0]}?"
    return "is not a known key" + hint + (f"; allowed here: {', '.join(known)}" if known else "")


def _annotation(loc: tuple[Any, ...]) -> Any:
    """Return the type of the field at a place; None where there is none."""
    wanted: Any = Config
    for part in loc:
        if isinstance(part, int):
            continue
        models = _models_of(wanted)
        if not models or part not in models[0].model_fields:
            return None
        wanted = models[0].model_fields[part].annotation
    return wanted


def _models_of(annotation: Any) -> list[type[BaseModel]]:
    """Return the tables that a type is made of: itself, those of a tuple, or of a union."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    if get_origin(annotation) in (tuple, Union, types.UnionType):
        return [model for argument in get_args(annotation) for model in _models_of(argument)]
    return []


def _is_pair(annotation: Any) -> bool:
    arguments = get_args(annotation)
    return get_origin(annotation) is tuple and len(arguments) == 2 and arguments[1] is not Ellipsis


def _default(loc: tuple[Any, ...]) -> tuple[float, float] | None:
    models = _models_of(_annotation(loc[:-1]))
    field = models[0].model_fields.get(str(loc[-1])) if models else None
    return field.default if field is not None and isinstance(field.default, tuple) else None
