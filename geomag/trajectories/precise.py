"""Back-track particles by an integrator of order 8, for the penumbra and for fields with an external part.

In the penumbra trajectories are chaotic: the error per step of the pair of order 5 in `geomag.trajectories.tracing`
changes one verdict in fourteen there.  This is the method DOP853 of E. Hairer, S. P. Norsett & G. Wanner, Solving
Ordinary Differential Equations I (1993), section II.5, with their combination of the errors of order 5 and 3;
the coefficients are read from scipy.  Equations, floor, units and frame are those of `geomag.trajectories.tracing`.

A path ends on the sphere of the escape radius, or on the magnetopause if there is an external field.  With early
verdicts, which hold without an external field only, it ends as soon as the verdict is certain.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit
from scipy.integrate import DOP853

from geomag.arrays import Array, IntArray
from geomag.field.fma import fma
from geomag.field.igrf import FieldModel
from geomag.field.kernels import CACHE, field_cartesian_truncated
from geomag.field.magnetosphere import Magnetosphere, beyond_magnetopause, external_field
from geomag.trajectories.early_verdicts import (
    ALLOWED,
    CURVATURE,
    FORBIDDEN,
    GRACE,
    MAX_GYRATION,
    P_ESCAPE2,
    P_FLOOR_Q,
    P_PATH,
    P_SHORTCUT_PATH,
    P_TOL,
    P_Z2,
    degree_at,
    retake_share,
)
from geomag.trajectories.precise_lanes import decide_precisely
from geomag.trajectories.sharper_verdicts import decide, horizontal_table
from geomag.trajectories.tracing import trace_params

PRECISE_TOLERANCE = 1e-11
"""Error per step in direction (rad) and in position relative to r.  In the penumbra 0.997 of the verdicts are those at
1e-12 (2,466 rigidities of 200 places); a smaller one gains little, because rounding grows as far there."""
EXTERNAL_TOLERANCE = 1e-9
"""The same with an external field, which is known far less well."""
EXTERNAL_ESCAPE_RADII = 25.0
"""Escape radius with an external field, where the tail has no magnetopause; units of 6371.2 km."""
_NEGLECTED = 1e-10
"""Part of the internal field that may be left out, relative to the dipole's at that radius."""

_STAGES = DOP853.n_stages
_A = np.ascontiguousarray(DOP853.A)
_B = np.ascontiguousarray(DOP853.B)
_E3 = np.ascontiguousarray(DOP853.E3[:_STAGES])
_E5 = np.ascontiguousarray(DOP853.E5[:_STAGES])

_LONGEST_OUTSIDE = 0.1
"""Longest step with an external field, relative to r: no path enters and leaves the magnetosphere within one step but
for one that touches the magnetopause."""
_END_KM = 0.01
"""How far beyond the surface where it ends a path may go."""


@njit(nogil=True)
def whole_field(x, y, z, gauss, nmax, external):
    """Sum of the internal and the external field.

    Parameters
    ----------
    x, y, z : float
        Place, km.
    gauss : float64 array
        Packed internal field.
    nmax : int
        Highest degree used.
    external : float64 array or None
        From `geomag.field.magnetosphere.Magnetosphere.packed`.

    Returns
    -------
    bx, by, bz : float
        nT.
    """
    bx, by, bz = field_cartesian_truncated(x, y, z, gauss, nmax)
    if external is not None:
        ex, ey, ez = external_field(x, y, z, external)
        return bx + ex, by + ey, bz + ez
    return bx, by, bz


@njit(nogil=True)
def beyond_end(x, y, z, params, external):
    """Distance beyond the surface where a path ends: the escape radius, or the magnetopause if that is nearer.

    Parameters
    ----------
    x, y, z : float
        Place, km.
    params : float64 array
        From `geomag.trajectories.tracing.trace_params`.
    external : float64 array or None
        As for `whole_field`.

    Returns
    -------
    float
        Positive outside, km.
    """
    beyond = math.sqrt(x * x + y * y + z * z) - math.sqrt(params[P_ESCAPE2])
    if external is not None:
        beyond = max(beyond, beyond_magnetopause(x, y, z, external))
    return beyond


