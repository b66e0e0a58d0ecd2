"""Everything the shower kernel needs to know about the world, as one numba argument."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from hadronic.interaction.kernels import YieldTables
from sim3d.conventions.particles import CHARGE, CTAU_KM, LAMBDA, MASS_GEV, N_SPECIES, NEUTRON, PROTON
from sim3d.shower.energy_loss import loss_table

PION_THRESHOLD_GEV = 0.28
"""Kinetic energy below which a nucleon makes no pion on a nucleon at rest: 2 m + m^2 / 2 m_N = 0.280 GeV with m the
mass of the pi0; the yields' own threshold."""

STOPPED_GEV = 1.0e-3
"""A charged particle of less kinetic energy has stopped; decays at rest are below the scoring range's use."""


class World(NamedTuple):
    """Arrays and numbers the kernels read (never write).

    Attributes
    ----------
    layers : float64 array (n, 4)
        Atmosphere, as :mod:`atmosphere.kernels` wants it.
    gauss : float64 array
        Field coefficients, as :mod:`geomag.field.kernels` wants them.
    yields : YieldTables
        Hadronic model.
    loss : float64 array (species, N_LOSS)
        Energy-loss table of :mod:`sim3d.shower.energy_loss`.
    mass, ctau_km, charge, kinetic_min : float64 arrays (species,)
        Masses (GeV), mean proper decay lengths (km), charges, and the kinetic energy (GeV) below which a particle
        can no longer give a neutrino above ``energy_min``.
    top_km : float
        Height of the top of the atmosphere, where primaries enter (km).
    step_km : float
        Largest step (km).
    field_reuse_km : float
        A field value is used again within this distance of where it was computed (km).
    energy_min : float
        Neutrinos below this energy (GeV) are not recorded.
    bending, transverse : bool
        Bend charged particles in the field; give secondaries their angles (False: collinear).
    thinning_ratio, thinning_index : float
        Russian roulette on soft secondaries, see :func:`sim3d.shower.weight_sharing.survives_thinning`; ratio 0 turns
        it off.
    kinetic_per_decay : float
        A muon decays once for every so much kinetic energy (GeV) it starts with, each time with its part of the weight,
        see :func:`sim3d.shower.weight_sharing.muon_decays`; infinity: once.
    pion_sharpness : float
        What the concentration of the angles of charged pions is multiplied by; 1 is the hadronic model's.
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
    thinning_index: float
    kinetic_per_decay: float
    pion_sharpness: float


def kinetic_minimum(energy_min_GeV: float) -> np.ndarray:
    """Kinetic energies (GeV), by species, below which no neutrino above ``energy_min_GeV`` can come any more.

    In any chain of decays a neutrino has at most M/2 in the rest frame of the first particle, hence at most (E + p)/2
    in the laboratory; (E + p)/2 = e is E = e + M^2 / 4e. A nucleon must also be able to make a pion.
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
    thinning_index: float = 0.7,
    kinetic_per_decay: float = math.inf,
    pion_sharpness: float = 1.0,
) -> World:
    """Collect a :class:`World`; arguments as its attributes."""
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
        thinning_index=float(thinning_index),
        kinetic_per_decay=float(kinetic_per_decay),
        pion_sharpness=float(pion_sharpness),
    )
