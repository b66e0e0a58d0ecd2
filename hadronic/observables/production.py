"""Compute numbers of secondaries of a model in bins of momentum and polar angle, by quadrature of its tables."""

import math

import numpy as np

from hadronic.arrays import Array
from hadronic.interaction.kernels import ANGLE_LOW_GEV, YieldTables, concentration, slot_survival
from hadronic.models import HadronicModel, check_projectile
from hadronic.moments import node_weights

# Slices of a momentum bin in which the law of the angle is taken at the middle.
_SLICES = 4


def share_below(tables: YieldTables, slot: int, node: int, momentum_GeV: float, x: float, theta_rad: Array) -> Array:
    """Share of the secondaries of a slot at one momentum that leave below some angles.

    Parameters
    ----------
    tables : YieldTables
        Tables of the model.
    slot, node : int
        Numbers of the slot and of the node of kinetic energy.
    momentum_GeV : float
        Momentum of the secondary, GeV/c.
    x : float
        Its kinetic energy over that of the projectile.
    theta_rad : float[n]
        Polar angles to the projectile, rad.

    Returns
    -------
    float[n]
        0 to 1.
    """
    k = concentration(int(tables.slot_species[slot]), momentum_GeV)
    y = 2.0 * k * np.sin(0.5 * np.asarray(theta_rad, dtype=float)) ** 2
    # Probability of the parametric law, -ln(1 - u) = s.
    s = -np.log1p(np.maximum(np.expm1(-y) / -np.expm1(-2.0 * k), -1.0 + 1e-15))
    if tables.angle_scale.shape[0] == 0:
        return -np.expm1(-s)
    scale = tables.angle_scale[tables.slot_table[slot], node]
    bins, last = scale.shape[0], scale.shape[1] - 1
    position = bins * (1.0 + math.log(x) / (tables.ln_T[node] - math.log(ANGLE_LOW_GEV))) - 0.5
    position = min(max(position, 0.0), bins - 1.0)
    i = min(int(position), bins - 2)
    row = scale[i] + (position - i) * (scale[i + 1] - scale[i])
    v = np.linspace(0.0, 1.0 - 1e-3, 400)
    minus_ln = -4.0 * np.log1p(-v)
    drawn = np.maximum.accumulate(minus_ln * np.interp(v * last, np.arange(last + 1), row))
    return 1.0 - (1.0 - np.interp(s, drawn, v)) ** 4


def numbers_in_bins(
    model: HadronicModel, projectile: int, secondary: int, T_GeV: float, p_GeV: Array, theta_rad: Array
) -> Array:
    """Mean numbers per interaction in bins of momentum and angle.

    Parameters
    ----------
    model : HadronicModel
        The model.
    projectile, secondary : int
        Species codes.
    T_GeV : float
        Kinetic energy of the projectile, GeV.
    p_GeV, theta_rad : float[n, 2]
        Edges of the bins: momenta in GeV/c, polar angles in rad.

    Returns
    -------
    float[n]
        Numbers.

    Raises
    ------
    HadronicInputError
        If the tables do not hold the projectile at this energy.
    """
    tables = model.tables
    check_projectile(tables, projectile, T_GeV)
    mass = float(tables.mass_GeV[secondary])
    out = np.zeros(len(p_GeV))
    by_momentum: dict[tuple[float, float], list[int]] = {}
    for i, (p_low, p_high) in enumerate(np.asarray(p_GeV, dtype=float)):
        by_momentum.setdefault((float(p_low), float(p_high)), []).append(i)
    slots = [
        slot
        for slot in range(tables.slot_offset[projectile], tables.slot_offset[projectile + 1])
        if tables.slot_species[slot] == secondary
    ]
    for (p_low, p_high), places in by_momentum.items():
        momenta = np.linspace(p_low, p_high, _SLICES + 1)
        x = (np.hypot(momenta, mass) - mass) / T_GeV
        angles = np.asarray(theta_rad, dtype=float)[places]
        for slot in slots:
            for node, weight in node_weights(tables, T_GeV):
                mean = weight * tables.slot_mean[slot, node]
                if mean <= 0.0:
                    continue
                above = [slot_survival(tables, slot, node, one) for one in x]
                for j in range(_SLICES):
                    number = mean * (above[j] - above[j + 1])
                    if number > 0.0:
                        p, middle = 0.5 * (momenta[j] + momenta[j + 1]), 0.5 * (x[j] + x[j + 1])
                        below = share_below(tables, slot, node, p, middle, angles.ravel()).reshape(-1, 2)
                        out[places] += number * (below[:, 1] - below[:, 0])
    return out
