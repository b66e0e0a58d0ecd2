"""Moments of the spectra in tables of yields: mean numbers, energy fractions and Z factors, by quadrature."""

import math
from typing import NamedTuple

import numpy as np

from hadronic.arrays import Array
from hadronic.definitions import Z_EXPONENT
from hadronic.interaction.kernels import YieldTables
from hadronic.species import MASS_GEV


class Moments(NamedTuple):
    """Moments of one secondary species per interaction; the suffix says what x is.

    `TT` = T_sec/T_proj, `ET` = E_sec/T_proj, `EE` = E_sec/E_proj (T kinetic, E total energy). F has the
    exponent 1 and Z the exponent 1.7.
    """

    multiplicity: float
    F_TT: float
    F_ET: float
    F_EE: float
    Z_TT: float
    Z_ET: float
    Z_EE: float


def node_weights(tables: YieldTables, T_GeV: float) -> tuple[tuple[int, float], tuple[int, float]]:
    """Find the two nodes around an energy and their weights, linear in ln T; the end nodes outside the axis.

    Parameters
    ----------
    tables : YieldTables
    T_GeV : float
        Kinetic energy of the projectile.

    Returns
    -------
    (int, float), (int, float)
        Index and weight of each node; the kernels draw nodes with these weights.
    """
    axis = tables.ln_T
    position = (math.log(T_GeV) - axis[0]) / (axis[1] - axis[0])
    position = min(max(position, 0.0), axis.size - 1.0)
    low = min(int(position), axis.size - 2)
    share = float(position - low)
    return (low, 1.0 - share), (low + 1, share)


def moments_of_row(
    tables: YieldTables, slot: int, node: int, T_GeV: float, projectile: int, power: float = 1.0
) -> Array:
    """Compute the moments of one secondary drawn from a slot at a node.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot : int
        Number of the slot.
    node : int
        Number of the node of kinetic energy.
    T_GeV : float
        Kinetic energy of the projectile, GeV.
    projectile : int
        Species code of the projectile.
    power : float
        Power to which x is raised.

    Returns
    -------
    float[7]
        In the order of `Moments`.
    """
    ln_x = power * tables.ln_x[tables.slot_table[slot], node]
    return _quadrature(ln_x, T_GeV, float(MASS_GEV[projectile]), float(MASS_GEV[tables.slot_species[slot]]))


def _quadrature(ln_x: Array, T: float, m_projectile: float, m_secondary: float) -> Array:
    """Moments of one quantile table: Gauss-Legendre in every bin of v, du = 4 (1-v)^3 dv."""
    z, weight = np.polynomial.legendre.leggauss(6)
    share = 0.5 * (z + 1.0)
    n = ln_x.size - 1
    v = (np.arange(n)[:, None] + share) / n
    du = 4.0 * (1.0 - v) ** 3 * (0.5 * weight / n)
    x = np.exp(ln_x[:-1, None] + share * np.diff(ln_x)[:, None])
    x_ET = x + m_secondary / T
    x_EE = x_ET * T / (T + m_projectile)
    q = Z_EXPONENT
    terms = (np.ones_like(x), x, x_ET, x_EE, x**q, x_ET**q, x_EE**q)
    return np.array([float((du * term).sum()) for term in terms])
