"""Decide between two steps whether a trajectory must escape or must reach the floor; the layout of the parameters.

The arguments are in the header of `geomag.trajectories.tracing`.  These are the parts that its kernel and the one for
many trajectories at once (`geomag.trajectories.lockstep`) have in common.

Units: km, nT, GV; q is r^2/2 and dq is r.t of the space stretched so that the floor is a sphere.
"""

from __future__ import annotations

import math

from numba import njit
from scipy import constants

from geomag.field.kernels import CACHE, EARTH_RADIUS_KM

CURVATURE = constants.c / (constants.giga * constants.mega)
"""dt/ds = CURVATURE (t x B)/R with B in nT, R in GV, s in km: c = 299792458 m/s, 1e-9 T/nT, 1e-9 GV/V, 1e3
m/km."""

ALLOWED, FORBIDDEN, UNDECIDED = 1, 0, 2

# Places in the array of parameters.  Bounds and radii of the multipoles start at P_BOUND and P_CUT.
P_FLOOR_Q, P_Z2, P_ESCAPE2, P_PATH, P_TOL, P_SHORTCUT_PATH, P_FLOOR_K = 0, 1, 2, 3, 4, 5, 6
P_BOUND, P_CUT, P_SIZE = 16, 32, 48

MAX_GYRATION = 1.2
GRACE = 1e-9  # of q: a start on the floor, rounded, is not below it (0.6 cm of height)


@njit(nogil=True, cache=CACHE)
def horizontal_bound(r_km, params, nmax):
    """Bound on the horizontal field on the sphere of radius r_km; times r^3 it only falls outwards.

    Parameters
    ----------
    r_km : float
        Radius, km.
    params : float64 array
        From `trace_params`.
    nmax : int
        Degree of the field.

    Returns
    -------
    float
        nT.
    """
    ratio = EARTH_RADIUS_KM / r_km
    total = 0.0
    for n in range(nmax, 0, -1):
        total = total * ratio + params[P_BOUND + n]
    return total * ratio * ratio * ratio


@njit(nogil=True)
def escape_is_certain(kappa, mu):
    """Whether an outward particle must escape, whatever the field does within its bound.

    Parameters
    ----------
    kappa : float
        K/r^2: bound on |r.dt/ds| here.
    mu : float
        Cosine of the angle of the direction to the outward radius.

    Returns
    -------
    bool
        True only if certain, and with a margin that keeps the remaining path to 10 Earth radii below
        five times the escape radius (tested numerically).
    """
    if mu < 0.0:
        return False
    if kappa < 0.95:
        return True
    if kappa > 2.72:
        return False
    return mu * mu > 0.01 + 1.0 - kappa + kappa * math.log(kappa)


@njit(nogil=True)
def impact_is_certain(q, dq, rigidity_GV, params):
    """Whether an inward particle must reach the floor; see the module's header.

    Parameters
    ----------
    q, dq : float
        r^2/2 and r.t of the stretched space, km^2 and km.
    rigidity_GV : float
        Rigidity.
    params : float64 array
        From `trace_params`.

    Returns
    -------
    bool
        True only if certain.
    """
    floor_q = params[P_FLOOR_Q]
    if dq >= 0.0 or q <= floor_q:
        return False
    big_k = params[P_FLOOR_K] / rigidity_GV
    w2 = dq * dq - 2.0 * params[P_Z2] * (q - floor_q) - big_k * math.log(q / floor_q)
    return w2 > 1e-3 * floor_q


@njit(nogil=True)
def degree_at(r_km, params, nmax):
    """Lowest degree whose neglected terms are below the tolerance at r_km and beyond.

    Parameters
    ----------
    r_km : float
        Radius, km.
    params : float64 array
        From `trace_params`.
    nmax : int
        Degree of the field.

    Returns
    -------
    int
        1 to nmax.
    """
    n = nmax
    while n > 1 and r_km > params[P_CUT + n]:
        n -= 1
    return n


@njit(nogil=True)
def retake_share(q, dq, q_new, dq_new, h, r, turn, floor_q):
    """Find whether a step that goes down and then up stays above the floor, or where it has to be divided.

    Parameters
    ----------
    q, dq, q_new, dq_new : float
        r^2/2 and r.t (stretched) before and after the step, km^2 and km.
    h : float
        Its length, km.
    r, turn : float
        Radius (km) and |dt/ds| (1/km) before it.
    floor_q : float
        q of the floor, km^2.

    Returns
    -------
    float
        -1 if it stays above, 0 if it does not, else the share of the step that ends at the lowest point.
    """
    # q on the step is nearly the cubic through both ends; its minimum is where the derivative,
    # a u^2 + b u + c with u = s/h, has its upper root
    rise = q_new - q
    qc = h * dq
    qa = 3.0 * (h * (dq + dq_new) - 2.0 * rise)
    qb = 2.0 * (3.0 * rise - h * (2.0 * dq + dq_new))
    root = math.sqrt(max(qb * qb - 4.0 * qa * qc, 0.0))
    u = -2.0 * qc / (qb + root) if qb + root > 0.0 else 0.5
    u = min(max(u, 0.0), 1.0)
    lowest = q + u * (qc + u * (0.5 * qb + u * qa / 3.0))
    doubt = 0.01 * h * h * (1.0 + r * turn)
    if lowest < floor_q + doubt:
        if lowest < floor_q - doubt:
            return 0.0
        if 0.05 < u < 0.95:
            return u
        if lowest < floor_q * (1.0 - GRACE):
            return 0.0
    return -1.0
