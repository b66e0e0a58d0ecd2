"""The geomagnetic field, back-tracking of particles in it, rigidity cutoffs, and named sites.

It is independent of the simulation.  Frame of every kernel: geocentric, Earth-fixed Cartesian axes in km, z to
the north pole, x to (latitude 0, longitude 0); field in nT; rigidity in GV.

The names in ``__all__`` can be imported from here; they are loaded on first use.
"""

# ruff: noqa: F401  (what is imported is handed on by `locals`)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from geomag.cutoffs.curves import AzimuthCurve, LatitudeCurve, azimuth_curve, latitude_curve
    from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, SkyMap, sky_map
    from geomag.cutoffs.intensity import IntensityMap, intensity_map
    from geomag.cutoffs.penumbra import Penumbra, penumbra
    from geomag.cutoffs.series import CutoffSeries, cutoff_series
    from geomag.cutoffs.whole_sky import WholeSky, whole_sky_map
    from geomag.cutoffs.world import PlaceCutoffs, WorldCutoffs, place_cutoffs, world_cutoffs
    from geomag.errors import GeomagInputError
    from geomag.field.dipole import geomagnetic_coordinates, stoermer_cutoff_GV
    from geomag.field.igrf import FieldModel
    from geomag.field.magnetosphere import Magnetosphere
    from geomag.sites import SITES, Site, site
    from geomag.stations import Station, place, stations
    from geomag.trajectories.asymptotic import AsymptoticDirections, asymptotic_directions
    from geomag.trajectories.batch import BatchTracer
    from geomag.trajectories.points import Trajectory, trace
    from geomag.trajectories.tracing import trace_params

__all__ = [
    "SITES",
    "AsymptoticDirections",
    "AzimuthCurve",
    "BatchTracer",
    "Cutoff",
    "CutoffSeries",
    "CutoffTracer",
    "FieldModel",
    "GeomagInputError",
    "IntensityMap",
    "LatitudeCurve",
    "Magnetosphere",
    "Penumbra",
    "PlaceCutoffs",
    "Site",
    "SkyMap",
    "Station",
    "Trajectory",
    "WholeSky",
    "WorldCutoffs",
    "asymptotic_directions",
    "azimuth_curve",
    "cutoff_series",
    "geomagnetic_coordinates",
    "intensity_map",
    "latitude_curve",
    "penumbra",
    "place",
    "place_cutoffs",
    "site",
    "sky_map",
    "stations",
    "stoermer_cutoff_GV",
    "trace",
    "trace_params",
    "whole_sky_map",
    "world_cutoffs",
]


def _public() -> dict[str, Any]:
    from geomag.cutoffs.curves import AzimuthCurve, LatitudeCurve, azimuth_curve, latitude_curve
    from geomag.cutoffs.cutoff import Cutoff, CutoffTracer, SkyMap, sky_map
    from geomag.cutoffs.intensity import IntensityMap, intensity_map
    from geomag.cutoffs.penumbra import Penumbra, penumbra
    from geomag.cutoffs.series import CutoffSeries, cutoff_series
    from geomag.cutoffs.whole_sky import WholeSky, whole_sky_map
    from geomag.cutoffs.world import PlaceCutoffs, WorldCutoffs, place_cutoffs, world_cutoffs
    from geomag.errors import GeomagInputError
    from geomag.field.dipole import geomagnetic_coordinates, stoermer_cutoff_GV
    from geomag.field.igrf import FieldModel
    from geomag.field.magnetosphere import Magnetosphere
    from geomag.sites import SITES, Site, site
    from geomag.stations import Station, place, stations
    from geomag.trajectories.asymptotic import AsymptoticDirections, asymptotic_directions
    from geomag.trajectories.batch import BatchTracer
    from geomag.trajectories.points import Trajectory, trace
    from geomag.trajectories.tracing import trace_params

    return locals()


def __getattr__(name: str) -> Any:
    if name in __all__:
        globals().update(_public())
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
