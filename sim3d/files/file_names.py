"""Names of the files beside a result file: its event file, and the journal of an unfinished run.

A result that is a symbolic link has them beside the file that the link leads to. Only paths are handled here, so that
the command line can check them before it imports large packages.
"""

from __future__ import annotations

import os
from pathlib import Path

EVENTS_SUFFIX = ".events.h5"
JOURNAL_SUFFIX = ".events.part"


def followed(path: Path) -> Path:
    """Path of the file that a symbolic link leads to; other paths are returned as they are.

    Parameters
    ----------
    path : Path
        It need not exist. Only its last part is looked at: folders that are links stay in the path.

    Returns
    -------
    Path
    """
    return Path(os.path.realpath(path)) if path.is_symlink() else path


def _beside(path: Path, suffix: str) -> Path:
    path = followed(path)
    # only a final .h5 is removed: part.1 and part.2 are different results
    return path.with_name((path.name[:-3] if path.name.endswith(".h5") else path.name) + suffix)


def events_path(path: Path) -> Path:
    """Path of the event file of a result file.

    Parameters
    ----------
    path : Path
        The result file.

    Returns
    -------
    Path
    """
    return _beside(path, EVENTS_SUFFIX)


def journal_path(path: Path) -> Path:
    """Path of the journal of a result file.

    Parameters
    ----------
    path : Path
        The result file.

    Returns
    -------
    Path
    """
    return _beside(path, JOURNAL_SUFFIX)


def without_event_files(paths: list[Path]) -> list[Path]:
    """Remove from a list of paths the event files whose result file is in the list too.

    A pattern like ``part-*.h5`` matches both.

    Parameters
    ----------
    paths : list of Path

    Returns
    -------
    list of Path
    """
    event_files = {os.path.realpath(events_path(path)) for path in paths}
    return [path for path in paths if os.path.realpath(path) not in event_files]
