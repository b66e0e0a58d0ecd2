"""Analog sampling: primaries over the whole globe, every shower followed, patches scored where neutrinos cross them."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim3d.binning import N_ENERGY, azimuth_bin, cos_bin, energy_bin, inverse_cosine
from sim3d.detectors import S_AREA, S_RADIUS, arrival_angles, inside_patch, sphere_crossings
from sim3d.hit_weights import note_weight
from sim3d.jit_cache import CACHE
from sim3d.lost import is_lost
from sim3d.sampling import C_CROSSINGS, comes_through, next_shower
from sim3d.shower import (
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
    new_stack,
)


@njit(nogil=True)
def patch_hits(neutrino, sites, n_azimuth, hit_bins, hit_values, n_hits):
    """Append the crossings of one neutrino through the sites' patches to a list of hits.

    Parameters
    ----------
    neutrino : float64 array (9,)
        A row of the shower kernel's list.
    sites : float64 array (n, SITE_COLUMNS)
    n_azimuth : int
    hit_bins : int64 array (capacity, 5)
        Receives site, flavour, energy, zenith and azimuth bin.
    hit_values : float64 array (capacity,)
        Receives weight / (area |cos|) (s^-1 m^-2 for weights in s^-1).
    n_hits : int
        Hits already in the list; the capacity must leave room for two per site.

    Returns
    -------
    int
        New number of hits.
    """
    i_energy = energy_bin(neutrino[NU_ENERGY])
    if i_energy < 0 or i_energy >= N_ENERGY:
        return n_hits
    x, y, z = neutrino[NU_X], neutrino[NU_Y], neutrino[NU_Z]
    ux, uy, uz = neutrino[NU_UX], neutrino[NU_UY], neutrino[NU_UZ]
    for k in range(sites.shape[0]):
        radius = sites[k, S_RADIUS]
        down, up = sphere_crossings(x, y, z, ux, uy, uz, radius)
        for path in (down, up):
            if path <= 0.0:
                continue
            nx = (x + path * ux) / radius
            ny = (y + path * uy) / radius
            nz = (z + path * uz) / radius
            if not inside_patch(sites, k, nx, ny, nz):
                continue
            cos_zenith, azimuth = arrival_angles(nx, ny, nz, ux, uy, uz)
            hit_bins[n_hits, 0] = k
            hit_bins[n_hits, 1] = int(neutrino[NU_FLAVOUR])
            hit_bins[n_hits, 2] = i_energy
            hit_bins[n_hits, 3] = cos_bin(cos_zenith)
            hit_bins[n_hits, 4] = azimuth_bin(azimuth, n_azimuth)
            hit_values[n_hits] = neutrino[NU_WEIGHT] * inverse_cosine(cos_zenith) / sites[k, S_AREA]
            n_hits += 1
    return n_hits


@njit(nogil=True, cache=CACHE)
def analog_batch(
    world, source, seed, first_index, batch_size, sites, cutoff, trace, scores, hits, weights, counters, status
):
    """Simulate one batch of primaries and add what crosses the patches to the batch's scores.

    Parameters
    ----------
    world : World
    source : Source
    seed, first_index, batch_size : int
        Run seed, index of the batch's first primary, number of primaries.
    sites : float64 array (n, SITE_COLUMNS)
    cutoff : bool
        Whether primaries must come in through the geomagnetic field.
    trace : float64 array
        Parameters of :func:`geomag.tracing.backtrack`.
    scores : float64 array (sites, 4, N_ENERGY, N_COS, azimuth)
        Integral of the flux over each bin (m^-2 s^-1), added to in index order.
    hits : int64 array, same shape
        Number of crossings.
    weights : int64 array (sites, 4, N_DECADES, N_WEIGHTS)
        Histogram of the weights, see :mod:`sim3d.hit_weights`.
    counters : int64 array (N_COUNTERS,)
        Added to; see :mod:`sim3d.sampling`.
    status : int64 array (1 + n,)
        Receives the index of the primary being followed (for a message if something fails); after it, the indices of
        primaries to leave out.
    """
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    stack, species_of, key_of = new_stack(32768)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS))
    n_sites = sites.shape[0]
    capacity = 256 + 2 * n_sites
    hit_bins = np.empty((capacity, 5), dtype=np.int64)
    hit_values = np.empty(capacity)
    n_azimuth = scores.shape[4]
    for place in range(batch_size):
        index = first_index + place
        status[0] = index
        if is_lost(index, status):
            continue
        weight, gv, n, neutrinos, stack, species_of, key_of = next_shower(
            world, source, seed, index, place, batch_size, start, rng, stack, species_of, key_of, neutrinos, counters
        )
        n_hits = 0
        for i in range(n):
            if n_hits + 2 * n_sites > capacity:
                capacity *= 2
                more_bins = np.empty((capacity, 5), dtype=np.int64)
                more_bins[:n_hits] = hit_bins[:n_hits]
                hit_bins = more_bins
                more_values = np.empty(capacity)
                more_values[:n_hits] = hit_values[:n_hits]
                hit_values = more_values
            n_hits = patch_hits(neutrinos[i], sites, n_azimuth, hit_bins, hit_values, n_hits)
        if n_hits == 0:
            continue
        counters[C_CROSSINGS] += n_hits
        if cutoff and not comes_through(world, trace, start[:3], start[3:6], gv, counters):
            continue
        for i in range(n_hits):
            k, f, e, c, a = hit_bins[i, 0], hit_bins[i, 1], hit_bins[i, 2], hit_bins[i, 3], hit_bins[i, 4]
            value = weight * hit_values[i]
            scores[k, f, e, c, a] += value
            hits[k, f, e, c, a] += 1
            note_weight(weights[k], f, e, value * batch_size)
