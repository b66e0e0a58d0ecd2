"""Write and read the result file (HDF5): sums, configuration, models and provenance of a run.

The format is described in docs/manual/formats.md, dataset by dataset. The file is also the checkpoint of a run.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import h5py
import numpy as np

import sim3d
from sim3d.config.schema import Config
from sim3d.conventions.binning import COS_BANDS, COS_EDGES, ENERGY_EDGES_GEV
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.conventions.flavours import FLAVOURS
from sim3d.conventions.words import CROSSING_FRAME, RESULT_CONVENTIONS, result_conventions
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.checksums import data_digest, is_sealed, seal, seal_problem, text_digest
from sim3d.files.earlier_defaults import stated
from sim3d.files.event_journal import EventIndex
from sim3d.files.hdf5_writing import hdf5_image
from sim3d.files.record import RunRecord, make_tally
from sim3d.sampling.allocation import Allocation
from sim3d.sampling.lost import Lost
from sim3d.scoring.detectors import Detector
from sim3d.scoring.hit_weights import HITS
from sim3d.scoring.precision import describe_observable

FORMAT = "sim3d-result"
FORMAT_VERSION = 1

OPERATION_KEYS = ("checkpoint_minutes", "max_minutes")
"""Keys of [run] that do not affect the numbers of a result; they are stored in /provenance."""

_SMALL = 4096
"""Datasets of fewer elements are not compressed."""

_DETECTOR_NUMBERS = tuple(f.name for f in fields(Detector) if f.name != "name")


def write_result(record: RunRecord, path: Path) -> None:
    """Write a record to a result file: to a temporary name beside it, flushed to the disk, then renamed.

    The file is built in memory first, because HDF5 does not survive a disk that fills up while it writes.

    Parameters
    ----------
    record : RunRecord
    path : Path

    Raises
    ------
    InputError
        If the file cannot be written.
    """
    image = hdf5_image(lambda file: _fill(file, record))
    write_bytes(path, seal(image), image)


def save_result(record: RunRecord, path: Path) -> Path:
    """Write a result file, or on failure write it to the system's folder for temporary files, so that nothing is lost.

    Parameters
    ----------
    record : RunRecord
    path : Path

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    InputError
        If the file could not be written to ``path``; the message says where it is instead.
    """
    try:
        write_result(record, path)
    except InputError as exc:
        elsewhere = Path(tempfile.gettempdir()) / f"{path.stem}-{os.getpid()}{path.suffix}"
        try:
            write_result(record, elsewhere)
        except InputError:
            raise exc from None
        raise InputError(f"{exc}; the result is in {elsewhere}") from None
    return path


def _fill(file: h5py.File, record: RunRecord) -> None:
    run = record.config.run
    file.attrs["format"] = FORMAT
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["earth_radius_km"] = EARTH_RADIUS_KM
    file.attrs["flavours"] = list(FLAVOURS)
    for key, value in {**result_conventions(record.azimuth_frame), **record.models}.items():
        file.attrs[key] = value
    config_json = json.dumps(record.config.model_dump(mode="json", exclude={"run": set(OPERATION_KEYS)}), indent=1)
    file.attrs["config_json"] = config_json
    file.attrs["config_sha256"] = text_digest(config_json)
    file.attrs["seed"] = np.uint64(run.seed)
    file.attrs["batch_size"] = run.batch_size
    for key, value in record.counters.items():
        file.attrs[f"count_{key}"] = value
    arrays: dict[str, np.ndarray] = {
        "axes/energy_edges_GeV": ENERGY_EDGES_GEV,
        "axes/cos_zenith_edges": COS_EDGES,
        "axes/azimuth_edges_deg": np.linspace(0.0, 360.0, record.config.scoring.azimuth_bins + 1),
        "axes/cos_zenith_bands": COS_BANDS,
        "batches_done": record.batches_done.astype(bool),
        "lost/index": np.array([lost.primary for lost in record.lost], dtype=np.int64),
        "lost/reason": np.array([lost.reason for lost in record.lost], dtype=object),
        "watch": record.watch_sums,
    }
    if record.events is not None:
        arrays |= {"events/records": record.events.records, "events/digests": record.events.digests}
    if record.allocation is not None:
        arrays |= {f"allocation/{name}": value for name, value in vars(record.allocation).items()}
        arrays["allocation/edges_GeV"] = record.allocation.edges_GeV
    for detector, tally in zip(record.detectors, record.tallies, strict=True):
        group = file.create_group(f"sites/{detector.name}")
        for name in _DETECTOR_NUMBERS:
            group.attrs[name] = getattr(detector, name)
        group.attrs["patch"] = detector.patch
        group.attrs["area_m2"] = detector.area_m2
        arrays[f"sites/{detector.name}/scale_exponents"] = tally.exponents
        arrays |= {f"sites/{detector.name}/{name}": array for name, array in tally.arrays().items()}
    arrays |= {f"sites/{name}/prompt": flux for name, flux in record.prompt.items()}
    for name, array in arrays.items():
        if array.dtype.kind == "O":
            file.create_dataset(name, data=array, dtype=h5py.string_dtype())
        elif array.size < _SMALL:
            file[name] = array
        else:
            file.create_dataset(name, data=array, compression="gzip", compression_opts=1, shuffle=True)
    file["watch"].attrs["observable"] = describe_observable(record.config)
    file.attrs["data_sha256"] = data_digest(sorted(arrays.items()))
    provenance = file.create_group("provenance")
    for key, value in record.provenance.items():
        provenance.attrs[key] = value
    for key in OPERATION_KEYS:
        chosen = getattr(run, key)
        provenance.attrs[key] = "none" if chosen is None else chosen
    provenance.attrs["failure"] = record.failure
    provenance.attrs["outcome"] = record.outcome


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[h5py.File]:
    if not path.exists():
        raise InputError(f"{path}: no such file")
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a result file")
    try:
        problem = seal_problem(path)
        if problem is not None:
            raise InputError(f"{path}: a damaged sim3d result ({problem})")
        file = h5py.File(path, "r")
    except OSError as exc:
        reason = "no permission to read it" if isinstance(exc, PermissionError) else "not HDF5, or truncated"
        raise InputError(f"{path}: cannot be read as a sim3d result ({reason})") from None
    try:
        yield file
    except (KeyError, OSError, RuntimeError) as exc:
        detail = " ".join(str(exc).split())
        raise InputError(f"{path}: a damaged or incomplete sim3d result ({detail})") from None
    finally:
        file.close()


def _plain(value: Any) -> Any:
    """Convert an HDF5 attribute to plain Python values."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return [_plain(v) for v in value]
    return value


