"""The table [muons] of a run configuration: levels and bins of the spectra of muons and nucleons."""

from __future__ import annotations

import itertools
import math
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from sim3d.config.table import Float, Int, Table

DEFAULT_MUON_COS_EDGES = (
    *(0.0, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8),
    *(0.85, 0.9, 0.94, 0.97, 0.99, 1.0),
)
"""Default edges of the zenith bins (cos zenith): fine near the vertical, where muons are measured."""


class MuonsTable(Table):
    """Table ``[muons]``: levels at which muons and nucleons are scored, and their bins.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    ground: bool = True
    altitudes_km: tuple[Annotated[Float, Field(ge=0, le=100, allow_inf_nan=False)], ...] = ()
    depths_g_cm2: tuple[Annotated[Float, Field(gt=0, le=1030, allow_inf_nan=False)], ...] = ()
    momentum_GeV: tuple[Float, Float] = (0.6, 3000.0)
    bins_per_decade: Int = Field(10, ge=1, le=40)
    cos_zenith_edges: tuple[Float, ...] = DEFAULT_MUON_COS_EDGES

    @field_validator("momentum_GeV")
    @classmethod
    def _range(cls, value: tuple[float, float]) -> tuple[float, float]:
        low, high = value
        if not (math.isfinite(low) and math.isfinite(high) and 0.05 <= low < high <= 1.0e6):
            raise ValueError("must be [low, high] in GeV/c with 0.05 <= low < high <= 1e6")
        return value

    @field_validator("cos_zenith_edges")
    @classmethod
    def _edges(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        steps = [round(100.0 * edge) for edge in value if math.isfinite(edge)]
        if len(steps) != len(value) or any(abs(100.0 * e - s) > 1e-6 for e, s in zip(value, steps, strict=True)):
            raise ValueError("must be multiples of 0.01")
        if len(steps) < 2 or steps[0] < 0 or steps[-1] > 100 or any(b <= a for a, b in itertools.pairwise(steps)):
            raise ValueError("must ascend from 0 or more to 1 or less, at least two of them")
        return tuple(step / 100.0 for step in steps)

    @model_validator(mode="after")
    def _a_level(self) -> MuonsTable:
        if not (self.ground or self.altitudes_km or self.depths_g_cm2):
            raise ValueError("needs a level: ground = true, altitudes_km or depths_g_cm2")
        return self
