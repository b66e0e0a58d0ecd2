"""Running a simulation: batches over threads and ranks, exact sums, one result file."""

from __future__ import annotations

import contextlib
import datetime
import platform
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

import sim3d
from sim3d.binning import ENERGY_EDGES_GEV, N_COS, N_ENERGY, N_FLAVOURS
from sim3d.config import Config, load_config, make_config
from sim3d.errors import InputError
from sim3d.hit_weights import empty_weights
from sim3d.jit_cache import CACHE_FOLDER
from sim3d.parallel import Processes, connect
from sim3d.result_file import RunRecord, make_tally, probe_folder, save_result
from sim3d.results import Result
from sim3d.sampling import C_PRIMARIES, COUNTERS, N_COUNTERS
from sim3d.setup_run import Setup, make_setup
from sim3d.tally import SiteTally

_POLL_S = 0.5


class RunError(RuntimeError):
    """A run that failed; the message names the rank and the primary."""


@dataclass
class _Progress:
    """What is shown while a run goes on; floats are good enough here."""

    bar: Any
    window: slice
    n: int = 0
    total: float = 0.0
    squares: float = 0.0

    def update(self, scores: np.ndarray, primaries: int) -> None:
        value = float(scores[0, :, self.window].sum())
        self.n += 1
        self.total += value
        self.squares += value * value
        if self.n > 1 and self.total > 0.0:
            mean = self.total / self.n
            variance = max(0.0, self.squares / self.n - mean * mean) / (self.n - 1)
            self.bar.set_postfix_str(f"error 0.5-3 GeV {100.0 * variance**0.5 / mean:.2g}%", refresh=False)
        self.bar.update(primaries)


@dataclass
class _Sums:
    """Integer sums of this process, guarded by a lock."""

    tallies: list[SiteTally]
    counters: np.ndarray
    done: np.ndarray
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Worker:
    """Simulates batches in any thread; each thread keeps its own buffers."""

    def __init__(self, setup: Setup, sums: _Sums, progress: _Progress | None, rank: int) -> None:
        self.setup = setup
        self.simulate = setup.batch_function()
        self.sums = sums
        self.progress = progress
        self.rank = rank
        self.local = threading.local()
        self.stopping = threading.Event()

    def __call__(self, batch: int) -> bool:
        if self.stopping.is_set():
            return False
        if not hasattr(self.local, "scores"):
            shape = (len(self.setup.detectors), N_FLAVOURS, N_ENERGY, N_COS, self.setup.n_azimuth)
            self.local.scores = np.empty(shape)
            self.local.hits = np.empty(shape, dtype=np.int64)
            self.local.weights = empty_weights(len(self.setup.detectors))
        scores, hits, weights = self.local.scores, self.local.hits, self.local.weights
        scores[:] = 0.0
        hits[:] = 0
        weights[:] = 0
        counters = np.zeros(N_COUNTERS, dtype=np.int64)
        status = np.full(1, -1, dtype=np.int64)
        try:
            self.simulate(batch, scores, hits, weights, counters, status)
            with self.sums.lock:
                for k, tally in enumerate(self.sums.tallies):
                    tally.add_batch(scores[k], hits[k], weights[k], batch)
                self.sums.counters += counters
                self.sums.done[batch] = 1
                if self.progress is not None:
                    self.progress.update(scores, int(counters[C_PRIMARIES]))
        except Exception as exc:
            raise RunError(f"rank {self.rank}, primary {int(status[0])}: {type(exc).__name__}: {exc}") from exc
        return True


