"""Rotations of directions: scattering by a polar angle and an azimuth, and turning about a magnetic field.

A direction u travels with a perpendicular unit vector e. Azimuths of scattering are drawn about u starting from e,
so a shower that is started rotated is the rotated shower.
"""

from __future__ import annotations

import math

from numba import njit
from scipy import constants

KAPPA = constants.c / constants.giga * constants.nano * constants.kilo
"""d(direction)/ds = KAPPA q/p (u x B) with B in nT, p in GeV/c and s in km: c is 0.299792458 GV per T m."""


@njit(nogil=True)
def turn(ux, uy, uz, ex, ey, ez, cos_theta, sin_theta, cos_phi, sin_phi):
    """Turn a direction and its frame by the polar angle theta towards the azimuth phi of the frame.

    The frame is parallel-transported: it undergoes the same rotation as the direction.

    Returns
    -------
    tuple of float
        The new direction (3) and frame vector (3), both renormalised.
    """
    # make the frame exactly perpendicular first: helical steps leave rounding errors
    along = ex * ux + ey * uy + ez * uz
    ex -= along * ux
    ey -= along * uy
    ez -= along * uz
    norm = 1.0 / math.sqrt(ex * ex + ey * ey + ez * ez)
    ex *= norm
    ey *= norm
    ez *= norm
    fx = uy * ez - uz * ey
    fy = uz * ex - ux * ez
    fz = ux * ey - uy * ex
    nx = cos_phi * ex + sin_phi * fx
    ny = cos_phi * ey + sin_phi * fy
    nz = cos_phi * ez + sin_phi * fz
    tx = -sin_phi * ex + cos_phi * fx
    ty = -sin_phi * ey + cos_phi * fy
    tz = -sin_phi * ez + cos_phi * fz
    vx = cos_theta * ux + sin_theta * nx
    vy = cos_theta * uy + sin_theta * ny
    vz = cos_theta * uz + sin_theta * nz
    norm = 1.0 / math.sqrt(vx * vx + vy * vy + vz * vz)
    nx = cos_theta * nx - sin_theta * ux
    ny = cos_theta * ny - sin_theta * uy
    nz = cos_theta * nz - sin_theta * uz
    return (
        vx * norm,
        vy * norm,
        vz * norm,
        cos_phi * nx - sin_phi * tx,
        cos_phi * ny - sin_phi * ty,
        cos_phi * nz - sin_phi * tz,
    )


@njit(nogil=True)
def rotate_about_field(vx, vy, vz, tx, ty, tz):
    """Rotate v about t by twice atan(|t|) (clockwise as seen along t): one helical step's turn.

    With t = KAPPA q/p B ds/2 this is the exact rotation up to t^3/3 in the angle, and keeps |v| to rounding.
    """
    ax = vx + (vy * tz - vz * ty)
    ay = vy + (vz * tx - vx * tz)
    az = vz + (vx * ty - vy * tx)
    s = 2.0 / (1.0 + tx * tx + ty * ty + tz * tz)
    return (
        vx + s * (ay * tz - az * ty),
        vy + s * (az * tx - ax * tz),
        vz + s * (ax * ty - ay * tx),
    )


@njit(nogil=True)
def perpendicular(ux, uy, uz):
    """A unit vector perpendicular to the unit vector u, chosen by u alone."""
    if abs(uz) < 0.9:
        norm = math.sqrt(ux * ux + uy * uy)
        return -uy / norm, ux / norm, 0.0
    norm = math.sqrt(uy * uy + uz * uz)
    return 0.0, -uz / norm, uy / norm
