"""Compute neutrinos of charmed hadrons from the interactions of nucleons that a solution of the equations counts.

Production is that of :mod:`sim3d.cascade.charm_production`. Below about 10 PeV the hadrons decay where they are
made; above, the share that decays is rate / (rate + 1 / lambda) with the density where a slant depth of
:data:`DECAY_DEPTH_G_CM2` is reached and the interaction length of a K+. Those that interact are given up.

Left out: charm made by pions and kaons, muons of charm, tau neutrinos (D_s -> tau nu), D_s -> mu nu, oscillations.

Decays, leptons without mass, in the rest frame (V-A; E_l and E of charged lepton and neutrino, M and m the hadrons):
spinless to spinless: f^2 (2 E_l E - t / 2), t = M^2 + m^2 - 2 M E_h, f = 1 / (1 - t / m*^2), m* = 2.112 GeV;
other hadrons: as a free quark c -> s l+ nu, E_l (M^2 - m^2 - 2 M E_l), with the masses of the hadrons. For m = 0 and
f = 1 the neutrino has 12 x^2 (1 - x) and 2 x^2 (3 - 2 x), x = 2 E / M (T. K. Gaisser, Cosmic Rays and Particle Physics,
section 3.6 for the muon, whose amplitude it is).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sim3d.cascade.charm_production import HADRONS, NUCLEON_GEV, CharmProduction, measured_production
from sim3d.cascade.decays import isotropic
from sim3d.cascade.energies import EnergyGrid
from sim3d.cascade.path import CM_PER_KM, Path
from sim3d.cascade.rest_frame import Lines
from sim3d.conventions.arrays import Array
from sim3d.conventions.flavours import NUE, NUEBAR, NUMU, NUMUBAR
from sim3d.conventions.particles import KP, NEUTRON, PROTON

WORDS = (
    "charm of nucleons: measured D0 cross sections, (1 - |x_F|)^3.2 and a falling rapidity distribution; "
    "no charm of mesons, no muons of charm, tau neutrinos zero"
)
DECAY_DEPTH_G_CM2 = 100.0
POLE_GEV = 2.112
"""Mass of the D_s*, pole of the form factor (Particle Data Group 2022)."""
_NODES = 24
_UB_CM2 = 1e-30
_ATOMIC_MASS_G = 1.66054e-24


def neutrino_lines(parent: float, hadron: float, spinless: bool, pole: float = POLE_GEV) -> Lines:
    """Compute the energies of the neutrino of a semileptonic decay of a charmed hadron at rest.

    Parameters
    ----------
    parent, hadron : float
        Masses (GeV).
    spinless : bool
        Whether both are spinless (module docstring).
    pole : float
        Mass of the pole of the form factor (GeV).

    Returns
    -------
    Lines
        Their numbers sum to 1.
    """
    x, w = np.polynomial.legendre.leggauss(_NODES)
    most = (parent**2 - hadron**2) / (2.0 * parent)
    energy, weight = 0.5 * most * (1.0 + x), 0.5 * most * w
    free = parent**2 - hadron**2 - 2.0 * parent * energy
    low, high = free / (2.0 * parent), free / (2.0 * (parent - 2.0 * energy))
    lepton = low[:, None] + 0.5 * (high - low)[:, None] * (1.0 + x)
    if spinless:
        t = hadron**2 - parent**2 + 2.0 * parent * (energy[:, None] + lepton)
        amplitude = (2.0 * lepton * energy[:, None] - 0.5 * t) / (1.0 - t / pole**2) ** 2
    else:
        amplitude = lepton * (parent**2 - hadron**2 - 2.0 * parent * lepton)
    number = weight * (high - low) * (amplitude @ w)
    nothing = np.zeros(energy.size)
    return Lines(0.0, energy, number / number.sum(), nothing, nothing)


@dataclass(frozen=True)
class CharmYields:
    """Charmed hadrons and their neutrinos, in the bins of a grid.

    Attributes
    ----------
    made : dict of float64 arrays (n, n)
        By hadron: charmed hadrons and antihadrons per nucleon that interacts, in its bin, by their kinetic energy.
    neutrinos : dict of float64 arrays (n, n)
        Neutrinos of one flavour, of both signs together, per decay.
    decays_per_km : dict of float64 arrays (n,)
        Decays of a hadron per km of its path.
    length_g_cm2 : float64 array (n,)
        Interaction length of the hadrons.
    """

    made: dict[str, Array]
    neutrinos: dict[str, Array]
    decays_per_km: dict[str, Array]
    length_g_cm2: Array


def charm_yields(grid: EnergyGrid, lengths: Array, production: CharmProduction | None = None) -> CharmYields:
    """Compute the matrices of production and decay.

    Parameters
    ----------
    grid : EnergyGrid
    lengths : float64 array (N_PROJECTILES, n)
        Interaction lengths of hadrons in air (g/cm2); a nucleus of air is as many nucleons as its mass number.
    production : CharmProduction, optional
        By default that of the measurements.

    Returns
    -------
    CharmYields
    """
    model = measured_production() if production is None else production
    made, neutrinos, rates = {}, {}, {}
    energy = grid.sub_centres_GeV + NUCLEON_GEV
    s = model.s_GeV2(energy)
    in_parts = np.interp(np.log(grid.sub_centres_GeV), np.log(grid.centres_GeV), lengths[PROTON])
    # charm quarks of both signs per interaction: 2 A sigma / sigma_air, and lambda = A m_u / sigma_air
    quarks = 2.0 * model.pairs_ub(s) * _UB_CM2 * in_parts / _ATOMIC_MASS_G
    for name, hadron in HADRONS.items():
        edges = grid.edges_GeV + hadron.mass_GeV
        number = np.zeros((energy.size, grid.n))
        for i in np.flatnonzero(quarks > 0.0):
            above = model.share_above_x(edges / energy[i], float(s[i]), hadron.mass_GeV)
            number[i] = quarks[i] * hadron.share * (above[:-1] - above[1:])
        made[name] = grid.averaged(number)
        neutrinos[name] = np.zeros((grid.n, grid.n))
        for share, mass, spinless in hadron.hadrons:
            lines = neutrino_lines(hadron.mass_GeV, mass, spinless)
            neutrinos[name] += hadron.branching * share * isotropic(grid, hadron.mass_GeV, lines)
        momentum = np.sqrt(grid.centres_GeV * (grid.centres_GeV + 2.0 * hadron.mass_GeV))
        rates[name] = hadron.mass_GeV / momentum / hadron.ctau_km
    return CharmYields(made, neutrinos, rates, lengths[KP])


def prompt_neutrinos(yields: CharmYields, interactions: Array, path: Path) -> Array:
    """Compute the neutrinos of the charm made along a path.

    Parameters
    ----------
    yields : CharmYields
    interactions : float64 array (N_PROJECTILES, n)
        Numbers of interactions along the path, by species and kinetic energy.
    path : Path

    Returns
    -------
    float64 array (4, n)
        By flavour, as many of each: charm and anticharm are made in pairs, e and mu are taken as frequent.
    """
    nucleons = interactions[PROTON] + interactions[NEUTRON]
    density = np.interp(DECAY_DEPTH_G_CM2, path.depth_g_cm2[1:], path.density_g_cm3)
    total = np.zeros(nucleons.size)
    for name, made in yields.made.items():
        rate = yields.decays_per_km[name] / (density * CM_PER_KM)
        decaying = rate / (rate + 1.0 / yields.length_g_cm2)
        total += (nucleons @ made * decaying) @ yields.neutrinos[name]
    out = np.empty((4, nucleons.size))
    for flavour in (NUE, NUEBAR, NUMU, NUMUBAR):
        out[flavour] = 0.5 * total
    return out
