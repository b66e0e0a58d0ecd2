"""Density, depth and height of a layered atmosphere: the numba kernels.

Every kernel takes the atmosphere as one float64 array ``layers`` of shape (n, 4), a row per layer and rows
ascending in height: ``(h_bottom_km, a, b, c_km)``.  In a layer the vertical depth above height h is

    T(h) = a + b exp(-h / c_km)     g/cm2, where c_km > 0 (a and b in g/cm2),
    T(h) = a - b h                  g/cm2, where c_km <= 0 (a in g/cm2, b in g/cm2 per km).

The atmosphere ends where T reaches 0, inside the last layer; above that density and depth are 0.  Below the
bottom of the first layer its formula goes on: a point a few metres under the ground has a sensible density.

Heights are km above a spherical Earth, depths g/cm2, densities g/cm3.  No argument is checked here: that is
the work of :class:`atmosphere.layers.LayeredAtmosphere`.
"""

import math
import os

import numba
import numpy as np
from numba import njit

_CACHE_DIR = str(getattr(numba.config, "CACHE_DIR", ""))
CACHE = _CACHE_DIR != "" and os.environ.get("SIM3D_SET_NUMBA_CACHE_DIR") == _CACHE_DIR
"""Whether entry kernels are cached: only in a folder keyed by the kernels' sources, which the application sets."""

EARTH_RADIUS_KM = 6371.2
"""Radius of the spherical Earth, km (IGRF's reference radius, the one the whole simulation uses)."""

CM_PER_KM = 1.0e5

SCAN_LIMIT = 8
"""Up to this many layers a scan from the ground is faster than bisection."""

# 16-point Gauss-Legendre rule on (-1, 1): numpy makes it once, the kernels see constants.
_GL_X, _GL_W = np.polynomial.legendre.leggauss(16)


@njit(nogil=True)
def layer_index(h_km, layers):
    """Find the layer that a height lies in.

    Parameters
    ----------
    h_km : float
        Height above the spherical Earth, km.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    int
        Row of `layers`; 0 below the first bottom.
    """
    n = layers.shape[0]
    if n <= SCAN_LIMIT:
        i = 0
        while i + 1 < n and h_km >= layers[i + 1, 0]:
            i += 1
        return i
    low = 0
    high = n
    while high - low > 1:
        middle = (low + high) // 2
        if h_km >= layers[middle, 0]:
            low = middle
        else:
            high = middle
    return low


@njit(nogil=True)
def density(h_km, layers):
    """Density of the air at a height.

    Parameters
    ----------
    h_km : float
        Height above the spherical Earth, km.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float
        g/cm3; 0 above the top.
    """
    i = layer_index(h_km, layers)
    a = layers[i, 1]
    b = layers[i, 2]
    c = layers[i, 3]
    if c > 0.0:
        above = b * math.exp(-h_km / c)
        # T(h) <= 0 is what "above the top" means, so no extra height has to be carried around.
        if a + above <= 0.0:
            return 0.0
        return above / (c * CM_PER_KM)
    if a - b * h_km <= 0.0:
        return 0.0
    return b / CM_PER_KM


@njit(nogil=True)
def vertical_depth(h_km, layers):
    """Vertical depth above a height.

    Parameters
    ----------
    h_km : float
        Height above the spherical Earth, km.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float
        g/cm2; 0 above the top.
    """
    i = layer_index(h_km, layers)
    c = layers[i, 3]
    if c > 0.0:
        depth = layers[i, 1] + layers[i, 2] * math.exp(-h_km / c)
    else:
        depth = layers[i, 1] - layers[i, 2] * h_km
    if depth <= 0.0:
        return 0.0
    return depth


@njit(nogil=True, cache=CACHE)
def top_height_km(layers):
    """Height at which the depth reaches 0.

    Parameters
    ----------
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float
        km; infinite if the last layer is an endless exponential.
    """
    last = layers.shape[0] - 1
    a = layers[last, 1]
    b = layers[last, 2]
    c = layers[last, 3]
    if c > 0.0:
        if a >= 0.0:
            return math.inf
        return c * math.log(-b / a)
    return a / b


@njit(nogil=True)
def height_of_depth(depth_g_cm2, layers):
    """Height at which the vertical depth has a given value.

    Parameters
    ----------
    depth_g_cm2 : float
        Vertical depth, g/cm2.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float
        km; the top for a depth of 0 or less; below the bottom of the first layer for a depth beyond it.
    """
    if depth_g_cm2 <= 0.0:
        return top_height_km(layers)
    # Depth falls with height: find the last layer whose bottom still has at least this depth above it.
    low = 0
    high = layers.shape[0]
    while high - low > 1:
        middle = (low + high) // 2
        if vertical_depth(layers[middle, 0], layers) >= depth_g_cm2:
            low = middle
        else:
            high = middle
    a = layers[low, 1]
    b = layers[low, 2]
    c = layers[low, 3]
    if c > 0.0:
        h_km = -c * math.log((depth_g_cm2 - a) / b)
    else:
        h_km = (a - depth_g_cm2) / b
    # Published layers join only to a few 1e-4 g/cm2: a depth inside such a seam belongs to the boundary.
    if low + 1 < layers.shape[0] and h_km > layers[low + 1, 0]:
        return layers[low + 1, 0]
    if low > 0 and h_km < layers[low, 0]:
        return layers[low, 0]
    return h_km


