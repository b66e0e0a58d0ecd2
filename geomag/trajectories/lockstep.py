"""Back-track many particles, sixteen at a time by SIMD instructions, each with its own step size.

The equations, the integrator and the floor are those of `geomag.trajectories.tracing` (read its header first); here
every stage is done for sixteen trajectories by one set of instructions (`geomag.trajectories.lanes`).  A lane whose
trajectory is decided takes the next one at once, so none waits for another.  What only a few lanes need at a time (a
lowest point near the floor, a decision) is done lane by lane.

What differs from the scalar kernel, all of it measured in the tests:

- The field is summed in single precision; positions, directions and the floor stay in double.
- Every degree of the field is kept at every radius, so that a verdict never depends on which trajectories
  share the vector.
- The next step follows from the error by a rough power.
- The decisions ahead of time are those of `geomag.trajectories.sharper_verdicts`, which come earlier.
- Below a quarter of Stoermer's lowest cutoff of the place where it starts (a dipole's, from the west along
  the horizon) a trajectory is followed with an error per step of 1e-4 if less was asked for.  There it winds along
  field lines, deep in the forbidden region: to leave it, r s (with the sine s of the angle to the radius, see
  `geomag.trajectories.sharper_verdicts`) would have to change by several radii through errors alone, and hundreds of
  steps with 1e-4 each change it by hundredths.  At lower rigidities steps are more in proportion to 1/R, and so is
  what they would have to add up to.  A step there is short beside the scale of the field, so that the field along it
  is the parabola through its values at the start, in the middle and at the end of the helix that the step begins
  with: two evaluations instead of five.  Such trajectories never share a vector with others.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from geomag.field.kernels import CACHE, EARTH_RADIUS_KM, field_cartesian_truncated
from geomag.trajectories.early_verdicts import (
    CURVATURE,
    MAX_GYRATION,
    P_FLOOR_Q,
    P_TOL,
    P_Z2,
    horizontal_bound,
    retake_share,
)
from geomag.trajectories.lanes import LANES, bits, load, narrow, rough_power, splat, square_root, store, where, widen
from geomag.trajectories.sharper_verdicts import decide, lowest_cutoff_GV, may_be_decided

ADIABATIC_TOLERANCE = 1e-4
"""Error per step far below the cutoffs (see the header)."""

ADIABATIC_SHARE = 0.25
"""What far below is: this share of Stoermer's lowest cutoff."""

# Rows of the state, one column per lane.
_X, _Y, _Z, _TX, _TY, _TZ, _AX, _AY, _AZ = 0, 1, 2, 3, 4, 5, 6, 7, 8
_H, _Q, _DQ, _PATH, _K, _GROWN, _TOL2 = 9, 10, 11, 12, 13, 14, 15
# rows used only within a step, to change single lanes; their order is that of `low_points`, as that of H, Q, DQ
_SHARE, _NQ, _NDQ, _ACCEPT, _R, _TURN, _BX, _BY, _BZ, _ROWS = 16, 17, 18, 19, 20, 21, 22, 23, 24, 25


@njit(nogil=True)
def field_lanes(x, y, z, gauss):
    """Field at sixteen places; the sum of `geomag.field.kernels.field_cartesian_truncated`.

    Parameters
    ----------
    x, y, z : lanes
        Positions in units of 6371.2 km, of the precision of `gauss`.
    gauss : float32 or float64 array
        Packed field.

    Returns
    -------
    bx, by, bz : lanes
        nT.
    """
    top = int(gauss[0, 7]) + 1
    rho = 1.0 / (x * x + y * y + z * z)
    xi = x * rho
    eta = y * rho
    zeta = z * rho
    cos_m = square_root(rho)
    zero = rho - rho
    # order 0 has no sine-like part
    q1 = zero + 1.0
    q2 = zero
    xc = splat(gauss[0, 1])
    yc = splat(gauss[0, 2])
    zc = splat(gauss[0, 3])
    for row in range(1, top + 1):
        q = zeta * q1 - (rho * gauss[row, 0]) * q2
        q2 = q1
        q1 = q
        xc += q * gauss[row, 1]
        yc += q * gauss[row, 2]
        zc += q * gauss[row, 3]
    bx = cos_m * xc
    by = cos_m * yc
    bz = cos_m * zc
    sin_m = cos_m * eta
    cos_m = cos_m * xi
    start = top + 1
    for m in range(1, top + 1):
        row = start
        q1 = zero + 1.0
        q2 = zero
        xc = splat(gauss[row, 1])
        yc = splat(gauss[row, 2])
        zc = splat(gauss[row, 3])
        xs = splat(gauss[row, 4])
        ys = splat(gauss[row, 5])
        zs = splat(gauss[row, 6])
        for _ in range(top - m):
            row += 1
            q = zeta * q1 - (rho * gauss[row, 0]) * q2
            q2 = q1
            q1 = q
            xc += q * gauss[row, 1]
            yc += q * gauss[row, 2]
            zc += q * gauss[row, 3]
            xs += q * gauss[row, 4]
            ys += q * gauss[row, 5]
            zs += q * gauss[row, 6]
        bx += cos_m * xc + sin_m * xs
        by += cos_m * yc + sin_m * ys
        bz += cos_m * zc + sin_m * zs
        c = cos_m * xi - sin_m * eta
        sin_m = cos_m * eta + sin_m * xi
        cos_m = c
        start += top - m + 1
    return bx, by, bz


