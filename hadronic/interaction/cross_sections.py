"""Interaction lengths of hadrons in air.

Convention (docs/reports/hadronic-inputs.md sections 1 and 6): FLUKA's own (Battistoni et al., Astropart. Phys. 19
(2003) 269), whose cross section contains a share of quasi-elastic events that its Z factors contain too. It must not be
mixed with yields per PRODUCTION event.
"""

from typing import Final

import numpy as np

from hadronic.arrays import Array
from hadronic.species import KL, KM, KP, KS, LAMBDA, N_SPECIES, PI0, PIM, PIP, N, P

# lambda [g/cm2] = 24144 / sigma [mb] for air of A = 14.54 (A / Avogadro's number).
LAMBDA_TIMES_SIGMA: Final = 24144.0

# Ratios of the cross section on air to the nucleon's, at T [GeV], linear in ln T between
# (docs/reports/hadronic-inputs.md section 6: Sibyll 2.3d above 100 GeV; absorption data to about 10 % below).
PION_RATIO: Final = ((1.0, 3.0, 10.0, 1.0e4), (0.85, 0.80, 0.75, 0.77))
KAON_PLUS_RATIO: Final = ((1.0, 10.0, 100.0, 1.0e3, 1.0e4), (0.52, 0.55, 0.655, 0.69, 0.71))
KAON_MINUS_RATIO: Final = ((1.0, 10.0, 100.0, 1.0e3, 1.0e4), (0.75, 0.68, 0.67, 0.69, 0.71))

# sigma_tot(Lambda p) = 34.6 mb against 39 mb for p p at 6-21 GeV/c (Gjesdal et al., Phys. Lett. B 40 (1972)
# 152, quoted from memory) is 0.89; the nucleus shadows the difference as it does for pions (0.62 on protons,
# 0.75 on air: power 0.6), hence 0.93. Good to about 5 %.
LAMBDA_RATIO: Final = 0.93

# Axis of the table: 0.1 GeV to 1e6 GeV, 100 points per decade.
LOG10_T_AXIS: Final = np.linspace(-1.0, 6.0, 701)


def nucleon_interaction_length(T_GeV: Array) -> Array:
    """Interaction length of nucleons in air.

    It is 85.1 g/cm2 up to 5 GeV and 88.2 at 100 GeV (Battistoni et al., who have 81.9-85.1 in the resonance region
    below); above 100 GeV sigma = 273.7 + 3.2 L + 0.81 L^2 mb, L = ln(T/100), the rise of Sibyll 2.3d
    (docs/reports/hadronic-inputs.md section 6).

    Parameters
    ----------
    T_GeV : float[...]
        Kinetic energy, GeV.

    Returns
    -------
    float[...]
        Interaction length, g/cm2.
    """
    T = np.asarray(T_GeV, dtype=float)
    rise = np.log(np.maximum(T, 100.0) / 100.0)
    high = LAMBDA_TIMES_SIGMA / (273.7 + 3.2 * rise + 0.81 * rise**2)
    low = 85.1 + 3.1 * np.log(np.clip(T, 5.0, 100.0) / 5.0) / np.log(20.0)
    length: Array = np.where(T > 100.0, high, low)
    return length


def interaction_length_table() -> tuple[Array, Array]:
    """Interaction lengths of all species in air on a uniform axis of ln T.

    Returns
    -------
    ln_T : float[axis]
        Logarithm of the kinetic energy in GeV, uniform.
    lengths : float[N_SPECIES, axis]
        Interaction lengths, g/cm2.
    """
    ln_T = LOG10_T_AXIS * np.log(10.0)
    nucleon = nucleon_interaction_length(np.exp(ln_T))

    def ratio(points: tuple[tuple[float, ...], tuple[float, ...]]) -> Array:
        at: Array = np.interp(ln_T, np.log(points[0]), points[1])
        return at

    pion, k_plus, k_minus = ratio(PION_RATIO), ratio(KAON_PLUS_RATIO), ratio(KAON_MINUS_RATIO)
    table = np.empty((N_SPECIES, ln_T.size))
    table[[P, N]] = nucleon
    table[[PIP, PIM, PI0]] = nucleon / pion
    table[KP] = nucleon / k_plus
    table[KM] = nucleon / k_minus
    # A neutral kaon is half K0 (isospin partner of K+) and half anti-K0 (of K-): mean cross section.
    table[[KL, KS]] = nucleon / (0.5 * (k_plus + k_minus))
    table[LAMBDA] = nucleon / LAMBDA_RATIO
    return ln_T, table
