"""Hadronic models by name, and the deterministic moments of their tables."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from hadronic.definitions import DEFINITIONS
from hadronic.errors import HadronicInputError
from hadronic.fluka_z import build_fluka_z, build_fluka_z_muon
from hadronic.forms import Z_EXPONENT
from hadronic.kernels import YieldTables
from hadronic.species import MASS_GEV, N_PROJECTILES, NAMES


class Moments(NamedTuple):
    """Moments of one secondary species per interaction; the suffix says what x is.

    `TT` = T_sec/T_proj, `ET` = E_sec/T_proj, `EE` = E_sec/E_proj (T kinetic, E total energy). F has the
    exponent 1 and Z the exponent 1.7.
    """

    multiplicity: float
    F_TT: float
    F_ET: float
    F_EE: float
    Z_TT: float
    Z_ET: float
    Z_EE: float


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
    """

    name: str
    definition: str
    description: str
    tables: YieldTables

    def moments(self, projectile: int, secondary: int, T_GeV: float) -> Moments:
        """Moments of `secondary` from `projectile` (species codes) at kinetic energy `T_GeV` [GeV].

        Exact moments of what the kernels draw (nodes mixed with weights linear in ln T), by quadrature.
        """
        check_projectile(self.tables, projectile, T_GeV)
        axis = self.tables.ln_T
        position = (math.log(T_GeV) - axis[0]) / (axis[1] - axis[0])
        position = min(max(position, 0.0), axis.size - 1.0)
        low = min(int(position), axis.size - 2)
        share = position - low
        total = np.zeros(len(Moments._fields))
        for slot in range(self.tables.slot_offset[projectile], self.tables.slot_offset[projectile + 1]):
            if self.tables.slot_species[slot] == secondary:
                for node, weight in ((low, 1.0 - share), (low + 1, share)):
                    mean = self.tables.slot_mean[slot, node]
                    if weight * mean > 0.0:
                        ln_x = self.tables.ln_x[self.tables.slot_table[slot], node]
                        masses = float(MASS_GEV[projectile]), float(MASS_GEV[secondary])
                        total += weight * mean * _quadrature(ln_x, T_GeV, *masses)
        return Moments(*(float(value) for value in total))

    def energy_balance(self, projectile: int, T_GeV: float) -> float:
        """Mean energy in all secondaries over the energy that the projectile brings.

        Mesons count with their total energy, baryons with the kinetic one, a Lambda also with its excess
        mass; a projectile meson brings its total energy, a nucleon its kinetic one.
        """
        available = T_GeV + rest_energy(projectile)
        spent = 0.0
        for secondary in range(len(NAMES)):
            m = self.moments(projectile, secondary, T_GeV)
            spent += m.F_TT * T_GeV + m.multiplicity * rest_energy(secondary)
        return spent / available


def rest_energy(species: int) -> float:
    """Rest energy [GeV] beyond that of the baryon number the particle carries."""
    name = NAMES[species]
    if name in ("p", "n"):
        return 0.0
    return float(MASS_GEV[species]) - (float(MASS_GEV[0]) if name == "Lambda" else 0.0)


def check_projectile(tables: YieldTables, projectile: int, T_GeV: float) -> None:
    """Raise `HadronicInputError` unless the tables hold `projectile` at `T_GeV`."""
    if not 0 <= projectile < N_PROJECTILES:
        raise HadronicInputError(f"species code {projectile} is not a projectile; codes are 0..{N_PROJECTILES - 1}")
    low, high = math.exp(tables.ln_T[0]), math.exp(tables.ln_T[-1])
    if not low * (1.0 - 1e-9) <= T_GeV <= high * (1.0 + 1e-9):
        raise HadronicInputError(f"kinetic energy {T_GeV:g} GeV is outside the tables: {low:.3g} to {high:.3g} GeV")


def _quadrature(ln_x: np.ndarray, T: float, m_projectile: float, m_secondary: float) -> np.ndarray:
    """Moments of one quantile table: Gauss-Legendre in every bin of v, du = 4 (1-v)^3 dv."""
    z, weight = np.polynomial.legendre.leggauss(6)
    share = 0.5 * (z + 1.0)
    n = ln_x.size - 1
    v = (np.arange(n)[:, None] + share) / n
    du = 4.0 * (1.0 - v) ** 3 * (0.5 * weight / n)
    x = np.exp(ln_x[:-1, None] + share * np.diff(ln_x)[:, None])
    x_ET = x + m_secondary / T
    x_EE = x_ET * T / (T + m_projectile)
    q = Z_EXPONENT
    terms = (np.ones_like(x), x, x_ET, x_EE, x**q, x_ET**q, x_EE**q)
    return np.array([float((du * term).sum()) for term in terms])


_Builder = Callable[[str], YieldTables]

# name -> (builder, allowed definitions, description). Other models plug in here.
_REGISTRY: Final[dict[str, tuple[_Builder, tuple[str, ...], str]]] = {
    "fluka-z": (
        build_fluka_z,
        tuple(DEFINITIONS),
        "yields with the energy fractions and Z factors of FLUKA (p-air, 5-100 GeV), no muon tuning",
    ),
    "fluka-z-muon": (
        build_fluka_z_muon,
        tuple(DEFINITIONS),
        "fluka-z with the charged mesons of p-air scaled to daemonflux's muon-calibrated Z factors",
    ),
}

DEFAULT_MODEL: Final = "fluka-z"


def model_names() -> tuple[str, ...]:
    """Names that `load_model` takes."""
    return tuple(_REGISTRY)


def register_model(name: str, builder: _Builder, definitions: tuple[str, ...], description: str) -> None:
    """Add a model: `builder(definition)` returns its `YieldTables`; the first definition is the default."""
    if name in _REGISTRY:
        raise HadronicInputError(f"hadronic model {name!r} exists already")
    _REGISTRY[name] = (builder, definitions, description)


def load_model(name: str = DEFAULT_MODEL, definition: str | None = None) -> HadronicModel:
    """Build the model called `name`.

    Parameters
    ----------
    name : str
        One of `model_names()`.
    definition : str, optional
        What x is in the reference tables the model reproduces; the model's default if not given.

    Examples
    --------
    >>> from hadronic.species import P, PIP
    >>> model = load_model("fluka-z")
    >>> moments = model.moments(P, PIP, 100.0)
    >>> round(moments.Z_ET, 4), round(moments.multiplicity, 2)
    (0.0433, 3.29)
    """
    if name not in _REGISTRY:
        raise HadronicInputError(f"unknown hadronic model {name!r}; allowed: {', '.join(_REGISTRY)}")
    builder, definitions, description = _REGISTRY[name]
    chosen = definitions[0] if definition is None else definition
    if chosen not in definitions:
        raise HadronicInputError(
            f"hadronic model {name!r} has no definition {chosen!r}; allowed: {', '.join(definitions)}"
        )
    return HadronicModel(name, chosen, f"{description}; x: {DEFINITIONS.get(chosen, chosen)}", builder(chosen))
