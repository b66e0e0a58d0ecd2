"""Decide on rank 0 which batches to hand out, and when to collect sums, to write a checkpoint and to stop.

This module does not depend on MPI, threads or files. No number of a result depends on it: batches may be simulated in
any order by any rank.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from sim3d.scoring.precision import next_test

_LARGEST_SHARE = 1.0 / 50.0
"""Largest fraction of the run's time for writing checkpoints; the interval grows if writing is slow."""


FIRST_CHECKPOINT_S = 30.0
"""Longest time before the first checkpoint, so that a run that is killed early is not lost."""


class Command(IntEnum):
    """Command of rank 0 to all ranks.

    ``COLLECT``: add the sums of all ranks on rank 0 and continue. ``DRAIN``: the same, and begin no further batch.
    ``STOP``: collect and end.
    """

    NONE = 0
    COLLECT = 1
    DRAIN = 2
    STOP = 3


class BatchQueue:
    """Queue of the batches still to be done, in order; each is handed out once.

    Parameters
    ----------
    done : bool array (n_batches,)
        Batches that are done already.
    first, last : int
        The batches first ... last - 1 are to be done.
    in_rounds : bool
        Whether to pause after the numbers of batches of :func:`sim3d.scoring.precision.next_test`, until
        :meth:`open_round`.
    """

    def __init__(self, done: np.ndarray, first: int, last: int, in_rounds: bool) -> None:
        self.todo = np.flatnonzero(~done[first:last]) + first
        self.last = last
        self.position = 0
        self.finished = 0
        self.limit = last
        if in_rounds:
            # a resumed run is in the round of its last batch: all batches up to a test are done before later ones begin
            begun = int(np.flatnonzero(done)[-1]) if done.any() else 0
            self.limit = min(last, next_test(begun))

    def take(self, wanted: int) -> list[int]:
        """Take batches from the queue.

        Parameters
        ----------
        wanted : int

        Returns
        -------
        list of int
            At most ``wanted`` batches; fewer or none if no more are available now.
        """
        end = self.position + max(0, wanted)
        end = min(end, int(np.searchsorted(self.todo, self.limit)))
        batches = [int(b) for b in self.todo[self.position : end]]
        self.position = max(self.position, end)
        return batches

    @property
    def round_done(self) -> bool:
        """Whether all batches that may be handed out are finished."""
        return self.finished == self.position >= int(np.searchsorted(self.todo, self.limit))

    @property
    def all_done(self) -> bool:
        """Whether every batch is finished."""
        return self.limit >= self.last and self.round_done

    def open_round(self) -> None:
        """Allow the batches up to the next test of the precision."""
        self.limit = min(self.last, next_test(self.limit))


@dataclass
class Scheduler:
    """Scheduler of a run: hands out batches and decides on the next command to all ranks.

    Parameters
    ----------
    queue : BatchQueue
    checkpoint_s : float
        Seconds between checkpoints; 0 for one after every batch, infinite for none. The first one comes after 30 s
        if this is longer.
    deadline_s : float
        Seconds from now after which to stop; infinite for never.
    max_lost : int
        Number of lost primaries that is tolerated.
    lost : int
        Number of primaries lost before.
    clock : callable
        Returns a time in seconds that never decreases.

    Attributes
    ----------
    outcome : str
        Empty while the run continues; then ``complete``, ``target``, ``time``, ``interrupted`` or ``failed``.
    failure : str
        Reason of a failure or an interruption.
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
        first = self.checkpoint_s if np.isinf(self.checkpoint_s) else min(self.checkpoint_s, FIRST_CHECKPOINT_S)
        self._next_checkpoint = self._started + first
        self._written_at = 0  # finished batches when the last checkpoint was taken
        self._draining = False
        if self.max_lost < self.lost:
            self.failed(f"{self.lost} lost primaries, run.max_lost = {self.max_lost}")

    @property
    def failure(self) -> str:
        """All reported failures and interruptions, in one line."""
        return "; ".join(dict.fromkeys(self.failures))

    def take(self, wanted: int) -> list[int]:
        """Take batches to do now.

        Parameters
        ----------
        wanted : int

        Returns
        -------
        list of int
            At most ``wanted`` batches; none once the run is to stop.
        """
        return [] if self.outcome else self.queue.take(wanted)

    def report(self, finished: int, lost: list[str]) -> None:
        """Count the batches that a rank has finished and the primaries that it lost; too many lost ones are a failure.

        Parameters
        ----------
        finished : int
        lost : list of str
            A description of each.
        """
        self.queue.finished += finished
        self.lost += len(lost)
        if lost and self.lost > self.max_lost:
            self.failed(f"{lost[-1]} ({self.lost} lost primaries, run.max_lost = {self.max_lost})")

    def failed(self, message: str) -> None:
        """Stop the run because a rank failed; ``message`` is the reason."""
        self.outcome = "failed"
        self.failures.append(message)

    def interrupted(self, message: str) -> None:
        """Stop the run because a rank received a signal; ``message`` names it."""
        if self.outcome != "failed":
            self.outcome = "interrupted"
        self.failures.append(message)

    def reached_target(self) -> None:
        """Stop the run because the watched observable has reached its target error."""
        self.outcome = "target"

    def decide(self, all_idle: bool) -> Command:
        """Decide on the next command to all ranks.

        Parameters
        ----------
        all_idle : bool
            Whether no rank is simulating a batch or has batches waiting.

        Returns
        -------
        Command
        """
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
        """Return whether a checkpoint is due and batches have finished since the last one."""
        return self.queue.finished > self._written_at and self.clock() >= self._next_checkpoint

    def checkpoint_taken(self, seconds: float) -> None:
        """Note that a checkpoint was written in ``seconds``, and set the time of the next one."""
        self._written_at = self.queue.finished
        interval = max(self.checkpoint_s, seconds / _LARGEST_SHARE) if self.checkpoint_s > 0.0 else 0.0
        self._next_checkpoint = self.clock() + interval
