"""Account of the energy of one shower (kernels): in which form each part of it ends.

The categories and the conventions are those of :mod:`sim3d.studies.energy_balance`.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from hadronic.models import rest_energy
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import LAMBDA, MASS_GEV, MUM, MUP, NEUTRON, PI0, PIM, PIP, PROTON
from sim3d.jit_cache import CACHE
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_WEIGHT
from sim3d.shower.random_streams import primary_key
from sim3d.shower.stack import new_stack
from sim3d.shower.track import T_DECAY, T_END, T_INTERACTION, T_START

CATEGORIES = (
    "neutrinos",
    "muons at ground",
    "nucleons at ground",
    "mesons at ground",
    "electromagnetic",
    "ionisation",
    "below threshold",
    "leaves upward",
    "not in the model",
)
"""Categories of the energy balance, in the order of all arrays here."""

NEUTRINOS, MUONS, NUCLEONS, MESONS, ELECTROMAGNETIC, IONISATION, BELOW, UPWARD, NOT_IN_MODEL = range(9)

N_CATEGORIES = 9

# Last column, after the categories: energy of the followed secondaries of interactions, drawn minus mean.
DRAWN_LESS_MEAN = 9

# A particle below this height counts as at the ground: steps end there up to rounding.
_GROUND_KM = 1.0e-3

# Six points are exact to rounding here: x varies little within one of the 256 bins.
_POINTS, _WEIGHTS = np.polynomial.legendre.leggauss(6)

_SHARE = 0.5 * (_POINTS + 1.0)

_HALF = 0.5 * _WEIGHTS

_REST_GEV = np.array([rest_energy(k) for k in range(PI0 + 1)] + [float(MASS_GEV[MUP]), float(MASS_GEV[MUM])])

_M_LAMBDA, _M_N, _M_PI0 = (float(MASS_GEV[k]) for k in (LAMBDA, NEUTRON, PI0))

# Neutron of Lambda -> n pi0 in the Lambda's rest frame.
_E_N = (_M_LAMBDA**2 + _M_N**2 - _M_PI0**2) / (2.0 * _M_LAMBDA)

_P_N = math.sqrt(_E_N**2 - _M_N**2)


@njit(nogil=True)
def _bin_mean(low, high, v_low, width, first):
    """Integral of x du over one bin of v from the fraction ``first`` of the bin to its end; du = 4 (1 - v)^3 dv."""
    total = 0.0
    for k in range(_SHARE.shape[0]):
        s = first + (1.0 - first) * _SHARE[k]
        v = v_low + s * width
        total += _HALF[k] * (1.0 - v) ** 3 * math.exp(low + s * (high - low))
    return 4.0 * total * (1.0 - first) * width


@njit(nogil=True, cache=CACHE)
def tail_means(ln_x):
    """Compute the integral of x du from each point of the quantile axis to its end.

    These are the partial mean energies of the secondaries above a threshold, see :func:`expected`.

    Parameters
    ----------
    ln_x : float64 array (tables, nodes, points)
        Quantiles of ln x of the yield tables.

    Returns
    -------
    float64 array (tables, nodes, points)
    """
    out = np.zeros(ln_x.shape)
    n = ln_x.shape[2] - 1
    for table in range(ln_x.shape[0]):
        for node in range(ln_x.shape[1]):
            row = ln_x[table, node]
            for i in range(n - 1, -1, -1):
                out[table, node, i] = out[table, node, i + 1] + _bin_mean(row[i], row[i + 1], i / n, 1.0 / n, 0.0)
    return out


@njit(nogil=True)
def _above(row, tail, x_min):
    """Probability of x > x_min, and the integral of x over that part of the distribution, for one row of quantiles."""
    n = row.shape[0] - 1
    if x_min <= 0.0 or math.log(x_min) <= row[0]:
        return 1.0, tail[0]
    wanted = math.log(x_min)
    if wanted >= row[n]:
        return 0.0, 0.0
    low, high = 0, n
    while high - low > 1:
        middle = (low + high) // 2
        if row[middle] <= wanted:
            low = middle
        else:
            high = middle
    first = (wanted - row[low]) / (row[low + 1] - row[low])
    mean = tail[low + 1] + _bin_mean(row[low], row[low + 1], low / n, 1.0 / n, first)
    return (1.0 - (low + first) / n) ** 4, mean


@njit(nogil=True, cache=CACHE)
def expected(yields, tails, kinetic_min, projectile, kinetic):
    """Compute the mean energy of an interaction's secondaries: followed, below threshold, and in pi0.

    Parameters
    ----------
    yields : YieldTables
    tails : float64 array
        From :func:`tail_means`.
    kinetic_min : float64 array (species,)
        Thresholds (GeV).
    projectile : int
    kinetic : float
        Kinetic energy of the projectile (GeV).

    Returns
    -------
    followed, below, pi0 : float
        GeV: of secondaries that the kernel follows, of those below its thresholds, of pi0.
    """
    followed = below = pi0 = 0.0
    axis = yields.ln_T
    last = axis.shape[0] - 1
    position = (math.log(kinetic) - axis[0]) * last / (axis[last] - axis[0])
    position = min(max(position, 0.0), 1.0 * last)
    node = min(int(position), last - 1)
    for slot in range(yields.slot_offset[projectile], yields.slot_offset[projectile + 1]):
        secondary = yields.slot_species[slot]
        table = yields.slot_table[slot]
        for k in range(2):
            share = position - node if k == 1 else 1.0 - (position - node)
            mean = share * yields.slot_mean[slot, node + k]
            if mean <= 0.0:
                continue
            row, tail = yields.ln_x[table, node + k], tails[table, node + k]
            all_of_it = mean * (kinetic * tail[0] + _REST_GEV[secondary])
            if secondary == PI0:
                pi0 += all_of_it
                continue
            probability, x = _above(row, tail, kinetic_min[secondary] / kinetic)
            above = mean * (kinetic * x + probability * _REST_GEV[secondary])
            followed += above
            below += all_of_it - above
    return followed, below, pi0


@njit(nogil=True)
def _lambda_remainder(kinetic, threshold, left, pion, nucleon):
    """Split the energy left by a Lambda's decay (GeV) into (electromagnetic, below threshold): pi0, slow nucleon.

    If neither a pion nor a nucleon is followed, the decay is Lambda -> n pi0 with the neutron below the threshold. The
    neutron's energy is uniform between its limits (isotropic two-body decay), here up to the threshold: its mean is
    used.
    """
    if nucleon:
        return left, 0.0
    if pion:
        return 0.0, left
    energy = kinetic + _M_LAMBDA
    momentum = math.sqrt(kinetic * (kinetic + 2.0 * _M_LAMBDA))
    least = (energy * _E_N - momentum * _P_N) / _M_LAMBDA - _M_N
    most = (energy * _E_N + momentum * _P_N) / _M_LAMBDA - _M_N
    slow = 0.5 * (least + min(most, threshold))
    return left - slow, slow


@njit(nogil=True)
def _end_of_decay(out, rest, threshold, species, kinetic, used, pion, nucleon):
    left = kinetic + rest - used
    slow = 0.0
    if species == LAMBDA:
        left, slow = _lambda_remainder(kinetic, threshold, left, pion, nucleon)
    out[ELECTROMAGNETIC] += left
    out[BELOW] += slow


@njit(nogil=True)
def _at_end(out, species, energy, height, top_km):
    """Add a particle that neither interacted nor decayed to the category of the place where it ended."""
    if height > top_km:
        out[UPWARD] += energy
    elif height >= _GROUND_KM:
        out[BELOW] += energy
    elif species in (MUP, MUM):
        out[MUONS] += energy
    elif species in (PROTON, NEUTRON):
        out[NUCLEONS] += energy
    else:
        out[MESONS] += energy


@njit(nogil=True, cache=CACHE)
def account(world, tails, track, neutrinos, out):
    """Sum the energy of one shower by category.

    Parameters
    ----------
    world : World
        Without thinning and with one decay per muon, so that all weights are 1.
    tails : float64 array
        From :func:`tail_means`.
    track : float64 array (n, TRACK_COLUMNS)
        Rows of :func:`sim3d.shower.track.note` (without row 0, which counts them).
    neutrinos : float64 array (n, NEUTRINO_COLUMNS)
    out : float64 array (N_CATEGORIES + 1,)
        Receives energies in GeV; the last is `DRAWN_LESS_MEAN`.

    Notes
    -----
    The stack is last in, first out, so the rows traverse the decay tree depth first. A particle belongs to the latest
    vertex at whose place it starts. Once a particle starts elsewhere, the vertices after its own are complete.
    """
    out[:] = 0.0
    for i in range(neutrinos.shape[0]):
        out[NEUTRINOS] += neutrinos[i, NU_ENERGY] * neutrinos[i, NU_WEIGHT]
    # a decay's remainder is known when all its particles have been read; neutrinos are subtracted at the end
    where = np.empty((64, 3))
    is_decay = np.empty(64, dtype=np.bool_)
    parent = np.empty(64, dtype=np.int64)
    kinetic = np.empty(64)
    used = np.empty(64)
    pion = np.empty(64, dtype=np.bool_)
    nucleon = np.empty(64, dtype=np.bool_)
    n = 0
    start = 0.0
    threshold = world.kinetic_min[NEUTRON]
    for i in range(track.shape[0]):
        what, species = int(track[i, 0]), int(track[i, 1])
        x, y, z, t = track[i, 2], track[i, 3], track[i, 4], track[i, 5]
        if what == T_START:
            start = t
            while n > 0 and not (where[n - 1, 0] == x and where[n - 1, 1] == y and where[n - 1, 2] == z):
                n -= 1
                if is_decay[n]:
                    _end_of_decay(
                        out, _REST_GEV[parent[n]], threshold, parent[n], kinetic[n], used[n], pion[n], nucleon[n]
                    )
            if n > 0 and not is_decay[n - 1]:
                out[DRAWN_LESS_MEAN] += t + _REST_GEV[species]
            elif n > 0:
                used[n - 1] += t + _REST_GEV[species]
                pion[n - 1] |= species in (PIP, PIM)
                nucleon[n - 1] |= species in (PROTON, NEUTRON)
        if what < T_END:
            continue
        end = max(t, 0.0)  # the shortest step can make a very slow particle's energy negative
        out[IONISATION] += start - end
        energy = end + _REST_GEV[species]
        if what == T_END:
            _at_end(out, species, energy, math.sqrt(x * x + y * y + z * z) - EARTH_RADIUS_KM, world.top_km)
            continue
        if what == T_INTERACTION:
            followed, below, pi0 = expected(world.yields, tails, world.kinetic_min, species, end)
            out[BELOW] += below
            out[ELECTROMAGNETIC] += pi0
            out[DRAWN_LESS_MEAN] -= followed
            out[NOT_IN_MODEL] += energy - followed - below - pi0
        if n == where.shape[0]:
            more = np.empty((2 * n, 3))
            more[:n] = where
            where = more
            is_decay, pion, nucleon = np.append(is_decay, is_decay), np.append(pion, pion), np.append(nucleon, nucleon)
            parent, kinetic, used = np.append(parent, parent), np.append(kinetic, kinetic), np.append(used, used)
        where[n, 0], where[n, 1], where[n, 2] = x, y, z
        is_decay[n] = what == T_DECAY
        parent[n], kinetic[n], used[n], pion[n], nucleon[n] = species, end, 0.0, False, False
        n += 1
    while n > 0:
        n -= 1
        if is_decay[n]:
            _end_of_decay(out, _REST_GEV[parent[n]], threshold, parent[n], kinetic[n], used[n], pion[n], nucleon[n])
    out[ELECTROMAGNETIC] -= out[NEUTRINOS]


@njit(nogil=True, cache=CACHE)
def follow_shower(world, tails, start, kinetic, seed, index, track, out):
    """Simulate one shower and sum its energy; return the number of rows that its track needs.

    If ``track`` has fewer rows, ``out`` is not filled.
    """
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    track[0, 0] = 0.0
    # np.bool_, not a literal: the argument types of sim3d.simulation.replay, whose version of the shower is used
    interacts, alone = np.bool_(False), np.ones(2)
    n, neutrinos, _ = shower(
        world, start, kinetic, 1.0, primary_key(seed, index), new_stack(32768), neutrinos, interacts, track, None, None,
        alone,
    )  # fmt: skip
    wanted = int(track[0, 0])
    if wanted < track.shape[0]:
        account(world, tails, track[1 : wanted + 1], neutrinos[:n], out)
    return wanted
