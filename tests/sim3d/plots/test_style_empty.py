"""Panels without a point: said in the panel, and no logarithm of nothing."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.plots import style


def texts(axes):
    return [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_a_panel_without_points_says_so(tmp_path, scale):
    figure, (empty, full) = style.subplots(1, 2, figsize=(6.0, 3.0))
    for axes, x in ((empty, np.array([])), (full, np.array([1.0, 2.0]))):
        axes.errorbar(x, x, x, fmt="o")
        axes.set_xscale(scale)
        axes.set_yscale(scale)
        axes.set_ylabel("flux")
    for path in style.save(figure, tmp_path, "two", ["here"]):
        assert path.stat().st_size > 0
    assert set(texts(empty)) == {style.NOTHING_TO_DRAW}
    assert texts(full) == []


def test_it_is_said_once(tmp_path):
    """A figure is saved as PNG and PDF."""
    figure, axes = style.subplots(figsize=(3.0, 3.0))
    axes.set_ylabel("flux")
    style.save(figure, tmp_path, "one")
    assert texts(axes) == [style.NOTHING_TO_DRAW]
