"""Lock files between processes, on every operating system.

On a file system without locks the caller continues without a lock. A lock prevents mistakes (two runs with one output)
and a race for the kernel cache; no number of a result depends on it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sim3d.errors import InputError
from sim3d.files.file_names import followed

if TYPE_CHECKING:
    from filelock import BaseFileLock


PATIENCE_S = 5.0
"""Time after which a wait for a lock is told to the user."""


def _lock(path: Path) -> BaseFileLock:
    from filelock import FileLock

    # no fallback to a lock by the presence of a file: that would outlive a killed process
    return FileLock(path, thread_local=False, fallback_to_soft=False)


class RunLock:
    """Lock of a run on one of its files, held from :meth:`acquire` to :meth:`release` or the end of the process.

    Parameters
    ----------
    path : Path
        Of the file to guard; the lock is the hidden file ``.<name>.lock`` beside it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.lock")
        self._held: BaseFileLock | None = None

    def acquire(self) -> bool:
        """Take the lock without waiting.

        Returns
        -------
        bool
            False if another process (or another lock of this one) holds it.
        """
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
        """Release the lock and remove its file; nothing happens if it is not held."""
        if self._held is None:
            return
        # removed while it is held: a process that opened it before sees that it is gone and does not use it as the lock
        with contextlib.suppress(OSError):
            self._path.unlink()
        self._held.release()
        self._held = None


@contextlib.contextmanager
def sole_writer(path: Path) -> Iterator[None]:
    """Context manager that holds the lock on a result file for the block, so that no other process writes it.

    The lock of a killed process does not outlive it.

    Parameters
    ----------
    path : Path
        The result file; of a symbolic link the file that it leads to is locked.

    Raises
    ------
    InputError
        If another process is writing it.
    """
    lock = RunLock(followed(path))
    if not lock.acquire():
        raise InputError(f"output: another run is writing {path}; wait for it, stop it, or name another output")
    try:
        yield
    finally:
        lock.release()


@contextlib.contextmanager
def alone(path: Path, tell: Callable[[], None] | None = None) -> Iterator[None]:
    """Context manager that waits for the lock on a file and holds it for the block.

    Parameters
    ----------
    path : Path
        The lock file.
    tell : callable, optional
        Called once if another process still holds the lock after :data:`PATIENCE_S`.
    """
    from filelock import Timeout

    with contextlib.ExitStack() as held:
        # raised by file systems without locks
        with contextlib.suppress(OSError, NotImplementedError):
            lock = _lock(path)
            try:
                held.enter_context(lock.acquire(timeout=-1.0 if tell is None else PATIENCE_S))
            except Timeout:
                if tell is not None:
                    tell()
                held.enter_context(lock.acquire())
        yield
