"""Numba kernels that draw secondaries from tables of inclusive yields.

Everything here is a pure function of its arguments and of uniforms in [0, 1) given by the caller, who owns
the random streams. Energies are kinetic, in GeV (per nucleon for a projectile); x = T_secondary /
T_projectile.

How to draw one interaction of a projectile `projectile` of kinetic energy T::

    node = pick_node(tables, log(T), uniform)
    for slot in range(first_slot(tables, projectile), last_slot(tables, projectile)):
        species = tables.slot_species[slot]
        mean = tables.slot_mean[slot, node]
        u_min = 1 - slot_survival(tables, slot, node, threshold / T)  # optional: only those above a threshold
        number = Poisson(mean * (1 - u_min)), or Bernoulli for slots of kind BERNOULLI
        for each: x = sample_x(tables, slot, node, u_min + (1 - u_min) * uniform)

The yields are linear in the node, so drawing the node with weights linear in ln T keeps means exact.
"""

import math
import os
from typing import Any, Final, NamedTuple

import numba
import numpy as np
from numba import njit

from hadronic.arrays import Array, IntArray
from hadronic.species import KP, KS, PI0, PIM, PIP

_CACHE_DIR: Final = str(getattr(numba.config, "CACHE_DIR", ""))
CACHE: Final = _CACHE_DIR != "" and os.environ.get("SIM3D_SET_NUMBA_CACHE_DIR") == _CACHE_DIR
"""Whether entry kernels are cached: only in a folder keyed by the kernels' sources, which the application sets."""

# no reference counting (an atomic addition for each array of the tables), which only functions that allocate need
_UNCOUNTED: Final[dict[str, Any]] = {"nogil": True, "_nrt": False}

POISSON: Final = 0
BERNOULLI: Final = 1

# Number of points of the quantile axis. It is uniform in v = 1 - (1 - u)^(1/4): moments with x^1.7 live in
# the last per cent of u, which a uniform axis would give to two points (Z of pions 5 % too high).
N_QUANTILES: Final = 257


class YieldTables(NamedTuple):
    """Inclusive yields of all projectiles, as arrays only (a numba argument).

    Attributes
    ----------
    ln_T : float[nodes]
        Natural log of the projectile's kinetic energy [GeV] at the nodes, uniform.
    slot_offset : int[N_PROJECTILES + 1]
        Slots of projectile p are ``slot_offset[p] .. slot_offset[p + 1] - 1``.
    slot_species : int[slots]
        Species code of the secondary.
    slot_kind : int[slots]
        `POISSON` or `BERNOULLI` (mean at most 1).
    slot_table : int[slots]
        Row of `ln_x` that the slot draws from (mirrored projectiles share rows).
    slot_mean : float[slots, nodes]
        Mean number of secondaries per interaction.
    ln_x : float[tables, nodes, N_QUANTILES]
        ln(T_sec / T_proj) on the uniform axis v = 1 - (1 - u)^(1/4); linear between points.
    mass_GeV : float[N_SPECIES]
        Rest masses [GeV].
    lambda_ln_T : float[lambda_nodes]
        Uniform axis of `interaction_length` [ln GeV].
    interaction_length : float[N_SPECIES, lambda_nodes]
        Interaction length in air [g/cm2] (the row of the pi0, which never interacts, repeats that of charged pions).
    angle_scale : float[tables, nodes, angle bins, N_ANGLE_QUANTILES]
        Empty for models whose angles are parametric. Else the factor on -ln(1 - u) in the law of
        `one_minus_cos_theta`, at points uniform in v = 1 - (1 - u)^(1/4), bilinear between them; the bins divide
        ln T_sec from `ANGLE_LOW_GEV` to the node's T evenly, values are those of their middles.
    """

    ln_T: Array
    slot_offset: IntArray
    slot_species: IntArray
    slot_kind: IntArray
    slot_table: IntArray
    slot_mean: Array
    ln_x: Array
    mass_GeV: Array
    lambda_ln_T: Array
    interaction_length: Array
    angle_scale: Array


NO_ANGLES: Final = np.zeros((0, 0, 0, 0))
"""`YieldTables.angle_scale` of a model with parametric angles."""

N_ANGLE_QUANTILES: Final = 17
# Lower end [GeV] of the logarithmic axis of T_sec on which angles are tabulated.
ANGLE_LOW_GEV: Final = 0.02
LN_ANGLE_LOW: Final = math.log(ANGLE_LOW_GEV)


