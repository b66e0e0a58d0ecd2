"""Analog sampling: draw primaries over the whole globe, simulate each shower, and score the neutrinos that hit a patch.

All sites share one simulation. Few showers hit a patch, so this mode needs very large patches.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from sim3d.jit_cache import CACHE
from sim3d.primaries.spectrum import rigidity
from sim3d.sampling.counters import C_CROSSINGS
from sim3d.sampling.lost import is_left_out
from sim3d.sampling.source import comes_through, next_shower
from sim3d.scoring.event_records import RECORD_DTYPE, describe_primary
from sim3d.scoring.gradients import new_terms, primary_terms
from sim3d.scoring.hit_weights import note_primary
from sim3d.scoring.hits import HIT_DTYPE, hits_of_shower
from sim3d.scoring.shower_scores import score_shower
from sim3d.shower.gradients import carried_columns
from sim3d.shower.neutrino_list import NEUTRINO_COLUMNS
from sim3d.shower.stack import new_stack


@njit(nogil=True, cache=CACHE)
def analog_batch(task, scores, events, gradients, heights):
    """Simulate one batch of primaries and score the neutrinos that cross the patches.

    numba compiles a separate version for None in the place of ``gradients``, without the branches that they need.

    Parameters
    ----------
    task : BatchTask
    scores : BatchScores
        Added to.
    events : RecordBuffer
        Receives a record of every scored crossing, if wanted.
    gradients : Gradients or None
        Derivatives to carry along showers and to score (:mod:`sim3d.scoring.gradients`); no draw depends on them.
    heights : float64 array (sites, flavour, energy, cos_zenith, height)
        Receives production heights (:mod:`sim3d.scoring.heights`); of size zero if they are not wanted.

    Returns
    -------
    rows, n_rows
        The array of event records and the number of records in it.
    place : int
        Index in the batch of the first primary that is not simulated yet (``batch_size`` if none is left).
    """
    world, source, sites = task.world, task.source, task.sites
    seed, size, left_out = task.seed, task.batch_size, task.left_out
    counters, followed, n_azimuth = scores.counters, scores.followed, scores.flux.shape[4]
    rng = np.empty(1, dtype=np.uint64)
    start = np.empty(9)
    carried = carried_columns(gradients)
    terms = new_terms(gradients)
    stack = new_stack(32768, carried)
    neutrinos = np.empty((4096, NEUTRINO_COLUMNS + carried))
    hits = np.empty(256, HIT_DTYPE)
    primary = np.empty(1, RECORD_DTYPE)
    rows, n_rows = events.rows, np.int64(0)  # a literal 0 would compile score_shower a second time
    for place in range(events.first_place, size):
        if n_rows >= events.full:
            return rows, n_rows, place
        index = task.first_index + place
        followed[0] = index
        if is_left_out(index, left_out, task.only):
            continue
        weight, energy, group, n, neutrinos, stack = next_shower(
            world, source, seed, size, index, place, start, rng, stack, neutrinos, counters, gradients
        )
        hits, n_hits = hits_of_shower(neutrinos, n, 0.0, sites, task.surfaces, 0, n_azimuth, hits)
        if n_hits == 0:
            continue
        counters[C_CROSSINGS] += n_hits
        if task.cutoff and not comes_through(
            world, task.trace, start[:3], start[3:6], rigidity(energy, group), counters
        ):
            continue
        if gradients is not None:
            primary_terms(terms, gradients, source.spectrum, energy, group, -1.0)
        if events.wanted:
            describe_primary(primary[0], index, energy, group, start[:3], start[3:6])
        rows, n_rows = score_shower(
            scores,
            hits,
            n_hits,
            neutrinos,
            weight,
            size,
            gradients,
            terms,
            heights,
            events.wanted,
            rows,
            n_rows,
            primary,
        )
        note_primary(scores.weights, scores.of_primary)
    return rows, n_rows, size