@njit(nogil=True)
def _depth_outward(t_low_km, t_high_km, impact_km, layers):
    """Depth along a straight line between two distances from its point closest to the Earth's centre, g/cm2.

    ``0 <= t_low_km <= t_high_km`` (km); ``impact_km`` is the closest distance to the centre (km).  One
    Gauss-Legendre panel per layer, so that no panel has a kink inside.
    """
    total = 0.0
    a = t_low_km
    n = layers.shape[0]
    for i in range(n):
        if i + 1 < n:
            r = EARTH_RADIUS_KM + layers[i + 1, 0]
            if r <= impact_km:
                continue
            b = math.sqrt((r - impact_km) * (r + impact_km))
            if b <= a:
                continue
            b = min(b, t_high_km)
        else:
            b = t_high_km
        half = 0.5 * (b - a)
        middle = 0.5 * (b + a)
        panel = 0.0
        for k in range(_GL_X.shape[0]):
            t = middle + half * _GL_X[k]
            # r - R without cancellation: p - R is small, and r - p = t^2 / (r + p).
            r = math.sqrt(impact_km * impact_km + t * t)
            h = (impact_km - EARTH_RADIUS_KM) + t * t / (r + impact_km)
            panel += _GL_W[k] * density(h, layers)
        total += panel * half * CM_PER_KM
        a = b
        if a >= t_high_km:
            break
    return total


@njit(nogil=True)
def slant_depth(h_km, cos_zenith, layers):
    """Depth along a straight line from height ``h_km`` outwards, on a curved Earth, g/cm2.

    Parameters
    ----------
    h_km : float
        Height of the point, km.
    cos_zenith : float
        Cosine of the angle between the line (outwards from the point) and the vertical AT the point; a
        particle that arrives along this line is down-going for ``cos_zenith > 0``.
    layers : float64 array, shape (n, 4)

    Returns
    -------
    float
        g/cm2; infinite where the line meets the Earth (height 0) before it leaves the atmosphere.
    """
    top = top_height_km(layers)
    r0 = EARTH_RADIUS_KM + h_km
    r_top = EARTH_RADIUS_KM + top
    sine = math.sqrt(max(0.0, 1.0 - cos_zenith * cos_zenith))
    impact = r0 * sine
    t0 = r0 * cos_zenith
    if impact >= r_top:
        return 0.0
    t_top = math.sqrt((r_top - impact) * (r_top + impact))
    if t0 >= 0.0:
        if h_km >= top:
            return 0.0
        return _depth_outward(t0, t_top, impact, layers)
    if impact < EARTH_RADIUS_KM:
        return math.inf
    inward = _depth_outward(0.0, min(-t0, t_top), impact, layers)
    return inward + _depth_outward(0.0, t_top, impact, layers)


@njit(nogil=True, cache=CACHE)
def density_array(h_km, layers):
    """Density of the air at many heights.

    Parameters
    ----------
    h_km : float64 array, shape (n,)
        Heights, km.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float64 array, shape (n,)
        g/cm3.
    """
    out = np.empty(h_km.shape[0])
    for i in range(h_km.shape[0]):
        out[i] = density(h_km[i], layers)
    return out


@njit(nogil=True, cache=CACHE)
def vertical_depth_array(h_km, layers):
    """Vertical depth above many heights.

    Parameters
    ----------
    h_km : float64 array, shape (n,)
        Heights, km.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float64 array, shape (n,)
        g/cm2.
    """
    out = np.empty(h_km.shape[0])
    for i in range(h_km.shape[0]):
        out[i] = vertical_depth(h_km[i], layers)
    return out


@njit(nogil=True, cache=CACHE)
def height_of_depth_array(depth_g_cm2, layers):
    """Heights of many vertical depths.

    Parameters
    ----------
    depth_g_cm2 : float64 array, shape (n,)
        Vertical depths, g/cm2.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float64 array, shape (n,)
        km.
    """
    out = np.empty(depth_g_cm2.shape[0])
    for i in range(depth_g_cm2.shape[0]):
        out[i] = height_of_depth(depth_g_cm2[i], layers)
    return out


@njit(nogil=True, cache=CACHE)
def slant_depth_array(h_km, cos_zenith, layers):
    """Depths along straight lines from many points, see :func:`slant_depth`.

    Parameters
    ----------
    h_km : float64 array, shape (n,)
        Heights, km.
    cos_zenith : float64 array, shape (n,)
        Cosines of the zenith angles.
    layers : float64 array, shape (n, 4)
        The atmosphere, see the module's header.

    Returns
    -------
    float64 array, shape (n,)
        g/cm2.
    """
    out = np.empty(h_km.shape[0])
    for i in range(h_km.shape[0]):
        out[i] = slant_depth(h_km[i], cos_zenith[i], layers)
    return out
