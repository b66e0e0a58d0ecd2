"""Compute the energy balance of proton showers: the mean energy that goes into each final category.

Showers are simulated to the end with any hadronic model and their energy is summed by category. Energy is counted as in
:meth:`hadronic.models.HadronicModel.energy_balance`: kinetic for nucleons, total for mesons and muons, kinetic plus the
excess mass for a Lambda.

A single interaction in the kernel does not conserve energy, because each kind of secondary is drawn independently from
its mean number. The followed secondaries of a vertex are therefore counted with the energies drawn. What the kernel
does not follow (pi0, secondaries below the thresholds), and what the tables leave out altogether, is counted with the
mean of the tables at the energy of that vertex. The sum over categories is 1 on average over showers if the kernel
samples the tables correctly.

In decays every energy is drawn. What is neither a neutrino nor followed is a photon or an electron, except the slow
nucleon of a Lambda (see :func:`_lambda_remainder`).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit

from atmosphere.layers import linsley
from hadronic.interaction.kernels import YieldTables
from hadronic.models import HadronicModel, check_projectile, rest_energy
from hadronic.species import P
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.particles import LAMBDA, MASS_GEV, MUM, MUP, NEUTRON, PI0, PIM, PIP, PROTON
from sim3d.conventions.text_tables import text_table, with_error
from sim3d.jit_cache import CACHE
from sim3d.shower.kernel import shower
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS, NU_ENERGY, NU_WEIGHT
from sim3d.shower.random_streams import primary_key
from sim3d.shower.stack import new_stack
from sim3d.shower.track import T_DECAY, T_END, T_INTERACTION, T_START, TRACK_COLUMNS
from sim3d.shower.world import World, build_world

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

BALANCE_ENERGIES_GEV = (10.0, 100.0, 1000.0, 10000.0)
DEFAULT_COSINES = (1.0, 0.5)
LEAST_SHOWERS, MOST_SHOWERS = 2, 1_000_000

_FIRST_ROWS = 100_000
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


@dataclass(frozen=True)
class Balance:
    """Energy balance of one hadronic model at one primary energy and direction.

    Attributes
    ----------
    model : str
    kinetic_energy_GeV : float
        Of the primary proton.
    cos_zenith : float
        Of the primary, at the ground.
    showers : int
    shares, errors : dict of float
        Mean fraction of the primary's kinetic energy and its standard error, by category.
    total, total_error : float
        Sum of the fractions of a shower: mean over showers and its standard error.
    largest_gap : float
        Largest distance from 1 of the sum of any one shower when the energies drawn in interactions are replaced by
        their means, vertex by vertex. It is zero up to rounding if every particle's energy has been counted once.
        It does not test the sampling; ``total`` does.
    interaction : float
        Energy that the model's tables give to the secondaries of the primary's interaction, over the energy
        available.
    """

    model: str
    kinetic_energy_GeV: float
    cos_zenith: float
    showers: int
    shares: dict[str, float]
    errors: dict[str, float]
    total: float
    total_error: float
    largest_gap: float
    interaction: float


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
    n, neutrinos, _ = shower(
        world, start, kinetic, 1.0, primary_key(seed, index), new_stack(32768), neutrinos, False, track
    )
    wanted = int(track[0, 0])
    if wanted < track.shape[0]:
        account(world, tails, track[1 : wanted + 1], neutrinos[:n], out)
    return wanted


def balance_world(yields: YieldTables) -> World:
    """Build the simulation setup: US Standard Atmosphere, no field, no thinning, no neutrino threshold.

    Nucleons are followed down to the energy below which they produce no pions.

    Parameters
    ----------
    yields : YieldTables

    Returns
    -------
    World
    """
    atmosphere = linsley()
    return build_world(
        atmosphere.layers, atmosphere.top_km, np.zeros((3, 8)), yields, energy_min_GeV=0.0, bending=False
    )


def entry(cos_zenith: float, top_km: float) -> np.ndarray:
    """Compute the start of a primary at the top of the atmosphere, given its zenith angle at the ground.

    Parameters
    ----------
    cos_zenith : float
        Cosine of the zenith angle where its straight line meets the ground.
    top_km : float
        Height of the top of the atmosphere.

    Returns
    -------
    float64 array (9,)
        Position (km, geocentric), direction, carried perpendicular unit vector.
    """
    sine = math.sqrt(1.0 - cos_zenith**2)
    r, top = EARTH_RADIUS_KM, EARTH_RADIUS_KM + top_km
    way = -r * cos_zenith + math.sqrt((r * cos_zenith) ** 2 + top**2 - r**2)
    return np.array([way * sine, 0.0, r + way * cos_zenith, -sine, 0.0, -cos_zenith, 0.0, 1.0, 0.0])


def follow_showers(
    world: World, kinetic_GeV: float, cos_zenith: float, showers: int, seed: int, first: int = 0
) -> np.ndarray:
    """Simulate showers and sum their energy by category.

    Parameters
    ----------
    world : World
        See :func:`account`.
    kinetic_GeV : float
        Of the primary proton.
    cos_zenith : float
        Of the primary, at the ground.
    showers : int
    seed, first : int
        Seed of the random streams, and number of the first shower.

    Returns
    -------
    float64 array (showers, N_CATEGORIES + 1)
        Fractions of the primary's kinetic energy; the last column is `DRAWN_LESS_MEAN`.
    """
    tails = tail_means(world.yields.ln_x)
    start = entry(cos_zenith, world.top_km)
    out = np.zeros((showers, N_CATEGORIES + 1))
    track = np.zeros((_FIRST_ROWS, TRACK_COLUMNS))
    for k in range(showers):
        while (wanted := follow_shower(world, tails, start, kinetic_GeV, seed, first + k, track, out[k])) >= len(track):
            track = np.zeros((wanted + wanted // 4 + 1, TRACK_COLUMNS))
    return out / kinetic_GeV


def energy_balance(
    model: HadronicModel,
    kinetic_GeV: float,
    cos_zenith: float,
    showers: int,
    seed: int,
    first: int = 0,
    world: World | None = None,
) -> Balance:
    """Compute the energy balance of showers of protons of one energy and direction.

    Parameters
    ----------
    model : HadronicModel
    kinetic_GeV : float
        Of the primary proton.
    cos_zenith : float
        At the ground, above 0.
    showers : int
        At least 2.
    seed, first : int
        Seed of the random streams, and number of the first shower. Other numbers give other random numbers.
    world : World, optional
        In place of :func:`balance_world`; without field and thinning.

    Returns
    -------
    Balance

    Raises
    ------
    HadronicInputError
        If the tables do not hold protons of this energy.
    """
    check_projectile(model.tables, P, kinetic_GeV)
    rows = follow_showers(world or balance_world(model.tables), kinetic_GeV, cos_zenith, showers, seed, first)
    shares = rows[:, :N_CATEGORIES]
    total = shares.sum(axis=1)
    root = math.sqrt(showers)
    return Balance(
        model=model.name,
        kinetic_energy_GeV=kinetic_GeV,
        cos_zenith=cos_zenith,
        showers=showers,
        shares=dict(zip(CATEGORIES, map(float, shares.mean(axis=0)), strict=True)),
        errors=dict(zip(CATEGORIES, map(float, shares.std(axis=0, ddof=1) / root), strict=True)),
        total=float(total.mean()),
        total_error=float(total.std(ddof=1)) / root,
        largest_gap=float(np.abs(total - rows[:, DRAWN_LESS_MEAN] - 1.0).max()),
        interaction=model.energy_balance(P, kinetic_GeV),
    )


def default_showers(kinetic_GeV: float) -> int:
    """Return the default number of showers: 10000 up to 100 GeV, above it decreasing as 1 / sqrt(energy).

    A shower of higher energy takes more time, and needs less statistics.

    Parameters
    ----------
    kinetic_GeV : float
        Of the primary proton.

    Returns
    -------
    int
    """
    return int(min(10000.0, 1.0e5 / math.sqrt(kinetic_GeV)))


def as_text(rows: Sequence[Balance]) -> str:
    """Format energy balances as the table that ``sim3d zfactors --balance`` prints.

    Parameters
    ----------
    rows : sequence of Balance

    Returns
    -------
    str
    """
    names = ("neutrinos", "muons", "nucleons", "mesons", "e.m.", "ionis.", "below", "upward", "missing")
    head = ["T/GeV", "cos", *names, "sum", "p-air", "showers"]
    lines = [
        "Where the energy of a primary proton goes: per cent of its kinetic energy",
        "  muons, nucleons, mesons: at the ground; e.m.: pi0, photons, electrons; ionis.: lost along the way;",
        "  below: slower than what is followed; upward: leaves the air; missing: not in the model's tables (nuclear",
        "  binding, strange baryons; negative where they give more than there is); sum: of all these, with its error;",
        "  p-air: energy of all secondaries of the primary's interaction in the tables over what it brings",
    ]
    for model in dict.fromkeys(row.model for row in rows):
        cells = [
            [
                f"{row.kinetic_energy_GeV:.5g}",
                f"{row.cos_zenith:.2g}",
                *(f"{100.0 * row.shares[name]:.2f}" for name in CATEGORIES),
                with_error(100.0 * row.total, 100.0 * row.total_error, ".2f"),
                f"{100.0 * row.interaction:.2f}",
                f"{row.showers}",
            ]
            for row in rows
            if row.model == model
        ]
        lines += ["", model, *text_table(head, cells, "r" * len(head))]
    worst = max(row.largest_gap for row in rows)
    lines += [
        "",
        f"With what interactions drew replaced by its mean, the sum of every shower is 1 within {worst:.1e}.",
    ]
    return "\n".join(lines)
