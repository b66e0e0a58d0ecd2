"""Compute the mean transverse momentum of secondaries, from the tables and angles that a shower draws from."""

import math

from numba import njit

from hadronic.interaction.kernels import CACHE, YieldTables, momentum, yield_angle
from hadronic.models import HadronicModel, check_projectile

# Midpoints of the angle's quantiles, uniform in 1 - (1 - u)^(1/4).
_ANGLES = 48


@njit(nogil=True, cache=CACHE)
def _sums(tables: YieldTables, projectile: int, secondary: int, T_GeV: float, angles: int) -> tuple[float, float]:
    """Mean number and summed pT per interaction: midpoints of the bins of both quantile axes."""
    axis = tables.ln_T
    nodes = axis.shape[0]
    position = (math.log(T_GeV) - axis[0]) / (axis[1] - axis[0])
    position = min(max(position, 0.0), nodes - 1.0)
    low = min(int(position), nodes - 2)
    share = position - low
    mass = tables.mass_GeV[secondary]
    bins = tables.ln_x.shape[2] - 1
    number = 0.0
    total = 0.0
    for slot in range(tables.slot_offset[projectile], tables.slot_offset[projectile + 1]):
        if tables.slot_species[slot] != secondary:
            continue
        row = tables.slot_table[slot]
        for node in (low, low + 1):
            mean = tables.slot_mean[slot, node] * (1.0 - share if node == low else share)
            if mean <= 0.0:
                continue
            number += mean
            for i in range(bins):
                x = math.exp(0.5 * (tables.ln_x[row, node, i] + tables.ln_x[row, node, i + 1]))
                p = momentum(mass, x * T_GeV)
                width = ((bins - i) / bins) ** 4 - ((bins - i - 1) / bins) ** 4
                for j in range(angles):
                    at = (angles - j - 0.5) / angles
                    part = ((angles - j) / angles) ** 4 - ((angles - j - 1) / angles) ** 4
                    _, sine = yield_angle(tables, slot, node, x, p, 1.0 - at**4)
                    total += mean * width * part * p * sine
    return number, total


def mean_pT(model: HadronicModel, projectile: int, secondary: int, T_GeV: float) -> float:
    """Compute the mean transverse momentum of a secondary species by quadrature.

    Parameters
    ----------
    model : HadronicModel
        The model.
    projectile : int
        Species code of the projectile.
    secondary : int
        Species code of the secondary.
    T_GeV : float
        Kinetic energy of the projectile, GeV.

    Returns
    -------
    float
        GeV/c, good to 0.5 %; nan where none is made.
    """
    check_projectile(model.tables, projectile, T_GeV)
    number, total = _sums(model.tables, projectile, secondary, T_GeV, _ANGLES)
    return total / number if number > 0.0 else math.nan
