"""The verdicts of a scan reduce to its cutoffs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from geomag.cutoffs.cutoff import CutoffTracer
from geomag.cutoffs.penumbra import penumbra
from geomag.errors import GeomagInputError
from geomag.field.igrf import FieldModel


def test_verdicts_give_the_cutoffs() -> None:
    tracer = CutoffTracer(36.4257, 137.3103, field=FieldModel("2020-01-01"), step_GV=0.05)
    found, one = penumbra(tracer), tracer.cutoff()
    assert found.cutoff == one
    assert found.verdict[found.rigidity_GV > one.upper_GV - 0.01].min() == 1
    assert (found.verdict[found.rigidity_GV < one.lower_GV - 0.01] != 1).all()
    inside = (found.rigidity_GV > one.lower_GV - 0.01) & (found.rigidity_GV < one.upper_GV - 0.01)
    assert found.allowed_share == pytest.approx((found.verdict[inside] == 1).mean())
    assert 0.0 < found.allowed_share < 1.0
    np.testing.assert_allclose(np.diff(found.rigidity_GV), 0.05)


def test_longer_paths_decide_more() -> None:
    field = FieldModel("2000-01-01")
    short, long = (
        penumbra(CutoffTracer(65.05, 25.47, field=field, step_GV=0.02, max_path_radii=radii)).cutoff.undecided
        for radii in (100.0, 2000.0)
    )
    assert long < 0.5 * short


def test_no_penumbra_at_the_pole() -> None:
    found = penumbra(CutoffTracer(-90.0, 0.0, field=FieldModel("2020-01-01"), step_GV=0.5))
    assert math.isnan(found.allowed_share)
    assert found.cutoff.starts_allowed


def test_bad_angle() -> None:
    with pytest.raises(GeomagInputError, match="zenith = 100"):
        penumbra(CutoffTracer(0.0, 0.0, step_GV=1.0), 100.0)
