"""Compile the kernels of a run, or load them from the cache, by one process at a time for each cache folder.

numba names a cache file by a number that it takes from an index, and two processes that compile at once can take the
same number. So under MPI rank 0 compiles first, then the first rank of every node (whose folder may be another), then
all others. Independent processes (the tasks of a job array) wait for locks in the folder, one for each sampling mode,
unless a mark file in it shows that all kernels are there already.
"""

from __future__ import annotations

import contextlib
import hashlib
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import sim3d
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.event_journal import BatchRecorder
from sim3d.files.locks import alone
from sim3d.jit_cache import CACHE_FOLDER
from sim3d.sampling.batch import empty_scores
from sim3d.scoring.tally import SiteTally
from sim3d.simulation.compile_ahead import compile_ahead
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
            with _alone(mark, "sums", show=show):
                _empty_sums(setup)
            with _alone(mark, *_locks(setup), show=show):
                cold = mark is None or not mark.exists()
                begun = time.perf_counter()
                if show and cold:
                    print(_compile_note(setup, mark), file=sys.stderr, flush=True)
                _empty_batch(setup, ahead=cold and processes.size == 1)
                seconds = time.perf_counter() - begun
                if show and cold:
                    print(f"sim3d: compiled in {seconds:.0f} s", file=sys.stderr, flush=True)
                if mark is not None and cold:
                    with contextlib.suppress(OSError, InputError):
                        mark.touch()
                        write_bytes(_last_time(mark), f"{seconds:.0f}".encode())
        processes.barrier()
    return time.perf_counter() - started


def _modes(setup: Setup) -> list[str]:
    """Names of the batch kernels that a run uses."""
    return [setup.config.sampling.mode] + (["muons"] if setup.config.scoring.muons else [])


def _locks(setup: Setup) -> list[str]:
    """Names of the kernels that a run uses, in a fixed order: the shower, which all modes share, and the modes.

    Kernels with gradients are others than those without; ``targeted`` uses both kinds of the shower.
    """
    kind = "-gradients" if setup.columns else ""
    showers = [f"shower{kind}"]
    if kind and setup.config.sampling.mode == "targeted":
        showers.insert(0, "shower")
    return showers + [f"{mode}{kind}" for mode in _modes(setup)]


def _empty_sums(setup: Setup) -> None:
    """Add a batch without hits to the sums of a site, which compiles the kernels of all modes."""
    scores = empty_scores(1, setup.n_azimuth)
    SiteTally(setup.n_azimuth).add_batch(scores.flux[0], scores.hits[0], scores.weights[0], 0)


def _empty_batch(setup: Setup, *, ahead: bool) -> None:
    """Simulate a batch without primaries, which compiles its kernels; ``ahead`` in two processes where it can be."""
    small = setup.config.model_copy(update={"run": setup.config.run.model_copy(update={"batch_size": 0})})
    idle = replace(setup, config=small)
    scores = empty_scores(len(setup.detectors), setup.n_azimuth)
    recorder = BatchRecorder() if setup.config.scoring.events else None
    extras = setup.empty_extras()
    if ahead and setup.config.sampling.mode == "targeted" and setup.config.scoring.neutrinos:
        scored, _ = idle.optional_arguments(extras)
        compile_ahead(idle.batch_task(0), scores.counters, idle.aim, scored)
    idle.batch_function()(0, scores, recorder, extras)


def _compile_note(setup: Setup, mark: Path | None) -> str:
    """Say what is compiled, for how long, and why, in one line."""
    kind = " and ".join(_modes(setup))
    kind += " with gradients" if setup.columns else ""
    if mark is None:
        return f"sim3d: compiling the kernels for {kind}: no cache folder can be written, so each run does it ..."
    try:
        seconds = f"{float(_last_time(mark).read_text(encoding='ascii')):.0f} s last time"
    except (OSError, ValueError):
        seconds = "one to two minutes"
    return (
        f"sim3d: compiling the kernels for {kind} ({seconds}; once for each version, installation and kind of run) ..."
    )


def _last_time(mark: Path) -> Path:
    """Path of the file with the seconds that compiling this kind of run took last, of any version."""
    return mark.parent.parent / f"{mark.name.rpartition('-')[0]}.seconds"


def _mark(setup: Setup) -> Path | None:
    """Return the file that marks the kernels of this sampling mode as cached, for this type of processor.

    numba's index goes by the paths of the sources, so a mark is of one installation: the end of its name is a hash of
    the package's folder.
    """
    if CACHE_FOLDER is None:
        return None
    from llvmlite import binding

    kernel = setup.config.sampling.mode + ("-gradients" if setup.columns else "")
    kernel += "-muons" if setup.config.scoring.muons else ""
    kernel += "" if setup.config.scoring.neutrinos else "-alone"
    home = hashlib.sha256(str(Path(sim3d.__file__).resolve().parent).encode()).hexdigest()[:8]
    return Path(CACHE_FOLDER) / f"compiled-{kernel}-{binding.get_host_cpu_name()}-{home}"


def _say_waiting() -> None:
    """Say in one line why nothing happens."""
    print(
        f"sim3d: waiting for another process that compiles into {CACHE_FOLDER} "
        "(SIM3D_CACHE_DIR names another folder) ...",
        file=sys.stderr,
        flush=True,
    )


@contextlib.contextmanager
def _alone(mark: Path | None, *names: str, show: bool = False) -> Iterator[None]:
    """Lock kernels of these names in the cache folder against other processes until they are marked as complete."""
    with contextlib.ExitStack() as held:
        if mark is not None and not mark.exists():
            for name in names:
                held.enter_context(alone(mark.parent / f"lock-{name}", _say_waiting if show else None))
        yield
