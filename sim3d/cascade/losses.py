"""Apply the mean energy loss of charged particles to spectra in bins; particles are conserved.

The integral spectrum N(> T) is carried along: after a step, N(> T) is what N(> T') was before, where T' is the energy
that a particle of energy T had. T' follows from the range. The stopping power is that of
:mod:`sim3d.shower.energy_loss`, here for arrays; a test compares the two.
"""

from __future__ import annotations

import numpy as np
from scipy.interpolate import CubicHermiteSpline

from sim3d.cascade.energies import EnergyGrid
from sim3d.conventions.arrays import Array
from sim3d.conventions.particles import MASS_GEV, MUM, MUP
from sim3d.shower.energy_loss import (
    AIR_STERNHEIMER,
    AIR_Z_OVER_A,
    BETHE_K_GEV_CM2,
    RADIATIVE_B_CM2_G,
    bethe,
)

_FINE = 3
"""Points of the range table for each bin."""
REFERENCE_SHIFT_GEV, REFERENCE_INDEX = 2.0, 1.9
"""N(> T) is interpolated relative to (T + shift)^-index, which it resembles, so that the ratio is smooth."""


def density_effect(beta_gamma: Array, density_g_cm3: float) -> Array:
    """Compute Sternheimer's density-effect correction in air, as :func:`sim3d.shower.energy_loss.density_effect`.

    Parameters
    ----------
    beta_gamma : float64 array
        Momentum / mass.
    density_g_cm3 : float

    Returns
    -------
    float64 array
        delta.
    """
    air = AIR_STERNHEIMER
    x = np.log10(beta_gamma) + 0.5 * np.log10(density_g_cm3 / air["density_g_cm3"])
    delta = 2.0 * np.log(10.0) * x - air["C"] + air["a"] * np.maximum(air["x1"] - x, 0.0) ** air["k"]
    return np.where(x < air["x0"], 0.0, np.maximum(delta, 0.0))


def stopping_power(species: int, kinetic_GeV: Array, density_g_cm3: float) -> Array:
    """Compute the mean energy loss of a unit charge in air, as :func:`sim3d.shower.energy_loss.stopping_power`.

    Parameters
    ----------
    species : int
        Code of a charged particle.
    kinetic_GeV : float64 array
    density_g_cm3 : float

    Returns
    -------
    float64 array
        GeV cm2/g.
    """
    mass = float(MASS_GEV[species])
    beta_gamma = np.sqrt(kinetic_GeV * (kinetic_GeV + 2.0 * mass)) / mass
    loss = bethe(beta_gamma, mass)
    half = 0.5 * BETHE_K_GEV_CM2 * AIR_Z_OVER_A
    loss -= half * density_effect(beta_gamma, density_g_cm3) * (1.0 + beta_gamma**-2)
    if species in (MUP, MUM):
        loss += RADIATIVE_B_CM2_G * (kinetic_GeV + mass)
    return loss


class EnergyLoss:
    """Energy loss of one species in bins of kinetic energy.

    Parameters
    ----------
    grid : EnergyGrid
    species : int
        Code of a charged particle.
    """

    def __init__(self, grid: EnergyGrid, species: int) -> None:
        self.grid = grid
        self.species = species
        # a little beyond the grid, so that particles from above its end are known to come from there
        self._ln_fine = grid.ln_edges[0] + grid.step / _FINE * np.arange((grid.n + 2) * _FINE + 1)
        self._fine = np.exp(self._ln_fine)
        self._reference = (grid.edges_GeV + REFERENCE_SHIFT_GEV) ** -REFERENCE_INDEX

    def earlier(self, depth_g_cm2: float, density_g_cm3: float) -> Array:
        """Compute the kinetic energies that particles of the grid's edges had some depth before.

        Parameters
        ----------
        depth_g_cm2 : float
        density_g_cm3 : float

        Returns
        -------
        float64 array (n + 1,)
            Natural logarithms (ln GeV), at most two bins above the grid.
        """
        # range = integral of T / (dT/dX) over ln T
        integrand = self._fine / stopping_power(self.species, self._fine, density_g_cm3)
        steps = 0.5 * (integrand[1:] + integrand[:-1]) * (self.grid.step / _FINE)
        reach = np.concatenate(([0.0], np.cumsum(steps)))
        # linear interpolation would move every particle a little in the same direction at every step
        energy_of_range = CubicHermiteSpline(reach, self._ln_fine, 1.0 / integrand)
        wanted = reach[: self.grid.n * _FINE + 1 : _FINE] + depth_g_cm2
        return energy_of_range(np.minimum(wanted, reach[-1]))

    def apply(self, numbers: Array, depth_g_cm2: float, density_g_cm3: float) -> Array:
        """Compute the numbers in bins after a step.

        Parameters
        ----------
        numbers : float64 array (..., n)
            Particles in the bins before it.
        depth_g_cm2 : float
            Depth of the step.
        density_g_cm3 : float

        Returns
        -------
        float64 array (..., n)
            Their sum is smaller by those that fell below the lowest bin.
        """
        n = self.grid.n
        position = (self.earlier(depth_g_cm2, density_g_cm3) - self.grid.ln_edges[0]) / self.grid.step
        inside = position < n
        node = np.clip(position.astype(int) - 1, 0, n - 3)
        s = position - node
        # Lagrange's cubic through four edges
        weights = np.array(
            [
                -(s - 1.0) * (s - 2.0) * (s - 3.0) / 6.0,
                s * (s - 2.0) * (s - 3.0) / 2.0,
                -s * (s - 1.0) * (s - 3.0) / 2.0,
                s * (s - 1.0) * (s - 2.0) / 6.0,
            ]
        )
        above = np.zeros((*numbers.shape[:-1], n + 1))
        above[..., :-1] = np.cumsum(numbers[..., ::-1], axis=-1)[..., ::-1]
        ratio = above / self._reference
        moved = sum(weights[k] * ratio[..., node + k] for k in range(4))
        before = np.where(inside, (np.exp(position * self.grid.step) * self.grid.low_GeV + REFERENCE_SHIFT_GEV), 1.0)
        moved = np.where(inside, moved * before**-REFERENCE_INDEX, 0.0)
        out: Array = moved[..., :-1] - moved[..., 1:]
        return out
