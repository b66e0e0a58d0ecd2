"""Spread independent tasks over threads and MPI ranks, with a progress bar, and keep finished ones for ``--resume``."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.hdf5_writing import hdf5_image

_BETWEEN_SAVES_S = 5.0
_KEY = "inputs"
_NAME = "task"


class SharedMap:
    """A ``map`` for the functions of ``geomag`` that spreads tasks; every rank gets all results, in their order.

    Parameters
    ----------
    total : int
        Number of tasks of all calls together, for the bar.
    threads : int, optional
        Of this process; by default its share of the cores.
    store : Path, optional
        File for finished tasks; removed by :meth:`finish`. Without it nothing is kept.
    inputs : dict
        What the results depend on; a file with others is not resumed.
    resume : bool
        Take the tasks that the file holds as done.
    name : str
        In front of the bar, which appears on a terminal only.
    show : bool
        Whether to show a bar.

    Raises
    ------
    InputError
        If the file to resume from belongs to other inputs or cannot be read.
    """

    def __init__(
        self,
        total: int,
        *,
        threads: int | None = None,
        store: Path | None = None,
        inputs: dict[str, Any] | None = None,
        resume: bool = False,
        name: str = "cutoffs",
        show: bool = True,
    ) -> None:
        from tqdm import tqdm

        from sim3d.simulation.processes import connect

        self.processes = connect()
        self.threads = threads or self.processes.default_threads()
        self.section = ""
        self._store = store
        self._key = json.dumps(inputs or {}, sort_keys=True, default=str)
        self._done: dict[str, Array] = {}
        self._saved = time.monotonic()
        if store is not None and resume and store.exists():
            self._read(store)
        hidden = None if show and self.first else True
        self._bar = tqdm(total=total, initial=0, desc=name, unit="task", disable=hidden, file=sys.stderr)
        self._bar.update(len(self._done))

    @property
    def first(self) -> bool:
        """Whether this process writes files and messages."""
        return self.processes.first

    def __call__(self, function: Callable[[int], Array], tasks: Iterable[int]) -> Iterator[Array]:
        """Yield ``function(task)`` for every task, in order, each computed by one thread of one rank.

        Tasks of different calls are told apart by ``section``.
        """
        names = {task: f"{self.section}/{task}" for task in tasks}
        left = [task for task, name in names.items() if name not in self._done]
        ranks, rank = self.processes.size, self.processes.rank
        block = 2 * self.threads * ranks
        with ThreadPoolExecutor(self.threads) as pool:
            try:
                for start in range(0, len(left), block):
                    chunk = left[start : start + block]
                    mine = chunk[rank::ranks]
                    share = [*zip(mine, pool.map(function, mine), strict=True)]
                    for part in [share] if ranks == 1 else self.processes.communicator.allgather(share):
                        self._done.update({names[task]: result for task, result in part})
                    self._bar.update(len(chunk))
                    if time.monotonic() - self._saved > _BETWEEN_SAVES_S:
                        self._write()
            except BaseException:
                self._write()
                raise
        yield from (self._done[name] for name in names.values())

    def finish(self) -> None:
        """Close the bar and remove the file of finished tasks."""
        self._bar.close()
        if self._store is not None and self.first:
            self._store.unlink(missing_ok=True)

    def _write(self) -> None:
        """Write the finished tasks (rank 0 only)."""
        self._saved = time.monotonic()
        if self._store is None or not self.first or not self._done:
            return

        def fill(file: h5py.File) -> None:
            file.attrs[_KEY] = self._key
            for i, (name, result) in enumerate(self._done.items()):
                file[str(i)] = result
                file[str(i)].attrs[_NAME] = name

        write_bytes(self._store, hdf5_image(fill))

    def _read(self, store: Path) -> None:
        """Take over the finished tasks of an interrupted command."""
        try:
            with h5py.File(store, "r") as kept:
                key = kept.attrs[_KEY]
                done = {data.attrs[_NAME]: data[()] for data in kept.values()}
        except (OSError, ValueError, KeyError):
            raise InputError(f"--resume: {store} cannot be read; start anew without --resume") from None
        if key != self._key:
            raise InputError(f"--resume: {store} belongs to other settings; start anew without --resume")
        self._done = done
