"""Integrate the cascade equations along a path: hadrons, polarised muons and neutrinos, in one dimension.

With N_s the numbers of species s in the bins, X the slant depth and rho the density,

    dN_s/dX = - N_s / lambda_s - N_s m_s / (p_s tau_s rho) + d(loss N_s)/dT
              + sum_r Y_rs N_r / lambda_r + sum_r D_rs N_r m_r / (p_r tau_r rho).

Y are the yields per interaction, D those per decay. In a step the losses and the rest are applied in turn (Strang's
splitting, half a step of losses before and after). Production by interactions is extrapolated to the middle of the step
from the last two (second order), and with it each species has an exponential solution, also where it decays or
interacts many times within the step. Products of decays are added in the order Lambda, kaons, pions, muons.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hadronic.interaction.kernels import YieldTables
from hadronic.species import N_PROJECTILES
from sim3d.cascade.decays import DecayMatrices, decay_matrices
from sim3d.cascade.energies import EnergyGrid
from sim3d.cascade.losses import EnergyLoss
from sim3d.cascade.path import CM_PER_KM, Path, with_equal_steps
from sim3d.cascade.yields import interaction_lengths, yield_matrices
from sim3d.conventions.arrays import Array
from sim3d.conventions.particles import (
    CTAU_KM,
    KL,
    KM,
    KP,
    KS,
    LAMBDA,
    MASS_GEV,
    MUP,
    NEUTRON,
    PIM,
    PIP,
    PROTON,
)

N_BLOCKS = 5
"""Parts of the yields by energy of the secondary, which save the products with zeros."""
PARENTS = ("pion", "kaon", "muon", "charm")
"""Kinds of parents of neutrinos, in the order of :attr:`Solution.neutrinos`."""

_DECAY_ORDER = (LAMBDA, KS, KL, KP, KM)
"""Hadrons whose decays give hadrons, each after those that it can come from."""
_MESONS = [KS, KL, KP, KM, PIP, PIM]
_CHARGED = ((PROTON,), (PIP, PIM), (KP, KM))
"""Charged hadrons, those of equal mass together."""
_KIND = {PIP: 0, PIM: 0, KP: 1, KM: 1, KL: 1, KS: 1}


@dataclass(frozen=True)
class Solution:
    """Numbers of particles in the bins at the end of a path, per m2, s and sr.

    Attributes
    ----------
    grid : EnergyGrid
    path : Path
    hadrons : float64 array (N_PROJECTILES, n)
        By species code of :mod:`hadronic.species`.
    muons : float64 array (2, 2, n)
        Charge (+, -) and helicity (+1, -1).
    neutrinos : float64 array (4, 4, n)
        Flavour and kind of the parent (:data:`PARENTS`); charm is added by :mod:`sim3d.cascade.flux`.
    decays : float64 array (N_PROJECTILES, n)
        Numbers of hadrons that have decayed, by their energy.
    muon_decays : float64 array (2, 2, n)
        Numbers of muons that have decayed.
    interactions : float64 array (N_PROJECTILES, n)
        Numbers of interactions.
    """

    grid: EnergyGrid
    path: Path
    hadrons: Array
    muons: Array
    neutrinos: Array
    decays: Array
    muon_decays: Array
    interactions: Array


class CascadeSolver:
    """The cascade equations of one hadronic model.

    Parameters
    ----------
    tables : YieldTables
        Of the hadronic model.
    grid : EnergyGrid
    energy_loss : bool
        Whether charged particles lose energy; False is for comparisons with closed forms.
    muons_decay : bool
        Whether muons decay.
    """

    def __init__(
        self, tables: YieldTables, grid: EnergyGrid, *, energy_loss: bool = True, muons_decay: bool = True
    ) -> None:
        self.grid = grid
        self.yields = yield_matrices(tables, grid)
        self.lengths = interaction_lengths(tables, grid)
        self.decays: DecayMatrices = decay_matrices(grid)
        self.energy_loss = energy_loss
        self.muons_decay = muons_decay
        n = grid.n
        self._blocks = yield_blocks(self.yields)
        # meson and its bin; charge, helicity and bin of the muon
        to_muons = np.array([self.decays.muons[code] for code in _MESONS]).transpose(0, 3, 1, 2, 4)
        self._to_muons = np.ascontiguousarray(to_muons.reshape(len(_MESONS) * n, 4 * n))
        mass = MASS_GEV[:, None]
        momentum = np.sqrt(grid.centres_GeV * (grid.centres_GeV + 2.0 * mass))
        # decays per km
        self._per_km = mass / momentum / CTAU_KM[:, None]
        self._decay_to = {
            code: [(product, matrix) for (parent, product), matrix in self.decays.hadrons.items() if parent == code]
            for code in range(N_PROJECTILES)
        }
        self._hadron_losses = [(list(codes), EnergyLoss(grid, codes[0])) for codes in _CHARGED]
        self._muon_loss = EnergyLoss(grid, MUP)

    def solve(self, protons: Array, neutrons: Array, paths: Sequence[Path]) -> list[Solution]:
        """Follow primary nucleons along paths, all paths at once.

        Parameters
        ----------
        protons, neutrons : float64 arrays (n,) or (paths, n)
            Numbers in the bins at the top of the atmosphere (m^-2 s^-1 sr^-1).
        paths : sequence of Path
            At least one.

        Returns
        -------
        list of Solution
            One for each path.
        """
        n, k = self.grid.n, len(paths)
        edges, lengths = with_equal_steps(paths)
        steps = np.diff(edges, axis=1)
        densities = steps / (lengths * CM_PER_KM)
        hadrons = np.zeros((k, N_PROJECTILES, n))
        hadrons[:, PROTON], hadrons[:, NEUTRON] = protons, neutrons
        muons = np.zeros((k, 2, 2, n))
        decayed, interacted = np.zeros_like(hadrons), np.zeros_like(hadrons)
        muon_decays = np.zeros_like(muons)
        before: Array | None = None
        last_step, last_density = np.zeros(k), densities[:, 0]
        for step, density in zip(steps.T, densities.T, strict=True):
            self._lose(hadrons, muons, 0.5 * (last_step + step), 0.5 * (last_density + density))
            now = self._interact(hadrons / self.lengths)
            source = now
            if before is not None:
                source = now + (now - before) * (step / (step + last_step))[:, None, None]
            before = now
            rate, mean = self._advance(hadrons, source, step, density)
            lost = step[:, None, None] * mean
            decayed += rate * lost
            interacted += lost / self.lengths
            made = ((rate * mean)[:, _MESONS].reshape(k, -1) @ self._to_muons).reshape(muons.shape)
            muon_decays += self._advance_muons(muons, made, step[:, None, None, None], density[:, None, None, None])
            last_step, last_density = step, density
        self._lose(hadrons, muons, 0.5 * last_step, last_density)
        return [
            Solution(
                self.grid, path, hadrons[i], muons[i], self._neutrinos(decayed[i], muon_decays[i]), decayed[i],
                muon_decays[i], interacted[i],
            )
            for i, path in enumerate(paths)
        ]  # fmt: skip

    def _interact(self, interactions: Array) -> Array:
        """Secondaries of interactions: arrays (paths, N_PROJECTILES, n), both."""
        k = interactions.shape[0]
        out = np.empty_like(interactions)
        for first, low, high, matrix in self._blocks:
            made = interactions[:, :, first:].reshape(k, -1) @ matrix
            out[:, :, low:high] = made.reshape(k, N_PROJECTILES, high - low)
        return out

    def _neutrinos(self, decayed: Array, muon_decays: Array) -> Array:
        """Neutrinos of all decays on a path."""
        out = np.zeros((4, len(PARENTS), self.grid.n))
        for code in _MESONS:
            out[:, _KIND[code]] += np.tensordot(decayed[code], self.decays.neutrinos[code], axes=(0, 1))
        out[:, PARENTS.index("muon")] = np.einsum("chi,chfij->fj", muon_decays, self.decays.muon_neutrinos)
        return out

    def _lose(self, hadrons: Array, muons: Array, depths: Array, densities: Array) -> None:
        """Energy loss of charged hadrons and muons over a depth of each path, in place."""
        if not self.energy_loss:
            return
        for codes, loss in self._hadron_losses:
            hadrons[:, codes] = loss.apply(hadrons[:, codes], depths, densities)
        muons[:] = self._muon_loss.apply(muons, depths, densities)

    def _advance(self, hadrons: Array, source: Array, step: Array, density: Array) -> tuple[Array, Array]:
        """Interactions and decays of hadrons over a step of each path; their numbers are updated in place.

        Returns the rates of decay (cm2/g) and the mean numbers over the step, both (paths, N_PROJECTILES, n).
        """
        rate = self._per_km[:N_PROJECTILES] / (density * CM_PER_KM)[:, None, None]
        total = rate + 1.0 / self.lengths
        optical = total * step[:, None, None]
        grown, share = np.exp(-optical), -np.expm1(-optical) / optical
        mean = np.empty_like(hadrons)
        source = source.copy()
        for code in (*_DECAY_ORDER, PIP, PIM, PROTON, NEUTRON):
            steady = source[:, code] / total[:, code]
            above = hadrons[:, code] - steady
            mean[:, code] = steady + above * share[:, code]
            hadrons[:, code] = steady + above * grown[:, code]
            for product, matrix in self._decay_to[code]:
                source[:, product] += (rate[:, code] * mean[:, code]) @ matrix
        return rate, mean

    def _advance_muons(self, muons: Array, source: Array, step: Array, density: Array) -> Array:
        """Production and decay of muons over a step; updates them in place and returns the numbers of decays."""
        if not self.muons_decay:
            muons += step * source
            return np.zeros_like(muons)
        rate = self._per_km[MUP] / (density * CM_PER_KM)
        share = -np.expm1(-rate * step) / (rate * step)
        decays = rate * step * (muons * share + source * (1.0 - share) / rate)
        muons *= np.exp(-rate * step)
        muons += source * step * share
        return decays


def yield_blocks(yields: Array) -> list[tuple[int, int, int, Array]]:
    """Divide the yields by bins of the secondary, without the projectiles whose energy is too low for them.

    Returns for each block the first bin of the projectile, the first and the last bin (exclusive) of the secondary, and
    the matrix.
    """
    n = yields.shape[1]
    out = []
    edges = np.linspace(0, n, min(N_BLOCKS, n) + 1).round().astype(int)
    for low, high in itertools.pairwise(edges.tolist()):
        part = yields[:, :, :, low:high]
        makes = part.any(axis=(0, 2, 3))
        first = int(np.argmax(makes)) if makes.any() else n - 1
        rows = N_PROJECTILES * (n - first)
        matrix = np.ascontiguousarray(part[:, first:].reshape(rows, N_PROJECTILES * (high - low)))
        out.append((first, low, high, matrix))
    return out
