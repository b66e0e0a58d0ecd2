"""Energies and zenith angles of the neutrino fluxes that a calibration checks: at sea level, cutoff 6 GV."""

from __future__ import annotations

NEUTRINOS = "neutrinos"
"""Key of the neutrinos beside those of the measurements."""

NEUTRINO_GEV = (0.2, 0.3, 0.6, 1.0, 2.0, 3.0, 6.0, 10.0, 30.0, 100.0, 300.0, 1.0e3, 3.0e3, 1.0e4)
NEUTRINO_COSINES = (0.1, 0.3, 0.6, 1.0)
NEUTRINO_CUTOFF_GV = 6.0