@njit(**_UNCOUNTED)
def pick_node(tables, ln_T, u):
    """Draw a node of kinetic energy with weights linear in ln T; the end nodes outside the axis.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    ln_T : float
        Logarithm of the kinetic energy in GeV.
    u : float
        Uniform random number in [0, 1).

    Returns
    -------
    int
        Number of the node.
    """
    axis = tables.ln_T
    n = axis.shape[0]
    position = (ln_T - axis[0]) * (n - 1) / (axis[n - 1] - axis[0])
    if position <= 0.0:
        return 0
    if position >= n - 1:
        return n - 1
    node = int(position)
    if u < position - node:
        node += 1
    return node


@njit(nogil=True)
def first_slot(tables, projectile):
    """Return the number of the first slot of a projectile.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    projectile : int
        Species code of the projectile.

    Returns
    -------
    int
        Number of the slot.
    """
    return tables.slot_offset[projectile]


@njit(nogil=True)
def last_slot(tables, projectile):
    """Return one more than the number of the last slot of a projectile.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    projectile : int
        Species code of the projectile.

    Returns
    -------
    int
        Number of the slot.
    """
    return tables.slot_offset[projectile + 1]


@njit(**_UNCOUNTED)
def sample_x(tables, slot, node, u):
    """Return the x = T_sec / T_proj at a cumulative probability.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot : int
        Number of the slot.
    node : int
        Number of the node of kinetic energy.
    u : float
        Cumulative probability, in [0, 1).

    Returns
    -------
    float
        x.
    """
    table = tables.slot_table[slot]
    n = tables.ln_x.shape[2] - 1
    position = (1.0 - math.sqrt(math.sqrt(1.0 - u))) * n
    i = int(position)
    if i > n - 1:
        i = n - 1
    low = tables.ln_x[table, node, i]
    high = tables.ln_x[table, node, i + 1]
    return math.exp(low + (position - i) * (high - low))


@njit(**_UNCOUNTED)
def slot_survival(tables, slot, node, x_min):
    """Probability that a secondary of a slot has x above a limit.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot : int
        Number of the slot.
    node : int
        Number of the node of kinetic energy.
    x_min : float
        Lower limit of x.

    Returns
    -------
    float
        1 - u, where `sample_x` turns u into the limit; accurate where it is small.
    """
    table = tables.slot_table[slot]
    n = tables.ln_x.shape[2] - 1
    if x_min <= 0.0:
        return 1.0
    wanted = math.log(x_min)
    if wanted <= tables.ln_x[table, node, 0]:
        return 1.0
    if wanted >= tables.ln_x[table, node, n]:
        return 0.0
    low = 0
    high = n
    while high - low > 1:
        middle = (low + high) // 2
        if tables.ln_x[table, node, middle] <= wanted:
            low = middle
        else:
            high = middle
    a = tables.ln_x[table, node, low]
    b = tables.ln_x[table, node, high]
    one_minus_v = (n - low - (wanted - a) / (b - a)) / n
    return one_minus_v * one_minus_v * one_minus_v * one_minus_v


@njit(nogil=True)
def concentration(species, momentum_GeV):
    """Concentration of the von Mises-Fisher law of the polar angle about the projectile's direction.

    Read from <cos> of UrQMD, Pythia and Sibyll in bins of laboratory momentum, 0.1-20 GeV/c, independent of the
    projectile's energy (limiting fragmentation), docs/reports/hadronic-inputs.md section 4. At high momentum the angle
    is Gaussian with <pT> = 0.46 (pi), 0.50 (K), 0.44 (baryons) GeV/c.

    Parameters
    ----------
    species : int
        Species code.
    momentum_GeV : float
        Momentum, GeV/c.

    Returns
    -------
    float
        Concentration k; the density of cos is proportional to exp(k cos).
    """
    p = momentum_GeV
    if PIP <= species <= PIM or species == PI0:
        return 4.2 * p + 7.5 * p * p
    if KP <= species <= KS:
        return 5.5 * p + 6.2 * p * p
    p2 = p * p
    return 3.0 * p + 8.0 * p2 * (p2 / (p2 + 4.0))


@njit(nogil=True)
def one_minus_cos_theta(species, momentum_GeV, u, sharper=1.0):
    """Draw 1 - cos of the polar angle from the parametric law, without cancellation at small angles.

    The inverse of the von Mises-Fisher law is cos = 1 + ln(1 - u (1 - exp(-2k))) / k; u = 0 is straight ahead.

    Parameters
    ----------
    species : int
        Species code.
    momentum_GeV : float
        Momentum, GeV/c.
    u : float
        Uniform random number in [0, 1).
    sharper : float
        Factor on the concentration of the parametric law.

    Returns
    -------
    float
        1 - cos, 0 to 2.
    """
    k = concentration(species, momentum_GeV) * sharper
    if k < 1.0e-12:
        return 2.0 * u
    argument = u * math.expm1(-2.0 * k)
    # u = 1, or rounded to it, at a large k: backward.
    if argument <= -1.0:
        return 2.0
    return min(max(-math.log1p(argument) / k, 0.0), 2.0)


