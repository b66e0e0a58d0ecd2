"""The message protocol between rank 0 and the other ranks of a run.

Rank 0 sends numbers of batches, the others send reports (and event records) back, and commands go to all.

Each rank's main thread calls the same methods in turn; its worker threads never touch MPI. A rank that has room for
batches asks rank 0, which answers when there is work, and not at all once the run ends. Commands are broadcasts that
the other ranks wait for without blocking.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from sim3d.files.event_journal import EventJournal, Frame
from sim3d.simulation.processes import Processes
from sim3d.simulation.schedule import Command, Scheduler

_MOST_UNSENT = 8
"""Messages that may wait to leave a rank before it takes no more batches: its memory is bounded, however slowly rank 0
stores event records."""


class RankReport(NamedTuple):
    """The message of a rank to rank 0.

    Attributes
    ----------
    wanted : int
        Batches it asks for; 0 for none, or if a request is still open.
    finished : int
        Batches finished since its last report.
    lost : list of str
        Primaries lost since, in words.
    failed, interrupted : str
        Empty, or why it cannot go on, or was asked to stop.
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
    """Rank 0: takes its batches from the scheduler directly, serves the other ranks, and stores event records."""

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
        """Batches to begin now."""
        return self.scheduler.take(wanted)

    def report(self, report: RankReport) -> None:
        """What happened here since the last call."""
        self._note(0, report)

    def command(self) -> Command:
        """Serve what has arrived, and decide; other ranks are told."""
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
        """The end: both sides receive what is still underway, so that MPI can be finalised."""
        sent = sum(self.processes.gather(0))
        while self._received < sent:
            self._accept(*self.processes.wait_for_message())
        self.processes.scatter(self._sent)
        self.processes.finish_sending()

    def hand_over(self, frames: deque[Frame]) -> None:
        """Store the event records of batches that ended here."""
        while frames:
            self._store(frames.popleft())

    def settle(self, frames: deque[Frame]) -> None:
        """Store the records of all batches in the sums (every rank calls this), and flush them to the disk."""
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
    """A rank other than 0; ``records`` says whether its batches make event records."""

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
        """Batches to begin now; asks for what is missing with the next report."""
        if self.records and self.processes.unsent() > _MOST_UNSENT:
            wanted = 0
        out = [self._ready.popleft() for _ in range(min(wanted, len(self._ready)))]
        self._wanted = wanted - len(out)
        return out

    def report(self, report: RankReport) -> None:
        """What happened here since the last call; sent if there is anything to say."""
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
        """What rank 0 wants."""
        return Command(self.processes.commanded())

    def hand_over(self, frames: deque[Frame]) -> None:
        """Send the event records of batches that ended here to rank 0."""
        while frames:
            self.processes.send(frames.popleft(), 0)
            self._frames += 1

    def settle(self, frames: deque[Frame]) -> None:
        """Tell rank 0 how many batches of records it is to have, of all in the sums (every rank calls this)."""
        if self.records:
            self.hand_over(frames)
            self.processes.gather(self._frames)

    def part(self) -> None:
        """The end: both sides receive what is still underway, so that MPI can be finalised."""
        self.processes.gather(self._sent)
        underway = self.processes.scatter(None)
        while self._received < underway:
            self.processes.wait_for_message()
            self._received += 1
        self.processes.finish_sending()
