"""Merge result files that hold disjoint batches of one run, or runs that differ in their seed alone.

Sums of batches are added. They are exact, so parts of one run give bitwise the single run. Runs of different seeds are
independent samples of one size of batch, and the sum over all batches weights each run by its primaries.
"""

from __future__ import annotations

import datetime
import platform
from collections.abc import Sequence
from pathlib import Path

import numpy as np

import sim3d
from sim3d.errors import InputError
from sim3d.files.event_file import EventStore, sources_of, write_events
from sim3d.files.file_names import without_event_files
from sim3d.files.locks import sole_writer
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result, write_result
from sim3d.scoring.precision import Watch
from sim3d.scoring.tally import SiteTally
from sim3d.simulation.checkpoint import difference


def merge_files(paths: Sequence[Path]) -> RunRecord:
    """Merge result files of one configuration, of one seed or of several.

    The files are read and added one after the other, so the memory needed is that of three records.

    Parameters
    ----------
    paths : sequence of Path
        In any order.

    Returns
    -------
    RunRecord
        Its configuration is that of the part with most primaries. With several seeds it is that of the first seed
        given, with the primaries of all; ``merged_seeds`` in the provenance lists them.

    Raises
    ------
    InputError
        If a file cannot be read, is of another configuration or version, or holds a batch or a seed that another file
        holds.
    """
    by_seed: dict[tuple[int, ...], list[Path]] = {}
    for path in paths:
        by_seed.setdefault(_seeds(read_result(path)), []).append(path)
    whole = None
    seeds: dict[int, Path] = {}
    for key, parts in by_seed.items():
        for seed in key:
            if seed in seeds:
                raise _twice(parts[0], seed, seeds[seed])
        if len(key) > 1 and len(parts) > 1:
            raise _twice(parts[1], key[0], parts[0])
        seeds |= dict.fromkeys(key, parts[0])
        run = _merge_parts(parts)
        if whole is None:
            whole = run
        else:
            _check_same_run(paths[0], whole, parts[0], run, free=("run.seed",))
            _append(whole, run, parts[0])
    if whole is None:
        raise InputError("merge: no file given")
    whole.provenance["merged_files"] = len(paths)
    if len(seeds) > 1:
        whole.provenance["merged_seeds"] = " ".join(str(seed) for seed in seeds)
    return whole


def _twice(path: Path, seed: int, other: Path) -> InputError:
    return InputError(f"{path}: holds seed {seed}, as {other} does; seeds must not be counted twice")


def _seeds(record: RunRecord) -> tuple[int, ...]:
    """Return the seeds of the batches in a record, more than one if it was merged from several runs."""
    merged = str(record.provenance.get("merged_seeds", ""))
    return tuple(int(seed) for seed in merged.split()) or (record.config.run.seed,)


def _append(whole: RunRecord, part: RunRecord, path: Path) -> None:
    """Add the batches of a run of another seed, numbered after those that are there."""
    if whole.events is not None or part.events is not None:
        raise InputError(f"{path}: event records of several seeds cannot be merged, their primaries have equal numbers")
    shift = len(whole.batches_done)
    for tally in part.tallies:
        for array in _group_arrays(tally):
            # a group holds the batches whose number is equal modulo the number of groups
            array[...] = np.roll(array, shift, axis=0)
    _add(whole, part)
    whole.batches_done = np.concatenate([whole.batches_done, part.batches_done])
    run = whole.config.run
    run = run.model_copy(update={"primaries": run.batch_size * len(whole.batches_done)})
    whole.config = whole.config.model_copy(update={"run": run})
    whole.outcome = "complete" if whole.batches_done.all() else "merged"


def _group_arrays(tally: SiteTally) -> list[np.ndarray]:
    """List the sums of a tally that are kept by group of batches, (N_GROUPS, ...)."""
    extras = [sums.groups for sums in tally.extras.values() if sums.groups.size]
    return [tally.east_west, tally.bands, *extras]


