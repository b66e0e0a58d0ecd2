"""Mean energy loss of charged particles in air (ionisation; radiation of muons), and the width of multiple scattering.

Sources
-------
All equations are of the Review of Particle Physics 2022, "Passage of particles through matter", sections 34.2-34.6.
Bethe equation (34.5) with the exact maximum transfer (34.4); constants of dry air from S. E. Seltzer and M. J. Berger,
Int. J. Appl. Radiat. Isot. 33 (1982) 1189 and R. M. Sternheimer, M. J. Berger and S. M. Seltzer, At. Data Nucl. Data
Tables 30 (1984) 261: Z/A, mean excitation energy, and the density-effect parameters at 1.2048e-3 g/cm3. In a gas of
another density the density effect is that of x + log10(rho/rho0)/2 (Sternheimer 1984, eq. 11).
Muon critical energy in gases 7980 GeV / (Z + 2.03)^0.879 (34.6; D. E. Groom et al., At. Data Nucl. Data Tables 78
(2001) 183) with the mean Z of air, 7.312; radiative loss b E with b = ionisation at that energy / that energy.
Highland's formula (34.16), applied as increments of the total since production. The result then does not depend on the
length of the steps.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from sim3d.conventions.particles import CHARGE, ELECTRON_MASS_GEV, MASS_GEV, MUM, MUP, N_SPECIES
from sim3d.jit_options import UNCOUNTED

BETHE_K_GEV_CM2 = 0.307075e-3
AIR_Z_OVER_A = 0.49919
AIR_EXCITATION_GEV = 85.7e-9
AIR_STERNHEIMER = {
    "C": 10.5961,
    "x0": 1.7418,
    "x1": 4.2759,
    "a": 0.10914,
    "k": 3.3994,
    "density_g_cm3": 1.2048e-3,
}
AIR_RADIATION_LENGTH_G_CM2 = 36.62
AIR_MEAN_Z = 7.312
MUON_CRITICAL_ENERGY_GEV = 7980.0 / (AIR_MEAN_Z + 2.03) ** 0.879

LOG_BG_MIN = math.log(0.05)
LOG_BG_MAX = math.log(1.0e8)
N_LOSS = 1200
_D_LOG_BG = (LOG_BG_MAX - LOG_BG_MIN) / (N_LOSS - 1)


def bethe(beta_gamma: np.ndarray, mass_GeV: float) -> np.ndarray:
    """Compute the mean ionisation loss of a unit charge in air by the Bethe equation, without density effect.

    Parameters
    ----------
    beta_gamma : array_like
        Momentum / mass.
    mass_GeV : float
        Mass of the particle (GeV).

    Returns
    -------
    float64 array
        GeV cm2/g, with the shape of ``beta_gamma``.
    """
    bg = np.asarray(beta_gamma, dtype=float)
    gamma = np.sqrt(1.0 + bg**2)
    beta2 = bg**2 / (1.0 + bg**2)
    ratio = ELECTRON_MASS_GEV / mass_GeV
    t_max = 2.0 * ELECTRON_MASS_GEV * bg**2 / (1.0 + 2.0 * gamma * ratio + ratio**2)
    argument = 2.0 * ELECTRON_MASS_GEV * bg**2 * t_max / AIR_EXCITATION_GEV**2
    return BETHE_K_GEV_CM2 * AIR_Z_OVER_A / beta2 * (0.5 * np.log(argument) - beta2)


def loss_table() -> np.ndarray:
    """Tabulate the ionisation loss without density effect for every species.

    Returns
    -------
    float64 array (species, N_LOSS)
        GeV cm2/g on a uniform grid of ln(beta gamma) from LOG_BG_MIN to LOG_BG_MAX; 0 for neutral particles.
    """
    grid = np.exp(np.linspace(LOG_BG_MIN, LOG_BG_MAX, N_LOSS))
    table = np.zeros((N_SPECIES, N_LOSS))
    for species in range(N_SPECIES):
        if CHARGE[species] != 0.0:
            table[species] = bethe(grid, float(MASS_GEV[species]))
    return table


def _radiative_coefficient() -> float:
    mass = float(MASS_GEV[MUP])
    bg = MUON_CRITICAL_ENERGY_GEV / mass
    rho0 = AIR_STERNHEIMER["density_g_cm3"]
    ionisation = float(bethe(np.array(bg), mass))
    delta = getattr(density_effect, "py_func", density_effect)(bg, rho0)
    ionisation -= 0.5 * delta * BETHE_K_GEV_CM2 * AIR_Z_OVER_A
    return ionisation / MUON_CRITICAL_ENERGY_GEV


_C = AIR_STERNHEIMER["C"]
_X0 = AIR_STERNHEIMER["x0"]
_X1 = AIR_STERNHEIMER["x1"]
_A = AIR_STERNHEIMER["a"]
_K = AIR_STERNHEIMER["k"]
_RHO0 = AIR_STERNHEIMER["density_g_cm3"]
_TWO_LN10 = 2.0 * math.log(10.0)


@njit(**UNCOUNTED)
def density_effect(beta_gamma, rho):
    """Compute Sternheimer's density-effect correction delta in air.

    Parameters
    ----------
    beta_gamma : float
        Momentum / mass.
    rho : float
        Air density (g/cm3).

    Returns
    -------
    float
        delta, which enters the Bethe equation as -delta / 2.
    """
    x = math.log10(beta_gamma) + 0.5 * math.log10(rho / _RHO0)
    if x < _X0:
        return 0.0
    # C and X are both shifted: delta_rho(X) = delta_rho0(X + log10(rho/rho0)/2)
    delta = _TWO_LN10 * x - _C
    if x < _X1:
        delta += _A * (_X1 - x) ** _K
    return max(0.0, delta)


RADIATIVE_B_CM2_G = _radiative_coefficient()
_HALF_K = 0.5 * BETHE_K_GEV_CM2 * AIR_Z_OVER_A
# below this beta gamma the density effect is zero at the density _RHO0 (sea level) and below
_BG_NO_DENSITY_EFFECT = 10.0**_X0


@njit(**UNCOUNTED)
def stopping_power(species, momentum, mass, rho, table):
    """Compute the stopping power of air for a charged particle: ionisation, and radiation of muons.

    Parameters
    ----------
    species : int
        Particle code.
    momentum, mass : float
        GeV/c and GeV/c2.
    rho : float
        Air density (g/cm3).
    table : float64 array (species, N_LOSS)
        From :func:`loss_table`.

    Returns
    -------
    float
        Mean energy loss (GeV cm2/g).
    """
    bg = momentum / mass
    position = (math.log(bg) - LOG_BG_MIN) / _D_LOG_BG
    if position <= 0.0:
        return table[species, 0]
    i = int(position)
    if i > N_LOSS - 2:
        i = N_LOSS - 2
    fraction = position - i
    loss = table[species, i] * (1.0 - fraction) + table[species, i + 1] * fraction
    if bg > _BG_NO_DENSITY_EFFECT and rho > 0.0:
        loss -= _HALF_K * density_effect(bg, rho) * (1.0 + 1.0 / (bg * bg))
    if species in (MUP, MUM):
        loss += RADIATIVE_B_CM2_G * math.sqrt(momentum * momentum + mass * mass)
    return loss


@njit(**UNCOUNTED)
def highland_sum(depth):
    """Compute Highland's (x/X0) (1 + 0.038 ln(x/X0))^2, whose increase on a step gives the variance of scattering.

    Parameters
    ----------
    depth : float
        Depth x crossed since production (g/cm2).

    Returns
    -------
    float
        Dimensionless; times (13.6 MeV / beta p)^2 it is the variance of the projected angle.
    """
    t = depth / AIR_RADIATION_LENGTH_G_CM2
    if t < 1e-10:
        return 0.0
    f = 1.0 + 0.038 * math.log(t)
    return t * f * f
