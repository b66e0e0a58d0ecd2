"""Mass groups of primary nuclei: names, charge numbers and mass numbers."""

from __future__ import annotations

import numpy as np

from sim3d.conventions.particles import MASS_GEV, NEUTRON, PROTON

GROUPS = ("p", "He", "CNO", "MgSi", "Fe")
"""Names in configurations, files and parameters."""

GROUP_LABELS = ("p", "He", "CNO", "Mg-Si", "Fe")
"""Names in titles and messages."""

GROUP_CHARGE = np.array([1.0, 2.0, 7.0, 13.0, 24.0])

GROUP_MASS_NUMBER = np.array([1.0, 4.0, 14.0, 26.0, 50.0])

REFERENCE_ENERGY_GEV = 10.0
"""Pivot of changes of slope: the kinetic energy per nucleon at which they leave the primary flux unchanged."""

NUCLEON_MASS_GEV = 0.5 * float(MASS_GEV[PROTON] + MASS_GEV[NEUTRON])


class PrimaryInputError(ValueError):
    """Error of a primary model, potential or energy that is not allowed."""


def _group_number(group: str) -> int:
    if group not in GROUPS:
        raise PrimaryInputError(f"group: {group!r} is not one of {', '.join(GROUPS)}")
    return GROUPS.index(group)
