"""Rotations of the globe that put a crossing of a shower at a site, and the density with which they are drawn.

A rotation g is known by where it puts a reference point n (a unit vector) and which azimuth it gives a horizontal
direction a at n: g = S(y) G(azimuth), where G takes n to the site's centre and a to that azimuth, and S(y) is the
smallest rotation that takes the centre to y. Azimuth and y together are the uniform (Haar) measure: dg = d(azimuth) / 2
pi dy / 4 pi. The azimuth is drawn from sectors by importance; y is drawn so that the crossing, as far as it can be
predicted, falls on the site's patch and a margin around it.

Prediction: the rotated neutrino's crossing point is predicted to first order from one field value at its birth and
from the turn and the shift that the pilot shower accumulated (:mod:`sim3d.shower.kernel`). It is a function of the
crossing and the azimuth alone, which is all that the density needs. For a fixed azimuth the correction is a rotation,
so it needs no Jacobian.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from numba import njit

from geomag.field.kernels import field_cartesian
from sim3d.scoring.detectors import (
    CAP,
    S_A,
    S_B,
    S_COSMIN,
    S_EX,
    S_EY,
    S_EZ,
    S_KIND,
    S_NX,
    S_NY,
    S_NZ,
    S_RADIUS,
    S_UPX,
    S_UPY,
    S_UPZ,
)
from sim3d.shower.random_streams import uniform
from sim3d.shower.rotations import perpendicular, rotate_about_field

# columns of the table of crossings
A_N, A_A, A_B, A_X, A_U, A_TURN, A_SHIFT, A_KIND, A_SHARE, A_SECTOR = 0, 3, 6, 9, 12, 15, 16, 19, 20, 21
N_SECTORS = 16
AIM_COLUMNS = A_SECTOR + N_SECTORS
DOWN, UP, AXIS = 0.0, 1.0, 2.0

LARGEST_MARGIN = math.radians(12.0)
_SMALL_SHIFT = math.radians(0.3)
STRONG_FIELD_NT = 5.0e4
FAR_TURN = math.radians(12.0)
"""What turns this far in a strong field lost energy on another path than its pilot, and may be far from where it is
foretold: most of its aims come from the tail. Like every number of :class:`Aim` this moves errors, not means."""
_TOUCHING = 0.005
"""A line is foretold to touch the sphere where the square of its distance from the centre exceeds R^2 by this share."""
_FAR_TAIL_SHARE, _FAR_TAIL_WIDTH, _LOST_TAIL_WIDTH = 0.6, 0.3, 0.5


class Aim(NamedTuple):
    """How rotations are drawn (numba argument). None of it moves a mean: it only changes the errors.

    Attributes
    ----------
    effort : float
        Rotations per pilot, site and e-fold of neutrino energy, before the two limits below.
    most_per_crossing, most_per_pilot : float
        Limits of the expected number of rotations: more would only repeat the same shower.
    axis_share, unseen : float
        Rotations that aim the crossings of the shower's axis, for neutrinos that the pilot did not have: as a share of
        the others, and per rotation that a neutrino of 1 GeV along the axis would deserve.
    uniform_share : float
        f0: share of the rotations that are drawn uniformly.
    tail_share : float
        Share of the aims that are drawn from a heavy tail instead of from the patch and its margin.
    margin : float
        Margin (rad) around the patch for a crossing that the field does not move.
    shift_margin : float
        Further margin per shift that is foretold.
    horizon_margin, horizon_cosine : float
        Further margin per angle by which the field turns the neutrino, over |cos_zenith| (at least horizon_cosine).
    axis_width, lost_width : float
        Widths (rad) of the tail for the shower's axis, and where no crossing is foretold.
    energy_min : float
        Neutrinos below this energy (GeV) are aimed at but not scored.
    """

    effort: float
    most_per_crossing: float
    most_per_pilot: float
    axis_share: float
    unseen: float
    uniform_share: float
    tail_share: float
    margin: float
    shift_margin: float
    horizon_margin: float
    horizon_cosine: float
    axis_width: float
    lost_width: float
    energy_min: float


def make_aim(effort: float = 0.12, margin_deg: float | None = None, energy_min_GeV: float = 0.0) -> Aim:
    """The settings that were found to work well (``benchmarks/run.py`` measures what they gain).

    Parameters
    ----------
    effort : float
        See :class:`Aim`.
    margin_deg : float, optional
        The same margin (degrees) for every crossing; by default it follows the displacement that is foretold.
    energy_min_GeV : float
        Lowest energy that is scored.
    """
    return Aim(
        effort=float(effort),
        most_per_crossing=8.0,
        most_per_pilot=20.0,
        axis_share=0.05,
        unseen=0.03,
        uniform_share=0.01,
        tail_share=0.12,
        margin=math.radians(0.05 if margin_deg is None else margin_deg),
        shift_margin=0.03 if margin_deg is None else 0.0,
        horizon_margin=0.0008 if margin_deg is None else 0.0,
        horizon_cosine=0.02,
        axis_width=math.radians(8.0),
        lost_width=math.radians(6.0),
        energy_min=float(energy_min_GeV),
    )


@njit(nogil=True)
def smallest_rotation(ax, ay, az, bx, by, bz, vx, vy, vz):
    """Turn v by the smallest rotation that takes the unit vector a to the unit vector b (not opposite to it)."""
    wx, wy, wz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    f = 1.0 / max(1.0 + ax * bx + ay * by + az * bz, 1e-12)
    px, py, pz = wy * vz - wz * vy, wz * vx - wx * vz, wx * vy - wy * vx
    return (
        vx + px + f * (wy * pz - wz * py),
        vy + py + f * (wz * px - wx * pz),
        vz + pz + f * (wx * py - wy * px),
    )


@njit(nogil=True)
def set_reference(row, nx, ny, nz, ux, uy, uz):
    """Fill the reference triad of a row of crossings (n, the horizontal part a of -u, n x a); all sectors alike."""
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


@njit(nogil=True)
def site_rotation(row, site, azimuth, g):
    """Write into g (3, 3) the rotation G(azimuth) that takes the reference point to the site's centre."""
    c, s = math.cos(azimuth), math.sin(azimuth)
    for i in range(3):
        h = c * site[S_NX + i] + s * site[S_EX + i]
        # centre x north = -east, centre x east = north
        k = s * site[S_NX + i] - c * site[S_EX + i]
        up = site[S_UPX + i]
        for j in range(3):
            g[i, j] = up * row[A_N + j] + h * row[A_A + j] + k * row[A_B + j]


