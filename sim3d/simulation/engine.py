"""Run a simulation: distribute its batches over threads and ranks, add up exact sums, write one result file.

The sums are of integers, so the result is bitwise the same for any number of threads and ranks.
"""

from __future__ import annotations

import contextlib
import math
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path

from sim3d.config.schema import Config
from sim3d.errors import InputError, RunError
from sim3d.files.atomic_files import check_output, probe_folder, remove_leftovers
from sim3d.files.event_file import EventStore, finish_events
from sim3d.files.event_journal import BatchRecorder, EventJournal, Frame
from sim3d.files.file_names import followed, journal_path
from sim3d.files.locks import sole_writer
from sim3d.files.record import RunRecord
from sim3d.files.result_file import save_result, stored_batch_size
from sim3d.launcher import wanted_threads
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.lost import Lost
from sim3d.scoring.exact_sums import TallyOverflowError
from sim3d.simulation.bookkeeping import Bookkeeping
from sim3d.simulation.checkpoint import (
    Checkpoints,
    check_range,
    last_checkpoint,
    nothing_left,
    progress_in_words,
    resume_point,
    with_stored_batch_size,
)
from sim3d.simulation.processes import Processes, connect
from sim3d.simulation.progress import progress_bar
from sim3d.simulation.ranks import FirstRank, OtherRank, RankReport
from sim3d.simulation.run_sums import RunSums
from sim3d.simulation.schedule import BatchQueue, Command, Scheduler
from sim3d.simulation.setup import Setup, make_setup
from sim3d.simulation.signals import StopSignal, stop_signals
from sim3d.simulation.survey import agreed_allocation
from sim3d.simulation.warm_up import compile_kernels

_POLL_S = 0.5
_POLL_MPI_S = 0.02
"""Seconds between checks for messages, alone and under MPI; a rank without work waits about this long."""


class _Worker:
    """Simulates batches in any thread; each thread has its own buffers."""

    def __init__(self, setup: Setup, sums: RunSums, rank: int) -> None:
        self.setup = setup
        self.simulate = setup.batch_function()
        self.sums = sums
        self.rank = rank
        self.local = threading.local()
        self.stopping = threading.Event()
        self.lost: deque[str] = deque()  # messages not reported yet; threads append, the main thread takes
        self.frames: deque[Frame] = deque()  # event records, likewise

    def __call__(self, batch: int) -> bool:
        """Simulate a batch and add it to the sums; return False, without doing so, once the run is to stop."""
        if self.stopping.is_set():
            return False
        if not hasattr(self.local, "scores"):
            self.local.scores = empty_scores(len(self.setup.detectors), self.setup.n_azimuth)
            self.local.extras = self.setup.empty_extras()
            self.local.recorder = BatchRecorder() if self.setup.config.scoring.events else None
        scores, recorder, extras = self.local.scores, self.local.recorder, self.local.extras
        lost: list[Lost] = []
        while True:
            scores.clear()
            for values in extras.values():
                values[...] = 0.0
            try:
                self.simulate(batch, scores, recorder, extras, lost=lost)
                if recorder is not None:
                    # before the batch counts as finished: rank 0 stores its records before its sums
                    self.frames.append(recorder.frame())
                self.sums.add_batch(batch, scores.flux, scores.hits, scores.weights, scores.counters, lost, extras)
                return True
            except Exception as exc:
                index, reason = int(scores.followed[0]), f"{type(exc).__name__}: {exc}"
                message = f"rank {self.rank}, primary {index}: {reason}"
                # an overflow of the sums is not the fault of one primary, and leaving out large values would bias them
                fatal = isinstance(exc, TallyOverflowError) or index < 0 or index in [left.primary for left in lost]
                if fatal or len(lost) >= self.setup.config.run.max_lost:
                    raise RunError(message) from exc
                lost.append(Lost(index, reason))
                self.lost.append(message)


