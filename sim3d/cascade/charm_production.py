"""Describe the production of charmed hadrons by nucleons: cross section and distribution, from measurements.

Model
-----
The cross section per nucleon of charm pairs is exp(a + b L + c L^2), L = ln(s / GeV^2), fitted to
:data:`MEASURED_D0`. With x_F Feynman's variable and y the rapidity in the centre of mass,

    dsigma/dy ~ exp(-y^2 / (2 w^2)) (1 - |x_F|)^p,    |y| < ln(sqrt(s) / m_T),    m_T^2 = m^2 + <p_T^2>,

the same for all charmed hadrons and their antiparticles. The invariant cross section has the power p = 3.2 as measured
at 400 GeV; w follows from the ratio of forward and central D0 at 7 TeV. Nuclei count as their nucleons (A^1).

Sources
-------
p = 3.2: E d^3 sigma / dp^3 ~ (1 - x)^3.2 exp(-1.5 p_T), 400 GeV protons in a beam dump, E613, M. E. Duffy et al.,
Phys. Rev. Lett. 57, 1522 (1986), abstract. Other experiments fitted dsigma/dx_F ~ (1 - |x_F|)^n, without the factor
1/E: n = 4.9 +- 0.5 at 400 GeV (LEBC-EHS, Z. Phys. C 40, 321 (1988)), which this shape has between x_F = 0.05 and 0.4
to one unit; n = 8.6 +- 2.0 and 6.9 +- 1.9 at 800 GeV (LEBC-MPS, Phys. Rev. Lett. 61, 2185 (1988); E653, Phys. Lett. B
263, 573 (1991)), softer. These four numbers but that of E613 are cited from memory; no second source was found.
A^1: alpha = 0.97 +- 0.04 for D mesons, HERA-B, Eur. Phys. J. C 52, 531 (2007) (number from memory; a summary of the
paper says "near unity").
<p_T^2> = 1 GeV^2: exp(-p_T^2 / GeV^2) of LEBC-EHS (from memory); it is larger at colliders, which is left out.
Fractions: L. Gladilin, Eur. Phys. J. C 75, 19 (2015), means of e+e- and ep (from memory, not confirmed, scaled to sum
to 1). ALICE found more Lambda_c and fewer D at 5 TeV (Phys. Rev. D 105, L011103 (2022)); fluxes here follow from the D0
measured, so that only the D+, D_s and Lambda_c relative to it depend on the fractions. D+ over D0 is 0.40 by them; in
LEBC-EHS it was 11.9 +- 1.5 to 18.3 +- 2.5, that is 0.65 +- 0.12.
Masses and lifetimes: R. L. Workman et al. (Particle Data Group), Prog. Theor. Exp. Phys. 2022, 083C01, and the same in
the package ``particle`` 1.1 (its D_s has c tau = 150.3 um). X e nu branching ratios: the same review, from memory.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq

from sim3d.conventions.arrays import Array

MEAN_PT2_GEV2 = 1.0
NUCLEON_GEV = 0.938919
"""Mean mass of proton and neutron."""
POWER = 3.2
"""p of the invariant cross section (module docstring)."""
_MANY = 2001
_EVERYWHERE = 50.0
"""A rapidity beyond all limits."""


@dataclass(frozen=True)
class CharmedHadron:
    """A charmed hadron; its antiparticle has the same numbers.

    Attributes
    ----------
    mass_GeV, ctau_km : float
        Mass and c times lifetime.
    share : float
        Of the charm quarks that end in it.
    branching : float
        Of all decays into X e nu; those into X mu nu are taken as frequent.
    hadrons : tuple of (float, float, bool)
        Kinds of X: share of the semileptonic decays, mass of X (GeV), and whether X and its parent are spinless.
    """

    mass_GeV: float
    ctau_km: float
    share: float
    branching: float
    hadrons: tuple[tuple[float, float, bool], ...]


_UM = 1e-9
_K, _K_STAR, _ETA, _PHI, _LAMBDA = 0.4957, 0.8936, 0.5479, 1.0195, 1.1157
_SUM = 0.6086 + 0.2404 + 0.0802 + 0.0623
HADRONS = {
    # K- e nu 3.5% and pi- e nu 0.3% of 6.49%, the rest K*- and heavier
    "D0": CharmedHadron(1.86484, 123.0 * _UM, 0.6086 / _SUM, 0.0649, ((0.59, _K, True), (0.41, _K_STAR, False))),
    # K0 e nu 8.7%, pi0 and eta e nu 0.5% of 16.07%
    "D+": CharmedHadron(1.86966, 309.8 * _UM, 0.2404 / _SUM, 0.1607, ((0.57, _K, True), (0.43, _K_STAR, False))),
    # eta e nu 2.3% and eta' e nu 0.8% of 6.33%, both with the mass of the eta; the rest phi
    "Ds": CharmedHadron(1.96835, 151.2 * _UM, 0.0802 / _SUM, 0.0633, ((0.49, _ETA, True), (0.51, _PHI, False))),
    "Lambda_c": CharmedHadron(2.28646, 60.7 * _UM, 0.0623 / _SUM, 0.0395, ((1.0, _LAMBDA, False),)),
}
"""Charmed hadrons by name."""


@dataclass(frozen=True)
class D0Measurement:
    """A measured cross section of D0 and anti-D0 together, per nucleon.

    Attributes
    ----------
    experiment : str
    sqrt_s_GeV : float
        Of proton and nucleon.
    low, high : float
        Range of the rapidity in the centre of mass.
    value_ub, error_ub : float
        Microbarn.
    """

    experiment: str
    sqrt_s_GeV: float
    low: float
    high: float
    value_ub: float
    error_ub: float


_PAIR = 2.0 * HADRONS["D0"].share
_ALL = (-_EVERYWHERE, _EVERYWHERE)
CENTRAL = D0Measurement("ALICE", 7000.0, -0.5, 0.5, 1000.0, 120.0)
"""Twice the mean of D0 and anti-D0, |y| < 0.5, Eur. Phys. J. C 77, 550 (2017) (number from memory, not confirmed)."""
FORWARD = D0Measurement("LHCb", 7000.0, 2.0, 4.5, 1661.0, 129.0)
"""2 < y < 4.5, p_T < 8 GeV/c, Nucl. Phys. B 871, 1 (2013) (number from memory).

