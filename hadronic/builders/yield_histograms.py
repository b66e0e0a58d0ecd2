"""Histograms of inclusive yields, filled from the final states of event generators.

A row of the histograms is a secondary species, or the leading particle of an interaction (`LEADING`), which is then
not in the species' own row. K0 is the sum of K0, anti-K0, K0L and K0S.
"""

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numba import njit

from hadronic.arrays import Array, BoolArray, IntArray
from hadronic.definitions import Z_EXPONENT
from hadronic.interaction.kernels import ANGLE_LOW_GEV, concentration
from hadronic.species import MASS_GEV, PDG_IDS, species_code
from hadronic.tables.yield_rows import LEADING_SPECIES, LEADING_SUFFIX, MOMENTS, OTHER, ROWS, SPECIES

# Species of which the most energetic one of an event, over all of them, has a row of its own.
LEADING: Final = {"p": ("p", "n"), "pi+": ("pi+",), "K+": ("K+", "K0"), "K-": ("K-", "K0")}

# Nucleons below this kinetic energy [GeV] are left out: spectators and evaporation, which make no neutrino.
NUCLEON_MIN_GEV: Final = 0.1
# Bins of x = T_sec/T, uniform in ln(x/(1-x)): 1e-9 to 1 - 1e-4 in steps of 0.1, ended at x = 1.
X_EDGES: Final = np.concatenate(([1.0e-9], 1.0 / (1.0 + np.exp(-np.arange(-20.7, 9.3, 0.1))), [1.0]))
# Bins of the angle's variable s (see `angle_variable`), uniform in its root, which is proportional to pT.
S_EDGES: Final = np.concatenate((np.arange(0.0, 7.01, 1.0 / 6.0) ** 2, [200.0]))
# Bins of ln T_sec between `ANGLE_LOW_GEV` and T, in which the angle is histogrammed.
N_ANGLE_BINS: Final = 20

# Codes of a row's species in `hadronic.species` (K0 takes those of K0L), for masses and angles.
CODES: Final = tuple(species_code("K0L" if name == "K0" else name) for name in SPECIES)
_PDG: Final = {PDG_IDS[code]: row for row, code in enumerate(CODES)} | dict.fromkeys(
    (310, 311, -311), SPECIES.index("K0")
)


@njit(nogil=True)
def angle_variable(species: IntArray, momentum_GeV: Array, one_minus_cos: Array) -> Array:
    """Compute the variable s in which angles are histogrammed.

    If that law held, s would be exponential with mean 1 at every momentum; at high momentum s = k (1 - cos).

    Parameters
    ----------
    species : int[n]
        Species codes.
    momentum_GeV : float[n]
        Momenta, GeV/c.
    one_minus_cos : float[n]
        1 - cos of the angles to the projectile.

    Returns
    -------
    float[n]
        s = -ln(1 - u), where u is the uniform number that gives this angle in
        `hadronic.interaction.kernels.one_minus_cos_theta`.
    """
    out = np.empty(momentum_GeV.shape[0])
    for i in range(out.shape[0]):
        k = concentration(species[i], momentum_GeV[i])
        y = min(k * one_minus_cos[i], 2.0 * k * (1.0 - 1.0e-12))
        out[i] = y - math.log1p(-math.exp(y - 2.0 * k)) + math.log1p(-math.exp(-2.0 * k)) if k > 1e-9 else 0.0
    return out


