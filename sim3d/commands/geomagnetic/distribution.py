"""Spread independent tasks over threads and MPI ranks, with a progress bar, and keep finished ones for ``--resume``."""

from __future__ import annotations

import json
import sys
import time
import zipfile
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.errors import InputError, cannot_write

_BETWEEN_SAVES_S = 5.0
_KEY = "inputs"


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
        beside = self._store.with_name(self._store.name + ".tmp")
        try:
            with beside.open("wb") as stream:
                arrays: dict[str, Any] = {f"task {name}": result for name, result in self._done.items()}
                np.savez(stream, **{_KEY: np.array(self._key), **arrays})
            beside.replace(self._store)
        except OSError as problem:
            raise cannot_write(self._store, problem) from None

    def _read(self, store: Path) -> None:
        """Take over the finished tasks of an interrupted command."""
        try:
            with np.load(store) as kept:
                key = str(kept[_KEY])
                done = {name.removeprefix("task "): kept[name] for name in kept.files if name != _KEY}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            raise InputError(f"--resume: {store} cannot be read; start anew without --resume") from None
        if key != self._key:
            raise InputError(f"--resume: {store} belongs to other settings; start anew without --resume")
        self._done = done
