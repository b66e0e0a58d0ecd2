"""Kinetic energies at which the production of a pion on a free nucleon at rest becomes possible, GeV."""

from typing import Final

from hadronic.species import MASS_GEV, PIP, P

PION_THRESHOLD_GEV: Final = float(2.0 * MASS_GEV[PIP] + MASS_GEV[PIP] ** 2 / (2.0 * MASS_GEV[P]))
"""Kinetic energy of a nucleon at which N N -> N N pi opens: 2 m + m^2 / (2 M) = 0.280 GeV."""


def production_threshold(projectile_mass: float) -> float:
    """Kinetic energy at which projectile N -> projectile N pi opens.

    Parameters
    ----------
    projectile_mass : float
        Rest mass of the projectile, GeV.

    Returns
    -------
    float
        GeV.
    """
    m_pi, m_n, m = float(MASS_GEV[PIP]), float(MASS_GEV[P]), projectile_mass
    return ((m + m_n + m_pi) ** 2 - (m + m_n) ** 2) / (2.0 * m_n)
