"""Apply the mean energy loss of charged particles to spectra in bins; particles are conserved.

The integral spectrum N(> T) is carried along: after a step, N(> T) is what N(> T') was before, where T' is the energy
that a particle of energy T had. T' follows from the range. The stopping power is that of
:mod:`sim3d.shower.energy_loss`, here for arrays; a test compares the two.
"""

from __future__ import annotations

import numpy as np

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


def density_effect(beta_gamma: Array, density_g_cm3: float | Array) -> Array:
    """Compute Sternheimer's density-effect correction in air, as :func:`sim3d.shower.energy_loss.density_effect`.

    Parameters
    ----------
    beta_gamma : float64 array
        Momentum / mass.
    density_g_cm3 : float or float64 array
        Broadcast against `beta_gamma`.

    Returns
    -------
    float64 array
        delta.
    """
    air = AIR_STERNHEIMER
    x = np.log10(beta_gamma) + 0.5 * np.log10(density_g_cm3 / air["density_g_cm3"])
    delta = 2.0 * np.log(10.0) * x - air["C"] + air["a"] * np.maximum(air["x1"] - x, 0.0) ** air["k"]
    return np.where(x < air["x0"], 0.0, np.maximum(delta, 0.0))


def stopping_power(species: int, kinetic_GeV: Array, density_g_cm3: float | Array) -> Array:
    """Compute the mean energy loss of a unit charge in air, as :func:`sim3d.shower.energy_loss.stopping_power`.

    Parameters
    ----------
    species : int
        Code of a charged particle.
    kinetic_GeV : float64 array
    density_g_cm3 : float or float64 array
        Broadcast against `kinetic_GeV`.

    Returns
    -------
    float64 array
        GeV cm2/g.
    """
    mass = float(MASS_GEV[species])
    beta_gamma = np.sqrt(kinetic_GeV * (kinetic_GeV + 2.0 * mass)) / mass
    loss = bethe(beta_gamma, mass)
    half = 0.5 * BETHE_K_GEV_CM2 * AIR_Z_OVER_A
    loss = loss - half * density_effect(beta_gamma, density_g_cm3) * (1.0 + beta_gamma**-2)
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

    def earlier(self, depth_g_cm2: float | Array, density_g_cm3: float | Array) -> Array:
        """Compute the kinetic energies that particles of the grid's edges had some depth before.

        Parameters
        ----------
        depth_g_cm2, density_g_cm3 : float or float64 arrays (k,)
            Of one step, or of the steps on k paths.

        Returns
        -------
        float64 array (n + 1,) or (k, n + 1)
            Natural logarithms (ln GeV), at most two bins above the grid.
        """
        depth, density = np.asarray(depth_g_cm2, dtype=float), np.asarray(density_g_cm3, dtype=float)
        # range = integral of T / (dT/dX) over ln T
        integrand = self._fine / stopping_power(self.species, self._fine, density[..., None])
        width = self.grid.step / _FINE
        reach = np.zeros_like(integrand)
        np.cumsum(0.5 * width * (integrand[..., 1:] + integrand[..., :-1]), axis=-1, out=reach[..., 1:])
        wanted = np.minimum(reach[..., : self.grid.n * _FINE + 1 : _FINE] + depth[..., None], reach[..., -1:])
        rows = zip(np.atleast_2d(reach), np.atleast_2d(wanted), strict=True)
        left = np.array([np.searchsorted(row, at, side="right") for row, at in rows]).reshape(wanted.shape) - 1
        left = np.minimum(left, reach.shape[-1] - 2)
        # Hermite's cubic: linear interpolation would move every particle a little in the same direction at every step
        low, high = np.take_along_axis(reach, left, -1), np.take_along_axis(reach, left + 1, -1)
        t = (wanted - low) / (high - low)
        rise_low = (high - low) / np.take_along_axis(integrand, left, -1)
        rise_high = (high - low) / np.take_along_axis(integrand, left + 1, -1)
        square, cubic = 3.0 * width - 2.0 * rise_low - rise_high, rise_low + rise_high - 2.0 * width
        return self._ln_fine[left] + t * (rise_low + t * (square + t * cubic))

    def apply(self, numbers: Array, depth_g_cm2: float | Array, density_g_cm3: float | Array) -> Array:
        """Compute the numbers in bins after a step.

        Parameters
        ----------
        numbers : float64 array (..., n) or (k, ..., n)
            Particles in the bins before it; with the paths first if there are k of them.
        depth_g_cm2 : float or float64 array (k,)
            Depth of the step, on each path.
        density_g_cm3 : float or float64 array (k,)

        Returns
        -------
        float64 array, the shape of `numbers`
            Their sum is smaller by those that fell below the lowest bin.
        """
        n = self.grid.n
        position = (self.earlier(depth_g_cm2, density_g_cm3) - self.grid.ln_edges[0]) / self.grid.step
        inside = position < n
        node = np.clip(position.astype(int) - 1, 0, n - 3)
        s = position - node
        before = np.where(inside, (np.exp(position * self.grid.step) * self.grid.low_GeV + REFERENCE_SHIFT_GEV), 1.0)
        scale = np.where(inside, before**-REFERENCE_INDEX, 0.0)
        # Lagrange's cubic through four edges
        weights = [
            scale * (s - 1.0) * (s - 2.0) * (s - 3.0) / -6.0,
            scale * s * (s - 2.0) * (s - 3.0) / 2.0,
            scale * s * (s - 1.0) * (s - 3.0) / -2.0,
            scale * s * (s - 1.0) * (s - 2.0) / 6.0,
        ]
        above = np.zeros((*numbers.shape[:-1], n + 1))
        above[..., :-1] = np.cumsum(numbers[..., ::-1], axis=-1)[..., ::-1]
        ratio = above / self._reference
        # all kinds of particles of a path have its weights
        shape = (*position.shape[:-1], *(1,) * (numbers.ndim - position.ndim), n + 1)
        node = node.reshape(shape)
        moved = sum(weights[k].reshape(shape) * np.take_along_axis(ratio, node + k, -1) for k in range(4))
        out: Array = moved[..., :-1] - moved[..., 1:]
        return out
