"""Particle codes, and tables of masses, proper decay lengths and charges for the kernels.

Codes 0-9 are those of :mod:`hadronic.species`; muons follow. Masses and lifetimes are those of the ``particle`` package
(PDG), as arrays that kernels can read. Branching ratios, which that package lacks, are in
:mod:`sim3d.shower.branching_ratios`.
"""

from __future__ import annotations

import numpy as np
from particle import Particle
from scipy import constants

PROTON, NEUTRON, PIP, PIM, KP, KM, KL, KS, LAMBDA, PI0, MUP, MUM = range(12)
N_SPECIES = 12
NAMES = ("p", "n", "pi+", "pi-", "K+", "K-", "KL", "KS", "Lambda", "pi0", "mu+", "mu-")
PDG_IDS = (2212, 2112, 211, -211, 321, -321, 130, 310, 3122, 111, -13, 13)


SPEED_OF_LIGHT_KM_PER_NS = constants.c * constants.nano / constants.kilo


def _table(attribute: str) -> np.ndarray:
    return np.array([float(getattr(Particle.from_pdgid(i), attribute) or 0.0) for i in PDG_IDS])


MASS_GEV = _table("mass") * 1e-3
ELECTRON_MASS_GEV = float(Particle.from_pdgid(11).mass or 0.0) * 1e-3
CHARGE = _table("charge")


def _ctau_km() -> np.ndarray:
    """Mean proper decay lengths c*tau (km); infinite for the proton, and for the neutron, whose 879 s are too long."""
    out = np.full(N_SPECIES, np.inf)
    for code, pdg in enumerate(PDG_IDS):
        lifetime_ns = Particle.from_pdgid(pdg).lifetime
        if lifetime_ns is not None and code not in (PROTON, NEUTRON):
            out[code] = lifetime_ns * SPEED_OF_LIGHT_KM_PER_NS
    return out


CTAU_KM = _ctau_km()
