"""What all tables of a run configuration share: the base class, and numbers that are no booleans."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict


class Table(BaseModel):
    """A table that knows its keys and cannot change."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError("must not be a boolean")
    return value


Int = Annotated[int, BeforeValidator(_no_boolean)]
"""A whole number: 5, or 1e6 as TOML has it; pydantic's strict integers would refuse the second, and take no text."""

Float = Annotated[float, BeforeValidator(_no_boolean)]
"""A number: 5, 0.5, a numpy scalar."""