def _compile(setup: Setup) -> float:
    """Compile the kernels (or load them from the cache) on an empty batch; returns seconds."""
    started = time.perf_counter()
    shape = (len(setup.detectors), N_FLAVOURS, N_ENERGY, N_COS, setup.n_azimuth)
    small = setup.config.model_copy(update={"run": setup.config.run.model_copy(update={"batch_size": 0})})
    idle = Setup(**{**setup.__dict__, "config": small})
    scores = np.zeros(shape)
    hits = np.zeros(shape, dtype=np.int64)
    weights = empty_weights(len(setup.detectors))
    idle.batch_function()(0, scores, hits, weights, np.zeros(N_COUNTERS, np.int64), np.zeros(1, np.int64))
    SiteTally(setup.n_azimuth).add_batch(scores[0], hits[0], weights[0], 0)
    return time.perf_counter() - started


@contextlib.contextmanager
def _progress_bar(config: Config, show: bool, n_batches: int) -> Iterator[_Progress | None]:
    """A bar on a terminal, nothing in a log."""
    if not show:
        yield None
        return
    centres = np.sqrt(ENERGY_EDGES_GEV[1:] * ENERGY_EDGES_GEV[:-1])
    inside = np.flatnonzero((centres >= 0.5) & (centres <= 3.0))
    bar = tqdm(total=n_batches * config.run.batch_size, unit=" primaries", unit_scale=True, disable=None)
    with bar:
        yield _Progress(bar, slice(int(inside[0]), int(inside[-1]) + 1))


def _run_batches(worker: _Worker, batches: range, threads: int, processes: Processes) -> str | None:
    """Simulate this rank's batches; returns a failure message, or None."""
    pending: set[Future[bool]] = set()
    todo = iter(batches)
    failure: str | None = None
    with ThreadPoolExecutor(threads) as pool:
        try:
            while True:
                while len(pending) < 2 * threads and (batch := next(todo, None)) is not None:
                    pending.add(pool.submit(worker, batch))
                if not pending:
                    break
                finished, pending = wait(pending, timeout=_POLL_S, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()
                if processes.stop_requested():
                    failure = ""
                    break
        except RunError as exc:
            failure = str(exc)
            processes.announce_stop()
        except KeyboardInterrupt:
            failure = f"rank {processes.rank}: interrupted"
            processes.announce_stop()
        worker.stopping.set()
    return failure


def _provenance(setup: Setup, processes: Processes, threads: int, seconds: float, compile_s: float) -> dict[str, Any]:
    from importlib.metadata import version

    libraries = {name: version(name) for name in ("numpy", "numba", "scipy", "h5py", "ppigrf", "particle")}
    return {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "sim3d": sim3d.__version__,
        "ranks": processes.size,
        "threads": threads,
        "wall_time_s": round(seconds, 3),
        "compile_time_s": round(compile_s, 3),
        "libraries": ", ".join(f"{k} {v}" for k, v in libraries.items()),
    }


def simulate(
    config: Config, threads: int | None = None, progress: bool = False, processes: Processes | None = None
) -> RunRecord | None:
    """Run all batches of a configuration.

    Parameters
    ----------
    config : Config
    threads : int, optional
        Threads of this process; the default uses the cores it may use.
    progress : bool
        Show a progress bar (on a terminal only) and a line while compiling.
    processes : Processes, optional
        Processes to share the work with; the default stands alone.

    Returns
    -------
    RunRecord or None
        The sums on rank 0, None on other ranks. If a batch failed or the run was interrupted, the record's
        ``failure`` says so and its sums hold what was finished.
    """
    processes = processes or Processes()
    threads = threads or processes.default_threads()
    setup = make_setup(config)
    show = progress and processes.first
    if show and not _kernels_cached(config.sampling.mode):
        print("sim3d: compiling the kernels (once per version, about 20 s) ...", file=sys.stderr, flush=True)
    compile_s = _compile(setup)
    n_batches = config.n_batches
    mine = range(processes.rank, n_batches, processes.size)
    sums = _Sums(
        [make_tally(config, detector) for detector in setup.detectors],
        np.zeros(N_COUNTERS, dtype=np.int64),
        np.zeros(n_batches, dtype=np.int64),
    )
    started = time.perf_counter()
    with _progress_bar(config, show, len(mine)) as bar:
        worker = _Worker(setup, sums, bar, processes.rank)
        failure = _run_batches(worker, mine, threads, processes)
    messages = processes.gather_messages(failure)
    for tally in sums.tallies:
        processes.reduce_tally(tally)
    processes.reduce(sums.counters)
    processes.reduce(sums.done)
    seconds = time.perf_counter() - started
    if not processes.first:
        return None
    return RunRecord(
        config=config,
        detectors=setup.detectors,
        tallies=sums.tallies,
        counters={name: int(sums.counters[k]) for k, name in enumerate(COUNTERS)},
        batches_done=sums.done.astype(bool),
        models={
            "field_generation": setup.field.generation,
            "field_date": config.field.date,
            "field_degree": config.field.degree,
            "atmosphere": setup.atmosphere.name,
            "atmosphere_top_km": float(setup.atmosphere.top_km),
            "hadronic_model": setup.hadronic.name,
            "hadronic_definition": setup.hadronic.definition,
            "primary_model": setup.primaries.name,
            "solar_potential_MV": setup.primaries.solar_potential_MV,
        },
        provenance=_provenance(setup, processes, threads, seconds, compile_s),
        failure="; ".join(messages),
    )


@contextlib.contextmanager
def _termination_interrupts() -> Iterator[None]:
    """Treat SIGTERM like Ctrl-C while a run goes on (batch systems send it before they kill)."""

    def interrupt(_number: int, _frame: Any) -> None:
        raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)


