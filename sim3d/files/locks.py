"""Locks between processes, on files, for every operating system.

Where a file system has no locks there is none, and the caller goes on without: a lock guards against mistakes (two runs
with one output) and against a race for the kernel cache, never a number of a result.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from filelock import BaseFileLock


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    # a lock file whose mere presence is the lock would outlive a killed process
    return FileLock(path, thread_local=False, fallback_to_soft=False)


class RunLock:
    """The lock of a run on one of its files, held from :meth:`acquire` to :meth:`release` or the end of the process.

    Parameters
    ----------
    path : Path
        Of the file to guard; the lock is the hidden file ``.<name>.lock`` beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.lock")
        self._held: BaseFileLock | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting; False if another process (or another lock of this one) holds it."""
        from filelock import Timeout

        lock = _lock(self._path)
        try:
            lock.acquire(blocking=False)
        except Timeout:
            return False
        except (OSError, NotImplementedError):  # a file system without locks
            return True
        self._held = lock
        return True

    def release(self) -> None:
        """Give the lock up and remove its file; nothing happens if it is not held."""
        if self._held is None:
            return
        # unlinked while it is held: who opened it before finds it gone and does not take it for the lock
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._held.release()
        self._held = None


@contextlib.contextmanager
def alone(path: Path) -> Iterator[None]:
    """Wait for the lock on the file ``path``, and hold it for a block."""
    with contextlib.ExitStack() as held:
        # file systems without locks say so
        with contextlib.suppress(OSError, NotImplementedError):
            held.enter_context(_lock(path))
        yield
