"""Draw rotations of the globe that bring a shower's crossing to a site, and compute their probability density.

A rotation g is parametrised by the image y of a reference point n (a unit vector) and by the azimuth that it gives a
horizontal direction a at n. It is g = S(y) G(azimuth). G takes n to the site's centre and a to that azimuth; S(y) is
the smallest rotation that takes the centre to y. In these variables the uniform (Haar) measure is
dg = d(azimuth) / 2 pi dy / 4 pi. The azimuth is drawn from sectors by importance. The point y is drawn so that the
predicted crossing falls on the site's patch or on a margin around it.

Prediction: the rotated neutrino's crossing point is predicted to first order from one field value at its birth and
from the turn and the shift that the pilot shower accumulated (:mod:`sim3d.shower.kernel`). It is a function of the
crossing and the azimuth alone, as the density requires. For a fixed azimuth the correction is a rotation, so it needs
no Jacobian.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.jit_options import UNCOUNTED
from sim3d.sampling.coarse_field import coarse_field_at
from sim3d.scoring.detectors import (
    CAP,
)
from sim3d.shower.random_streams import uniform
from sim3d.shower.rotations import perpendicular, rotate_about_field

# columns of the table of crossings
A_N, A_A, A_B, A_X, A_U, A_TURN, A_SHIFT, A_KIND, A_SHARE, A_SECTOR = 0, 3, 6, 9, 12, 15, 16, 19, 20, 21
N_SECTORS = 16
_EDGE_COSINES = np.cos(2.0 * math.pi * np.arange(N_SECTORS) / N_SECTORS)
_EDGE_SINES = np.sin(2.0 * math.pi * np.arange(N_SECTORS) / N_SECTORS)
AIM_COLUMNS = A_SECTOR + N_SECTORS
DOWN, UP, AXIS = 0.0, 1.0, 2.0

LARGEST_MARGIN = math.radians(12.0)
_SMALL_SHIFT = math.radians(0.3)
STRONG_FIELD_NT = 5.0e4
FAR_TURN = math.radians(12.0)
"""Deflection in a strong field beyond which the prediction is poor: the energy losses along the bent path differ from
those of the pilot. Such crossings are aimed mostly from the tail. Changes errors, not expectation values."""
_TOUCHING = 0.005
"""A line is predicted to touch the sphere of radius R if its squared distance from the centre is at most
(1 + this) R^2."""
_FAR_TAIL_SHARE, _FAR_TAIL_WIDTH, _LOST_TAIL_WIDTH = 0.6, 0.3, 0.5


@njit(**UNCOUNTED)
def smallest_rotation(ax, ay, az, bx, by, bz, vx, vy, vz):
    """Rotate the vector v by the smallest rotation that takes the unit vector a to the unit vector b (not opposite)."""
    wx, wy, wz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    f = 1.0 / max(1.0 + ax * bx + ay * by + az * bz, 1e-12)
    px, py, pz = wy * vz - wz * vy, wz * vx - wx * vz, wx * vy - wy * vx
    return (
        vx + px + f * (wy * pz - wz * py),
        vy + py + f * (wz * px - wx * pz),
        vz + pz + f * (wx * py - wy * px),
    )


@njit(**UNCOUNTED)
def set_reference(row, nx, ny, nz, ux, uy, uz):
    """Fill the reference triad of a row of the table of crossings, and give all azimuth sectors the same importance.

    The triad is the unit radius n, the normalised horizontal part a of -u, and n x a; u is the direction of flight.
    """
    along = nx * ux + ny * uy + nz * uz
    ax, ay, az = along * nx - ux, along * ny - uy, along * nz - uz
    norm = math.sqrt(ax * ax + ay * ay + az * az)
    if norm < 1e-12:  # exactly vertical: any horizontal direction will do
        ax, ay, az = perpendicular(nx, ny, nz)
    else:
        ax, ay, az = ax / norm, ay / norm, az / norm
    row[A_N], row[A_N + 1], row[A_N + 2] = nx, ny, nz
    row[A_A], row[A_A + 1], row[A_A + 2] = ax, ay, az
    row[A_B], row[A_B + 1], row[A_B + 2] = ny * az - nz * ay, nz * ax - nx * az, nx * ay - ny * ax
    for k in range(N_SECTORS):
        row[A_SECTOR + k] = 1.0


@njit(**UNCOUNTED)
def site_rotation(row, site, c, s, g):
    """Compute the rotation G(azimuth) that takes a row's reference point to the site's centre, into g (3, 3).

    The reference direction a gets the azimuth of cosine c and sine s (from the patch's north towards its east).
    """
    for i in range(3):
        h = c * site["magnetic_north"][i] + s * site["magnetic_east"][i]
        # centre x north = -east, centre x east = north
        k = s * site["magnetic_north"][i] - c * site["magnetic_east"][i]
        up = site["up"][i]
        for j in range(3):
            g[i, j] = up * row[A_N + j] + h * row[A_A + j] + k * row[A_B + j]


@njit(**UNCOUNTED)
def turn_to(site, yx, yy, yz, g):
    """Multiply g (3, 3) from the left by S(y), the smallest rotation from the site's centre to the unit vector y."""
    for j in range(3):
        g[0, j], g[1, j], g[2, j] = smallest_rotation(
            site["up"][0], site["up"][1], site["up"][2], yx, yy, yz, g[0, j], g[1, j], g[2, j]
        )


@njit(**UNCOUNTED)
def apply(g, x, y, z):
    """Product of a (3, 3) matrix and a vector."""
    return (
        g[0, 0] * x + g[0, 1] * y + g[0, 2] * z,
        g[1, 0] * x + g[1, 1] * y + g[1, 2] * z,
        g[2, 0] * x + g[2, 1] * y + g[2, 2] * z,
    )


@njit(**UNCOUNTED)
def predicted_line(row, g, coarse, bending):
    """Predict the birth point and direction of a row's neutrino after its shower is rotated by g.

    Parameters
    ----------
    row : float64 array (AIM_COLUMNS,)
        Row of the table of crossings.
    g : float64 array (3, 3)
        Rotation matrix.
    coarse : float64 array
        Table of the field, from :func:`sim3d.sampling.coarse_field.coarse_field`.
    bending : bool
        Whether the first-order turn and shift in the field at the birth point are added.

    Returns
    -------
    x, y, z, ux, uy, uz : float
        Birth point (km) and direction of flight.
    """
    x, y, z = apply(g, row[A_X], row[A_X + 1], row[A_X + 2])
    ux, uy, uz = apply(g, row[A_U], row[A_U + 1], row[A_U + 2])
    if bending:
        bx, by, bz = coarse_field_at(x, y, z, coarse)
        shift_x, shift_y, shift_z = apply(g, row[A_SHIFT], row[A_SHIFT + 1], row[A_SHIFT + 2])
        x += shift_y * bz - shift_z * by
        y += shift_z * bx - shift_x * bz
        z += shift_x * by - shift_y * bx
        f = 0.5 * row[A_TURN]
        ux, uy, uz = rotate_about_field(ux, uy, uz, f * bx, f * by, f * bz)
    return x, y, z, ux, uy, uz


@njit(**UNCOUNTED)
def predicted_crossing(row, g, radius, coarse, bending):
    """Predict where a row's neutrino crosses the sphere of ``radius`` (km) after its shower is rotated by g.

    The other parameters are as in :func:`predicted_line`. A line that narrowly misses the sphere is taken to touch it,
    because the prediction of the deflection is not that accurate.

    Returns
    -------
    found : bool
        Whether there is a crossing.
    nx, ny, nz : float
        Unit vector of the crossing point.
    cosine : float
        Zenith cosine there.
    """
    x, y, z, ux, uy, uz = predicted_line(row, g, coarse, bending)
    along = x * ux + y * uy + z * uz
    square = 1.0 - (x * x + y * y + z * z - along * along) / (radius * radius)
    root = radius * math.sqrt(max(0.0, square))
    path = root - along if row[A_KIND] == UP else -root - along
    if path <= 0.0 or square < -_TOUCHING:
        return False, 0.0, 0.0, 0.0, 0.0
    nx, ny, nz = x + path * ux, y + path * uy, z + path * uz
    norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
    nx, ny, nz = nx * norm, ny * norm, nz * norm
    return True, nx, ny, nz, -(nx * ux + ny * uy + nz * uz) if square > 0.0 else 0.0


@njit(**UNCOUNTED)
def predicted_squares(row, site, coarse, work, squares):
    """Predict the squared zenith cosine of a row's crossing for the azimuths at the edges of the sectors.

    The value is 1 - (b / R)^2, with b the distance of the line from the Earth's centre. It is negative where the line
    misses the site's sphere, so it is smooth across the horizon. It is -1 where the neutrino flies away from the Earth.
    ``work`` (3, 3) is work space; ``squares`` (N_SECTORS,) receives the values.
    """
    for k in range(N_SECTORS):
        site_rotation(row, site, _EDGE_COSINES[k], _EDGE_SINES[k], work)
        x, y, z, ux, uy, uz = predicted_line(row, work, coarse, True)
        rise = x * ux + y * uy + z * uz
        radius = site["radius_km"]
        squares[k] = -1.0 if rise > 0.0 else 1.0 - (x * x + y * y + z * z - rise * rise) / (radius * radius)


@njit(**UNCOUNTED)
def aim_point(row, site, c, s, aim, coarse, bending, work):
    """Compute the image of the reference point for which the predicted crossing falls on the site's centre.

    Parameters
    ----------
    row : float64 array (AIM_COLUMNS,)
        Row of the table of crossings.
    site : record of SITE_DTYPE
    c, s : float
        Cosine and sine of the azimuth.
    aim : Aim
    coarse : float64 array
    bending : bool
    work : float64 array (3, 3)
        Work space.

    Returns
    -------
    found : bool
        Whether a crossing is predicted.
    yx, yy, yz : float
        The image, a unit vector; the site's centre where no crossing is predicted.
    margin : float
        Margin (rad) around the patch. It grows with the predicted displacement, and near the horizon, where a small
        deflection moves a crossing far.
    """
    cx, cy, cz = site["up"][0], site["up"][1], site["up"][2]
    if row[A_KIND] == AXIS:
        return True, cx, cy, cz, aim.margin
    site_rotation(row, site, c, s, work)
    found, lx, ly, lz, cosine = predicted_crossing(row, work, site["radius_km"], coarse, bending)
    if not found:
        return False, cx, cy, cz, aim.margin
    yx, yy, yz = smallest_rotation(lx, ly, lz, cx, cy, cz, cx, cy, cz)
    shift = math.acos(max(-1.0, min(1.0, lx * cx + ly * cy + lz * cz)))
    if shift > _SMALL_SHIFT:
        turn_to(site, yx, yy, yz, work)
        found, lx, ly, lz, _ = predicted_crossing(row, work, site["radius_km"], coarse, bending)
        if found:
            yx, yy, yz = smallest_rotation(lx, ly, lz, cx, cy, cz, yx, yy, yz)
    norm = 1.0 / math.sqrt(yx * yx + yy * yy + yz * yz)
    margin = aim.margin + aim.shift_margin * shift
    if bending:
        margin += aim.horizon_margin * abs(row[A_TURN]) * STRONG_FIELD_NT / max(abs(cosine), aim.horizon_cosine)
    return True, yx * norm, yy * norm, yz * norm, min(margin, LARGEST_MARGIN)


@njit(**UNCOUNTED)
def _tail_scale(width):
    """1 - cos of the tail's width (rad)."""
    s = math.sin(0.5 * min(width, math.pi))
    return 2.0 * s * s


@njit(**UNCOUNTED)
def tail_density(cosine, scale):
    """Probability density (sr^-1) of the heavy tail, (1 + (1 - cos) / scale)^-3/2, normalised on the sphere.

    Parameters
    ----------
    cosine, scale : float
        Cosine of the angle from the aim, and 1 - cos of the tail's width.
    """
    total = 2.0 * scale * (1.0 - 1.0 / math.sqrt(1.0 + 2.0 / scale))
    x = 1.0 + max(0.0, 1.0 - cosine) / scale
    return 1.0 / (2.0 * math.pi * total * x * math.sqrt(x))


@njit(**UNCOUNTED)
def draw_tail(scale, u):
    """Angle from the aim with the density :func:`tail_density`, as 1 - cos, at cumulative probability u."""
    x = 1.0 - u * (1.0 - 1.0 / math.sqrt(1.0 + 2.0 / scale))
    return scale * (1.0 / (x * x) - 1.0)


@njit(**UNCOUNTED)
def _region(site, margin):
    """Half sides (rad) of the patch with its margin, and its solid angle (sr)."""
    if site["shape"] == CAP:
        half = min(math.acos(min(1.0, site["cos_farthest"])) + margin, math.pi)
        return half, half, 4.0 * math.pi * math.sin(0.5 * half) ** 2
    half_ns = min(math.asin(min(1.0, site["sin_half_ns"])) + margin, 0.5 * math.pi)
    half_ew = min(site["half_ew"] + margin / max(math.cos(half_ns), 0.05), math.pi)
    return half_ns, half_ew, 4.0 * half_ew * math.sin(half_ns)


@njit(**UNCOUNTED)
def _tail(row, found, width, aim):
    """Fraction of the aims drawn from the heavy tail, and its width (rad); ``width`` is that of the region."""
    if row[A_KIND] == AXIS:
        return 1.0, width + aim.axis_width
    reach = STRONG_FIELD_NT * abs(row[A_TURN])
    if not found:
        return 1.0, width + aim.lost_width + _LOST_TAIL_WIDTH * reach
    far = min(1.0, reach / FAR_TURN)
    share = aim.tail_share + max(0.0, _FAR_TAIL_SHARE - aim.tail_share) * far * far
    return share, width + _FAR_TAIL_WIDTH * far * reach


@njit(**UNCOUNTED)
def kernel_density(row, found, margin, aim, site, zx, zy, zz):
    """Probability density (sr^-1) with which a crossing is aimed at the unit vector z.

    It is a mixture of a uniform density on the patch with its margin and of a heavy tail. The vector z is taken in the
    frame in which the aim lies at the site's centre.

    Parameters
    ----------
    row : float64 array (AIM_COLUMNS,)
        Row of the table of crossings.
    found, margin
        From :func:`aim_point`.
    aim : Aim
    site : record of SITE_DTYPE
    zx, zy, zz : float
    """
    cosine = zx * site["up"][0] + zy * site["up"][1] + zz * site["up"][2]
    half_ns, half_ew, solid = _region(site, margin)
    width = 1.5 * math.sqrt(half_ns * half_ew)
    share, tail_width = _tail(row, found, width, aim)
    value = share * tail_density(cosine, _tail_scale(tail_width))
    if share == 1.0:
        return value
    if site["shape"] == CAP:
        inside = cosine >= math.cos(half_ns)
    else:
        north = zx * site["magnetic_north"][0] + zy * site["magnetic_north"][1] + zz * site["magnetic_north"][2]
        inside = abs(north) <= math.sin(half_ns)
        if inside:
            east = zx * site["magnetic_east"][0] + zy * site["magnetic_east"][1] + zz * site["magnetic_east"][2]
            inside = abs(math.atan2(east, cosine)) <= half_ew
    if inside:
        value += (1.0 - share) / solid
    return value


@njit(**UNCOUNTED)
def draw_kernel(row, found, margin, aim, site, rng):
    """Draw the unit vector z with the density :func:`kernel_density`; the parameters are the same."""
    half_ns, half_ew, _ = _region(site, margin)
    width = 1.5 * math.sqrt(half_ns * half_ew)
    share, tail_width = _tail(row, found, width, aim)
    scale = _tail_scale(tail_width) if share == 1.0 or uniform(rng) < share else -1.0
    if scale < 0.0 and site["shape"] != CAP:
        north = math.sin(half_ns) * (2.0 * uniform(rng) - 1.0)
        lon = half_ew * (2.0 * uniform(rng) - 1.0)
        level = math.sqrt(1.0 - north * north)
        east, up = level * math.sin(lon), level * math.cos(lon)
    else:
        u = uniform(rng)
        s = 2.0 * u * math.sin(0.5 * half_ns) ** 2 if scale < 0.0 else draw_tail(scale, u)
        up = max(1.0 - s, -1.0)
        level = math.sqrt(max(0.0, (1.0 - up) * (1.0 + up)))
        phi = 2.0 * math.pi * uniform(rng)
        north, east = level * math.cos(phi), level * math.sin(phi)
    return (
        up * site["up"][0] + north * site["magnetic_north"][0] + east * site["magnetic_east"][0],
        up * site["up"][1] + north * site["magnetic_north"][1] + east * site["magnetic_east"][1],
        up * site["up"][2] + north * site["magnetic_north"][2] + east * site["magnetic_east"][2],
    )


@njit(**UNCOUNTED)
def aim_density(row, g, site, aim, coarse, bending, work):
    """Density of the rotation g (3, 3), relative to the uniform measure, when one crossing is aimed at the site.

    The other parameters are as in :func:`aim_point`.
    """
    cx, cy, cz = site["up"][0], site["up"][1], site["up"][2]
    yx, yy, yz = apply(g, row[A_N], row[A_N + 1], row[A_N + 2])
    if row[A_KIND] == AXIS:  # aimed at the centre, with equal importance of all azimuths
        return 4.0 * math.pi * kernel_density(row, True, aim.margin, aim, site, yx, yy, yz)
    hx, hy, hz = apply(g, row[A_A], row[A_A + 1], row[A_A + 2])
    hx, hy, hz = smallest_rotation(yx, yy, yz, cx, cy, cz, hx, hy, hz)
    east, north = site["magnetic_east"], site["magnetic_north"]
    c, s = hx * north[0] + hy * north[1] + hz * north[2], hx * east[0] + hy * east[1] + hz * east[2]
    sector = min(int((math.atan2(s, c) / (2.0 * math.pi) + 1.0) % 1.0 * N_SECTORS), N_SECTORS - 1)
    norm = 1.0 / max(math.sqrt(c * c + s * s), 1e-300)
    found, px, py, pz, margin = aim_point(row, site, norm * c, norm * s, aim, coarse, bending, work)
    zx, zy, zz = smallest_rotation(px, py, pz, cx, cy, cz, yx, yy, yz)
    return row[A_SECTOR + sector] * 4.0 * math.pi * kernel_density(row, found, margin, aim, site, zx, zy, zz)


@njit(**UNCOUNTED)
def draw_rotation(row, site, aim, coarse, bending, rng, g, work):
    """Draw a rotation that aims one crossing at the site, with the density :func:`aim_density`, into g (3, 3).

    ``rng`` is the state of the random stream; the other parameters are as in :func:`aim_point`.
    """
    left = uniform(rng) * N_SECTORS
    sector = 0
    while sector < N_SECTORS - 1 and left > row[A_SECTOR + sector]:
        left -= row[A_SECTOR + sector]
        sector += 1
    azimuth = 2.0 * math.pi * (sector + uniform(rng)) / N_SECTORS
    c, s = math.cos(azimuth), math.sin(azimuth)
    found, px, py, pz, margin = aim_point(row, site, c, s, aim, coarse, bending, work)
    zx, zy, zz = draw_kernel(row, found, margin, aim, site, rng)
    yx, yy, yz = smallest_rotation(site["up"][0], site["up"][1], site["up"][2], px, py, pz, zx, zy, zz)
    site_rotation(row, site, c, s, g)
    turn_to(site, yx, yy, yz, g)


@njit(**UNCOUNTED)
def draw_uniform_rotation(row, site, rng, g):
    """Draw a rotation from the uniform (Haar) measure, into g (3, 3).

    ``row`` is any row with a reference triad, ``rng`` the state of the random stream.
    """
    azimuth = 2.0 * math.pi * uniform(rng)
    up = 2.0 * uniform(rng) - 1.0
    level = math.sqrt(1.0 - up * up)
    phi = 2.0 * math.pi * uniform(rng)
    site_rotation(row, site, math.cos(azimuth), math.sin(azimuth), g)
    turn_to(site, level * math.cos(phi), level * math.sin(phi), up, g)
