"""Constants of geometry that several rooms share."""

from __future__ import annotations

EARTH_RADIUS_KM = 6371.2
