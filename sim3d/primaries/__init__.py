"""Fluxes of primary cosmic rays at 1 au: models by mass group, with solar modulation.

``sim3d.primaries.primary_model`` makes a ``PrimaryModel`` from a name, ``model_names`` lists the names. They are
imported at their first use, so that a configuration can be checked without numba.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_PUBLIC = {
    "PrimaryModel": "sim3d.primaries.model",
    "model_names": "sim3d.primaries.catalogue",
    "primary_model": "sim3d.primaries.build",
}
__all__ = ["PrimaryModel", "model_names", "primary_model"]


def __getattr__(name: str) -> Any:
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim3d.primaries' has no attribute {name!r}")
