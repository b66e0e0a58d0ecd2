"""Shared by the tests of the cascade equations: yields that scale, and an isothermal atmosphere."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import beta

from atmosphere.layers import LayeredAtmosphere
from hadronic.interaction.kernels import N_QUANTILES, NO_ANGLES, POISSON, YieldTables
from hadronic.species import MASS_GEV, N_PROJECTILES, N_SPECIES

POWER = 3
"""Secondaries have x above a value with probability (1 - x)^POWER: dN/dx = POWER (1 - x)^(POWER - 1)."""


class Scaling:
    """Yields per interaction that depend on x alone, and interaction lengths that do not depend on energy."""

    def __init__(self, means, lengths):
        self.means, self.lengths = means, lengths

    def Z(self, projectile, secondary, index):
        """Spectrum-weighted moment, the mean of the sum of x^index."""
        return self.means.get((projectile, secondary), 0.0) * POWER * beta(index + 1.0, POWER)

    @property
    def tables(self):
        nodes = np.linspace(np.log(1e-3), np.log(1e8), 3)
        v = np.linspace(0.0, 1.0, N_QUANTILES)
        x = 1.0 - (1.0 - v) ** (4.0 / POWER)
        ln_x = np.log(np.maximum(x, 1e-9))
        projectiles = sorted(self.means)
        offset = np.searchsorted([p for p, _ in projectiles], np.arange(N_PROJECTILES + 1))
        lengths = np.full((N_SPECIES, 2), 1e9)
        for species, length in self.lengths.items():
            lengths[species] = length
        return YieldTables(
            ln_T=nodes,
            slot_offset=offset.astype(np.int64),
            slot_species=np.array([s for _, s in projectiles]),
            slot_kind=np.full(len(projectiles), POISSON),
            slot_table=np.zeros(len(projectiles), dtype=np.int64),
            slot_mean=np.array([[self.means[pair]] * 3 for pair in projectiles]),
            ln_x=np.broadcast_to(ln_x, (1, 3, N_QUANTILES)).copy(),
            mass_GeV=MASS_GEV,
            lambda_ln_T=np.array([nodes[0], nodes[-1]]),
            interaction_length=lengths,
            angle_scale=NO_ANGLES,
        )


@pytest.fixture(scope="session")
def scaling():
    """Makes :class:`Scaling`."""
    return Scaling


@pytest.fixture(scope="session")
def isothermal():
    """Makes an atmosphere of 1500 g/cm2 with one scale height (km)."""

    def make(height_km):
        return LayeredAtmosphere("isothermal", [(0.0, -1e-4, 1500.0, height_km)])

    return make
