"""Compute slant depth and length along a straight line through the curved atmosphere, and divide it into steps.

The line arrives at an observer above a sphere; from above, or from below the horizon. A line that meets the ground
carries its particles only as far as that, but neutrinos go on to the observer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from atmosphere.layers import LayeredAtmosphere
from sim3d.conventions.arrays import Array
from sim3d.conventions.constants import EARTH_RADIUS_KM

CM_PER_KM = 1.0e5
N_POINTS = 6000
"""Points of the line at which density is computed."""
FIRST_DEPTH_G_CM2 = 1.0e-3
GROWTH = 1.12
"""Largest ratio of the depths at the two ends of a step."""
DEPTH_STEP_G_CM2 = 10.0
DEPTH_STEP_SHARE = 0.01
"""Largest step: DEPTH_STEP_G_CM2, or beyond 1000 g/cm2 this share of the depth, where few hadrons are left."""


@dataclass(frozen=True)
class Path:
    """Steps along a line, from the top of the atmosphere to its end in the air.

    Attributes
    ----------
    cos_zenith : float
        At the observer; +1 is down-going.
    depth_g_cm2 : float64 array (k + 1,)
        Slant depths at the ends of the steps, from 0.
    length_km : float64 array (k,)
        Length of each step.
    reaches_observer : bool
        False if the line meets the ground before: hadrons and muons then end there.
    """

    cos_zenith: float
    depth_g_cm2: Array
    length_km: Array
    reaches_observer: bool

    @property
    def step_g_cm2(self) -> Array:
        """Depth of each step (g/cm2), shape (k,)."""
        return np.diff(self.depth_g_cm2)

    @property
    def density_g_cm3(self) -> Array:
        """Mean density along each step (g/cm3), shape (k,)."""
        return self.step_g_cm2 / (self.length_km * CM_PER_KM)


def density_of_height(height_km: Array, layers: Array) -> Array:
    """Compute the density of layered air, as :func:`atmosphere.kernels.density`, for arrays and without compilation.

    Parameters
    ----------
    height_km : float64 array
    layers : float64 array (n, 4)
        See :mod:`atmosphere.kernels`.

    Returns
    -------
    float64 array
        g/cm3; 0 above the top.
    """
    _, a, b, c = layers[np.maximum(np.searchsorted(layers[:, 0], height_km, side="right") - 1, 0)].T
    scale = np.where(c > 0.0, c, 1.0)
    falling = b * np.exp(-height_km / scale)
    exponential = np.where(a + falling > 0.0, falling / scale, 0.0)
    linear = np.where(a - b * height_km > 0.0, b, 0.0)
    return np.where(c > 0.0, exponential, linear) / CM_PER_KM


def make_path(
    air: LayeredAtmosphere, cos_zenith: float, altitude_km: float = 0.0, depth_step_g_cm2: float = DEPTH_STEP_G_CM2
) -> Path:
    """Divide the line that arrives at an observer into steps.

    Parameters
    ----------
    air : LayeredAtmosphere
    cos_zenith : float
        Cosine of the zenith angle of the arrival at the observer, -1 to 1.
    altitude_km : float
        Height of the observer above the sphere.
    depth_step_g_cm2 : float
        Largest step.

    Returns
    -------
    Path
    """
    radius = EARTH_RADIUS_KM + altitude_km
    impact = radius * math.sqrt(max(0.0, 1.0 - cos_zenith**2))
    top = EARTH_RADIUS_KM + air.top_km
    # positions along the line, from its point nearest to the Earth's centre towards where the particle comes from
    start = math.sqrt((top - impact) * (top + impact))
    end = radius * cos_zenith
    hits_ground = cos_zenith < 0.0 and impact < EARTH_RADIUS_KM
    if hits_ground:
        end = math.sqrt((EARTH_RADIUS_KM - impact) * (EARTH_RADIUS_KM + impact))
    position = np.linspace(start, end, N_POINTS)
    # r - R without cancellation, as R is large
    height = (impact - EARTH_RADIUS_KM) + position**2 / (np.hypot(impact, position) + impact)
    middle = 0.5 * (position[1:] + position[:-1])
    middle_height = (impact - EARTH_RADIUS_KM) + middle**2 / (np.hypot(impact, middle) + impact)
    ends, mids = density_of_height(height, air.layers), density_of_height(middle_height, air.layers)
    length = (start - end) / (N_POINTS - 1)
    panels = (ends[1:] + ends[:-1] + 4.0 * mids) / 6.0 * length * CM_PER_KM
    depth = np.concatenate(([0.0], np.cumsum(panels)))
    edges = _step_edges(float(depth[-1]), depth_step_g_cm2)
    travelled = start - position
    # ln depth is nearly linear in the length
    with np.errstate(divide="ignore"):
        logs = np.log(depth)
    inner = np.interp(np.log(edges[1:-1]), logs[1:], travelled[1:])
    lengths = np.diff(np.concatenate(([0.0], inner, [travelled[-1]])))
    return Path(cos_zenith, edges, lengths, not hits_ground)


def with_equal_steps(paths: Sequence[Path]) -> tuple[Array, Array]:
    """Divide paths into the same number of steps, that of the path with most, keeping the pattern of each.

    Parameters
    ----------
    paths : sequence of Path

    Returns
    -------
    depths : float64 array (paths, k + 1)
        Slant depths at the ends of the steps (g/cm2).
    lengths : float64 array (paths, k)
        Lengths of the steps (km).
    """
    most = max(path.length_km.size for path in paths)
    depths, lengths = np.empty((len(paths), most + 1)), np.empty((len(paths), most))
    for i, path in enumerate(paths):
        number = np.arange(path.depth_g_cm2.size)
        wanted = np.linspace(0.0, number[-1], most + 1)
        depths[i] = np.interp(wanted, number, path.depth_g_cm2)
        travelled = np.concatenate(([0.0], np.cumsum(path.length_km)))
        if path.length_km.size == most:
            lengths[i] = path.length_km
            continue
        # ln depth is nearly linear in the length; the first step has no logarithm
        with np.errstate(divide="ignore"):
            at, nodes = np.log(depths[i]), np.log(path.depth_g_cm2)
        inner = np.interp(at[1:], nodes[1:], travelled[1:])
        early = depths[i, 1:] < path.depth_g_cm2[1]
        inner[early] = travelled[1] * depths[i, 1:][early] / path.depth_g_cm2[1]
        lengths[i] = np.diff(np.concatenate(([0.0], inner)))
    return depths, lengths


def _step_edges(total: float, largest: float) -> Array:
    """Depths at the ends of the steps: a geometric series from the top, then even or slowly growing steps."""
    edges = [0.0, min(FIRST_DEPTH_G_CM2, 0.5 * total)]
    while edges[-1] < total:
        here = edges[-1]
        edges.append(
            here + min((GROWTH - 1.0) * here, max(largest, DEPTH_STEP_SHARE * here * largest / DEPTH_STEP_G_CM2))
        )
    # the last step ends at the end; a very short one is joined to the one before
    edges[-1] = total
    if len(edges) > 3 and edges[-1] - edges[-2] < 0.2 * (edges[-2] - edges[-3]):
        del edges[-2]
    return np.array(edges)
