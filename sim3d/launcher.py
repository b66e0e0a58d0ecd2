"""Read the rank and the number of processes from the environment of an MPI launcher, and count the usable cores.

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
    return UNKNOWN_SIZE if any(name in os.environ for name in silent) else None


def launcher_rank() -> int | None:
    """Return the MPI rank of this process from the launcher's environment; None without a launcher."""
    for launcher in _LAUNCHERS:
        value = os.environ.get(launcher.rank, "")
        if value.isdigit():
            return int(value)
    return None


def usable_cores() -> frozenset[int]:
    """Return the numbers of the cores on which this process may run."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))
