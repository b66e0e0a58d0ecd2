"""Compile the kernels of a run, or load them from the cache, by one process at a time for each cache folder.

numba names a cache file by a number that it takes from an index, and two processes that compile at once can take the
same number. So under MPI rank 0 compiles first, then the first rank of every node (whose folder may be another), then
all others. Independent processes (the tasks of a job array) wait for locks in the folder, one for each sampling mode,
unless a mark file in it shows that all kernels are there already.
"""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from sim3d.files.event_journal import BatchRecorder
from sim3d.files.locks import alone
from sim3d.jit_cache import CACHE_FOLDER
from sim3d.sampling.batch import empty_scores
from sim3d.scoring.tally import SiteTally
from sim3d.simulation.processes import Processes
from sim3d.simulation.setup import Setup


def compile_kernels(setup: Setup, processes: Processes, show: bool = False) -> float:
    """Compile or load all kernels that a batch needs; all ranks must call this.

    Parameters
    ----------
    setup : Setup
    processes : Processes
    show : bool
        Print a line if the kernels are not in the cache.

    Returns
    -------
    float
        Seconds that it took.
    """
    started = time.perf_counter()
    _, local_rank = processes.node()
    mark = _mark(setup)
    for turn in (processes.first, local_rank == 0 and not processes.first, local_rank != 0 and not processes.first):
        if turn:
            with _alone(mark, "sums"):
                _empty_sums(setup)
            with _alone(mark, *_modes(setup)):
                if show and (mark is None or not mark.exists()):
                    note = "sim3d: compiling the kernels (once per version, about 20 s) ..."
                    print(note, file=sys.stderr, flush=True)
                _empty_batch(setup)
                if mark is not None:
                    with contextlib.suppress(OSError):
                        mark.touch()
        processes.barrier()
    return time.perf_counter() - started


def _modes(setup: Setup) -> list[str]:
    """Names of the sampling modes whose kernels a run uses, in a fixed order."""
    return [setup.config.sampling.mode] + (["muons"] if setup.config.scoring.muons else [])


def _empty_sums(setup: Setup) -> None:
    """Add a batch without hits to the sums of a site, which compiles the kernels of all modes."""
    scores = empty_scores(1, setup.n_azimuth)
    SiteTally(setup.n_azimuth).add_batch(scores.flux[0], scores.hits[0], scores.weights[0], 0)


def _empty_batch(setup: Setup) -> None:
    """Simulate a batch without primaries, which compiles its kernels."""
    small = setup.config.model_copy(update={"run": setup.config.run.model_copy(update={"batch_size": 0})})
    idle = replace(setup, config=small)
    scores = empty_scores(len(setup.detectors), setup.n_azimuth)
    recorder = BatchRecorder() if setup.config.scoring.events else None
    extras = setup.empty_extras()
    idle.batch_function()(0, scores, recorder, extras)


def _mark(setup: Setup) -> Path | None:
    """Return the file that marks the kernels of this sampling mode as cached, for this type of processor."""
    if CACHE_FOLDER is None:
        return None
    from llvmlite import binding

    kernel = setup.config.sampling.mode + ("-gradients" if setup.columns else "")
    kernel += "-muons" if setup.config.scoring.muons else ""
    kernel += "" if setup.config.scoring.neutrinos else "-alone"
    return Path(CACHE_FOLDER) / f"compiled-{kernel}-{binding.get_host_cpu_name()}"


@contextlib.contextmanager
def _alone(mark: Path | None, *names: str) -> Iterator[None]:
    """Lock kernels of these names in the cache folder against other processes until they are marked as complete."""
    with contextlib.ExitStack() as held:
        if mark is not None and not mark.exists():
            for name in names:
                held.enter_context(alone(mark.parent / f"lock-{name}"))
        yield
