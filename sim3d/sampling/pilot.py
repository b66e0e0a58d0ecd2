"""The pilot shower's crossings of a site's sphere: importances, and the table of aims that rotations are drawn from.

A pilot shower is followed in a world without field. Each place where one of its neutrinos crosses the sphere of a site
is a row of the table of aims, with the number of rotations that it deserves; two more rows are for the shower's axis.
"""

from __future__ import annotations

import math

from numba import njit

from sim3d.conventions.binning import N_ENERGY
from sim3d.sampling.aiming import (
    A_KIND,
    A_SECTOR,
    A_SHARE,
    A_SHIFT,
    A_TURN,
    A_U,
    A_X,
    AXIS,
    DOWN,
    FAR_TURN,
    N_SECTORS,
    STRONG_FIELD_NT,
    UP,
    foretold_squares,
    set_reference,
)
from sim3d.scoring.bins import energy_bin, inverse_cosine
from sim3d.scoring.detectors import S_RADIUS, sphere_crossings
from sim3d.scoring.hit_weights import reference_flux
from sim3d.shower.neutrino_list import (
    NU_ENERGY,
    NU_FLAVOUR,
    NU_SHIFT_X,
    NU_TURN,
    NU_UX,
    NU_UY,
    NU_UZ,
    NU_WEIGHT,
    NU_X,
    NU_Y,
    NU_Z,
)

_SENSITIVE = 0.15
"""The importance of a crossing is asked azimuth by azimuth where the field may turn it by this share of its cosine."""
_NOT_FORETOLD = 0.3
"""Importance given to azimuth sectors for which no crossing is predicted, in units of 1/|cos|."""
_FAR_GAIN = 7.0
"""Crossings that the field turns far (FAR_TURN) get this many more rotations: their aims spread over the wide tail."""
_HORIZON_GAIN = 0.01
"""Further rotations beside the horizon, see :func:`_horizon`."""
_LEAST_UNSURE, _UNSURE_PER_TURN = 2.0e-4, 0.012
"""Uncertainty of the predicted cos^2: a constant plus a term proportional to the deflection."""
_LEAST_ROTATIONS = 1.0e-3


@njit(nogil=True)
def flavour_flux(flavour, energy):
    """What the importance of a flavour is divided by: a rough flux, times four.

    That of electron neutrinos is set below their flux (0.5 where 0.7 would fit), so that they get more of the work:
    they are what a table waits for. No mean depends on it.
    """
    if flavour < 2:
        return 1.3 * reference_flux(energy)
    return 0.5 * reference_flux(energy) * (1.0 + energy) ** -0.35


@njit(nogil=True)
def _fill_crossing(row, neutrino, kind, path):
    """Fill a row of the table of crossings, but for its importance."""
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    ux, uy, uz = neutrino[NU_UX], neutrino[NU_UY], neutrino[NU_UZ]
    nx, ny, nz = x + path * ux, y + path * uy, z + path * uz
    norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
    set_reference(row, nx * norm, ny * norm, nz * norm, ux, uy, uz)
    row[A_X], row[A_X + 1], row[A_X + 2] = x, y, z
    row[A_U], row[A_U + 1], row[A_U + 2] = ux, uy, uz
    row[A_TURN] = neutrino[NU_TURN]
    for i in range(3):
        row[A_SHIFT + i] = neutrino[NU_SHIFT_X + i]
    row[A_KIND] = kind


@njit(nogil=True)
def _mean_inverse_cosine(a, b, unsure):
    """Mean of 1/cos where the squared cosine lies between a and b, give or take ``unsure``; misses count as nothing."""
    low, high = min(a, b) - unsure, max(a, b) + unsure
    mean = 2.0 * (math.sqrt(max(high, 0.0)) - math.sqrt(max(low, 0.0))) / (high - low)
    return min(mean, inverse_cosine(0.0))


@njit(nogil=True)
def _horizon(inverse):
    """Importance of a crossing of a given 1/|cos|: more than in proportion, for grazing ones vary most."""
    return inverse * (1.0 + _HORIZON_GAIN * inverse)


@njit(nogil=True)
def _weigh(row, value, cosine, bends, site, aim, gauss, work, squares):
    """Set the importance of a crossing, by sectors of azimuth where the field can change its cosine much.

    Returns
    -------
    float
        Its expected number of rotations.
    """
    if not bends:
        share = value * _horizon(inverse_cosine(cosine))
        row[A_SHARE] = share / (1.0 + share / aim.most_per_crossing)
        return row[A_SHARE]
    foretold_squares(row, site, gauss, work, squares)
    reach = STRONG_FIELD_NT * abs(row[A_TURN])
    gain = 1.0 + _FAR_GAIN * min(1.0, reach / FAR_TURN) ** 3
    value *= gain
    unsure = _LEAST_UNSURE + _UNSURE_PER_TURN * reach
    total = 0.0
    for k in range(N_SECTORS):
        mean = _mean_inverse_cosine(squares[k], squares[(k + 1) % N_SECTORS], unsure)
        share = value * max(_NOT_FORETOLD, _horizon(mean))
        share /= 1.0 + share / (aim.most_per_crossing * gain)
        row[A_SECTOR + k] = share
        total += share
    for k in range(N_SECTORS):
        row[A_SECTOR + k] *= N_SECTORS / total
    row[A_SHARE] = total / N_SECTORS
    return row[A_SHARE]