The paper's abstract has 1419 +- 12 +- 116 +- 65 ub of pairs there; twice that times the share of the D0 used here is
1741 ub, 5% more, within the error."""
MEASURED_D0 = (
    # LEBC-EHS (NA27), 400 GeV, Z. Phys. C 40, 321 (1988); from memory, and the same in a public code for heavy leptons
    # (cross_sections.py of ryanbarouki/HNL_Dump on GitHub)
    D0Measurement("LEBC-EHS", 27.4, *_ALL, 18.3, 2.5),
    # HERA-B, 920 GeV, Eur. Phys. J. C 52, 531 (2007): 49.1 +- 4.6 +- 7.4 of pairs (a summary of the paper: about 49)
    D0Measurement("HERA-B", 41.6, *_ALL, 49.1 * _PAIR, 8.7 * _PAIR),
    # LHCb p Ne, Eur. Phys. J. C 83, 541 (2023), abstract
    D0Measurement("LHCb p Ne", 68.5, -2.29, 0.0, 48.2, 4.5),
    # LHCb p He, Phys. Rev. Lett. 122, 132002 (2019), abstract: 2 < y < 4.6 in the laboratory
    D0Measurement("LHCb p He", 86.6, -2.53, 0.07, 80.8, 6.7),
    # PHENIX, Phys. Rev. C 84, 044905 (2011): 551 +- 57 +- 195; STAR, Phys. Rev. D 86, 072013 (2012): 797 +- 210 and
    # +208 -295; both of pairs, from memory, not confirmed
    D0Measurement("PHENIX", 200.0, *_ALL, 551.0 * _PAIR, 203.0 * _PAIR),
    D0Measurement("STAR", 200.0, *_ALL, 797.0 * _PAIR, 330.0 * _PAIR),
    CENTRAL,
    FORWARD,
)
"""Data that the cross section is fitted to."""


@dataclass(frozen=True)
class CharmProduction:
    """Production of charmed hadrons in collisions of two nucleons.

    Attributes
    ----------
    coefficients : (float, float, float)
        Of L^2, L and 1 in the logarithm of the cross section (microbarn).
    width : float
        w of the rapidity distribution.
    power : float
        p of the distribution.
    """

    coefficients: tuple[float, float, float]
    width: float
    power: float = POWER

    def s_GeV2(self, energy_GeV: Array) -> Array:
        """Compute the square of the energy in the centre of mass.

        Parameters
        ----------
        energy_GeV : float64 array
            Total energy of a nucleon that meets one at rest.

        Returns
        -------
        float64 array
        """
        return 2.0 * NUCLEON_GEV * (np.asarray(energy_GeV, dtype=float) + NUCLEON_GEV)

    def pairs_ub(self, s_GeV2: Array) -> Array:
        """Compute the cross section per nucleon of charm pairs.

        Parameters
        ----------
        s_GeV2 : float64 array

        Returns
        -------
        float64 array
            Microbarn; 0 below the threshold of two nucleons and two D.
        """
        s = np.asarray(s_GeV2, dtype=float)
        open_ = s > (2.0 * (NUCLEON_GEV + HADRONS["D0"].mass_GeV)) ** 2
        return np.where(open_, np.exp(np.polyval(self.coefficients, np.log(s))), 0.0)

    def share_below(self, y: Array, s_GeV2: float, mass_GeV: float) -> Array:
        """Compute the share of a hadron below a rapidity in the centre of mass.

        Parameters
        ----------
        y : float64 array
        s_GeV2, mass_GeV : float

        Returns
        -------
        float64 array
        """
        most = max(math.log(math.sqrt(s_GeV2) / transverse_mass(mass_GeV)), 1e-6)
        at = np.linspace(-most, most, _MANY)
        x_f = 2.0 * np.sinh(np.abs(at)) * transverse_mass(mass_GeV) / math.sqrt(s_GeV2)
        density = np.exp(-0.5 * (at / self.width) ** 2) * np.maximum(1.0 - x_f, 0.0) ** self.power
        below = np.concatenate(([0.0], np.cumsum(0.5 * (density[1:] + density[:-1]))))
        return np.interp(y, at, below / below[-1])

    def share_above_x(self, x: Array, s_GeV2: float, mass_GeV: float) -> Array:
        """Compute the share of a hadron above a fraction of the projectile's energy.

        Collinear: x = m_T exp(y) / sqrt(s), exact for energies large against masses.

        Parameters
        ----------
        x : float64 array
            Energy of the hadron over that of the projectile, laboratory.
        s_GeV2, mass_GeV : float

        Returns
        -------
        float64 array
        """
        ratio = math.sqrt(s_GeV2) / transverse_mass(mass_GeV)
        return 1.0 - self.share_below(np.log(np.maximum(x, 1e-30) * ratio), s_GeV2, mass_GeV)


def transverse_mass(mass_GeV: float) -> float:
    """Compute the transverse mass at the mean square of the transverse momentum.

    Parameters
    ----------
    mass_GeV : float

    Returns
    -------
    float
        GeV.
    """
    return math.sqrt(mass_GeV**2 + MEAN_PT2_GEV2)


def _window(model: CharmProduction, one: D0Measurement) -> float:
    """Share of the D0 in the rapidities of a measurement."""
    ends = model.share_below(np.array([one.low, one.high]), one.sqrt_s_GeV**2, HADRONS["D0"].mass_GeV)
    return float(ends[1] - ends[0])


@cache
def measured_production(power: float = POWER) -> CharmProduction:
    """Fit the cross section and the width to the measurements.

    Parameters
    ----------
    power : float
        p of the distribution, for its uncertainty.

    Returns
    -------
    CharmProduction
    """

    def miss(width: float) -> float:
        model = CharmProduction((0.0, 0.0, 0.0), width, power)
        return _window(model, FORWARD) / _window(model, CENTRAL) - FORWARD.value_ub / CENTRAL.value_ub

    shape = CharmProduction((0.0, 0.0, 0.0), float(brentq(miss, 1.0, 50.0)), power)
    ln_s = np.array([2.0 * math.log(one.sqrt_s_GeV) for one in MEASURED_D0])
    pairs = np.array([one.value_ub / _window(shape, one) / _PAIR for one in MEASURED_D0])
    error = np.array([one.error_ub / one.value_ub for one in MEASURED_D0])
    a, b, c = np.polyfit(ln_s, np.log(pairs), 2, w=1.0 / error).tolist()
    return CharmProduction((a, b, c), shape.width, power)