@njit(nogil=True)
def turn_to(site, yx, yy, yz, g):
    """Multiply g (3, 3) from the left by S(y)."""
    for j in range(3):
        g[0, j], g[1, j], g[2, j] = smallest_rotation(
            site[S_UPX], site[S_UPY], site[S_UPZ], yx, yy, yz, g[0, j], g[1, j], g[2, j]
        )


@njit(nogil=True)
def apply(g, x, y, z):
    """Product of a (3, 3) matrix with a vector."""
    return (
        g[0, 0] * x + g[0, 1] * y + g[0, 2] * z,
        g[1, 0] * x + g[1, 1] * y + g[1, 2] * z,
        g[2, 0] * x + g[2, 1] * y + g[2, 2] * z,
    )


@njit(nogil=True)
def foretold_line(row, g, gauss, bending):
    """Place (km) and direction of the neutrino of a crossing when its shower is rotated by g."""
    x, y, z = apply(g, row[A_X], row[A_X + 1], row[A_X + 2])
    ux, uy, uz = apply(g, row[A_U], row[A_U + 1], row[A_U + 2])
    if bending:
        bx, by, bz = field_cartesian(x, y, z, gauss)
        shift_x, shift_y, shift_z = apply(g, row[A_SHIFT], row[A_SHIFT + 1], row[A_SHIFT + 2])
        x += shift_y * bz - shift_z * by
        y += shift_z * bx - shift_x * bz
        z += shift_x * by - shift_y * bx
        f = 0.5 * row[A_TURN]
        ux, uy, uz = rotate_about_field(ux, uy, uz, f * bx, f * by, f * bz)
    return x, y, z, ux, uy, uz


@njit(nogil=True)
def foretold_crossing(row, g, radius, gauss, bending):
    """Where the neutrino of a crossing meets the sphere of ``radius`` (km) when its shower is rotated by g.

    A line that misses the sphere by little is foretold to touch it, for the field is not known to that accuracy.

    Returns
    -------
    found : bool
    nx, ny, nz : float
        Unit vector of the place.
    cosine : float
        Zenith cosine there.
    """
    x, y, z, ux, uy, uz = foretold_line(row, g, gauss, bending)
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


@njit(nogil=True)
def foretold_squares(row, site, gauss, work, squares):
    """Squared zenith cosines that are foretold for the azimuths between the sectors, into squares (N_SECTORS,).

    Negative where the line misses the site's sphere: 1 - (b / R)^2 with its distance b from the Earth's centre, smooth
    across the horizon; -1 for a neutrino that flies away.
    """
    for k in range(N_SECTORS):
        site_rotation(row, site, 2.0 * math.pi * k / N_SECTORS, work)
        x, y, z, ux, uy, uz = foretold_line(row, work, gauss, True)
        rise = x * ux + y * uy + z * uz
        radius = site[S_RADIUS]
        squares[k] = -1.0 if rise > 0.0 else 1.0 - (x * x + y * y + z * z - rise * rise) / (radius * radius)


