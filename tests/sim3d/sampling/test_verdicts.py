"""Verdicts of a block of primaries: those of one trajectory after another, and counted."""

from __future__ import annotations

import numpy as np

from geomag.field.igrf import FieldModel
from geomag.trajectories.sharper_verdicts import horizontal_table
from geomag.trajectories.tracing import backtrack, trace_params
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.sampling.counters import C_BACKTRACKED, C_FORBIDDEN, C_UNDECIDED, N_COUNTERS
from sim3d.sampling.verdicts import verdicts_of

FIELD = FieldModel("2020-01-01", 10)
TRACE = trace_params(FIELD)
BOUNDS = horizontal_table(FIELD, TRACE)


def entries(n):
    """Places at the top, downward directions and rigidities of 3 to 60 GV, in ascending order."""
    rng = np.random.default_rng(7)
    up = rng.normal(size=(n, 3))
    up /= np.linalg.norm(up, axis=1, keepdims=True)
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    direction *= -np.sign((up * direction).sum(axis=1, keepdims=True))
    return up * (EARTH_RADIUS_KM + 112.8), direction, np.sort(3.0 * 20.0 ** rng.random(n))


def decided(places, directions, rigidities):
    """Verdicts and counters."""
    counters, found = np.zeros(N_COUNTERS, np.int64), np.full(len(rigidities), 9, np.int8)
    verdicts_of(
        places, directions, rigidities, len(rigidities), FIELD.gauss, FIELD.gauss.astype(np.float32), TRACE, BOUNDS,
        counters, found,
    )  # fmt: skip
    return found, counters


def test_they_are_those_of_single_trajectories():
    """All but chaotic ones in the penumbra, where a verdict changes with any error, and those as often either way."""
    given = entries(4000)
    found, counters = decided(*given)
    places, directions, rigidities = given
    one = np.array(
        [backtrack(*p, *d, r, FIELD.gauss, TRACE) for p, d, r in zip(places, directions, rigidities, strict=True)]
    )
    more, fewer = ((found == 1) & (one != 1)).sum(), ((found != 1) & (one == 1)).sum()
    assert (found != one).mean() < 1e-2
    assert abs(int(more) - int(fewer)) < 4.0 * np.sqrt(more + fewer + 1.0)
    assert (found == one)[rigidities > 25.0].all()
    assert counters[C_BACKTRACKED] == len(found)
    assert counters[C_FORBIDDEN] == (found != 1).sum()
    assert counters[C_UNDECIDED] == (found == 2).sum()


def test_they_do_not_depend_on_the_others():
    """In pieces, and alone, each gets the same verdict: a result does not hang on the blocks of a batch."""
    places, directions, rigidities = entries(600)
    whole, _ = decided(places, directions, rigidities)
    for size in (1, 7, 250):
        parts = [
            decided(places[i : i + size], directions[i : i + size], rigidities[i : i + size])[0]
            for i in range(0, 600 if size > 1 else 60, size)
        ]
        together = np.concatenate(parts)
        assert (together == whole[: len(together)]).all()
    backwards, _ = decided(*(np.ascontiguousarray(a[::-1]) for a in (places, directions, rigidities)))
    assert (backwards[::-1] == whole).all()


def test_without_lanes(monkeypatch):
    """Without compiling, trajectories are followed one after another."""
    places, directions, rigidities = entries(12)
    plain = getattr(verdicts_of, "py_func", verdicts_of)
    monkeypatch.setitem(plain.__globals__, "_LANES", False)
    counters, found = np.zeros(N_COUNTERS, np.int64), np.full(12, 9, np.int8)
    plain(places, directions, rigidities, 12, FIELD.gauss, None, TRACE, BOUNDS, counters, found)
    one = [backtrack(*p, *d, r, FIELD.gauss, TRACE) for p, d, r in zip(places, directions, rigidities, strict=True)]
    assert found.tolist() == one
    assert counters[C_BACKTRACKED] == 12
