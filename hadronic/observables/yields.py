"""Compute numbers of secondaries in a range of x or of momentum, from the tables that the kernels draw from.

Deterministic: no sampling, no statistical error. T is a kinetic and E a total energy, GeV; momenta GeV/c.
"""

import math
from collections.abc import Sequence

import numpy as np

from hadronic.arrays import Array
from hadronic.definitions import Z_EXPONENT
from hadronic.errors import HadronicInputError
from hadronic.interaction.kernels import slot_survival
from hadronic.models import HadronicModel, check_projectile
from hadronic.moments import node_weights
from hadronic.species import MASS_GEV

PAPER_PION_GEV = (3.0, 4.0)
"""Momenta (GeV/c) of the pions that make neutrinos of about 1 GeV, as Tserkovnyak et al. take them."""


def number_above(model: HadronicModel, projectile: int, secondary: int, T_GeV: float, x_TT: float) -> float:
    """Mean number per interaction of one species with T_sec/T_proj above `x_TT`.

    Parameters
    ----------
    model : HadronicModel
    projectile, secondary : int
        Species codes.
    T_GeV : float
        Kinetic energy of the projectile, inside the model's tables.
    x_TT : float
        Kinetic over kinetic energy.

    Returns
    -------
    float
        Nodes of the table mixed as a shower mixes them, linearly in ln T.
    """
    tables = model.tables
    check_projectile(tables, projectile, T_GeV)
    total = 0.0
    for slot in range(tables.slot_offset[projectile], tables.slot_offset[projectile + 1]):
        if tables.slot_species[slot] == secondary:
            for node, weight in node_weights(tables, T_GeV):
                mean = weight * tables.slot_mean[slot, node]
                if mean > 0.0:
                    total += mean * slot_survival(tables, slot, node, x_TT)
    return total


def number_between(
    model: HadronicModel, projectile: int, secondary: int, T_GeV: float, momentum_GeV: tuple[float, float]
) -> float:
    """Mean number per interaction of one species in a range of momentum.

    Parameters
    ----------
    model : HadronicModel
    projectile, secondary : int
        Species codes.
    T_GeV : float
        Kinetic energy of the projectile.
    momentum_GeV : (float, float)
        Range, GeV/c.

    Returns
    -------
    float
        0 where the projectile has not the energy.
    """
    low, high = momentum_GeV
    if not 0.0 <= low < high:
        raise HadronicInputError(f"momenta {low:g} {high:g} GeV/c: needs two, the lower one first")
    mass = float(MASS_GEV[secondary])
    at = [(math.hypot(p, mass) - mass) / T_GeV for p in momentum_GeV]
    return number_above(model, projectile, secondary, T_GeV, at[0]) - number_above(
        model, projectile, secondary, T_GeV, at[1]
    )


def weighted_yield(
    model: HadronicModel,
    projectile: int,
    secondaries: Sequence[int],
    T_GeV: float,
    momentum_GeV: tuple[float, float] = PAPER_PION_GEV,
) -> float:
    """Y E^-1.7: number of secondaries in a range of momentum times the projectile's total energy to -1.7.

    Integrated over ln E it is about proportional to the neutrino flux that these secondaries make (Tserkovnyak et al.).

    Parameters
    ----------
    model : HadronicModel
    projectile : int
        Species code.
    secondaries : sequence of int
        Species codes, added.
    T_GeV : float
        Kinetic energy of the projectile.
    momentum_GeV : (float, float)
        Range, GeV/c.

    Returns
    -------
    float
        GeV^-1.7.
    """
    total = T_GeV + float(MASS_GEV[projectile])
    number = sum(number_between(model, projectile, one, T_GeV, momentum_GeV) for one in secondaries)
    return float(number * total**-Z_EXPONENT)


def density_in_x(
    model: HadronicModel, projectile: int, secondary: int, T_GeV: float, edges: Sequence[float] | Array
) -> Array:
    """dN/dx of one species, x total over total energy, averaged over bins.

    Parameters
    ----------
    model : HadronicModel
    projectile, secondary : int
        Species codes.
    T_GeV : float
        Kinetic energy of the projectile.
    edges : array, shape (n + 1,)
        Ascending bin edges of x = E_sec / E_proj.

    Returns
    -------
    array, shape (n,)
        Per interaction and unit of x.
    """
    at = np.asarray(edges, dtype=float)
    total, mass = T_GeV + float(MASS_GEV[projectile]), float(MASS_GEV[secondary])
    above = [number_above(model, projectile, secondary, T_GeV, (x * total - mass) / T_GeV) for x in at]
    return -np.diff(above) / np.diff(at)
