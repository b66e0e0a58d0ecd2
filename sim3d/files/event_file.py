"""Write, read and verify the event file of a result: one record per scored crossing, each batch checked by its digest.

The result file ``run.h5`` has the event file ``run.events.h5``. It is HDF5 with one dataset per column of
:data:`sim3d.scoring.event_records.COLUMNS`. Records are ordered by batch and, in each batch, by primary, so the file is
the same byte by byte for any number of ranks and threads. During a run the records are in the journal
(:mod:`sim3d.files.event_journal`); :class:`EventStore` reads both. The result file holds the number and the digest of
each batch's records, which identify the records that belong to it.
"""

from __future__ import annotations

import contextlib
import os
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import h5py
import numpy as np

from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.words import result_conventions
from sim3d.errors import InputError
from sim3d.files.atomic_files import replaced
from sim3d.files.checksums import SEAL_BYTES, seal_in_place, seal_problem
from sim3d.files.event_journal import EventIndex, JournalSource, record_hash
from sim3d.files.file_names import events_path, journal_path
from sim3d.files.hdf5_writing import CheckedStream, checked_hdf5
from sim3d.files.record import RunRecord
from sim3d.launcher import usable_cores
from sim3d.primaries.groups import GROUP_CHARGE, GROUP_MASS_NUMBER, GROUPS
from sim3d.scoring.event_records import COLUMNS, FULL, RECORD_DTYPE

if TYPE_CHECKING:
    from h5py import Dataset

FORMAT = "sim3d-events"
FORMAT_VERSION = 1
CHUNK = 2**16
"""Records in a chunk of a dataset."""

_LEVEL = 1
_READ_ERRORS = (KeyError, OSError, RuntimeError, ValueError)


class RecordSource(Protocol):
    """Interface of a file that holds the records of batches.

    Attributes
    ----------
    path : Path
    """

    path: Path

    def has(self, batch: int, digest: bytes) -> bool:
        """Whether the source holds a batch with this digest.

        Parameters
        ----------
        batch : int
        digest : bytes

        Returns
        -------
        bool
        """

    def pieces(self, batch: int) -> Iterator[np.ndarray]:
        """Yield the records of a batch, in pieces.

        Parameters
        ----------
        batch : int

        Yields
        ------
        RECORD_DTYPE array
        """


class EventFileSource:
    """Reader of the batches in an event file.

    Parameters
    ----------
    path : Path
        An event file; if it does not exist the source is empty.

    Raises
    ------
    InputError
        If the file is not an event file, or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[int, tuple[int, int, bytes]] = {}
        self._columns: list[Dataset] = []
        if not path.exists():
            return
        try:
            file = h5py.File(path, "r")
            if file.attrs.get("format") != FORMAT:
                raise InputError(f"{path}: not a sim3d event file")
            if int(file.attrs["format_version"]) > FORMAT_VERSION:
                raise InputError(f"{path}: is of a newer format than this sim3d reads ({FORMAT_VERSION})")
            table = file["batches"]
            names = ("number", "first_record", "records", "digest")
            for number, first, records, digest in zip(*(table[name][()] for name in names), strict=True):
                self._places[int(number)] = (int(first), int(records), digest.tobytes())
            self._columns = [file["records"][column.name] for column in COLUMNS]
        except InputError:
            raise
        except PermissionError:
            raise InputError(f"{path}: cannot be read (no permission)") from None
        except _READ_ERRORS:
            raise InputError(f"{path}: a damaged sim3d event file (not HDF5, truncated or incomplete)") from None

    def has(self, batch: int, digest: bytes) -> bool:
        """Whether the file holds a batch with this digest.

        Parameters
        ----------
        batch : int
        digest : bytes

        Returns
        -------
        bool
        """
        return batch in self._places and self._places[batch][2] == digest

    def pieces(self, batch: int) -> Iterator[np.ndarray]:
        """Yield the records of a batch, in pieces.

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
        first, records, _ = self._places[batch]
        for start in range(first, first + records, FULL):
            end = min(start + FULL, first + records)
            out = np.empty(end - start, dtype=RECORD_DTYPE)
            try:
                for column, dataset in zip(COLUMNS, self._columns, strict=True):
                    out[column.name] = dataset[start:end]
            except _READ_ERRORS:
                raise InputError(f"{self.path}: damaged: the records of batch {batch} cannot be read") from None
            yield out


