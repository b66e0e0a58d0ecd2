"""MPI communication between the processes of a run, with the same interface for a single process.

mpi4py is imported only when an MPI launcher started the process: ``import mpi4py.MPI`` fails where no MPI is installed.
"""

from __future__ import annotations

import functools
import os
import platform
import re
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from sim3d.errors import InputError
from sim3d.launcher import UNKNOWN_SIZE, launched_size, rank_variable, slurm_tasks, usable_cores, wanted_threads
from sim3d.scoring.exact_sums import LIMB_BITS

_TAG = 71
_WAITING_S = 0.01
_HALF_LIMB = LIMB_BITS // 2


class Processes:
    """Processes of a run: rank, size, and the communication that the engine needs.

    Parameters
    ----------
    communicator : mpi4py.MPI.Comm, optional
        By default there is one process.

    Attributes
    ----------
    rank, size : int
    """

    def __init__(self, communicator: Any = None) -> None:
        self.communicator = communicator
        self.rank = 0 if communicator is None else int(communicator.Get_rank())
        self.size = 1 if communicator is None else int(communicator.Get_size())
        self._sending: list[Any] = []  # kept: a dropped request may free its message before it is sent
        self._command: tuple[Any, np.ndarray] | None = None  # the broadcast that this rank waits for

    @property
    def first(self) -> bool:
        """Whether this process is rank 0, which writes the file and all messages to the user."""
        return self.rank == 0

    def send(self, message: Any, to: int) -> None:
        """Start sending a message, without waiting.

        Parameters
        ----------
        message : object
        to : int
            Rank of the receiver.
        """
        self._sending = [request for request in self._sending if not request.Test()]
        self._sending.append(self.communicator.isend(message, dest=to, tag=_TAG))

    def unsent(self) -> int:
        """Count the messages that are not sent yet."""
        self._sending = [request for request in self._sending if not request.Test()]
        return len(self._sending)

    def receive(self) -> Iterator[tuple[int, Any]]:
        """Receive the messages that have arrived, without waiting.

        Yields
        ------
        (int, object)
            Rank of the sender and the message.
        """
        while self.size > 1 and self.communicator.iprobe(tag=_TAG):
            yield self.wait_for_message()

    def wait_for_message(self) -> tuple[int, Any]:
        """Wait for the next message.

        Returns
        -------
        (int, object)
            Rank of the sender and the message.
        """
        from mpi4py import MPI

        status = MPI.Status()
        message = self.communicator.recv(tag=_TAG, status=status)
        return status.Get_source(), message

    def finish_sending(self) -> None:
        """Wait until all messages are sent."""
        for request in self._sending:
            request.wait()
        self._sending.clear()

    def command(self, number: int) -> None:
        """Broadcast a command to all other ranks (rank 0 only); they receive it with :meth:`commanded`.

        Parameters
        ----------
        number : int
            The command, not 0.
        """
        if self.size > 1:
            self.communicator.Ibcast(np.array([number], dtype=np.int64), root=0).Wait()

    def commanded(self) -> int:
        """Check for a command from rank 0, without waiting.

        The broadcast is a tree: with 10^4 ranks rank 0 sends some 14 messages, not 10^4.

        Returns
        -------
        int
            The command, or 0 if none has arrived.
        """
        if self._command is None:
            buffer = np.zeros(1, dtype=np.int64)
            self._command = (self.communicator.Ibcast(buffer, root=0), buffer)
        request, buffer = self._command
        if not request.Test():
            return 0
        self._command = None
        return int(buffer[0])

    def gather(self, value: Any) -> list[Any]:
        """Gather a value of every rank on rank 0; all ranks must call this.

        Parameters
        ----------
        value : object

        Returns
        -------
        list
            The values by rank on rank 0, an empty list elsewhere.
        """
        if self.size == 1:
            return [value]
        return self.communicator.gather(value, root=0) or []

    def scatter(self, values: list[int] | None) -> int:
        """Scatter a list of rank 0 over the ranks, one value to each; all ranks must call this.

        Parameters
        ----------
        values : list of int or None
            By rank; None on ranks other than 0.

        Returns
        -------
        int
            The value for this rank.
        """
        if self.size == 1:
            return values[0] if values else 0
        return int(self.communicator.scatter(values, root=0))

    def barrier(self) -> None:
        """Wait for all ranks, without keeping a core busy."""
        if self.size > 1:
            request = self.communicator.Ibarrier()
            while not request.Test():
                time.sleep(_WAITING_S)

    def describe(self, threads: int) -> str:
        """Describe ranks, threads, nodes and cores in words; all ranks must call this.

        Parameters
        ----------
        threads : int
            Threads of this process.

        Returns
        -------
        str
        """
        this_process = (platform.node(), threads, usable_cores())
        everyone = [this_process] if self.communicator is None else self.communicator.allgather(this_process)
        nodes: dict[str, frozenset[int]] = {}
        for node, _, cores in everyone:
            nodes[node] = nodes.get(node, frozenset()) | cores
        available = sum(len(cores) for cores in nodes.values())
        used = sum(n for _, n, _ in everyone)
        least, most = min(n for _, n, _ in everyone), max(n for _, n, _ in everyone)
        each = f"{least}" if least == most else f"{least}-{most}"
        text = f"{self.size} ranks x {each} threads on {len(nodes)} nodes with {available} usable cores"
        for plural in ("ranks", "threads", "nodes", "cores"):
            text = re.sub(rf"\b1 (usable )?{plural}\b", rf"1 \g<1>{plural[:-1]}", text)
        return text + (f" (more threads than cores: {used})" if used > available else "")

    def node(self) -> tuple[int, int]:
        """Count the nodes, and number this process among those of its node; all ranks must call this.

        Returns
        -------
        nodes, rank : int
            Number of nodes, and this process's rank on its node.
        """
        if self.size == 1:
            return 1, 0
        from mpi4py import MPI

        local = self.communicator.Split_type(MPI.COMM_TYPE_SHARED)
        rank = int(local.Get_rank())
        local.Free()
        return int(self.communicator.allreduce(int(rank == 0))), rank

    def default_threads(self) -> int:
        """Compute the number of threads for this process's share of its node's cores; all ranks must call this.

        The ranks of a node share all cores that any of them may use, whether the launcher bound ranks to cores or not.
        ``OMP_NUM_THREADS`` asks for fewer.

        Returns
        -------
        int
        """
        this_process = (platform.node(), usable_cores())
        everyone = [this_process] if self.communicator is None else self.communicator.allgather(this_process)
        neighbours = [cores for node, cores in everyone if node == this_process[0]]
        share = max(1, min(len(this_process[1]), len(frozenset().union(*neighbours)) // len(neighbours)))
        return min(share, wanted_threads() or share)

    def agree(self, message: str) -> str:
        """Broadcast a message of rank 0; all ranks must call this.

        Parameters
        ----------
        message : str
            Ignored on ranks other than 0.

        Returns
        -------
        str
            Rank 0's message.
        """
        return message if self.communicator is None else str(self.communicator.bcast(message, root=0))

    def reduce(self, array: np.ndarray) -> None:
        """Add an array over all ranks into that of rank 0, in place; all ranks must call this.

        Parameters
        ----------
        array : int64 array
        """
        if self.communicator is None or self.size == 1:
            return
        from mpi4py import MPI

        if self.first:
            self.communicator.Reduce(MPI.IN_PLACE, array, op=MPI.SUM, root=0)
        else:
            self.communicator.Reduce(array, None, op=MPI.SUM, root=0)

    def collect(self, sums: dict[str, np.ndarray]) -> None:
        """Add integer arrays over all ranks into those of rank 0, exactly; all ranks must call this.

        The arrays of other ranks may change.

        Parameters
        ----------
        sums : dict of int64 arrays
            ``NAME/high`` and ``NAME/low`` are the two limbs of one sum.
        """
        if self.size == 1:
            return
        for name, array in sums.items():
            if not name.endswith("/low"):
                self.reduce(array)
                continue
            # many full limbs would overflow 64 bits when added; halves leave room for 2^32 ranks
            upper = array >> _HALF_LIMB
            array &= (1 << _HALF_LIMB) - 1
            self.reduce(upper)
            self.reduce(array)
            if self.first:
                high = sums[name.removesuffix("low") + "high"]
                upper += array >> _HALF_LIMB
                array &= (1 << _HALF_LIMB) - 1
                high += upper >> (LIMB_BITS - _HALF_LIMB)
                array += (upper & ((1 << (LIMB_BITS - _HALF_LIMB)) - 1)) << _HALF_LIMB

    def abort(self, message: str) -> None:
        """Print an error message and stop all ranks; returns only in a run without MPI.

        Parameters
        ----------
        message : str
        """
        if self.communicator is None:
            return
        sys.stderr.write(f"sim3d: error: {message}\n")
        sys.stderr.flush()
        self.communicator.Abort(1)


def connect() -> Processes:
    """Connect to the other processes of an MPI launch, if an MPI launcher started this process.

    Returns
    -------
    Processes

    Raises
    ------
    InputError
        If a launcher started several processes but mpi4py is missing or belongs to another MPI.
    """
    expected = launched_size()
    if expected is None:
        _warn_of_lone_tasks()
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
            "mpirun and mpi4py belong to different MPI installations; use the mpirun of mpi4py's MPI (with srun the "
            f"--mpi that fits it), or unset {rank_variable() or 'its variables'} and the like if they are left over "
            "from another job"
        )
    return Processes(MPI.COMM_WORLD)


@functools.cache
def _warn_of_lone_tasks() -> None:
    """Warn, on the first of several tasks of one srun, that each of them makes the whole run by itself."""
    tasks = slurm_tasks()
    if tasks > 1 and os.environ.get("SLURM_PROCID", "0") == "0":
        sys.stderr.write(
            f"sim3d: warning: srun started {tasks} tasks (SLURM_STEP_NUM_TASKS) without MPI, so each of them makes the "
            "whole run by itself; for one run give srun --mpi=pmix, or use mpirun\n"
        )
        sys.stderr.flush()
