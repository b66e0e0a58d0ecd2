"""Integer codes of the hadrons, and their masses.

The kernels know particles by these small integers; PDG ids belong to the interface only. Masses come from
the ``particle`` package (PDG) and are frozen into a numpy array at import.
"""

from typing import Final

import numpy as np
from particle import Particle

from hadronic.errors import HadronicInputError

P: Final = 0
N: Final = 1
PIP: Final = 2
PIM: Final = 3
KP: Final = 4
KM: Final = 5
KL: Final = 6
KS: Final = 7
LAMBDA: Final = 8
PI0: Final = 9

N_SPECIES: Final = 10
# The pi0 decays before it can interact, so it is a secondary only.
N_PROJECTILES: Final = 9

NAMES: Final = ("p", "n", "pi+", "pi-", "K+", "K-", "K0L", "K0S", "Lambda", "pi0")
PDG_IDS: Final = (2212, 2112, 211, -211, 321, -321, 130, 310, 3122, 111)


def _mass_gev(pdg_id: int) -> float:
    mass = Particle.from_pdgid(pdg_id).mass
    if mass is None:
        raise RuntimeError(f"the particle package has no mass for PDG id {pdg_id}")
    return float(mass) / 1000.0


# Rest masses [GeV] by species code, shape (N_SPECIES,).
MASS_GEV: Final = np.array([_mass_gev(pdg_id) for pdg_id in PDG_IDS])
MASS_GEV.setflags(write=False)

# True for species whose rest energy comes with the baryon number of the collision, shape (N_SPECIES,).
IS_BARYON: Final = np.array([name in ("p", "n", "Lambda") for name in NAMES])
IS_BARYON.setflags(write=False)


def species_code(name: str) -> int:
    """Return the code of a species.

    Parameters
    ----------
    name : str
        One of `NAMES`.

    Returns
    -------
    int
        Code.

    Raises
    ------
    HadronicInputError
        For an unknown name.
    """
    try:
        return NAMES.index(name)
    except ValueError:
        raise HadronicInputError(f"unknown species {name!r}; known: {', '.join(NAMES)}") from None