def _kernels_cached(mode: str) -> bool:
    return CACHE_FOLDER is not None and any(Path(CACHE_FOLDER).rglob(f"*{mode}_batch*.nbc"))


def run_to_file(config: Config, path: str | Path, threads: int | None = None, progress: bool = False) -> None:
    """Run a configuration and write its result file; under mpirun every rank calls this and rank 0 writes.

    Raises
    ------
    InputError
        If the file cannot be written there, or the MPI launcher and mpi4py do not match.
    RunError
        If a batch failed (without MPI; under MPI all ranks are aborted with the same message). What was finished is
        kept in ``<path>.partial.h5``.
    """
    path = Path(path)
    processes = connect()
    problem = ""
    if processes.first:
        try:
            probe_folder(path)
        except InputError as exc:
            problem = str(exc)
    if problem := processes.agree(problem):
        raise InputError(problem)
    with _termination_interrupts():
        record = simulate(config, threads, progress, processes)
    if record is None:
        return
    if record.failure:
        saved = ""
        if record.batches_done.sum() >= 2:
            partial = path.with_name(path.name + ".partial.h5")
            save_result(record, partial)
            saved = f" (the {int(record.batches_done.sum())} finished batches are in {partial})"
        message = record.failure + saved
        processes.abort(message)
        if message.startswith("rank 0: interrupted"):
            print(f"sim3d: {message}", file=sys.stderr)
            raise KeyboardInterrupt
        raise RunError(message)
    save_result(record, path)


def run(
    config: Config | Mapping[str, Any] | str | Path,
    threads: int | None = None,
    progress: bool = False,
) -> Result:
    """Run a simulation in this process and return its result.

    Parameters
    ----------
    config : Config, mapping or path
        A checked configuration, nested mappings as a TOML file would give them, or the path of one.
    threads, progress
        See :func:`simulate`.

    Raises
    ------
    InputError
        For a bad configuration (one line naming the key, the value and what is allowed).
    """
    if isinstance(config, Mapping):
        config = make_config(config)
    elif not isinstance(config, Config):
        config = load_config(config)
    record = simulate(config, threads, progress)
    if record is None:  # cannot happen without other ranks
        raise InputError("sim3d.run is for one process; use `mpirun sim3d run` for several")
    if record.failure:
        raise RunError(record.failure)
    return record.result()
