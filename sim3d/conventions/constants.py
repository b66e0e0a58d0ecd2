"""Geometrical constants that several rooms use."""

from __future__ import annotations

EARTH_RADIUS_KM = 6371.2