@njit(nogil=True)
def precise_state(x, y, z, ux, uy, uz, rigidity_GV, gauss, params, bounds, external, k):
    """Follow the antiparticle and return the verdict with the state where it was reached.

    Parameters
    ----------
    x, y, z : float
        Where the positive particle arrives, km.
    ux, uy, uz : float
        Unit direction of its momentum there.
    rigidity_GV : float
        Rigidity.
    gauss : float64 array
        Packed internal field.
    params, bounds : float64 array
        From `geomag.trajectories.tracing.trace_params`, and from
        `geomag.trajectories.sharper_verdicts.horizontal_table` for them.
    external : float64 array or None
        As for `whole_field`; early verdicts must then be off.
    k : float64 array, shape (13, 6)
        Work space: slopes of the stages.

    Returns
    -------
    verdict : int
        1 allowed, 0 forbidden, 2 undecided.
    x, y, z : float
        Last position of the antiparticle, km.
    tx, ty, tz : float
        Its direction there, of unit length.
    path : float
        Path length, km.
    """
    nfull = int(gauss[0, 7])
    curvature = -CURVATURE / rigidity_GV
    floor_q, z2, tol = params[P_FLOOR_Q], params[P_Z2], params[P_TOL]
    early = params[P_SHORTCUT_PATH] > 0.0
    tx, ty, tz = -ux, -uy, -uz
    path = 0.0
    r = math.sqrt(x * x + y * y + z * z)
    bx, by, bz = whole_field(x, y, z, gauss, nfull, external)
    k[0, 0], k[0, 1], k[0, 2] = tx, ty, tz
    k[0, 3] = curvature * (ty * bz - tz * by)
    k[0, 4] = curvature * (tz * bx - tx * bz)
    k[0, 5] = curvature * (tx * by - ty * bx)
    turn = math.sqrt(k[0, 3] ** 2 + k[0, 4] ** 2 + k[0, 5] ** 2)
    h = 0.1 / (turn + 0.5 / r)
    q = 0.5 * (x * x + y * y + z2 * z * z)
    dq = x * tx + y * ty + z2 * z * tz
    beyond = beyond_end(x, y, z, params, external)
    grown = True
    while True:
        mu = (x * tx + y * ty + z * tz) / r
        verdict = decide(q, dq, r, mu, path, rigidity_GV, nfull, params, bounds)
        if verdict >= 0:
            return verdict, x, y, z, tx, ty, tz, path
        # no path that is too long ends well in its last step
        h = min(h, MAX_GYRATION / (turn + 1e-12), 0.5 * r, params[P_PATH] - path + 0.1)
        if external is not None:
            h = min(h, _LONGEST_OUTSIDE * r)
        nmax = degree_at(r if mu > 0.0 else r + mu * h, params, nfull)
        while True:
            for i in range(1, _STAGES):
                px, py, pz, vx, vy, vz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
                for j in range(i):
                    a = _A[i, j]
                    if a != 0.0:
                        px, py, pz = fma(a, k[j, 0], px), fma(a, k[j, 1], py), fma(a, k[j, 2], pz)
                        vx, vy, vz = fma(a, k[j, 3], vx), fma(a, k[j, 4], vy), fma(a, k[j, 5], vz)
                vx, vy, vz = fma(h, vx, tx), fma(h, vy, ty), fma(h, vz, tz)
                bx, by, bz = whole_field(fma(h, px, x), fma(h, py, y), fma(h, pz, z), gauss, nmax, external)
                k[i, 0], k[i, 1], k[i, 2] = vx, vy, vz
                k[i, 3] = curvature * fma(vy, bz, -vz * by)
                k[i, 4] = curvature * fma(vz, bx, -vx * bz)
                k[i, 5] = curvature * fma(vx, by, -vy * bx)
            fifth, third = 0.0, 0.0
            for c in range(6):
                e5, e3 = 0.0, 0.0
                for j in range(_STAGES):
                    e5 = fma(_E5[j], k[j, c], e5)
                    e3 = fma(_E3[j], k[j, c], e3)
                scale = 1.0 / r if c < 3 else 1.0
                fifth += (scale * e5) ** 2
                third += (scale * e3) ** 2
            error = h * fifth / (tol * math.sqrt(fifth + 0.01 * third)) if fifth > 0.0 else 0.0
            factor = 5.0 if error < 1e-6 else 0.9 * error**-0.125
            if error > 1.0:
                h *= max(0.2, factor)
                grown = False
                continue
            px, py, pz, vx, vy, vz = 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
            for j in range(_STAGES):
                b = _B[j]
                if b != 0.0:
                    px, py, pz = fma(b, k[j, 0], px), fma(b, k[j, 1], py), fma(b, k[j, 2], pz)
                    vx, vy, vz = fma(b, k[j, 3], vx), fma(b, k[j, 4], vy), fma(b, k[j, 5], vz)
            nx, ny, nz = fma(h, px, x), fma(h, py, y), fma(h, pz, z)
            vx, vy, vz = fma(h, vx, tx), fma(h, vy, ty), fma(h, vz, tz)
            q_new = 0.5 * fma(nx, nx, fma(ny, ny, z2 * nz * nz))
            dq_new = fma(nx, vx, fma(ny, vy, z2 * nz * vz))
            if dq < 0.0 and dq_new > 0.0:
                share = retake_share(q, dq, q_new, dq_new, h, r, turn, floor_q)
                if share == 0.0:
                    return FORBIDDEN, nx, ny, nz, vx, vy, vz, path + h
                if share > 0.0:
                    h *= share
                    grown = False
                    continue
            beyond_new = beyond_end(nx, ny, nz, params, external)
            if beyond_new > _END_KM and not early and h > _END_KM:
                # take the step again so that it ends on the surface
                h *= min(max((0.5 * _END_KM - beyond) / (beyond_new - beyond), 0.01), 0.99)
                grown = False
                continue
            break
        path += h
        x, y, z = nx, ny, nz
        norm = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
        tx, ty, tz = norm * vx, norm * vy, norm * vz
        if beyond_new > 0.0:
            return ALLOWED, x, y, z, tx, ty, tz, path
        q, dq, beyond = q_new, dq_new, beyond_new
        if q < floor_q * (1.0 - GRACE) and dq < 0.0:
            return FORBIDDEN, x, y, z, tx, ty, tz, path
        r = math.sqrt(x * x + y * y + z * z)
        bx, by, bz = whole_field(x, y, z, gauss, nmax, external)
        k[0, 0], k[0, 1], k[0, 2] = tx, ty, tz
        k[0, 3] = curvature * fma(ty, bz, -tz * by)
        k[0, 4] = curvature * fma(tz, bx, -tx * bz)
        k[0, 5] = curvature * fma(tx, by, -ty * bx)
        turn = math.sqrt(k[0, 3] ** 2 + k[0, 4] ** 2 + k[0, 5] ** 2)
        h *= min(factor, 5.0) if grown else min(factor, 1.0)
        grown = True


