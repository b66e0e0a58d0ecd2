"""Rotated sampling: rotate every crossing of a site's sphere onto the site, with a random azimuth.

Without bending in the air the problem is spherically symmetric, so every crossing can be scored at every site. A
neutrino can cross the site's sphere twice, as down-going and as up-going. The primary is rotated along with the
crossing, and its back-traced trajectory from there must be allowed by the field (Battistoni et al., Astropart. Phys.
19 (2003) 269, section 2.3). A crossing is then scored for the whole sphere: weight / (4 pi R^2 |cos|). Low-energy
neutrinos are the most numerous and each needs a back-tracing, so they are first thinned by Russian roulette. That
changes no expectation value.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.conventions.binning import N_ENERGY
from sim3d.jit_cache import CACHE
from sim3d.primaries.spectrum import rigidity
from sim3d.sampling.counters import C_CROSSINGS
from sim3d.sampling.lost import is_left_out
from sim3d.sampling.source import comes_through, next_shower
from sim3d.scoring.bins import energy_bin, inverse_cosine
from sim3d.scoring.detectors import (
    sphere_crossings,
)
from sim3d.scoring.event_records import describe_primary, fill_record, with_room
from sim3d.scoring.gradients import new_terms, primary_terms
from sim3d.scoring.hit_weights import note_primary
from sim3d.scoring.hits import HIT_DTYPE, fill_hit
from sim3d.scoring.shower_scores import score_hit
from sim3d.scoring.surface import born_in_rock
from sim3d.shower.gradients import carried_columns
from sim3d.shower.neutrino_list import (
    NEUTRINO_COLUMNS,
    NU_ENERGY,
    NU_FLAVOUR,
    NU_UX,
    NU_UY,
    NU_UZ,
    NU_WEIGHT,
    NU_X,
    NU_Y,
    NU_Z,
)
from sim3d.shower.random_streams import BRANCH_ROTATION, child_key, primary_key, uniform
from sim3d.shower.rotations import perpendicular
from sim3d.shower.stack import new_stack


@njit(nogil=True)
def rotate_with_crossing(n, u, site, azimuth, v):
    """Rotate a vector by the rotation that brings a crossing to a site with a given azimuth.

    Parameters
    ----------
    n, u : float64 arrays (3,)
        Unit radius and direction of flight at the crossing.
    site : record of SITE_DTYPE
        Row of the site.
    azimuth : float
        Wanted arrival azimuth (radians from the site's south through its east).
    v : float64 array (3,)
        Vector to rotate, in place.
    """
    # orthonormal triad at the crossing: n, horizontal part of the arrival direction, and their product
    cos_zenith = -(n[0] * u[0] + n[1] * u[1] + n[2] * u[2])
    ax, ay, az = -u[0] - cos_zenith * n[0], -u[1] - cos_zenith * n[1], -u[2] - cos_zenith * n[2]
    norm = math.sqrt(ax * ax + ay * ay + az * az)
    if norm < 1e-12:  # exactly vertical: any horizontal direction will do
        ax, ay, az = perpendicular(n[0], n[1], n[2])
    else:
        ax, ay, az = ax / norm, ay / norm, az / norm
    bx = n[1] * az - n[2] * ay
    by = n[2] * ax - n[0] * az
    bz = n[0] * ay - n[1] * ax
    # the same triad at the site
    c, s = math.cos(azimuth), math.sin(azimuth)
    hx = c * site["south"][0] + s * site["east"][0]
    hy = c * site["south"][1] + s * site["east"][1]
    hz = c * site["south"][2] + s * site["east"][2]
    gx = site["up"][1] * hz - site["up"][2] * hy
    gy = site["up"][2] * hx - site["up"][0] * hz
    gz = site["up"][0] * hy - site["up"][1] * hx
    p = v[0] * n[0] + v[1] * n[1] + v[2] * n[2]
    q = v[0] * ax + v[1] * ay + v[2] * az
    w = v[0] * bx + v[1] * by + v[2] * bz
    v[0] = p * site["up"][0] + q * hx + w * gx
    v[1] = p * site["up"][1] + q * hy + w * gy
    v[2] = p * site["up"][2] + q * hz + w * gz


@njit(nogil=True)
def _entry_at_site(n, u, site, azimuth, start, entry, arrival):
    """Compute the primary's entry point and direction after the rotation that brings its crossing to a site."""
    entry[0], entry[1], entry[2] = start[0], start[1], start[2]
    arrival[0], arrival[1], arrival[2] = start[3], start[4], start[5]
    rotate_with_crossing(n, u, site, azimuth, entry)
    rotate_with_crossing(n, u, site, azimuth, arrival)


@njit(nogil=True, cache=CACHE)
def rotated_batch(task, scores, roulette_energy, roulette_index, events, gradients, heights):
    """Simulate one batch of primaries without bending and score every crossing at every site.

    Parameters
    ----------
    task, scores, events, gradients, heights
        As for :func:`sim3d.sampling.analog.analog_batch`.
    roulette_energy, roulette_index : float
        A neutrino below ``roulette_energy`` (GeV) survives with probability (E / roulette_energy)^roulette_index and is
        scored with the inverse of that as a factor.

    Returns
    -------
    rows, n_rows, place
        As for :func:`sim3d.sampling.analog.analog_batch`.
    """
    world, sites, cutoff, trace = task.world, task.sites, task.cutoff, task.trace
    counters, n_azimuth = scores.counters, scores.flux.shape[4]
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    n = np.empty(3)
    u = np.empty(3)
    entry = np.empty(3)
    arrival = np.empty(3)
    carried = carried_columns(gradients)
    terms = new_terms(gradients)
    stack = new_stack(32768, carried)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS + carried))
    hits = np.empty(1, HIT_DTYPE)
    rows, n_rows = events.rows, 0
    for place in range(events.first_place, task.batch_size):
        if n_rows >= events.full:
            return rows, n_rows, place
        index = task.first_index + place
        scores.followed[0] = index
        if is_left_out(index, task.left_out, task.only):
            continue
        weight, energy, group, n_nu, neutrinos, stack = next_shower(
            world, task.source, task.seed, task.batch_size, index, place, start, rng, stack, neutrinos, counters,
            gradients,
        )  # fmt: skip
        gv = rigidity(energy, group)
        if gradients is not None:
            primary_terms(terms, gradients, task.source.spectrum, energy, group, -1.0)
        rng[0] = child_key(primary_key(task.seed, index), BRANCH_ROTATION)
        for i in range(n_nu):
            neutrino = neutrinos[i]
            e_nu = neutrino[NU_ENERGY]
            i_energy = energy_bin(e_nu)
            if i_energy < 0 or i_energy >= N_ENERGY:
                continue
            keep = 1.0
            if e_nu < roulette_energy:
                keep = (e_nu / roulette_energy) ** roulette_index
            flavour = int(neutrino[NU_FLAVOUR])
            x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
            u[0], u[1], u[2] = neutrino[NU_UX], neutrino[NU_UY], neutrino[NU_UZ]
            for k in range(sites.shape[0]):
                radius = sites[k]["radius_km"]
                down, up = sphere_crossings(x, y, z, u[0], u[1], u[2], radius)
                for path in (down, up):
                    if path <= 0.0:
                        continue
                    if keep < 1.0 and uniform(rng) > keep:
                        continue
                    counters[C_CROSSINGS] += 1
                    n[0] = (x + path * u[0]) / radius
                    n[1] = (y + path * u[1]) / radius
                    n[2] = (z + path * u[2]) / radius
                    cos_zenith = -(n[0] * u[0] + n[1] * u[1] + n[2] * u[2])
                    azimuth = 2.0 * math.pi * uniform(rng)
                    if born_in_rock(sites[k], task.surfaces, x, y, z, cos_zenith, azimuth):
                        continue
                    if cutoff or events.wanted:
                        _entry_at_site(n, u, sites[k], azimuth, start, entry, arrival)
                    if cutoff and not comes_through(world, trace, entry, arrival, gv, counters):
                        continue
                    area = 4.0 * math.pi * radius * radius * 1.0e6
                    value = weight * neutrino[NU_WEIGHT] * inverse_cosine(cos_zenith) / (area * keep)
                    fill_hit(hits[0], k, i, flavour, i_energy, cos_zenith, azimuth, n_azimuth, value)
                    score_hit(scores, hits[0], neutrino, value, task.batch_size, gradients, terms, heights)
                    if events.wanted:
                        rows = with_room(rows, n_rows, 1)
                        describe_primary(rows[n_rows], index, energy, group, entry, arrival)
                        fill_record(rows[n_rows], hits[0], neutrino, value, weight * neutrino[NU_WEIGHT] / keep)
                        n_rows += 1
        note_primary(scores.weights, scores.of_primary)
    return rows, n_rows, task.batch_size
