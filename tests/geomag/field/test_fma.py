"""The fused multiply-add of the kernels rounds once, and kernels around it do not change its bits."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import config, njit

from geomag.field.fma import fma
from geomag.field.igrf import FieldModel
from geomag.trajectories.tracing import backtrack_state, trace_params

numbers = st.floats(-1e30, 1e30, allow_subnormal=False).filter(lambda x: x == 0.0 or abs(x) > 1e-30)


@njit
def _fused(a, b, c):
    return fma(a, b, c)


@pytest.mark.skipif(config.DISABLE_JIT, reason="interpreted kernels round the product")
@given(numbers, numbers, numbers)
def test_rounds_once(a, b, c):
    assert _fused(a, b, c) == float(Fraction(a) * Fraction(b) + Fraction(c))


@njit
def _alone(place, direction, rigidity, gauss, params):
    return backtrack_state(*place, *direction, rigidity, gauss, params)


@njit
def _among_other_work(place, direction, rigidity, gauss, params):
    """Follow two trajectories whose starts the compiler may rearrange together."""
    x, y, z = place
    ux, uy, uz = direction
    norm = 1.0
    total = 0.0
    for i in range(2):
        state = backtrack_state(x * norm, y * norm, z * norm, ux, uy, uz, rigidity * (1.0 + i), gauss, params)
        if i == 0:
            first = state
        total += state[1] * state[4] + state[2] * state[5]
    return first, total


def test_same_bits_in_every_kernel():
    """States after long paths, where last bits have grown to kilometres, agree exactly."""
    field = FieldModel("2020-01-01")
    params = trace_params(field)
    place = (-3777.1, 3483.7, 3792.4)
    rng = np.random.default_rng(5)
    steps = 0
    for _ in range(40):
        direction = rng.normal(size=3)
        direction = tuple(direction / np.linalg.norm(direction))
        rigidity = rng.uniform(8.0, 14.0)
        alone = _alone(place, direction, rigidity, field.gauss, params)
        assert _among_other_work(place, direction, rigidity, field.gauss, params)[0] == alone
        steps = max(steps, alone[-1])
    assert steps > 50
