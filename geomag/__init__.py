"""The geomagnetic field, back-tracking of particles in it, rigidity cutoffs, and named sites.

Knows nothing of the simulation.  Frame of every kernel: geocentric, Earth-fixed Cartesian axes in km, z to
the north pole, x to (latitude 0, longitude 0); field in nT; rigidity in GV.

The names in ``__all__`` can be imported from here; they are loaded on first use.
"""

# ruff: noqa: F401  (what is imported is handed on by `locals`)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, SkyMap, sky_map
    from geomag.cutoffs.intensity import IntensityMap, intensity_map
    from geomag.cutoffs.whole_sky import WholeSky, whole_sky_map
    from geomag.errors import GeomagInputError
    from geomag.field.igrf import FieldModel
    from geomag.sites import SITES, Site, site
    from geomag.trajectories.batch import BatchTracer
    from geomag.trajectories.tracing import trace_params

__all__ = [
    "SITES",
    "BatchTracer",
    "Cutoff",
    "CutoffTracer",
    "FieldModel",
    "GeomagInputError",
    "IntensityMap",
    "Site",
    "SkyMap",
    "WholeSky",
    "intensity_map",
    "site",
    "sky_map",
    "trace_params",
    "whole_sky_map",
]


def _public() -> dict[str, Any]:
    from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, SkyMap, sky_map
    from geomag.cutoffs.intensity import IntensityMap, intensity_map
    from geomag.cutoffs.whole_sky import WholeSky, whole_sky_map
    from geomag.errors import GeomagInputError
    from geomag.field.igrf import FieldModel
    from geomag.sites import SITES, Site, site
    from geomag.trajectories.batch import BatchTracer
    from geomag.trajectories.tracing import trace_params

    return locals()


def __getattr__(name: str) -> Any:
    if name in __all__:
        globals().update(_public())
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
