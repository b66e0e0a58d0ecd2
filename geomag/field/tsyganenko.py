"""The field of currents outside the Earth by Kp: the model of Tsyganenko 1989, as a numba kernel.

Reference: N. A. Tsyganenko, Planet. Space Sci. 37 (1989) 5, in the form of 1996 known as T89c, whose tail current
depends on the tilt of the dipole.  Its parts are the ring current and the tail current in a sheet that the tilt bends
(eqs. 8 to 15 of the paper), the closure of the tail current above and below (eq. 16), and the currents on the
magnetopause with those along field lines (eq. 20).  The coefficients of seven levels of Kp are in
`geomag/data/tsyganenko1989.csv`.  It is valid inside the magnetopause, to 70 Earth radii.

Units and frame: geocentric solar magnetospheric axes (GSM: x to the Sun, the dipole in the plane of x and z), Earth
radii of 6371.2 km, nT, radians.  Layout of the parameters: columns of the table, without Kp.
"""

from __future__ import annotations

import csv
import functools
import math
from importlib.resources import files

import numpy as np
from numba import njit

from geomag.arrays import Array

# Places of the parameters, in the order of the table.
_TAIL_1, _TAIL_2, _CLOSURE, _CLOSURE_TILT, _RING = 0, 1, 2, 3, 4
_SURFACE, _TAIL_1_TILT, _TAIL_2_TILT = 5, 15, 16
_SURFACE_SCALE, _RING_RADIUS, _THICKNESS, _RING_FLARE, _HINGE, _WARP = 17, 18, 19, 20, 21, 22
_TAIL_RADIUS, _TAIL_WIDTH, _FLARE_Y, _TAIL_FRONT, _TAIL_FLARE, _CLOSURE_WIDTH = 23, 24, 25, 27, 28, 29

# Constants of the model that do not depend on Kp: squares of the lengths over which the ring current, the tail
# current, the tail's thickness, the closure current and the hinge of the sheet change along x, and heights of the two
# closure sheets (Earth radii).
_RING_X2, _TAIL_X2, _FLARE_X2, _CLOSURE_X2, _HINGE2 = 25.0, 170.0, 40.0, 50.0, 16.0
_WARP4, _CLOSURE_FRONT, _CLOSURE_HEIGHT = 1e4, 4.0, 30.0


@njit(nogil=True)
def _closure(x, y, z, side, width):
    """Field of the closure current above (side 1) or below (side -1) the tail, for unit amplitude."""
    up = _CLOSURE_HEIGHT + side * z
    s = math.sqrt(up * up + x * x + y * y)
    from_front = x - _CLOSURE_FRONT
    root = 1.0 / math.sqrt(from_front * from_front + _CLOSURE_X2)
    across = 1.0 / (1.0 + y * y / (width * width))
    weight = 0.5 * (1.0 - from_front * root) * across
    by_x = -0.5 * _CLOSURE_X2 * root * root * root * across
    by_y = -2.0 / (width * width) * weight * across * y
    inverse = 1.0 / (s + up)
    radial = side * weight * inverse / s
    return radial * x, radial * y, weight / s + (x * by_x + y * by_y) * inverse


