"""The geomagnetic field as numba kernels: raw floats in, raw floats out.

Frame and units: geocentric, Earth-fixed Cartesian axes in km (z to the north pole, x to latitude 0,
longitude 0); field in nT.  Nothing here is singular at the poles, and no trigonometric function is called.

How it works.  The potential of internal sources, a sum_nm (g_nm V_nm + h_nm W_nm), is written with the solid
harmonics V_nm + i W_nm = (a/r)^(n+1) P_nm(sin lat) exp(i m lon) (L. E. Cunningham, Celest. Mech. 2 (1970)
207). Their Cartesian derivatives are combinations of the harmonics one degree higher (O. Montenbruck & E.
Gill, "Satellite Orbits", Springer 2000, eq. 3.33), so each field component is itself one sum over harmonics
of degree 2 .. N+1 with coefficients that are worked out once, in `igrf.pack_gauss`.  With

    V_nm + i W_nm = (xi + i eta)^m  Q_nm,    (xi, eta, zeta) = (x, y, z) a / r^2,    rho = a^2 / r^2,

the real factor Q_nm obeys, after a change of normalisation that makes its leading coefficient one,

    Q_nm = zeta Q_(n-1)m - beta_nm rho Q_(n-2)m,    beta_nm = ((n-1)^2 - m^2) / ((2n-1)(2n-3)).

Layout of `gauss`, float64 of shape ((N+2)(N+3)/2, 8), rows by order m = 0 .. N+1 and in it by degree
n = m .. N+1: beta_nm, then the coefficients of B_x, B_y, B_z on the cosine-like part, of B_x, B_y, B_z on the
sine-like part, and one spare column whose first row holds N.
"""

from __future__ import annotations

import math
import os

import numba
from numba import njit

from geomag.field.fma import fma

EARTH_RADIUS_KM = 6371.2
"""Reference radius of the IGRF, km (Alken et al., Earth Planets Space 73 (2021) 49)."""

_CACHE_DIR = str(getattr(numba.config, "CACHE_DIR", ""))
CACHE = _CACHE_DIR != "" and os.environ.get("SIM3D_SET_NUMBA_CACHE_DIR") == _CACHE_DIR
"""Whether entry kernels are cached: only in a folder keyed by the kernels' sources, which the application sets."""


@njit(nogil=True)
def field_cartesian_truncated(x_km, y_km, z_km, gauss, nmax):
    """Field of the harmonics of degree 1 .. nmax.

    Parameters
    ----------
    x_km, y_km, z_km : float
        Geocentric Cartesian position, km; anywhere but the centre.
    gauss : float64 array, shape ((N+2)(N+3)/2, 8)
        Packed coefficients (see the module's header).
    nmax : int
        Highest degree used, 1 .. N.

    Returns
    -------
    bx, by, bz : float
        Field, nT, along the Cartesian axes.
    """
    last = int(gauss[0, 7]) + 1
    top = nmax + 1
    inv_r2 = 1.0 / (x_km * x_km + y_km * y_km + z_km * z_km)
    scale = EARTH_RADIUS_KM * inv_r2
    xi = x_km * scale
    eta = y_km * scale
    zeta = z_km * scale
    rho = EARTH_RADIUS_KM * scale
    q_mm = math.sqrt(rho)
    # exp(i m lon) cos(lat)^m (a/r)^m, times Q_mm which is the same for every m in this normalisation
    cos_m = q_mm
    sin_m = 0.0
    bx = 0.0
    by = 0.0
    bz = 0.0
    start = 0
    for m in range(top + 1):
        row = start
        q1 = 1.0
        xc = gauss[row, 1]
        yc = gauss[row, 2]
        zc = gauss[row, 3]
        xs = gauss[row, 4]
        ys = gauss[row, 5]
        zs = gauss[row, 6]
        q2 = 0.0
        for _ in range(top - m):
            row += 1
            q = fma(zeta, q1, -(gauss[row, 0] * rho) * q2)
            q2 = q1
            q1 = q
            xc = fma(gauss[row, 1], q, xc)
            yc = fma(gauss[row, 2], q, yc)
            zc = fma(gauss[row, 3], q, zc)
            xs = fma(gauss[row, 4], q, xs)
            ys = fma(gauss[row, 5], q, ys)
            zs = fma(gauss[row, 6], q, zs)
        bx = fma(cos_m, xc, fma(sin_m, xs, bx))
        by = fma(cos_m, yc, fma(sin_m, ys, by))
        bz = fma(cos_m, zc, fma(sin_m, zs, bz))
        c = fma(cos_m, xi, -sin_m * eta)
        sin_m = fma(cos_m, eta, sin_m * xi)
        cos_m = c
        start += last - m + 1
    return bx, by, bz


@njit(nogil=True)
def field_cartesian(x_km, y_km, z_km, gauss):
    """Field with all the degrees that `gauss` holds; see `field_cartesian_truncated`.

    Parameters
    ----------
    x_km, y_km, z_km : float
        Geocentric Cartesian position, km.
    gauss : float64 array, shape ((N+2)(N+3)/2, 8)
        Packed coefficients.

    Returns
    -------
    bx, by, bz : float
        Field, nT.
    """
    return field_cartesian_truncated(x_km, y_km, z_km, gauss, int(gauss[0, 7]))
