"""Runs with ``transport.albedo = "follow"``: what they add, threads, and the runs that refuse it in one line."""

import numpy as np
import pytest

from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.simulation.engine import simulate


def config(albedo, **tables):
    """A small analog run whose patch is the whole Earth, without cutoff so that every primary counts."""
    return make_config(
        {
            "run": {"seed": 3, "primaries": 8000, "batch_size": 1000},
            "primaries": {"model": "ghls2001-average", "solar": "fit", "energy_GeV": [2.0, 100.0], "energy_index": 2.0},
            "field": {"cutoff": False},
            "hadronic": {"model": "fluka-z", "definition": "balanced"},
            "sampling": {"mode": "analog"},
            "transport": {"albedo": albedo},
            "sites": [{"name": "earth", "lat": 0.0, "lon": 0.0, "patch": {"radius_deg": 180.0}}],
            **tables,
        }
    )


def test_follow_adds_neutrinos_and_moves_none():
    """Every bin has the hits of the run without albedo or more; threads make no difference, to the last bit."""
    drop, follow, threads = (
        simulate(config(albedo), threads=n) for albedo, n in (("drop", 1), ("follow", 1), ("follow", 2))
    )
    before, after = (record.tallies[0] for record in (drop, follow))
    assert np.all(after.hits >= before.hits)
    added = after.hits.sum() - before.hits.sum()
    assert 20 < added < 0.02 * before.hits.sum()
    assert np.array_equal(after.hits, threads.tallies[0].hits)
    assert np.array_equal(after.plain_sum(), threads.tallies[0].plain_sum())
    assert follow.counters["primaries"] == drop.counters["primaries"]
    assert follow.counters["neutrinos"] > drop.counters["neutrinos"]


@pytest.mark.parametrize(
    ("tables", "says"),
    [
        ({"sampling": {"mode": "targeted"}}, 'needs sampling.mode = "analog", not "targeted"'),
        (
            {"sampling": {"mode": "rotated"}, "transport": {"albedo": "follow", "bending": False}},
            'needs sampling.mode = "analog", not "rotated"',
        ),
        ({"transport": {"albedo": "follow", "bending": False}}, "needs transport.bending = true"),
        ({"scoring": {"muons": True}}, "does not go with scoring.muons"),
    ],
)
def test_runs_that_cannot_follow_it_refuse(tables, says):
    with pytest.raises(InputError, match=r"transport\.albedo") as error:
        config("follow", **tables)
    assert says in str(error.value)
    assert "\n" not in str(error.value)
