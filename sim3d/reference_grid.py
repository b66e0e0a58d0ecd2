"""FLUKA's table as a grid: integrals over energy, averages over the sky, to set beside a result's.

The table has single bins (20 per decade, 0.05 in cos_zenith) at 14 energies and 12 cosines; between them the logarithm
of the flux is interpolated, linearly in ln E and in cos_zenith. The average over the sky from 12 cosines alone is
within 3% of that over all 40 bins (measured with a result of this program, 0.1 to 30 GeV).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim3d.arrays import Array
from sim3d.compare import ReferenceTable, fluka_table
from sim3d.particles import FLAVOURS

_STEPS = 400


@dataclass(frozen=True)
class ReferenceGrid:
    """A reference table on its axes.

    Attributes
    ----------
    energy_GeV, cos_zenith : float64 arrays
        Ascending.
    flux : float64 array (flavour, energy, cos)
        m^-2 s^-1 sr^-1 GeV^-1, flavours in the order of :data:`sim3d.particles.FLAVOURS`.
    """

    energy_GeV: Array
    cos_zenith: Array
    flux: Array

    def sky_average(self) -> Array:
        """Flux averaged over the sky, (flavour, energy).

        Cosines beyond the outermost of the table have its flux.
        """
        fine = (np.arange(_STEPS) + 0.5) * 2.0 / _STEPS - 1.0
        values = [[np.interp(fine, self.cos_zenith, np.log(row)) for row in one] for one in self.flux]
        return np.asarray(np.exp(values).mean(axis=-1))

    def integral(self, energy_GeV: tuple[float, float]) -> Array:
        """Flux integrated over a window of energy inside the table, (flavour, cos), m^-2 s^-1 sr^-1."""
        fine = np.geomspace(*energy_GeV, _STEPS)
        log_energy = np.log(self.energy_GeV)
        values = np.array(
            [[np.exp(np.interp(np.log(fine), log_energy, np.log(column))) for column in one.T] for one in self.flux]
        )
        return np.asarray(0.5 * ((values[..., 1:] + values[..., :-1]) * np.diff(fine)).sum(axis=-1))


def fluka_grid() -> ReferenceGrid:
    """FLUKA's Super-Kamiokande table at solar maximum, as shipped."""
    return grid_of(fluka_table())


def grid_of(table: ReferenceTable) -> ReferenceGrid:
    """A table whose rows fill a grid of flavours, energies and cosines."""
    energies, at_energy = np.unique(table.energy_GeV, return_inverse=True)
    cosines, at_cos = np.unique(table.cos_zenith, return_inverse=True)
    flux = np.full((len(FLAVOURS), len(energies), len(cosines)), np.nan)
    flux[[FLAVOURS.index(name) for name in table.flavour], at_energy, at_cos] = table.flux
    return ReferenceGrid(energies, cosines, flux)
