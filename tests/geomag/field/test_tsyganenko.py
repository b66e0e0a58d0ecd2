"""Tsyganenko's field of 1989: the numbers of the package geopack, no sources, and its symmetry without tilt."""

from __future__ import annotations

import numpy as np
import pytest

from geomag.field.tsyganenko import parameters, tsyganenko_1989


def places(count: int, seed: int) -> np.ndarray:
    """Places from the day side to the tail, Earth radii."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.uniform(-30.0, 10.0, count), rng.uniform(-15.0, 15.0, (count, 2))])


def test_table_has_seven_levels() -> None:
    assert parameters().shape == (7, 30)
    # the ring current grows with Kp
    assert (np.diff(parameters()[:, 4]) < 0.0).all()


def test_numbers_are_those_of_geopack() -> None:
    t89 = pytest.importorskip("geopack.t89")
    rng = np.random.default_rng(1)
    for place in places(200, 2):
        level, tilt = int(rng.integers(0, 7)), rng.uniform(-0.6, 0.6)
        here = np.array(tsyganenko_1989(*place, tilt, parameters()[level]))
        there = np.array(t89.t89(level + 1, tilt, *place))
        assert np.abs(here - there).max() < 1e-12 * np.linalg.norm(there)


def test_the_field_has_no_sources() -> None:
    h = 1e-3
    for level in (0, 3, 6):
        a = parameters()[level]
        for place in places(30, level):
            gradient = [
                (
                    np.array(tsyganenko_1989(*(place + step), 0.3, a))
                    - np.array(tsyganenko_1989(*(place - step), 0.3, a))
                )
                / (2.0 * h)
                for step in h * np.eye(3)
            ]
            size = np.abs(gradient).max()
            assert abs(sum(gradient[i][i] for i in range(3))) < 1e-5 * size + 1e-7


def test_without_tilt_north_mirrors_south() -> None:
    a = parameters()[2]
    for x, y, z in places(20, 5):
        north, south = tsyganenko_1989(x, y, z, 0.0, a), tsyganenko_1989(x, y, -z, 0.0, a)
        np.testing.assert_allclose(south, (-north[0], -north[1], north[2]), rtol=1e-12, atol=1e-12)