class EventStore:
    """Event records of a result, read from its event file or its journal and checked against their digests.

    Parameters
    ----------
    index : EventIndex
        Numbers and digests of the result's records.
    sources : sequence of RecordSource
        Searched in this order.
    owner : Path
        The result file, for messages.

    Raises
    ------
    InputError
        If a batch is in none of the sources.
    """

    def __init__(self, index: EventIndex, sources: Sequence[RecordSource], owner: Path) -> None:
        self.index = index
        self.batches = np.flatnonzero(index.digests.any(axis=1))
        self._sources: list[RecordSource] = []
        for batch in self.batches:
            digest = index.digests[batch].tobytes()
            holder = next((source for source in sources if source.has(int(batch), digest)), None)
            if holder is None:
                raise InputError(_missing(sources, owner, int(batch)))
            self._sources.append(holder)

    @classmethod
    def of(cls, path: Path, record: RunRecord) -> EventStore:
        """Open the event records of a result file.

        Parameters
        ----------
        path : Path
            The result file.
        record : RunRecord
            Its content.

        Returns
        -------
        EventStore

        Raises
        ------
        InputError
            If the run made no records, or they are not beside the file.
        """
        if record.events is None:
            raise InputError(f"{path}: has no event records (scoring.events was false)")
        return cls(record.events, sources_of(path), path)

    @property
    def n_records(self) -> int:
        """Number of records."""
        return int(self.index.records.sum())

    def batch(self, number: int, source: RecordSource) -> Iterator[np.ndarray]:
        """Yield the records of a batch in pieces; their checksum is compared after the last piece.

        Parameters
        ----------
        number : int
            Of the batch.
        source : RecordSource

        Yields
        ------
        RECORD_DTYPE array

        Raises
        ------
        InputError
            If they are not the records that the run made.
        """
        digest, records = record_hash(), 0
        for piece in source.pieces(number):
            digest.update(piece.tobytes())
            records += len(piece)
            yield piece
        if records != self.index.records[number] or digest.digest() != self.index.digests[number].tobytes():
            raise InputError(f"{source.path}: damaged: the records of batch {number} do not agree with their checksum")

    def __iter__(self) -> Iterator[tuple[int, Iterator[np.ndarray]]]:
        """Iterate over the batches, ascending: number of the batch and its records in pieces."""
        for number, source in zip(self.batches, self._sources, strict=True):
            yield int(number), self.batch(int(number), source)

    def pieces(self) -> Iterator[np.ndarray]:
        """Yield all records in pieces.

        Yields
        ------
        RECORD_DTYPE array
        """
        for _, pieces in self:
            yield from pieces


def sources_of(path: Path) -> list[RecordSource]:
    """List the files that may hold the records of a result: its event file and its journal.

    Parameters
    ----------
    path : Path
        The result file.

    Returns
    -------
    list of RecordSource
    """
    return [EventFileSource(events_path(path)), JournalSource(journal_path(path))]


def _missing(sources: Sequence[RecordSource], owner: Path, batch: int) -> str:
    there = [source.path for source in sources if source.path.exists()]
    if there:
        return f"{there[0]}: does not belong to {owner}: the event records of its batch {batch} are not there"
    return f"{events_path(owner)}: no such file; it holds the event records of {owner} (keep the two together)"