@njit(nogil=True, cache=CACHE)
def _follow_many(places, momenta, rigidities, gauss, params, bounds, external, ends):
    """Fill ends[i] with verdict, last position (km), direction there and path (km) of each particle."""
    k = np.empty((13, 6))
    for i in range(rigidities.shape[0]):
        verdict, x, y, z, tx, ty, tz, path = precise_state(
            places[i, 0], places[i, 1], places[i, 2],
            momenta[i, 0], momenta[i, 1], momenta[i, 2],
            rigidities[i], gauss, params, bounds, external, k,
        )  # fmt: skip
        ends[i, 0], ends[i, 7] = verdict, path
        ends[i, 1], ends[i, 2], ends[i, 3] = x, y, z
        ends[i, 4], ends[i, 5], ends[i, 6] = tx, ty, tz


def _arrivals(places_km: Array, momenta: Array, rigidities_GV: Array) -> tuple[Array, Array, Array]:
    """Arrays for the kernels: places and momenta of shape (K, 3), rigidities of shape (K,)."""
    rigidities = np.ascontiguousarray(rigidities_GV, dtype=np.float64)
    shape = (len(rigidities), 3)
    places, directions = (
        np.ascontiguousarray(np.broadcast_to(np.asarray(a, dtype=np.float64), shape)).copy()
        for a in (places_km, momenta)
    )
    return places, directions, rigidities


