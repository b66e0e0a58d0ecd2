"""Compute the importances of a pilot shower's crossings of a site's sphere; rotations are drawn from this table.

A pilot shower is simulated without magnetic bending. Each point where one of its neutrinos crosses the sphere of a site
is a row of the table, with its expected number of rotations. Two more rows stand for the shower's axis. Importances
change statistical errors, not expectation values.
"""

from __future__ import annotations

import math

from numba import njit

from sim3d.conventions.binning import N_ENERGY
from sim3d.conventions.particles import KP, KS
from sim3d.jit_options import UNCOUNTED
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
    predicted_squares,
    set_reference,
)
from sim3d.scoring.bins import cos_bin, energy_bin, inverse_cosine
from sim3d.scoring.detectors import sphere_crossings
from sim3d.scoring.hit_weights import reference_flux
from sim3d.shower.neutrino_list import (
    NU_DECAY,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_PARENT,
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
"""The importance is computed for each azimuth sector where the possible deflection (rad) exceeds this times the zenith
cosine."""
_NOT_PREDICTED = 0.3
"""Importance given to azimuth sectors for which no crossing is predicted, in units of 1/|cos|."""
_FAR_GAIN = 7.0
"""Relative increase of the rotations for strongly deflected crossings (FAR_TURN): their aims spread over the tail."""
_HORIZON_GAIN = 0.01
"""Coefficient of the additional rotations near the horizon, see :func:`_horizon`."""
_LEAST_UNSURE, _UNSURE_PER_TURN = 2.0e-4, 0.012
"""Uncertainty of the predicted cos^2: a constant plus a term proportional to the deflection."""
_LEAST_ROTATIONS = 1.0e-3
_TOGETHER_GEV, _KAONS_TOGETHER_GEV = 5.0, 40.0
"""Energies from which the neutrinos of one decay are one row of the table, with their importances added. The angles
between them are 0.05 GeV / E; those between the neutrinos of a kaon, 0.24 GeV / E."""


@njit(**UNCOUNTED)
def flavour_flux(flavour, energy):
    """Approximate flux of a flavour, times four: the denominator of the importance of a crossing.

    The value for electron neutrinos is set below their flux (0.5 where 0.7 would fit). They get more rotations for it,
    because their errors are the largest in a table. Expectation values do not depend on it.

    Parameters
    ----------
    flavour : int
        0 and 1 are muon neutrinos, 2 and 3 electron neutrinos.
    energy : float
        GeV.

    Returns
    -------
    float
        m^-2 s^-1 sr^-1 GeV^-1.
    """
    if flavour < 2:
        return 1.3 * reference_flux(energy)
    return 0.5 * reference_flux(energy) * (1.0 + energy) ** -0.35


@njit(**UNCOUNTED)
def _fill_crossing(row, neutrino, kind, path):
    """Fill a row of the table of crossings, except its importance."""
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


@njit(**UNCOUNTED)
def _mean_inverse_cosine(a, b, unsure):
    """Mean of 1/cos for cos^2 uniform between a and b, widened by ``unsure``; cos^2 < 0 (a miss) contributes 0."""
    low, high = min(a, b) - unsure, max(a, b) + unsure
    mean = 2.0 * (math.sqrt(max(high, 0.0)) - math.sqrt(max(low, 0.0))) / (high - low)
    return min(mean, inverse_cosine(0.0))


@njit(**UNCOUNTED)
def _horizon(inverse):
    """Weight a crossing by 1/|cos|, steeper than linear because grazing crossings vary most."""
    return inverse * (1.0 + _HORIZON_GAIN * inverse)


@njit(**UNCOUNTED)
def _weigh(row, value, cosine, bends, site, aim, coarse, work, squares):
    """Set the importance of a crossing, by azimuth sector where the field can change its zenith cosine much.

    Returns
    -------
    float
        Its expected number of rotations.
    """
    side = -1.0 if row[A_KIND] == UP else 1.0
    if not bends:
        share = value * _horizon(inverse_cosine(cosine)) * aim.by_zenith[cos_bin(side * cosine)]
        row[A_SHARE] = share / (1.0 + share / aim.most_per_crossing)
        return row[A_SHARE]
    predicted_squares(row, site, coarse, work, squares)
    reach = STRONG_FIELD_NT * abs(row[A_TURN])
    gain = 1.0 + _FAR_GAIN * min(1.0, reach / FAR_TURN) ** 3
    value *= gain
    unsure = _LEAST_UNSURE + _UNSURE_PER_TURN * reach
    total = 0.0
    for k in range(N_SECTORS):
        mean = _mean_inverse_cosine(squares[k], squares[(k + 1) % N_SECTORS], unsure)
        middle = math.sqrt(max(0.0, 0.5 * (squares[k] + squares[(k + 1) % N_SECTORS])))
        share = value * max(_NOT_PREDICTED, _horizon(mean)) * aim.by_zenith[cos_bin(side * middle)]
        share /= 1.0 + share / (aim.most_per_crossing * gain)
        row[A_SECTOR + k] = share
        total += share
    for k in range(N_SECTORS):
        row[A_SECTOR + k] *= N_SECTORS / total
    row[A_SHARE] = total / N_SECTORS
    return row[A_SHARE]


@njit(**UNCOUNTED)
def neutrino_value(neutrino, scale, aim):
    """Compute the importance of a crossing of a neutrino at the vertical.

    Parameters
    ----------
    neutrino : float64 array (NEUTRINO_COLUMNS,)
        Row of the list of neutrinos.
    scale : float
        See :func:`list_crossings`.
    aim : Aim

    Returns
    -------
    float
    """
    energy, flavour = neutrino[NU_ENERGY], int(neutrino[NU_FLAVOUR])
    factor = aim.by_energy[flavour, min(max(energy_bin(energy), 0), N_ENERGY - 1)]
    return scale * factor * neutrino[NU_WEIGHT] / (energy * flavour_flux(flavour, energy))


@njit(**UNCOUNTED)
def _together_from(parent):
    """Energy (GeV) from which the neutrinos of one decay share a row of the table."""
    return _KAONS_TOGETHER_GEV if KP <= parent <= KS else _TOGETHER_GEV


@njit(**UNCOUNTED)
def _sum_decay(neutrinos, first, n, scale, aim):
    """Row of the most important of the fast neutrinos of a decay, and the sum of their importances.

    ``first`` is the row of the first of them; the neutrinos of a decay are consecutive.
    """
    limit = _together_from(int(neutrinos[first, NU_PARENT]))
    best, largest, total = first, 0.0, 0.0
    j = first
    while j < n and neutrinos[j, NU_DECAY] == neutrinos[first, NU_DECAY]:
        energy = neutrinos[j, NU_ENERGY]
        if energy >= limit and energy_bin(energy) < N_ENERGY:
            value = neutrino_value(neutrinos[j], scale, aim)
            total += value
            if value > largest:
                best, largest = j, value
        j += 1
    return best, total


@njit(**UNCOUNTED)
def list_crossings(neutrinos, n, site, scale, aim, coarse, bending, aims, work, squares):
    """List the crossings of a pilot's neutrinos with the site's sphere, with their importances.

    Fast neutrinos of one decay, which fly nearly together, are one crossing: that of the most important of them.

    Parameters
    ----------
    neutrinos : float64 array (>= n, NEUTRINO_COLUMNS)
        The pilot's list of neutrinos.
    n : int
        Rows in use.
    site : record of SITE_DTYPE
    scale : float
        The importance of a crossing is scale * weight / (|cos| E F(E)), with F of :func:`flavour_flux`, times the
        factors ``by_energy`` and ``by_zenith`` of the aim.
    aim : Aim
    coarse : float64 array
        Table of the field, from :func:`sim3d.sampling.coarse_field.coarse_field`.
    bending : bool
        Whether the field bends. Then neutrinos that miss the sphere, but could hit it once deflected, are listed too.
    aims : float64 array (>= 2 n + 2, AIM_COLUMNS)
        Receives the rows.
    work, squares : float64 arrays (3, 3) and (N_SECTORS,)
        Work space.

    Returns
    -------
    n_aims : int
        Number of rows.
    total : float
        Sum of the importances (expected number of rotations).
    """
    n_aims = 0
    total = 0.0
    radius = site["radius_km"]
    summed = -1.0
    for first in range(n):
        energy = neutrinos[first, NU_ENERGY]
        if energy_bin(energy) >= N_ENERGY:
            continue
        i, value = first, neutrino_value(neutrinos[first], scale, aim)
        if energy >= _together_from(int(neutrinos[first, NU_PARENT])):
            decay = neutrinos[first, NU_DECAY]
            if decay == summed:
                continue
            summed = decay
            i, value = _sum_decay(neutrinos, first, n, scale, aim)
        x, y, z = neutrinos[i, NU_X], neutrinos[i, NU_Y], neutrinos[i, NU_Z]
        ux, uy, uz = neutrinos[i, NU_UX], neutrinos[i, NU_UY], neutrinos[i, NU_UZ]
        # largest deflection (rad) in a strong field
        reach = STRONG_FIELD_NT * abs(neutrinos[i, NU_TURN]) if bending else 0.0
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        cosine = 0.0
        bends = True
        if up > 0.0:
            nx, ny, nz = x + up * ux, y + up * uy, z + up * uz
            cosine = (nx * ux + ny * uy + nz * uz) / radius
            bends = reach > _SENSITIVE * cosine
        else:
            # a line that misses the sphere is kept only if the largest deflection could make it hit
            r = math.sqrt(x * x + y * y + z * z)
            rise = (x * ux + y * uy + z * uz) / r
            if rise + math.sqrt(max(0.0, 1.0 - (radius / r) ** 2)) > reach:
                continue
            down = up = max(0.0, -(x * ux + y * uy + z * uz))
        if down > 0.0 or cosine == 0.0:
            _fill_crossing(aims[n_aims], neutrinos[i], DOWN, down)
            total += _weigh(aims[n_aims], value, cosine, bends, site, aim, coarse, work, squares)
            n_aims += 1
        _fill_crossing(aims[n_aims], neutrinos[i], UP, up)
        total += _weigh(aims[n_aims], value, cosine, bends, site, aim, coarse, work, squares)
        n_aims += 1
    return n_aims, total


@njit(**UNCOUNTED)
def add_axis(aims, n_aims, pose, radius, share):
    """Append the crossings of the shower's axis to the table.

    Parameters
    ----------
    aims : float64 array (>= n_aims + 2, AIM_COLUMNS)
    n_aims : int
        Rows in use.
    pose : float64 array (9,)
        Position (km) and direction of the first interaction.
    radius : float
        Radius of the site's sphere (km).
    share : float
        Expected number of rotations of each of the two rows.

    Returns
    -------
    int
        New number of rows.
    """
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


@njit(**UNCOUNTED)
def list_aims(pilot, n_pilot, pose, nominal, batch_size, site, aim, coarse, bending, aims, work, squares):
    """Build the table of crossings of a pilot shower at a site: its neutrinos' crossings and its axis.

    Parameters
    ----------
    pilot : float64 array (>= n_pilot, NEUTRINO_COLUMNS)
        The pilot's list of neutrinos.
    n_pilot : int
        Rows in use.
    pose : float64 array (9,)
        Position (km) and direction of the first interaction.
    nominal : float
        Estimate of the shower's weight (s^-1).
    batch_size : int
        Primaries of a batch.
    site, aim, coarse, bending, aims, work, squares
        As for :func:`list_crossings`.

    Returns
    -------
    n_aims : int
        Number of rows.
    expected : float
        Expected number of rotations: the sum of the column A_SHARE.
    """
    radius = site["radius_km"]
    scale = aim.effort * nominal * batch_size / (16.0 * math.pi**2 * (radius * 1.0e3) ** 2)
    n_aims, wanted = list_crossings(pilot, n_pilot, site, scale, aim, coarse, bending, aims, work, squares)
    expected = wanted / (1.0 + wanted / aim.most_per_pilot)
    for j in range(n_aims):
        aims[j, A_SHARE] *= expected / wanted
    # importance of a neutrino of 1 GeV along the axis, which the rotated shower may have although the pilot has none
    unseen = scale * inverse_cosine(min(1.0, math.sqrt(pose[5] ** 2 + 0.01))) / reference_flux(1.0)
    axis = 0.5 * (aim.axis_share * expected + aim.unseen * unseen / (1.0 + unseen) + _LEAST_ROTATIONS)
    n_aims = add_axis(aims, n_aims, pose, radius, axis)
    return n_aims, expected + 2.0 * axis