def _run_batches(
    worker: _Worker,
    link: FirstRank | OtherRank,
    threads: int,
    stop: StopSignal,
    collect: Callable[[Command], None],
    tick: Callable[[], None] = lambda: None,
) -> None:
    """Simulate batches until rank 0 commands to stop; ``collect`` adds up the ranks' sums on each command."""
    processes = link.processes
    poll_s = _POLL_MPI_S if processes.size > 1 else _POLL_S
    pending: set[Future[bool]] = set()
    reported = ""
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                # one batch more than threads, so that no thread waits for rank 0's answer
                for batch in link.take(threads + 1 - len(pending)):
                    pending.add(pool.submit(worker, batch))
                finished: set[Future[bool]] = set()
                if pending:
                    finished, pending = wait(pending, timeout=poll_s, return_when=FIRST_COMPLETED)
                elif processes.size > 1:
                    time.sleep(poll_s / 4)
                link.hand_over(worker.frames)
                link.report(_report_of(worker, finished, reported, stop, idle=not pending))
                reported = stop.name
                command = link.command()
                tick()
                if command == Command.DRAIN:
                    worker.stopping.set()
                if command != Command.NONE:
                    collect(command)
                if command == Command.STOP:
                    return
        finally:
            worker.stopping.set()


def _report_of(worker: _Worker, finished: set[Future[bool]], reported: str, stop: StopSignal, idle: bool) -> RankReport:
    """Make a rank's report on the batches that ended since its last one."""
    n, failed = 0, ""
    for future in finished:
        try:
            n += future.result()
        except RunError as exc:
            failed = str(exc)
    lost = [worker.lost.popleft() for _ in range(len(worker.lost))]
    interrupted = f"rank {worker.rank}: interrupted ({stop.name})" if stop.name and not reported else ""
    return RankReport(0, n, lost, failed, interrupted, idle and worker.stopping.is_set())


def simulate(
    config: Config,
    threads: int | None = None,
    progress: bool = False,
    processes: Processes | None = None,
    *,
    start: RunRecord | None = None,
    batches: tuple[int, int] | None = None,
    checkpoints: Checkpoints | None = None,
    stop: StopSignal | None = None,
    journal: EventJournal | None = None,
    setup: Setup | None = None,
) -> RunRecord | None:
    """Simulate the batches of a configuration and return their sums.

    Parameters
    ----------
    config : Config
    threads : int, optional
        Threads of this process; by default one for each core that it may use.
    progress : bool
        Show a progress bar (on a terminal only), ranks and threads, and a line while compiling.
    processes : Processes, optional
        Processes that share the work; by default this one alone.
    start : RunRecord, optional
        Batches finished before, on rank 0; its arrays become those of the new record.
    batches : (int, int), optional
        First batch and the one after the last; default all.
    checkpoints : Checkpoints, optional
        Writes checkpoints during the run, on rank 0.
    stop : StopSignal, optional
        Checked between batches.
    journal : EventJournal, optional
        Stores event records, on rank 0; needed if the configuration asks for them.
    setup : Setup, optional
        Of this configuration, if it exists already.

    Returns
    -------
    RunRecord or None
        The sums on rank 0, None on other ranks. If the run stopped early, the record's ``outcome`` and ``failure``
        state the reason, and its sums hold the finished batches.

    Raises
    ------
    InputError
        If the configuration asks for event records and there is no journal.
    """
    processes = processes or Processes()
    stop = stop or StopSignal()
    note = "" if threads or wanted_threads() is None else f" (OMP_NUM_THREADS={wanted_threads()})"
    threads = threads or processes.default_threads()
    if processes.first and config.scoring.events and journal is None:
        raise InputError("scoring.events: records go to a file, use `sim3d run` or sim3d.simulation.engine.run_to_file")
    setup = setup or make_setup(config)
    show = progress and processes.first
    division = processes.describe(threads)
    if show:
        print(f"sim3d: {division}{note}", file=sys.stderr, flush=True)
        print(f"sim3d: {config.calibration_in_words}", file=sys.stderr, flush=True)
    compile_s = compile_kernels(setup, processes, show)
    setup = setup.with_allocation(agreed_allocation(setup, processes, threads, start))
    sums = RunSums(config, setup.detectors)
    worker = _Worker(setup, sums, processes.rank)
    stop.patient = True
    if not processes.first:
        _work_for_others(worker, OtherRank(processes, config.scoring.events), threads, stop)
        return None

    bookkeeping = Bookkeeping(setup, processes, threads, start, compile_s, journal)
    if start is not None:
        sums.begin_with(start)
    run = config.run
    scheduler = Scheduler(
        BatchQueue(bookkeeping.done, *(batches or (0, config.n_batches)), in_rounds=run.target_error is not None),
        checkpoint_s=math.inf if checkpoints is None else 60.0 * run.checkpoint_minutes,
        deadline_s=math.inf if run.max_minutes is None else 60.0 * run.max_minutes,
        max_lost=run.max_lost,
        lost=len(bookkeeping.lost),
    )
    link = FirstRank(processes, scheduler, journal)

    def take_in(command: Command) -> None:
        with sums.lock:
            _add_up(processes, sums, bookkeeping)
            link.settle(worker.frames)
            stored = journal is None or not journal.problem
            if (
                checkpoints is not None
                and stored
                and bookkeeping.n_done
                and (command == Command.DRAIN or scheduler.checkpoint_due())
            ):
                scheduler.checkpoint_taken(checkpoints.write(bookkeeping.record(sums, "running", "")))
        if scheduler.queue.round_done and not scheduler.outcome:
            if run.target_error is not None and sums.watch.error(bookkeeping.n_done, sums.tallies) <= run.target_error:
                scheduler.reached_target()
            else:
                scheduler.queue.open_round()

    done_before = bookkeeping.n_done
    with progress_bar(config, show, done_before) as bar:

        def tick() -> None:
            if bar is not None:
                bar.update(done_before + scheduler.queue.finished, sums, bookkeeping.n_done + len(sums.finished))

        _run_batches(worker, link, threads, stop, take_in, tick)
    link.part()
    return bookkeeping.record(sums, scheduler.outcome, scheduler.failure)


