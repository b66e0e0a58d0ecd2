"""Apply changes of model parameters (:mod:`sim3d.config.parameters`) to the hadronic and primary models of a run.

The changes are those of the table ``[vary]`` of a configuration, or of a parameter point.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib import resources

import numpy as np

from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.slow_pions import laws_with_slow
from hadronic.interaction.variation import hat_functions
from hadronic.interaction.yield_laws import KINDS, changed_tables
from hadronic.models import SHIPPED_TABLES, HadronicModel, load_model
from hadronic.species import N_SPECIES as N_HADRONS
from sim3d.config.parameters import CLASS_OF, FADE_GEV, KNOTS_GEV, PIVOT_GROUPS, PIVOTS_GEV, SIGMA_KINDS, pivot_name
from sim3d.conventions.particles import KL, KM, KP, KS, LAMBDA, N_SPECIES, NEUTRON, PIM, PIP, PROTON
from sim3d.disk_cache import kept
from sim3d.errors import InputError
from sim3d.primaries.groups import GROUPS
from sim3d.primaries.model import PrimaryModel
from sim3d.primaries.spectrum import TABLE_ENERGIES_GEV

SIGMA_SPECIES = {
    "nucleon": (PROTON, NEUTRON, LAMBDA),
    "pion": (PIP, PIM),
    "kaon": (KP, KM, KL, KS),
}
"""Species with each cross section of :data:`sim3d.config.parameters.SIGMA_KINDS`."""


SLOW_KIND = "slow"
"""Kind of the parameters of slow pions (:mod:`hadronic.interaction.slow_pions`), beside those of ``KINDS``."""


def yield_weights(name: str, ln_T: np.ndarray) -> tuple[int, np.ndarray]:
    """Return the kind of change that a parameter of the yields makes, and its weight at projectile energies.

    Parameters
    ----------
    name : str
        One of the class ``yields`` (:data:`sim3d.config.parameters.CLASS_OF`).
    ln_T : float64 array (n,)
        Logarithms of the projectile's kinetic energy in GeV.

    Returns
    -------
    kind : int
        Index of :data:`hadronic.interaction.yield_laws.KINDS`; the next one is that of slow pions.
    weight : float64 array (n,)
        Change of this kind per unit of the parameter.
    """
    if name in ("K0/K", "pion:pi"):
        return KINDS.index("K0" if name == "K0/K" else "pions"), np.ones(len(ln_T))
    kind, _, knot = name.partition("@")
    knots = KNOTS_GEV[kind]
    weight = hat_functions(ln_T, knots)[:, [f"{one:.0f}" for one in knots].index(knot)]
    if kind in ("p", "n", "elasticity"):
        weight = weight * np.interp(ln_T, np.log(FADE_GEV), [0.0, 1.0])
    return len(KINDS) if kind == SLOW_KIND else KINDS.index(kind), weight


def yield_changes(values: Mapping[str, float], ln_T: np.ndarray) -> np.ndarray:
    """Compute the changes of the yields at given projectile energies.

    Parameters
    ----------
    values : mapping
        Values by parameter name.
    ln_T : float64 array (n,)
        Logarithms of the projectile's kinetic energy in GeV.

    Returns
    -------
    float64 array (kinds + 1, n)
        For :func:`yield_laws`; the last one is the exponent of slow pions.
    """
    out = np.zeros((len(KINDS) + 1, len(ln_T)))
    for name, value in values.items():
        if CLASS_OF[name] == "yields":
            kind, weight = yield_weights(name, ln_T)
            out[kind] += value * weight
    return out


def yield_laws(tables: YieldTables, changes: np.ndarray) -> np.ndarray:
    """Compute the laws of all slots for changes of the yields.

    Parameters
    ----------
    tables : YieldTables
    changes : float64 array (kinds + 1, nodes)
        From :func:`yield_changes`.

    Returns
    -------
    float64 array (slots, nodes, 2, 2)
        As :func:`hadronic.interaction.yield_laws.laws`.
    """
    return laws_with_slow(tables, changes[:-1], changes[-1])


def pivot_factors(values: Mapping[str, float], ln_E: np.ndarray) -> np.ndarray:
    """Compute the factors of the groups' fluxes that follow from the parameters at the pivots.

    Parameters
    ----------
    values : mapping
        Values by parameter name.
    ln_E : float64 array (n,)
        Logarithms of the kinetic energy per nucleon in GeV.

    Returns
    -------
    float64 array (5, n)
    """
    out = np.ones((len(GROUPS), len(ln_E)))
    hats = hat_functions(ln_E, PIVOTS_GEV)
    for group in PIVOT_GROUPS:
        changes = np.array([values.get(pivot_name(group, pivot), 0.0) for pivot in PIVOTS_GEV])
        out[GROUPS.index(group)] += hats @ changes
    return out


def sigma_factors(values: Mapping[str, float]) -> np.ndarray:
    """Compute the factors of the cross sections on air.

    Parameters
    ----------
    values : mapping
        Relative changes by parameter name.

    Returns
    -------
    float64 array (N_SPECIES,)
    """
    out = np.ones(N_SPECIES)
    for kind in SIGMA_KINDS:
        out[list(SIGMA_SPECIES[kind])] += values.get(f"sigma:{kind}", 0.0)
    return out


def pion_sharpness(values: Mapping[str, float]) -> float:
    """Compute the factor of the concentration parameter of the pions' angular distribution, 1 / (1 + p)^2.

    Parameters
    ----------
    values : mapping
        Relative changes by parameter name; p is that of the angles.

    Returns
    -------
    float
    """
    return (1.0 + values.get("angle:pion", 0.0)) ** -2.0


def varied_hadronic(model: HadronicModel, values: Mapping[str, float]) -> HadronicModel:
    """Apply changes of yields and cross sections to a hadronic model.

    Parameters
    ----------
    model : HadronicModel
    values : mapping
        Changes by parameter name; those of other models are ignored.

    Returns
    -------
    HadronicModel
    """
    if not any(CLASS_OF[name] in ("yields", "cross-sections") for name in values):
        return model
    law = yield_laws(model.tables, yield_changes(values, model.tables.ln_T))
    return replace(model, tables=changed_tables(model.tables, law, sigma_factors(values)[:N_HADRONS]))


def run_hadronic(name: str, definition: str | None, table: str | None, values: Mapping[str, float]) -> HadronicModel:
    """Build the hadronic model of a run at values of its parameters.

    A model that ships is kept for the next run in this process, and in a file for others: building it takes a second.

    Parameters
    ----------
    name, definition, table : str or None
        As for :func:`hadronic.models.load_model`.
    values : mapping
        Changes by parameter name.

    Returns
    -------
    HadronicModel
    """
    if table is not None:
        return varied_hadronic(load_model(name, definition, table), values)
    return _shipped_at(name, definition, tuple(values.items()))


@lru_cache(maxsize=2)
def _shipped_at(name: str, definition: str | None, values: tuple[tuple[str, float], ...]) -> HadronicModel:
    def make() -> HadronicModel:
        return varied_hadronic(load_model(name, definition), dict(values))

    if name not in SHIPPED_TABLES:  # another program may have registered the model
        return make()
    content = hashlib.sha256(resources.files("hadronic").joinpath("tables", f"{name}.h5").read_bytes()).hexdigest()
    return kept("hadronic", (name, definition, values, content), make)


def varied_primaries(model: PrimaryModel, values: Mapping[str, float]) -> PrimaryModel:
    """Apply changes of norms, slopes and solar potential to a primary model.

    Parameters
    ----------
    model : PrimaryModel
    values : mapping
        Changes by parameter name; those of other models are ignored.

    Returns
    -------
    PrimaryModel

    Raises
    ------
    InputError
        If the potential would be outside 0 to 3000 MV.
    """
    if not any(CLASS_OF[name] in ("primaries", "solar") for name in values):
        return model
    change_MV = values.get("solar:MV", 0.0)
    potential = model.solar_potential_MV + change_MV
    if not 0.0 <= potential <= 3000.0:
        raise InputError("solar:MV", change_MV, f"{-model.solar_potential_MV:g} to {3000 - model.solar_potential_MV:g}")
    pivots = pivot_factors(values, np.log(TABLE_ENERGIES_GEV))
    return replace(
        model,
        pivots=np.log(pivots) if np.any(pivots != 1.0) else model.pivots,
        solar_potential_MV=potential,
        delta_GV=model.delta_GV + 1.0e-3 * change_MV,
        norm=model.norm * np.array([1.0 + values.get(f"primary:{g}:norm", 0.0) for g in GROUPS]),
        slope=model.slope + np.array([values.get(f"primary:{g}:slope", 0.0) for g in GROUPS]),
    )
