"""Hadronic interactions on air: cross sections, inclusive yields, Z factors and the models that give them.

`load_model` builds a model; `hadronic.interaction.kernels` draws from its tables inside numba kernels;
`hadronic.observables.zfactors` samples the moments of any model.

The names in ``__all__`` can be imported from here; they are loaded on first use.
"""

# ruff: noqa: F401  (what is imported is handed on by `locals`)
from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hadronic.errors import HadronicInputError
    from hadronic.interaction.kernels import YieldTables
    from hadronic.models import HadronicModel, load_model, model_names, register_model
    from hadronic.moments import Moments
    from hadronic.observables.zfactors import sample_moments
    from hadronic.species import species_code
    from hadronic.tables.yield_file import YieldFile, read_yield_file, write_yield_file

__all__ = [
    "HadronicInputError",
    "HadronicModel",
    "Moments",
    "YieldFile",
    "YieldTables",
    "load_model",
    "model_names",
    "read_yield_file",
    "register_model",
    "sample_moments",
    "species_code",
    "write_yield_file",
]


def _public() -> dict[str, Any]:
    from hadronic.errors import HadronicInputError
    from hadronic.interaction.kernels import YieldTables
    from hadronic.models import HadronicModel, load_model, model_names, register_model
    from hadronic.moments import Moments
    from hadronic.observables.zfactors import sample_moments
    from hadronic.species import species_code
    from hadronic.tables.yield_file import YieldFile, read_yield_file, write_yield_file

    return locals()


def __getattr__(name: str) -> Any:
    if name in __all__:
        globals().update(_public())
        return globals()[name]
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
