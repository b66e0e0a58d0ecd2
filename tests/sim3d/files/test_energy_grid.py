"""Energies printed with few digits, and the edges around them."""

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files.energy_grid import energy_edges, exact_energies

EXACT = 10 ** (np.arange(0, 21) / 20 - 1)


def test_printed_energies_become_exact():
    printed = np.array([float(f"{energy:.4E}") for energy in EXACT])
    assert exact_energies(printed, 1e-4) == pytest.approx(EXACT, rel=1e-13)
    uneven = np.append(printed, 30.0)
    assert exact_energies(uneven, 1e-4) is uneven


def test_edges():
    bins = energy_edges(EXACT, "bins", "x")
    assert bins == pytest.approx(10 ** (np.arange(-0.5, 21.0) / 20 - 1), rel=1e-12)
    points = energy_edges(EXACT, "points", "x")
    assert points[1:-1] == pytest.approx(bins[1:-1])
    assert points[[0, -1]].tolist() == EXACT[[0, -1]].tolist()
    with pytest.raises(InputError, match="x: a table of one energy has no energy bins"):
        energy_edges(EXACT[:1], "bins", "x")
