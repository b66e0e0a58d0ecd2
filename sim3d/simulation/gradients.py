"""Build the kernel argument for the derivatives of a run: parameters, their columns, and factors at parameter points.

The likelihood ratios themselves are described in :mod:`sim3d.shower.gradients`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.variation import hat_functions, slot_factor_rows
from sim3d.config.parameters import KNOTS_GEV, YIELD_SPECIES, yield_name
from sim3d.config.schema import Config
from sim3d.conventions.binning import N_FLAVOURS
from sim3d.conventions.particles import N_SPECIES
from sim3d.errors import InputError
from sim3d.primaries.groups import GROUPS
from sim3d.scoring.gradients import BINS
from sim3d.shower.gradients import Gradients
from sim3d.simulation.variation import SIGMA_SPECIES, pion_sharpness, sigma_factors, yield_factors

ANGLE = "angle:pion"


def make_gradients(config: Config, tables: YieldTables) -> Gradients | None:
    """Build the kernel argument for a run's derivatives and varied fluxes.

    Parameters
    ----------
    config : Config
    tables : YieldTables
        Yield tables of the run's hadronic model.

    Returns
    -------
    Gradients or None
        With an empty array of scores; None if the run makes no gradients.

    Raises
    ------
    InputError
        If the parameter of the pions' angles is asked for and the hadronic model has tables of angles.
    """
    columns = config.scoring.columns
    if not columns:
        return None
    place = {name: i for i, name in enumerate(columns)}
    parameters = config.scoring.parameters
    if tables.angle_scale.size and ANGLE in {
        *parameters,
        *(p for v in config.scoring.variations for p in v.parameters),
    }:
        raise InputError(
            f"scoring.gradients: {ANGLE} is for models whose angles follow a formula (fluka-z, muon-tuned), not for "
            f"{config.hadronic.model}, which has tables of them; list the parameters without it"
        )
    inner = {name: i for i, name in enumerate(p for p in parameters if not p.startswith(("primary:", "solar:")))}
    by_species = np.full((len(YIELD_SPECIES) + 1, len(KNOTS_GEV)), -1, dtype=np.int64)  # the last row: no parameter
    for i, species in enumerate(YIELD_SPECIES):
        for k, knot in enumerate(KNOTS_GEV):
            by_species[i, k] = inner.get(yield_name(species, knot), -1)
    rows = slot_factor_rows(tables)
    points: list[Mapping[str, float]] = [point.parameters for point in config.scoring.variations]
    n = len(points)
    kinds = np.full(N_SPECIES, -1, dtype=np.int64)
    for kind, species_codes in SIGMA_SPECIES.items():
        kinds[list(species_codes)] = inner.get(f"sigma:{kind}", -1)
    return Gradients(
        yield_column=by_species[rows],
        yield_weight=hat_functions(tables.ln_T, KNOTS_GEV),
        sigma_column=kinds,
        angle_column=inner.get(ANGLE, -1),
        score_column=np.array([place[name] for name in inner], dtype=np.int64),
        point_yield=np.array([_slot_factors(yield_factors(point, tables.ln_T), rows) for point in points]).reshape(
            n, len(rows), len(tables.ln_T)
        ),
        point_sigma=np.array([sigma_factors(point) for point in points]).reshape(n, N_SPECIES),
        point_sharpness=np.array([pion_sharpness(point) for point in points]),
        norm_column=_group_columns(place, "norm"),
        slope_column=_group_columns(place, "slope"),
        solar_column=place.get("solar:MV", -1),
        vertex_column=place.get("sigma:nucleon", -1),
        point_norm=np.array([[1.0 + point.get(f"primary:{g}:norm", 0.0) for g in GROUPS] for point in points]).reshape(
            n, len(GROUPS)
        ),
        point_slope=np.array([[point.get(f"primary:{g}:slope", 0.0) for g in GROUPS] for point in points]).reshape(
            n, len(GROUPS)
        ),
        point_delta_GV=np.array([1.0e-3 * point.get("solar:MV", 0.0) for point in points]),
        scores=np.zeros((0, N_FLAVOURS, BINS.n_energy, BINS.n_cos, len(columns))),
    )


def _group_columns(place: Mapping[str, int], what: str) -> np.ndarray:
    return np.array([place.get(f"primary:{group}:{what}", -1) for group in GROUPS], dtype=np.int64)


def _slot_factors(factors: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rearrange factors (species, nodes) by slot of the yield tables, (slots, nodes)."""
    return np.where(rows[:, None] >= 0, factors[rows], 1.0)
