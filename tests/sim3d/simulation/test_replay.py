"""One primary again: its shower, its neutrinos and its scores are those of the run."""

import json

import numpy as np
import pytest

from sim3d import cli
from sim3d.config.load import make_config
from sim3d.conventions.constants import EARTH_RADIUS_KM
from sim3d.errors import InputError
from sim3d.simulation import replay
from sim3d.simulation import setup as setup_run
from sim3d.simulation.engine import simulate

DATA = {
    "run": {"seed": 4, "primaries": 200, "batch_size": 100},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "sampling": {"mode": "analog"},
    "sites": [{"name": "kamioka", "patch": {"radius_deg": 90}}],
}


@pytest.fixture(scope="module")
def config():
    return make_config(DATA)


@pytest.fixture(scope="module")
def showers(config):
    """All primaries of the run, one by one."""
    setup = setup_run.make_setup(config)
    return [replay.replay(config, index, setup) for index in range(200)]


def test_together_they_are_the_run(config, showers):
    """Counters, hits of every bin, and the neutrinos of the recorded showers."""
    record = simulate(config, threads=1)
    for name, count in record.counters.items():
        assert sum(one.counters[name] for one in showers) == count, name
    assert sum(len(one.neutrinos) for one in showers) == record.counters["neutrinos"] > 200
    hits = sum(score["hits"] for one in showers for score in one.scores)
    assert hits == record.tallies[0].hits.sum() > 100
    flux = sum(score["flux"] for one in showers for score in one.scores)
    assert flux == pytest.approx(record.tallies[0].plain_sum().sum(), rel=1e-5)


def test_the_verdict_is_that_of_the_run(showers):
    """Where the batch back-tracked, replay agrees; a forbidden primary scores nothing."""
    for one in showers:
        if one.counters["backtracked"]:
            assert (one.backtrack == "allowed") == (one.counters["forbidden"] == 0)
        if one.backtrack != "allowed":
            assert one.scores == []
    assert {one.backtrack for one in showers} >= {"allowed", "forbidden"}


def test_paths_hang_together(showers):
    """Each particle starts where its parent ended, in the air, and no faster."""
    ends = set()
    for one in showers:
        assert one.paths[0].parent == -1
        for k, path in enumerate(one.paths):
            ends.add(path.end)
            heights = np.linalg.norm(path.points, axis=1) - EARTH_RADIUS_KM
            assert heights.min() > -1e-3
            assert np.diff(path.points, axis=0).shape[0] == 0 or np.abs(np.diff(heights)).max() < 2.001
            assert path.end_kinetic_GeV <= path.kinetic_GeV
            if k:
                parent = one.paths[path.parent]
                assert 0 <= path.parent < k
                assert np.array_equal(path.points[0], parent.points[-1])
                assert parent.end in ("interacts", "decays")
    assert ends >= {"interacts", "decays", "reaches the ground", "stops"}


@pytest.mark.parametrize("mode", ["rotated", "targeted"])
def test_other_modes(mode):
    """The scores are those of the run there too."""
    data = {**DATA, "run": {**DATA["run"], "primaries": 40, "batch_size": 20}, "sampling": {"mode": mode}}
    data |= {"transport": {"bending": False}, "sites": [{"name": "kamioka"}]}
    record = simulate(make_config(data), threads=1)
    setup = setup_run.make_setup(make_config(data))
    showers = [replay.replay(setup.config, index, setup) for index in range(40)]
    assert sum(s["hits"] for one in showers for s in one.scores) == record.tallies[0].hits.sum()
    assert sum(len(one.neutrinos) for one in showers) == record.counters["neutrinos"] > 0


def test_an_index_outside_the_run(config):
    with pytest.raises(InputError, match="INDEX: 200, allowed: 0 to 199"):
        replay.replay(config, 200)


def test_a_failing_primary(config, monkeypatch):
    """It is shown as far as it goes, with the reason."""

    def broken(*_):
        raise ZeroDivisionError("injected")

    monkeypatch.setattr(setup_run, "analog_batch", broken)
    one = replay.replay(config, 5)
    assert one.failure == "ZeroDivisionError: injected"
    assert one.paths

    def half(world, start, kinetic, z_over_a, key, interacts, track, nucleus):
        track[0, 0] = 1
        track[1, :] = (0, 0, *start[:3], kinetic, 1.0)
        broken()

    monkeypatch.setattr(replay, "_follow", half)
    one = replay.replay(config, 5)
    assert [path.end for path in one.paths] == ["fails"]
    assert one.scores == []


@pytest.fixture
def toml(tmp_path):
    path = tmp_path / "run.toml"
    path.write_text(
        "[run]\nseed = 4\nprimaries = 200\nbatch_size = 100\n[primaries]\nenergy_GeV = [2.0, 1000.0]\n"
        '[sampling]\nmode = "analog"\n[[sites]]\nname = "kamioka"\npatch = { radius_deg = 90 }\n'
    )
    return path


def test_the_command(toml, tmp_path, capsys, showers):
    png = tmp_path / "shower.png"
    busiest = int(np.argmax([len(one.paths) for one in showers]))
    assert cli.main(["replay", str(toml), str(busiest), "--png", str(png)]) == 0
    text = capsys.readouterr().out
    assert "conserves energy and charge on average only" in text
    one = showers[busiest]
    assert text.startswith(f"primary {busiest} (batch {busiest // 100}, seed 4, mode analog): ")
    assert f"{len(one.paths)} particles: " in text
    assert f"{len(one.neutrinos)} neutrinos:" in text
    assert "more (--all)" in text
    assert png.read_bytes()[:4] == b"\x89PNG"
    assert cli.main(["replay", str(toml), str(busiest), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["primary"]["index"] == busiest
    assert len(document["particles"]) == len(one.paths)
    assert document["scores"] == one.scores


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["200"], "INDEX: 200"),
        (["-1"], "INDEX"),
        (["x"], "INDEX"),
        (["0", "--png", "x.pdf"], "--png"),
        (["0", "--png", "no/such/folder/x.png"], "--png"),
    ],
)
def test_wrong_arguments(toml, capsys, arguments, message):
    assert cli.main(["replay", str(toml), *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    if arguments != ["-1"]:
        assert message in captured.err
