"""Densities of secondaries of an event generator at any energy, from a file of yields.

Between nodes that are used the number in a bin of x is linear in ln T. Above an energy `scale_from_GeV` the numbers
scale: they are those at that energy at the same x, for x above `SCALED_X`, and the generator's own at lower x.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.species import MASS_GEV, species_code
from hadronic.tables.yield_file import ProjectileYields
from hadronic.tables.yield_rows import LEADING_SUFFIX, ROWS

# Scaling in x is complete above the second value, absent below the first; linear in ln x between. Lower x are the
# central region at high energies, where the number of hadrons rises, and of nucleons the fragments of the target.
SCALED_X: Final = {"mesons": (0.005, 0.02), "baryons": (0.05, 0.15)}
BARYONS: Final = ("p", "n", "Lambda")


def mass_of(row: str) -> float:
    """Rest mass of the secondary of a row.

    Parameters
    ----------
    row : str
        Row of a file of yields.

    Returns
    -------
    float
        GeV.
    """
    name = row.removesuffix(LEADING_SUFFIX)
    return float(MASS_GEV[species_code("K0L" if name == "K0" else name)])


@dataclass(frozen=True)
class BaseYields:
    """Yields of one projectile of a generator.

    Attributes
    ----------
    projectile : str
        Name of the projectile.
    content : ProjectileYields
        Its part of the file.
    x_edges : float[bins + 1]
        Edges of x = T_sec/T.
    left_out_GeV : (float, float)
        Nodes between these energies (exclusive) are not used.
    scale_from_GeV : float
        Energy from which yields scale in x; infinite for the generator's own dependence.
    """

    projectile: str
    content: ProjectileYields
    x_edges: Array
    left_out_GeV: tuple[float, float]
    scale_from_GeV: float

    def _weights(self, T_GeV: float) -> Array:
        """Weights of the nodes at an energy; they add up to 1."""
        nodes = self.content.T_GeV
        low, high = self.left_out_GeV
        used = np.flatnonzero((nodes <= low) | (nodes >= high))
        weights = np.zeros(nodes.size)
        for place, unit in zip(used, np.eye(used.size), strict=True):
            weights[place] = np.interp(np.log(T_GeV), np.log(nodes[used]), unit)
        return weights

    def own_yields(self, T_GeV: float) -> Array:
        """Mean numbers per interaction of the generator itself, which conserves energy and baryon number.

        Parameters
        ----------
        T_GeV : float
            Kinetic energy of the projectile.

        Returns
        -------
        float[ROWS, bins]
            In bins of x = T_sec/T.
        """
        every = self.content.counts / self.content.events[:, :, None]
        own: Array = np.tensordot(self._weights(T_GeV), every, axes=1)
        return own

    def yields(self, T_GeV: float) -> Array:
        """Mean numbers per interaction at an energy.

        Parameters
        ----------
        T_GeV : float
            Kinetic energy of the projectile.

        Returns
        -------
        float[ROWS, bins]
            In bins of x = T_sec/T.
        """
        own = self.own_yields(T_GeV)
        if T_GeV <= self.scale_from_GeV:
            return own
        scaled = self.own_yields(self.scale_from_GeV)
        meson, baryon = (np.interp(np.log(self.centres()), np.log(one), (0.0, 1.0)) for one in SCALED_X.values())
        share = np.array([baryon if row.removesuffix(LEADING_SUFFIX) in BARYONS else meson for row in ROWS])
        rest = (1.0 - share) * own
        # One leading particle an interaction: what scales is taken from those of low x.
        for i, row in enumerate(ROWS):
            if row.endswith(LEADING_SUFFIX) and rest[i].sum() > 0.0:
                rest[i] *= max(own[i].sum() - (share[i] * scaled[i]).sum(), 0.0) / rest[i].sum()
        both: Array = share * scaled + rest
        return both

    def events(self, T_GeV: float) -> Array:
        """Interactions behind the yields at an energy, shape (ROWS,)."""
        at: Array = self._weights(min(T_GeV, self.scale_from_GeV)) @ self.content.events
        return at

    def angle_counts(self, T_GeV: float) -> Array:
        """Shapes of the angles at an energy, shape (ROWS, angle bins, s bins).

        Parameters
        ----------
        T_GeV : float
            Kinetic energy of the projectile.

        Returns
        -------
        float[ROWS, angle bins, s bins]
            Counts.

        Raises
        ------
        ValueError
            If the file has no angles.
        """
        if self.content.angle_counts is None:
            raise ValueError("a file of yields without angles")
        at: Array = np.tensordot(self._weights(T_GeV), self.content.angle_counts, axes=1)
        return at

    def other(self, T_GeV: float) -> Array:
        """Energy over T in what the rows leave out, shape (OTHER,)."""
        if self.content.other is None:
            raise ValueError("a file of yields without the energy of what it leaves out")
        at: Array = self._weights(T_GeV) @ self.content.other
        return at

    def centres(self) -> Array:
        """Middles of the bins of x = T_sec/T, shape (bins,)."""
        middle: Array = np.sqrt(self.x_edges[1:] * self.x_edges[:-1])
        return middle

    def total_x(self, row: str, T_GeV: float, x: Array) -> Array:
        """x = E_secondary/E_projectile of x = T_sec/T.

        Parameters
        ----------
        row : str
            Row of the secondary.
        T_GeV : float
            Kinetic energy of the projectile.
        x : float[n]
            T_sec/T.

        Returns
        -------
        float[n]
            Total over total energy.
        """
        total: Array = (x * T_GeV + mass_of(row)) / (T_GeV + mass_of(self.projectile))
        return total

    def number_between(self, secondary: str, T_GeV: float, low: Array, high: Array) -> tuple[Array, Array]:
        """Mean numbers of a species, leading ones included, in ranges of x = E/E, and their statistical errors.

        Parameters
        ----------
        secondary : str
            Species.
        T_GeV : float
            Kinetic energy of the projectile.
        low, high : float[n]
            Ranges of E_secondary/E_projectile.

        Returns
        -------
        number : float[n]
            Mean numbers; a bin that a range cuts counts by its share of x.
        error : float[n]
            Relative.
        """
        rows = [i for i, name in enumerate(ROWS) if name in (secondary, secondary + LEADING_SUFFIX)]
        edges = self.total_x(secondary, T_GeV, self.x_edges)
        values = self.yields(T_GeV)[rows].sum(axis=0)
        above = np.append(0.0, np.cumsum(values))
        number = np.interp(high, edges, above) - np.interp(low, edges, above)
        counts = np.maximum(number * self.events(T_GeV)[rows[0]], 1.0)
        return number, 1.0 / np.sqrt(counts)


def row_sum(yields: Array, secondary: str) -> Array:
    """Add a species' row and that of its leading ones.

    Parameters
    ----------
    yields : float[ROWS, bins]
        Mean numbers.
    secondary : str
        Species.

    Returns
    -------
    float[bins]
        Both.
    """
    total: Array = yields[[i for i, name in enumerate(ROWS) if name in (secondary, secondary + LEADING_SUFFIX)]].sum(0)
    return total
