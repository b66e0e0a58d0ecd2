"""Names of the files that lie beside a result file: its event file and the journal of a run that is not finished.

Only paths are handled here, so that the command line can look before it imports anything heavy.
"""

from __future__ import annotations

from pathlib import Path

EVENTS_SUFFIX = ".events.h5"
JOURNAL_SUFFIX = ".events.part"


def _beside(path: Path, suffix: str) -> Path:
    # only a final .h5 goes: part.1 and part.2 are different results
    return path.with_name((path.name[:-3] if path.name.endswith(".h5") else path.name) + suffix)


def events_path(path: Path) -> Path:
    """The event file of the result file ``path``."""
    return _beside(path, EVENTS_SUFFIX)


def journal_path(path: Path) -> Path:
    """The journal of the result file ``path``."""
    return _beside(path, JOURNAL_SUFFIX)


def without_event_files(paths: list[Path]) -> list[Path]:
    """The paths but for event files whose result is among them too, as a pattern like ``part-*.h5`` gives them."""
    event_files = {events_path(path) for path in paths}
    return [path for path in paths if path not in event_files]
