"""The table [allocation] of a run configuration: the part of the flux table that gets the computing time."""

from __future__ import annotations

import math
from typing import Any, Literal

import numpy as np
from pydantic import field_validator, model_validator

from sim3d.config.table import Float, Table
from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV
from sim3d.conventions.flavours import FLAVOURS, flavour_name

LOWEST_GEV, HIGHEST_GEV = float(ENERGY_EDGES_GEV[0]), float(ENERGY_EDGES_GEV[-1])

AUTOMATIC_FROM = 500_000
"""Primaries from which a run has an allocation where the configuration does not say so."""


class AllocationTable(Table):
    """Table ``[allocation]``: whether a run divides its primaries by a survey, and the part of the table it serves.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    mode: Literal["auto", "on", "off"] = "auto"
    flavours: tuple[str, ...] = FLAVOURS
    energy_GeV: tuple[Float, Float] = (LOWEST_GEV, HIGHEST_GEV)
    cos_zenith: tuple[Float, Float] = (-1.0, 1.0)

    @model_validator(mode="before")
    @classmethod
    def _a_part_is_wanted(cls, data: Any) -> Any:
        """Turn the allocation on where a part of the table is named."""
        if isinstance(data, dict) and data and "mode" not in data:
            return {"mode": "on", **data}
        return data

    @field_validator("flavours", mode="before")
    @classmethod
    def _flavours(cls, value: Any) -> Any:
        """Translate the usual spellings of flavours."""
        names = [value] if isinstance(value, str | int) else value
        if not isinstance(names, list | tuple):
            return value
        found = [flavour_name(name) for name in names]
        if not found or any(name not in FLAVOURS for name in found) or len(set(found)) < len(found):
            raise ValueError(f"must list some of {', '.join(FLAVOURS)}, each once")
        return tuple(name for name in FLAVOURS if name in found)

    @field_validator("energy_GeV")
    @classmethod
    def _energies(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        centres = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
        if not (math.isfinite(low) and math.isfinite(high) and LOWEST_GEV <= low < high <= HIGHEST_GEV):
            raise ValueError(f"must be [low, high] in GeV with {LOWEST_GEV:.3g} <= low < high <= {HIGHEST_GEV:.5g}")
        if not np.any((low <= centres) & (high >= centres)):
            raise ValueError("is narrower than one energy bin (40 per decade)")
        return value

    @field_validator("cos_zenith")
    @classmethod
    def _zenith(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not (math.isfinite(low) and math.isfinite(high) and -1.0 <= low < high <= 1.0):
            raise ValueError("must be [low, high] with -1 <= low < high <= 1")
        centres = 0.5 * (COS_EDGES[1:] + COS_EDGES[:-1])
        if not np.any((low <= centres) & (high >= centres)):
            raise ValueError("is narrower than one zenith bin (0.05)")
        return value

    @property
    def whole(self) -> bool:
        """Whether the part is the whole table."""
        return (
            self.flavours == FLAVOURS
            and self.energy_GeV == (LOWEST_GEV, HIGHEST_GEV)
            and self.cos_zenith == (-1.0, 1.0)
        )
