"""Write files as a whole: beside the old file under a temporary name, flushed to the disk, then renamed over it.

Whatever interrupts the writing (kill -9, a full disk, a power cut), the file is either the old one or the new one. All
output of all commands is written by :func:`replaced`, or by :func:`write_bytes` and :func:`text_writer`, which use it.

A symbolic link stays a link, and the file it leads to is replaced. An output that is a folder, a device or another
thing that is no plain file is refused, and so is one of the input files of the running command
(:func:`protected_inputs`).
"""

from __future__ import annotations

import contextlib
import glob
import os
import platform
import shutil
import stat
import tempfile
from collections.abc import Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

from sim3d.errors import InputError, cannot_write
from sim3d.files.file_names import followed

_LONGEST_PREFIX = 120
"""Bytes of a name that begin the name of its temporary file; file systems allow names of 255 bytes."""

_inputs: ContextVar[list[Path] | None] = ContextVar("inputs of the running command", default=None)


@contextlib.contextmanager
def protected_inputs(paths: Iterable[Path] = ()) -> Iterator[None]:
    """Context manager in which no output may replace one of these files, or one added by :func:`protect`.

    Parameters
    ----------
    paths : iterable of Path
        Files that the running command reads; those that do not exist are ignored.
    """
    token = _inputs.set(list(paths))
    try:
        yield
    finally:
        _inputs.reset(token)


def protect(*paths: Path) -> None:
    """Add files to the inputs of the running command; outside :func:`protected_inputs` nothing happens.

    Parameters
    ----------
    *paths : Path
    """
    known = _inputs.get()
    if known is not None:
        known.extend(paths)


def check_output(path: Path) -> Path:
    """Check that a file may be written, and follow symbolic links to the place where it will be.

    Parameters
    ----------
    path : Path
        It need not exist.

    Returns
    -------
    Path
        ``path``, or the file that it is a link to.

    Raises
    ------
    InputError
        If it is an input of the running command, no plain file, write-protected, or a link to itself.
    """
    target = followed(path)
    try:
        found = target.stat()
    except FileNotFoundError:
        return target
    except OSError as problem:
        raise cannot_write(path, problem) from None
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a device, a pipe or a socket"
        raise InputError(f"output: {path} is {what}, needs the name of a plain file")
    for source in _inputs.get() or ():
        with contextlib.suppress(OSError):
            if os.path.samestat(found, source.stat()):
                raise InputError(f"output: {path} is an input of this command ({source}), name another file")
    if not os.access(target, os.W_OK):
        raise cannot_write(path, PermissionError(13, "the file is write-protected"))
    return target


@contextlib.contextmanager
def replaced(path: Path, owner: Path | None = None) -> Iterator[Path]:
    """Context manager that yields a temporary path and renames it to ``path`` on success, or removes it on failure.

    Parameters
    ----------
    path : Path
        If it is a symbolic link, the file that it leads to is replaced. The permissions of an old file are kept.
    owner : Path, optional
        The file whose :func:`remove_leftovers` also removes a half-written ``path``; by default ``path`` itself.

    Yields
    ------
    Path
        To be written and closed in the block; it is flushed to the disk afterwards.

    Raises
    ------
    InputError
        If the file cannot be written, with the path and the reason; see also :func:`check_output`.
    """
    target = check_output(path)
    owner = target if owner is None else followed(owner)
    own = "" if owner == target else f".{_short(target.name)}"
    temporary = target.with_name(f"{_temporary_prefix(owner)}{platform.node()}.{os.getpid()}{own}.tmp")
    _remove_leftovers_of_dead(target)
    try:
        yield temporary
        _flush(temporary)
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
        _sync_folder(target.parent)
    except OSError as problem:
        raise cannot_write(path, problem) from None
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_bytes(path: Path, *parts: bytes | memoryview) -> Path:
    """Write a file as a whole from bytes in memory.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must exist.
    *parts : bytes-like
        Written one after the other.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        As :func:`replaced`.
    """
    with replaced(path) as temporary, open(temporary, "wb") as stream:
        for part in parts:
            stream.write(part)
    return path


@contextlib.contextmanager
def text_writer(path: Path) -> Iterator[TextIO]:
    """Context manager that yields a stream of text (UTF-8, Unix line ends) and makes it the file ``path`` at the end.

    Parameters
    ----------
    path : Path
        Replaced if it exists, once the block has ended without an error; its folder must exist.

    Yields
    ------
    text stream

    Raises
    ------
    InputError
        As :func:`replaced`.
    """
    with replaced(path) as temporary, open(temporary, "w", encoding="utf-8", newline="\n") as stream:
        yield stream


def _short(name: str) -> str:
    """Shorten a file name to :data:`_LONGEST_PREFIX` bytes, for the names of temporary files."""
    return os.fsencode(name)[:_LONGEST_PREFIX].decode("utf-8", "ignore")


def _temporary_prefix(path: Path) -> str:
    """First part of the names of half-written files of ``path``."""
    return f".{_short(path.name)}."


def _flush(path: Path) -> None:
    """Flush a file to the disk; some file systems report only now that they are full."""
    with open(path, "r+b") as stream:
        os.fsync(stream.fileno())


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
    path = followed(path)
    with contextlib.suppress(OSError):
        for leftover in path.parent.glob(f"{glob.escape(_temporary_prefix(path))}*.tmp"):
            leftover.unlink(missing_ok=True)


def _remove_leftovers_of_dead(path: Path) -> None:
    """Remove half-written files of ``path`` by processes of this machine that do not run any more."""
    if os.name != "posix":  # elsewhere a process is not asked for by a signal
        return
    here = f"{_temporary_prefix(path)}{platform.node()}."
    with contextlib.suppress(OSError):
        for leftover in path.parent.glob(f"{glob.escape(here)}*.tmp"):
            number = leftover.name.removeprefix(here).partition(".")[0]
            if number.isdecimal() and not _is_running(int(number)):
                leftover.unlink(missing_ok=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:  # of another user
        return True
    return True


def probe_folder(path: Path) -> None:
    """Check before a run that a file can be created beside ``path``, or beside the file that it is a link to.

    Parameters
    ----------
    path : Path

    Raises
    ------
    InputError
        If the folder is missing or cannot be written.
    """
    folder = followed(path).parent
    if not folder.is_dir():
        raise InputError(f"output: the folder {folder} does not exist")
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".sim3d-"):
            pass
    except OSError as problem:
        raise InputError(f"output: cannot write in the folder {folder} ({problem.strerror})") from None
