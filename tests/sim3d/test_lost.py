"""Primaries that fail: left out of their batch, recorded and counted, up to a number."""

import h5py
import numpy as np
import pytest

import sim3d
from sim3d import setup_run
from sim3d.config import make_config
from sim3d.engine import run_to_file, simulate
from sim3d.errors import RunError
from sim3d.hit_weights import empty_weights
from sim3d.lost import Lost, is_lost, new_status, status_of_one
from sim3d.sampling import COUNTERS

DATA = {
    "run": {"seed": 1, "primaries": 2000, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
}
BAD = (450, 451, 1999)


def config(**run):
    return make_config({**DATA, "run": {**DATA["run"], **run}})


@pytest.fixture
def bad_primaries(monkeypatch):
    """Make the kernel fail at some primaries unless it is told to leave them out."""
    kernel = setup_run.rotated_batch

    def broken(world, source, seed, first_index, batch_size, *rest):
        status = rest[-1]
        for index in BAD:
            if first_index <= index < first_index + batch_size and index not in status[1:]:
                status[0] = index
                raise ZeroDivisionError("injected")
        kernel(world, source, seed, first_index, batch_size, *rest)

    monkeypatch.setattr(setup_run, "rotated_batch", broken)


def test_the_kernels_leave_them_out():
    """The batch without some primaries is the sum over the others."""
    for mode in ("targeted", "analog", "rotated"):
        setup = setup_run.make_setup(make_config({**DATA, "sampling": {"mode": mode}}))
        run_batch = setup.batch_function()
        shape = (1, 4, 202, 40, 12)
        counts = []
        for lost in ([], [Lost(3, "x"), Lost(7, "y")]):
            scores, hits = np.zeros(shape), np.zeros(shape, dtype=np.int64)
            counters = np.zeros(len(COUNTERS), dtype=np.int64)
            run_batch(0, scores, hits, empty_weights(1), counters, new_status(lost))
            counts.append((counters[0], hits.sum()))
        assert counts[0][0] == 200
        assert counts[1][0] == 198
        assert counts[1][1] <= counts[0][1]


def test_none_is_tolerated_by_default(bad_primaries, tmp_path):
    with pytest.raises(RunError, match="rank 0, primary 450: ZeroDivisionError: injected"):
        run_to_file(config(), tmp_path / "run.h5", threads=1)


@pytest.mark.parametrize("threads", [1, 3])
def test_some_are_tolerated(bad_primaries, tmp_path, differences, threads):
    """They are named in the file; threads do not matter, nor does a break."""
    path, other = tmp_path / "run.h5", tmp_path / "other.h5"
    assert run_to_file(config(max_lost=3), path, threads=threads) == "complete"
    result = sim3d.load(path)
    assert [lost.primary for lost in result.record.lost] == list(BAD)
    assert result.record.lost[0].reason == "ZeroDivisionError: injected"
    assert result.attributes["lost"] == 3
    assert result.attributes["primaries"] == 1997
    with h5py.File(path) as file:
        assert list(file["lost/index"]) == list(BAD)
    run_to_file(config(max_lost=3), other, threads=1, batches=(2, 6))
    run_to_file(config(max_lost=3), other, threads=2, resume=True)
    assert differences(path, other) == []


def test_too_many_stop_the_run(bad_primaries, tmp_path):
    path = tmp_path / "run.h5"
    with pytest.raises(RunError, match=r"primary 1999: .*3 lost primaries, run\.max_lost = 2.* go on with --resume"):
        run_to_file(config(max_lost=2), path, threads=1)
    assert sim3d.load(path).n_batches >= 9


def test_a_batch_that_fails_as_a_whole_is_not_tolerated(monkeypatch):
    """A score that does not fit the sums has no primary to leave out."""

    def huge(world, source, seed, first_index, batch_size, *rest):
        scores, status = rest[-5], rest[-1]
        scores[...] = np.inf if batch_size else 0.0
        status[0] = first_index

    monkeypatch.setattr(setup_run, "rotated_batch", huge)
    record = simulate(config(max_lost=9), threads=1)
    assert record.outcome == "failed"
    assert "TallyOverflowError" in record.failure


def test_is_lost():
    status = new_status([Lost(5, "x")])
    assert list(status) == [-1, 5]
    assert is_lost(5, status)
    assert not is_lost(-1, status)
    for one in (0, 7):
        assert [k for k in range(10) if not is_lost(k, status_of_one(one))] == [one]
