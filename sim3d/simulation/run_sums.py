"""Exact integer sums over the batches of a process.

Threads add to the sums of their process; :mod:`sim3d.simulation.processes` adds those of the ranks.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from sim3d.config.schema import Config
from sim3d.files.record import make_tally
from sim3d.sampling.counters import N_COUNTERS
from sim3d.sampling.lost import Lost
from sim3d.scoring.detectors import Detector
from sim3d.scoring.precision import Watch
from sim3d.scoring.tally import SiteTally

if TYPE_CHECKING:
    from sim3d.files.record import RunRecord


class RunSums:
    """Integer sums over batches: tallies of the sites, counters and the watched observable.

    All arrays of :meth:`arrays` are added elementwise over ranks, and set to 0 on a rank that has sent them. A new
    statistic of a site must be listed in :meth:`sim3d.scoring.tally.SiteTally.arrays` and nowhere else. A new statistic
    of the run must be listed here and in the result file.

    Parameters
    ----------
    config : Config
    detectors : tuple of Detector

    Attributes
    ----------
    tallies : list of SiteTally
    counters : int64 array (N_COUNTERS,)
    watch : Watch
        Sums of the observable of ``run.target_error``.
    finished : list of int
        Numbers of the batches added since the last collection.
    lost : list of Lost
        Primaries left out of those batches.
    lock : threading.Lock
        Held while the sums change or are read as a whole.
    """

    def __init__(self, config: Config, detectors: tuple[Detector, ...]) -> None:
        self.tallies: list[SiteTally] = [make_tally(config, detector) for detector in detectors]
        self.counters = np.zeros(N_COUNTERS, dtype=np.int64)
        self.watch = Watch(config, [tally.exponents for tally in self.tallies])
        self.finished: list[int] = []
        self.lost: list[Lost] = []
        self.lock = threading.Lock()

    def add_batch(
        self,
        batch: int,
        scores: np.ndarray,
        hits: np.ndarray,
        weights: np.ndarray,
        counters: np.ndarray,
        lost: list[Lost],
        extras: Mapping[str, np.ndarray] | None = None,
    ) -> None:
        """Add the scores of one batch to the sums, or nothing at all if one of them does not fit.

        Parameters
        ----------
        batch : int
            Number of the batch.
        scores : float64 array (sites, 4, N_ENERGY, N_COS, azimuth)
        hits : int64 array, same shape
        weights : int64 array (sites, 4, N_DECADES, N_WEIGHTS)
        counters : int64 array (N_COUNTERS,)
        lost : list of Lost
        extras : mapping of float64 arrays (sites, ...), optional
            Scores of the optional statistics, for :attr:`sim3d.scoring.tally.SiteTally.extras`.

        Raises
        ------
        sim3d.scoring.exact_sums.TallyOverflowError
            If a value is not finite or too large for the fixed-point sums.
        """
        prepared = [tally.prepare(scores[k], batch) for k, tally in enumerate(self.tallies)]
        value = self.watch.value(scores)
        extras = extras or {}
        for k, tally in enumerate(self.tallies):
            for name, values in extras.items():
                tally.extras[name].check(values[k], name, batch)
        with self.lock:
            for k, tally in enumerate(self.tallies):
                tally.add_prepared(scores[k], hits[k], weights[k], batch, prepared[k])
                for name, values in extras.items():
                    tally.extras[name].add(values[k], batch)
            self.counters += counters
            self.watch.add_value(value)
            self.finished.append(batch)
            self.lost += lost

    def arrays(self) -> dict[str, np.ndarray]:
        """Return all integer arrays of the sums by name, limbs as in :meth:`sim3d.scoring.tally.SiteTally.arrays`.

        Returns
        -------
        dict of int64 arrays
            The arrays themselves, no copies.
        """
        out = {"counters": self.counters, "watch/plain": self.watch.sums[:1]}
        out |= {"watch/high": self.watch.sums[1:2], "watch/low": self.watch.sums[2:]}
        for k, tally in enumerate(self.tallies):
            out |= {f"{k}/{name}": array for name, array in tally.arrays().items()}
        return out

    def clear(self) -> None:
        """Set all sums to 0, after they were sent to rank 0."""
        for array in self.arrays().values():
            array[...] = 0
        self.finished.clear()
        self.lost.clear()

    def begin_with(self, record: RunRecord) -> None:
        """Take over the sums of a checkpoint; its tallies are used, not copied.

        Its lost primaries are not taken over: :class:`sim3d.simulation.bookkeeping.Bookkeeping` keeps them.

        Parameters
        ----------
        record : RunRecord
        """
        self.tallies = record.tallies
        self.counters[:] = record.counter_array()
        self.watch.sums[:] = record.watch_sums