def _add_up(processes: Processes, sums: RunSums, bookkeeping: Bookkeeping) -> None:
    """Add the sums of all ranks on rank 0, which calls this; the others call :func:`_work_for_others`."""
    processes.collect(sums.arrays())
    bookkeeping.note(processes.gather((sums.finished, sums.lost)))
    sums.finished, sums.lost = [], []


def _work_for_others(worker: _Worker, link: OtherRank, threads: int, stop: StopSignal) -> None:
    """Simulate batches on a rank other than 0, and send its sums to rank 0 on each command."""
    sums, processes = worker.sums, link.processes

    def give(_command: Command) -> None:
        with sums.lock:
            processes.collect(sums.arrays())
            processes.gather((sums.finished, sums.lost))
            link.settle(worker.frames)
            sums.clear()

    _run_batches(worker, link, threads, stop, give)
    link.part()


def run_to_file(
    config: Config,
    path: str | Path,
    threads: int | None = None,
    progress: bool = False,
    *,
    resume: bool = False,
    batches: tuple[int, int] | None = None,
    replace: bool = True,
) -> str:
    """Run a configuration and write its result file; under mpirun every rank calls this and rank 0 writes.

    Checkpoints of the finished batches are written to the file during the run (``run.checkpoint_minutes``). A lock
    beside the file keeps other runs from writing it until this one has ended.

    Parameters
    ----------
    config, threads, progress
        See :func:`simulate`.
    path : path
        Replaced if it exists, unless ``resume`` is given. Of a symbolic link the file that it leads to is written.
    resume : bool
        Continue from the batches in the file, if it exists.
    batches : (int, int), optional
        First batch to do and the one after the last; default all.
    replace : bool
        If false, an existing file is an error, unless ``resume`` is given.

    Returns
    -------
    str
        ``complete``, ``target`` (of ``run.target_error``), ``time`` (``run.max_minutes``) or ``interrupted``; on ranks
        other than 0 always ``complete``.

    Raises
    ------
    InputError
        If the file cannot be written there, another run is writing it, the run cannot continue from it, or the MPI
        launcher and mpi4py do not match.
    RunError
        If a batch failed (without MPI; under MPI all ranks are aborted with the same message). The finished batches
        are in the file.
    """
    path = followed(Path(path))
    processes = connect()
    if resume:
        config = _with_batch_size_of(path, config, processes)
    with contextlib.ExitStack() as held:
        problem = ""
        if processes.first:
            try:
                check_output(path)
                probe_folder(path)
                check_range(batches, config)
                held.enter_context(sole_writer(path))
                # looked at under the lock: another run may have written it since the command line was checked
                if path.exists() and not (resume or replace):
                    raise InputError(f"output: {path} exists")
            except InputError as exc:
                problem = str(exc)
        _agree(processes, problem)
        return _run_to_file(config, path, threads, progress, processes, resume, batches)


