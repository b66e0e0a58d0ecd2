"""Add the hits of a shower to all scores: flux, weights, gradients, production heights, event records.

The list of hits is walked once, so all scores see the same hits with the same weights.
"""

from __future__ import annotations

from numba import njit

from sim3d.jit_options import HELPER
from sim3d.scoring.event_records import fill_record, with_room
from sim3d.scoring.gradients import score_gradients
from sim3d.scoring.heights import score_height
from sim3d.scoring.hit_weights import note_hit
from sim3d.shower.neutrino_list import NU_WEIGHT


@njit(**HELPER)
def score_hit(scores, hit, neutrino, value, batch_size, gradients, terms, heights):
    """Add one hit to the flux, the weights of its primary and, if wanted, the gradients and production heights.

    Parameters
    ----------
    scores : BatchScores
    hit : record of :data:`sim3d.scoring.hits.HIT_DTYPE`
    neutrino : float64 array
        Its row of the shower's list.
    value : float
        Contribution of the hit to the integral of the flux over its bin (m^-2 s^-1).
    batch_size : int
        Primaries of a batch.
    gradients : Gradients or None
    terms : float64 array (columns,)
        Terms of the primary, see :func:`sim3d.scoring.gradients.primary_terms`.
    heights : float64 array (sites, flavour, energy, cos_zenith, height)
        Of size zero if production heights are not wanted.
    """
    k, f, e, c, a = hit["site"], hit["flavour"], hit["energy_bin"], hit["cos_bin"], hit["azimuth_bin"]
    scores.flux[k, f, e, c, a] += value
    scores.hits[k, f, e, c, a] += 1
    note_hit(scores.of_primary[k], f, e, value * batch_size)
    if gradients is not None:
        score_gradients(gradients, terms, neutrino, k, f, e, c, value)
    if heights.size > 0:
        score_height(heights, neutrino, k, f, e, c, value)


@njit(nogil=True)
def score_shower(
    scores, hits, n_hits, neutrinos, weight, batch_size, gradients, terms, heights, recorded, rows, n_rows, primary
):  # fmt: skip
    """Add all hits of a shower to the scores.

    Parameters
    ----------
    scores : BatchScores
    hits, n_hits
        From :func:`sim3d.scoring.hits.hits_of_shower`.
    neutrinos : float64 array (n, NEUTRINO_COLUMNS + carried columns)
    weight : float
        Importance weight of the primary (s^-1).
    batch_size, gradients, terms, heights
        As for :func:`score_hit`.
    recorded : bool
        Whether event records are wanted.
    rows : RECORD_DTYPE array
        Event records of the batch.
    n_rows : int
        Number of records in it.
    primary : RECORD_DTYPE array (1,)
        Record with the fields of the primary, see :func:`sim3d.scoring.event_records.describe_primary`.

    Returns
    -------
    rows, n_rows
        The (possibly larger) array of records and the number of records in it.
    """
    records = with_room(rows, n_rows, n_hits) if recorded else rows
    for j in range(n_hits):
        hit = hits[j]
        neutrino = neutrinos[hit["neutrino"]]
        value = weight * hit["value"]
        score_hit(scores, hit, neutrino, value, batch_size, gradients, terms, heights)
        if recorded:
            records[n_rows + j] = primary[0]
            fill_record(records[n_rows + j], hit, neutrino, value, weight * neutrino[NU_WEIGHT])
    return records, n_rows + n_hits if recorded else n_rows