@njit(nogil=True)
def tsyganenko_1989(x, y, z, tilt, a):
    """Field of the currents outside the Earth.

    Parameters
    ----------
    x, y, z : float
        Place in GSM axes, Earth radii.
    tilt : float
        Angle of the dipole to the z axis, positive when its northern end leans to the Sun, radians.
    a : float64 array, shape (30,)
        Parameters of a level of Kp, from `parameters`.

    Returns
    -------
    bx, by, bz : float
        Field in GSM axes, nT.
    """
    sine, cosine = math.sin(tilt), math.cos(tilt)
    tilt2 = tilt * tilt
    # solar magnetic axes: z along the dipole
    u = x * cosine - z * sine
    v = x * sine + z * cosine
    u2, y2 = u * u, y * y
    rho2 = u2 + y2

    # height of the current sheet above the equator of the dipole, and its change along the radius
    hinged = u + a[_HINGE]
    root = math.sqrt(hinged * hinged + _HINGE2)
    bent = 0.5 * sine / cosine * (hinged - root)
    y4 = y2 * y2
    warp = a[_WARP] * sine / (y4 + _WARP4)
    above = v - bent + warp * y4
    along = -u * bent / root - 4.0 * _WARP4 * warp * y4 / (y4 + _WARP4)

    # ring current
    root = math.sqrt(u2 + _RING_X2)
    half = a[_THICKNESS] + a[_RING_FLARE] * 0.5 * (1.0 + u / root)
    flare = a[_RING_FLARE] * 0.5 * _RING_X2 / (root * root * root)
    t = math.sqrt(above * above + half * half)
    reach = a[_RING_RADIUS] + t
    inverse2 = 1.0 / (reach * reach + rho2)
    strength = a[_RING] * inverse2 * inverse2 * math.sqrt(inverse2)
    radial = 3.0 * reach * strength / t
    bu = radial * above * u
    by = radial * above * y
    bv = strength * (2.0 * reach * reach - rho2) + radial * (above * along - half * flare * u)

    # tail current, two modes
    root2 = 1.0 / (u2 + _FLARE_X2)
    root = math.sqrt(root2)
    half = a[_THICKNESS] + a[_FLARE_Y] * y2 + a[_TAIL_FLARE] * 0.5 * (1.0 + u * root)
    flare = a[_TAIL_FLARE] * 0.5 * _FLARE_X2 * root2 * root
    t = math.sqrt(above * above + half * half)
    front = u - a[_TAIL_FRONT]
    root2 = 1.0 / (front * front + _TAIL_X2)
    root = math.sqrt(root2)
    across = 1.0 / (1.0 + y2 / (a[_TAIL_WIDTH] * a[_TAIL_WIDTH]))
    weight = 0.5 * (1.0 - front * root) * across
    weight_u = -0.5 * _TAIL_X2 * root2 * root * across
    changes = u * weight_u - 2.0 * weight * across * y2 / (a[_TAIL_WIDTH] * a[_TAIL_WIDTH])
    reach = a[_TAIL_RADIUS] + t
    s = math.sqrt(reach * reach + rho2)
    f = 1.0 / s
    g = 1.0 / (s + reach)
    first = a[_TAIL_1] + a[_TAIL_1_TILT] * tilt2
    second = a[_TAIL_2] + a[_TAIL_2_TILT] * tilt2
    radial = weight / t * (first * f * g + second * f * f * f)
    bu += radial * above * u
    by += radial * above * y
    bv += weight * (first * f + second * reach * f * f * f) + changes * (first * g + second * f * g)
    bv += radial * (above * along - half * (2.0 * a[_FLARE_Y] * y2 + flare * u))
    bx = bu * cosine + bv * sine
    bz = bv * cosine - bu * sine

    # closure of the tail current
    for side in (1.0, -1.0):
        cx, cy, cz = _closure(x, y, z, side, a[_CLOSURE_WIDTH])
        amplitude = a[_CLOSURE] + side * sine * a[_CLOSURE_TILT]
        bx += amplitude * cx
        by += amplitude * cy
        bz += amplitude * cz

    # magnetopause and field-aligned currents; the terms of bz in z are what div B = 0 asks for
    scale = 1.0 / a[_SURFACE_SCALE]
    e = math.exp(x * scale)
    ec, es = e * cosine, e * sine
    c = a[_SURFACE : _SURFACE + 10]
    z2 = z * z
    bx += ec * c[0] * z + es * (c[1] + c[2] * y2 + c[3] * z2)
    by += y * (ec * c[4] * z + es * (c[5] + c[6] * y2 + c[7] * z2))
    bz += ec * (c[8] + c[9] * y2 - 0.5 * z2 * (c[0] * scale + c[4]))
    bz -= es * z * (c[1] * scale + c[5] + y2 * (c[2] * scale + 3.0 * c[6]) + z2 * (c[3] * scale + c[7]) / 3.0)
    return bx, by, bz


@functools.cache
def parameters() -> Array:
    """Parameters of the seven levels of Kp.

    Returns
    -------
    float64 array, shape (7, 30)
        Levels 0, 1, ..., 5 and 6 or more.
    """
    text = (files("geomag") / "data" / "tsyganenko1989.csv").read_text(encoding="utf-8")
    rows = list(csv.reader(line for line in text.splitlines() if not line.startswith("#")))
    return np.array([[float(value) for value in row[1:]] for row in rows[1:]])
