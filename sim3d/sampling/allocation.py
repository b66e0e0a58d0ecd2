"""Divide the primaries of a run over their energies so that chosen cells of the flux table get equal errors.

A survey draws equal numbers of primaries in strata of energy. For each stratum it estimates the cost of a primary and
its part in the variance of each cell: a flavour, a range of neutrino energy and a range of zenith. The sum of squared
relative errors of the cells at a given cost is least if a stratum's share of the primaries is proportional to

    sqrt(sum_c w_c v_sc / F_c^2 / k_s)

(Neyman's allocation; Cochran, Sampling Techniques, section 5.5). v_sc is the variance that one primary of stratum s
adds to the flux F_c of cell c, k_s its cost, w_c a weight of the cell. Expectation values are the same for any shares
above zero.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sim3d.conventions.binning import COS_EDGES, ENERGY_EDGES_GEV, N_COS, N_ENERGY, N_FLAVOURS
from sim3d.sampling.counters import C_BACKTRACKED, C_FORBIDDEN, C_NEUTRINOS, C_ROTATIONS, C_UNDECIDED, N_COUNTERS
from sim3d.sampling.energy_law import LAW_ENERGIES_GEV

STRATUM_NODES = 24
"""Steps of the table of the density in a stratum of energy: 0.75 in ln E, three strata a decade."""
ENERGY_GROUP = 20
"""Fine bins of neutrino energy in a cell: half a decade."""
ZENITH_PARTS = 3
"""Parts of the zenith range that are cells."""