def chunks(pieces: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Regroup records into arrays of equal length, the last one shorter.

    Parameters
    ----------
    pieces : iterable of arrays
    size : int
        Length of the arrays.

    Yields
    ------
    array
    """
    waiting: list[np.ndarray] = []
    n = 0
    for piece in pieces:
        waiting.append(piece)
        n += len(piece)
        if n >= size:
            joined = np.concatenate(waiting)
            whole = n - n % size
            for start in range(0, whole, size):
                yield joined[start : start + size]
            waiting, n = [joined[whole:]], n - whole
    if n:
        yield np.concatenate(waiting)


def _compressed(values: np.ndarray) -> bytes:
    """Compress a chunk as HDF5's filters shuffle and gzip would."""
    width = values.dtype.itemsize
    data = np.zeros(CHUNK * width, dtype=np.uint8)  # HDF5 stores whole chunks
    data[: values.nbytes] = values.view(np.uint8)
    if width > 1:
        data = np.ascontiguousarray(data.reshape(CHUNK, width).T)
    return zlib.compress(data.tobytes(), _LEVEL)


def write_events(path: Path, record: RunRecord, store: EventStore) -> Path:
    """Write the event file of a result: to a temporary name, flushed to the disk, then renamed.

    Parameters
    ----------
    path : Path
        The result file.
    record : RunRecord
        Its content.
    store : EventStore
        The records.

    Returns
    -------
    Path
        That of the event file.

    Raises
    ------
    InputError
        If it cannot be written, or a record is damaged.
    """
    target = events_path(path)
    with replaced(target, owner=path) as temporary:
        try:
            with checked_hdf5(temporary, SEAL_BYTES) as (file, stream):
                _describe(file, record, store)
                _write_records(file, stream, store)
        except (OSError, RuntimeError) as problem:
            number = problem.errno if isinstance(problem, OSError) and problem.errno else 0
            raise OSError(number, os.strerror(number) if number else "HDF5 could not write it") from None
        seal_in_place(temporary)
    return target


def _describe(file: h5py.File, record: RunRecord, store: EventStore) -> None:
    attributes: dict[str, Any] = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "sites": [detector.name for detector in record.detectors],
        "flavours": list(FLAVOURS),
        "primary_groups": list(GROUPS),
        "primary_group_mass_numbers": GROUP_MASS_NUMBER,
        "primary_group_charges": GROUP_CHARGE,
        "earth_radius_km": EARTH_RADIUS_KM,
        "seed": np.uint64(record.config.run.seed),
        "batch_size": record.config.run.batch_size,
        "sampling_mode": record.config.sampling.mode,
        "azimuth_bins": record.config.scoring.azimuth_bins,
    }
    models = ("atmosphere_top_km", "primary_model", "solar_potential_MV")
    attributes |= {key: record.models[key] for key in models if key in record.models}
    conventions = result_conventions(record.azimuth_frame)
    attributes |= {key: conventions[key] for key in ("convention_cos_zenith", "convention_azimuth")}
    for key, value in attributes.items():
        file.attrs[key] = value
    numbers = store.index.records[store.batches]
    file["batches/number"] = store.batches.astype(np.int64)
    file["batches/first_record"] = np.cumsum(numbers) - numbers
    file["batches/records"] = numbers
    file["batches/digest"] = store.index.digests[store.batches]


def _write_records(file: h5py.File, stream: CheckedStream, store: EventStore) -> None:
    datasets = []
    for column in COLUMNS:
        dataset = file.create_dataset(
            f"records/{column.name}",
            shape=(store.n_records,),
            maxshape=(None,),
            chunks=(CHUNK,),
            dtype=column.dtype,
            compression="gzip",
            compression_opts=_LEVEL,
            shuffle=np.dtype(column.dtype).itemsize > 1,
        )
        dataset.attrs["unit"] = column.unit
        dataset.attrs["meaning"] = column.meaning
        datasets.append(dataset)
    place = 0
    # compressed here on several cores: HDF5 would use one
    with ThreadPoolExecutor(min(4, len(usable_cores()))) as pool:
        for records in chunks(store.pieces(), CHUNK):
            values = [np.ascontiguousarray(records[column.name]) for column in COLUMNS]
            for dataset, data in zip(datasets, pool.map(_compressed, values), strict=True):
                dataset.id.write_direct_chunk((place,), data)
            stream.check()
            place += len(records)


def finish_events(path: Path, record: RunRecord) -> None:
    """Move the records of a finished run from the journal to its event file, and remove the journal.

    If the run made no records, the event files of an earlier run with the same output are removed.

    Parameters
    ----------
    path : Path
        The result file.
    record : RunRecord
        Its content.

    Raises
    ------
    InputError
        If the file cannot be written; the journal is kept then, and ``--resume`` tries again.
    """
    journal = journal_path(path)
    if record.events is None:
        # records of a result that --force has replaced
        with contextlib.suppress(OSError):
            events_path(path).unlink(missing_ok=True)
            journal.unlink(missing_ok=True)
        return
    if not journal.exists():
        return
    try:
        write_events(path, record, EventStore.of(path, record))
    except InputError as exc:
        raise InputError(f"{exc}; the event records are in {journal}, --resume tries again") from None
    with contextlib.suppress(OSError):
        journal.unlink()


def verify_events(path: Path, record: RunRecord) -> dict[str, Any]:
    """Check every byte of a result's event file, and the digest of every batch of records.

    Parameters
    ----------
    path : Path
        The result file.
    record : RunRecord
        Its content.

    Returns
    -------
    dict
        ``events``: path of the file; ``event_records``: number of records.

    Raises
    ------
    InputError
        If something is damaged or missing; the message is one line.
    """
    file = events_path(path)
    if file.exists():
        problem = seal_problem(file)
        if problem is not None:
            raise InputError(f"{file}: a damaged sim3d event file ({problem})")
    store = EventStore.of(path, record)
    for _ in store.pieces():
        pass
    return {"events": file if file.exists() else journal_path(path), "event_records": store.n_records}
