"""Bins of the scored fluxes in energy, zenith and azimuth, and the coarser binnings of flux tables.

Energy: 202 bins, 40 per decade from 10^-1.025 to 10^4.025 GeV. The pairs (0,1), (2,3) ... are Honda's 101 bins with
logarithmic centres 10^(k/20-1); the pairs (1,2), (3,4) ... are FLUKA's 100 bins with centres 10^((k+1/2)/20-1).
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
"""Number of sub-bins of |cos_zenith| in a zenith bin (0.01 wide); a crossing counts 1/|cos| of its sub-bin's middle.

The estimator w/|cos| of a flux through a surface has infinite variance at the horizon. With
w / (A dphi (c_hi^2 - c_lo^2)/2) for each sub-bin the factor of w is bounded by 1/0.005. The only assumption is a flux
that is constant over 0.01 in cos_zenith.
"""

DEFAULT_AZIMUTH_BINS = 12

COS_BANDS = np.array([-1.0, -0.5, 0.0, 0.5, 1.0])

ENERGY_EDGES_GEV = 10.0 ** (LOG10_ENERGY_LOW + np.arange(N_ENERGY + 1) / ENERGY_BINS_PER_DECADE)

COS_EDGES = np.round(np.linspace(-1.0, 1.0, N_COS + 1), 12)


@dataclass(frozen=True)
class Binning:
    """A binning of flux tables whose bins are unions of the fine bins.

    Attributes
    ----------
    name : str
        Key in :data:`BINNINGS`.
    energy_start, energy_group : int
        First fine energy bin used, and number of fine bins in a bin.
    cos_group : int
        Number of fine zenith bins in a bin.
    azimuth : bool
        Whether azimuth bins are kept (else the flux is averaged over azimuth).
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
        """Compute the shape of an array of fluxes in this binning.

        Parameters
        ----------
        n_azimuth : int
            Azimuth bins of the run.

        Returns
        -------
        tuple of int
            Number of flavours, energy bins, zenith bins and azimuth bins.
        """
        return (N_FLAVOURS, self.n_energy, self.n_cos, n_azimuth if self.azimuth else 1)

    @property
    def energy_edges_GeV(self) -> np.ndarray:
        """Edges of the energy bins (GeV), shape (n_energy + 1,)."""
        stop = self.energy_start + self.n_energy * self.energy_group
        return ENERGY_EDGES_GEV[self.energy_start : stop + 1 : self.energy_group]

    @property
    def energies_GeV(self) -> np.ndarray:
        """Logarithmic centres of the energy bins (GeV), shape (n_energy,)."""
        edges = self.energy_edges_GeV
        return np.sqrt(edges[1:] * edges[:-1])

    @property
    def cos_edges(self) -> np.ndarray:
        """Edges of the bins of cos_zenith, ascending, shape (n_cos + 1,)."""
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