def _merge_parts(paths: Sequence[Path]) -> RunRecord:
    """Merge parts of one run."""
    whole, owner = None, np.zeros(0, dtype=np.int64)  # index of the file of each batch, -1 for none
    for number, path in enumerate(paths):
        part = read_result(path)
        done = part.batches_done
        if whole is None:
            whole, owner = part, np.where(done, number, -1)
            continue
        _check_same_run(paths[0], whole, path, part)
        if len(done) > len(owner):
            owner = np.concatenate([owner, np.full(len(done) - len(owner), -1)])
            whole.config = part.config
        twice = np.flatnonzero(done & (owner[: len(done)] >= 0))
        if twice.size:
            other = paths[int(owner[twice[0]])]
            raise InputError(
                f"{path}: holds batch {twice[0]}, as {other} does ({twice.size} batches twice in all); "
                "parts of a run must not share batches"
            )
        owner[np.flatnonzero(done)] = number
        if whole.events is not None and part.events is not None:
            whole.events = whole.events.add(part.events)
        _add(whole, part)
    assert whole is not None
    whole.batches_done = owner >= 0
    if whole.events is not None:
        whole.events = whole.events.resized(len(owner))
    whole.lost.sort()
    whole.outcome = "complete" if whole.batches_done.all() else "merged"
    whole.failure = ""
    whole.provenance |= {
        "created": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "host": platform.node(),
        "merged_files": len(paths),
    }
    return whole


def merge_to_file(paths: Sequence[Path], target: Path) -> None:
    """Merge result files and their event records into one file; see :func:`merge_files`.

    Parameters
    ----------
    paths : sequence of Path
    target : Path
        The new result file.

    Raises
    ------
    InputError
        As :func:`merge_files`, if event records are missing or damaged, or if a file cannot be written.
    """
    paths = without_event_files([Path(path) for path in paths])
    if target.resolve() in {path.resolve() for path in paths}:
        raise InputError(f"{target}: is one of the parts, give another name with -o")
    with sole_writer(target):
        whole = merge_files(paths)
        if whole.events is not None:
            store = EventStore(whole.events, [source for path in paths for source in sources_of(path)], paths[0])
            # before the result: records without a result do less harm than a result without its records
            write_events(target, whole, store)
        write_result(whole, target)


def _check_same_run(first: Path, whole: RunRecord, path: Path, part: RunRecord, free: tuple[str, ...] = ()) -> None:
    changed = difference(whole.config, whole.models, whole.detectors, part.config, part.models, part.detectors, free)
    if changed is not None:
        key, old, new = changed
        raise InputError(f"{path}: not a part of the run of {first}: {key} is {new!r} there and {old!r} in {first}")
    if not free and (whole.allocation is None) != (part.allocation is None):
        with_one, other = (path, first) if whole.allocation is None else (first, path)
        raise InputError(
            f"{with_one}: a survey chose the energies of its primaries, not so in {other}: parts of a run must agree "
            "(allocation.mode; auto depends on run.primaries)"
        )
    versions = [record.provenance.get("sim3d", sim3d.__version__) for record in (whole, part)]
    if versions[0] != versions[1]:
        raise InputError(f"{path}: was made by sim3d {versions[1]}, {first} by {versions[0]}: their numbers may differ")


def _add(whole: RunRecord, part: RunRecord) -> None:
    for total, tally in zip(whole.tallies, part.tallies, strict=True):
        total.add(tally)
    watch = Watch(whole.config, [tally.exponents for tally in whole.tallies])
    watch.add(whole.watch_sums)
    watch.add(part.watch_sums)
    whole.watch_sums = watch.sums
    for name, count in part.counters.items():
        whole.counters[name] = whole.counters.get(name, 0) + count
    whole.lost += part.lost
    for key in ("wall_time_s", "compile_time_s", "sessions"):
        whole.provenance[key] = whole.provenance.get(key, 0) + part.provenance.get(key, 0)
