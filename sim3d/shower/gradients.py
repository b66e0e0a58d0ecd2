"""Derivatives carried along a shower's ancestries: exact likelihood ratios, for the shower kernel.

A flux is a mean, and linear in what each ancestry (primary, its secondary, ..., neutrino) contributes: the product of
the transport, yield and decay densities along it. A parameter changes some of these factors. So every particle carries

* for each parameter the sum of d ln(factor) / d(parameter) over its ancestors (a *score*), and
* for each parameter point that a user lists the product of factor(point) / factor(model): no linearisation.

Factors, with X / lambda the optical depth that a hadron crossed before its end:

* a yield of a species by a nucleon: 1 + sum_k p_k w_k(T) with the hat functions w_k of the knots; only the yields that
  are on the ancestry count (the number of brothers does not matter for a mean);
* a cross section (1 + p): (1 + p) exp(-p X / lambda) where it interacted, exp(-p X / lambda) where it decayed;
* an angle scale (1 + p) of pions: the von Mises-Fisher density with the concentration k / (1 + p)^2.

The Russian roulette of the shower, and everything else that is drawn for the sampling's sake, has no term. The columns
lie behind those of the stack and of the list of neutrinos, so that whatever copies a row copies them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numba import njit

from hadronic.interaction.kernels import concentration
from sim3d.conventions.particles import PIM, PIP


class Gradients(NamedTuple):
    """What is carried and where it is scored (numba argument).

    ``n_inner`` parameters have terms inside a shower; columns of the scores are the flux, all parameters, all points.

    Attributes
    ----------
    yield_column : int64 array (slots, knots)
        Carried column of the yield's parameter, -1 for none.
    yield_weight : float64 array (nodes, knots)
        Hat functions at the nodes of the yield tables.
    sigma_column : int64 array (species,)
        Carried column of the cross section's parameter, -1 for none.
    angle_column : int
        Carried column of the pions' angles, -1 for none.
    score_column : int64 array (n_inner,)
        Column of the scores that a carried column is added to.
    point_yield : float64 array (points, slots, nodes)
        Factors of yields at the points.
    point_sigma : float64 array (points, species)
        Factors of cross sections.
    point_sharpness : float64 array (points,)
        Factors of the concentration of pions' angles.
    norm_column, slope_column : int64 arrays (5,)
        Score columns of the mass groups' parameters, -1 for none.
    solar_column, vertex_column : int
        Score columns of the solar potential and of the nucleons' cross section, -1 for none.
    point_norm, point_slope : float64 arrays (points, 5)
        Factors and changes of slope of the mass groups.
    point_delta_GV : float64 array (points,)
        Changes of the solar potential (GV).
    scores : float64 array (sites, 4, energies, zeniths, columns)
        What a batch adds to.
    """

    yield_column: np.ndarray
    yield_weight: np.ndarray
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
    scores: np.ndarray


@njit(nogil=True)
def carried_columns(gradients):
    """Columns that a particle carries; 0 without gradients (None)."""
    if gradients is None:
        return 0
    return gradients.score_column.shape[0] + gradients.point_sharpness.shape[0]


@njit(nogil=True)
def new_ancestry(gradients):
    """What a primary carries: no score, ratios of 1."""
    own = np.ones(carried_columns(gradients))
    own[: gradients.score_column.shape[0]] = 0.0
    return own


@njit(nogil=True)
def end_flight(own, gradients, species, optical_depth, interacted):
    """Add the terms of a hadron's cross section at the end of its flight.

    Parameters
    ----------
    own : float64 array (carried columns,)
    gradients : Gradients
    species : int
    optical_depth : float
        Depth it crossed since its birth in units of its interaction length.
    interacted : bool
        Whether it interacted there; else it decayed.
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
def add_yield(row, gradients, slot, node):
    """Add the terms of the yield that made a particle to what it carries (``row``)."""
    for knot in range(gradients.yield_column.shape[1]):
        column = gradients.yield_column[slot, knot]
        if column >= 0:
            row[column] += gradients.yield_weight[node, knot]
    n_inner = gradients.score_column.shape[0]
    for v in range(gradients.point_sharpness.shape[0]):
        row[n_inner + v] *= gradients.point_yield[v, slot, node]


@njit(nogil=True)
def add_angle(row, gradients, species, momentum, cosine, sharper):
    """Add the terms of the polar angle at which a particle was made.

    With the density k exp(-k w) / (1 - exp(-2 k)) of w = 1 - cos and k / (1 + p)^2:
    d ln / dp = -2 k d ln / dk = 2 k w - 2 + 4 k / (exp(2 k) - 1) at p = 0.

    Parameters
    ----------
    row, gradients
    species : int
    momentum : float
        GeV/c.
    cosine : float
    sharper : float
        What the run itself multiplies the concentration by.
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
