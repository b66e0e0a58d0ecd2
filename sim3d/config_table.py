"""What all tables of the configuration have in common."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator


class Table(BaseModel):
    """A table: no unknown keys, no change after it was checked, no booleans where numbers are meant."""

    model_config = ConfigDict(extra="forbid", frozen=True, validate_default=True)

    @field_validator("*", mode="before")
    @classmethod
    def _no_booleans_as_numbers(cls, value: Any, info: Any) -> Any:
        annotation = str(cls.model_fields[info.field_name].annotation)
        parts = value if isinstance(value, list | tuple) else [value]
        if "bool" not in annotation and any(isinstance(part, bool) for part in parts):
            raise ValueError("must not be a boolean")
        return value
