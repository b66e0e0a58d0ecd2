"""Rank and number of processes as an MPI launcher states them in the environment, and the cores of this process.

Nothing heavy is imported: the command line asks for its rank before MPI starts, and without MPI.
"""

from __future__ import annotations

import os
from typing import NamedTuple


class _Launcher(NamedTuple):
    """Environment variables in which a launcher states the number of processes ("" if it does not) and the rank."""

    size: str
    rank: str


_LAUNCHERS = (
    _Launcher("OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_RANK"),  # Open MPI
    _Launcher("", "PMIX_RANK"),  # srun with PMIx
    _Launcher("PMI_SIZE", "PMI_RANK"),  # MPICH (Hydra)
    _Launcher("MV2_COMM_WORLD_SIZE", "MV2_COMM_WORLD_RANK"),  # MVAPICH
)
"""Not SLURM_NTASKS and SLURM_PROCID: Slurm sets them without MPI, too."""

UNKNOWN_SIZE = 0
"""What :func:`launched_size` returns for a launcher (srun with PMIx) that does not say how many it started."""


def launched_size() -> int | None:
    """Number of processes an MPI launcher says it started, or None when there is none."""
    for launcher in _LAUNCHERS:
        value = os.environ.get(launcher.size, "")
        if value.isdigit():
            return int(value)
    silent = (launcher.rank for launcher in _LAUNCHERS if not launcher.size)
    return UNKNOWN_SIZE if any(name in os.environ for name in silent) else None


def launcher_rank() -> int | None:
    """Rank of this process as its MPI launcher states it in the environment; None without a launcher."""
    for launcher in _LAUNCHERS:
        value = os.environ.get(launcher.rank, "")
        if value.isdigit():
            return int(value)
    return None


def usable_cores() -> frozenset[int]:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))
