"""Build the kernel argument for the derivatives of a run: parameters, their columns, and factors at parameter points.

The likelihood ratios themselves are described in :mod:`sim3d.shower.gradients`.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hadronic.interaction.kernels import YieldTables
from hadronic.interaction.slow_pions import slow_slopes
from hadronic.interaction.yield_laws import law_slopes
from sim3d.config.parameters import CLASS_OF, PIVOTS_GEV, pivot_name
from sim3d.config.schema import Config
from sim3d.conventions.binning import N_FLAVOURS
from sim3d.conventions.particles import N_SPECIES
from sim3d.errors import InputError
from sim3d.primaries.groups import GROUPS
from sim3d.scoring.gradients import BINS
from sim3d.shower.gradients import Gradients
from sim3d.simulation.variation import (
    SIGMA_SPECIES,
    pion_sharpness,
    sigma_factors,
    yield_changes,
    yield_laws,
    yield_weights,
)

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
    # parameters of the yields come first: they are the first carried columns
    inner = {name: i for i, name in enumerate(p for p in parameters if not p.startswith(("primary:", "solar:")))}
    yields = [name for name in parameters if CLASS_OF[name] == "yields"]
    slopes = np.concatenate([law_slopes(tables), slow_slopes(tables)[None]])
    laid = np.zeros((*slopes.shape[1:], len(yields)))
    for i, name in enumerate(yields):
        kind, weight = yield_weights(name, tables.ln_T)
        laid[..., i] = slopes[kind] * weight[:, None, None]
    points: list[Mapping[str, float]] = [point.parameters for point in config.scoring.variations]
    n = len(points)
    at_points = np.zeros((n, *slopes.shape[1:]))
    for v, point in enumerate(points):
        changes = yield_changes(point, tables.ln_T)
        if changes.any():
            at_points[v] = yield_laws(tables, changes)
    moved = np.any(laid != 0.0, axis=(1, 2, 3, 4)) | np.any(at_points != 0.0, axis=(0, 2, 3, 4))
    rows = np.where(moved, np.cumsum(moved) - 1, -1)
    kinds = np.full(N_SPECIES, -1, dtype=np.int64)
    for name, species_codes in SIGMA_SPECIES.items():
        kinds[list(species_codes)] = inner.get(f"sigma:{name}", -1)
    return Gradients(
        yield_row=rows.astype(np.int64),
        yield_slope=np.ascontiguousarray(laid[moved]),
        sigma_column=kinds,
        angle_column=inner.get(ANGLE, -1),
        score_column=np.array([place[name] for name in inner], dtype=np.int64),
        point_yield=np.ascontiguousarray(at_points[:, moved]),
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
        pivot_column=np.array(
            [[place.get(pivot_name(group, pivot), -1) for pivot in PIVOTS_GEV] for group in GROUPS], dtype=np.int64
        ),
        pivot_ln_E=np.log(PIVOTS_GEV),
        point_pivot=np.array(
            [[[p.get(pivot_name(group, pivot), 0.0) for pivot in PIVOTS_GEV] for group in GROUPS] for p in points]
        ).reshape(n, len(GROUPS), len(PIVOTS_GEV)),
        scores=np.zeros((0, N_FLAVOURS, BINS.n_energy, BINS.n_cos, len(columns))),
    )


def _group_columns(place: Mapping[str, int], what: str) -> np.ndarray:
    return np.array([place.get(f"primary:{group}:{what}", -1) for group in GROUPS], dtype=np.int64)
