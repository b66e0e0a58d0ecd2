"""Node tables of the model `fluka-z`: energy fractions f and Z factors, and the parameters of the forms.

Source: docs/reports/hadronic-inputs.md section 2. 5-100 GeV are FLUKA's tables of average energy fractions and spectrum
weighted moments (Battistoni et al., Astropart. Phys. 19 (2003) 269) to the printed digit; 1-3 GeV are FLUKA(5 GeV)
times the ratio of UrQMD 3.4 and Pythia 8 to themselves at 5 GeV, corrected for the quasi-elastic share; above 100 GeV
FLUKA(100 GeV) times the geometric mean of the Sibyll 2.3d and Pythia 8 ratios. Kaons and Lambda below 5 GeV are
guesses: a zero node holds a floor, so that the interpolation in ln f exists.
"""

from typing import Final

import numpy as np

from hadronic.arrays import Array

NODE_T_GEV: Final = np.array([1.0, 2.0, 3.0, 5.0, 10.0, 30.0, 50.0, 100.0, 300.0, 1e3, 1e4, 1e5])

# Energy fractions of p-air.
F: Final[dict[str, Array]] = {
    "pi+": np.array([0.083, 0.111, 0.135, 0.149, 0.157, 0.161, 0.162, 0.166, 0.165, 0.165, 0.161, 0.160]),
    "pi-": np.array([0.024, 0.058, 0.0775, 0.092, 0.112, 0.124, 0.128, 0.134, 0.138, 0.143, 0.140, 0.140]),
    "pi0": np.array([0.089, 0.125, 0.145, 0.150, 0.163, 0.172, 0.175, 0.180, 0.1745, 0.174, 0.1715, 0.168]),
    "K+": np.array([1e-6, 0.0002, 0.0020, 0.0039, 0.0090, 0.0150, 0.0169, 0.0194, 0.0208, 0.0223, 0.0233, 0.0239]),
    "K-": np.array([1e-9, 1e-7, 1e-5, 0.0001, 0.0014, 0.0056, 0.0079, 0.0116, 0.0138, 0.0167, 0.0179, 0.0197]),
    "K0": np.array([1e-6, 0.0003, 0.0013, 0.0030, 0.0101, 0.0192, 0.0237, 0.0296, 0.0337, 0.0376, 0.0402, 0.0429]),
    "Lambda": np.array([1e-6, 0.0003, 0.0027, 0.0066, 0.0141, 0.0179, 0.0185, 0.0181, 0.0190, 0.0179, 0.0190, 0.0200]),
    "p": np.array([0.460, 0.415, 0.378, 0.359, 0.322, 0.291, 0.282, 0.263, 0.254, 0.2433, 0.2425, 0.238]),
    "n": np.array([0.250, 0.240, 0.222, 0.215, 0.193, 0.167, 0.155, 0.141, 0.136, 0.130, 0.1295, 0.1275]),
}

# Z factors (exponent 1.7) of p-air. Those of kaons below 5 GeV are not used: b keeps its 5 GeV value there.
Z: Final[dict[str, Array]] = {
    "pi+": np.array([0.0144, 0.0252, 0.0328, 0.0388, 0.0404, 0.0415, 0.0422, 0.0426, 0.0384, 0.0369, 0.0356, 0.0341]),
    "pi-": np.array([0.0034, 0.0121, 0.0180, 0.0229, 0.0271, 0.0306, 0.0315, 0.0327, 0.0307, 0.0300, 0.0284, 0.0283]),
    "K+": np.array([1e-6, 5e-5, 0.00055, 0.0012, 0.0026, 0.0042, 0.0048, 0.0052, 0.0053, 0.0053, 0.0054, 0.0052]),
    "K-": np.array([1e-9, 1e-7, 1e-6, 2e-5, 0.0003, 0.0015, 0.0022, 0.0030, 0.0032, 0.0036, 0.0036, 0.0039]),
    "p+n": np.array([0.505, 0.437, 0.395, 0.374, 0.330, 0.294, 0.282, 0.261, 0.252, 0.2405, 0.241, 0.239]),
}

# Exponents of the meson form, linear in lg T; read from the generators' own spectra
# (docs/reports/hadronic-inputs.md section 2).
SHAPE_LG_T: Final = np.array([0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0])
PION_A: Final = np.array([-0.10, -0.10, 0.0, 0.33, 0.42, 0.30, 0.25])
PION_C: Final = np.array([0.0, 0.0, 0.8, 4.0, 8.0, 7.5, 7.0])
KAON_A: Final = np.array([0.20, 0.20, 0.25, 0.40, 0.45, 0.38, 0.30])
KAON_C: Final = np.array([0.0, 0.0, 0.3, 2.5, 6.5, 7.5, 7.5])
# beta^k of pions, tuned to UrQMD at E = 0.14-0.5 GeV; kaons have one value.
PION_K_LG_T: Final = np.array([0.0, 0.7, 1.0, 1.5, 2.0])
PION_K: Final = np.array([1.2, 1.2, 1.7, 2.8, 3.0])
KAON_K: Final = 1.5
# Energy [GeV] that production of the meson takes besides its own: D of w = E/(T - D).
MESON_D_GEV: Final = {"pi+": 0.0, "pi-": 0.0, "pi0": 0.0, "K+": 0.18, "K0": 0.25, "K-": 0.49}

# Quasi-elastic and diffractive protons: weight D, linear in lg T.
DIFFRACTIVE_T_GEV: Final = np.array([1.0, 2.0, 3.0, 5.0, 10.0, 30.0])
DIFFRACTIVE_WEIGHT: Final = np.array([0.35, 0.25, 0.19, 0.15, 0.10, 0.07])
# 1 - x of those is log-uniform between max(0.03 GeV / T, 1e-4) and 0.15.
DIFFRACTIVE_LOSS_GEV: Final = 0.03
DIFFRACTIVE_LOSS_MIN: Final = 1.0e-4
DIFFRACTIVE_LOSS_MAX: Final = 0.15
# Charge exchange softens the neutron: B_n = B_p + 0.4.
NEUTRON_B_SHIFT: Final = 0.4
# Leading baryon number in hyperons per unit of f_Lambda (Sigma included).
HYPERON_NUMBER_PER_F: Final = 4.34

# Recoil (target) nucleons, each of p and n: r exp(-(T_s - 0.1)/tau)/tau above 0.1 GeV.
RECOIL_MIN_GEV: Final = 0.1
RECOIL_NUMBER: Final = 0.75
RECOIL_TAU_GEV: Final = 0.35
