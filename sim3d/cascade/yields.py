"""Compute matrices of the secondaries of hadrons on air, and interaction lengths, in the bins of the cascade equations.

The numbers are those that the simulation draws: nodes of the projectile's energy are mixed with weights linear in
ln T, and x = T_secondary / T_projectile is that of the node. Outside the table the nearest node holds.
"""

from __future__ import annotations

import numpy as np

from hadronic.arrays import IntArray
from hadronic.interaction.kernels import YieldTables
from hadronic.species import N_PROJECTILES
from sim3d.cascade.energies import SUB_BINS, EnergyGrid
from sim3d.conventions.arrays import Array


def yield_matrices(tables: YieldTables, grid: EnergyGrid) -> Array:
    """Compute mean numbers of secondaries per interaction by bins of the projectile's and the secondary's energy.

    Parameters
    ----------
    tables : YieldTables
        Of a hadronic model.
    grid : EnergyGrid
        Bins of kinetic energy.

    Returns
    -------
    float64 array (N_PROJECTILES, n, N_PROJECTILES, n)
        Indices: projectile, its bin, secondary, its bin. The pi0, which decays to photons, is left out. Secondaries
        below the lowest bin are left out.
    """
    rows = grid.n * SUB_BINS
    ln_T = np.log(grid.sub_centres_GeV)
    axis = tables.ln_T
    position = np.clip((ln_T - axis[0]) * (axis.size - 1) / (axis[-1] - axis[0]), 0.0, axis.size - 1.0)
    low = np.minimum(position.astype(int), axis.size - 2)
    share = position - low
    # ln(edge j / T of row f) lies on one lattice for all j and f, because a row is a part of a bin
    lattice = grid.step / SUB_BINS * (np.arange(-rows, SUB_BINS * (grid.n + 1), dtype=np.float64) - 0.5)
    place = SUB_BINS * np.arange(grid.n + 1) - np.arange(rows)[:, None] + rows
    out = np.zeros((N_PROJECTILES, grid.n, N_PROJECTILES, grid.n))
    used = np.unique(tables.slot_table).tolist()
    numbers = {int(table): _numbers(tables.ln_x[table], lattice, low, place) for table in used}
    for projectile in range(N_PROJECTILES):
        made = np.zeros((N_PROJECTILES, rows, grid.n))
        for slot in range(tables.slot_offset[projectile], tables.slot_offset[projectile + 1]):
            secondary = int(tables.slot_species[slot])
            if secondary >= N_PROJECTILES:
                continue
            mean = tables.slot_mean[slot]
            at_low, at_high = numbers[int(tables.slot_table[slot])]
            made[secondary] += ((1.0 - share) * mean[low])[:, None] * at_low
            made[secondary] += (share * mean[low + 1])[:, None] * at_high
        for secondary in range(N_PROJECTILES):
            out[projectile, :, secondary] = grid.averaged(made[secondary])
    return out


def _numbers(ln_x: Array, lattice: Array, low: IntArray, place: IntArray) -> tuple[Array, Array]:
    """Shares of the secondaries of one table in the bins, of the node below and the node above: shape (rows, n)."""
    quantiles = np.linspace(1.0, 0.0, ln_x.shape[1])
    above = np.empty((ln_x.shape[0], lattice.size))
    for node, axis in enumerate(ln_x):
        above[node] = np.interp(lattice, axis, quantiles, left=1.0, right=0.0)
    # a quantile axis is uniform in v = 1 - (1 - u)^(1/4), see hadronic.interaction.kernels.YieldTables
    above = np.square(np.square(above))
    both = (above[low[:, None], place], above[low[:, None] + 1, place])
    return both[0][:, :-1] - both[0][:, 1:], both[1][:, :-1] - both[1][:, 1:]


def interaction_lengths(tables: YieldTables, grid: EnergyGrid) -> Array:
    """Compute interaction lengths in air at the centres of the bins.

    Parameters
    ----------
    tables : YieldTables
    grid : EnergyGrid

    Returns
    -------
    float64 array (N_PROJECTILES, n)
        g/cm2; linear in ln T, constant outside the table, as in the simulation.
    """
    ln_T = np.log(grid.centres_GeV)
    return np.array([np.interp(ln_T, tables.lambda_ln_T, row) for row in tables.interaction_length[:N_PROJECTILES]])
