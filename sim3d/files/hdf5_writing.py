"""Write HDF5 files so that a full disk is an error of the program and not a crash of the HDF5 library.

The library does not survive a write that fails: it tries again when the process ends, and ends it by a segmentation
fault. Small files are therefore built in memory (:func:`hdf5_image`), and large ones go through a stream that keeps
the first error to itself until the library has closed the file (:func:`checked_hdf5`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import h5py


def hdf5_image(fill: Callable[[h5py.File], None], track_order: bool = False) -> bytes:
    """Build an HDF5 file in memory.

    Parameters
    ----------
    fill : callable
        Writes the attributes and datasets into an open file.
    track_order : bool
        Keep the order in which they are written, as netCDF-4 does.

    Returns
    -------
    bytes
        Content of the file.
    """
    # the name is not used: there is no file behind it
    with h5py.File("image.h5", "w", driver="core", backing_store=False, track_order=track_order) as file:
        fill(file)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


class CheckedStream:
    """Binary file that HDF5 writes to, and whose first error is kept in place of being raised.

    After an error nothing more is written, and what cannot be read back is zero. The file is useless then, and
    :meth:`check` says so.

    Parameters
    ----------
    path : Path
        Created, or emptied if it exists.

    Attributes
    ----------
    problem : OSError or None
        The first error.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("w+b")
        self.problem: OSError | None = None

    def _try(self, action: Callable[..., Any], *arguments: Any) -> Any:
        if self.problem is not None:
            return None
        try:
            return action(*arguments)
        except OSError as problem:
            self.problem = problem
            return None

    def check(self) -> None:
        """Raise the first error, if there was one.

        Raises
        ------
        OSError
            As the system reported it.
        """
        if self.problem is not None:
            raise self.problem

    def write(self, data: Any) -> int:
        """Write at the present place; return the number of bytes given."""
        self._try(self._file.write, data)
        return len(data)

    def readinto(self, buffer: Any) -> int:
        """Fill a buffer from the present place, with zeros where there is nothing."""
        n = self._try(self._file.readinto, buffer) or 0
        view = memoryview(buffer).cast("B")
        view[n:] = bytes(len(view) - n)
        return len(view)

    def read(self, size: int) -> bytes:
        """Read from the present place, with zeros where there is nothing."""
        data = bytearray(size)
        self.readinto(data)
        return bytes(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """Move to a place; return it."""
        return self._try(self._file.seek, offset, whence) or 0

    def tell(self) -> int:
        """Return the present place."""
        return self._try(self._file.tell) or 0

    def truncate(self, size: int) -> int:
        """Cut or extend the file to a size; return it."""
        self._try(self._file.truncate, size)
        return size

    def flush(self) -> None:
        """Give everything to the system."""
        self._try(self._file.flush)

    def close(self) -> None:
        """Close the file; an error is kept as in the other methods."""
        try:
            self._file.close()
        except OSError as problem:
            self.problem = self.problem or problem


@contextlib.contextmanager
def checked_hdf5(path: Path, userblock_size: int = 0) -> Iterator[tuple[h5py.File, CheckedStream]]:
    """Context manager that yields an HDF5 file that is being written to ``path``, and the stream below it.

    Parameters
    ----------
    path : Path
        Created, or emptied if it exists.
    userblock_size : int
        Bytes before the HDF5 data.

    Yields
    ------
    file : h5py.File
    stream : CheckedStream
        Its :meth:`CheckedStream.check`, called now and then, ends a long writing early.

    Raises
    ------
    OSError
        If something could not be written.
    """
    stream = CheckedStream(path)
    try:
        with h5py.File(stream, "w", userblock_size=userblock_size) as file:
            yield file, stream
    except (OSError, RuntimeError):
        stream.check()  # errors of the library that follow from the first one of the system
        raise
    finally:
        stream.close()
    stream.check()
