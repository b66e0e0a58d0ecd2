"""Append the event records of a run, batch by batch, to a journal beside its result file.

The worker that simulated a batch hashes and compresses its records into a *frame*. Rank 0 appends frames in the order
in which they arrive, and flushes them to the disk before it writes a checkpoint. So the journal always holds every
batch that the result file lists as done. After a kill it may hold more (batches whose sums were not written, or an
incomplete frame); those are cut off, or not read. A batch's frame is the same whichever worker makes it. The result
file holds a digest of each batch's records, so records of another run are never accepted.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from sim3d.errors import InputError, cannot_write
from sim3d.files.file_names import journal_path
from sim3d.files.locks import RunLock
from sim3d.scoring.event_records import FULL, RECORD_DTYPE, RecordBuffer

DIGEST_BYTES = 16

_MAGIC = b"sim3dEV1"
_HEAD = struct.Struct("<8sQQQ16s")
_CHECK = struct.Struct("<I")
_PIECE = struct.Struct("<QQ")
_LEVEL = 1


class Frame(NamedTuple):
    """Compressed records of one batch.

    Attributes
    ----------
    batch, records : int
        Number of the batch, and number of its records.
    digest : bytes
        See :func:`record_hash`.
    payload : bytes
        Pieces: each is two integers (records, bytes) and zlib's output for the records' shuffled bytes.
    """

    batch: int
    records: int
    digest: bytes
    payload: bytes


def record_hash() -> hashlib.blake2b:
    """Make an empty BLAKE2b hash of 16 bytes, to be fed with the records' bytes (packed, little-endian) in order.

    Returns
    -------
    hashlib.blake2b
    """
    return hashlib.blake2b(digest_size=DIGEST_BYTES)


def _shuffled(records: np.ndarray) -> bytes:
    """Bytes of the records, transposed: first bytes of all records, then second bytes, which compresses better."""
    return records.view(np.uint8).reshape(len(records), RECORD_DTYPE.itemsize).T.tobytes()


def _unshuffled(data: bytes, n: int) -> np.ndarray:
    columns = np.frombuffer(data, dtype=np.uint8).reshape(RECORD_DTYPE.itemsize, n)
    return np.ascontiguousarray(columns.T).reshape(-1).view(RECORD_DTYPE)


class BatchRecorder:
    """Collects and compresses the records of one batch from its kernel, piece by piece; one per thread."""

    def __init__(self) -> None:
        self._rows = np.empty(FULL + 4096, dtype=RECORD_DTYPE)
        self.begin(0)

    def begin(self, batch: int) -> None:
        """Discard everything and begin with a batch.

        Parameters
        ----------
        batch : int
        """
        self._batch = batch
        self._records = 0
        self._hash = record_hash()
        self._pieces: list[bytes] = []

    def buffer(self, first_place: int) -> RecordBuffer:
        """Make the buffer with which the kernel continues the batch.

        Parameters
        ----------
        first_place : int
            Index in the batch of the primary to begin with.

        Returns
        -------
        RecordBuffer
        """
        return RecordBuffer(self._rows, first_place, FULL)

    def take(self, rows: np.ndarray, n: int) -> None:
        """Compress and keep the records that a kernel filled; their field ``batch`` is set here.

        Parameters
        ----------
        rows : RECORD_DTYPE array (capacity,)
        n : int
            Number of records in it.
        """
        self._rows = rows
        if n == 0:
            return
        records = rows[:n]
        records["batch"] = self._batch
        self._records += n
        self._hash.update(records.tobytes())
        compressed = zlib.compress(_shuffled(records), _LEVEL)
        self._pieces.append(_PIECE.pack(n, len(compressed)) + compressed)

    def frame(self) -> Frame:
        """Make the frame of the finished batch.

        Returns
        -------
        Frame
        """
        return Frame(self._batch, self._records, self._hash.digest(), b"".join(self._pieces))


@dataclass
class EventIndex:
    """Number of records and digest of each batch of a run.

    Attributes
    ----------
    records : int64 array (n_batches,)
    digests : uint8 array (n_batches, DIGEST_BYTES)
        Both are 0 for a batch that is not done.
    """

    records: np.ndarray
    digests: np.ndarray

    @classmethod
    def empty(cls, n_batches: int) -> EventIndex:
        """Make an index without records.

        Parameters
        ----------
        n_batches : int

        Returns
        -------
        EventIndex
        """
        return cls(np.zeros(n_batches, dtype=np.int64), np.zeros((n_batches, DIGEST_BYTES), dtype=np.uint8))

    def resized(self, n_batches: int) -> EventIndex:
        """Copy the index for a run of another length.

        Parameters
        ----------
        n_batches : int

        Returns
        -------
        EventIndex
        """
        out, n = EventIndex.empty(n_batches), min(n_batches, len(self.records))
        out.records[:n], out.digests[:n] = self.records[:n], self.digests[:n]
        return out

    def only(self, done: np.ndarray) -> EventIndex:
        """Copy the index with only the batches that are done.

        Parameters
        ----------
        done : bool array (n_batches,)

        Returns
        -------
        EventIndex
        """
        return EventIndex(np.where(done, self.records, 0), np.where(done[:, None], self.digests, np.uint8(0)))

    def add(self, other: EventIndex) -> EventIndex:
        """Merge the indices of two parts of a run that have no batch in common.

        Parameters
        ----------
        other : EventIndex

        Returns
        -------
        EventIndex
        """
        n = max(len(self.records), len(other.records))
        first, second = self.resized(n), other.resized(n)
        return EventIndex(first.records + second.records, first.digests | second.digests)


class JournalSource:
    """Reader of the batches in a journal, one at a time.

    Parameters
    ----------
    path : Path
        A journal; if it does not exist the source is empty.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.size = 0
        """Bytes of all complete frames."""
        self._places: dict[int, tuple[int, int, int, bytes]] = {}
        if path.exists():
            with open(path, "rb") as file:
                self._scan(file, path.stat().st_size)

    def _scan(self, file: BinaryIO, size: int) -> None:
        head_size = _HEAD.size + _CHECK.size
        while True:
            file.seek(self.size)
            head = file.read(head_size)
            if len(head) < head_size or zlib.crc32(head[: _HEAD.size]) != _CHECK.unpack(head[_HEAD.size :])[0]:
                return
            magic, batch, records, length, digest = _HEAD.unpack(head[: _HEAD.size])
            end = self.size + head_size + length
            if magic != _MAGIC or end > size:
                return
            self._places[batch] = (self.size + head_size, length, records, digest)
            self.size = end

    def has(self, batch: int, digest: bytes) -> bool:
        """Whether the journal holds a batch with this digest.

        Parameters
        ----------
        batch : int
        digest : bytes

        Returns
        -------
        bool
        """
        return batch in self._places and self._places[batch][3] == digest

    def end_of(self, batch: int) -> int:
        """Offset of the byte after the frame of a batch.

        Parameters
        ----------
        batch : int

        Returns
        -------
        int
        """
        start, length, _, _ = self._places[batch]
        return start + length

    def pieces(self, batch: int) -> Iterator[np.ndarray]:
        """Yield the records of a batch, in arrays of at most a few times 10^5 each.

        Parameters
        ----------
        batch : int

        Yields
        ------
        RECORD_DTYPE array

        Raises
        ------
        InputError
            If they cannot be read.
        """
        start, length, _, _ = self._places[batch]
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                payload = memoryview(file.read(length))
            while payload:
                n, size = _PIECE.unpack(payload[: _PIECE.size])
                payload = payload[_PIECE.size :]
                yield _unshuffled(zlib.decompress(payload[:size]), n)
                payload = payload[size:]
        except (OSError, ValueError, struct.error, zlib.error):
            raise InputError(f"{self.path}: damaged: the records of batch {batch} cannot be read") from None