@njit(nogil=True)
def _field(x, y, z, singles):
    """Field (nT, doubles) at places in km, summed in single precision."""
    unit = 1.0 / EARTH_RADIUS_KM
    bx, by, bz = field_lanes(narrow(x * unit), narrow(y * unit), narrow(z * unit), singles)
    return widen(bx), widen(by), widen(bz)


@njit(nogil=True)
def _cross(k, tx, ty, tz, bx, by, bz):
    """dt/ds = k t x B; 1/km."""
    return k * (ty * bz - tz * by), k * (tz * bx - tx * bz), k * (tx * by - ty * bx)


@njit(nogil=True)
def _ahead(h, x, y, z, tx, ty, tz, ax, ay, az, k, bx, by, bz):
    """Where the helix in the field at the start of a step is after a path h, to sixth order in the gyration."""
    a2x, a2y, a2z = _cross(k, ax, ay, az, bx, by, bz)
    a3x, a3y, a3z = _cross(k, a2x, a2y, a2z, bx, by, bz)
    hh = h * h
    # the derivatives of a helix repeat: each is -w^2 times that two before
    angle2 = k * k * (bx * bx + by * by + bz * bz) * hh
    c3 = hh * h * (1.0 / 6.0) * (1.0 - angle2 * 0.05)
    c4 = hh * hh * (1.0 / 24.0) * (1.0 - angle2 * (1.0 / 30.0))
    half = hh * 0.5
    return (
        x + h * tx + half * ax + c3 * a2x + c4 * a3x,
        y + h * ty + half * ay + c3 * a2y + c4 * a3y,
        z + h * tz + half * az + c3 * a2z + c4 * a3z,
    )


@njit(nogil=True)
def _turn_lanes(deep, c, x, y, z, tx, ty, tz, k, singles, p0x, p0y, p0z, p1x, p1y, p1z, p2x, p2y, p2z):
    """dt/ds at a stage: in the field there, or in its parabola along the step, p0 + c p1 + c^2 p2."""
    if deep:
        bx, by, bz = p0x + (p1x + p2x * c) * c, p0y + (p1y + p2y * c) * c, p0z + (p1z + p2z * c) * c
    else:
        bx, by, bz = _field(x, y, z, singles)
    return _cross(k, tx, ty, tz, bx, by, bz)


