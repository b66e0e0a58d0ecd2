"""The lane types: every operator against numpy, and the field of sixteen places against that of one."""

from __future__ import annotations

import numpy as np
import pytest
from numba import njit

from geomag.field.igrf import FieldModel
from geomag.field.kernels import EARTH_RADIUS_KM
from geomag.trajectories.lanes import LANES, bits, load, narrow, rough_power, splat, square_root, store, where, widen
from geomag.trajectories.lockstep import field_lanes


@njit
def _arithmetic(given, out):
    x, y = load(given, 0), load(given, 1)
    z = x * 2.0 + y / 3 - x * y
    z += 1
    z -= 0.5 * x
    z *= y
    store(out, 0, where(x < y, z, -z))
    store(out, 1, square_root(splat(4.0) * x))
    store(out, 2, widen(narrow(y)))
    store(out, 3, 1.0 / (y + 1.0))
    return bits((x <= y) & ~(x > 0.5)), bits((x >= y) | (y < 0.1))


@njit
def _power(given, exponent, out):
    store(out, 0, rough_power(load(given, 0), exponent))


@njit
def _field(given, gauss, out):
    bx, by, bz = field_lanes(load(given, 0), load(given, 1), load(given, 2), gauss)
    store(out, 0, bx)
    store(out, 1, by)
    store(out, 2, bz)


def _as_bits(mask: np.ndarray) -> int:
    return sum(1 << i for i, lane in enumerate(mask) if lane)


def test_arithmetic_is_numpys() -> None:
    x, y = given = np.random.default_rng(1).random((2, LANES))
    out = np.empty((4, LANES))
    low, high = _arithmetic(given, out)
    z = (2.0 * x + y / 3.0 - x * y + 1.0 - 0.5 * x) * y
    np.testing.assert_allclose(out[0], np.where(x < y, z, -z), rtol=1e-14)
    np.testing.assert_array_equal(out[1], np.sqrt(4.0 * x))
    np.testing.assert_array_equal(out[2], y.astype(np.float32))
    np.testing.assert_array_equal(out[3], 1.0 / (y + 1.0))
    assert low == _as_bits((x <= y) & ~(x > 0.5))
    assert high == _as_bits((x >= y) | (y < 0.1))


@pytest.mark.parametrize("exponent", [-0.1, 0.2])
def test_rough_power_is_within_seven_per_cent(exponent: float) -> None:
    for given in np.logspace(-12, 12, 50 * LANES, dtype=np.float32).reshape(50, 1, LANES):
        out = np.empty_like(given)
        _power(given, exponent, out)
        np.testing.assert_allclose(out, given**exponent, rtol=0.07)


@pytest.mark.parametrize(("precision", "limit"), [(np.float64, 1e-13), (np.float32, 2e-6)])
@pytest.mark.parametrize("degree", [1, 10, 13])
def test_field_of_lanes_is_the_field(precision: type, limit: float, degree: int) -> None:
    field = FieldModel("2020-01-01", degree)
    rng = np.random.default_rng(degree)
    worst = 0.0
    for radius in (1.0, 1.2, 2.0, 9.0):
        for _ in range(50):
            up = rng.normal(size=(3, LANES))
            up /= np.linalg.norm(up, axis=0)
            out = np.empty((3, LANES), dtype=precision)
            _field((radius * up).astype(precision), field.gauss.astype(precision), out)
            truth = field.field_xyz(radius * EARTH_RADIUS_KM * up.T).T
            worst = max(worst, (np.linalg.norm(out - truth, axis=0) / np.linalg.norm(truth, axis=0)).max())
    assert worst < limit
