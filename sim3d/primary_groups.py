"""The five mass groups of primary nuclei: names, labels, charge and mass number of each group's nucleus."""

from __future__ import annotations

import numpy as np

GROUPS = ("p", "He", "CNO", "MgSi", "Fe")
"""Names, as in configurations, files and parameters."""
GROUP_LABELS = ("p", "He", "CNO", "Mg-Si", "Fe")
"""The same for titles and messages."""
GROUP_CHARGE = np.array([1.0, 2.0, 7.0, 13.0, 24.0])
GROUP_MASS_NUMBER = np.array([1.0, 4.0, 14.0, 26.0, 50.0])
