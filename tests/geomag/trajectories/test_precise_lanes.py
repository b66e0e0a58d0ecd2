"""The integrator of order 8 in lanes: the scalar one's verdicts, whatever shares the vector."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.field.igrf import FieldModel
from geomag.geodesy import arrival_direction, geodetic_to_cartesian
from geomag.trajectories.precise import PreciseTracer

COUNT = 600


@pytest.fixture(scope="module")
def tracer() -> PreciseTracer:
    return PreciseTracer(FieldModel("2020-01-01"), 20.0)


@pytest.fixture(scope="module")
def arrivals() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Places, vertical momenta, and rigidities around Stoermer's cutoff: half of them are allowed."""
    rng = np.random.default_rng(3)
    lat, lon = np.degrees(np.arcsin(rng.uniform(-1.0, 1.0, COUNT))), rng.uniform(-180.0, 180.0, COUNT)
    momenta = np.array([arrival_direction(*one, 0.0, 0.0) for one in zip(lat, lon, strict=True)])
    rigidities = (14.5 * np.cos(np.radians(lat)) ** 4 + 0.3) * rng.uniform(0.7, 1.2, COUNT)
    return geodetic_to_cartesian(lat, lon, 20.0), momenta, rigidities


def test_verdicts_are_those_of_the_scalar_kernel(tracer: PreciseTracer, arrivals: tuple[np.ndarray, ...]) -> None:
    lanes = tracer.verdicts(*arrivals)
    scalar = tracer.ends(*arrivals)[:, 0]
    assert 0.3 < (lanes == 1).mean() < 0.7
    assert (lanes == 2).any()
    # chaos may move single ones; between forbidden and undecided it does so near the longest path
    assert ((lanes == 1) != (scalar == 1)).sum() <= 2
    assert (lanes != scalar).sum() <= 0.02 * COUNT


def test_a_verdict_does_not_depend_on_its_neighbours(tracer: PreciseTracer, arrivals: tuple[np.ndarray, ...]) -> None:
    together = tracer.verdicts(*arrivals)
    order = np.random.default_rng(4).permutation(COUNT)
    np.testing.assert_array_equal(tracer.verdicts(*(one[order] for one in arrivals)), together[order])
    for count in (1, 15, 17):
        np.testing.assert_array_equal(tracer.verdicts(*(one[:count] for one in arrivals)), together[:count])
    assert len(tracer.verdicts(*(one[:0] for one in arrivals))) == 0


def test_the_floor_and_the_longest_path_are_kept(arrivals: tuple[np.ndarray, ...]) -> None:
    """With a floor at the start and paths of 60 radii no more are allowed than with a lower floor and 1000 radii."""
    field = FieldModel("2020-01-01")
    strict = PreciseTracer(field, 20.0, max_path_radii=60.0).verdicts(*arrivals)
    loose = PreciseTracer(field, -100.0, max_path_radii=1000.0).verdicts(*arrivals)
    assert (strict == 2).sum() > (loose == 2).sum()
    assert ((strict == 1) & (loose == 1)).sum() >= (strict == 1).sum() - 2
    assert (loose == 1).sum() > (strict == 1).sum()
