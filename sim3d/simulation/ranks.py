"""Message protocol between rank 0 and the other ranks of a run.

Rank 0 sends numbers of batches to the other ranks; they send reports and event records back. Commands go from rank 0 to
all ranks.

The main thread of each rank calls the same methods in turn; its worker threads never use MPI. A rank that can take more
batches asks rank 0 for them, which answers when there is work, and not at all once the run ends. Commands are
broadcasts for which the other ranks wait without blocking.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from sim3d.files.event_journal import EventJournal, Frame
from sim3d.simulation.processes import Processes
from sim3d.simulation.schedule import Command, Scheduler

_MOST_UNSENT = 8
"""Number of unsent messages above which a rank takes no more batches. This bounds its memory when rank 0 stores event
records slowly."""


class RankReport(NamedTuple):
    """Report of a rank to rank 0.

    Attributes
    ----------
    wanted : int
        Number of batches it asks for; 0 for none, or while a request is open.
    finished : int
        Number of batches finished since its last report.
    lost : list of str
        Primaries lost since then, described in words.
    failed, interrupted : str
        Empty, or the reason of a failure or of an interruption.
    idle : bool
        It simulates nothing, and was told to begin nothing.
    """

    wanted: int = 0
    finished: int = 0
    lost: list[str] = []  # noqa: RUF012  (never changed)
    failed: str = ""
    interrupted: str = ""
    idle: bool = False


class FirstRank:
    """Rank 0: takes its batches from the scheduler directly, serves the other ranks, and stores event records.

    Parameters
    ----------
    processes : Processes
    scheduler : Scheduler
    journal : EventJournal, optional
        Stores event records, if the run makes them.
    """

    def __init__(self, processes: Processes, scheduler: Scheduler, journal: EventJournal | None = None) -> None:
        self.processes = processes
        self.scheduler = scheduler
        self.journal = journal
        self._frames = [0] * processes.size
        self._waiting: deque[tuple[int, int]] = deque()  # requests not answered yet: rank, batches wanted
        self._idle: set[int] = set()
        self._received = 0
        self._sent = [0] * processes.size

    def take(self, wanted: int) -> list[int]:
        """Take at most ``wanted`` batches from the scheduler, to begin now."""
        return self.scheduler.take(wanted)

    def report(self, report: RankReport) -> None:
        """Pass the report of this rank's workers to the scheduler."""
        self._note(0, report)

    def command(self) -> Command:
        """Serve the messages that have arrived, and decide on the next command, which all ranks get."""
        for rank, message in self.processes.receive():
            self._accept(rank, message)
        while self._waiting:
            rank, wanted = self._waiting[0]
            batches = self.scheduler.take(wanted)
            if not batches:
                break
            self._waiting.popleft()
            self.processes.send(batches, rank)
            self._sent[rank] += 1
        command = self.scheduler.decide(all_idle=len(self._idle) == self.processes.size)
        if command != Command.NONE:
            self.processes.command(int(command))
        return command

    def part(self) -> None:
        """Receive all messages still on the way, on both sides, so that MPI can be finalised."""
        sent = sum(self.processes.gather(0))
        while self._received < sent:
            self._accept(*self.processes.wait_for_message())
        self.processes.scatter(self._sent)
        self.processes.finish_sending()

    def hand_over(self, frames: deque[Frame]) -> None:
        """Store the event records of batches that ended on this rank, and empty the queue ``frames``."""
        while frames:
            self._store(frames.popleft())

    def settle(self, frames: deque[Frame]) -> None:
        """Store the event records of all batches in the sums, and flush them to disk.

        Every rank calls this method of its own class when the sums are collected.

        Parameters
        ----------
        frames : deque of Frame
            Records of batches that ended on this rank.
        """
        if self.journal is None:
            return
        self.hand_over(frames)
        for rank, sent in enumerate(self.processes.gather(0)):
            while self._frames[rank] < sent:
                self._accept(*self.processes.wait_for_message())
        self.journal.flush()
        if self.journal.problem:
            self.scheduler.failed(self.journal.problem)

    def _accept(self, rank: int, message: RankReport | Frame) -> None:
        if isinstance(message, Frame):
            self._frames[rank] += 1
            self._store(message)
        else:
            self._received += 1
            self._note(rank, message)

    def _store(self, frame: Frame) -> None:
        if self.journal is None or self.journal.problem:
            return
        self.journal.append(frame)
        if self.journal.problem:
            self.scheduler.failed(self.journal.problem)

    def _note(self, rank: int, report: RankReport) -> None:
        if report.failed:
            self.scheduler.failed(report.failed)
        if report.interrupted:
            self.scheduler.interrupted(report.interrupted)
        if report.finished or report.lost:
            self.scheduler.report(report.finished, report.lost)
        if report.wanted:
            self._waiting.append((rank, report.wanted))
        if report.idle:
            self._idle.add(rank)


class OtherRank:
    """A rank other than 0: asks rank 0 for batches, and sends it reports and event records.

    Parameters
    ----------
    processes : Processes
    records : bool
        Whether its batches make event records.
    """

    def __init__(self, processes: Processes, records: bool = False) -> None:
        self.processes = processes
        self.records = records
        self._frames = 0
        self._ready: deque[int] = deque()
        self._asked = False
        self._wanted = 0
        self._sent = 0
        self._received = 0
        self._said_idle = False

    def take(self, wanted: int) -> list[int]:
        """Take at most ``wanted`` batches to begin now; the next report asks rank 0 for those missing."""
        if self.records and self.processes.unsent() > _MOST_UNSENT:
            wanted = 0
        out = [self._ready.popleft() for _ in range(min(wanted, len(self._ready)))]
        self._wanted = wanted - len(out)
        return out

    def report(self, report: RankReport) -> None:
        """Send a report of this rank's workers to rank 0, unless it would be empty."""
        for _, batches in self.processes.receive():
            self._received += 1
            self._asked = False
            self._ready.extend(batches)
        wanted = 0 if self._asked or report.idle else max(0, self._wanted - len(self._ready))
        report = report._replace(wanted=wanted, idle=report.idle and not self._said_idle)
        if report == RankReport():
            return
        self._said_idle |= report.idle
        self._asked |= wanted > 0
        self.processes.send(report, 0)
        self._sent += 1

    def command(self) -> Command:
        """Return the command that has arrived from rank 0, if any."""
        return Command(self.processes.commanded())

    def hand_over(self, frames: deque[Frame]) -> None:
        """Send the event records of batches that ended on this rank to rank 0, and empty ``frames``."""
        while frames:
            self.processes.send(frames.popleft(), 0)
            self._frames += 1

    def settle(self, frames: deque[Frame]) -> None:
        """Send the remaining event records to rank 0, and the number of batches that it must have received in all.

        Every rank calls this method of its own class when the sums are collected.

        Parameters
        ----------
        frames : deque of Frame
            Records of batches that ended on this rank.
        """
        if self.records:
            self.hand_over(frames)
            self.processes.gather(self._frames)

    def part(self) -> None:
        """Receive all messages still on the way, on both sides, so that MPI can be finalised."""
        self.processes.gather(self._sent)
        underway = self.processes.scatter(None)
        while self._received < underway:
            self.processes.wait_for_message()
            self._received += 1
        self.processes.finish_sending()
