"""Trace particles by slower, independent methods, for the tests; the simulation does not use it.

Nothing is shared with the kernels but the Gauss coefficients: the field is summed in spherical coordinates
with associated Legendre functions, and the trajectory is integrated by scipy's DOP853 with events.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numba import njit
from scipy.constants import speed_of_light
from scipy.integrate import solve_ivp

from geomag.arrays import Array
from geomag.field.igrf import FieldModel

_RADIUS_KM = 6371.2


@njit(nogil=True)
def field_spherical(position: Array, g: Array, h: Array) -> Array:
    """Field by the textbook sum in spherical coordinates (R. A. Langel, in Geomagnetism vol. 1, 1987).

    Parameters
    ----------
    position : float64 array, shape (3,)
        Geocentric Cartesian, km; not on the axis.
    g, h : float64 array, shape (N+1, N+1)
        Schmidt semi-normalised coefficients, nT.

    Returns
    -------
    float64 array, shape (3,)
        Field, nT, Cartesian.
    """
    across = math.hypot(position[0], position[1])
    r = math.hypot(across, position[2])
    sin_t, cos_t = across / r, position[2] / r
    phi = math.atan2(position[1], position[0])
    degree = g.shape[0] - 1
    p = np.zeros((degree + 1, degree + 1))
    dp = np.zeros((degree + 1, degree + 1))
    p[0, 0] = 1.0
    b_r, b_t, b_p = 0.0, 0.0, 0.0
    for n in range(1, degree + 1):
        ratio = (_RADIUS_KM / r) ** (n + 2)
        for m in range(n + 1):
            if m == n:
                # Schmidt functions: P_nn = sqrt((2n-1)/(2n)) sin P_(n-1)(n-1), without the root for n = 1
                s = 1.0 if n == 1 else math.sqrt((2.0 * n - 1.0) / (2.0 * n))
                p[n, n] = s * sin_t * p[n - 1, n - 1]
                dp[n, n] = s * (sin_t * dp[n - 1, n - 1] + cos_t * p[n - 1, n - 1])
            else:
                a = (2.0 * n - 1.0) / math.sqrt(float(n * n - m * m))
                b = math.sqrt(float((n - 1) ** 2 - m * m)) / math.sqrt(float(n * n - m * m)) if m < n - 1 else 0.0
                p2 = p[n - 2, m] if n > 1 else 0.0
                dp2 = dp[n - 2, m] if n > 1 else 0.0
                p[n, m] = a * cos_t * p[n - 1, m] - b * p2
                dp[n, m] = a * (cos_t * dp[n - 1, m] - sin_t * p[n - 1, m]) - b * dp2
            c, s = math.cos(m * phi), math.sin(m * phi)
            value = g[n, m] * c + h[n, m] * s
            b_r += (n + 1) * ratio * value * p[n, m]
            b_t -= ratio * value * dp[n, m]
            b_p -= ratio * m * (h[n, m] * c - g[n, m] * s) * p[n, m] / sin_t
    horizontal = b_r * sin_t + b_t * cos_t
    return np.array(
        [
            horizontal * math.cos(phi) - b_p * math.sin(phi),
            horizontal * math.sin(phi) + b_p * math.cos(phi),
            b_r * cos_t - b_t * sin_t,
        ]
    )


@njit(nogil=True)
def _slope(state: Array, g: Array, h: Array, k: float) -> Array:
    """d(position, direction)/ds of the state (x, y, z, tx, ty, tz)."""
    b = field_spherical(state[:3], g, h)
    t = state[3:]
    out = np.empty(6)
    out[:3] = t
    out[3] = k * (t[1] * b[2] - t[2] * b[1])
    out[4] = k * (t[2] * b[0] - t[0] * b[2])
    out[5] = k * (t[0] * b[1] - t[1] * b[0])
    return out


@dataclass(frozen=True)
class ReferenceTrace:
    """Verdict and final state of a trajectory.

    Attributes
    ----------
    verdict : int
        1 allowed, 0 forbidden, 2 undecided.
    position_km, direction : array, shape (3,)
        Where the antiparticle ended and its direction there.
    path_km : float
        Path length.
    """

    verdict: int
    position_km: Array
    direction: Array
    path_km: float


def reference_trace(
    xyz_km: Array,
    momentum: Array,
    rigidity_GV: float,
    field: FieldModel,
    floor_equator_km: float = _RADIUS_KM,
    floor_pole_km: float = _RADIUS_KM,
    rtol: float = 1e-10,
    escape_radii: float = 10.0,
    max_path_radii: float = 100.0,
) -> ReferenceTrace:
    """Follow the antiparticle of a positive particle that arrives at a place.

    Parameters
    ----------
    xyz_km, momentum : array, shape (3,)
        Place (km) and unit momentum of the arriving particle.
    rigidity_GV : float
        Rigidity.
    field : FieldModel
        Its coefficients `g` and `h` are used, not its evaluator.
    floor_equator_km, floor_pole_km : float
        Half axes of the floor, an ellipsoid of revolution.
    rtol : float
        Relative tolerance of DOP853.
    escape_radii, max_path_radii : float
        In units of 6371.2 km.

    Returns
    -------
    ReferenceTrace
        Verdict and final state.
    """
    k = -speed_of_light * 1e-15 / rigidity_GV
    weight = np.array([1.0, 1.0, (floor_equator_km / floor_pole_km) ** 2])

    def height(_s: float, state: Array) -> float:
        return math.sqrt((weight * state[:3] ** 2).sum()) - floor_equator_km

    def perigee(_s: float, state: Array) -> float:
        return float((weight * state[:3] * state[3:]).sum())

    def away(_s: float, state: Array) -> float:
        return float(np.linalg.norm(state[:3])) - escape_radii * _RADIUS_KM

    # a start on the floor, rounded, is not below it
    def met(_s: float, state: Array) -> float:
        return height(_s, state) + 1e-5

    met.terminal, met.direction = True, -1  # type: ignore[attr-defined]
    away.terminal, away.direction = True, 1  # type: ignore[attr-defined]
    perigee.direction = 1  # type: ignore[attr-defined]
    start = np.concatenate([np.asarray(xyz_km, float), -np.asarray(momentum, float)])
    if height(0.0, start) < -1e-5 and perigee(0.0, start) < 0.0:
        return ReferenceTrace(0, start[:3], start[3:], 0.0)
    scale = np.array([_RADIUS_KM] * 3 + [1.0] * 3)
    found = solve_ivp(
        lambda _s, state: _slope(state, field.g, field.h, k),
        (0.0, max_path_radii * _RADIUS_KM),
        start,
        method="DOP853",
        rtol=rtol,
        atol=rtol * scale,
        events=(met, away, perigee),
    )
    end = found.y[:, -1]
    # a dip below the floor between two steps shows at the lowest points
    dipped = any(height(0.0, state) < -1e-5 for state in found.y_events[2])
    if found.status == 1 and len(found.t_events[1]) and not dipped:
        verdict = 1
    elif dipped or len(found.t_events[0]):
        verdict = 0
    else:
        verdict = 2
    return ReferenceTrace(verdict, end[:3], end[3:], float(found.t[-1]))
