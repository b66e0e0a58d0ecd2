"""Analog sampling: primaries over the whole globe, every shower followed, patches scored where neutrinos cross them."""

from __future__ import annotations

import numpy as np
from numba import njit

from sim3d.event_records import PRIMARY_COLUMNS, describe_primary, record_hits
from sim3d.gradient_scoring import primary_terms, score_patches
from sim3d.hit_weights import note_weight
from sim3d.hits import patch_hits
from sim3d.jit_cache import CACHE
from sim3d.lost import is_lost
from sim3d.production_height import score_patch_heights
from sim3d.sampling import C_CROSSINGS, comes_through, next_shower
from sim3d.shower import NEUTRINO_COLUMNS
from sim3d.shower_gradients import carried_columns
from sim3d.shower_stack import new_stack


@njit(nogil=True, cache=CACHE)
def analog_batch(
    world,
    source,
    seed,
    first_index,
    batch_size,
    sites,
    cutoff,
    trace,
    events,
    scores,
    hits,
    weights,
    counters,
    status,
    gradients=None,
    heights=None,
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
    events : RecordBuffer or None
        Where to put a record of every crossing that is scored, if that is wanted.
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
    gradients : Gradients, optional
        What to carry along showers and where to score it (:mod:`sim3d.gradient_scoring`); no draw depends on it.
    heights : float64 array, optional
        Receives heights of production (:mod:`sim3d.production_height`).

    Returns
    -------
    rows, n_rows, place
        Only with ``events``: the buffer, the records in it, and the place of the first primary that is still to be
        done (``batch_size`` if none is).
    """
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    carried = 0
    if gradients is not None:
        carried = carried_columns(gradients)
        terms = np.empty(gradients.scores.shape[4])
    stack, species_of, key_of = new_stack(32768, carried)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS + carried))
    n_sites = sites.shape[0]
    capacity = 256 + 2 * n_sites
    hit_bins = np.empty((capacity, 5), dtype=np.int64)
    hit_values = np.empty(capacity)
    n_azimuth = scores.shape[4]
    first_place = 0
    if events is not None:
        first_place, rows, n_rows = events.first_place, events.rows, 0
        about = np.empty(PRIMARY_COLUMNS)
    for place in range(first_place, batch_size):
        if events is not None and n_rows >= events.full:
            return rows, n_rows, place
        index = first_index + place
        status[0] = index
        if is_lost(index, status):
            continue
        weight, energy, group, gv, n, neutrinos, stack, species_of, key_of = next_shower(
            world,
            source,
            seed,
            index,
            place,
            batch_size,
            start,
            rng,
            stack,
            species_of,
            key_of,
            neutrinos,
            counters,
            gradients,
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
        if gradients is not None:
            primary_terms(terms, gradients, source.spectrum, energy, group, -1.0)
            score_patches(gradients, terms, neutrinos, n, 0.0, sites, 0, weight)
        if heights is not None:
            score_patch_heights(heights, neutrinos, n, 0.0, sites, 0, weight)
        if events is not None:
            describe_primary(about, index, energy, group, start[:3], start[3:6])
            rows, n_rows = record_hits(rows, n_rows, about, neutrinos, n, 0.0, sites, 0, n_azimuth, weight)
    if events is not None:
        return rows, n_rows, batch_size
