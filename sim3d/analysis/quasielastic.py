"""Compute cross sections of charged-current quasi-elastic scattering: nu n -> l- p and nubar p -> l+ n.

The cross section is Llewellyn Smith's (Phys. Rep. 3 (1972) 261, eq. 3.22) with the terms of the neutron-proton mass
difference and the exact kinematics of Strumia and Vissani (Phys. Lett. B 564 (2003) 42, section 2), so that it holds
from the threshold on; a test compares it with traces of Dirac matrices.  Form factors: vector dipole with conserved
vector current, axial dipole, pion-pole pseudoscalar.  Optionally Pauli blocking in a Fermi gas (Llewellyn Smith's
factor for nuclei, section 3).

Neglected: radiative corrections, second-class currents, and of the nucleus all but Pauli blocking (Fermi motion,
binding, correlations, rescattering).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import FLAVOURS, flavour_name
from sim3d.conventions.particles import ELECTRON_MASS_GEV, MASS_GEV, MUP, NEUTRON, PROTON

# Constants of the PDG's review of 2022 (Workman et al., Prog. Theor. Exp. Phys. 2022, 083C01).
FERMI_CONSTANT = 1.1663788e-5
"""G_F, GeV^-2."""
V_UD = 0.97373
AXIAL_COUPLING = -1.2754
"""g_A/g_V, from neutron decay; the axial form factor at Q^2 = 0."""
MU_PROTON, MU_NEUTRON = 2.7928473446, -1.9130427
"""Magnetic moments, nuclear magnetons."""
HBARC2_CM2 = 0.3893793721e-27
"""(hbar c)^2, cm^2 GeV^2."""
PION_MASS_GEV = 0.13957039

VECTOR_MASS2_GEV2 = 0.71
"""Square of the vector dipole mass (Llewellyn Smith, section 3)."""
AXIAL_MASS_GEV = 1.03
"""Axial dipole mass: 1.026 +- 0.021 from neutrino scattering (Bernard, Elouadrhiri and Meissner, J. Phys. G 28
(2002) R1)."""

FERMI_MOMENTUM_GEV = 0.225
"""Fermi momentum of oxygen's nucleons, GeV/c; Moniz et al. (Phys. Rev. Lett. 26 (1971) 445) measured 0.221 in carbon
and 0.235 in magnesium."""

PROTON_MASS_GEV = float(MASS_GEV[PROTON])
NEUTRON_MASS_GEV = float(MASS_GEV[NEUTRON])
_MEAN_MASS = 0.5 * (PROTON_MASS_GEV + NEUTRON_MASS_GEV)

_NODES, _NODE_WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Channel:
    """Masses and interference sign of the quasi-elastic reaction of one flavour.

    Attributes
    ----------
    lepton_mass, target_mass, recoil_mass : float
        GeV.
    sign : int
        +1 for neutrinos, -1 for antineutrinos.
    """

    lepton_mass: float
    target_mass: float
    recoil_mass: float
    sign: int

    @property
    def threshold(self) -> float:
        """Lowest neutrino energy of the reaction with the target at rest (GeV)."""
        final = self.lepton_mass + self.recoil_mass
        return max(0.0, (final**2 - self.target_mass**2) / (2.0 * self.target_mass))


def channel(flavour: str | int) -> Channel:
    """Return masses and interference sign of a flavour's reaction.

    A neutrino scatters on a neutron, an antineutrino on a proton.

    Parameters
    ----------
    flavour : str or int
        In any spelling that :func:`sim3d.conventions.flavours.flavour_name` knows, or a PDG id.

    Returns
    -------
    Channel

    Raises
    ------
    ValueError
        For an unknown flavour.
    """
    name = flavour_name(flavour)
    if name not in FLAVOURS:
        raise ValueError(f"flavour: {flavour!r}, allowed: {', '.join(FLAVOURS)}")
    lepton = float(MASS_GEV[MUP]) if name.startswith("numu") else ELECTRON_MASS_GEV
    if name.endswith("bar"):
        return Channel(lepton, PROTON_MASS_GEV, NEUTRON_MASS_GEV, -1)
    return Channel(lepton, NEUTRON_MASS_GEV, PROTON_MASS_GEV, 1)


def q2_limits(flavour: str, energy_GeV: ArrayLike) -> tuple[Array, Array]:
    """Compute the lowest and highest Q^2 of two-body kinematics; both are equal below the threshold.

    They belong to a lepton emitted forward and backward in the centre of mass (two-body kinematics).

    Parameters
    ----------
    flavour : str
    energy_GeV : array_like
        Neutrino energy (GeV).

    Returns
    -------
    low, high : float64 array
        GeV^2, of the shape of ``energy_GeV``.
    """
    c = channel(flavour)
    energy = np.asarray(energy_GeV, dtype=float)
    s = c.target_mass**2 + 2.0 * c.target_mass * energy
    root = np.sqrt(s)
    before = c.target_mass * energy / root
    lepton = (s + c.lepton_mass**2 - c.recoil_mass**2) / (2.0 * root)
    momentum = np.sqrt(np.maximum(lepton**2 - c.lepton_mass**2, 0.0))
    momentum = np.where(energy > c.threshold, momentum, 0.0)
    middle = 2.0 * before * lepton - c.lepton_mass**2
    return middle - 2.0 * before * momentum, middle + 2.0 * before * momentum


def lepton_energy(flavour: str, energy_GeV: ArrayLike, q2_GeV2: ArrayLike) -> Array:
    """Compute the total energy of the lepton, target at rest: E + (m_i^2 - m_f^2 - Q^2) / (2 m_i).

    Parameters
    ----------
    flavour : str
    energy_GeV, q2_GeV2 : array_like
        Neutrino energy (GeV) and Q^2 (GeV^2), broadcast.

    Returns
    -------
    float64 array
        GeV.
    """
    c = channel(flavour)
    q2 = np.asarray(q2_GeV2, dtype=float)
    return np.asarray(energy_GeV, dtype=float) + (c.target_mass**2 - c.recoil_mass**2 - q2) / (2.0 * c.target_mass)


def scattering_cosine(flavour: str, energy_GeV: ArrayLike, q2_GeV2: ArrayLike) -> Array:
    """Compute the cosine of the angle between neutrino and lepton: (2 E E_l - m^2 - Q^2) / (2 E p_l).

    Parameters
    ----------
    flavour : str
    energy_GeV, q2_GeV2 : array_like
        Neutrino energy (GeV) and Q^2 (GeV^2), broadcast.

    Returns
    -------
    float64 array
    """
    mass = channel(flavour).lepton_mass
    energy, q2 = np.asarray(energy_GeV, dtype=float), np.asarray(q2_GeV2, dtype=float)
    lepton = lepton_energy(flavour, energy, q2)
    momentum = np.sqrt(np.maximum(lepton**2 - mass**2, 1e-300))
    return np.clip((2.0 * energy * lepton - mass**2 - q2) / (2.0 * energy * momentum), -1.0, 1.0)


def form_factors(q2_GeV2: ArrayLike, axial_mass_GeV: float = AXIAL_MASS_GEV) -> tuple[Array, Array, Array, Array]:
    """Compute the nucleon form factors F1, F2, G_A and G_P.

    Sachs form factors are dipoles and the neutron's electric one is 0 (Llewellyn Smith, section 3); F1 and F2
    are isovector, by the conserved vector current.  G_P = 2 M^2 G_A / (m_pi^2 + Q^2) (pion pole and PCAC).

    Parameters
    ----------
    q2_GeV2 : array_like
        Q^2, GeV^2.
    axial_mass_GeV : float
        Axial dipole mass.

    Returns
    -------
    F1, F2, G_A, G_P : float64 array
        Of the shape of ``q2_GeV2``; F2 includes the anomalous magnetic moment.
    """
    q2 = np.asarray(q2_GeV2, dtype=float)
    tau = q2 / (4.0 * _MEAN_MASS**2)
    dipole = (1.0 + q2 / VECTOR_MASS2_GEV2) ** -2
    magnetic = (MU_PROTON - MU_NEUTRON) * dipole
    f1 = (dipole + tau * magnetic) / (1.0 + tau)
    f2 = (magnetic - dipole) / (1.0 + tau)
    axial = AXIAL_COUPLING * (1.0 + q2 / axial_mass_GeV**2) ** -2
    pole = 2.0 * _MEAN_MASS**2 * axial / (PION_MASS_GEV**2 + q2)
    return f1, f2, axial, pole


def pauli_factor(
    flavour: str, energy_GeV: ArrayLike, q2_GeV2: ArrayLike, fermi_momentum_GeV: float = FERMI_MOMENTUM_GEV
) -> Array:
    """Compute the Pauli blocking factor of a symmetric Fermi gas.

    It is the fraction of nucleons whose final momentum lies outside the Fermi sphere.
    With x = |q| / (2 k_F) it is 3x/2 - x^3/2 below 1, else 1 (Llewellyn Smith, section 3, equal numbers of protons and
    neutrons). |q| is the three-momentum transferred to a nucleon at rest.

    Parameters
    ----------
    flavour : str
    energy_GeV, q2_GeV2 : array_like
        Neutrino energy (GeV) and Q^2 (GeV^2), broadcast.
    fermi_momentum_GeV : float
        k_F, GeV/c.

    Returns
    -------
    float64 array
        Between 0 and 1.
    """
    q2 = np.asarray(q2_GeV2, dtype=float)
    transfer = np.asarray(energy_GeV, dtype=float) - lepton_energy(flavour, energy_GeV, q2)
    x = np.minimum(np.sqrt(np.maximum(q2 + transfer**2, 0.0)) / (2.0 * fermi_momentum_GeV), 1.0)
    return 1.5 * x - 0.5 * x**3


def differential(
    flavour: str,
    energy_GeV: ArrayLike,
    q2_GeV2: ArrayLike,
    *,
    pauli: bool = False,
    axial_mass_GeV: float = AXIAL_MASS_GEV,
) -> Array:
    """Compute the differential cross section d(sigma)/dQ^2 per target nucleon.

    d(sigma)/dQ^2 = G_F^2 V_ud^2 / (2 pi (s - m_i^2)^2) [A -+ (s - u) B + (s - u)^2 C], upper sign for
    antineutrinos (Strumia and Vissani, section 2; with equal nucleon masses Llewellyn Smith, eq. 3.22), lepton
    mass included.

    Parameters
    ----------
    flavour : str
    energy_GeV, q2_GeV2 : array_like
        Neutrino energy and Q^2, broadcast.
    pauli : bool
        Times :func:`pauli_factor`.
    axial_mass_GeV : float

    Returns
    -------
    float64 array
        cm^2 GeV^-2; 0 outside the limits of Q^2.
    """
    c = channel(flavour)
    energy, q2 = np.broadcast_arrays(np.asarray(energy_GeV, dtype=float), np.asarray(q2_GeV2, dtype=float))
    f1, f2, g1, g2 = form_factors(q2, axial_mass_GeV)
    t, m2, mass = -q2, c.lepton_mass**2, _MEAN_MASS
    # Changes sign with the reaction.
    delta = c.recoil_mass - c.target_mass
    square = mass**2
    s_minus_u = 2.0 * c.target_mass * (energy + lepton_energy(flavour, energy, q2)) - m2
    a = (t - m2) * (
        4.0 * f1**2 * (4.0 * square + t + m2)
        + 4.0 * g1**2 * (t + m2 - 4.0 * square)
        + f2**2 * (t**2 / square + 4.0 * t + 4.0 * m2)
        + 4.0 * m2 * t * g2**2 / square
        + 8.0 * f1 * f2 * (2.0 * t + m2)
        + 16.0 * m2 * g1 * g2
    )
    a -= delta**2 * (
        (4.0 * f1**2 + t * f2**2 / square) * (4.0 * square + t - m2)
        + 4.0 * g1**2 * (4.0 * square - t + m2)
        + 4.0 * m2 * g2**2 * (t - m2) / square
        + 8.0 * f1 * f2 * (2.0 * t - m2)
        + 16.0 * m2 * g1 * g2
    )
    # The interference of vector and axial currents changes sign with the reaction, here and in B.
    interference = -c.sign * g1 * (f1 + f2)
    a -= 32.0 * m2 * mass * delta * interference
    b = 16.0 * t * interference + 4.0 * m2 * delta * (f2**2 + f1 * f2 + 2.0 * g1 * g2) / mass
    cc = 4.0 * (f1**2 + g1**2) - t * f2**2 / square
    matrix = (a - s_minus_u * b + s_minus_u**2 * cc) / 16.0
    flux = (2.0 * c.target_mass * np.maximum(energy, 1e-300)) ** 2
    value = FERMI_CONSTANT**2 * V_UD**2 / (2.0 * math.pi * flux) * matrix * HBARC2_CM2
    if pauli:
        value = value * pauli_factor(flavour, energy, q2)
    low, high = q2_limits(flavour, energy)
    return np.where((energy > c.threshold) & (q2 >= low) & (q2 <= high), value, 0.0)


def q2_nodes(
    flavour: str, energy_GeV: ArrayLike, lepton_window_GeV: tuple[float, float] | None = None
) -> tuple[Array, Array]:
    """Compute nodes and weights of a quadrature over Q^2: sum(weight * f(node)) integrates f.

    Gauss and Legendre in ln(1 + Q^2/0.2 GeV^2): dense where the form factors and Pauli blocking vary.

    Gauss-Legendre in ln(1 + Q^2/0.2 GeV^2): dense where the form factors and Pauli blocking vary.

    Parameters
    ----------
    flavour : str
    energy_GeV : array_like
    lepton_window_GeV : (float, float), optional
        Only the Q^2 whose lepton has a total energy in this window (GeV); by default all.

    Returns
    -------
    q2, weight : float64 array (..., 64)
        GeV^2.
    """
    energy = np.asarray(energy_GeV, dtype=float)
    low, high = q2_limits(flavour, energy)
    if lepton_window_GeV is not None:
        c = channel(flavour)
        at_rest = c.target_mass**2 - c.recoil_mass**2
        slow, fast = lepton_window_GeV
        low = np.maximum(low, 2.0 * c.target_mass * (energy - fast) + at_rest)
        high = np.minimum(high, 2.0 * c.target_mass * (energy - slow) + at_rest)
        high = np.maximum(low, high)
    scale = 0.2
    u0, u1 = np.log1p(low / scale), np.log1p(high / scale)
    half = 0.5 * (u1 - u0)[..., None]
    u = 0.5 * (u1 + u0)[..., None] + half * _NODES
    q2 = np.clip(scale * np.expm1(u), low[..., None], high[..., None])
    return q2, half * _NODE_WEIGHTS * (scale + q2)


def total(flavour: str, energy_GeV: ArrayLike, *, pauli: bool = False, axial_mass_GeV: float = AXIAL_MASS_GEV) -> Array:
    """Compute the total cross section per target nucleon; 0 below the threshold.

    Parameters
    ----------
    flavour : str
    energy_GeV : array_like
        Neutrino energy (GeV).
    pauli : bool
        Whether Pauli blocking is included (:func:`pauli_factor`).
    axial_mass_GeV : float
        Axial dipole mass.

    Returns
    -------
    float64 array
        cm^2, of the shape of ``energy_GeV``.

    Examples
    --------
    >>> round(1e38 * float(total("numu", 1.0)), 3)  # 1e-38 cm2
    1.098
    """
    energy = np.asarray(energy_GeV, dtype=float)
    q2, weight = q2_nodes(flavour, energy)
    value = differential(flavour, energy[..., None], q2, pauli=pauli, axial_mass_GeV=axial_mass_GeV)
    return np.sum(value * weight, axis=-1)


def mean_angle(flavour: str, energy_GeV: ArrayLike, *, pauli: bool = False) -> Array:
    """Compute the mean angle between neutrino and lepton; NaN below the threshold.

    Parameters
    ----------
    flavour : str
    energy_GeV : array_like
        Neutrino energy (GeV).
    pauli : bool
        Whether Pauli blocking is included (:func:`pauli_factor`).

    Returns
    -------
    float64 array
        Degrees, of the shape of ``energy_GeV``.
    """
    energy = np.asarray(energy_GeV, dtype=float)
    q2, weight = q2_nodes(flavour, energy)
    value = differential(flavour, energy[..., None], q2, pauli=pauli) * weight
    angle = np.degrees(np.arccos(scattering_cosine(flavour, energy[..., None], q2)))
    with np.errstate(invalid="ignore"):
        return np.sum(value * angle, axis=-1) / np.sum(value, axis=-1)
