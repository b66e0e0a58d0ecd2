"""Score functions and exact likelihood ratios of a shower's ancestries, from which derivatives of fluxes are computed.

A flux is a mean over ancestries (primary, secondary, ..., neutrino). The probability density of an ancestry is the
product of the transport, yield and decay densities along it, and a parameter changes some of these factors. Therefore
every particle carries

* for each parameter the sum of d ln(factor) / d(parameter) over its ancestors (the *score*), and
* for each parameter point that a user lists the product of factor(point) / factor(model): a likelihood ratio, without
  linearisation.

Factors, with X / lambda the optical depth that a hadron crossed before its end:

* a yield: the factor A x^a of :mod:`hadronic.interaction.yield_laws` at the x of the secondary, with A and a of fast
  and of slow secondaries; only the yields along the ancestry have a term (a mean does not depend on the other
  secondaries of an interaction);
* a cross section (1 + p): (1 + p) exp(-p X / lambda) where it interacted, exp(-p X / lambda) where it did not;
* an angle scale (1 + p) of pions: the von Mises-Fisher density with the concentration k / (1 + p)^2.

Russian roulette and other variance reduction has no term, because it does not change expectation values. The carried
columns follow those of the stack and of the list of neutrinos; they are copied with the row.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from hadronic.interaction.kernels import concentration
from hadronic.interaction.yield_laws import FAST, SLOW, X_SLOW
from sim3d.conventions.particles import PIM, PIP


class Gradients(NamedTuple):
    """Parameters and parameter points of a run: their carried columns, factors and score columns (numba argument).

    ``n_inner`` parameters have terms inside a shower. Columns of the scores are the flux, all parameters, all points.

    Attributes
    ----------
    yield_row : int64 array (slots,)
        Row of a slot in ``yield_slope`` and ``point_yield``; here and below -1 means none.
    yield_slope : float64 array (rows, nodes, 2, 2, yields)
        d ln A and d a, of fast and slow secondaries, by the parameters of the yields, which are the first carried
        columns.
    sigma_column : int64 array (species,)
        Carried column of the cross section's parameter.
    angle_column : int
        Carried column of the pions' angle scale.
    score_column : int64 array (n_inner,)
        Column of the scores for each carried column.
    point_yield : float64 array (points, rows, nodes, 2, 2)
        ln A and a at the points.
    point_sigma : float64 array (points, species)
        Factors of cross sections.
    point_sharpness : float64 array (points,)
        Factors of the concentration of pions' angles at the points.
    norm_column, slope_column : int64 arrays (5,)
        Score columns of the mass groups' parameters.
    solar_column, vertex_column : int
        Score columns of the solar potential and of the nucleons' cross section.
    point_norm, point_slope : float64 arrays (points, 5)
        Factors and changes of slope of the mass groups at the points.
    point_delta_GV : float64 array (points,)
        Changes of the solar potential at the points (GV).
    pivot_column : int64 array (5, pivots)
        Score columns of the groups' fluxes at the pivots.
    pivot_ln_E : float64 array (pivots,)
        Logarithms of the pivots (GeV per nucleon).
    point_pivot : float64 array (points, 5, pivots)
        Changes at the pivots.
    scores : float64 array (sites, 4, energies, zeniths, columns)
        Sums that a batch adds to.
    """

    yield_row: np.ndarray
    yield_slope: np.ndarray
    sigma_column: np.ndarray
    angle_column: int
    score_column: np.ndarray
    point_yield: np.ndarray
    point_sigma: np.ndarray
    point_sharpness: np.ndarray
    norm_column: np.ndarray
    slope_column: np.ndarray
    solar_column: int
    vertex_column: int
    point_norm: np.ndarray
    point_slope: np.ndarray
    point_delta_GV: np.ndarray
    pivot_column: np.ndarray
    pivot_ln_E: np.ndarray
    point_pivot: np.ndarray
    scores: np.ndarray


@njit(nogil=True)
def carried_columns(gradients):
    """Count the columns that a particle carries for gradients.

    Parameters
    ----------
    gradients : Gradients or None

    Returns
    -------
    int
        Inner parameters plus points; 0 for None.
    """
    if gradients is None:
        return 0
    return gradients.score_column.shape[0] + gradients.point_sharpness.shape[0]


@njit(nogil=True)
def new_ancestry(gradients):
    """Initialise the carried columns of a primary: scores 0, likelihood ratios 1.

    Parameters
    ----------
    gradients : Gradients

    Returns
    -------
    float64 array (carried columns,)
    """
    own = np.ones(carried_columns(gradients))
    own[: gradients.score_column.shape[0]] = 0.0
    return own


@njit(nogil=True)
def end_flight(own, gradients, species, optical_depth, interacted):
    """Update the carried columns with the cross-section factors of a hadron's flight.

    Parameters
    ----------
    own : float64 array (carried columns,)
        Updated.
    gradients : Gradients
    species : int
    optical_depth : float
        Depth crossed since production, in units of the interaction length.
    interacted : bool
        Whether the flight ended with an interaction (else with a decay or a loss).
    """
    column = gradients.sigma_column[species]
    if column >= 0:
        own[column] += (1.0 if interacted else 0.0) - optical_depth
    n_inner = gradients.score_column.shape[0]
    for v in range(gradients.point_sharpness.shape[0]):
        factor = gradients.point_sigma[v, species]
        if factor != 1.0:
            own[n_inner + v] *= (factor if interacted else 1.0) * math.exp(-(factor - 1.0) * optical_depth)


@njit(nogil=True)
def add_yield(row, gradients, slot, node, x):
    """Update the carried columns of a secondary with the factors of the yield that it was drawn from.

    Parameters
    ----------
    row : float64 array (carried columns,)
        Updated.
    gradients : Gradients
    slot, node : int
        Slot and energy node of the yield tables.
    x : float
        Kinetic energy over that of the projectile.
    """
    place = gradients.yield_row[slot]
    if place < 0:
        return
    region = FAST if x >= X_SLOW else SLOW
    ln_x = math.log(x)
    slopes = gradients.yield_slope
    for k in range(slopes.shape[4]):
        row[k] += slopes[place, node, region, 0, k] + ln_x * slopes[place, node, region, 1, k]
    n_inner = gradients.score_column.shape[0]
    for v in range(gradients.point_sharpness.shape[0]):
        law = gradients.point_yield[v, place, node, region]
        row[n_inner + v] *= math.exp(law[0] + ln_x * law[1])


@njit(nogil=True)
def add_angle(row, gradients, species, momentum, cosine, sharper):
    """Update the carried columns of a charged pion with the factors of its polar angle at production.

    The density of w = 1 - cos(theta) is k exp(-k w) / (1 - exp(-2 k)), and the parameter p changes k to k / (1 + p)^2.
    The score is d ln / dp = -2 k d ln / dk = 2 k w - 2 + 4 k / (exp(2 k) - 1) at p = 0.

    Parameters
    ----------
    row : float64 array (carried columns,)
        Updated.
    gradients : Gradients
    species : int
        Nothing is changed for other species than charged pions.
    momentum : float
        GeV/c.
    cosine : float
        cos(theta).
    sharper : float
        Factor of the concentration k in this run (``World.pion_sharpness``).
    """
    if species != PIP and species != PIM:
        return
    k = concentration(species, momentum) * sharper
    if k < 1.0e-12:
        return
    w = 1.0 - cosine
    if gradients.angle_column >= 0:
        row[gradients.angle_column] += 2.0 * k * w - 2.0 + 4.0 * k / math.expm1(min(2.0 * k, 700.0))
    n_inner = gradients.score_column.shape[0]
    for v in range(gradients.point_sharpness.shape[0]):
        s = gradients.point_sharpness[v]
        if s != 1.0:
            ratio = s * math.exp(-(s - 1.0) * k * w) * math.expm1(-2.0 * k) / math.expm1(-2.0 * s * k)
            row[n_inner + v] *= ratio
