"""Where numba keeps compiled kernels.

numba's own cache returns stale code when a function in another module that a cached one calls was edited,
and fails where neither the installation nor the home folder is writable. So the cache folder is keyed by a
hash of every source file that holds kernels, and where no folder can be written nothing is cached.

This module must be imported before any module that holds kernels; ``sim3d/__init__.py`` does so. It does not
import numba itself (that costs half a second), but sets the environment variable that numba reads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

KERNEL_PACKAGES = ("sim3d", "geomag", "atmosphere", "hadronic")


def source_hash() -> str:
    """Hash of the sources of all kernel packages and of numba's version (hex, 16 characters)."""
    try:
        numba_version = version("numba")
    except PackageNotFoundError:
        numba_version = "unknown"
    digest = hashlib.sha256(numba_version.encode())
    for package in KERNEL_PACKAGES:
        spec = find_spec(package)
        if spec is None or spec.origin is None:
            continue
        for source in sorted(Path(spec.origin).parent.glob("*.py")):
            digest.update(source.name.encode())
            digest.update(source.read_bytes())
    return digest.hexdigest()[:16]


def _candidates() -> list[Path]:
    folders = []
    if os.environ.get("SIM3D_CACHE_DIR"):
        folders.append(Path(os.environ["SIM3D_CACHE_DIR"]))
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
    own_mark = "SIM3D_SET_NUMBA_CACHE_DIR"
    inherited = os.environ.get("NUMBA_CACHE_DIR")
    if inherited and os.environ.get(own_mark) != inherited:
        return Path(inherited)  # the user's own choice
    if os.environ.get("NUMBA_DISABLE_JIT", "0") not in ("", "0"):
        return None
    key = source_hash()
    for base in _candidates():
        folder = base / f"kernels-{key}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder):
                pass
        except OSError:
            continue
        _point_numba_at(str(folder))
        os.environ[own_mark] = str(folder)
        return folder
    _point_numba_at("")
    return None


def _point_numba_at(folder: str) -> None:
    os.environ["NUMBA_CACHE_DIR"] = folder
    if "numba" in sys.modules:  # it read the environment when it was imported, before us
        sys.modules["numba"].config.CACHE_DIR = folder


CACHE_FOLDER = enable()
CACHE = CACHE_FOLDER is not None