@njit(nogil=True)
def aim_point(row, site, azimuth, aim, gauss, bending, work):
    """Where the reference point must be put so that, at this azimuth, the crossing falls on the site's centre.

    Parameters
    ----------
    row : float64 array (AIM_COLUMNS,)
        Row of the table of crossings.
    site : float64 array (SITE_COLUMNS,)
    azimuth : float
        Radians.
    aim : Aim
    gauss : float64 array
    bending : bool
    work : float64 array (3, 3)

    Returns
    -------
    found : bool
        Whether a crossing is foretold.
    yx, yy, yz : float
        The aim, a unit vector; the site's centre where nothing is foretold.
    margin : float
        Margin (rad) to aim at around the patch: the share of the shift that may be wrong, and near the horizon, where a
        small turn moves a crossing far, more.
    """
    cx, cy, cz = site[S_UPX], site[S_UPY], site[S_UPZ]
    if row[A_KIND] == AXIS:
        return True, cx, cy, cz, aim.margin
    site_rotation(row, site, azimuth, work)
    found, lx, ly, lz, cosine = foretold_crossing(row, work, site[S_RADIUS], gauss, bending)
    if not found:
        return False, cx, cy, cz, aim.margin
    yx, yy, yz = smallest_rotation(lx, ly, lz, cx, cy, cz, cx, cy, cz)
    shift = math.acos(max(-1.0, min(1.0, lx * cx + ly * cy + lz * cz)))
    if shift > _SMALL_SHIFT:
        turn_to(site, yx, yy, yz, work)
        found, lx, ly, lz, _ = foretold_crossing(row, work, site[S_RADIUS], gauss, bending)
        if found:
            yx, yy, yz = smallest_rotation(lx, ly, lz, cx, cy, cz, yx, yy, yz)
    norm = 1.0 / math.sqrt(yx * yx + yy * yy + yz * yz)
    margin = aim.margin + aim.shift_margin * shift
    if bending:
        margin += aim.horizon_margin * abs(row[A_TURN]) * STRONG_FIELD_NT / max(abs(cosine), aim.horizon_cosine)
    return True, yx * norm, yy * norm, yz * norm, min(margin, LARGEST_MARGIN)


@njit(nogil=True)
def _tail_scale(width):
    """1 - cos of the tail's width."""
    s = math.sin(0.5 * min(width, math.pi))
    return 2.0 * s * s


@njit(nogil=True)
def tail_density(cosine, scale):
    """Density (sr^-1) of the heavy tail: (1 + (1 - cos) / scale)^-3/2, normalised on the sphere."""
    total = 2.0 * scale * (1.0 - 1.0 / math.sqrt(1.0 + 2.0 / scale))
    x = 1.0 + max(0.0, 1.0 - cosine) / scale
    return 1.0 / (2.0 * math.pi * total * x * math.sqrt(x))


@njit(nogil=True)
def draw_tail(scale, u):
    """1 - cos of an angle from the tail at cumulative probability u."""
    x = 1.0 - u * (1.0 - 1.0 / math.sqrt(1.0 + 2.0 / scale))
    return scale * (1.0 / (x * x) - 1.0)


@njit(nogil=True)
def _region(site, margin):
    """Half sides (rad) of the patch with its margin, and its solid angle (sr)."""
    if site[S_KIND] == CAP:
        half = min(math.acos(min(1.0, site[S_COSMIN])) + margin, math.pi)
        return half, half, 4.0 * math.pi * math.sin(0.5 * half) ** 2
    half_ns = min(math.asin(min(1.0, site[S_A])) + margin, 0.5 * math.pi)
    half_ew = min(site[S_B] + margin / max(math.cos(half_ns), 0.05), math.pi)
    return half_ns, half_ew, 4.0 * half_ew * math.sin(half_ns)


@njit(nogil=True)
def _tail(row, found, width, aim):
    """Share of the aims that are drawn from the heavy tail, and its width (rad); ``width`` is that of the region."""
    if row[A_KIND] == AXIS:
        return 1.0, width + aim.axis_width
    reach = STRONG_FIELD_NT * abs(row[A_TURN])
    if not found:
        return 1.0, width + aim.lost_width + _LOST_TAIL_WIDTH * reach
    far = min(1.0, reach / FAR_TURN)
    share = aim.tail_share + max(0.0, _FAR_TAIL_SHARE - aim.tail_share) * far * far
    return share, width + _FAR_TAIL_WIDTH * far * reach


