"""Figures of a stored calibration: every point and panel is there, lines are those of the file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim3d.calibration.measurements import load_measurement
from sim3d.files.calibration_file import named_calibration, read_calibration, shipped_calibrations
from sim3d.plots import calibration as plots


@pytest.fixture(scope="module")
def shipped():
    return read_calibration(named_calibration(sorted(shipped_calibrations())[-1]))


def test_every_point_of_every_measurement_is_drawn(shipped):
    measurements = [load_measurement(one["name"], Path()) for one in shipped.record["sets"]]
    figure = plots.all_measurements(shipped, measurements)
    drawn = [ax for ax in figure.axes if ax.axison]
    assert len(drawn) == sum(len(one.points) for one in measurements)
    points = sum(len(box[0].get_xdata()) for ax in drawn for box in ax.containers)
    assert points == 2 * sum(one["points"] for one in shipped.record["sets"])
    assert figure.get_supylabel() == "Data over prediction"
    # the ratio to the fit, nuisances included, is nearer to 1 than that to the model
    last, first = (
        np.concatenate([ax.containers[i][0].get_ydata() - 1.0 for ax in drawn]) for i in (1, 0)
    )  # fmt: skip
    assert np.median(np.abs(last)) < np.median(np.abs(first))


def test_neutrinos_move_by_the_derivatives_times_the_values(shipped):
    figure = plots.neutrino_errors(shipped)
    labels = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert labels == ["calibrated, with its error", "error of the parameters alone", "error before"]
    for ax, f in zip(figure.axes, (0, 2), strict=True):
        line = ax.lines[0].get_ydata()
        slopes = shipped.arrays["neutrinos/slopes"][f]
        columns = [shipped.arrays["neutrinos/cos_zenith"].tolist().index(one) for one in (0.3, 1.0)]
        expected = 100.0 * np.expm1(slopes[:, columns].mean(axis=1) @ shipped.values)
        np.testing.assert_allclose(line, expected)
        band = ax.collections[0].get_paths()[0].vertices[:, 1]
        assert band.min() < line.min() < line.max() < band.max()
