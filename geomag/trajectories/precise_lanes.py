"""Decide by the integrator of order 8 whether particles can arrive, sixteen at a time by SIMD instructions.

Method, tolerance and early verdicts are those of `geomag.trajectories.precise` without an external field; the lanes are
those of `geomag.trajectories.lockstep`, here in double precision throughout.  Two things differ from the scalar kernel:

- Every degree of the field is kept at every radius, so that a verdict does not depend on which trajectories share the
  vector.
- The field is summed in another order.  In the penumbra that changes single verdicts, as any rounding does.

Units: km, nT, GV; geocentric Cartesian axes.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.integrate import DOP853

from geomag.field.kernels import CACHE, EARTH_RADIUS_KM
from geomag.trajectories.early_verdicts import (
    CURVATURE,
    MAX_GYRATION,
    P_FLOOR_Q,
    P_PATH,
    P_TOL,
    P_Z2,
    horizontal_bound,
)
from geomag.trajectories.lanes import LANES, bits, load, splat, square_root, store, where
from geomag.trajectories.lockstep import field_lanes, low_points
from geomag.trajectories.sharper_verdicts import decide, may_be_decided

_STAGES = DOP853.n_stages
_A = np.ascontiguousarray(DOP853.A)
_B = np.ascontiguousarray(DOP853.B)
_E3 = np.ascontiguousarray(DOP853.E3[:_STAGES])
_E5 = np.ascontiguousarray(DOP853.E5[:_STAGES])

# Rows of the state, one column per lane.
_X, _Y, _Z, _TX, _TY, _TZ, _H, _Q, _DQ, _PATH, _K, _GROWN = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
# rows used only within a step, to change single lanes, in the order of `low_points`
_SHARE, _NQ, _NDQ, _ACCEPT, _R, _TURN, _ROWS = 12, 13, 14, 15, 16, 17, 18


@njit(nogil=True)
def _slope(row, x, y, z, tx, ty, tz, k, gauss, slopes):
    """Write the slopes of position and direction at a place into six rows, the first of which is `row`."""
    unit = 1.0 / EARTH_RADIUS_KM
    bx, by, bz = field_lanes(x * unit, y * unit, z * unit, gauss)
    store(slopes, row, tx)
    store(slopes, row + 1, ty)
    store(slopes, row + 2, tz)
    store(slopes, row + 3, k * (ty * bz - tz * by))
    store(slopes, row + 4, k * (tz * bx - tx * bz))
    store(slopes, row + 5, k * (tx * by - ty * bx))


@njit(nogil=True)
def _weighted(weights, count, slopes):
    """Sum over the first stages of weight times slope: three components of position, three of direction."""
    px, py, pz = splat(0.0), splat(0.0), splat(0.0)
    vx, vy, vz = splat(0.0), splat(0.0), splat(0.0)
    for j in range(count):
        a = weights[j]
        if a != 0.0:
            row = 6 * j
            px += load(slopes, row) * a
            py += load(slopes, row + 1) * a
            pz += load(slopes, row + 2) * a
            vx += load(slopes, row + 3) * a
            vy += load(slopes, row + 4) * a
            vz += load(slopes, row + 5) * a
    return px, py, pz, vx, vy, vz


@njit(nogil=True)
def _fill(lane, job, state, jobs, places, momenta, rigidities, verdicts, nfull, params, bounds):
    """Give a lane the next trajectory that is not decided where it starts; returns the job after it."""
    z2 = params[P_Z2]
    while job < rigidities.shape[0]:
        x, y, z = places[job, 0], places[job, 1], places[job, 2]
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
        state[_X, lane], state[_Y, lane], state[_Z, lane] = x, y, z
        state[_TX, lane], state[_TY, lane], state[_TZ, lane] = tx, ty, tz
        state[_Q, lane], state[_DQ, lane] = q, dq
        # the first step follows from the curvature at the start
        state[_PATH, lane], state[_H, lane], state[_GROWN, lane] = 0.0, -1.0, 1.0
        state[_K, lane] = -CURVATURE / rigidities[job]
        jobs[lane] = job
        return job + 1
    # nothing left: the lane goes straight on, 0.1 km at a time
    state[:, lane] = 0.0
    state[_X, lane] = 5.0 * EARTH_RADIUS_KM
    state[_TX, lane] = 1.0
    state[_Q, lane] = 0.5 * state[_X, lane] ** 2
    state[_DQ, lane] = state[_X, lane]
    state[_PATH, lane] = params[P_PATH]
    jobs[lane] = -1
    return job


@njit(nogil=True)
def _step(active, state, slopes, gauss, params):
    """Attempt one step in every lane."""
    z2, floor_q = params[P_Z2], params[P_FLOOR_Q]
    x, y, z = load(state, _X), load(state, _Y), load(state, _Z)
    tx, ty, tz = load(state, _TX), load(state, _TY), load(state, _TZ)
    q, dq, k, path = load(state, _Q), load(state, _DQ), load(state, _K), load(state, _PATH)
    r2 = x * x + y * y + z * z
    r = square_root(r2)
    ax, ay, az = load(slopes, 3), load(slopes, 4), load(slopes, 5)
    turn = square_root(ax * ax + ay * ay + az * az)
    h = load(state, _H)
    h = where(h < 0.0, 0.1 / (turn + 0.5 / r), h)
    limit = MAX_GYRATION / (turn + 1e-12)
    h = where(h < limit, h, limit)
    limit = r * 0.5
    h = where(h < limit, h, limit)
    # no path that is too long ends well in its last step
    limit = params[P_PATH] + 0.1 - path
    h = where(h < limit, h, limit)
    for i in range(1, _STAGES):
        px, py, pz, vx, vy, vz = _weighted(_A[i], i, slopes)
        vx, vy, vz = tx + h * vx, ty + h * vy, tz + h * vz
        _slope(6 * i, x + h * px, y + h * py, z + h * pz, vx, vy, vz, k, gauss, slopes)
    px, py, pz, vx, vy, vz = _weighted(_E5, _STAGES, slopes)
    fifth = (px * px + py * py + pz * pz) / r2 + vx * vx + vy * vy + vz * vz
    px, py, pz, vx, vy, vz = _weighted(_E3, _STAGES, slopes)
    third = (px * px + py * py + pz * pz) / r2 + vx * vx + vy * vy + vz * vz
    error = h * fifth / (square_root(fifth + third * 0.01 + 1e-60) * params[P_TOL])
    # the power -1/8, and five at most
    factor = 0.9 / square_root(square_root(square_root(error + 1e-12)))
    accept = error <= 1.0
    px, py, pz, vx, vy, vz = _weighted(_B, _STAGES, slopes)
    nx, ny, nz = x + h * px, y + h * py, z + h * pz
    vx, vy, vz = tx + h * vx, ty + h * vy, tz + h * vz
    q_new = (nx * nx + ny * ny + nz * nz * z2) * 0.5
    dq_new = nx * vx + ny * vy + nz * vz * z2
    share = where(factor > 0.2, factor, 0.2)
    lanes = bits(accept & (dq < 0.0) & (dq_new > 0.0)) & active
    if lanes:
        store(state, _H, h)
        store(state, _NQ, q_new)
        store(state, _NDQ, dq_new)
        store(state, _R, r)
        store(state, _TURN, turn)
        store(state, _SHARE, share)
        store(state, _ACCEPT, where(accept, splat(1.0), 0.0))
        low_points(lanes, state, _H, _SHARE, floor_q)
        share = load(state, _SHARE)
        accept = load(state, _ACCEPT) > 0.5
        q_new = load(state, _NQ)
        dq_new = load(state, _NDQ)
    grow = where(factor < 5.0, factor, 5.0)
    grow = where(load(state, _GROWN) > 0.5, grow, where(grow < 1.0, grow, 1.0))
    store(state, _H, h * where(accept, grow, share))
    store(state, _GROWN, where(accept, splat(1.0), 0.0))
    norm = 1.0 / square_root(vx * vx + vy * vy + vz * vz)
    store(state, _X, where(accept, nx, x))
    store(state, _Y, where(accept, ny, y))
    store(state, _Z, where(accept, nz, z))
    store(state, _TX, where(accept, norm * vx, tx))
    store(state, _TY, where(accept, norm * vy, ty))
    store(state, _TZ, where(accept, norm * vz, tz))
    store(state, _Q, where(accept, q_new, q))
    store(state, _DQ, where(accept, dq_new, dq))
    store(state, _PATH, where(accept, path + h, path))


@njit(nogil=True, cache=CACHE, error_model="numpy")
def decide_precisely(places, momenta, rigidities, verdicts, gauss, params, bounds):
    """Whether positive particles can arrive.

    Parameters
    ----------
    places : float64 array, shape (K, 3)
        Where they arrive, geocentric Cartesian, km.
    momenta : float64 array, shape (K, 3)
        Unit directions of their momenta there.
    rigidities : float64 array, shape (K,)
        GV.  Fastest when the longest trajectories (low rigidities) come first.
    verdicts : int8 array, shape (K,)
        Filled: 1 allowed, 0 forbidden, 2 undecided.
    gauss : float64 array
        Packed field.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params`.
    bounds : float64 array
        From `geomag.trajectories.sharper_verdicts.horizontal_table`.
    """
    nfull = int(gauss[0, 7])
    dipole_k = horizontal_bound(1e9, params, nfull) * 1e27
    state = np.empty((_ROWS, LANES))
    slopes = np.zeros((6 * _STAGES, LANES))
    jobs = np.empty(LANES, dtype=np.int64)
    job = 0
    active = 0
    for lane in range(LANES):
        job = _fill(lane, job, state, jobs, places, momenta, rigidities, verdicts, nfull, params, bounds)
        if jobs[lane] >= 0:
            active |= 1 << lane
    while active:
        x, y, z = load(state, _X), load(state, _Y), load(state, _Z)
        tx, ty, tz, k = load(state, _TX), load(state, _TY), load(state, _TZ), load(state, _K)
        _slope(0, x, y, z, tx, ty, tz, k, gauss, slopes)
        _step(active, state, slopes, gauss, params)
        x, y, z = load(state, _X), load(state, _Y), load(state, _Z)
        tx, ty, tz = load(state, _TX), load(state, _TY), load(state, _TZ)
        q, dq, path = load(state, _Q), load(state, _DQ), load(state, _PATH)
        lanes = bits(may_be_decided(x, y, z, tx, ty, tz, q, dq, path, k, dipole_k, params, bounds)) & active
        if not lanes:
            continue
        for lane in range(LANES):
            if (lanes >> lane) & 1:
                xl, yl, zl = state[_X, lane], state[_Y, lane], state[_Z, lane]
                rl = math.sqrt(xl * xl + yl * yl + zl * zl)
                mu = (xl * state[_TX, lane] + yl * state[_TY, lane] + zl * state[_TZ, lane]) / rl
                rigidity = rigidities[jobs[lane]]
                verdict = decide(
                    state[_Q, lane], state[_DQ, lane], rl, mu, state[_PATH, lane], rigidity, nfull, params, bounds
                )
                if verdict >= 0:
                    verdicts[jobs[lane]] = verdict
                    job = _fill(
                        lane, job, state, jobs, places, momenta, rigidities, verdicts, nfull, params, bounds
                    )  # fmt: skip
                    if jobs[lane] < 0:
                        active &= ~(1 << lane)
