"""Closure of baryon number and energy."""

import numpy as np
import pytest

from hadronic.builders.closure import BARYONS, Freedom, close, energies, places_of
from hadronic.tables.yield_rows import ROWS

X = np.geomspace(1e-3, 0.95, 40)
GROUPS = np.arange(X.size) // 4
T = 158.0


def yields(p=1.0, pi=1.0):
    out = np.zeros((len(ROWS), X.size))
    out[ROWS.index("p leading")] = 0.02 * p
    out[ROWS.index("n")] = 0.02
    for name in ("pi+", "pi-", "pi0"):
        out[ROWS.index(name)] = pi * 0.3 * (1.0 - X) ** 4
    return out


def freedom(errors, tied=None, own=None):
    size = int(GROUPS.max()) + 1
    covariance = np.zeros((len(errors) * size, len(errors) * size))
    for i, error in enumerate(errors.values()):
        covariance[i * size : (i + 1) * size, i * size : (i + 1) * size] = error**2
    return Freedom(tuple(errors), GROUPS, covariance, tied or {}, own or {})


def total(values, names):
    return sum(values[i].sum() for name in names for i in places_of(name))


@pytest.mark.parametrize("changed", [yields(p=0.9), yields(pi=1.1), yields(p=0.95, pi=0.9)])
def test_both_sums_become_those_of_the_generator(changed):
    generator = yields()
    half = np.full(X.size, 0.5)
    free = freedom({"pi+": 0.05, "pi-": 0.05, "p": 0.1, "n": 0.2}, {"pi0": {"pi+": half, "pi-": half}}, {"pi0": 0.03})
    closed = close(changed, generator, X, T, free, True)
    each = energies(X, T)
    assert (each * closed.yields).sum() == pytest.approx((each * generator).sum(), rel=1e-5)
    assert total(closed.yields, BARYONS) == pytest.approx(total(generator, BARYONS), rel=1e-3)
    assert closed.energy_missing == pytest.approx((each * (generator - changed)).sum())
    assert np.all(closed.yields >= 0.0)


def test_what_is_known_best_moves_least():
    closed = close(yields(pi=0.9), yields(), X, T, freedom({"pi+": 0.01, "pi-": 0.1, "pi0": 0.1}), True)
    assert 0.0 < closed.shifts["pi+"] < 0.02 * closed.shifts["pi-"]
    assert closed.shifts["pi-"] == pytest.approx(closed.shifts["pi0"], rel=0.01)


def test_nothing_moves_where_all_is_right():
    generator = yields()
    closed = close(generator, generator, X, T, freedom({"pi+": 0.1, "p": 0.1}), True)
    np.testing.assert_allclose(closed.yields, generator)
    assert closed.slow_factor == 1.0


def test_a_remainder_that_slow_nucleons_cannot_take_is_refused():
    with pytest.raises(ValueError, match="baryon number at 158 GeV"):
        close(yields(p=5.0), yields(), X, T, freedom({"pi+": 0.1}), True)
