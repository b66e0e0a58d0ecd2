"""Write checkpoints during a run, and read the one that a resumed run continues from.

The checkpoint is the result file itself: at any time it holds the exact sums of the batches it lists as done, so every
command can read it, and a resumed run adds the other batches. The result is bitwise that of an uninterrupted run.
"""

from __future__ import annotations

import dataclasses
import math
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import sim3d
from sim3d.config.load import make_config
from sim3d.config.schema import Config
from sim3d.errors import InputError
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result, write_result
from sim3d.jit_cache import source_hash
from sim3d.scoring.detectors import Detector

FREE_KEYS = (
    "run.primaries",
    "run.checkpoint_minutes",
    "run.max_minutes",
    "run.max_lost",
    "run.target_error",
    "atmosphere.profile",
    "hadronic.table",
)
"""Keys that may change when a run is resumed: no batch depends on them. (For files, the contents are compared.)"""


class Checkpoints:
    """Writer of the checkpoints of a run.

    Parameters
    ----------
    path : Path
        The result file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._complained = False

    def write(self, record: RunRecord) -> float:
        """Write the finished batches to the result file.

        A failure does not stop the run: the previous file stays intact, the sums stay in memory, and the next attempt
        may succeed. A warning is printed at the first of successive failures.

        Parameters
        ----------
        record : RunRecord

        Returns
        -------
        float
            Seconds that it took.
        """
        started = time.monotonic()
        try:
            write_result(record, self.path)
            self._complained = False
        except InputError as exc:
            if not self._complained:
                print(f"\nsim3d: warning: no checkpoint: {exc}; the run goes on", file=sys.stderr, flush=True)
            self._complained = True
        return time.monotonic() - started


def flat(values: Any, prefix: str = "") -> dict[str, Any]:
    """Flatten nested dicts and lists into one dict with dotted keys (``sites[0].lat``).

    Parameters
    ----------
    values : dict, list, tuple or scalar
    prefix : str
        Key of ``values`` itself.

    Returns
    -------
    dict
    """
    if isinstance(values, dict):
        items = [(f"{prefix}.{key}" if prefix else str(key), value) for key, value in values.items()]
    elif isinstance(values, list | tuple):
        items = [(f"{prefix}[{i}]", value) for i, value in enumerate(values)]
    else:
        return {prefix: values}
    out: dict[str, Any] = {}
    for key, value in items:
        out |= flat(value, key)
    return out


_SAME_PLACE = 1e-9
"""Difference of numbers of a detector up to which it is one: its declination is rounded as its machine rounds."""


def difference(
    old: Config,
    old_models: dict[str, Any],
    old_detectors: Sequence[Detector],
    new: Config,
    new_models: dict[str, Any],
    new_detectors: Sequence[Detector],
    free: tuple[str, ...] = (),
) -> tuple[str, Any, Any] | None:
    """Find the first difference of two runs for which their batches must not be added up.

    Parameters
    ----------
    old, new : Config
    old_models, new_models : dict
        Entries of the models (:func:`sim3d.simulation.provenance.model_entries`).
    old_detectors, new_detectors : sequence of Detector
        As simulated, whatever the configuration says of them (a known site may have moved).
    free : tuple of str
        Keys that may differ, besides :data:`FREE_KEYS`.

    Returns
    -------
    (str, Any, Any) or None
        The key, with its old and its new value; None if the batches may be added up.
    """
    pairs = [(flat(old.model_dump(mode="json")), flat(new.model_dump(mode="json"))), (old_models, new_models)]
    for before, now in pairs:
        for key in [*before, *(key for key in now if key not in before)]:
            if key not in (*FREE_KEYS, *free) and before.get(key) != now.get(key):
                return key, before.get(key), now.get(key)
    for one, other in zip(old_detectors, new_detectors, strict=True):
        for field in dataclasses.fields(Detector):
            a, b = getattr(one, field.name), getattr(other, field.name)
            same = a == b if isinstance(a, str) else math.isclose(a, b, rel_tol=_SAME_PLACE, abs_tol=_SAME_PLACE)
            if not same:
                return f"sites.{one.name}.{field.name}", a, b
    return None


def with_stored_batch_size(config: Config, size: int) -> Config:
    """Take the batch size of a run's file for a configuration that leaves it to be chosen.

    The choice depends on the number of primaries, which may grow when a run is resumed; its batches may not.

    Parameters
    ----------
    config : Config
    size : int
        Of the file.

    Returns
    -------
    Config
        Unchanged if it states a size of its own.

    Raises
    ------
    InputError
        If the run would have too few or too many batches.
    """
    if size == config.run.batch_size or "batch_size" in config.run.model_fields_set:
        return config
    data = config.model_dump(mode="json")
    return make_config({**data, "run": {**data["run"], "batch_size": size}})


def resume_point(path: Path, config: Config, models: dict[str, Any], detectors: Sequence[Detector]) -> RunRecord | None:
    """Read the checkpoint from which a run continues.

    Parameters
    ----------
    path : Path
    config : Config
    models : dict
        Entries of the models of the run (:func:`sim3d.simulation.provenance.model_entries`).
    detectors : sequence of Detector
        Of the run.

    Returns
    -------
    RunRecord or None
        The record in ``path``, or None if there is no such file.

    Raises
    ------
    InputError
        If the file is damaged, or of another configuration or version (the message names the key).
    """
    if not path.exists():
        return None
    record = read_result(path)
    if "merged_seeds" in record.provenance:
        raise InputError(
            f"{path}: was merged from runs of several seeds; it cannot be resumed, merge another run to it"
        )
    changed = difference(record.config, record.models, record.detectors, config, models, detectors)
    if changed is not None:
        key, old, new = changed
        raise InputError(
            f"{key}: is {new!r} now and was {old!r} in {path}; a run goes on only with what it began with "
            "(take another output, or --force to begin anew)"
        )
    if config.n_batches < len(record.batches_done) and record.batches_done[config.n_batches :].any():
        have = int(record.batches_done.nonzero()[0][-1] + 1) * config.run.batch_size
        raise InputError(
            f"run.primaries: {config.run.primaries} is less than the {have} that {path} already has or has begun; "
            "ask for more, or take another output"
        )
    version = record.provenance.get("sim3d")
    if version != sim3d.__version__:
        raise InputError(f"{path}: was made by sim3d {version}, this is {sim3d.__version__}: their numbers may differ")
    if record.provenance.get("kernels") not in (None, source_hash()):
        print(
            f"sim3d: warning: the sources of sim3d's kernels, or a library in them, changed since {path} was written",
            file=sys.stderr,
        )
    record.batches_done = record.batches_done[: config.n_batches]
    return record


def check_range(batches: tuple[int, int] | None, config: Config) -> None:
    """Raise an error if a range of batches is not valid.

    Parameters
    ----------
    batches : (int, int) or None
        First batch and the one after the last; None for all.
    config : Config

    Raises
    ------
    InputError
        If it is empty, exceeds the run, or is combined with ``run.target_error``.
    """
    if batches is None:
        return
    first, last = batches
    if not 0 <= first < last <= config.n_batches:
        raise InputError("--batch-range", f"{first}:{last}", f"A:B with 0 <= A < B <= {config.n_batches}, the batches")
    if config.run.target_error is not None:
        raise InputError("run.target_error: needs the whole run, not a --batch-range of it; leave one of them out")


def nothing_left(record: RunRecord, config: Config, batches: tuple[int, int] | None) -> bool:
    """Tell whether all batches to be done are finished.

    Parameters
    ----------
    record : RunRecord
    config : Config
    batches : (int, int) or None
        First batch and the one after the last; None for all.

    Returns
    -------
    bool
    """
    first, last = batches or (0, config.n_batches)
    done = record.batches_done[first:last]
    return len(done) == last - first and bool(done.all())


def progress_in_words(record: RunRecord, path: Path) -> str:
    """Describe how many batches of a run are finished and how to continue it.

    Parameters
    ----------
    record : RunRecord
    path : Path
        The result file.

    Returns
    -------
    str
    """
    n = int(record.batches_done.sum())
    if n == 0:
        return "no batch was finished, nothing was written"
    return f"{n} of {len(record.batches_done)} batches are in {path}, go on with --resume"


def last_checkpoint(path: Path) -> str:
    """Describe the last checkpoint of a run whose event records could not be stored.

    Parameters
    ----------
    path : Path
        The result file.

    Returns
    -------
    str
    """
    try:
        return progress_in_words(read_result(path), path)
    except InputError:
        return "no checkpoint was written"
