"""Apply changes of model parameters (:mod:`sim3d.config.parameters`) to the hadronic and primary models of a run.

The changes are those of the table ``[vary]`` of a configuration, or of a parameter point.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from hadronic.interaction.variation import hat_functions, scaled_tables
from hadronic.models import HadronicModel
from hadronic.species import N_SPECIES as N_HADRONS
from sim3d.config.parameters import CLASS_OF, KNOTS_GEV, SIGMA_KINDS, YIELD_SPECIES, yield_name
from sim3d.conventions.particles import KL, KM, KP, KS, LAMBDA, N_SPECIES, NEUTRON, PIM, PIP, PROTON
from sim3d.errors import InputError
from sim3d.primaries.groups import GROUPS
from sim3d.primaries.model import PrimaryModel

SIGMA_SPECIES = {
    "nucleon": (PROTON, NEUTRON, LAMBDA),
    "pion": (PIP, PIM),
    "kaon": (KP, KM, KL, KS),
}
"""Species with each cross section of :data:`sim3d.config.parameters.SIGMA_KINDS`."""


def yield_factors(values: Mapping[str, float], ln_T: np.ndarray) -> np.ndarray:
    """Compute the factors of the secondary yields at given projectile energies.

    Parameters
    ----------
    values : mapping
        Relative changes by parameter name.
    ln_T : float64 array (n,)
        Logarithms of the projectile's kinetic energy in GeV.

    Returns
    -------
    float64 array (len(YIELD_SPECIES), n)
    """
    changes = np.array([[values.get(yield_name(s, knot), 0.0) for knot in KNOTS_GEV] for s in YIELD_SPECIES])
    return 1.0 + changes @ hat_functions(ln_T, KNOTS_GEV).T


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
    tables = scaled_tables(model.tables, yield_factors(values, model.tables.ln_T), sigma_factors(values)[:N_HADRONS])
    return replace(model, tables=tables)


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
    return replace(
        model,
        solar_potential_MV=potential,
        delta_GV=model.delta_GV + 1.0e-3 * change_MV,
        norm=model.norm * np.array([1.0 + values.get(f"primary:{g}:norm", 0.0) for g in GROUPS]),
        slope=model.slope + np.array([values.get(f"primary:{g}:slope", 0.0) for g in GROUPS]),
    )