def _check_format(file: h5py.File, path: Path) -> None:
    if _plain(file.attrs.get("format")) == "sim3d-events":
        raise InputError(f"{path}: holds event records; give the result file it lies beside")
    if _plain(file.attrs.get("format")) != FORMAT:
        raise InputError(f"{path}: an HDF5 file, but not a sim3d result")
    version = int(file.attrs["format_version"])
    if version > FORMAT_VERSION:
        raise InputError(
            f"{path}: result format {version} is newer than this sim3d {sim3d.__version__} reads ({FORMAT_VERSION})"
        )


def verify_result(path: str | Path) -> dict[str, str]:
    """Check every checksum of a result file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    dict of str
        ``data_sha256`` and ``config_sha256``, and ``file``: ``sealed``, or ``rewritten`` where another program has
        written the file anew and only its numbers could be checked.

    Raises
    ------
    InputError
        If a checksum does not agree, or there is none; the message is one line.
    """
    path = Path(path)
    with _opened(path) as file:
        _check_format(file, path)
        if "data_sha256" not in file.attrs:
            raise InputError(f"{path}: carries no checksum (made by an older sim3d)")
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)
        if data_digest((name, file[name][()]) for name in sorted(names)) != file.attrs["data_sha256"]:
            raise InputError(f"{path}: damaged: its data do not agree with their checksum")
        if text_digest(file.attrs["config_json"]) != file.attrs["config_sha256"]:
            raise InputError(f"{path}: damaged: its configuration does not agree with its checksum")
        return {
            "file": "sealed" if is_sealed(path) else "rewritten",
            "data_sha256": str(file.attrs["data_sha256"]),
            "config_sha256": str(file.attrs["config_sha256"]),
        }


