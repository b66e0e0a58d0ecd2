"""Models of a run with other parameters (:mod:`sim3d.config.parameters`): the table ``[vary]`` of a configuration."""

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
"""Species of each cross section of :data:`sim3d.config.parameters.SIGMA_KINDS`."""


def yield_factors(values: Mapping[str, float], ln_T: np.ndarray) -> np.ndarray:
    """Factors of the yields at energies (ln GeV), float64 (len(YIELD_SPECIES), len(ln_T))."""
    changes = np.array([[values.get(yield_name(s, knot), 0.0) for knot in KNOTS_GEV] for s in YIELD_SPECIES])
    return 1.0 + changes @ hat_functions(ln_T, KNOTS_GEV).T


def sigma_factors(values: Mapping[str, float]) -> np.ndarray:
    """Factors of the cross sections, float64 (N_SPECIES,)."""
    out = np.ones(N_SPECIES)
    for kind in SIGMA_KINDS:
        out[list(SIGMA_SPECIES[kind])] += values.get(f"sigma:{kind}", 0.0)
    return out


def pion_sharpness(values: Mapping[str, float]) -> float:
    """What the concentration of the pions' angles is multiplied by."""
    return (1.0 + values.get("angle:pion", 0.0)) ** -2.0


def varied_hadronic(model: HadronicModel, values: Mapping[str, float]) -> HadronicModel:
    """A hadronic model with the yields and cross sections of ``values`` (which may name other parameters too)."""
    if not any(CLASS_OF[name] in ("yields", "cross-sections") for name in values):
        return model
    tables = scaled_tables(model.tables, yield_factors(values, model.tables.ln_T), sigma_factors(values)[:N_HADRONS])
    return replace(model, tables=tables)


def varied_primaries(model: PrimaryModel, values: Mapping[str, float]) -> PrimaryModel:
    """A primary model with the norms, slopes and potential of ``values`` (which may name other parameters too).

    Raises
    ------
    InputError
        If the potential would leave 0 to 3000 MV.
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
