"""Read rank, number of processes and threads from the environment of an MPI launcher, and count the usable cores.

mpi4py is not imported: the command line needs its rank before MPI starts, and also without MPI.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class _Launcher(NamedTuple):
    """Environment variables of a launcher for the number of processes ("" if it has none) and the rank."""

    size: str
    rank: str


_LAUNCHERS = (
    _Launcher("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    _Launcher("", "PMIX_RANK"),  # srun with PMIx
    _Launcher("PMI_SIZE", "PMI_RANK"),  # MPICH (Hydra)
    _Launcher("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),  # MVAPICH
)
"""Launchers that are recognised; not SLURM_NTASKS and SLURM_PROCID, which Slurm sets without MPI, too."""

UNKNOWN_SIZE = 0
"""Return value of :func:`launched_size` for a launcher that does not state the number of processes (srun with PMIx)."""


def launched_size() -> int | None:
    """Return the number of processes that an MPI launcher has started.

    Returns
    -------
    int or None
        None without a launcher; :data:`UNKNOWN_SIZE` if the launcher does not state the number.
    """
    for launcher in _LAUNCHERS:
        value = os.environ.get(launcher.size, "")
        if value.isdigit():
            return int(value)
    silent = (launcher.rank for launcher in _LAUNCHERS if not launcher.size)
    # srun states the number of tasks in a variable of its own
    return slurm_tasks() or UNKNOWN_SIZE if any(name in os.environ for name in silent) else None


def launcher_rank() -> int | None:
    """Return the MPI rank of this process from the launcher's environment; None without a launcher.

    A rank without the number of processes that its launcher always states is left over from another job and ignored.
    """
    found = _rank_variable()
    return None if found is None else found[1]


def rank_variable() -> str:
    """Return the name of the environment variable that :func:`launcher_rank` reads; empty without a launcher."""
    found = _rank_variable()
    return "" if found is None else found[0]


def _rank_variable() -> tuple[str, int] | None:
    for launcher in _LAUNCHERS:
        value = os.environ.get(launcher.rank, "")
        stated = not launcher.size or os.environ.get(launcher.size, "").isdigit()
        if value.isdigit() and stated:
            return launcher.rank, int(value)
    return None


def slurm_tasks() -> int:
    """Return the number of tasks in this job step of Slurm (``SLURM_STEP_NUM_TASKS``); 0 outside one."""
    value = os.environ.get("SLURM_STEP_NUM_TASKS", "")
    return int(value) if value.isdigit() else 0


def wanted_threads() -> int | None:
    """Return the number of threads that ``OMP_NUM_THREADS`` asks for.

    Returns
    -------
    int or None
        Its first number (a list is for nested levels); None if it is not set or no positive number.
    """
    value = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    return int(value) if value.isdigit() and int(value) > 0 else None


def usable_cores() -> frozenset[int]:
    """Return the numbers of the cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))
