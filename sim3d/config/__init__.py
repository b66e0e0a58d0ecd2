"""The configuration of a run: its TOML tables with types, defaults, allowed ranges and checks.

``sim3d.config.make_config`` and ``load_config`` check a table or a TOML file and give a ``Config``. They are imported
at their first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {"Config": "sim3d.config.schema", "load_config": "sim3d.config.load", "make_config": "sim3d.config.load"}
__all__ = ["Config", "load_config", "make_config"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim3d.config' has no attribute {name!r}")
