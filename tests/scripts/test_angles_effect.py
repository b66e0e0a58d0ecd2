"""Angles of pions that are changed in a table of yields: numbers stay, and the angle is scaled."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "studies"))
import angles_effect

S_EDGES = np.linspace(0.0, 40.0, 401)


@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_stretched_angles(scale):
    """Of an exponential in s, which grows as the angle squared: the mean scales, nothing is lost, 1 changes nothing."""
    counts = -np.diff(1.0e6 * np.exp(-S_EDGES))[None, :]
    middle = 0.5 * (S_EDGES[1:] + S_EDGES[:-1])
    changed = angles_effect.stretched(counts, S_EDGES, np.array([scale]))
    assert changed.sum() == pytest.approx(counts.sum(), rel=1e-12)
    assert (changed @ middle) / (counts @ middle) == pytest.approx(scale**2, rel=5e-3)
    np.testing.assert_allclose(angles_effect.stretched(counts, S_EDGES, np.ones(1)), counts, atol=1e-6)


def test_measured_scale_fades_for_protons_and_reaches_na61_for_pions():
    """Protons: HARP's below 12 GeV/c, 1 from 158; pions: HARP's, then NA61's, between them linear in ln T."""
    x = np.log([0.1, 0.5])
    flat = (x, np.full(2, 0.8), np.full(2, 0.1))
    scales = {("p", "pi+", 12.0): flat, ("pi+", "pi+", 12.0): flat, ("pi+", "pi+", 60.0): (x, np.full(2, 1.2), x)}

    def at(projectile, T):
        return angles_effect.scale_at(scales, projectile, "pi+", T, x)

    np.testing.assert_allclose(at("p", 5.0), 0.8)
    np.testing.assert_allclose(at("p", 200.0), 1.0)
    np.testing.assert_allclose(at("pi+", 12.0 * 5.0**0.5), 1.0)
    np.testing.assert_allclose(at("pi+", 1e4), 1.2)
