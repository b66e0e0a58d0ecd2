"""Base class of the tables of a run configuration, and types of numbers that refuse booleans."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Table(BaseModel):
    """Base class of a TOML table: unknown keys are refused, and values are immutable."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must not be a boolean")
    return value


Int = Annotated[int, BeforeValidator(_no_boolean)]
"""Type of integers. It accepts whole numbers written as floats (1e6 in TOML), which pydantic's strict type refuses."""

Float = Annotated[float, BeforeValidator(_no_boolean)]
"""Type of real numbers: Python's integers and floats, and numpy scalars."""
