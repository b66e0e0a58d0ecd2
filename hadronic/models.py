"""Hadronic models by name: their registry, their tables of yields, and the moments of these."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import Final

import numpy as np

from hadronic.definitions import DEFINITIONS
from hadronic.errors import HadronicInputError
from hadronic.fluka.fluka_z import LG_T_NODES, build_fluka_z
from hadronic.fluka.muon_tuned import build_muon_tuned
from hadronic.interaction.kernels import YieldTables
from hadronic.moments import Moments, moments_of_row, node_weights
from hadronic.species import MASS_GEV, N_PROJECTILES, NAMES
from hadronic.tables.table_model import build_table_model, provenance_words
from hadronic.tables.yield_file import read_yield_file


@dataclass(frozen=True)
class HadronicModel:
    """Inclusive yields on air.

    Attributes
    ----------
    name : str
        Name in the registry.
    definition : str
        What x is in the reference tables that the model was solved for.
    description : str
        One line for file headers.
    tables : YieldTables
        The arrays that the kernels draw from.
    provenance : dict of str
        For models from a file of yields: its SHA-256 and how it was made, under the names that result files use.
    """

    name: str
    definition: str
    description: str
    tables: YieldTables
    provenance: dict[str, str] = field(default_factory=dict)

    def moments(self, projectile: int, secondary: int, T_GeV: float) -> Moments:
        """Compute the moments of one secondary species by quadrature.

        Parameters
        ----------
        projectile : int
            Species code of the projectile.
        secondary : int
            Species code of the secondary.
        T_GeV : float
            Kinetic energy of the projectile, GeV.

        Returns
        -------
        Moments
            Exact moments of what the kernels draw (nodes mixed with weights linear in ln T).

        Raises
        ------
        HadronicInputError
            If the tables do not hold the projectile at this energy.
        """
        check_projectile(self.tables, projectile, T_GeV)
        total = np.zeros(len(Moments._fields))
        for slot in range(self.tables.slot_offset[projectile], self.tables.slot_offset[projectile + 1]):
            if self.tables.slot_species[slot] == secondary:
                for node, weight in node_weights(self.tables, T_GeV):
                    mean = self.tables.slot_mean[slot, node]
                    if weight * mean > 0.0:
                        total += weight * mean * moments_of_row(self.tables, slot, node, T_GeV, projectile)
        return Moments(*(float(value) for value in total))

    def energy_balance(self, projectile: int, T_GeV: float) -> float:
        """Mean energy in all secondaries over the energy that the projectile brings.

        Mesons count with their total energy, baryons with the kinetic one, a Lambda also with its excess mass; a
        projectile meson brings its total energy, a nucleon its kinetic one.

        Parameters
        ----------
        projectile : int
            Species code of the projectile.
        T_GeV : float
            Kinetic energy of the projectile, GeV.

        Returns
        -------
        float
            1 where energy is conserved.
        """
        available = T_GeV + rest_energy(projectile)
        spent = 0.0
        for secondary in range(len(NAMES)):
            m = self.moments(projectile, secondary, T_GeV)
            spent += m.F_TT * T_GeV + m.multiplicity * rest_energy(secondary)
        return spent / available


def rest_energy(species: int) -> float:
    """Rest energy beyond that of the baryon number that the particle carries.

    Parameters
    ----------
    species : int
        Species code.

    Returns
    -------
    float
        GeV.
    """
    name = NAMES[species]
    if name in ("p", "n"):
        return 0.0
    return float(MASS_GEV[species]) - (float(MASS_GEV[0]) if name == "Lambda" else 0.0)


def check_projectile(tables: YieldTables, projectile: int, T_GeV: float) -> None:
    """Check that tables hold a projectile at a kinetic energy.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    projectile : int
        Species code of the projectile.
    T_GeV : float
        Kinetic energy of the projectile, GeV.

    Raises
    ------
    HadronicInputError
        If they do not.
    """
    if not 0 <= projectile < N_PROJECTILES:
        raise HadronicInputError(f"species code {projectile} is not a projectile; codes are 0..{N_PROJECTILES - 1}")
    low, high = math.exp(tables.ln_T[0]), math.exp(tables.ln_T[-1])
    if not low * (1.0 - 1e-9) <= T_GeV <= high * (1.0 + 1e-9):
        raise HadronicInputError(f"kinetic energy {T_GeV:g} GeV is outside the tables: {low:.3g} to {high:.3g} GeV")


_Builder = Callable[[str], YieldTables]

# name -> (builder, allowed definitions, description). Other models plug in here.
_REGISTRY: Final[dict[str, tuple[_Builder, tuple[str, ...], str]]] = {
    "fluka-z": (
        build_fluka_z,
        tuple(DEFINITIONS),
        "yields with the energy fractions and Z factors of FLUKA (p-air, 5-100 GeV), no muon tuning",
    ),
    "muon-tuned": (
        build_muon_tuned,
        tuple(DEFINITIONS),
        "fluka-z with the moments of p-air moved to daemonflux's muon-calibrated Z factors",
    ),
}

GENERATOR_TABLES: Final = ("urqmd-sibyll", "pythia8")
"""Models that are files of yields of event generators."""

SHIPPED_TABLES: Final = (*GENERATOR_TABLES, "accelerator")
"""Models that are files of yields in `hadronic/tables`."""

RENAMED: Final = {"fluka-z-muon": "muon-tuned"}

# What x means in the tables of generators: nothing had to be solved for.
TABLE_DEFINITION: Final = "generator"

DEFAULT_MODEL: Final = "accelerator"

FROM_TABLE: Final = "table"
"""Stands for a name where a file of yields is given."""


def model_names() -> tuple[str, ...]:
    """Names that `load_model` takes."""
    return (*_REGISTRY, *SHIPPED_TABLES)


def register_model(name: str, builder: _Builder, definitions: tuple[str, ...], description: str) -> None:
    """Add a model to those that `load_model` knows.

    Parameters
    ----------
    name : str
        Name of the model.
    builder : callable
        Takes a definition and returns the `YieldTables`.
    definitions : tuple of str
        Allowed definitions of x; the first is the default.
    description : str
        One line for file headers.

    Raises
    ------
    HadronicInputError
        If the name is taken.
    """
    if name in model_names():
        raise HadronicInputError(f"hadronic model {name!r} exists already")
    _REGISTRY[name] = (builder, definitions, description)


def load_model(
    name: str | None = None, definition: str | None = None, table: str | Path | None = None
) -> HadronicModel:
    """Build a model: the one called `name`, or that of a file of yields.

    Parameters
    ----------
    name : str, optional
        One of `model_names()`; `DEFAULT_MODEL` if neither a name nor a table is given.
    definition : str, optional
        What x is in the reference tables the model reproduces; the model's default if not given. Tables of
        generators have none.
    table : path, optional
        A file of yields (docs/manual/formats.md), in the place of a name (or with the name "table").

    Raises
    ------
    HadronicInputError
        For an unknown name or definition, or a file that is not a table.

    Examples
    --------
    >>> from hadronic.species import P, PIP
    >>> model = load_model("fluka-z")
    >>> moments = model.moments(P, PIP, 100.0)
    >>> round(moments.Z_ET, 4), round(moments.multiplicity, 2)
    (0.0433, 3.23)
    """
    if table is not None:
        if name not in (None, FROM_TABLE):
            raise HadronicInputError(f"give a hadronic model or a table, not both ({name!r} and {str(table)!r})")
        _only_definition(str(table), definition, (TABLE_DEFINITION,))
        return _load_table(str(table), "")
    name = DEFAULT_MODEL if name is None else name
    if name in SHIPPED_TABLES:
        _only_definition(name, definition, (TABLE_DEFINITION,))
        return _shipped(name)
    if name == FROM_TABLE:
        raise HadronicInputError("hadronic model 'table' needs a file of yields")
    if name in RENAMED:
        raise HadronicInputError(f"hadronic model {name!r} has been replaced by {RENAMED[name]!r}")
    if name not in _REGISTRY:
        raise HadronicInputError(
            f"unknown hadronic model {name!r}; allowed: {', '.join(model_names())}, or 'table' with a file"
        )
    builder, definitions, description = _REGISTRY[name]
    chosen = definitions[0] if definition is None else definition
    _only_definition(name, chosen, definitions)
    return HadronicModel(name, chosen, f"{description}; x: {DEFINITIONS.get(chosen, chosen)}", builder(chosen))


def _only_definition(name: str, definition: str | None, definitions: tuple[str, ...]) -> None:
    if definition is not None and definition not in definitions:
        raise HadronicInputError(
            f"hadronic model {name!r} has no definition {definition!r}; allowed: {', '.join(definitions)}"
        )


@lru_cache(maxsize=len(SHIPPED_TABLES))
def _shipped(name: str) -> HadronicModel:
    with resources.as_file(resources.files("hadronic").joinpath("tables", f"{name}.h5")) as path:
        return _load_table(str(path), name)


def _load_table(path: str, name: str) -> HadronicModel:
    content = read_yield_file(path)
    return HadronicModel(
        name or content.name,
        TABLE_DEFINITION,
        content.description or f"table of yields {Path(path).name}",
        build_table_model(content, LG_T_NODES),
        provenance_words(content),
    )
