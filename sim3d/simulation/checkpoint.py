"""Write checkpoints during a run, and read the one that a resumed run continues from.

The checkpoint is the result file itself: at any time it holds the exact sums of the batches it lists as done, so every
command reads it, and a resumed run adds the others. The result is bit for bit that of a run without a break.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import sim3d
from sim3d.config.schema import Config
from sim3d.errors import InputError
from sim3d.files.record import RunRecord
from sim3d.files.result_file import read_result, write_result
from sim3d.jit_cache import source_hash

FREE_KEYS = (
    "run.primaries",
    "run.checkpoint_minutes",
    "run.max_minutes",
    "run.max_lost",
    "run.target_error",
    "atmosphere.profile",
    "hadronic.table",
)
"""Keys that may change when a run goes on: no batch depends on them. (What the files hold is compared instead.)"""


class Checkpoints:
    """Writes the checkpoints of a run.

    Parameters
    ----------
    path : Path
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._complained = False

    def write(self, record: RunRecord) -> float:
        """Write what is finished; returns seconds.

        A failure is no reason to stop: the file before stays whole, the sums stay in memory, and the next attempt may
        succeed. It is said once.
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
    """Nested dicts and lists as one dict with dotted keys (``sites[0].lat``)."""
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


def difference(
    old: Config, old_models: dict[str, Any], new: Config, new_models: dict[str, Any]
) -> tuple[str, Any, Any] | None:
    """The first key in which two runs differ so that their batches do not belong together, with both values."""
    pairs = [(flat(old.model_dump(mode="json")), flat(new.model_dump(mode="json"))), (old_models, new_models)]
    for before, now in pairs:
        for key in [*before, *(key for key in now if key not in before)]:
            if key not in FREE_KEYS and before.get(key) != now.get(key):
                return key, before.get(key), now.get(key)
    return None


def resume_point(path: Path, config: Config, models: dict[str, Any]) -> RunRecord | None:
    """What a run may go on from: the record in ``path``, or None where there is no such file.

    Raises
    ------
    InputError
        If the file is damaged, or of another configuration or version (the line names the key).
    """
    if not path.exists():
        return None
    record = read_result(path)
    changed = difference(record.config, record.models, config, models)
    if changed is not None:
        key, old, new = changed
        raise InputError(
            f"{key}: is {new!r} now and was {old!r} in {path}; a run goes on only with what it began with "
            "(take another output, or --force to begin anew)"
        )
    if config.n_batches < len(record.batches_done) and record.batches_done[config.n_batches :].any():
        have = int(record.batches_done.nonzero()[0][-1] + 1) * config.run.batch_size
        raise InputError(f"run.primaries: {config.run.primaries} is less than the {have} that {path} goes up to")
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
    """Check a range of batches.

    Raises
    ------
    InputError
        If it is empty, exceeds the run, or cannot be meant together with ``run.target_error``.
    """
    if batches is None:
        return
    first, last = batches
    if not 0 <= first < last <= config.n_batches:
        raise InputError("--batch-range", f"{first}:{last}", f"A:B with 0 <= A < B <= {config.n_batches}, the batches")
    if config.run.target_error is not None:
        raise InputError("run.target_error: needs the whole run, not a --batch-range of it; leave one of them out")


def nothing_left(record: RunRecord, config: Config, batches: tuple[int, int] | None) -> bool:
    """Whether all batches that are wanted are finished."""
    first, last = batches or (0, config.n_batches)
    done = record.batches_done[first:last]
    return len(done) == last - first and bool(done.all())


def progress_in_words(record: RunRecord, path: Path) -> str:
    """How far a run has come and how to go on."""
    n = int(record.batches_done.sum())
    if n == 0:
        return "no batch was finished, nothing was written"
    return f"{n} of {len(record.batches_done)} batches are in {path}, go on with --resume"


def last_checkpoint(path: Path) -> str:
    """What a run that could not store its event records left behind, in words."""
    try:
        return progress_in_words(read_result(path), path)
    except InputError:
        return "no checkpoint was written"