class PreciseTracer:
    """Back-tracking of many particles in one field: ends of paths one by one, early verdicts sixteen at a time.

    Parameters
    ----------
    field : FieldModel
        The internal field.
    floor_km : float
        Height above the ellipsoid below which a trajectory is forbidden.
    external : Magnetosphere, optional
        External field and magnetopause.
    escape_radii : float, optional
        Where a trajectory counts as escaped, units of 6371.2 km; 10, or 25 with an external field, if not given.
    max_path_radii : float
        Path after which a trajectory is undecided, units of 6371.2 km.
    early : bool
        End a path as soon as its verdict is certain; never done with an external field.
    tolerance : float, optional
        Error per step; 1e-11, or 1e-9 with an external field, if not given.
    """

    def __init__(
        self,
        field: FieldModel,
        floor_km: float,
        external: Magnetosphere | None = None,
        *,
        escape_radii: float | None = None,
        max_path_radii: float = 100.0,
        early: bool = True,
        tolerance: float | None = None,
    ) -> None:
        if escape_radii is None:
            escape_radii = 10.0 if external is None else EXTERNAL_ESCAPE_RADII
        if tolerance is None:
            tolerance = PRECISE_TOLERANCE if external is None else EXTERNAL_TOLERANCE
        self.field = field
        self._early = early and external is None
        self.params = trace_params(
            field,
            floor_km,
            True,
            tolerance,
            escape_radii,
            max_path_radii,
            shortcuts=self._early,
            truncation=_NEGLECTED,
        )
        self._bounds = horizontal_table(field, self.params)
        self._external = None if external is None else external.packed(field)

    def ends(self, places_km: Array, momenta: Array, rigidities_GV: Array) -> Array:
        """Verdicts and states at the ends of the paths.

        Parameters
        ----------
        places_km, momenta : array, shape (K, 3) or (3,)
            Where they arrive, and unit directions of their momenta there.
        rigidities_GV : array, shape (K,)
            Rigidities.

        Returns
        -------
        array, shape (K, 8)
            Verdict (1 allowed, 0 forbidden, 2 undecided), last position of the antiparticle (km), its direction there,
            and the length of the path (km).
        """
        places, directions, rigidities = _arrivals(places_km, momenta, rigidities_GV)
        found = np.empty((len(rigidities), 8))
        _follow_many(places, directions, rigidities, self.field.gauss, self.params, self._bounds, self._external, found)
        return found

    def verdicts(self, places_km: Array, momenta: Array, rigidities_GV: Array) -> IntArray:
        """Decide which particles can arrive; parameters as in `ends`.

        Parameters
        ----------
        places_km, momenta : array, shape (K, 3) or (3,)
            Where they arrive, and unit directions of their momenta there.
        rigidities_GV : array, shape (K,)
            Rigidities.

        Returns
        -------
        int8 array, shape (K,)
            1 allowed, 0 forbidden, 2 undecided.
        """
        if not self._early:
            return self.ends(places_km, momenta, rigidities_GV)[:, 0].astype(np.int8)
        arrivals = _arrivals(places_km, momenta, rigidities_GV)
        found = np.empty(len(arrivals[2]), dtype=np.int8)
        decide_precisely(*arrivals, found, self.field.gauss, self.params, self._bounds)
        return found
