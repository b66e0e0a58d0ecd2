"""Tabulate the geomagnetic field near the ground coarsely, to predict where neutrinos of a rotated shower cross.

A prediction needs the field at the birth of a neutrino for sixteen azimuths of each crossing, and again for each
density; the sum over all multipoles takes ten times as long as an interpolation. Predictions change statistical
errors, not expectation values (:mod:`sim3d.sampling.aiming`).

The table holds r^3 B on the six faces of a cube about the Earth's centre, projected on two spheres. It is linear
between its points and, along the radius, between the spheres. The factor r^3 takes up how the dipole falls.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numba import njit

from geomag.field.igrf import FieldModel
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.jit_options import UNCOUNTED

CELLS = 48
"""Cells along the side of a face: 1.2 to 2.4 degrees wide. Errors of the field are below 4e-3 (tested)."""
UPPER_KM = 60.0
"""Height of the upper sphere; the lower one is the ground."""
HIGHEST = 2.0
"""Greatest height, in units of UPPER_KM, for which the table is continued; above, r^3 B is that at this height."""

NO_FIELD = np.zeros((6, 1, 1, 6))
"""In place of a table, where nothing bends."""
NO_FIELD.flags.writeable = False

_SPAN = 0.5 * CELLS


@functools.lru_cache(maxsize=8)
def coarse_field(field: FieldModel) -> np.ndarray:
    """Tabulate a field.

    Parameters
    ----------
    field : FieldModel

    Returns
    -------
    float64 array (6, CELLS + 1, CELLS + 1, 6)
        By face (2 axis, + 1 if it is the lower one) and place on it: r^3 B / EARTH_RADIUS_KM^3 (nT) at the ground, and
        its increase to the upper sphere. Read-only, because it is kept.
    """
    side = np.linspace(-1.0, 1.0, CELLS + 1)
    table = np.empty((6, CELLS + 1, CELLS + 1, 6))
    for face in range(6):
        axis = face // 2
        place = np.empty((CELLS + 1, CELLS + 1, 3))
        place[..., axis] = 1.0 if face % 2 == 0 else -1.0
        place[..., (axis + 1) % 3] = side[:, None]
        place[..., (axis + 2) % 3] = side[None, :]
        place /= np.linalg.norm(place, axis=-1, keepdims=True)
        low = field.field_xyz(place * EARTH_RADIUS_KM)
        high = field.field_xyz(place * (EARTH_RADIUS_KM + UPPER_KM)) * (1.0 + UPPER_KM / EARTH_RADIUS_KM) ** 3
        table[face, ..., :3], table[face, ..., 3:] = low, high - low
    table.flags.writeable = False
    return table


@njit(**UNCOUNTED)
def coarse_field_at(x, y, z, table):
    """Interpolate the field.

    Parameters
    ----------
    x, y, z : float
        Geocentric position (km), at the ground or above it.
    table : float64 array
        From :func:`coarse_field`.

    Returns
    -------
    bx, by, bz : float
        Field (nT).
    """
    ax, ay, az = abs(x), abs(y), abs(z)
    if ax >= ay and ax >= az:
        face, along, u, v, far = 0, x, y, z, ax
    elif ay >= az:
        face, along, u, v, far = 2, y, z, x, ay
    else:
        face, along, u, v, far = 4, z, x, y, az
    if along < 0.0:
        face += 1
    scale = _SPAN / far
    u, v = u * scale + _SPAN, v * scale + _SPAN
    i, j = min(int(u), CELLS - 1), min(int(v), CELLS - 1)
    u -= i
    v -= j
    r = math.sqrt(x * x + y * y + z * z)
    share = EARTH_RADIUS_KM / r
    share = share * share * share
    height = min((r - EARTH_RADIUS_KM) / UPPER_KM, HIGHEST)
    w3 = u * v
    w1, w2 = u - w3, v - w3
    w0 = 1.0 - u - w2
    a, b, c, d = table[face, i, j], table[face, i + 1, j], table[face, i, j + 1], table[face, i + 1, j + 1]
    bx = w0 * (a[0] + height * a[3]) + w1 * (b[0] + height * b[3])
    by = w0 * (a[1] + height * a[4]) + w1 * (b[1] + height * b[4])
    bz = w0 * (a[2] + height * a[5]) + w1 * (b[2] + height * b[5])
    bx += w2 * (c[0] + height * c[3]) + w3 * (d[0] + height * d[3])
    by += w2 * (c[1] + height * c[4]) + w3 * (d[1] + height * d[4])
    bz += w2 * (c[2] + height * c[5]) + w3 * (d[2] + height * d[5])
    return share * bx, share * by, share * bz
