"""Decide early, from the angle to the radius, that a particle must escape or reach the floor; a bound on the field.

These decisions come earlier than those of `geomag.trajectories.early_verdicts`, for two reasons.  The bound on the
horizontal field is that of the whole field on a sphere, not the sum of those of its degrees
(`horizontal_table`).  And only the part of the direction across the radius turns in a horizontal field: with
the sine s of the angle to the radius, |r.t'| is at most (K/r^2) s.  Outwards d(r s)/dr is then at most K/r^2, hence

    r s <= r0 s0 + K (1/r0 - 1/r),

the motion in the equator of a dipole (Stoermer's).  The largest s on the way is (s0 + kappa)^2 / (4 kappa) with
kappa = K/r0^2 > s0, and s0 otherwise; while it stays below one, the particle leaves.  Inwards, in the same
way, r s <= r0 s0 + K (1/r - 1/r0).  A limit of 0.995 instead of one keeps the radius growing by a tenth of the
path, thirty times as fast as the radius of an ellipsoid can, so that a geodetic floor is never met.

Units: km, nT, GV; q is r^2/2 and dq is r.t of the space stretched so that the floor is a sphere.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomag.arrays import Array
from geomag.field.igrf import FieldModel
from geomag.field.kernels import CACHE, EARTH_RADIUS_KM
from geomag.trajectories.early_verdicts import (
    ALLOWED,
    CURVATURE,
    FORBIDDEN,
    GRACE,
    P_ESCAPE2,
    P_FLOOR_Q,
    P_PATH,
    P_SHORTCUT_PATH,
    P_Z2,
    UNDECIDED,
    horizontal_bound,
)
from geomag.trajectories.lanes import square_root
from geomag.trajectories.tracing import multipole_bounds

STEEPEST = 0.995
"""Largest sine of the angle to the radius that the certain decisions let the worst field make."""

# Places in the array of bounds of `horizontal_table`; the cells of the table follow.
B_LOG_LOWEST, B_CELLS, B_AXIS, B_DIPOLE, B_FLOOR_R, B_FLOOR_K, B_TABLE = 0, 1, 2, 5, 6, 7, 8

# cells of the table of bounds, evenly in the logarithm of the radius up to twice the Earth's
_TABLE_CELLS, _TABLE_REACH = 20, 2.0


@njit(nogil=True, cache=CACHE)
def tight_bound(r_km, params, nmax, bounds):
    """Bound on the horizontal field on the sphere of radius r_km, nT; times r^3 it only falls outwards.

    Parameters
    ----------
    r_km : float
        Radius, km.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params`.
    nmax : int
        Degree of the field.
    bounds : float64 array
        From `horizontal_table`.

    Returns
    -------
    float
        nT.
    """
    cell = math.floor((math.log(r_km) - bounds[B_LOG_LOWEST]) * bounds[B_CELLS])
    if cell < 0 or cell >= bounds.shape[0] - B_TABLE:
        return horizontal_bound(r_km, params, nmax)
    return bounds[B_TABLE + cell] / (r_km * r_km * r_km)


@njit(nogil=True, cache=CACHE)
def lowest_cutoff_GV(x, y, z, bounds):
    """Stoermer's cutoff of the field's centred dipole at a place, from the west along the horizon: its lowest.

    R = k B a^3 cos^4 l / (r^2 (1 + sqrt(1 + cos^3 l))^2) with the magnetic latitude l and the equatorial field
    B at r = a (D. F. Smart & M. A. Shea, Adv. Space Res. 36 (2005) 2012, eq. 1).

    Parameters
    ----------
    x, y, z : float
        Place, km.
    bounds : float64 array
        From `horizontal_table`.

    Returns
    -------
    float
        GV.
    """
    r2 = x * x + y * y + z * z
    along = x * bounds[B_AXIS] + y * bounds[B_AXIS + 1] + z * bounds[B_AXIS + 2]
    cos2 = 1.0 - along * along / r2
    below = 1.0 + math.sqrt(1.0 + cos2 * math.sqrt(cos2))
    return bounds[B_DIPOLE] * cos2 * cos2 / (r2 * below * below)


@njit(nogil=True)
def escape_is_certain_at(kappa, mu):
    """Whether an outward particle must escape, whatever the field does within its bound (see the module's header).

    Parameters
    ----------
    kappa : float
        K/r^2.
    mu : float
        Cosine of the angle of the direction to the outward radius.

    Returns
    -------
    bool
        True only if certain, and with a path to 10 Earth radii below half the longest path allowed (tested).
    """
    if mu < 0.0:
        return False
    if kappa < 0.95:
        return True
    sine = math.sqrt(max(1.0 - mu * mu, 0.0))
    if kappa <= sine:
        return sine < STEEPEST
    return (sine + kappa) * (sine + kappa) < 4.0 * STEEPEST * kappa


@njit(nogil=True)
def decide(q, dq, r, mu, path, rigidity_GV, nmax, params, bounds):
    """Decide between two steps whether a trajectory escapes, reaches the floor, is too long, or has to be followed on.

    Parameters
    ----------
    q, dq : float
        r^2/2 and r.t of the stretched space, km^2 and km.
    r : float
        Radius, km.
    mu : float
        Cosine of the angle of the direction to the outward radius.
    path : float
        Path so far, km.
    rigidity_GV : float
        Rigidity.
    nmax : int
        Degree of the field.
    params, bounds : float64 array
        From `geomag.trajectories.tracing.trace_params` and `horizontal_table`.

    Returns
    -------
    int
        1 allowed, 0 forbidden, 2 undecided (its path is too long), -1 if it must go on.
    """
    if q < params[P_FLOOR_Q] * (1.0 - GRACE) and dq < 0.0:
        return FORBIDDEN
    if r * r > params[P_ESCAPE2]:
        return ALLOWED
    if path < params[P_SHORTCUT_PATH]:
        k = CURVATURE / rigidity_GV
        if dq >= 0.0:
            if escape_is_certain_at(k * r * tight_bound(r, params, nmax, bounds), mu):
                return ALLOWED
        elif mu < 0.0 and r > bounds[B_FLOOR_R]:
            floor_r = bounds[B_FLOOR_R]
            sine = math.sqrt(max(1.0 - mu * mu, 0.0))
            if r * sine + k * bounds[B_FLOOR_K] * (1.0 / floor_r - 1.0 / r) < STEEPEST * floor_r:
                return FORBIDDEN
    if path > params[P_PATH]:
        return UNDECIDED
    return -1


@njit(nogil=True)
def may_be_decided(x, y, z, tx, ty, tz, q, dq, path, k, dipole_k, params, bounds):
    """Tell which lanes `decide` may decide: necessary for it, and quick.

    Parameters
    ----------
    x, y, z, tx, ty, tz : lanes
        Positions, km, and unit directions of the antiparticles.
    q, dq : lanes
        r^2/2 and r.t of the stretched space, km^2 and km.
    path : lanes
        Paths so far, km.
    k : lanes
        -CURVATURE/R, km^-1 nT^-1.
    dipole_k : float
        Bound on the horizontal field far out times r^3, nT km^3.
    params, bounds : float64 array
        From `geomag.trajectories.tracing.trace_params` and `horizontal_table`.

    Returns
    -------
    lanes of booleans
        Where `decide` has to be called.
    """
    floor_r, floor_k = bounds[B_FLOOR_R], bounds[B_FLOOR_K]
    r2 = x * x + y * y + z * z
    w = x * tx + y * ty + z * tz
    sine2 = 1.0 - w * w / r2
    kappa = -k * dipole_k / r2
    # (s + kappa)^2 < 4 c kappa without the root of s^2
    room = 4.0 * STEEPEST * kappa - kappa * kappa - sine2
    turning = (room > 0.0) & (4.0 * sine2 * kappa * kappa < room * room)
    escape = (dq >= 0.0) & ((kappa < 0.95) | (sine2 > kappa * kappa) | turning)
    # r s + K/f - K/r < c f with r > f: necessary that r s < c f - K (1/f - 1/r)
    room = STEEPEST * floor_r + k * floor_k * (1.0 / floor_r - 1.0 / square_root(r2))
    impact = (w < 0.0) & (room > 0.0) & (r2 * sine2 < room * room)
    over = (q < params[P_FLOOR_Q] * (1.0 - GRACE)) | (r2 > params[P_ESCAPE2]) | (path > params[P_PATH])
    return escape | impact | over


def horizontal_table(field: FieldModel, params: Array) -> Array:
    """Bound on the horizontal field by radius, for `tight_bound`.

    Each Cartesian component of r x B is a spherical polynomial of the degree of the field, so the largest
    horizontal field on a grid bounds it everywhere on the sphere, as in `geomag.trajectories.tracing.multipole_bounds`.
    From a grid at radius r_i outwards to r, with l = r_i/r, the multipoles fall as l^(n+2), hence

        |Bh(r)| r^3 <= r_i^3 (max |Bh(r_i)| + sum_n (1 - l^(n-1)) max |Bh_n(r_i)|).

    A geodetic floor widens the bound as in `geomag.trajectories.tracing`.

    Parameters
    ----------
    field : FieldModel
        The field.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params` for this field.

    Returns
    -------
    float64 array
        Logarithm of the lowest radius (km), cells per unit of the logarithm, axis of the dipole (three
        numbers), its Stoermer rigidity times r^2 (GV km^2), least radius of the floor (km) and r^3 times the
        bound there, then for each cell the largest r^3 times the
        bound at any radius from its lower end outwards, nT km^3.
    """
    horizontal, total = multipole_bounds(field)
    stretch = math.sqrt(params[P_Z2])
    n = np.arange(1, field.degree + 1)
    lowest = 0.98 * EARTH_RADIUS_KM / stretch
    width = math.log(_TABLE_REACH) / _TABLE_CELLS
    step = 2.0
    lat, lon = np.meshgrid(np.arange(-90.0, 90.1, step), np.arange(0.0, 360.0, step), indexing="ij")
    lat, lon = np.radians(lat), np.radians(lon)
    up = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], axis=-1)
    between = 1.0 / math.cos(field.degree * math.radians(step / math.sqrt(2.0)))
    bounds = np.empty(B_TABLE + _TABLE_CELLS)
    bounds[B_LOG_LOWEST], bounds[B_CELLS] = math.log(lowest * stretch), 1.0 / width
    dipole = np.array([field.g[1, 1], field.h[1, 1], field.g[1, 0]])
    strength = float(np.linalg.norm(dipole))
    bounds[B_AXIS : B_AXIS + 3] = dipole / strength if strength > 0.0 else [0.0, 0.0, 1.0]
    bounds[B_DIPOLE] = CURVATURE * strength * EARTH_RADIUS_KM**3
    beyond = 0.0
    for cell in range(_TABLE_CELLS, -1, -1):
        r = lowest * math.exp(cell * width)
        falling = (EARTH_RADIUS_KM / r) ** (n + 2)
        by_degree = horizontal[1:] * falling
        more = (stretch**2 - 1.0) * float((total[1:] * falling).sum())
        largest = float(by_degree.sum())
        if cell < _TABLE_CELLS:
            b = field.field_xyz(up * r)
            across2 = (b * b).sum(axis=-1) - (b * up).sum(axis=-1) ** 2
            whole = math.sqrt(float(across2.max())) * between
            largest = min(largest, whole + float(((1.0 - math.exp(-width) ** (n - 1)) * by_degree).sum()))
        # radii in the kernel are stretched ones, up to `stretch` times the true one
        beyond = max(beyond, stretch**5 * r**3 * (largest + more))
        if cell < _TABLE_CELLS:
            bounds[B_TABLE + cell] = beyond
    # the least radius of the floor: what comes as low as that is below it
    floor_r = math.sqrt(2.0 * params[P_FLOOR_Q]) / stretch
    bounds[B_FLOOR_R] = floor_r
    bounds[B_FLOOR_K] = floor_r**3 * tight_bound(floor_r, params, field.degree, bounds)
    return bounds