class EventJournal:
    """Writer of the journal of a run, on rank 0.

    Parameters
    ----------
    path : Path
        Of the result file.
    n_batches : int
    index : EventIndex, optional
        Of the batches that are done already, when a run is resumed; without it the journal starts empty.

    Attributes
    ----------
    index : EventIndex
        Of all batches whose records are stored.
    problem : str
        Empty, or the reason why nothing can be stored any more.

    Raises
    ------
    InputError
        If the file cannot be written, or another run is writing it.
    """

    def __init__(self, path: Path, n_batches: int, index: EventIndex | None = None) -> None:
        self.path = journal_path(path)
        self.index = EventIndex.empty(n_batches) if index is None else index.resized(n_batches)
        self.problem = ""
        # two runs that write to one journal would destroy it
        self._lock = RunLock(self.path)
        if not self._lock.acquire():
            raise InputError(f"output: another run is writing {self.path}; wait for it or stop it")
        keep = 0
        if index is not None:
            source = JournalSource(self.path)
            done = np.flatnonzero(self.index.digests.any(axis=1))
            ends = [source.end_of(int(b)) for b in done if source.has(int(b), self.index.digests[b].tobytes())]
            keep = max(ends, default=0)
        try:
            self.path.touch()
            self._file = open(self.path, "r+b")  # noqa: SIM115  (closed by close)
            self._file.truncate(keep)
            self._file.seek(keep)
        except OSError as exc:
            self._lock.release()
            raise cannot_write(self.path, exc) from None

    def append(self, frame: Frame) -> None:
        """Store the records of a batch; after a failure, kept in ``problem``, nothing more is stored.

        Parameters
        ----------
        frame : Frame
        """
        if self.problem:
            return
        head = _HEAD.pack(_MAGIC, frame.batch, frame.records, len(frame.payload), frame.digest)
        try:
            self._file.write(head + _CHECK.pack(zlib.crc32(head)))
            self._file.write(frame.payload)
        except OSError as exc:
            self._fail(exc)
            return
        self.index.records[frame.batch] = frame.records
        self.index.digests[frame.batch] = np.frombuffer(frame.digest, dtype=np.uint8)

    def flush(self) -> None:
        """Flush everything to the disk."""
        if self.problem:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            if not self.path.exists():  # the folder was moved or removed
                raise FileNotFoundError(2, os.strerror(2))
        except OSError as exc:
            self._fail(exc)

    def _fail(self, exc: OSError) -> None:
        self.problem = str(cannot_write(self.path, exc))
        self.close()

    def close(self) -> None:
        """Close the file and release its lock."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._lock.release()
