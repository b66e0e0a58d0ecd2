"""Scans: the penumbra and its margins are traced precisely; the magnetosphere opens high latitudes."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.cutoffs.cutoff import CutoffTracer, cutoff
from geomag.cutoffs.penumbra import penumbra
from geomag.cutoffs.scanning import MARGIN_GV, Scanner
from geomag.cutoffs.world import place_cutoffs
from geomag.field.igrf import FieldModel
from geomag.field.magnetosphere import Magnetosphere
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.precise import PreciseTracer

ROME = (41.86, 12.47)


@pytest.fixture(scope="module")
def field() -> FieldModel:
    return FieldModel("2000-01-01")


def test_penumbra_and_margins_are_traced_precisely(field: FieldModel) -> None:
    step = 0.02
    found = penumbra(CutoffTracer(*ROME, field=field, step_GV=step))
    fast = penumbra(CutoffTracer(*ROME, field=field, step_GV=step, precise=False))
    ends = fast.cutoff.lower_GV - MARGIN_GV, fast.cutoff.upper_GV + MARGIN_GV
    inside = (found.rigidity_GV > ends[0] - 1e-6) & (found.rigidity_GV < ends[1] - 1e-6)
    xyz, u = geodetic_to_cartesian(*ROME, 20.0), arrival_direction(*ROME, 0.0, 0.0)
    precise = PreciseTracer(field, 20.0).verdicts(xyz, u, found.rigidity_GV[inside])
    np.testing.assert_array_equal(found.verdict[inside], precise)
    # the fast scan differs in single verdicts, and nowhere far from the penumbra
    far = np.abs(found.rigidity_GV - 0.5 * sum(ends)) > 0.5 * (ends[1] - ends[0]) + 0.5
    np.testing.assert_array_equal(fast.verdict[far], found.verdict[far])
    assert (fast.verdict != found.verdict).sum() < 0.2 * inside.sum()


def test_margins_grow_while_verdicts_change_in_them(field: FieldModel, monkeypatch: pytest.MonkeyPatch) -> None:
    """A precise tracer that allows everything down to a rigidity moves the lower cutoff there, far beyond a margin."""
    scanner = Scanner(field, 20.0, step_GV=0.05)

    class Other:
        def verdicts(self, _place: np.ndarray, _momentum: np.ndarray, rigidities: np.ndarray) -> np.ndarray:
            return np.where(rigidities > 3.0, 1, 0).astype(np.int8)

    monkeypatch.setattr(scanner, "_precise", Other())
    xyz, u = geodetic_to_cartesian(*ROME, 20.0), arrival_direction(*ROME, 0.0, 0.0)
    first, (verdicts,) = scanner.scan(xyz, u[None])
    assert (first + int(np.flatnonzero(verdicts == 1)[0])) * 0.05 == pytest.approx(3.05)
    assert (verdicts[int(np.flatnonzero(verdicts == 1)[0]) :] == 1).all()


def test_the_magnetosphere_lowers_cutoffs_at_high_latitude(field: FieldModel) -> None:
    options = {"field": field, "step_GV": 0.02, "max_path_radii": 100.0}
    inner = cutoff(65.05, 25.47, **options)
    quiet, storm = (
        cutoff(65.05, 25.47, external=Magnetosphere("2000-01-01T00:00", kp=kp), **options) for kp in (0.0, 6.0)
    )
    assert storm.effective_GV < quiet.effective_GV < inner.effective_GV
    assert storm.effective_GV < inner.effective_GV - 0.1
    # above the scan of the precise kernel all are allowed, as without
    assert quiet.scanned_GV == inner.scanned_GV


def test_the_magnetosphere_hardly_matters_at_low_latitude(field: FieldModel) -> None:
    state = Magnetosphere("2000-01-01T00:00", kp=1.0)
    found, inner = (
        place_cutoffs([18.59], [98.49], field, step_GV=0.1, lowest_GV=14.0, external=one) for one in (state, None)
    )
    assert abs(found.effective_GV[0] - inner.effective_GV[0]) < 0.35


def test_it_depends_on_the_time_of_the_day(field: FieldModel) -> None:
    found = [
        cutoff(65.05, 25.47, field=field, step_GV=0.02, external=Magnetosphere(f"2000-01-01T{hour:02d}:00", kp=4.0))
        for hour in (0, 12)
    ]
    assert found[0].effective_GV != found[1].effective_GV
