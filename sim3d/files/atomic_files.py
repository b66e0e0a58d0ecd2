"""Replace a file atomically: write to a temporary name beside it, flush to the disk, then rename over the old one.

Whatever interrupts the writing (kill -9, a full disk, a power cut), the file is either the old one or the new one.
"""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import tempfile
from collections.abc import Iterator
from pathlib import Path

from sim3d.errors import InputError, cannot_write


@contextlib.contextmanager
def replaced(path: Path, owner: Path | None = None) -> Iterator[Path]:
    """Context manager that yields a temporary path and renames it to ``path`` on success, or removes it on failure.

    Parameters
    ----------
    path : Path
    owner : Path, optional
        The file whose :func:`remove_leftovers` also removes a half-written ``path``; by default ``path`` itself.

    Yields
    ------
    Path
        To be written, flushed to the disk (``os.fsync``) and closed in the block.

    Raises
    ------
    InputError
        If the file cannot be written, with the path and the reason.
    """
    owner = path if owner is None else owner
    own = "" if owner == path else f".{path.name}"
    temporary = path.with_name(f"{_temporary_prefix(owner)}{platform.node()}.{os.getpid()}{own}.tmp")
    try:
        yield temporary
        os.replace(temporary, path)
        _sync_folder(path.parent)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _temporary_prefix(path: Path) -> str:
    """First part of the names of half-written files of ``path``."""
    return f".{path.name}."


def _sync_folder(folder: Path) -> None:
    """Flush a folder to the disk, so that a renaming survives a power cut, where the system can."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def remove_leftovers(path: Path) -> None:
    """Remove half-written files that a killed run left beside a file.

    Parameters
    ----------
    path : Path
    """
    with contextlib.suppress(OSError):
        for leftover in path.parent.glob(f"{glob.escape(_temporary_prefix(path))}*.tmp"):
            leftover.unlink(missing_ok=True)


def probe_folder(path: Path) -> None:
    """Check before a run that a file can be created beside ``path``.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If the folder is missing or cannot be written.
    """
    if not path.parent.is_dir():
        raise InputError(f"output: the folder {path.parent} does not exist")
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".sim3d-"):
            pass
    except OSError as problem:
        raise InputError(f"output: cannot write in the folder {path.parent} ({problem.strerror})") from None
