"""Keep models that take long to build in files, so that later processes read them instead.

Every process of a run needs the tables of its hadronic model and the bounds of its field; reading them is faster than
building them. The files lie beside the folder of compiled kernels (:mod:`sim3d.jit_cache`). Their names have a hash of
all sources of the program, of the versions of its libraries, of the processor and of what the model is made of: an edit
of any module makes new files. Without a folder for kernels nothing is kept. A file that cannot be read is made anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sim3d import jit_cache

T = TypeVar("T")

MOST_FILES = 4
"""Files of one kind that are kept; those unused for longest go first. Hadronic models have 40 MB each."""


_UNFINISHED, _ABANDONED_S = ".part", 3600.0
"""Ending of a file that is being written, and the age at which no process can be writing it any more."""


@functools.lru_cache(maxsize=1)
def _folder() -> Path | None:
    """Folder of the files, None where no kernels are kept."""
    kernels: Path | None = jit_cache.CACHE_FOLDER
    return None if kernels is None else kernels.parent / "models"


@functools.lru_cache(maxsize=1)
def _sources() -> str:
    """Hash of the sources, with the processor: NumPy's last digits depend on its instructions."""
    from llvmlite.binding import get_host_cpu_name

    return f"{jit_cache.all_sources_hash()} {get_host_cpu_name()}"


def _tidy(folder: Path, kind: str) -> None:
    """Remove the files of a kind that were not used for longest, and what killed processes have left."""
    files = sorted(folder.glob(f"{kind}-*.pickle"), key=lambda one: one.stat().st_mtime)
    left = [one for one in folder.glob(f"*{_UNFINISHED}") if time.time() - one.stat().st_mtime > _ABANDONED_S]
    for old in [*files[:-MOST_FILES], *left]:
        old.unlink(missing_ok=True)


def kept(kind: str, parts: tuple[object, ...], make: Callable[[], T]) -> T:
    """Make an object, or read the one that an earlier process has made of the same parts.

    Parameters
    ----------
    kind : str
        Of the object, for the name of the file.
    parts : tuple
        What the object depends on beside the sources: bytes, strings, numbers. Objects of equal ``repr`` are equal.
    make : callable
        Makes the object, which can be pickled.

    Returns
    -------
    object
    """
    folder = _folder()
    if folder is None:
        return make()
    key = hashlib.sha256(f"{_sources()} {kind} {parts!r}".encode()).hexdigest()[:24]
    path = folder / f"{kind}-{key}.pickle"
    # whatever is wrong with a file, the object can be made
    with contextlib.suppress(Exception):
        found: T = pickle.loads(path.read_bytes())
        with contextlib.suppress(OSError):
            os.utime(path)
        return found
    made = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        number, name = tempfile.mkstemp(dir=folder, prefix=f"{kind}-", suffix=_UNFINISHED)
        try:
            with os.fdopen(number, "wb") as file:
                pickle.dump(made, file, protocol=5)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
        _tidy(folder, kind)
    return made
