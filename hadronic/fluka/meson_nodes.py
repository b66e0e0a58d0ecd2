"""Node tables of pi+ and K+ projectiles on air, and of the shape of their leading mesons.

Source: docs/reports/hadronic-inputs.md section 8, the plain average over the generators that ran at a node (UrQMD 3.4,
Pythia 8
cascade, Sibyll 2.3d; f = sum E_tot/T for mesons and sum T/T for baryons, Z with T/T). Not anchored to
FLUKA; generators differ by 20-30 %. UrQMD's K+ from pi+ at 3 GeV (0.15 per event, Pythia 0.02) is left out;
K+ projectiles at 3 GeV are Pythia alone. Where only Sibyll ran (pi+ at 1e4, K+ from 1e3 GeV) the value is
the average at the last node with more than Sibyll times Sibyll's own ratio, so that the set of generators
does not change with energy.
"""

from typing import Final

import numpy as np

from hadronic.arrays import Array

MESON_NODE_T_GEV: Final = np.array([3.0, 10.0, 30.0, 100.0, 1.0e3, 1.0e4])

# Unlike-sign (sea) mesons and nucleons: f and Z. The pi0's Z was recorded at 100 GeV only: see PI0_HARDNESS.
PION_F: Final[dict[str, Array]] = {
    "pi-": np.array([0.0915, 0.1425, 0.1545, 0.1667, 0.164, 0.160]),
    "pi0": np.array([0.219, 0.250, 0.261, 0.2423, 0.2265, 0.2243]),
    "K+": np.array([0.0070, 0.02695, 0.02835, 0.0278, 0.0322, 0.0342]),
    "K-": np.array([0.00025, 0.0107, 0.0167, 0.0201, 0.02225, 0.0256]),
    "K0": np.array([0.0077, 0.0388, 0.0474, 0.0499, 0.0543, 0.0598]),
    "p": np.array([0.191, 0.081, 0.0325, 0.0203, 0.019, 0.0226]),
    "n": np.array([0.1165, 0.055, 0.0285, 0.0183, 0.0145, 0.0169]),
}
PION_Z: Final[dict[str, Array]] = {
    "pi-": np.array([0.0305, 0.03995, 0.0448, 0.0446, 0.03915, 0.0383]),
    "K+": np.array([0.0013, 0.00795, 0.00935, 0.00913, 0.0103, 0.0113]),
    "K-": np.array([2.5e-5, 0.00325, 0.00555, 0.0059, 0.00555, 0.0061]),
}
# Z/f of pi0 over Z/f of pi- at 100 GeV: (0.075/0.2423) / (0.0446/0.1667), taken for all energies.
PI0_HARDNESS: Final = 1.157

KAON_F: Final[dict[str, Array]] = {
    "pi+": np.array([0.209, 0.194, 0.2035, 0.2137, 0.1942, 0.1868]),
    "pi-": np.array([0.091, 0.115, 0.1355, 0.1453, 0.1453, 0.1395]),
    "pi0": np.array([0.181, 0.177, 0.189, 0.1907, 0.1897, 0.1876]),
    "K-": np.array([1e-5, 0.00545, 0.0117, 0.0169, 0.0230, 0.0248]),
    "K0": np.array([0.2208, 0.1575, 0.15415, 0.1474, 0.1409, 0.1408]),
    "p": np.array([0.101, 0.055, 0.0295, 0.0187, 0.0199, 0.0224]),
    "n": np.array([0.092, 0.0485, 0.027, 0.0157, 0.0145, 0.0169]),
}
KAON_Z: Final[dict[str, Array]] = {
    "pi+": np.array([0.0697, 0.06275, 0.0644, 0.0652, 0.0571, 0.0555]),
    "pi-": np.array([0.0252, 0.0313, 0.0364, 0.0368, 0.0356, 0.0326]),
    "K-": np.array([1e-6, 0.00165, 0.0033, 0.00477, 0.0055, 0.0056]),
}

# Leading like-sign meson: weight N and Beta(A, B) of x = T_sec/T (docs/reports/hadronic-inputs.md section 5).
# The pion's last node is solved from the generators' average of all like-sign pions, f = 0.369 (E/T) and
# Z = 0.1832 (T/T), with N kept: section 5 has Sibyll alone there (Z 14 % above the average).
PION_LEADING_N: Final = np.array([0.73, 0.87, 0.95, 0.98, 0.95, 0.95])
PION_LEADING_A: Final = np.array([0.82, 0.50, 0.44, 0.35, 0.24, 0.211])
PION_LEADING_B: Final = np.array([2.39, 1.64, 1.39, 1.18, 0.81, 0.749])
KAON_LEADING_N: Final = np.array([0.53, 0.61, 0.60, 0.59, 0.61, 0.58])
KAON_LEADING_A: Final = np.array([1.04, 0.87, 0.56, 0.44, 0.29, 0.27])
KAON_LEADING_B: Final = np.array([2.37, 1.44, 1.06, 0.99, 0.69, 0.61])

# Fast nucleons beside the recoil ones: Beta(1/2, 5/2), whose Z/f of about 0.35 is that of the generators
# at 10 GeV and above (0.26-0.35); the weight follows from f.
FAST_NUCLEON_A: Final = 0.5
FAST_NUCLEON_B: Final = 2.5
