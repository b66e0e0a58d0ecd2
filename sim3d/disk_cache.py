"""Keep models that take long to build in files, so that later processes read them instead.

Every process of a run builds the tables of its hadronic model and the bounds of its field, which takes longer than to
read them. The files lie beside the folder of compiled kernels (:mod:`sim3d.jit_cache`). Their names have a hash of all
sources of the program, of the versions of its libraries and of what the model is made of: an edit of any module makes
new files. Without a folder for kernels nothing is kept. A file that cannot be read is made anew.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from sim3d import jit_cache

T = TypeVar("T")

MOST_FILES = 4
"""Files of one kind that are kept; the oldest go first. Those of the largest kind, hadronic models, have 40 MB each."""


@functools.lru_cache(maxsize=1)
def _folder() -> Path | None:
    """Folder of the files, None where no kernels are kept."""
    kernels: Path | None = jit_cache.CACHE_FOLDER
    return None if kernels is None else kernels.parent / "models"


@functools.lru_cache(maxsize=1)
def _sources() -> str:
    return jit_cache.all_sources_hash()


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
        return pickle.loads(path.read_bytes())  # type: ignore[no-any-return]
    made = make()
    with contextlib.suppress(OSError):
        folder.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}")
        try:
            beside.write_bytes(pickle.dumps(made, protocol=5))
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)
        files = sorted(folder.glob(f"{kind}-*.pickle"), key=lambda one: one.stat().st_mtime)
        for old in files[:-MOST_FILES]:
            old.unlink(missing_ok=True)
    return made
