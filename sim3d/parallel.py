"""One code path for one process, threads and mpirun.

mpi4py is imported only when an MPI launcher started the process: ``import mpi4py.MPI`` fails where no MPI is installed.
"""

from __future__ import annotations

import os
import platform
import sys
from typing import Any

import numpy as np

from sim3d.errors import InputError
from sim3d.tally import LIMB_BITS, SiteTally

# Number of processes as the launchers of Open MPI, MPICH (Hydra) and MVAPICH give it. SLURM_NTASKS is no sign of MPI.
_SIZE_VARIABLES = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
_STOP_TAG = 71
_HALF_LIMB = LIMB_BITS // 2


UNKNOWN_SIZE = 0
"""What :func:`launched_size` returns for a launcher (srun with PMIx) that does not say how many it started."""


def launched_size() -> int | None:
    """Number of processes an MPI launcher says it started, or None when there is none."""
    for name in _SIZE_VARIABLES:
        value = os.environ.get(name, "")
        if value.isdigit():
            return int(value)
    return UNKNOWN_SIZE if "PMIX_RANK" in os.environ else None


def usable_cores() -> frozenset[int]:
    """Cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


class Processes:
    """The processes of a run: rank, size, and the few exchanges the engine needs."""

    def __init__(self, communicator: Any = None) -> None:
        self.communicator = communicator
        self.rank = 0 if communicator is None else int(communicator.Get_rank())
        self.size = 1 if communicator is None else int(communicator.Get_size())
        self._sent: list[Any] = []  # a request that is dropped may free its message before it is sent

    @property
    def first(self) -> bool:
        """Whether this process writes the file and talks to the user."""
        return self.rank == 0

    def announce_stop(self) -> None:
        """Ask all other ranks to stop at their next batch."""
        if self.communicator is not None:
            for other in range(self.size):
                if other != self.rank:
                    self._sent.append(self.communicator.isend(self.rank, dest=other, tag=_STOP_TAG))

    def stop_requested(self) -> bool:
        """Whether another rank asked to stop (does not wait)."""
        return self.communicator is not None and bool(self.communicator.iprobe(tag=_STOP_TAG))

    def gather_messages(self, message: str | None) -> list[str]:
        """Failure messages of all ranks, on every rank."""
        if self.communicator is None:
            return [message] if message else []
        self._drain()
        return [m for m in self.communicator.allgather(message) if m]

    def default_threads(self) -> int:
        """Threads for this process that use its node's cores without oversubscribing them.

        Whether or not the launcher bound the ranks, those of one node share the cores any of them may use.
        """
        mine = (platform.node(), usable_cores())
        everyone = [mine] if self.communicator is None else self.communicator.allgather(mine)
        neighbours = [cores for node, cores in everyone if node == mine[0]]
        return max(1, min(len(mine[1]), len(frozenset().union(*neighbours)) // len(neighbours)))

    def agree(self, message: str) -> str:
        """Rank 0's message, on every rank."""
        return message if self.communicator is None else str(self.communicator.bcast(message, root=0))

    def _drain(self) -> None:
        # all stop messages were sent before the barrier; receive them so that finalising does not hang
        self.communicator.Barrier()
        while self.communicator.iprobe(tag=_STOP_TAG):
            self.communicator.recv(tag=_STOP_TAG)
        for request in self._sent:
            request.wait()
        self._sent.clear()

    def reduce(self, array: np.ndarray) -> None:
        """Add an int64 array over all ranks into rank 0's, in place."""
        if self.communicator is None or self.size == 1:
            return
        from mpi4py import MPI

        if self.first:
            self.communicator.Reduce(MPI.IN_PLACE, array, op=MPI.SUM, root=0)
        else:
            self.communicator.Reduce(array, None, op=MPI.SUM, root=0)

    def reduce_tally(self, tally: SiteTally) -> None:
        """Add a site's integer sums over all ranks into rank 0's, exactly."""
        if self.communicator is None or self.size == 1:
            return
        for array in (tally.total, tally.hits, tally.weights, tally.east_west, tally.bands):
            self.reduce(array)
        for high, low in tally.squares.values():
            # two full limbs would overflow 64 bits when added; halves leave room for 2^32 ranks
            upper = low >> _HALF_LIMB
            low &= (1 << _HALF_LIMB) - 1
            for array in (high, upper, low):
                self.reduce(array)
            if self.first:
                upper += low >> _HALF_LIMB
                low &= (1 << _HALF_LIMB) - 1
                high += upper >> (LIMB_BITS - _HALF_LIMB)
                low += (upper & ((1 << (LIMB_BITS - _HALF_LIMB)) - 1)) << _HALF_LIMB

    def abort(self, message: str) -> None:
        """Stop all ranks with a message; returns only in a run without MPI."""
        if self.communicator is None:
            return
        sys.stderr.write(f"sim3d: error: {message}\n")
        sys.stderr.flush()
        self.communicator.Abort(1)


def connect() -> Processes:
    """Join the other processes of an MPI launch, or stand alone.

    Raises
    ------
    InputError
        If a launcher started several processes but mpi4py is missing or belongs to another MPI.
    """
    expected = launched_size()
    if expected is None:
        return Processes()
    try:
        from mpi4py import MPI
    except Exception as exc:  # ImportError, or RuntimeError when the MPI library cannot be loaded
        if expected == 1:
            return Processes()
        many = "several" if expected == UNKNOWN_SIZE else str(expected)
        raise InputError(
            f"mpirun started {many} processes, but mpi4py cannot be used ({exc}); "
            "install it for this MPI: pip install 'sim3d[mpi]', or mpi4py built against your cluster's MPI"
        ) from None
    size = MPI.COMM_WORLD.Get_size()
    if expected not in (size, UNKNOWN_SIZE):
        library = MPI.Get_library_version().split(",")[0].splitlines()[0]
        raise InputError(
            f"the launcher started {expected} processes but mpi4py's MPI ({library}) sees {size}: "
            "mpirun and mpi4py belong to different MPI installations; use the mpirun of mpi4py's MPI"
        )
    return Processes(MPI.COMM_WORLD)
