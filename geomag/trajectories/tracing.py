"""Back-track a particle through the geomagnetic field, to decide whether it can come from outside the magnetosphere.

Frame and units: geocentric Cartesian km, field nT, rigidity GV.  In a static field |p| is constant, so with
the path length s (km) as independent variable and t the unit direction

    dr/ds = t,      dt/ds = k (t x B) / R,      k = 0.299792458e-6 GV / (nT km)

for a positive particle (the speed of light, exact, in those units).  The antiparticle is started with the
reversed direction: k changes sign.

Integrator: the embedded pair of J. R. Dormand & P. J. Prince, J. Comput. Appl. Math. 6 (1980) 19, order
5(4), in local extrapolation, with the last stage reused.

No passage below the floor between two steps is missed.  Let q = r^2/2 (for a geodetic floor, of the space
stretched along z so that the floor is a sphere); q' = r.t and q'' = 1 + r.t' are known at both ends of a
step.  A step that goes down and then up holds a lowest point, found from the cubic through q and q'; when it is not
clearly above the floor the step is taken again so that it ends there.  Steps are at most 1.2 rad of gyration, so that q
has no second turning point inside.

Decisions ahead of time, both rigorous (`escape_is_certain`, `impact_is_certain`): |r.t'| <= K/r^2 outside
radius r0, where K = k r0^3 Bh(r0)/R and Bh(r0) bounds the horizontal field (multipole n falls as r^-(n+2),
so r^3 Bh only falls outwards).  With w = r.t, going outwards, d(w^2/2)/dr = r (1 + r.t') >= r - K/r, hence

    w^2 >= w0^2 + (r^2 - r0^2) - 2 K ln(r/r0).

The right side is smallest at r^2 = K; if it stays positive there (or K < r0^2), w never vanishes and the
particle leaves.  Going inwards, in the same way, w^2 >= w0^2 - (r0^2 - r^2) - 2 K ln(r0/r), with K taken at
the floor.

A geodetic floor stretches space by e = a/b = 1.0034 along z.  Then q'' lies within 1 .. e^2 plus r.t' plus
(e^2 - 1) z t'_z, and a stretched radius is at most e times the true one; `trace_params` widens the bounds by
these amounts, so that the same two lines hold with r and w of the stretched space.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import njit

from geomag.arrays import Array
from geomag.field.fma import fma
from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM, field_cartesian_truncated
from geomag.geodesy import WGS84_A_KM, WGS84_B_KM
from geomag.trajectories.early_verdicts import (
    ALLOWED,
    CURVATURE,
    FORBIDDEN,
    GRACE,
    MAX_GYRATION,
    P_BOUND,
    P_CUT,
    P_ESCAPE2,
    P_FLOOR_K,
    P_FLOOR_Q,
    P_PATH,
    P_SHORTCUT_PATH,
    P_SIZE,
    P_TOL,
    P_Z2,
    UNDECIDED,
    degree_at,
    escape_is_certain,
    horizontal_bound,
    impact_is_certain,
    retake_share,
)

DEFAULT_TOLERANCE = 1e-4
"""Error allowed per step, in direction (rad) and in position relative to r.  At Kamioka (isotropic, 1-60 GV,
R^-2.7) 3 decisions in 20,000 differ from those at 1e-10, and in the middle of the penumbra, where
trajectories are chaotic, 6 in 1,000, as many one way as the other."""


@njit(nogil=True)
def turn_at(x, y, z, tx, ty, tz, k, gauss, nmax):
    """Compute dt/ds = k t x B at a place, for one direction.

    Parameters
    ----------
    x, y, z : float
        Place, km.
    tx, ty, tz : float
        Unit direction.
    k : float
        CURVATURE over the rigidity, negative for an antiparticle, 1/(nT km).
    gauss : float64 array
        Packed field.
    nmax : int
        Highest degree used.

    Returns
    -------
    ax, ay, az : float
        1/km.
    """
    bx, by, bz = field_cartesian_truncated(x, y, z, gauss, nmax)
    return k * fma(ty, bz, -tz * by), k * fma(tz, bx, -tx * bz), k * fma(tx, by, -ty * bx)


@njit(nogil=True)
def backtrack_state(x, y, z, ux, uy, uz, rigidity_GV, gauss, params):
    """Follow the antiparticle and return the verdict with the state where it was reached.

    Parameters
    ----------
    x, y, z : float
        Where the positive particle arrives, km.
    ux, uy, uz : float
        Unit direction of its momentum there.
    rigidity_GV : float
        Rigidity, GV.
    gauss : float64 array
        Packed field.
    params : float64 array
        From `trace_params`.

    Returns
    -------
    verdict : int
        1 allowed, 0 forbidden, 2 undecided.
    x, y, z : float
        Last position of the antiparticle, km.
    tx, ty, tz : float
        Its direction there; the asymptotic direction of the particle is the opposite.
    path : float
        Path length, km.
    steps : int
        Attempted steps.
    """
    nfull = int(gauss[0, 7])
    k = -CURVATURE / rigidity_GV
    floor_q = params[P_FLOOR_Q]
    z2 = params[P_Z2]
    tol = params[P_TOL]
    shortcut_path = params[P_SHORTCUT_PATH]
    tx = -ux
    ty = -uy
    tz = -uz
    path = 0.0
    steps = 0
    r2 = fma(x, x, fma(y, y, z * z))
    r = math.sqrt(r2)
    nmax = degree_at(r, params, nfull)
    ax, ay, az = turn_at(x, y, z, tx, ty, tz, k, gauss, nmax)
    turn = math.sqrt(fma(ax, ax, fma(ay, ay, az * az)))
    h = 0.5 / (turn + 0.5 / r)
    q = 0.5 * (x * x + y * y + z2 * z * z)
    dq = x * tx + y * ty + z2 * z * tz
    if q < floor_q * (1.0 - GRACE) and dq < 0.0:
        return FORBIDDEN, x, y, z, tx, ty, tz, path, steps
    grown = True
    while True:
        mu = dq / math.sqrt(2.0 * q)
        if path < shortcut_path:
            if mu >= 0.0:
                kappa = -k * r * horizontal_bound(r, params, nfull)
                if escape_is_certain(kappa, mu):
                    return ALLOWED, x, y, z, tx, ty, tz, path, steps
            elif impact_is_certain(q, dq, rigidity_GV, params):
                return FORBIDDEN, x, y, z, tx, ty, tz, path, steps
        if path > params[P_PATH]:
            return UNDECIDED, x, y, z, tx, ty, tz, path, steps
        h = min(h, MAX_GYRATION / (turn + 1e-12), 0.5 * r)
        low_r = r if mu > 0.0 else r + mu * h
        nmax = degree_at(low_r, params, nfull)
        while True:
            steps += 1
            # stages; position stages use the direction stages, and their own errors follow
            c = h * 0.2
            vx2, vy2, vz2 = fma(c, ax, tx), fma(c, ay, ty), fma(c, az, tz)
            ax2, ay2, az2 = turn_at(fma(c, tx, x), fma(c, ty, y), fma(c, tz, z), vx2, vy2, vz2, k, gauss, nmax)
            c1, c2 = h * (3.0 / 40.0), h * (9.0 / 40.0)
            vx3, vy3, vz3 = fma(c2, ax2, fma(c1, ax, tx)), fma(c2, ay2, fma(c1, ay, ty)), fma(c2, az2, fma(c1, az, tz))
            ax3, ay3, az3 = turn_at(
                fma(c2, vx2, fma(c1, tx, x)), fma(c2, vy2, fma(c1, ty, y)), fma(c2, vz2, fma(c1, tz, z)),
                vx3, vy3, vz3, k, gauss, nmax,
            )  # fmt: skip
            c1, c2, c3 = h * (44.0 / 45.0), h * (-56.0 / 15.0), h * (32.0 / 9.0)
            vx4 = fma(c3, ax3, fma(c2, ax2, fma(c1, ax, tx)))
            vy4 = fma(c3, ay3, fma(c2, ay2, fma(c1, ay, ty)))
            vz4 = fma(c3, az3, fma(c2, az2, fma(c1, az, tz)))
            ax4, ay4, az4 = turn_at(
                fma(c3, vx3, fma(c2, vx2, fma(c1, tx, x))),
                fma(c3, vy3, fma(c2, vy2, fma(c1, ty, y))),
                fma(c3, vz3, fma(c2, vz2, fma(c1, tz, z))),
                vx4, vy4, vz4, k, gauss, nmax,
            )  # fmt: skip
            c1, c2 = h * (19372.0 / 6561.0), h * (-25360.0 / 2187.0)
            c3, c4 = h * (64448.0 / 6561.0), h * (-212.0 / 729.0)
            vx5 = fma(c4, ax4, fma(c3, ax3, fma(c2, ax2, fma(c1, ax, tx))))
            vy5 = fma(c4, ay4, fma(c3, ay3, fma(c2, ay2, fma(c1, ay, ty))))
            vz5 = fma(c4, az4, fma(c3, az3, fma(c2, az2, fma(c1, az, tz))))
            ax5, ay5, az5 = turn_at(
                fma(c4, vx4, fma(c3, vx3, fma(c2, vx2, fma(c1, tx, x)))),
                fma(c4, vy4, fma(c3, vy3, fma(c2, vy2, fma(c1, ty, y)))),
                fma(c4, vz4, fma(c3, vz3, fma(c2, vz2, fma(c1, tz, z)))),
                vx5, vy5, vz5, k, gauss, nmax,
            )  # fmt: skip
            c1, c2, c3 = h * (9017.0 / 3168.0), h * (-355.0 / 33.0), h * (46732.0 / 5247.0)
            c4, c5 = h * (49.0 / 176.0), h * (-5103.0 / 18656.0)
            vx6 = fma(c5, ax5, fma(c4, ax4, fma(c3, ax3, fma(c2, ax2, fma(c1, ax, tx)))))
            vy6 = fma(c5, ay5, fma(c4, ay4, fma(c3, ay3, fma(c2, ay2, fma(c1, ay, ty)))))
            vz6 = fma(c5, az5, fma(c4, az4, fma(c3, az3, fma(c2, az2, fma(c1, az, tz)))))
            bx, by, bz = field_cartesian_truncated(
                fma(c5, vx5, fma(c4, vx4, fma(c3, vx3, fma(c2, vx2, fma(c1, tx, x))))),
                fma(c5, vy5, fma(c4, vy4, fma(c3, vy3, fma(c2, vy2, fma(c1, ty, y))))),
                fma(c5, vz5, fma(c4, vz4, fma(c3, vz3, fma(c2, vz2, fma(c1, tz, z))))),
                gauss, nmax,
            )  # fmt: skip
            ax6, ay6, az6 = k * fma(vy6, bz, -vz6 * by), k * fma(vz6, bx, -vx6 * bz), k * fma(vx6, by, -vy6 * bx)
            c1, c3, c4 = h * (35.0 / 384.0), h * (500.0 / 1113.0), h * (125.0 / 192.0)
            c5, c6 = h * (-2187.0 / 6784.0), h * (11.0 / 84.0)
            nx = fma(c6, vx6, fma(c5, vx5, fma(c4, vx4, fma(c3, vx3, fma(c1, tx, x)))))
            ny = fma(c6, vy6, fma(c5, vy5, fma(c4, vy4, fma(c3, vy3, fma(c1, ty, y)))))
            nz = fma(c6, vz6, fma(c5, vz5, fma(c4, vz4, fma(c3, vz3, fma(c1, tz, z)))))
            vx7 = fma(c6, ax6, fma(c5, ax5, fma(c4, ax4, fma(c3, ax3, fma(c1, ax, tx)))))
            vy7 = fma(c6, ay6, fma(c5, ay5, fma(c4, ay4, fma(c3, ay3, fma(c1, ay, ty)))))
            vz7 = fma(c6, az6, fma(c5, az5, fma(c4, az4, fma(c3, az3, fma(c1, az, tz)))))
            # the last stage is where the sixth was but for O(h^5): its field serves again, at no loss of
            # order
            ax7, ay7, az7 = k * fma(vy7, bz, -vz7 * by), k * fma(vz7, bx, -vx7 * bz), k * fma(vx7, by, -vy7 * bx)
            e1, e3, e4 = h * (71.0 / 57600.0), h * (-71.0 / 16695.0), h * (71.0 / 1920.0)
            e5, e6, e7 = h * (-17253.0 / 339200.0), h * (22.0 / 525.0), h * (-1.0 / 40.0)
            ex = fma(e7, ax7, fma(e6, ax6, fma(e5, ax5, fma(e4, ax4, fma(e3, ax3, e1 * ax)))))
            ey = fma(e7, ay7, fma(e6, ay6, fma(e5, ay5, fma(e4, ay4, fma(e3, ay3, e1 * ay)))))
            ez = fma(e7, az7, fma(e6, az6, fma(e5, az5, fma(e4, az4, fma(e3, az3, e1 * az)))))
            fx = fma(e7, vx7, fma(e6, vx6, fma(e5, vx5, fma(e4, vx4, fma(e3, vx3, e1 * tx)))))
            fy = fma(e7, vy7, fma(e6, vy6, fma(e5, vy5, fma(e4, vy4, fma(e3, vy3, e1 * ty)))))
            fz = fma(e7, vz7, fma(e6, vz6, fma(e5, vz5, fma(e4, vz4, fma(e3, vz3, e1 * tz)))))
            error = math.sqrt(fma(ex, ex, fma(ey, ey, ez * ez)) + fma(fx, fx, fma(fy, fy, fz * fz)) / r2) / tol
            # error^-0.2 by the rule of the pair, within the usual limits on how fast a step changes
            factor = 5.0 if error < 1e-4 else 0.9 * error**-0.2
            if error > 1.0:
                h *= max(0.2, factor)
                grown = False
                continue
            q_new = 0.5 * fma(nx, nx, fma(ny, ny, z2 * nz * nz))
            dq_new = fma(nx, vx7, fma(ny, vy7, z2 * nz * vz7))
            if dq < 0.0 and dq_new > 0.0:
                share = retake_share(q, dq, q_new, dq_new, h, r, turn, floor_q)
                if share == 0.0:
                    return FORBIDDEN, nx, ny, nz, vx7, vy7, vz7, path + h, steps
                if share > 0.0:
                    h *= share
                    grown = False
                    continue
            break
        path += h
        x, y, z = nx, ny, nz
        norm = 1.0 / math.sqrt(fma(vx7, vx7, fma(vy7, vy7, vz7 * vz7)))
        tx, ty, tz = norm * vx7, norm * vy7, norm * vz7
        ax, ay, az = norm * ax7, norm * ay7, norm * az7
        q, dq = q_new, dq_new
        if q < floor_q * (1.0 - GRACE) and dq < 0.0:
            return FORBIDDEN, x, y, z, tx, ty, tz, path, steps
        r2 = fma(x, x, fma(y, y, z * z))
        if r2 > params[P_ESCAPE2]:
            return ALLOWED, x, y, z, tx, ty, tz, path, steps
        r = math.sqrt(r2)
        turn = math.sqrt(fma(ax, ax, fma(ay, ay, az * az)))
        h *= min(factor, 5.0) if grown else min(factor, 1.0)
        grown = True


@njit(nogil=True)
def backtrack(x, y, z, ux, uy, uz, rigidity_GV, gauss, params):
    """Decide whether a positive particle can arrive; see `backtrack_state`.

    Parameters
    ----------
    x, y, z : float
        Where it arrives, geocentric Cartesian, km.
    ux, uy, uz : float
        Unit direction of its momentum there.
    rigidity_GV : float
        Rigidity, GV.
    gauss : float64 array
        Packed field.
    params : float64 array
        From `trace_params`.

    Returns
    -------
    int
        1 allowed (escape radius reached), 0 forbidden (met the floor), 2 undecided (path too long; counts as
        forbidden).
    """
    return backtrack_state(x, y, z, ux, uy, uz, rigidity_GV, gauss, params)[0]


@functools.lru_cache(maxsize=8)
def multipole_bounds(field: FieldModel) -> tuple[Array, Array]:
    """Bounds of the field of each degree on the sphere of 6371.2 km.

    Each Cartesian component of r x B_n is a spherical polynomial of degree n, each of B_n one of degree n +
    1.  A trigonometric polynomial of degree n with maximum M at some place is at least M cos(n d) at an
    angle d from it (M. Riesz), so a grid whose every point has a neighbour within d gives M <= grid maximum
    / cos(n d).

    Parameters
    ----------
    field : FieldModel
        The field.

    Returns
    -------
    horizontal, total : array, shape (degree+1,)
        Bounds on the horizontal and on the whole field of degree n, nT; element 0 is zero.  Read-only: they are kept.
    """
    step = 1.5
    lat, lon = np.meshgrid(np.arange(-90.0, 90.1, step), np.arange(0.0, 360.0, step), indexing="ij")
    reach = math.radians(step / math.sqrt(2.0))
    horizontal = np.zeros(field.degree + 1)
    total = np.zeros(field.degree + 1)
    for n in range(1, field.degree + 1):
        only = np.zeros((n + 1, n + 1)), np.zeros((n + 1, n + 1))
        only[0][n], only[1][n] = field.g[n, : n + 1], field.h[n, : n + 1]
        enu = FieldModel.from_coefficients(*only).field_enu(lat, lon, EARTH_RADIUS_KM)
        horizontal[n] = np.hypot(enu[..., 0], enu[..., 1]).max() / math.cos(n * reach)
        total[n] = np.linalg.norm(enu, axis=-1).max() / math.cos((n + 1) * reach)
    horizontal.flags.writeable = total.flags.writeable = False
    return horizontal, total


def trace_params(
    field_model: FieldModel,
    floor_altitude_km: float = 0.0,
    geodetic_floor: bool = False,
    tolerance: float = DEFAULT_TOLERANCE,
    escape_radii: float = 10.0,
    max_path_radii: float = 100.0,
    *,
    shortcuts: bool = True,
    truncation: float | None = None,
) -> Array:
    """Pack the parameters of the back-tracking kernels: floor, escape radius, tolerance, bounds on the field.

    Parameters
    ----------
    field_model : FieldModel
        The field (its bounds go into the shortcuts and the truncation).
    floor_altitude_km : float
        Height of the floor, km, above the sphere of 6371.2 km, or above the WGS84 ellipsoid when
        `geodetic_floor` (then as the ellipsoid with both axes that much longer: within 1 m for 100 km).
    geodetic_floor : bool
        Which of the two.
    tolerance : float
        Error per step in direction (rad) and relative position.
    escape_radii, max_path_radii : float
        Where a trajectory counts as escaped, and the path after which it is undecided, in units of 6371.2 km.
    shortcuts : bool
        Decide early where that is certain; switched off to test it and to get asymptotic directions.
    truncation : float, optional
        Neglected part of the field relative to the dipole's bound at that radius; 0 keeps every degree.  The
        default is a tenth of the tolerance (a test shows that decisions do not change).

    Returns
    -------
    float64 array
        For `backtrack`.
    """
    params = np.zeros(P_SIZE)
    if geodetic_floor:
        equator, pole = WGS84_A_KM + floor_altitude_km, WGS84_B_KM + floor_altitude_km
    else:
        equator = pole = EARTH_RADIUS_KM + floor_altitude_km
    params[P_FLOOR_Q] = 0.5 * equator * equator
    params[P_Z2] = (equator / pole) ** 2
    params[P_ESCAPE2] = (escape_radii * EARTH_RADIUS_KM) ** 2
    params[P_PATH] = max_path_radii * EARTH_RADIUS_KM
    params[P_TOL] = tolerance
    params[P_SHORTCUT_PATH] = (max_path_radii - 5.0 * escape_radii) * EARTH_RADIUS_KM if shortcuts else -1.0
    horizontal, total = multipole_bounds(field_model)
    stretch = equator / pole
    n = np.arange(len(horizontal))
    widened = (horizontal + (stretch**2 - 1.0) * total) * stretch ** (n + 4)
    params[P_BOUND : P_BOUND + len(widened)] = widened
    params[P_FLOOR_K] = CURVATURE * equator**3 * horizontal_bound(equator, params, field_model.degree)
    share = 0.1 * tolerance if truncation is None else truncation
    for first in range(1, field_model.degree + 1):
        # this degree and all higher ones may go beyond the radius where together they are below `share` of
        # the dipole: bisection in the logarithm of the radius
        low, high = 0.5, 1e6
        for _ in range(100):
            mid = math.sqrt(low * high)
            rest = sum(total[j] * mid ** -(j - 1) for j in range(max(first, 2), field_model.degree + 1))
            low, high = (mid, high) if rest > share * total[1] else (low, mid)
        params[P_CUT + first] = high * EARTH_RADIUS_KM
    return params
