"""Table ``[[sites]]`` of a run configuration: detector sites, their altitudes and patches."""

from __future__ import annotations

import re

from pydantic import Field, ValidationInfo, field_validator, model_validator

from geomag.sites import SITES
from sim3d.config.table import Float, Table

SMALLEST_PATCH_DEG = 1.0e-3
"""Smallest extent of a patch in degrees, about 100 m; a smaller one would not change a flux noticeably."""


class Patch(Table):
    """Key ``patch`` of a site: extent of the detector surface, a rectangle or a spherical cap.

    Attributes
    ----------
    ns_deg, ew_deg : float or None
        Extent along magnetic north and magnetic east (degrees).
    radius_deg : float or None
        Radius of a cap (degrees), instead of a rectangle.
    """

    ns_deg: Float | None = Field(None, ge=SMALLEST_PATCH_DEG, allow_inf_nan=False)
    ew_deg: Float | None = Field(None, ge=SMALLEST_PATCH_DEG, allow_inf_nan=False)
    radius_deg: Float | None = Field(None, ge=SMALLEST_PATCH_DEG, allow_inf_nan=False)

    @model_validator(mode="after")
    def _one_shape(self) -> Patch:
        rectangle = (self.ns_deg is not None, self.ew_deg is not None)
        if self.radius_deg is not None and any(rectangle):
            raise ValueError("give either ns_deg and ew_deg, or radius_deg")
        if self.radius_deg is None and not all(rectangle):
            raise ValueError("needs both ns_deg and ew_deg, or radius_deg")
        too_large = (self.ns_deg or 0) > 180 or (self.ew_deg or 0) > 360 or (self.radius_deg or 0) > 180
        if too_large:
            raise ValueError("is larger than the Earth: at most ns_deg = 180, ew_deg = 360, radius_deg = 180")
        return self


class SiteTable(Table):
    """Table ``[[sites]]``: name, position and patch of a detector site.

    Keys, units, defaults and allowed ranges: docs/manual/configuration.md.
    """

    name: str
    lat: Float | None = Field(None, ge=-90, le=90, allow_inf_nan=False)
    lon: Float | None = Field(None, ge=-360, le=360, allow_inf_nan=False)
    surface: str | None = None
    depth_g_cm2: Float | None = Field(None, ge=1.0, le=1100.0, allow_inf_nan=False)
    altitude_m: Float | None = Field(None, ge=-5000, le=9000, allow_inf_nan=False)
    patch: Patch | None = None

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        name = value.lower()
        if not re.fullmatch(r"[a-z0-9][a-z0-9_.-]{0,39}", name):
            raise ValueError("must be 1 to 40 letters, digits, '_', '-' or '.' (it becomes part of file names)")
        return name

    @field_validator("altitude_m")
    @classmethod
    def _of_the_surface(cls, value: float | None, info: ValidationInfo) -> float | None:
        """State the altitude where none is given: of a known site's surface, else sea level; not beside another way."""
        given = info.data
        if value is not None or not {"name", "lat", "lon"} <= given.keys():
            return value
        if given.get("surface") is not None or given.get("depth_g_cm2") is not None:
            return None
        known = SITES.get(given["name"]) if given["lat"] is None and given["lon"] is None else None
        return 0.0 if known is None else known.surface_m

    @model_validator(mode="after")
    def _place(self) -> SiteTable:
        if (self.lat is None) != (self.lon is None):
            raise ValueError("give both lat and lon, or a known name alone")
        if self.depth_g_cm2 is not None and (self.altitude_m is not None or self.surface is not None):
            raise ValueError("give one of depth_g_cm2, altitude_m and surface")
        return self
