"""Bins of the scores: energy, zenith, azimuth, and the coarser binnings that tables are made of.

Energy: 202 bins, 40 per decade from 10^-1.025 to 10^4.025 GeV. The pairs (0,1), (2,3) ... are Honda's 101 bins with log
centres 10^(k/20-1); the pairs (1,2), (3,4) ... are FLUKA's 100 bins with centres 10^((k+1/2)/20-1).
cos_zenith: 40 bins of 0.05 from -1 to 1 (FLUKA's); pairs are Honda's 20. Azimuth: 12 or more, from south through east.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

N_ENERGY = 202

ENERGY_BINS_PER_DECADE = 40

LOG10_ENERGY_LOW = -1.025

N_COS = 40

N_FLAVOURS = 4

COS_WIDTH = 2.0 / N_COS

SUB_BINS = 5
"""Sub-bins of |cos_zenith| in a zenith bin (0.01 wide): a crossing counts 1/|cos| at its sub-bin's middle.

With w / (A dphi (c_hi^2 - c_lo^2)/2) per sub-bin the estimator's weights are bounded by 1/0.005, where w/|cos| has
infinite variance at the horizon; the flux is taken as constant over 0.01 in cos_zenith only.
"""

DEFAULT_AZIMUTH_BINS = 12

COS_BANDS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])

ENERGY_EDGES_GEV = 10.0 ** (LOG10_ENERGY_LOW + np.arange(N_ENERGY + 1) / ENERGY_BINS_PER_DECADE)

COS_EDGES = np.round(np.linspace(-1.0, 1.0, N_COS + 1), 12)


@dataclass(frozen=True)
class Binning:
    """A coarser binning whose bins are unions of fine bins.

    Attributes
    ----------
    name : str
    energy_start, energy_group : int
        First fine energy bin used, and how many make one bin.
    cos_group : int
        Fine zenith bins per bin.
    azimuth : bool
        Whether azimuth bins are kept (else averaged).
    """

    name: str
    energy_start: int
    energy_group: int
    cos_group: int
    azimuth: bool

    @property
    def n_energy(self) -> int:
        """Number of energy bins."""
        return (N_ENERGY - self.energy_start) // self.energy_group

    @property
    def n_cos(self) -> int:
        """Number of zenith bins."""
        return N_COS // self.cos_group

    def shape(self, n_azimuth: int) -> tuple[int, int, int, int]:
        """Array shape (flavour, energy, cos, azimuth)."""
        return (N_FLAVOURS, self.n_energy, self.n_cos, n_azimuth if self.azimuth else 1)

    @property
    def energy_edges_GeV(self) -> np.ndarray:
        """Energy edges, shape (n_energy + 1,)."""
        stop = self.energy_start + self.n_energy * self.energy_group
        return ENERGY_EDGES_GEV[self.energy_start : stop + 1 : self.energy_group]

    @property
    def energies_GeV(self) -> np.ndarray:
        """Log centres of the energy bins, shape (n_energy,)."""
        edges = self.energy_edges_GeV
        return np.sqrt(edges[1:] * edges[:-1])

    @property
    def cos_edges(self) -> np.ndarray:
        """Zenith edges, ascending, shape (n_cos + 1,)."""
        return COS_EDGES[:: self.cos_group]


BINNINGS = {
    b.name: b
    for b in (
        Binning("fine", 0, 1, 1, True),
        Binning("fine_aa", 0, 1, 1, False),
        Binning("honda", 0, 2, 2, True),
        Binning("honda_aa", 0, 2, 2, False),
        Binning("fluka", 1, 2, 1, True),
        Binning("fluka_aa", 1, 2, 1, False),
    )
}
