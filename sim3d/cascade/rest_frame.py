"""Compute energy distributions of decay products in the rest frame of the parent, and the polarisation of muons.

A distribution is a set of lines: an energy, the mean number of particles with it, and, for muons, the two components
of the vector L that gives the polarisation. Integrals are Gauss-Legendre sums, no random numbers are drawn.

Sources
-------
Two bodies: one line. Three pions: phase space, dN/dE_3 ~ p_3 p_12 / m_12 (Review of Particle Physics 2022, section 49).
K_l3: the V-A amplitude and the linear form factors of :mod:`sim3d.shower.decays`, integrated over the Dalitz plot
between its exact limits. Branching ratios and slopes: :mod:`sim3d.shower.branching_ratios`.
K_S -> pi l nu: form factors are those of the K_L, the same K0.
Muon: dN/dx dcos = 6 x^2 (1-x) (1 -+ P cos) of the electron neutrino, x^2 ((3 - 2 x) -+ P (1 - 2 x) cos) of the muon
neutrino (upper signs mu+), x = 2 E/m, electron mass neglected (T. K. Gaisser, Cosmic Rays and Particle Physics,
section 3.6 and table 6.2).
Polarisation: with L = 2 (H.p_nu) H - H^2 p_nu an antilepton of energy E and momentum p in a frame of four-velocity U
has the helicity (E - m^2 (L.U) / (L.p_l)) / p; a lepton has the opposite one. It is the formula of
:mod:`sim3d.shower.decays` with the spin vector s = (E p_l - m^2 U) / (m p). It is linear in L, so that L may be
averaged over the other products first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.particles import MASS_GEV, PIP

N_NODES = 12
"""Gauss-Legendre nodes of each integral over a rest-frame energy; of muon decay twice as many."""

_M_PI = float(MASS_GEV[PIP])


@dataclass(frozen=True)
class Lines:
    """Products of one species in the rest frame of the parent, isotropic.

    Attributes
    ----------
    mass_GeV : float
        Of the product.
    energy_GeV : float64 array (k,)
        Total energies.
    number : float64 array (k,)
        Mean number of products of each energy, per decay.
    spin_time, spin_along : float64 arrays (k,)
        Components of L / (L.p_l) of muons: of time, and along the muon's momentum (1/GeV); zeros for other products.
        Those of an antilepton.
    """

    mass_GeV: float
    energy_GeV: Array
    number: Array
    spin_time: Array
    spin_along: Array

    @property
    def momentum_GeV(self) -> Array:
        """Momenta (GeV/c)."""
        return np.sqrt(np.maximum(self.energy_GeV**2 - self.mass_GeV**2, 0.0))


def _plain(mass: float, energy: Array, number: Array) -> Lines:
    return Lines(mass, energy, number, np.zeros(energy.size), np.zeros(energy.size))


def _nodes(low: Array, high: Array, n: int = N_NODES) -> tuple[Array, Array]:
    """Gauss-Legendre nodes and weights between limits, along a new last axis."""
    x, w = np.polynomial.legendre.leggauss(n)
    half = 0.5 * (np.asarray(high) - np.asarray(low))[..., None]
    return np.asarray(low)[..., None] + half * (1.0 + x), half * w


def two_body(parent: float, product: float, other: float) -> Lines:
    """Compute the line of one product of a two-body decay.

    Parameters
    ----------
    parent, product, other : float
        Masses (GeV).

    Returns
    -------
    Lines

    Examples
    --------
    >>> float(two_body(1.0, 0.0, 0.6).energy_GeV[0])
    0.32
    """
    energy = (parent**2 + product**2 - other**2) / (2.0 * parent)
    return _plain(product, np.array([energy]), np.ones(1))


def muon_of_two_body(parent: float, muon: float) -> Lines:
    """Compute the line of the muon of a spinless meson's decay into mu nu, with its polarisation.

    H is the meson's momentum; in its rest frame L = M^2 E_nu (1, n) with n the muon's direction.

    Parameters
    ----------
    parent, muon : float
        Masses (GeV).

    Returns
    -------
    Lines
    """
    line = two_body(parent, muon, 0.0)
    spin = 1.0 / (line.energy_GeV - line.momentum_GeV)
    return Lines(muon, line.energy_GeV, line.number, spin, spin)


def three_pions(parent: float, product: float, first: float, second: float) -> Lines:
    """Compute the energies of one pion of a decay into three, uniform in phase space.

    Parameters
    ----------
    parent, product, first, second : float
        Masses (GeV): of the parent, the pion looked at, and the other two.

    Returns
    -------
    Lines
    """
    highest = (parent**2 + product**2 - (first + second) ** 2) / (2.0 * parent)
    # the density begins and ends like a square root, which this substitution makes smooth
    angle, weight = _nodes(np.array(0.0), np.array(np.pi))
    energy = product + (highest - product) * 0.5 * (1.0 - np.cos(angle))
    pair2 = parent**2 + product**2 - 2.0 * parent * energy
    inside = (pair2 - (first + second) ** 2) * (pair2 - (first - second) ** 2)
    density = np.sqrt(np.maximum(energy**2 - product**2, 0.0)) * np.sqrt(np.maximum(inside, 0.0)) / pair2
    number = density * weight * np.sin(angle)
    return _plain(product, energy, number / number.sum())


@dataclass(frozen=True)
class SemileptonicDecay:
    """The decay K -> pi l nu.

    Attributes
    ----------
    kaon, pion, lepton : float
        Masses (GeV).
    slopes : (float, float)
        lambda_+ and lambda_0 of the linear form factors, t in units of the charged pion's mass squared.
    """

    kaon: float
    pion: float
    lepton: float
    slopes: tuple[float, float]

    def vectors(self, e_l: Array, e_nu: Array) -> tuple[Array, Array, Array]:
        """Compute the squared amplitude and the polarisation vector over the Dalitz plot.

        Parameters
        ----------
        e_l, e_nu : float64 arrays
            Energies of the lepton and the neutrino in the kaon's rest frame (GeV), inside the Dalitz plot.

        Returns
        -------
        amplitude : float64 array
            L.p_l, up to a constant the squared amplitude.
        time, along : float64 arrays
            Components of L: of time, and along the lepton's momentum.
        """
        m_k, m_pi, m_l = self.kaon, self.pion, self.lepton
        e_pi = m_k - e_l - e_nu
        t = m_k**2 + m_pi**2 - 2.0 * m_k * e_pi
        f_plus = 1.0 + self.slopes[0] * t / _M_PI**2
        f_minus = (self.slopes[1] - self.slopes[0]) * (m_k**2 - m_pi**2) / _M_PI**2
        # H = (f+ + f-) P_K + (f+ - f-) p_pi, with the energies in the rest frame
        a, b = f_plus + f_minus, f_plus - f_minus
        p_l = np.sqrt(np.maximum(e_l**2 - m_l**2, 1e-30))
        # component of the neutrino's momentum along the lepton's, from momentum conservation
        nu_along = (e_pi**2 - m_pi**2 - p_l**2 - e_nu**2) / (2.0 * p_l)
        h_time, h_along = a * m_k + b * e_pi, -b * (p_l + nu_along)
        pi_nu = 0.5 * (m_k**2 - 2.0 * m_k * e_l + m_l**2 - m_pi**2)
        h_nu = a * m_k * e_nu + b * pi_nu
        h2 = (a * m_k) ** 2 + (b * m_pi) ** 2 + 2.0 * a * b * m_k * e_pi
        time = 2.0 * h_nu * h_time - h2 * e_nu
        along = 2.0 * h_nu * h_along - h2 * nu_along
        return time * e_l - along * p_l, time, along

    def _limits(self, outer: Array, m_outer: float, m_inner: float, m_third: float) -> tuple[Array, Array]:
        """Limits of the energy of the inner particle at given energies of the outer one."""
        pair2 = self.kaon**2 + m_outer**2 - 2.0 * self.kaon * outer
        pair = np.sqrt(pair2)
        energy = (pair2 + m_inner**2 - m_third**2) / (2.0 * pair)
        momentum = np.sqrt(np.maximum(energy**2 - m_inner**2, 0.0))
        gamma = (self.kaon - outer) / pair
        boost = np.sqrt(np.maximum(outer**2 - m_outer**2, 0.0)) / pair
        return gamma * energy - boost * momentum, gamma * energy + boost * momentum

    def _outer(self, m_outer: float, m_inner: float, m_third: float) -> tuple[Array, Array]:
        """Nodes and weights of the energy of the outer particle."""
        highest = (self.kaon**2 + m_outer**2 - (m_inner + m_third) ** 2) / (2.0 * self.kaon)
        return _nodes(np.array(m_outer), np.array(highest))

    def _integrate(
        self, masses: tuple[float, float, float], energies: Callable[[Array, Array], tuple[Array, Array]]
    ) -> tuple[Array, tuple[Array, Array, Array]]:
        """Integrate the vectors over the energy of the second particle, at nodes of that of the first."""
        outer, weight = self._outer(*masses)
        low, high = self._limits(outer, *masses)
        inner, inner_weight = _nodes(low, high)
        found = self.vectors(*energies(outer[:, None], inner))
        sums = tuple((one * inner_weight).sum(axis=1) * weight for one in found)
        return outer, (sums[0], sums[1], sums[2])

    def neutrino(self) -> Lines:
        """Compute the energies of the neutrino.

        Returns
        -------
        Lines
        """
        energy, (number, _, _) = self._integrate((0.0, self.lepton, self.pion), lambda nu, lepton: (lepton, nu))
        return _plain(0.0, energy, number / number.sum())

    def meson(self) -> Lines:
        """Compute the energies of the pion.

        Returns
        -------
        Lines
        """
        energy, (number, _, _) = self._integrate(
            (self.pion, self.lepton, 0.0), lambda pion, lepton: (lepton, self.kaon - pion - lepton)
        )
        return _plain(self.pion, energy, number / number.sum())

    def charged_lepton(self) -> Lines:
        """Compute the energies of the charged lepton, with its polarisation.

        Returns
        -------
        Lines
        """
        energy, (number, time, along) = self._integrate((self.lepton, 0.0, self.pion), lambda lepton, nu: (lepton, nu))
        return Lines(self.lepton, energy, number / number.sum(), time / number, along / number)


def muon_neutrinos(muon: float) -> dict[str, tuple[Array, Array, Array]]:
    """Compute the energies and asymmetries of the two neutrinos of a muon at rest.

    Parameters
    ----------
    muon : float
        Mass (GeV).

    Returns
    -------
    dict
        For ``"electron"`` and ``"muon"``, the flavours: energies (GeV), mean numbers, and the asymmetries A of the
        angular distribution (1 + A P cos) / 2 for a mu+ of polarisation P; for a mu- A has the opposite sign.

    Examples
    --------
    >>> energy, number, _ = muon_neutrinos(0.10566)["electron"]
    >>> round(float((energy * number).sum() / 0.10566), 6)
    0.3
    """
    x, weight = _nodes(np.array(0.0), np.array(1.0), 2 * N_NODES)
    energy = 0.5 * muon * x
    return {
        "electron": (energy, 12.0 * x**2 * (1.0 - x) * weight, np.full(x.size, -1.0)),
        "muon": (energy, 2.0 * x**2 * (3.0 - 2.0 * x) * weight, (2.0 * x - 1.0) / (3.0 - 2.0 * x)),
    }
