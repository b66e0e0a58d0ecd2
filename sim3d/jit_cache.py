"""Choose the folder in which numba keeps compiled kernels, keyed by the sources that the kernels are made of.

numba's own cache returns stale code when a function in another module that a cached one calls was edited,
and fails where neither the installation nor the home folder is writable. So the cache folder is keyed by a
hash of the files that kernels depend on (:mod:`sim3d.kernel_sources`) and of the libraries whose numbers or code go
into them; where no folder can be written nothing is cached. A folder that the user gives in ``NUMBA_CACHE_DIR`` gets a
keyed subfolder.

This module must be imported before any module that holds kernels; ``sim3d/__init__.py`` does so. It does not
import numba itself (that costs half a second), but sets the environment variable that numba reads, when numba is
imported for the first time: programs that need no kernel do not pay for the hash.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

KERNEL_PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")

# Libraries whose version is part of the key: numba makes the code; constants from the others are compiled into it.
_LIBRARIES = ("numba", "numpy", "scipy", "particle")

# Environment variable with the folder that `enable` chose, so that other processes know it from one the user chose.
MARK = "SIM3D_SET_NUMBA_CACHE_DIR"

CACHE_FOLDER: Path | None
"""The folder, or None when caching is off; chosen when it is first asked for, or when numba is imported."""
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
    """Hash of some modules and of the libraries (hex, 16 characters)."""
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
        16 hexadecimal digits. An edit of a file that no kernel depends on (a plot, a command, the reader of results)
        does not change it.
    """
    return _kernel_key(None)


@functools.lru_cache(maxsize=8)
def _remembered(everything: str, base: Path | None) -> str:
    """Key of the kernels for a hash of all sources; kept in the folder `base`, as finding it takes half a second."""
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


def _kernel_key(base: Path | None) -> str:
    from sim3d.kernel_sources import module_files

    return _remembered(_digest(module_files(_package_folders())), base)


def _candidates() -> list[Path]:
    """Folders that a keyed one may be made in, in the order in which they are tried."""
    folders = []
    inherited, marked = os.environ.get("NUMBA_CACHE_DIR"), os.environ.get(MARK)
    if inherited and inherited != marked:
        folders.append(Path(inherited))  # the user's own choice
    if os.environ.get("SIM3D_CACHE_DIR"):
        folders.append(Path(os.environ["SIM3D_CACHE_DIR"]))
    if inherited and inherited == marked:
        folders.append(Path(inherited).parent)  # what the process that started this one uses
    if os.environ.get("XDG_CACHE_HOME"):
        folders.append(Path(os.environ["XDG_CACHE_HOME"]) / "sim3d")
    with contextlib.suppress(RuntimeError):  # no home folder can be determined
        folders.append(Path.home() / ".cache" / "sim3d")
    folders.append(Path(tempfile.gettempdir()) / f"sim3d-cache-{os.getuid() if hasattr(os, 'getuid') else 0}")
    return folders


def enable() -> Path | None:
    """Point numba at a writable cache folder for exactly these sources.

    Returns
    -------
    pathlib.Path or None
        The folder, or None when caching is off because no folder can be written.
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
    if "numba" in sys.modules:  # it read the environment when it was imported, before us
        sys.modules["numba"].config.CACHE_DIR = folder


class _BeforeNumba(MetaPathFinder):
    """Choose the folder when numba is about to be imported; finds no module itself."""

    def find_spec(self, fullname: str, path: Sequence[str] | None, target: Any = None) -> None:
        if fullname == "numba":
            _choose()


def _choose() -> None:
    """Set `CACHE_FOLDER` and `CACHE`, once."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _BeforeNumba)]
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
else:
    sys.meta_path.insert(0, _BeforeNumba())