@njit(nogil=True)
def kernel_density(row, found, margin, aim, site, zx, zy, zz):
    """Density (sr^-1) with which a crossing is aimed at the unit vector z, seen from the site's centre as the aim.

    Parameters
    ----------
    row : float64 array (AIM_COLUMNS,)
        Row of the table of crossings.
    found, margin
        From :func:`aim_point`.
    aim : Aim
    site : float64 array (SITE_COLUMNS,)
    zx, zy, zz : float
    """
    cosine = zx * site[S_UPX] + zy * site[S_UPY] + zz * site[S_UPZ]
    half_ns, half_ew, solid = _region(site, margin)
    width = 1.5 * math.sqrt(half_ns * half_ew)
    share, tail_width = _tail(row, found, width, aim)
    value = share * tail_density(cosine, _tail_scale(tail_width))
    if share == 1.0:
        return value
    if site[S_KIND] == CAP:
        inside = cosine >= math.cos(half_ns)
    else:
        north = zx * site[S_NX] + zy * site[S_NY] + zz * site[S_NZ]
        inside = abs(north) <= math.sin(half_ns)
        if inside:
            east = zx * site[S_EX] + zy * site[S_EY] + zz * site[S_EZ]
            inside = abs(math.atan2(east, cosine)) <= half_ew
    if inside:
        value += (1.0 - share) / solid
    return value


@njit(nogil=True)
def draw_kernel(row, found, margin, aim, site, rng):
    """Draw the unit vector z of :func:`kernel_density`."""
    half_ns, half_ew, _ = _region(site, margin)
    width = 1.5 * math.sqrt(half_ns * half_ew)
    share, tail_width = _tail(row, found, width, aim)
    scale = _tail_scale(tail_width) if share == 1.0 or uniform(rng) < share else -1.0
    if scale < 0.0 and site[S_KIND] != CAP:
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
        up * site[S_UPX] + north * site[S_NX] + east * site[S_EX],
        up * site[S_UPY] + north * site[S_NY] + east * site[S_EY],
        up * site[S_UPZ] + north * site[S_NZ] + east * site[S_EZ],
    )


@njit(nogil=True)
def aim_density(row, g, site, aim, gauss, bending, work):
    """Density of the rotation g, relative to the uniform measure, when the crossing ``row`` is aimed at the site."""
    cx, cy, cz = site[S_UPX], site[S_UPY], site[S_UPZ]
    yx, yy, yz = apply(g, row[A_N], row[A_N + 1], row[A_N + 2])
    hx, hy, hz = apply(g, row[A_A], row[A_A + 1], row[A_A + 2])
    hx, hy, hz = smallest_rotation(yx, yy, yz, cx, cy, cz, hx, hy, hz)
    azimuth = math.atan2(
        hx * site[S_EX] + hy * site[S_EY] + hz * site[S_EZ], hx * site[S_NX] + hy * site[S_NY] + hz * site[S_NZ]
    )
    sector = min(int((azimuth / (2.0 * math.pi) + 1.0) % 1.0 * N_SECTORS), N_SECTORS - 1)
    found, px, py, pz, margin = aim_point(row, site, azimuth, aim, gauss, bending, work)
    zx, zy, zz = smallest_rotation(px, py, pz, cx, cy, cz, yx, yy, yz)
    return row[A_SECTOR + sector] * 4.0 * math.pi * kernel_density(row, found, margin, aim, site, zx, zy, zz)


@njit(nogil=True)
def draw_rotation(row, site, aim, gauss, bending, rng, g, work):
    """Draw a rotation that aims a crossing at the site, into g (3, 3)."""
    left = uniform(rng) * N_SECTORS
    sector = 0
    while sector < N_SECTORS - 1 and left > row[A_SECTOR + sector]:
        left -= row[A_SECTOR + sector]
        sector += 1
    azimuth = 2.0 * math.pi * (sector + uniform(rng)) / N_SECTORS
    found, px, py, pz, margin = aim_point(row, site, azimuth, aim, gauss, bending, work)
    zx, zy, zz = draw_kernel(row, found, margin, aim, site, rng)
    yx, yy, yz = smallest_rotation(site[S_UPX], site[S_UPY], site[S_UPZ], px, py, pz, zx, zy, zz)
    site_rotation(row, site, azimuth, g)
    turn_to(site, yx, yy, yz, g)


@njit(nogil=True)
def draw_uniform_rotation(row, site, rng, g):
    """Draw a rotation from the uniform measure, into g (3, 3)."""
    azimuth = 2.0 * math.pi * uniform(rng)
    up = 2.0 * uniform(rng) - 1.0
    level = math.sqrt(1.0 - up * up)
    phi = 2.0 * math.pi * uniform(rng)
    site_rotation(row, site, azimuth, g)
    turn_to(site, level * math.cos(phi), level * math.sin(phi), up, g)
