"""Rotations of directions: by a polar angle and an azimuth (scattering), and about a magnetic field (bending).

Each particle has a direction u and a perpendicular unit vector e. Azimuths of scattering are measured about u from e.
A shower whose start is rotated is then the same shower, rotated as a whole.
"""

from __future__ import annotations

import math

from numba import njit
from scipy import constants

KAPPA = constants.c / constants.giga * constants.nano * constants.kilo
"""d(direction)/ds = KAPPA q/p (u x B) with B in nT, p in GeV/c and s in km: c is 0.299792458 GV per T m."""


@njit(nogil=True)
def turn(ux, uy, uz, ex, ey, ez, cos_theta, sin_theta, cos_phi, sin_phi):
    """Rotate a direction by the polar angle theta towards the azimuth phi, and its perpendicular vector with it.

    The perpendicular vector is parallel-transported: it undergoes the same rotation as the direction.

    Parameters
    ----------
    ux, uy, uz, ex, ey, ez : float
        Unit direction and perpendicular unit vector, from which the azimuth is measured.
    cos_theta, sin_theta, cos_phi, sin_phi : float
        Polar angle and azimuth.

    Returns
    -------
    tuple of float
        The new direction (3, renormalised) and perpendicular vector (3).
    """
    # make e exactly perpendicular first: rounding errors accumulate over the steps in the field
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
    """Rotate a vector v about t by the angle 2 atan(|t|), towards v x t: the bending on one step in a magnetic field.

    With t = KAPPA q/p B ds/2 the angle differs from the exact one, 2 |t|, by 2 |t|^3 / 3. The length of v is conserved
    to rounding (Boris' rotation).

    Parameters
    ----------
    vx, vy, vz : float
        Vector to rotate.
    tx, ty, tz : float
        Axis; its length is the tangent of half the angle.

    Returns
    -------
    tuple of float
        The rotated vector (3).
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
    """Construct a unit vector perpendicular to a unit vector u; it is a function of u alone.

    Parameters
    ----------
    ux, uy, uz : float

    Returns
    -------
    tuple of float
        The perpendicular vector (3).
    """
    if abs(uz) < 0.9:
        norm = math.sqrt(ux * ux + uy * uy)
        return -uy / norm, ux / norm, 0.0
    norm = math.sqrt(uy * uy + uz * uz)
    return 0.0, -uz / norm, uy / norm
