"""Physical input of the shower kernel in one numba argument: atmosphere, field, hadronic model, particle properties."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hadronic.interaction.kernels import YieldTables
from sim3d.conventions.particles import CHARGE, CTAU_KM, LAMBDA, MASS_GEV, N_SPECIES, NEUTRON, PROTON
from sim3d.primaries.nuclei import nuclei_table
from sim3d.shower.energy_loss import loss_table
from sim3d.shower.weight_sharing import SINGLE_DECAYS, Sharing, power_roulette

PION_THRESHOLD_GEV = 0.28
"""Threshold kinetic energy of pion production by a nucleon on a nucleon at rest: 2 m + m^2 / 2 m_N = 0.280 GeV.

m is the mass of the pi0. The yield tables have the same threshold.
"""

STOPPED_GEV = 1.0e-3
"""Kinetic energy below which a particle counts as stopped and is no longer simulated.

Neutrinos of decays at rest have too little energy to matter for the scores.
"""


class World(NamedTuple):
    """Input of the shower kernel, which reads it and never writes to it (numba argument).

    Attributes
    ----------
    layers : float64 array (n, 4)
        Atmosphere, in the form of :mod:`atmosphere.kernels`.
    gauss : float64 array
        Coefficients of the geomagnetic field, in the form of :mod:`geomag.field.kernels`.
    yields : YieldTables
        Hadronic model.
    loss : float64 array (species, N_LOSS)
        Energy-loss table of :mod:`sim3d.shower.energy_loss`.
    mass, ctau_km, charge, kinetic_min : float64 arrays (species,)
        Masses (GeV), mean proper decay lengths (km), charges, and the kinetic energies (GeV) below which particles are
        no longer simulated (for neutrinos those of :func:`kinetic_minimum`).
    top_km : float
        Height of the top of the atmosphere, where primaries enter (km).
    step_km : float
        Largest step (km).
    field_reuse_km : float
        Distance (km) within which a computed field value is used again.
    energy_min : float
        Lowest neutrino energy (GeV) that is recorded.
    bending, transverse : bool
        Whether the field bends charged particles; whether secondaries have transverse momentum (False: collinear) and
        muons scatter.
    thinning_ratio : float
        Parameter of the Russian roulette, see :func:`sim3d.shower.weight_sharing.wanted_weight`; 0 turns it off.
    roulette : float64 array (nodes,)
        ln of the roulette's wanted weights by energy, see :func:`sim3d.shower.weight_sharing.roulette_level`.
    sharing : Sharing
        Numbers of decays and draws that share the weight of a particle.
    nuclei : float64 array (groups, 2)
        Energy loss and interaction length of nuclei, see :func:`sim3d.primaries.nuclei.nuclei_table`.
    pion_sharpness : float
        Factor of the concentration of the angles of charged pions; 1 is the hadronic model's.
    albedo : bool
        Whether charged secondaries that leave the top are followed through the field (:mod:`sim3d.shower.above`).
    """

    layers: np.ndarray
    gauss: np.ndarray
    yields: YieldTables
    loss: np.ndarray
    mass: np.ndarray
    ctau_km: np.ndarray
    charge: np.ndarray
    kinetic_min: np.ndarray
    top_km: float
    step_km: float
    field_reuse_km: float
    energy_min: float
    bending: bool
    transverse: bool
    thinning_ratio: float
    roulette: np.ndarray
    sharing: Sharing
    nuclei: np.ndarray
    pion_sharpness: float
    albedo: bool


def kinetic_minimum(energy_min_GeV: float) -> np.ndarray:
    """Compute, by species, the kinetic energy below which a particle can give no neutrino above a threshold.

    In any chain of decays a neutrino has at most M/2 in the rest frame of the first particle, hence at most (E + p)/2
    in the laboratory; (E + p)/2 = e is E = e + M^2 / 4e. A nucleon must also be able to make a pion.

    Parameters
    ----------
    energy_min_GeV : float
        Threshold e (GeV).

    Returns
    -------
    float64 array (species,)
        GeV, at least :data:`STOPPED_GEV`.
    """
    minimum = np.full(N_SPECIES, STOPPED_GEV)
    for species in range(N_SPECIES):
        mass = float(MASS_GEV[species])
        if species in (PROTON, NEUTRON):
            minimum[species] = max(PION_THRESHOLD_GEV, energy_min_GeV)
        elif species != LAMBDA and energy_min_GeV > 0.5 * mass:
            minimum[species] = max(STOPPED_GEV, energy_min_GeV + mass**2 / (4.0 * energy_min_GeV) - mass)
    return minimum


def build_world(
    layers: np.ndarray,
    top_km: float,
    gauss: np.ndarray,
    yields: YieldTables,
    *,
    step_km: float = 1.0,
    field_reuse_km: float = 16.0,
    energy_min_GeV: float = 0.1,
    bending: bool = True,
    transverse: bool = True,
    thinning_ratio: float = 0.0,
    roulette: np.ndarray | None = None,
    sharing: Sharing = SINGLE_DECAYS,
    nuclei: str = "superposition",
    pion_sharpness: float = 1.0,
    albedo: bool = False,
) -> World:
    """Build a :class:`World`: convert the arguments and add the tables of particles and of energy loss.

    Parameters as the attributes of :class:`World`; ``energy_min_GeV`` is its ``energy_min``, and ``nuclei`` the
    treatment of :func:`sim3d.primaries.nuclei.nuclei_table`. Without ``roulette`` the wanted weight is proportional to
    E^-0.7.

    Returns
    -------
    World
    """
    return World(
        layers=np.ascontiguousarray(layers, dtype=np.float64),
        gauss=np.ascontiguousarray(gauss, dtype=np.float64),
        yields=yields,
        loss=loss_table(),
        mass=MASS_GEV.copy(),
        ctau_km=CTAU_KM.copy(),
        charge=CHARGE.copy(),
        kinetic_min=kinetic_minimum(energy_min_GeV),
        top_km=float(top_km),
        step_km=float(step_km),
        field_reuse_km=float(field_reuse_km),
        energy_min=float(energy_min_GeV),
        bending=bool(bending),
        transverse=bool(transverse),
        thinning_ratio=float(thinning_ratio),
        roulette=power_roulette(0.7) if roulette is None else np.ascontiguousarray(roulette, dtype=np.float64),
        sharing=sharing,
        nuclei=nuclei_table(nuclei),
        pion_sharpness=float(pion_sharpness),
        albedo=bool(albedo),
    )
