"""Errors that no parameter describes: interpolation between nodes, and their text."""

from __future__ import annotations

import numpy as np

from sim3d.conventions.model_modes import ModelModes, is_mode

ENERGIES, COSINES = np.array([1.0, 10.0, 100.0]), np.array([0.2, 1.0])
# linear in ln E and in the cosine, by flavour
CHANGES = 0.01 * np.arange(1, 5)[:, None, None] * (np.log(ENERGIES)[:, None] + 2.0 * COSINES)
MODES = ModelModes(("model:a", "model:b"), ENERGIES, COSINES, np.array([CHANGES, -3.0 * CHANGES]))


def test_linear_functions_are_exact_between_nodes_and_constant_beyond():
    energy, cosine = np.array([0.1, 3.0, 50.0, 1e4]), np.array([-0.7, 0.3, 0.0])
    found = MODES.at(energy, cosine)
    assert found.shape == (4, 4, 3, 2)
    inside = np.log(np.clip(energy, 1.0, 100.0))[:, None] + 2.0 * np.clip(np.abs(cosine), 0.2, 1.0)
    for f in range(4):
        np.testing.assert_allclose(found[f, ..., 0], 0.01 * (f + 1) * inside)
    np.testing.assert_allclose(found[..., 1], -3.0 * found[..., 0])


def test_text_keeps_five_digits():
    back = ModelModes.of_json(MODES.as_json())
    assert back.names == MODES.names
    np.testing.assert_array_equal(back.energies_GeV, ENERGIES)
    np.testing.assert_allclose(back.changes, MODES.changes, rtol=1e-4)


def test_names():
    assert is_mode("model:pythia8")
    assert not is_mode("pi+@31")