def _run_to_file(
    config: Config,
    path: Path,
    threads: int | None,
    progress: bool,
    processes: Processes,
    resume: bool,
    batches: tuple[int, int] | None,
) -> str:
    """Run a configuration and write its result file, on which rank 0 holds the lock; see :func:`run_to_file`."""
    problem, start, idle, journal = "", None, False, None
    with stop_signals() as stop:
        setup = make_setup(config)
        if processes.first:
            try:
                remove_leftovers(path)
                if resume:
                    start = resume_point(path, config, setup.models, setup.detectors)
                    idle = start is not None and nothing_left(start, config, batches)
                journal = _open_journal(path, config, start, idle)
            except InputError as exc:
                problem = str(exc)
        _agree(processes, problem)
        if processes.agree("idle" if idle else ""):
            return "complete"
        try:
            record = simulate(
                config,
                threads,
                progress,
                processes,
                start=start,
                batches=batches,
                checkpoints=Checkpoints(path),
                stop=stop,
                journal=journal,
                setup=setup,
            )
        finally:
            if journal is not None:
                journal.close()
    if record is None:
        return "complete"
    if journal is not None and journal.problem:
        raise InputError(f"{journal.problem}; the run stopped, {last_checkpoint(path)}")
    if record.batches_done.any():
        save_result(record, path)
    if record.outcome in ("complete", "target"):
        finish_events(path, record)
    if record.outcome == "failed":
        message = f"{record.failure} ({progress_in_words(record, path)})"
        processes.abort(message)
        raise RunError(message)
    if record.outcome in ("time", "interrupted"):
        why = record.failure or f"stopped after run.max_minutes = {config.run.max_minutes:g}"
        print(f"sim3d: {why}; {progress_in_words(record, path)}", file=sys.stderr, flush=True)
    return record.outcome


def _with_batch_size_of(path: Path, config: Config, processes: Processes) -> Config:
    """Take the batch size of the file that rank 0 continues from, where the configuration leaves it to be chosen."""
    answer = ""
    if processes.first and path.exists():
        try:
            answer = str(stored_batch_size(path))
        except InputError as exc:
            answer = str(exc)
    answer = processes.agree(answer)
    if answer and not answer.isdecimal():
        raise InputError(answer)
    return with_stored_batch_size(config, int(answer)) if answer else config


def _agree(processes: Processes, problem: str) -> None:
    """Raise on every rank an error that rank 0 met, if it met one."""
    if problem := processes.agree(problem):
        raise InputError(problem)


def _open_journal(path: Path, config: Config, start: RunRecord | None, idle: bool) -> EventJournal | None:
    """Open the journal of a run's event records; None if it makes none, or all its batches are done."""
    if not config.scoring.events:
        return None
    if start is not None:
        EventStore.of(path, start)  # checks that all records are there
        if idle:
            finish_events(path, start)
            return None
    unfinished = start is None and journal_path(path).exists()
    journal = EventJournal(path, config.n_batches, None if start is None else start.events)
    if unfinished:
        path.unlink(missing_ok=True)  # it cannot be resumed: the new journal has replaced its records
    return journal
