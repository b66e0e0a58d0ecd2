"""Scoring gradients and varied fluxes at the sites: bins, terms of the primary, and what a run asks for.

The bins are coarser than the flux's: averaged over azimuth, 20 of cos_zenith (Honda's) and 10 per decade of energy.
Beside the derivatives the flux itself is scored in them, so that errors of anything made of both come from the same
groups of batches. A bin's columns are: flux, derivatives by parameter, fluxes at the parameter points.

Terms of a primary, beside those that the shower's particles carry: d ln(flux of its group) / d(parameter) at its energy
at the top of the atmosphere, and in mode ``targeted``, whose vertices are drawn, that of the density
exp(-X / lambda) / lambda of first interactions: 1 - X / lambda, with X the depth along its bent path.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numba import njit

from hadronic.kernels import YieldTables
from hadronic.variation import hat_functions, slot_factor_rows
from sim3d.binning import N_FLAVOURS, Binning
from sim3d.config import Config
from sim3d.detectors import Detector
from sim3d.errors import InputError
from sim3d.exact_sums import ExactSums
from sim3d.neutrino_list import NEUTRINO_COLUMNS
from sim3d.parameters import KNOTS_GEV, REFERENCE_ENERGY_GEV, YIELD_SPECIES, yield_name
from sim3d.particles import N_SPECIES
from sim3d.primaries import modulated_flux
from sim3d.primary_groups import GROUPS
from sim3d.shower_gradients import Gradients
from sim3d.tally import scale_exponents
from sim3d.variation import SIGMA_SPECIES, pion_sharpness, sigma_factors, yield_factors

BINS = Binning("gradients", 0, 4, 2, False)
_ENERGY_GROUP, _COS_GROUP, _N_BINS = BINS.energy_group, BINS.cos_group, BINS.n_energy
ANGLE = "angle:pion"
_SOLAR_BITS = 10
"""d(flux)/dMV is about 1e-3 of the flux, so its fixed-point scale has 10 more bits."""
_POTENTIAL_STEP_GV = 1.0e-3


@njit(nogil=True)
def new_terms(gradients):
    """Work space (columns,) of :func:`primary_terms`; of no column without gradients (None)."""
    if gradients is None:
        return np.empty(0)
    return np.empty(gradients.scores.shape[4])


@njit(nogil=True)
def primary_terms(terms, gradients, spectrum, energy, group, vertex_depth):
    """Terms of a primary for all columns of the scores.

    Parameters
    ----------
    terms : float64 array (columns,)
        Receives 1, scores of the parameters, ratios of the points.
    gradients : Gradients
    spectrum : Spectrum
    energy : float
        Kinetic energy per nucleon at the top (GeV).
    group : int
    vertex_depth : float
        Depth of its first interaction over its interaction length where that was drawn, else negative.
    """
    n_points = gradients.point_sharpness.shape[0]
    first_point = terms.shape[0] - n_points
    terms[:first_point] = 0.0
    terms[0] = 1.0
    delta = spectrum.delta_GV
    flux = modulated_flux(energy, group, spectrum, delta)
    tilt = math.log(energy / REFERENCE_ENERGY_GEV)
    if gradients.norm_column[group] >= 0:
        terms[gradients.norm_column[group]] = 1.0
    if gradients.slope_column[group] >= 0:
        terms[gradients.slope_column[group]] = -tilt
    if gradients.solar_column >= 0:
        more = modulated_flux(energy, group, spectrum, delta + _POTENTIAL_STEP_GV)
        less = modulated_flux(energy, group, spectrum, delta - _POTENTIAL_STEP_GV)
        terms[gradients.solar_column] = (more - less) / (2.0e3 * _POTENTIAL_STEP_GV * flux)
    if vertex_depth >= 0.0 and gradients.vertex_column >= 0:
        terms[gradients.vertex_column] = 1.0 - vertex_depth
    for v in range(n_points):
        ratio = gradients.point_norm[v, group] * math.exp(-gradients.point_slope[v, group] * tilt)
        if gradients.point_delta_GV[v] != 0.0:
            ratio *= modulated_flux(energy, group, spectrum, delta + gradients.point_delta_GV[v]) / flux
        factor = gradients.point_sigma[v, 0]
        if vertex_depth >= 0.0 and factor != 1.0:
            ratio *= factor * math.exp(-(factor - 1.0) * vertex_depth)
        terms[first_point + v] = ratio


@njit(nogil=True)
def score_gradients(gradients, terms, neutrino, site, flavour, i_energy, i_cos, value):
    """Add a crossing to the scores.

    Parameters
    ----------
    gradients : Gradients
    terms : float64 array (columns,)
        From :func:`primary_terms`.
    neutrino : float64 array
        A row of the shower's list, with the columns it carries.
    site, flavour, i_energy, i_cos : int
        Fine bins of the flux.
    value : float
        What the crossing adds to the flux (m^-2 s^-1).
    """
    e = i_energy // _ENERGY_GROUP
    if i_energy < 0 or e >= _N_BINS:
        return
    out = gradients.scores[site, flavour, e, i_cos // _COS_GROUP]
    n_inner, n_points = gradients.score_column.shape[0], gradients.point_sharpness.shape[0]
    first_point = out.shape[0] - n_points
    for j in range(first_point):
        out[j] += value * terms[j]
    for i in range(n_inner):
        out[gradients.score_column[i]] += value * neutrino[NEUTRINO_COLUMNS + i]
    for v in range(n_points):
        out[first_point + v] += value * terms[first_point + v] * neutrino[NEUTRINO_COLUMNS + n_inner + v]


def gradient_sums(config: Config, detector: Detector) -> ExactSums:
    """Empty sums of a site's gradients, (flavour, energy, cos_zenith, column); scales depend on configuration alone."""
    share = detector.earth_share if config.sampling.mode == "analog" else 1.0
    columns = config.scoring.columns
    azimuth_bins = config.scoring.azimuth_bins
    fine = scale_exponents(azimuth_bins, share * config.run.batch_size)
    # a bin holds that many fine ones, and a unit of its flux is to have as many bits
    bins = math.ceil(math.log2(BINS.energy_group * BINS.cos_group * azimuth_bins))
    energies = fine[: BINS.n_energy * BINS.energy_group : BINS.energy_group] - bins
    finer = np.array([_SOLAR_BITS if name == "solar:MV" else 0 for name in columns])
    shape = (N_FLAVOURS, BINS.n_energy, BINS.n_cos, len(columns))
    return ExactSums(np.broadcast_to(energies[None, :, None, None] + finer, shape), squares=False, groups=True)


def make_gradients(config: Config, tables: YieldTables) -> Gradients | None:
    """What the batch kernels take for a run's gradients, with empty scores of no site; None if it makes none.

    Parameters
    ----------
    config : Config
    tables : YieldTables
        Of the run.
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
    """Factors (species, nodes) as (slots, nodes)."""
    return np.where(rows[:, None] >= 0, factors[rows], 1.0)