def stored_batch_size(path: Path) -> int:
    """Read the batch size of a run from its result file.

    Parameters
    ----------
    path : Path

    Returns
    -------
    int

    Raises
    ------
    InputError
        As :func:`read_result`.
    """
    with _opened(path) as file:
        _check_format(file, path)
        return int(file.attrs["batch_size"])


def read_result(path: str | Path) -> RunRecord:
    """Read a result file into memory.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    RunRecord

    Raises
    ------
    InputError
        If the file is missing, truncated, of another kind, or of a newer format; the message is one line.
    """
    path = Path(path)
    with _opened(path) as file:
        _check_format(file, path)
        try:
            config = Config.model_validate(_stated(file))
        except ValueError as exc:  # not JSON, or keys that this version does not know
            detail = " ".join(str(exc).split())[:120]
            raise InputError(f"{path}: its configuration cannot be read ({detail})") from None
        detectors, tallies, prompt = [], [], {}
        for table in config.sites:
            group = file[f"sites/{table.name}"]
            numbers = {name: float(group.attrs[name]) for name in _DETECTOR_NUMBERS}
            detectors.append(Detector(name=table.name, **numbers))
            tally = make_tally(config, detectors[-1])
            tally.exponents = group["scale_exponents"][()]
            for name, array in tally.arrays().items():
                dataset = group[name]
                if dataset.shape != array.shape:
                    raise InputError(f"{path}: dataset sites/{table.name}/{name} has shape {dataset.shape}")
                dataset.read_direct(array)
            tallies.append(tally)
            if "prompt" in group:
                prompt[table.name] = group["prompt"][()]
        known = set(RESULT_CONVENTIONS) | {"format", "format_version", "earth_radius_km", "flavours"}
        known |= {"config_json", "config_sha256", "data_sha256"}
        models = {
            key: _plain(value)
            for key, value in file.attrs.items()
            if key not in known and not key.startswith("count_") and key not in ("seed", "batch_size")
        }
        # sim3d counted azimuths from the crossing's own south when it did not state the frame yet
        models.setdefault("azimuth_frame", CROSSING_FRAME)
        # and it counted hits by their weights, where it now counts primaries
        models.setdefault("weights_of", HITS)
        provenance = {k: _plain(v) for k, v in file["provenance"].attrs.items()}
        return RunRecord(
            config=config,
            detectors=tuple(detectors),
            tallies=tallies,
            counters={k[6:]: int(v) for k, v in file.attrs.items() if k.startswith("count_")},
            batches_done=file["batches_done"][()].astype(bool),
            models=models,
            provenance=provenance,
            failure=str(provenance.get("failure", "")),
            outcome=str(provenance.get("outcome", "complete")),
            lost=_read_lost(file),
            watch_sums=file["watch"][()] if "watch" in file else np.zeros(3, dtype=np.int64),
            events=EventIndex(file["events/records"][()], file["events/digests"][()]) if "events" in file else None,
            allocation=Allocation(**{f.name: file[f"allocation/{f.name}"][()] for f in fields(Allocation)})
            if "allocation" in file
            else None,
            prompt=prompt,
        )


def _stated(file: h5py.File) -> Any:
    """Stored configuration, with what earlier versions left unset."""
    config = json.loads(file.attrs["config_json"])
    if not isinstance(config, dict):
        return config
    altitudes = {name: float(group.attrs["altitude_m"]) for name, group in file["sites"].items()}
    return stated(config, file.attrs, altitudes)


def _read_lost(file: h5py.File) -> list[Lost]:
    if "lost" not in file:
        return []
    reasons = file["lost/reason"].asstr()[()]
    return [Lost(int(i), str(why)) for i, why in zip(file["lost/index"][()], reasons, strict=True)]
