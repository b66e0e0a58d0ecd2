"""Decide on rank 0 which batches to hand out, and when to collect, to write and to stop.

Nothing here knows of MPI, threads or files, and no number of a result depends on it: batches may be handed out in any
order to anyone.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from sim3d.scoring.precision import next_test

_LARGEST_SHARE = 1.0 / 50.0
"""Largest share of the run's time that checkpoints may take (the interval grows where they take long)."""


class Command(IntEnum):
    """What all ranks do next.

    ``COLLECT``: add the sums of all ranks on rank 0 and go on. ``DRAIN``: the same, and begin no further batch.
    ``STOP``: collect and leave.
    """

    NONE = 0
    COLLECT = 1
    DRAIN = 2
    STOP = 3


class BatchQueue:
    """Batches still to be done, in order, each handed out once.

    Parameters
    ----------
    done : bool array (n_batches,)
        Batches that need not be done; a copy is kept.
    first, last : int
        The batches first ... last - 1 are wanted.
    in_rounds : bool
        Whether to stop after the numbers of batches of :func:`sim3d.scoring.precision.next_test`, until
        :meth:`open_round`.
    """

    def __init__(self, done: np.ndarray, first: int, last: int, in_rounds: bool) -> None:
        self.todo = np.flatnonzero(~done[first:last]) + first
        self.last = last
        self.position = 0
        self.finished = 0
        self.limit = last
        if in_rounds:
            # the round a checkpoint was in: everything before the look is done before anything after it begins
            begun = int(np.flatnonzero(done)[-1]) if done.any() else 0
            self.limit = min(last, next_test(begun))

    def take(self, wanted: int) -> list[int]:
        """Up to ``wanted`` batches, fewer or none if there are no more for now."""
        end = self.position + max(0, wanted)
        end = min(end, int(np.searchsorted(self.todo, self.limit)))
        batches = [int(b) for b in self.todo[self.position : end]]
        self.position = max(self.position, end)
        return batches

    @property
    def round_done(self) -> bool:
        """Whether everything that may be handed out was, and came back finished."""
        return self.finished == self.position >= int(np.searchsorted(self.todo, self.limit))

    @property
    def all_done(self) -> bool:
        """Whether every batch is finished."""
        return self.limit >= self.last and self.round_done

    def open_round(self) -> None:
        """Allow the batches up to the next look."""
        self.limit = min(self.last, next_test(self.limit))


@dataclass
class Scheduler:
    """Decides for all ranks.

    Parameters
    ----------
    queue : BatchQueue
    checkpoint_s : float
        Seconds between checkpoints; 0 for one after every batch, infinite for none.
    deadline_s : float
        Seconds from now after which to stop; infinite for never.
    max_lost : int
        Lost primaries that are tolerated.
    lost : int
        Primaries lost before.
    clock : callable
        Seconds, rising.

    Attributes
    ----------
    outcome : str
        Empty while the run goes on; then ``complete``, ``target``, ``time``, ``interrupted`` or ``failed``.
    failure : str
        Why it failed or was interrupted.
    """

    queue: BatchQueue
    checkpoint_s: float
    deadline_s: float = float("inf")
    max_lost: int = 0
    lost: int = 0
    clock: Callable[[], float] = time.monotonic
    outcome: str = ""
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._started = self.clock()
        self._next_checkpoint = self._started + self.checkpoint_s
        self._written_at = 0  # finished batches when the last checkpoint was taken
        self._draining = False
        if self.max_lost < self.lost:
            self.failed(f"{self.lost} lost primaries, run.max_lost = {self.max_lost}")

    @property
    def failure(self) -> str:
        """All that was reported, in one line."""
        return "; ".join(dict.fromkeys(self.failures))

    def take(self, wanted: int) -> list[int]:
        """Batches to do now; none once the run is to stop."""
        return [] if self.outcome else self.queue.take(wanted)

    def report(self, finished: int, lost: list[str]) -> None:
        """Batches that a rank has finished and primaries that it lost (each in words)."""
        self.queue.finished += finished
        self.lost += len(lost)
        if lost and self.lost > self.max_lost:
            self.failed(f"{lost[-1]} ({self.lost} lost primaries, run.max_lost = {self.max_lost})")

    def failed(self, message: str) -> None:
        """A rank cannot go on."""
        self.outcome = "failed"
        self.failures.append(message)

    def interrupted(self, message: str) -> None:
        """A rank was asked to stop."""
        if self.outcome != "failed":
            self.outcome = "interrupted"
        self.failures.append(message)

    def reached_target(self) -> None:
        """The watched observable is known well enough."""
        self.outcome = "target"

    def decide(self, all_idle: bool) -> Command:
        """The next command; ``all_idle`` says that no rank simulates, nor has batches waiting."""
        if not self.outcome and self.queue.all_done:
            self.outcome = "complete"
        if not self.outcome and self.clock() - self._started >= self.deadline_s:
            self.outcome = "time"
        if self.outcome in ("complete", "target"):
            return Command.STOP
        if self.outcome:
            if self._draining:
                return Command.STOP if all_idle else Command.NONE
            self._draining = True
            return Command.DRAIN
        if self.queue.round_done or self.checkpoint_due():
            return Command.COLLECT
        return Command.NONE

    def checkpoint_due(self) -> bool:
        """Whether it is time to write, and there is something new."""
        return self.queue.finished > self._written_at and self.clock() >= self._next_checkpoint

    def checkpoint_taken(self, seconds: float) -> None:
        """A checkpoint was written, which took so long."""
        self._written_at = self.queue.finished
        interval = max(self.checkpoint_s, seconds / _LARGEST_SHARE) if self.checkpoint_s > 0.0 else 0.0
        self._next_checkpoint = self.clock() + interval