@dataclass
class NodeHistogram:
    """What interactions of one projectile at one energy made.

    Attributes
    ----------
    projectile : str
        One of `PROJECTILES`.
    T_GeV : float
        Kinetic energy.
    events : int
        Number of interactions.
    counts : float[ROWS, x bins]
    angle_counts : float[ROWS, N_ANGLE_BINS, s bins]
    moment_sums, moment_squares : float[SPECIES, MOMENTS]
        Sums over events of what each event has, and of its square.
    other_sums : float[OTHER]
        Energy over T.
    """

    projectile: str
    T_GeV: float
    events: int = 0
    counts: Array = field(default_factory=lambda: np.zeros((len(ROWS), X_EDGES.size - 1)))
    angle_counts: Array = field(default_factory=lambda: np.zeros((len(ROWS), N_ANGLE_BINS, S_EDGES.size - 1)))
    moment_sums: Array = field(default_factory=lambda: np.zeros((len(SPECIES), len(MOMENTS))))
    moment_squares: Array = field(default_factory=lambda: np.zeros((len(SPECIES), len(MOMENTS))))
    other_sums: Array = field(default_factory=lambda: np.zeros(len(OTHER)))

    def add(self, event: IntArray, pdg: IntArray, four: Array, events: int) -> None:
        """Add the particles of `events` interactions.

        Parameters
        ----------
        event : int[n]
            Number, 0 to `events` - 1, of the interaction that each particle belongs to.
        pdg : int[n]
            PDG ids.
        four : float[n, 4]
            (E, px, py, pz) [GeV] with the projectile along z and the target at rest.
        events : int
            Some may have no particles.
        """
        self.events += events
        row = np.array([_PDG.get(int(one), -1) for one in pdg], dtype=np.int64)
        self._add_other(pdg[row < 0], four[row < 0, 0])
        event, four, row = event[row >= 0], four[row >= 0], row[row >= 0]
        mass = MASS_GEV[np.array(CODES)][row]
        p2 = (four[:, 1:] ** 2).sum(axis=1)
        # From the momentum and the table's mass, so that generators' own masses do not move T.
        kinetic = p2 / (np.sqrt(p2 + mass**2) + mass)
        used = kinetic > np.where(row < 2, NUCLEON_MIN_GEV, 1.0e-9 * self.T_GeV)
        event, four, row, mass, p2, kinetic = (one[used] for one in (event, four, row, mass, p2, kinetic))
        momentum = np.sqrt(p2)
        pT2 = four[:, 1] ** 2 + four[:, 2] ** 2
        ahead = pT2 / (momentum * (momentum + np.abs(four[:, 3])))
        one_minus_cos = np.where(four[:, 3] >= 0.0, ahead, 2.0 - ahead)

        self._add_moments(event, row, kinetic, mass, np.sqrt(pT2), events)
        place = self._with_leading(event, row, kinetic)
        x_bin = np.clip(np.searchsorted(X_EDGES, kinetic / self.T_GeV, side="right") - 1, 0, X_EDGES.size - 2)
        np.add.at(self.counts, (place, x_bin), 1.0)
        s = angle_variable(np.array(CODES)[row], momentum, one_minus_cos)
        s_bin = np.clip(np.searchsorted(S_EDGES, s, side="right") - 1, 0, S_EDGES.size - 2)
        position = np.log(np.maximum(kinetic / ANGLE_LOW_GEV, 1e-300)) / math.log(self.T_GeV / ANGLE_LOW_GEV)
        z_bin = np.clip((position * N_ANGLE_BINS).astype(np.int64), 0, N_ANGLE_BINS - 1)
        np.add.at(self.angle_counts, (place, z_bin, s_bin), 1.0)

    def merge(self, other: "NodeHistogram") -> None:
        """Add another histogram of the same projectile and energy.

        Parameters
        ----------
        other : NodeHistogram
            The other one.
        """
        self.events += other.events
        for name in ("counts", "angle_counts", "moment_sums", "moment_squares", "other_sums"):
            setattr(self, name, getattr(self, name) + getattr(other, name))

    def moments(self) -> tuple[Array, Array]:
        """Compute the mean moments per interaction and their statistical errors.

        Returns
        -------
        mean, error : float[SPECIES, MOMENTS]
            One standard deviation.
        """
        mean = self.moment_sums / self.events
        variance = np.maximum(self.moment_squares / self.events - mean**2, 0.0)
        return mean, np.sqrt(variance / max(self.events - 1, 1))

    def _add_other(self, pdg: IntArray, energy: Array) -> None:
        size = np.abs(pdg)
        kind = np.full(pdg.shape, OTHER.index("other"))
        kind[size == 22] = OTHER.index("photons")
        kind[(size > 10) & (size < 20)] = OTHER.index("leptons")
        kind[(pdg < -1000) & (size < 10000)] = OTHER.index("antibaryons")
        self.other_sums += np.bincount(kind, weights=energy / self.T_GeV, minlength=len(OTHER))

    def _add_moments(self, event: IntArray, row: IntArray, kinetic: Array, mass: Array, pT: Array, events: int) -> None:
        x = kinetic / self.T_GeV
        x_ET = (kinetic + mass) / self.T_GeV
        x_EE = (kinetic + mass) / (self.T_GeV + float(MASS_GEV[species_code(self.projectile)]))
        q = Z_EXPONENT
        cell = event * len(SPECIES) + row
        for number, value in enumerate((np.ones_like(x), x, x_ET, x_EE, x**q, x_ET**q, x_EE**q, pT)):
            each = np.bincount(cell, weights=value, minlength=events * len(SPECIES)).reshape(events, -1)
            self.moment_sums[:, number] += each.sum(axis=0)
            self.moment_squares[:, number] += (each**2).sum(axis=0)

    def _with_leading(self, event: IntArray, row: IntArray, kinetic: Array) -> IntArray:
        """Row of each particle, the leading ones moved to their own."""
        place = row.copy()
        candidates = np.flatnonzero(np.isin(row, [SPECIES.index(name) for name in LEADING[self.projectile]]))
        order = candidates[np.lexsort((kinetic[candidates], event[candidates]))]
        if order.size:
            last = np.append(np.diff(event[order]) != 0, True)
            own = np.array([ROWS.index(name + LEADING_SUFFIX) if name in LEADING_SPECIES else 0 for name in SPECIES])
            place[order[last]] = own[row[order[last]]]
        return place


def without_elastic(event: IntArray, pdg: IntArray, four: Array, T_GeV: float, events: int) -> BoolArray:
    """Select the interactions that are not (quasi-)elastic.

    The pion and kaon beams of UrQMD contain such events, which belong neither to production cross sections nor to
    yields (12 % of pi+ at 30 GeV, 56 % of K+ at 5 GeV).

    Parameters
    ----------
    event : int[n]
        Number of the interaction of each particle.
    pdg : int[n]
        PDG ids.
    four : float[n, 4]
        (E, px, py, pz), GeV.
    T_GeV : float
        Kinetic energy of the projectile, GeV.
    events : int
        Number of interactions.

    Returns
    -------
    bool[events]
        False where the only meson carries more than 0.7 of the projectile's kinetic energy.
    """
    size = np.abs(pdg)
    meson = ((size > 100) & (size < 1000)) | (size == 22)
    number = np.bincount(event[meson], minlength=events)
    fastest = np.zeros(events)
    mass2 = np.maximum(four[:, 0] ** 2 - (four[:, 1:] ** 2).sum(axis=1), 0.0)
    np.maximum.at(fastest, event[meson], (four[:, 0] - np.sqrt(mass2))[meson] / T_GeV)
    elastic: BoolArray = (number == 1) & (fastest > 0.7)
    return ~elastic
