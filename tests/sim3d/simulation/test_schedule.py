"""Which batches are handed out, and when rank 0 collects, writes and stops: no MPI, no threads, a clock of our own."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim3d.scoring.precision import FIRST_TEST, next_test
from sim3d.simulation.schedule import BatchQueue, Command, Scheduler


def queue(n=10, done=(), first=0, last=None, in_rounds=False):
    marks = np.zeros(n, dtype=bool)
    marks[list(done)] = True
    return BatchQueue(marks, first, n if last is None else last, in_rounds)


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@given(
    done=st.lists(st.booleans(), min_size=1, max_size=60),
    first=st.integers(0, 60),
    last=st.integers(0, 60),
    sizes=st.lists(st.integers(0, 5), min_size=1, max_size=20),
)
def test_every_wanted_batch_is_handed_out_once(done, first, last, sizes):
    """In any portions, for any range and whatever is done."""
    first, last = sorted((min(first, len(done)), min(last, len(done))))
    marks = np.array(done)
    q = BatchQueue(marks, first, last, in_rounds=False)
    out = []
    for k in [*sizes, 60]:
        out += q.take(k)
    assert out == [b for b in range(first, last) if not done[b]]
    assert q.take(5) == []
    q.finished = len(out)
    assert q.all_done


def test_looks_come_at_fixed_numbers_of_batches():
    points = [next_test(0)]
    while points[-1] < 1000:
        points.append(next_test(points[-1]))
    assert points[:5] == [FIRST_TEST, 29, 35, 42, 51]
    assert all(b <= 1.25 * a for a, b in zip(points, points[1:], strict=False))
    for n in range(1000):
        assert next_test(n) == min(p for p in points if p > n)


@pytest.mark.parametrize("begun", [0, 1, 23, 24, 28, 29, 40])
def test_rounds_are_the_same_after_a_break(begun):
    """A run that goes on has the looks of one without a break from the round it was in."""
    q = queue(60, range(begun), in_rounds=True)
    while not q.all_done:
        assert q.limit in {24, 29, 35, 42, 51, 60}
        taken = q.take(1000)
        assert all(b < q.limit for b in taken)
        assert not q.round_done or not taken
        q.finished += len(taken)
        assert q.round_done
        q.open_round()
    assert q.position == 60 - begun


def test_a_finished_round_is_looked_at_again():
    """With a smaller target a run goes on from where it stopped: first the same look."""
    q = queue(60, range(29), in_rounds=True)
    assert q.round_done
    assert q.limit == 29


def test_a_run_without_trouble():
    scheduler = Scheduler(queue(3), checkpoint_s=np.inf)
    assert scheduler.take(2) == [0, 1]
    assert scheduler.decide(all_idle=False) == Command.NONE
    scheduler.report(2, [])
    assert scheduler.decide(all_idle=False) == Command.NONE
    assert scheduler.take(2) == [2]
    scheduler.report(1, [])
    assert scheduler.decide(all_idle=False) == Command.STOP
    assert (scheduler.outcome, scheduler.failure) == ("complete", "")


def test_checkpoints_by_the_clock():
    """At the interval, only if something is new, and less often where they take long."""
    clock = Clock()
    scheduler = Scheduler(queue(), checkpoint_s=60.0, clock=clock)
    scheduler.take(5)
    clock.now = 31.0  # the first one comes early
    assert scheduler.decide(False) == Command.NONE
    scheduler.report(1, [])
    assert scheduler.decide(False) == Command.COLLECT
    scheduler.checkpoint_taken(0.5)
    clock.now = 90.0
    scheduler.report(1, [])
    assert scheduler.decide(False) == Command.NONE
    clock.now = 130.0
    scheduler.checkpoint_taken(0.5)
    clock.now = 200.0
    assert scheduler.decide(False) == Command.NONE
    scheduler.report(1, [])
    assert scheduler.decide(False) == Command.COLLECT
    scheduler.checkpoint_taken(6.0)
    scheduler.report(1, [])
    clock.now = 470.0
    assert scheduler.decide(False) == Command.NONE
    clock.now = 500.1
    assert scheduler.decide(False) == Command.COLLECT


def test_a_checkpoint_after_every_batch():
    scheduler = Scheduler(queue(), checkpoint_s=0.0)
    scheduler.take(5)
    for _ in range(3):
        assert scheduler.decide(False) == Command.NONE
        scheduler.report(1, [])
        assert scheduler.decide(False) == Command.COLLECT
        scheduler.checkpoint_taken(100.0)


@pytest.mark.parametrize("how", ["time", "interrupted", "failed"])
def test_stopping_early_waits_for_batches_underway(how):
    """No more work, a checkpoint at once, the end when all ranks are idle."""
    clock = Clock()
    scheduler = Scheduler(queue(), checkpoint_s=np.inf, deadline_s=100.0, clock=clock)
    scheduler.take(3)
    scheduler.report(1, [])
    if how == "time":
        clock.now = 100.0
    elif how == "interrupted":
        scheduler.interrupted("rank 0: interrupted (SIGTERM)")
    else:
        scheduler.failed("rank 1, primary 5: x")
    assert scheduler.decide(False) == Command.DRAIN
    assert scheduler.take(1) == []
    assert scheduler.decide(False) == Command.NONE
    scheduler.report(2, [])
    assert scheduler.decide(True) == Command.STOP
    assert scheduler.outcome == how
    assert bool(scheduler.failure) == (how != "time")


def test_a_failure_outweighs_an_interruption():
    scheduler = Scheduler(queue(), checkpoint_s=np.inf)
    scheduler.failed("broken")
    scheduler.interrupted("rank 1: interrupted (SIGTERM)")
    assert scheduler.outcome == "failed"
    assert scheduler.failure == "broken; rank 1: interrupted (SIGTERM)"


def test_lost_primaries_are_tolerated_up_to_a_number():
    scheduler = Scheduler(queue(), checkpoint_s=np.inf, max_lost=2, lost=1)
    scheduler.take(3)
    scheduler.report(1, ["rank 0, primary 7: x"])
    assert not scheduler.outcome
    scheduler.report(1, ["rank 1, primary 9: y"])
    assert scheduler.outcome == "failed"
    assert "primary 9" in scheduler.failure
    assert "run.max_lost = 2" in scheduler.failure


def test_too_many_were_lost_before():
    """A run that goes on with a smaller limit fails at once."""
    assert Scheduler(queue(), checkpoint_s=np.inf, max_lost=1, lost=2).outcome == "failed"
