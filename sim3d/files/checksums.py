"""Compute and check the SHA-256 checksums of result files: of the file's bytes, and of its numbers.

The *seal* is the SHA-256 of the whole file. It stands in a user block of 512 bytes of plain text before the HDF5 data
(``head -1 run.h5`` shows it; HDF5 readers skip it). It detects any changed byte and any truncation. The *digests* are
of the numbers and of the configuration, independent of the bytes they are stored in. Two runs have bitwise the same
result exactly if their digests are equal, and a file that another program rewrote can still be checked.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.errors import cannot_read

SEAL_BYTES = 512
"""Size of the user block: HDF5 searches for its data at byte 0, 512, 1024, 2048 and so on."""

_MAGIC = b"sim3d-result "
HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""First bytes of the data of an HDF5 file."""

_CHUNK = 1 << 22


def seal(image: Any) -> bytes:
    """Make the 512 bytes that precede an HDF5 image in a file.

    Parameters
    ----------
    image : bytes-like

    Returns
    -------
    bytes
    """
    return _block(hashlib.sha256(image).hexdigest(), len(image))


def seal_in_place(path: Path) -> None:
    """Compute and write the seal of a file that begins with a user block of SEAL_BYTES, and flush it to the disk.

    Parameters
    ----------
    path : Path
    """
    digest, size = hashlib.sha256(), 0
    with open(path, "r+b") as file:
        file.seek(SEAL_BYTES)
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
        file.seek(0)
        file.write(_block(digest.hexdigest(), size))
        file.flush()
        os.fsync(file.fileno())


def seal_problem(path: Path) -> str | None:
    """Describe the damage of a file, or return None if there is none or the file has no seal.

    Parameters
    ----------
    path : Path
        A file that exists.

    Returns
    -------
    str or None
    """
    with open(path, "rb") as file:
        block = file.read(SEAL_BYTES)
        if not block.startswith(_MAGIC):
            # HDF5 data at byte 512 had a seal, which is damaged
            return "its first bytes are damaged" if file.read(8) == HDF5_SIGNATURE else None
        fields = block.rstrip(b"\0").decode("ascii", "replace").split()
        if len(fields) != 6 or not fields[4].isdigit():
            return "its first bytes are damaged"
        digest, size = hashlib.sha256(), 0
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
            size += len(chunk)
    if size < int(fields[4]):
        return f"truncated: {size + SEAL_BYTES} of {int(fields[4]) + SEAL_BYTES} bytes"
    if digest.hexdigest() != fields[2] or block != _block(fields[2], size):
        return "not the bytes that were written: SHA-256 differs"
    return None


def _block(digest: str, size: int) -> bytes:
    return f"{_MAGIC.decode()}sha256 {digest} of {size} bytes\n".encode().ljust(SEAL_BYTES, b"\0")


def is_sealed(path: Path) -> bool:
    """Whether a file carries a seal.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool
    """
    with open(path, "rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def is_result_file(path: Path) -> bool:
    """Whether the first bytes of a file are those of HDF5 or of the seal.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bool

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            start = file.read(max(len(HDF5_SIGNATURE), len(_MAGIC)))
    except OSError as problem:
        raise cannot_read(path, problem) from None
    return start.startswith((HDF5_SIGNATURE, _MAGIC))


def data_digest(arrays: Iterable[tuple[str, np.ndarray]]) -> str:
    """Compute the SHA-256 (hex) of named arrays: their names, types, shapes and values, in the given order.

    Parameters
    ----------
    arrays : iterable of (str, array)

    Returns
    -------
    str
    """
    digest = hashlib.sha256()
    for name, array in arrays:
        plain = np.ascontiguousarray(array)
        if plain.dtype.kind == "O":  # strings as h5py reads them
            values = [v.decode() if isinstance(v, bytes) else str(v) for v in plain.ravel()]
            digest.update(f"{name} text {plain.shape} {values!r}\n".encode())
            continue
        digest.update(f"{name} {plain.dtype.str} {plain.shape}\n".encode())
        digest.update(plain.data if plain.size else b"")
    return digest.hexdigest()


def text_digest(text: str) -> str:
    """Compute the SHA-256 (hex) of a text.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
    """
    return hashlib.sha256(text.encode()).hexdigest()