@njit(nogil=True)
def _fill(lane, job, deep, memo, state, jobs, places, momenta, rigidities, verdicts, gauss, params, bounds):
    """Give a lane the next trajectory that is not decided where it starts; returns the job after it."""
    nfull = int(gauss[0, 7])
    z2 = params[P_Z2]
    while job < rigidities.shape[0]:
        x, y, z = places[job, 0], places[job, 1], places[job, 2]
        if x != memo[0] or y != memo[1] or z != memo[2]:
            # many trajectories in a row begin at one place
            memo[0], memo[1], memo[2] = x, y, z
            memo[3], memo[4], memo[5] = field_cartesian_truncated(x, y, z, gauss, nfull)
            memo[6] = ADIABATIC_SHARE * lowest_cutoff_GV(x, y, z, bounds)
        if (rigidities[job] < memo[6]) != deep:
            job += 1
            continue
        tx, ty, tz = -momenta[job, 0], -momenta[job, 1], -momenta[job, 2]
        r = math.sqrt(x * x + y * y + z * z)
        q = 0.5 * (x * x + y * y + z2 * z * z)
        dq = x * tx + y * ty + z2 * z * tz
        mu = (x * tx + y * ty + z * tz) / r
        verdict = decide(q, dq, r, mu, 0.0, rigidities[job], nfull, params, bounds)
        if verdict >= 0:
            verdicts[job] = verdict
            job += 1
            continue
        k = -CURVATURE / rigidities[job]
        bx, by, bz = memo[3], memo[4], memo[5]
        ax, ay, az = _cross(k, tx, ty, tz, bx, by, bz)
        turn = math.sqrt(ax * ax + ay * ay + az * az)
        state[_X, lane], state[_Y, lane], state[_Z, lane] = x, y, z
        state[_TX, lane], state[_TY, lane], state[_TZ, lane] = tx, ty, tz
        state[_AX, lane], state[_AY, lane], state[_AZ, lane] = ax, ay, az
        state[_BX, lane], state[_BY, lane], state[_BZ, lane] = bx, by, bz
        state[_H, lane] = 0.5 / (turn + 0.5 / r)
        state[_Q, lane], state[_DQ, lane] = q, dq
        state[_PATH, lane], state[_K, lane], state[_GROWN, lane] = 0.0, k, 1.0
        tolerance = max(params[P_TOL], ADIABATIC_TOLERANCE) if deep else params[P_TOL]
        state[_TOL2, lane] = 1.0 / (tolerance * tolerance)
        jobs[lane] = job
        return job + 1
    # nothing left: the lane stands still far away
    state[:, lane] = 0.0
    state[_X, lane] = 5.0 * EARTH_RADIUS_KM
    state[_TX, lane] = 1.0
    state[_Q, lane] = 0.5 * state[_X, lane] ** 2
    state[_DQ, lane] = state[_X, lane]
    jobs[lane] = -1
    return job


@njit(nogil=True)
def low_points(lanes, state, first, within, floor_q):
    """Check lanes whose step went down and then up: below the floor they end, near it the step is taken again.

    Parameters
    ----------
    lanes : int
        Bits of the lanes.
    state : float64 array (rows, LANES)
        Of these lanes what the step found: rows of its length, of q and of its slope from `first` on; from `within` on
        the share of the step with which it is taken again, q and slope after the step, whether it is accepted, the
        distance from the centre and the turn. Changed where the floor is near.
    first, within : int
        Rows of the state.
    floor_q : float
        q of the floor.
    """
    q, dq, share, q_new, dq_new, accept = first + 1, first + 2, within, within + 1, within + 2, within + 3
    for lane in range(LANES):
        if (lanes >> lane) & 1:
            u = retake_share(
                state[q, lane], state[dq, lane], state[q_new, lane], state[dq_new, lane],
                state[first, lane], state[within + 4, lane], state[within + 5, lane], floor_q,
            )  # fmt: skip
            if u == 0.0:
                # forbidden: seen below the floor and going down, for the tests after the step
                state[q_new, lane] = 0.5 * floor_q
                state[dq_new, lane] = -1.0
            elif u > 0.0:
                state[accept, lane] = 0.0
                state[share, lane] = u


@njit(nogil=True, cache=CACHE, error_model="numpy")
def decide_many(places, momenta, rigidities, verdicts, gauss, singles, params, bounds):
    """Whether positive particles can arrive; the verdicts of `geomag.trajectories.tracing.backtrack`, many at once.

    Parameters
    ----------
    places : float64 array, shape (K, 3)
        Where they arrive, geocentric Cartesian, km.
    momenta : float64 array, shape (K, 3)
        Unit directions of their momenta there.
    rigidities : float64 array, shape (K,)
        GV.  Fastest when neighbours behave alike, and the longest trajectories (low rigidities) come first.
    verdicts : int8 array, shape (K,)
        Filled: 1 allowed, 0 forbidden, 2 undecided.
    gauss : float64 array
        Packed field.
    singles : float32 array
        The same, rounded.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params`.
    bounds : float64 array
        From `geomag.trajectories.sharper_verdicts.horizontal_table`.

    Returns
    -------
    int
        Steps attempted, of all trajectories.
    """
    steps = 0
    for deep in (True, False):
        steps += _decide_some(deep, places, momenta, rigidities, verdicts, gauss, singles, params, bounds)
    return steps


