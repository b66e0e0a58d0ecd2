"""Arguments and results of the batch kernels, as named tuples that numba accepts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sim3d.conventions.binning import N_COS, N_ENERGY, N_FLAVOURS
from sim3d.sampling.counters import N_COUNTERS
from sim3d.sampling.source import Source
from sim3d.scoring.hit_weights import empty_sums, empty_weights
from sim3d.shower.world import World

NO_SINGLES, NO_BOUNDS = np.zeros((1, 8), np.float32), np.zeros(8)
"""In place of parameters that a kernel does not use."""


class BatchTask(NamedTuple):
    """Inputs of a batch kernel: physics, primaries and sites (numba argument).

    Attributes
    ----------
    world : World
        Medium, field and models.
    source : Source
        Primary spectrum and its sampling.
    seed : uint64
        Seed of the run.
    first_index, batch_size : int
        Index of the batch's first primary in the run, number of primaries.
    sites : SITE_DTYPE array (n,)
        See :mod:`sim3d.scoring.detectors`.
    surfaces : float64 array
        Mountains over the sites, see :func:`sim3d.scoring.surface.site_rows`.
    cutoff : bool
        Whether the back-traced trajectory of a primary must be allowed by the geomagnetic field.
    trace : float64 array
        Parameters of :func:`geomag.trajectories.tracing.backtrack`.
    left_out : int64 array (m,)
        Indices of primaries to skip.
    only : int
        Index of the only primary to simulate; -1 for all.
    singles, bounds
        Further parameters of :func:`geomag.trajectories.lockstep.decide_many`, with which the mode ``targeted``
        back-tracks: the coefficients of the field in single precision, and bounds on it.
    """

    world: World
    source: Source
    seed: np.uint64
    first_index: int
    batch_size: int
    sites: np.ndarray
    surfaces: np.ndarray
    cutoff: bool
    trace: np.ndarray
    left_out: np.ndarray
    only: int
    singles: np.ndarray = NO_SINGLES
    bounds: np.ndarray = NO_BOUNDS


class BatchScores(NamedTuple):
    """Scores of a batch, which the kernel adds to (numba argument).

    Attributes
    ----------
    flux : float64 array (sites, 4, N_ENERGY, N_COS, azimuth)
        Integral of the flux over each bin (m^-2 s^-1), added to in index order.
    hits : int64 array, same shape
        Number of crossings.
    weights : int64 array (sites, 4, N_DECADES, N_WEIGHTS)
        Histogram of the weights of primaries, see :mod:`sim3d.scoring.hit_weights`.
    of_primary : float64 array (sites, 4, N_DECADES)
        Weights of the hits of the current primary, which the kernel counts in ``weights`` at its end.
    counters : int64 array (N_COUNTERS,)
        See :mod:`sim3d.sampling.counters`.
    followed : int64 array (1,)
        Receives the index of the current primary (for a message if something fails); -1 before the first.
    """

    flux: np.ndarray
    hits: np.ndarray
    weights: np.ndarray
    of_primary: np.ndarray
    counters: np.ndarray
    followed: np.ndarray

    def clear(self) -> None:
        """Reset all arrays to their values before a batch."""
        for array in (self.flux, self.hits, self.weights, self.of_primary, self.counters):
            array[...] = 0
        self.followed[0] = -1


def empty_scores(n_sites: int, n_azimuth: int) -> BatchScores:
    """Make the scores of a batch before its first primary.

    Parameters
    ----------
    n_sites, n_azimuth : int

    Returns
    -------
    BatchScores
    """
    shape = (n_sites, N_FLAVOURS, N_ENERGY, N_COS, n_azimuth)
    return BatchScores(
        np.zeros(shape),
        np.zeros(shape, dtype=np.int64),
        empty_weights(n_sites),
        empty_sums(n_sites),
        np.zeros(N_COUNTERS, dtype=np.int64),
        np.full(1, -1, dtype=np.int64),
    )
