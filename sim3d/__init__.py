"""sim3d: a three-dimensional Monte Carlo of cosmic-ray showers and atmospheric neutrino fluxes.

The main functions can be imported from here: ``sim3d.run(config)`` runs a simulation, ``sim3d.load(path)`` reads a
result, ``sim3d.Flux.load(path)`` interpolates its fluxes. Heavy libraries (numba, scipy) are imported on first use, so
that ``import sim3d`` and ``sim3d --help`` are fast.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from sim3d import jit_cache as _jit_cache  # noqa: F401  (must come before any kernel is imported)

_PUBLIC = {
    "run": "sim3d.api",
    "load": "sim3d.results.result",
    "Result": "sim3d.results.result",
    "Config": "sim3d.config.schema",
    "load_config": "sim3d.config.load",
    "Flux": "sim3d.flux.interpolated",
    "HondaFluxService": "sim3d.flux.service",
    "get_flux_maps": "sim3d.flux.service",
}
__all__ = ["Config", "Flux", "HondaFluxService", "Result", "__version__", "get_flux_maps", "load", "load_config", "run"]


def _version() -> str:
    # the import takes five times as long as all else here
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("sim3d")
    except PackageNotFoundError:  # running from a source tree that is not installed
        return "0.0.0+source"


def __getattr__(name: str) -> Any:
    if name == "__version__":
        globals()[name] = _version()
        return globals()[name]
    if name in _PUBLIC:
        return getattr(import_module(_PUBLIC[name]), name)
    raise AttributeError(f"module 'sim3d' has no attribute {name!r}")