@njit(nogil=True)
def polar_angle(species, momentum_GeV, u, sharper=1.0):
    """Draw the polar angle from the parametric law.

    Parameters
    ----------
    species : int
        Species code.
    momentum_GeV : float
        Momentum, GeV/c.
    u : float
        Uniform random number in [0, 1).
    sharper : float
        Factor on the concentration of the parametric law.

    Returns
    -------
    cosine, sine : float
        The sine is exact to rounding for the smallest angles too.
    """
    w = one_minus_cos_theta(species, momentum_GeV, u, sharper)
    return 1.0 - w, math.sqrt(w * (2.0 - w))


@njit(**_UNCOUNTED)
def angle_scale(tables, slot, node, x, u):
    """Interpolate the tabulated factor on -ln(1 - u) of the angle's law.

    The tables must have angles (`YieldTables.angle_scale` is not empty).

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot : int
        Number of the slot.
    node : int
        Number of the node of kinetic energy.
    x : float
        Kinetic energy over that of the projectile.
    u : float
        Uniform random number in [0, 1).

    Returns
    -------
    float
        The factor.
    """
    scale = tables.angle_scale
    row = tables.slot_table[slot]
    bins = scale.shape[2]
    position = bins * (1.0 + math.log(x) / (tables.ln_T[node] - LN_ANGLE_LOW)) - 0.5
    position = min(max(position, 0.0), bins - 1.0)
    i = min(int(position), bins - 2)
    share = position - i
    last = scale.shape[3] - 1
    v = (1.0 - math.sqrt(math.sqrt(1.0 - u))) * last
    j = min(int(v), last - 1)
    w = v - j
    low = scale[row, node, i, j] + w * (scale[row, node, i, j + 1] - scale[row, node, i, j])
    high = scale[row, node, i + 1, j] + w * (scale[row, node, i + 1, j + 1] - scale[row, node, i + 1, j])
    return low + share * (high - low)


@njit(**_UNCOUNTED)
def yield_angle(tables, slot, node, x, momentum_GeV, u, sharper=1.0):
    """Draw the polar angle of a secondary, from the tables where they have angles.

    Without tabulated angles this is `polar_angle`, to the bit. With them s = scale(u) * -ln(1 - u) takes the place of
    -ln(1 - u): the angle beyond which the parametric law has exp(-s) of its probability.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot : int
        Number of the slot.
    node : int
        Number of the node of kinetic energy.
    x : float
        Kinetic energy over that of the projectile.
    momentum_GeV : float
        Momentum, GeV/c.
    u : float
        Uniform random number in [0, 1).
    sharper : float
        Factor on the concentration of the parametric law.

    Returns
    -------
    cosine, sine : float
        Of the angle to the projectile's direction.
    """
    species = tables.slot_species[slot]
    if tables.angle_scale.shape[0] == 0:
        return polar_angle(species, momentum_GeV, u, sharper)
    k = concentration(species, momentum_GeV) * sharper
    if k < 1.0e-12:
        w = 2.0 * u
    else:
        s = -math.log1p(-u) * angle_scale(tables, slot, node, x, u)
        if s < 1.0:
            y = -math.log1p(math.expm1(-s) * -math.expm1(-2.0 * k))
        else:
            y = -math.log(math.exp(-s) - math.exp(-2.0 * k) * math.expm1(-s))
        w = min(max(y / k, 0.0), 2.0)
    return 1.0 - w, math.sqrt(w * (2.0 - w))


@njit(**_UNCOUNTED)
def interaction_length(tables, species, ln_T):
    """Interaction length in air.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    species : int
        Species code.
    ln_T : float
        Logarithm of the kinetic energy in GeV.

    Returns
    -------
    float
        g/cm2.
    """
    axis = tables.lambda_ln_T
    n = axis.shape[0]
    position = (ln_T - axis[0]) * (n - 1) / (axis[n - 1] - axis[0])
    if position <= 0.0:
        return tables.interaction_length[species, 0]
    if position >= n - 1:
        return tables.interaction_length[species, n - 1]
    i = int(position)
    low = tables.interaction_length[species, i]
    return low + (position - i) * (tables.interaction_length[species, i + 1] - low)


@njit(nogil=True)
def momentum(mass_GeV, kinetic_GeV):
    """Momentum of a particle from its mass and kinetic energy.

    Parameters
    ----------
    mass_GeV : float
        Rest mass, GeV.
    kinetic_GeV : float
        Kinetic energy, GeV.

    Returns
    -------
    float
        GeV/c.
    """
    return math.sqrt(kinetic_GeV * (kinetic_GeV + 2.0 * mass_GeV))