@njit(nogil=True)
def list_crossings(neutrinos, n, site, scale, aim, gauss, bending, aims, work, squares):
    """Table of what can be aimed at: the crossings of a pilot's neutrinos with the site's sphere.

    Parameters
    ----------
    neutrinos : float64 array (>= n, NEUTRINO_COLUMNS)
    n : int
    site : float64 array (SITE_COLUMNS,)
    scale : float
        Importance of a crossing: scale * weight / (|cos| E F(E)) with F of :func:`flavour_flux`.
    aim : Aim
    gauss : float64 array
    bending : bool
        Whether the field bends; then neutrinos that miss the sphere, but may meet it once turned, are listed too.
    aims : float64 array (>= 2 n + 2, AIM_COLUMNS)
    work, squares : float64 arrays (3, 3) and (N_SECTORS,)

    Returns
    -------
    n_aims : int
    total : float
        Sum of the importances (expected rotations).
    """
    n_aims = 0
    total = 0.0
    radius = site[S_RADIUS]
    for i in range(n):
        energy = neutrinos[i, NU_ENERGY]
        if energy_bin(energy) >= N_ENERGY:
            continue
        x, y, z = neutrinos[i, NU_X], neutrinos[i, NU_Y], neutrinos[i, NU_Z]
        ux, uy, uz = neutrinos[i, NU_UX], neutrinos[i, NU_UY], neutrinos[i, NU_UZ]
        value = scale * neutrinos[i, NU_WEIGHT] / (energy * flavour_flux(int(neutrinos[i, NU_FLAVOUR]), energy))
        # the angle by which the field of a site can turn it
        reach = STRONG_FIELD_NT * abs(neutrinos[i, NU_TURN]) if bending else 0.0
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        cosine = 0.0
        bends = True
        if up > 0.0:
            nx, ny, nz = x + up * ux, y + up * uy, z + up * uz
            cosine = (nx * ux + ny * uy + nz * uz) / radius
            bends = reach > _SENSITIVE * cosine
        else:
            # a miss: by which angle, and could the field make up for it?
            r = math.sqrt(x * x + y * y + z * z)
            rise = (x * ux + y * uy + z * uz) / r
            if rise + math.sqrt(max(0.0, 1.0 - (radius / r) ** 2)) > reach:
                continue
            down = up = max(0.0, -(x * ux + y * uy + z * uz))
        if down > 0.0 or cosine == 0.0:
            _fill_crossing(aims[n_aims], neutrinos[i], DOWN, down)
            total += _weigh(aims[n_aims], value, cosine, bends, site, aim, gauss, work, squares)
            n_aims += 1
        _fill_crossing(aims[n_aims], neutrinos[i], UP, up)
        total += _weigh(aims[n_aims], value, cosine, bends, site, aim, gauss, work, squares)
        n_aims += 1
    return n_aims, total


@njit(nogil=True)
def add_axis(aims, n_aims, pose, radius, share):
    """Append the crossings of the shower's own axis; returns the new number of rows."""
    x, y, z, ux, uy, uz = pose[0], pose[1], pose[2], pose[3], pose[4], pose[5]
    down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
    if up <= 0.0:
        down = up = max(0.0, -(x * ux + y * uy + z * uz))
    for path in (down, up):
        row = aims[n_aims]
        nx, ny, nz = x + path * ux, y + path * uy, z + path * uz
        norm = 1.0 / math.sqrt(nx * nx + ny * ny + nz * nz)
        set_reference(row, nx * norm, ny * norm, nz * norm, ux, uy, uz)
        row[A_KIND] = AXIS
        row[A_SHARE] = share
        n_aims += 1
    return n_aims


@njit(nogil=True)
def list_aims(pilot, n_pilot, pose, nominal, batch_size, site, aim, gauss, bending, aims, work, squares):
    """Table of aims of a pilot shower at a site: its neutrinos' crossings and its axis.

    Parameters
    ----------
    pilot : float64 array (>= n_pilot, NEUTRINO_COLUMNS)
        The pilot's list of neutrinos.
    n_pilot : int
    pose : float64 array (9,)
        Position (km) and direction of the first interaction.
    nominal : float
        A guess of the shower's weight (s^-1).
    batch_size : int
    site, aim, gauss, bending, aims, work, squares
        As for :func:`list_crossings`.

    Returns
    -------
    n_aims : int
    expected : float
        Expected number of rotations: the sum of the column A_SHARE.
    """
    radius = site[S_RADIUS]
    scale = aim.effort * nominal * batch_size / (16.0 * math.pi**2 * (radius * 1.0e3) ** 2)
    n_aims, wanted = list_crossings(pilot, n_pilot, site, scale, aim, gauss, bending, aims, work, squares)
    expected = wanted / (1.0 + wanted / aim.most_per_pilot)
    for j in range(n_aims):
        aims[j, A_SHARE] *= expected / wanted
    # what a neutrino of 1 GeV along the axis would be worth, should the real shower have one that the pilot had not
    unseen = scale * inverse_cosine(min(1.0, math.sqrt(pose[5] ** 2 + 0.01))) / reference_flux(1.0)
    axis = 0.5 * (aim.axis_share * expected + aim.unseen * unseen / (1.0 + unseen) + _LEAST_ROTATIONS)
    n_aims = add_axis(aims, n_aims, pose, radius, axis)
    return n_aims, expected + 2.0 * axis
