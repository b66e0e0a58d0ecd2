"""Choose the folder in which numba caches compiled kernels, named by a hash of the kernels' sources.

numba's own cache returns outdated code if a function is edited that a cached function of another module calls. It also
fails if neither the installation nor the home folder is writable. Therefore the name of the cache folder has a hash of
the files that kernels depend on (:mod:`sim3d.kernel_sources`) and of the versions of numba, numpy, scipy and particle.
If no folder is writable, nothing is cached. A folder that the user gives in ``NUMBA_CACHE_DIR`` gets such a subfolder.

This module must be imported before any module with kernels; ``sim3d/__init__.py`` does so. It does not import numba,
which takes half a second. It sets the environment variable that numba reads when numba is first imported, so programs
without kernels do not compute the hash.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

KERNEL_PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")

# Libraries whose versions are part of the hash: numba makes the code, and constants of the others are compiled into it.
_LIBRARIES = ("numba", "numpy", "scipy", "particle")

# Environment variable with the folder that `enable` chose; by it child processes tell it from a folder of the user.
MARK = "SIM3D_SET_NUMBA_CACHE_DIR"

CACHE_FOLDER: Path | None
"""Folder of the cache, or None without a cache; determined at its first use or when numba is imported."""
CACHE: bool
"""Whether kernels are cached."""


def _package_folders() -> dict[str, Path]:
    folders = {}
    for package in KERNEL_PACKAGES:
        spec = find_spec(package)
        if spec is not None and spec.origin is not None:
            folders[package] = Path(spec.origin).parent
    return folders


def _digest(files: dict[str, Path]) -> str:
    """Hash the contents of files and the versions of the libraries (16 hexadecimal digits)."""
    from importlib.metadata import PackageNotFoundError, version

    digest = hashlib.sha256()
    for library in _LIBRARIES:
        try:
            digest.update(f"{library} {version(library)}\n".encode())
        except PackageNotFoundError:
            digest.update(f"{library} unknown\n".encode())
    for name, path in files.items():
        content = path.read_bytes()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def source_hash() -> str:
    """Hash the files that kernels depend on, and the versions of numba, numpy, scipy and particle.

    Returns
    -------
    str
        16 hexadecimal digits. They do not depend on files that no kernel uses (plots, commands, the reader of results).
    """
    _choose()
    folder = globals()["CACHE_FOLDER"]
    # beside the cache the hash is stored, by one of all sources; without a cache it takes half a second
    return _kernel_key(None if folder is None else folder.parent)


@functools.lru_cache(maxsize=8)
def _remembered(everything: str, base: Path | None) -> str:
    """Return the kernels' hash for a hash of all sources; stored in `base`, as computing it takes half a second."""
    note = None if base is None else base / "keys" / everything
    if note is not None:
        with contextlib.suppress(OSError):
            key = note.read_text(encoding="ascii")
            if len(key) == 16:
                return key
    from sim3d.kernel_sources import kernel_files, module_files

    key = _digest(kernel_files(module_files(_package_folders())))
    if note is not None:
        with contextlib.suppress(OSError):
            note.parent.mkdir(parents=True, exist_ok=True)
            beside = note.with_name(f"{everything}.{os.getpid()}")
            beside.write_text(key, encoding="ascii")
            beside.replace(note)
    return key


def all_sources_hash() -> str:
    """Hash all modules of the program, and the versions of numba, numpy, scipy and particle.

    Returns
    -------
    str
        16 hexadecimal digits.
    """
    from sim3d.kernel_sources import module_files

    return _digest(module_files(_package_folders()))


def _kernel_key(base: Path | None) -> str:
    return _remembered(all_sources_hash(), base)


def _candidates() -> list[Path]:
    """List the folders in which the cache folder may be made, in the order in which they are tried."""
    folders = []
    inherited, marked = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get(MARK)
    if inherited and inherited != marked:
        folders.append(Path(inherited))  # set by the user
    if os.environ.get("SIM3D_CACHE_DIR"):
        folders.append(Path(os.environ["SIM3D_CACHE_DIR"]))
    if inherited and inherited == marked:
        folders.append(Path(inherited).parent)  # set by sim3d in the parent process
    if os.environ.get("XDG_CACHE_HOME"):
        folders.append(Path(os.environ["XDG_CACHE_HOME"]) / "sim3d")
    with contextlib.suppress(RuntimeError):  # no home folder can be determined
        folders.append(Path.home() / ".cache" / "sim3d")
    folders.append(Path(tempfile.gettempdir()) / f"sim3d-cache-{os.getuid() if hasattr(os, 'getuid') else 0}")
    return folders


def enable() -> Path | None:
    """Make the cache folder of these sources and set it in numba's configuration.

    Returns
    -------
    pathlib.Path or None
        The folder; None without a cache, because no folder is writable or NUMBA_DISABLE_JIT is set.
    """
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    for base in _candidates():
        try:
            base.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=base):
                pass
            folder = base / f"kernels-{_kernel_key(base)}"
            folder.mkdir(exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        _point_numba_at(str(folder))
        os.environ[MARK] = str(folder)
        return folder
    _point_numba_at("")
    return None


def _point_numba_at(folder: str) -> None:
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:  # it has read the environment already
        sys.modules["numba"].config.CACHE_DIR = folder


_CACHING = "numba.core.caching"


class _BeforeNumba(MetaPathFinder):
    """Import hook: chooses the cache folder just before numba is imported, and has writing to the cache locked."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        """Choose the cache folder if numba is to be imported; find numba's module of the cache."""
        if fullname == "numba":
            _choose()
        if fullname != _CACHING:
            return None
        sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _BeforeNumba)]
        spec = PathFinder.find_spec(fullname, path)
        if spec is not None and spec.loader is not None:
            spec.loader = _Locked(spec.loader)
        return spec


class _Locked(Loader):
    """Loader of numba's module of the cache, see :func:`_lock_saves`."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        """Create the module as its own loader does."""
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module and have its writing locked."""
        self._loader.exec_module(module)
        _lock_saves(module)


def _lock_saves(caching: ModuleType) -> None:
    """Let one process at a time write to an index of numba's cache.

    To save a compiled function numba reads the index of its file, takes the next free number, and writes the index
    again. Of two processes that do so at once, with versions of the function for other argument types, one would lose
    its entry, or both would take the same number, and one would later load the other's code.
    """
    save = caching.IndexDataCacheFile.save

    def save_alone(self: Any, key: Any, data: Any) -> None:
        from filelock import FileLock

        with contextlib.ExitStack() as held:
            # raised by file systems without locks
            with contextlib.suppress(OSError, NotImplementedError):
                path = Path(self._cache_path) / "saving.lock"
                held.enter_context(FileLock(path, fallback_to_soft=False))
            save(self, key, data)

    caching.IndexDataCacheFile.save = save_alone


def _choose() -> None:
    """Determine `CACHE_FOLDER` and `CACHE`, at the first call only."""
    if "CACHE" not in globals():
        folder = enable()
        globals().update(CACHE_FOLDER=folder, CACHE=folder is not None)


def __getattr__(name: str) -> Any:
    if name in ("CACHE", "CACHE_FOLDER"):
        _choose()
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "numba" in sys.modules:
    _choose()
    _lock_saves(sys.modules[_CACHING])
else:
    sys.meta_path.insert(0, _BeforeNumba())