@njit(nogil=True, error_model="numpy")
def _decide_some(deep, places, momenta, rigidities, verdicts, gauss, singles, params, bounds):
    """Those of `decide_many` that are far below the cutoffs, or the others."""
    nfull = int(gauss[0, 7])
    floor_q = params[P_FLOOR_Q]
    z2 = params[P_Z2]
    dipole_k = horizontal_bound(1e9, params, nfull) * 1e27
    state = np.empty((_ROWS, LANES))
    jobs = np.empty(LANES, dtype=np.int64)
    memo = np.full(7, np.nan)
    job = 0
    active = 0
    steps = 0
    for lane in range(LANES):
        job = _fill(lane, job, deep, memo, state, jobs, places, momenta, rigidities, verdicts, gauss, params, bounds)
        if jobs[lane] >= 0:
            active |= 1 << lane
    running = 0
    for lane in range(LANES):
        running += (active >> lane) & 1
    while active:
        steps += running
        x, y, z = load(state, _X), load(state, _Y), load(state, _Z)
        tx, ty, tz = load(state, _TX), load(state, _TY), load(state, _TZ)
        ax, ay, az = load(state, _AX), load(state, _AY), load(state, _AZ)
        q, dq, k = load(state, _Q), load(state, _DQ), load(state, _K)
        r2 = x * x + y * y + z * z
        r = square_root(r2)
        turn = square_root(ax * ax + ay * ay + az * az)
        h = load(state, _H)
        limit = MAX_GYRATION / (turn + 1e-12)
        h = where(h < limit, h, limit)
        limit = r * 0.5
        h = where(h < limit, h, limit)
        p0x, p0y, p0z = load(state, _BX), load(state, _BY), load(state, _BZ)
        p1x, p1y, p1z = p0x, p0y, p0z
        p2x, p2y, p2z = p0x, p0y, p0z
        if deep:
            # the parabola through the field at the start, in the middle and at the end of the step
            mx, my, mz = _ahead(h * 0.5, x, y, z, tx, ty, tz, ax, ay, az, k, p0x, p0y, p0z)
            mx, my, mz = _field(mx, my, mz, singles)
            fx, fy, fz = _ahead(h, x, y, z, tx, ty, tz, ax, ay, az, k, p0x, p0y, p0z)
            fx, fy, fz = _field(fx, fy, fz, singles)
            p1x, p1y, p1z = mx * 4.0 - p0x * 3.0 - fx, my * 4.0 - p0y * 3.0 - fy, mz * 4.0 - p0z * 3.0 - fz
            p2x, p2y, p2z = fx - p0x - p1x, fy - p0y - p1y, fz - p0z - p1z
        # the stages of Dormand and Prince, as in geomag.trajectories.tracing.backtrack_state
        c = h * 0.2
        vx2, vy2, vz2 = tx + c * ax, ty + c * ay, tz + c * az
        ax2, ay2, az2 = _turn_lanes(
            deep, 0.2, x + c * tx, y + c * ty, z + c * tz,
            vx2, vy2, vz2, k, singles, p0x, p0y, p0z, p1x, p1y, p1z, p2x, p2y, p2z,
        )  # fmt: skip
        c1, c2 = h * (3.0 / 40.0), h * (9.0 / 40.0)
        vx3, vy3, vz3 = tx + c1 * ax + c2 * ax2, ty + c1 * ay + c2 * ay2, tz + c1 * az + c2 * az2
        ax3, ay3, az3 = _turn_lanes(
            deep, 0.3, x + c1 * tx + c2 * vx2, y + c1 * ty + c2 * vy2, z + c1 * tz + c2 * vz2,
            vx3, vy3, vz3, k, singles, p0x, p0y, p0z, p1x, p1y, p1z, p2x, p2y, p2z,
        )  # fmt: skip
        c1, c2, c3 = h * (44.0 / 45.0), h * (-56.0 / 15.0), h * (32.0 / 9.0)
        vx4 = tx + c1 * ax + c2 * ax2 + c3 * ax3
        vy4 = ty + c1 * ay + c2 * ay2 + c3 * ay3
        vz4 = tz + c1 * az + c2 * az2 + c3 * az3
        ax4, ay4, az4 = _turn_lanes(
            deep, 0.8,
            x + c1 * tx + c2 * vx2 + c3 * vx3,
            y + c1 * ty + c2 * vy2 + c3 * vy3,
            z + c1 * tz + c2 * vz2 + c3 * vz3,
            vx4, vy4, vz4, k, singles, p0x, p0y, p0z, p1x, p1y, p1z, p2x, p2y, p2z,
        )  # fmt: skip
        c1, c2 = h * (19372.0 / 6561.0), h * (-25360.0 / 2187.0)
        c3, c4 = h * (64448.0 / 6561.0), h * (-212.0 / 729.0)
        vx5 = tx + c1 * ax + c2 * ax2 + c3 * ax3 + c4 * ax4
        vy5 = ty + c1 * ay + c2 * ay2 + c3 * ay3 + c4 * ay4
        vz5 = tz + c1 * az + c2 * az2 + c3 * az3 + c4 * az4
        ax5, ay5, az5 = _turn_lanes(
            deep, 8.0 / 9.0,
            x + c1 * tx + c2 * vx2 + c3 * vx3 + c4 * vx4,
            y + c1 * ty + c2 * vy2 + c3 * vy3 + c4 * vy4,
            z + c1 * tz + c2 * vz2 + c3 * vz3 + c4 * vz4,
            vx5, vy5, vz5, k, singles, p0x, p0y, p0z, p1x, p1y, p1z, p2x, p2y, p2z,
        )  # fmt: skip
        c1, c2, c3 = h * (9017.0 / 3168.0), h * (-355.0 / 33.0), h * (46732.0 / 5247.0)
        c4, c5 = h * (49.0 / 176.0), h * (-5103.0 / 18656.0)
        vx6 = tx + c1 * ax + c2 * ax2 + c3 * ax3 + c4 * ax4 + c5 * ax5
        vy6 = ty + c1 * ay + c2 * ay2 + c3 * ay3 + c4 * ay4 + c5 * ay5
        vz6 = tz + c1 * az + c2 * az2 + c3 * az3 + c4 * az4 + c5 * az5
        if deep:
            bx, by, bz = p0x + p1x + p2x, p0y + p1y + p2y, p0z + p1z + p2z
        else:
            bx, by, bz = _field(
                x + c1 * tx + c2 * vx2 + c3 * vx3 + c4 * vx4 + c5 * vx5,
                y + c1 * ty + c2 * vy2 + c3 * vy3 + c4 * vy4 + c5 * vy5,
                z + c1 * tz + c2 * vz2 + c3 * vz3 + c4 * vz4 + c5 * vz5,
                singles,
            )  # fmt: skip
        ax6, ay6, az6 = _cross(k, vx6, vy6, vz6, bx, by, bz)
        c1, c3, c4 = h * (35.0 / 384.0), h * (500.0 / 1113.0), h * (125.0 / 192.0)
        c5, c6 = h * (-2187.0 / 6784.0), h * (11.0 / 84.0)
        nx = x + c1 * tx + c3 * vx3 + c4 * vx4 + c5 * vx5 + c6 * vx6
        ny = y + c1 * ty + c3 * vy3 + c4 * vy4 + c5 * vy5 + c6 * vy6
        nz = z + c1 * tz + c3 * vz3 + c4 * vz4 + c5 * vz5 + c6 * vz6
        vx7 = tx + c1 * ax + c3 * ax3 + c4 * ax4 + c5 * ax5 + c6 * ax6
        vy7 = ty + c1 * ay + c3 * ay3 + c4 * ay4 + c5 * ay5 + c6 * ay6
        vz7 = tz + c1 * az + c3 * az3 + c4 * az4 + c5 * az5 + c6 * az6
        ax7, ay7, az7 = _cross(k, vx7, vy7, vz7, bx, by, bz)
        e1, e3, e4 = h * (71.0 / 57600.0), h * (-71.0 / 16695.0), h * (71.0 / 1920.0)
        e5, e6, e7 = h * (-17253.0 / 339200.0), h * (22.0 / 525.0), h * (-1.0 / 40.0)
        ex = e1 * ax + e3 * ax3 + e4 * ax4 + e5 * ax5 + e6 * ax6 + e7 * ax7
        ey = e1 * ay + e3 * ay3 + e4 * ay4 + e5 * ay5 + e6 * ay6 + e7 * ay7
        ez = e1 * az + e3 * az3 + e4 * az4 + e5 * az5 + e6 * az6 + e7 * az7
        fx = e1 * tx + e3 * vx3 + e4 * vx4 + e5 * vx5 + e6 * vx6 + e7 * vx7
        fy = e1 * ty + e3 * vy3 + e4 * vy4 + e5 * vy5 + e6 * vy6 + e7 * vy7
        fz = e1 * tz + e3 * vz3 + e4 * vz4 + e5 * vz5 + e6 * vz6 + e7 * vz7
        error2 = (ex * ex + ey * ey + ez * ez + (fx * fx + fy * fy + fz * fz) / r2) * load(state, _TOL2)
        factor = widen(rough_power(narrow(error2 + 1e-12), -0.1)) * 0.9
        accept = error2 <= 1.0
        q_new = (nx * nx + ny * ny + nz * nz * z2) * 0.5
        dq_new = nx * vx7 + ny * vy7 + nz * vz7 * z2
        path = load(state, _PATH) + h
        share = factor
        low = q + dq * h - r * turn * h * h * 0.6 < floor_q * 1.001
        lanes = bits(accept & (dq < 0.0) & (dq_new > 0.0) & low) & active
        if lanes:
            store(state, _H, h)
            store(state, _NQ, q_new)
            store(state, _NDQ, dq_new)
            store(state, _R, r)
            store(state, _TURN, turn)
            store(state, _SHARE, factor)
            store(state, _ACCEPT, where(accept, splat(1.0), 0.0))
            low_points(lanes, state, _H, _SHARE, floor_q)
            share = load(state, _SHARE)
            accept = load(state, _ACCEPT) > 0.5
            q_new = load(state, _NQ)
            dq_new = load(state, _NDQ)
        grow = where(factor < 5.0, factor, 5.0)
        grow = where(load(state, _GROWN) > 0.5, grow, where(grow < 1.0, grow, 1.0))
        h = h * where(accept, grow, where(share > 0.2, share, 0.2))
        store(state, _H, h)
        store(state, _GROWN, where(accept, splat(1.0), 0.0))
        norm = 1.0 / square_root(vx7 * vx7 + vy7 * vy7 + vz7 * vz7)
        nx, ny, nz = where(accept, nx, x), where(accept, ny, y), where(accept, nz, z)
        q, dq = where(accept, q_new, q), where(accept, dq_new, dq)
        path = where(accept, path, load(state, _PATH))
        ntx, nty, ntz = where(accept, norm * vx7, tx), where(accept, norm * vy7, ty), where(accept, norm * vz7, tz)
        store(state, _X, nx)
        store(state, _Y, ny)
        store(state, _Z, nz)
        store(state, _TX, ntx)
        store(state, _TY, nty)
        store(state, _TZ, ntz)
        store(state, _AX, where(accept, norm * ax7, ax))
        store(state, _AY, where(accept, norm * ay7, ay))
        store(state, _AZ, where(accept, norm * az7, az))
        store(state, _BX, where(accept, bx, p0x))
        store(state, _BY, where(accept, by, p0y))
        store(state, _BZ, where(accept, bz, p0z))
        store(state, _Q, q)
        store(state, _DQ, dq)
        store(state, _PATH, path)
        # the bound of the dipole is below that of the whole field
        lanes = bits(may_be_decided(nx, ny, nz, ntx, nty, ntz, q, dq, path, k, dipole_k, params, bounds)) & active
        if lanes:
            for lane in range(LANES):
                if (lanes >> lane) & 1:
                    xl, yl, zl = state[_X, lane], state[_Y, lane], state[_Z, lane]
                    rl = math.sqrt(xl * xl + yl * yl + zl * zl)
                    mu = (xl * state[_TX, lane] + yl * state[_TY, lane] + zl * state[_TZ, lane]) / rl
                    rigidity = -CURVATURE / state[_K, lane]
                    verdict = decide(
                        state[_Q, lane], state[_DQ, lane], rl, mu, state[_PATH, lane], rigidity, nfull, params, bounds
                    )
                    if verdict >= 0:
                        verdicts[jobs[lane]] = verdict
                        job = _fill(
                            lane,
                            job,
                            deep,
                            memo,
                            state,
                            jobs,
                            places,
                            momenta,
                            rigidities,
                            verdicts,
                            gauss,
                            params,
                            bounds,
                        )
                        if jobs[lane] < 0:
                            active &= ~(1 << lane)
                            running -= 1
    return steps
