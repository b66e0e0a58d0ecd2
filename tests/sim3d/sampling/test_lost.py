"""Primaries that fail: left out of their batch, recorded and counted, up to a number."""

import h5py
import numpy as np
import pytest
from earlier_inputs import with_earlier_inputs

import sim3d
from sim3d.config.load import make_config
from sim3d.errors import RunError
from sim3d.sampling import rotated
from sim3d.sampling.batch import empty_scores
from sim3d.sampling.lost import Lost, indices, is_left_out
from sim3d.simulation import setup as setup_run
from sim3d.simulation.engine import run_to_file, simulate

DATA = {
    "run": {"seed": 1, "primaries": 2000, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
}
BAD = (450, 451, 1999)


def config(**run):
    return make_config(with_earlier_inputs({**DATA, "run": {**DATA["run"], **run}}))


@pytest.fixture
def bad_primaries(monkeypatch):
    """Make the kernel fail at some primaries unless it is told to leave them out."""
    kernel = rotated.rotated_batch

    def broken(task, scores, *rest):
        for index in BAD:
            if task.first_index <= index < task.first_index + task.batch_size and index not in task.left_out:
                scores.followed[0] = index
                raise ZeroDivisionError("injected")
        return kernel(task, scores, *rest)

    monkeypatch.setattr(setup_run, "rotated_batch", broken)


def test_the_kernels_leave_them_out():
    """The batch without some primaries is the sum over the others."""
    for mode in ("targeted", "analog", "rotated"):
        setup = setup_run.make_setup(make_config(with_earlier_inputs({**DATA, "sampling": {"mode": mode}})))
        run_batch = setup.batch_function()
        counts = []
        for lost in ([], [Lost(3, "x"), Lost(7, "y")]):
            scores = empty_scores(1, 12)
            run_batch(0, scores, lost=lost)
            counts.append((scores.counters[0], scores.hits.sum()))
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

    def huge(task, scores, *_):
        scores.flux[...] = np.inf if task.batch_size else 0.0
        scores.followed[0] = task.first_index
        return None, 0, task.batch_size

    monkeypatch.setattr(setup_run, "rotated_batch", huge)
    record = simulate(config(max_lost=9), threads=1)
    assert record.outcome == "failed"
    assert "TallyOverflowError" in record.failure


def test_is_left_out():
    left_out = indices([Lost(5, "x"), Lost(8, "y")])
    assert list(left_out) == [5, 8]
    assert [k for k in range(10) if is_left_out(k, left_out, -1)] == [5, 8]
    for only in (0, 7):
        assert [k for k in range(10) if not is_left_out(k, left_out, only)] == [only]
    assert not any(is_left_out(k, indices([]), -1) for k in range(10))
