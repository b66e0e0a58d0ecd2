"""The strip shows the verdicts around the cutoffs, in three colours."""

from __future__ import annotations

import numpy as np

from geomag.cutoffs.cutoff import reduce_scan
from geomag.cutoffs.penumbra import Penumbra
from sim3d.plots.geomagnetic.penumbra import penumbra_figure


def test_strip() -> None:
    verdicts = np.array([0] * 40 + [1, 0, 2, 1, 1, 0] + [1] * 40, dtype=np.int8)
    found = Penumbra(0.1 * (1 + np.arange(len(verdicts))), verdicts, reduce_scan(1, verdicts, 0.1))
    (ax,) = penumbra_figure(found, "t", 1).axes
    shown = ax.collections[0].get_array()
    assert {int(v) for v in np.unique(shown)} == {0, 1, 2}
    assert {text.get_text() for text in ax.texts} == {"lower 4.1 GV", "effective 4.4 GV", "upper 4.7 GV"}
    assert len(ax.get_legend().get_texts()) == 3
