"""Runs that are cut short and go on: bitwise the uninterrupted result; and what a run refuses to go on from."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pytest
from earlier_inputs import UNCALIBRATED, UNCALIBRATED_TOML

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError, RunError
from sim3d.files import atomic_files, result_file
from sim3d.files.result_file import stored_batch_size
from sim3d.simulation import checkpoint, engine
from sim3d.simulation.checkpoint import with_stored_batch_size
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.setup import make_setup

ROTATED = {
    "run": {"seed": 1, "primaries": 2000, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
    **UNCALIBRATED,
}
OFTEN = {"checkpoint_minutes": 0.0}
"""A checkpoint after each batch, which takes ten times as long as the batch: for the runs that are cut short."""
TOML = (
    """
[run]
seed = 1
primaries = {primaries}
batch_size = 200
checkpoint_minutes = 0.0
{more}
[primaries]
energy_GeV = [2.0, 1000.0]
[transport]
bending = false
[sampling]
mode = "rotated"
[[sites]]
name = "kamioka"
"""
    + UNCALIBRATED_TOML
)


def config(changes=None, **run):
    return make_config({**ROTATED, "run": {**ROTATED["run"], **run}, **(changes or {})})


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The file of an uninterrupted run on one thread."""
    path = tmp_path_factory.mktemp("checkpoint") / "whole.h5"
    assert run_to_file(config(), path, threads=1) == "complete"
    return path


@pytest.mark.parametrize("threads", [1, 3])
def test_going_on_gives_the_uninterrupted_result(whole, tmp_path, differences, threads):
    """Whatever is finished already, also with holes."""
    path = tmp_path / "run.h5"
    run_to_file(config(), path, threads=threads, batches=(4, 6))
    assert list(np.flatnonzero(sim3d.load(path).record.batches_done)) == [4, 5]
    assert not sim3d.load(path).complete
    run_to_file(config(), path, threads=1, resume=True, batches=(0, 5))
    assert sim3d.load(path).n_batches == 6
    assert run_to_file(config(), path, threads=threads, resume=True) == "complete"
    assert differences(whole, path) == []
    assert sim3d.load(path).attributes["sessions"] == 3


def test_without_a_file_it_begins_anew(whole, tmp_path, differences):
    run_to_file(config(), tmp_path / "new.h5", threads=2, resume=True)
    assert differences(whole, tmp_path / "new.h5") == []


def test_nothing_left_to_do(whole, monkeypatch):
    """A finished run is left alone."""
    before = whole.read_bytes()
    monkeypatch.setattr(engine, "simulate", lambda *_, **__: pytest.fail("simulated"))
    assert run_to_file(config(), whole, resume=True) == "complete"
    assert whole.read_bytes() == before


def test_a_longer_run_from_a_finished_one(whole, tmp_path, differences):
    path = tmp_path / "run.h5"
    run_to_file(config(primaries=600), path, threads=1)
    assert sim3d.load(path).complete
    assert run_to_file(config(), path, threads=2, resume=True) == "complete"
    assert differences(whole, path) == []
    with pytest.raises(InputError, match=r"run\.primaries: 600 is less than the 2000"):
        run_to_file(config(primaries=600), path, resume=True)


CHANGES = {
    "run.seed": {"run": {**ROTATED["run"], "seed": 2}},
    "run.batch_size": {"run": {**ROTATED["run"], "batch_size": 100}},
    "run.target_energy_GeV[0]": {"run": {**ROTATED["run"], "target_energy_GeV": [1.0, 3.0]}},
    "primaries.energy_GeV[1]": {"primaries": {"energy_GeV": [2.0, 2000.0]}},
    "primaries.solar": {"primaries": {**ROTATED["primaries"], "solar": "max"}},
    "field.date": {"field": {"date": "2015-01-01"}},
    "hadronic.model": {"hadronic": {"model": "muon-tuned"}},
    "transport.step_km": {"transport": {"bending": False, "step_km": 2.0}},
    "sampling.thinning": {"sampling": {"mode": "rotated", "thinning": 5.0}},
    "sites[0].name": {"sites": [{"name": "juno"}]},
    "sites[0].altitude_m": {"sites": [{"name": "kamioka", "altitude_m": 0.0}]},
    "sites[1].name": {"sites": [*ROTATED["sites"], {"name": "juno"}]},
    "scoring.azimuth_bins": {"scoring": {"azimuth_bins": 24}},
}


@pytest.mark.parametrize("key", CHANGES)
def test_a_changed_configuration_is_refused_by_key(whole, key):
    before = whole.read_bytes()
    with pytest.raises(InputError) as info:
        run_to_file(config(CHANGES[key]), whole, resume=True)
    assert str(info.value).startswith(f"{key}: is ")
    assert str(whole) in str(info.value)
    assert whole.read_bytes() == before


def test_what_changes_no_number_may_change(whole):
    """Lengths, intervals and limits."""
    other = config(checkpoint_minutes=9.0, max_minutes=7.0, max_lost=3, target_error=0.9)
    stored = sim3d.load(whole).record
    record = checkpoint.resume_point(whole, other, stored.models, stored.detectors)
    assert record is not None


def test_other_models_and_versions_are_refused(whole, monkeypatch, capsys):
    """A field of another generation, an edited profile, another sim3d; other sources are said."""
    models, places = sim3d.load(whole).record.models, sim3d.load(whole).record.detectors
    with pytest.raises(InputError, match=r"^field_generation: is 'IGRF-15' now and was "):
        checkpoint.resume_point(whole, config(), {**models, "field_generation": "IGRF-15"}, places)
    with pytest.raises(InputError, match=r"^atmosphere_profile_sha256: is 'abc' now"):
        checkpoint.resume_point(whole, config(), {**models, "atmosphere_profile_sha256": "abc"}, places)
    monkeypatch.setattr(checkpoint, "source_hash", lambda: "other")
    assert checkpoint.resume_point(whole, config(), models, places) is not None
    assert "the sources of sim3d" in capsys.readouterr().err
    monkeypatch.setattr(sim3d, "__version__", "99.0")
    with pytest.raises(InputError, match=r"this is 99\.0"):
        checkpoint.resume_point(whole, config(), models, places)


def test_detectors_at_other_places_are_refused(whole):
    """Whatever the configuration says: a known site may have moved, or got another altitude, between two versions."""
    record = sim3d.load(whole).record
    (site,) = record.detectors
    near = replace(site, declination_deg=site.declination_deg * (1.0 + 1e-15))
    assert checkpoint.resume_point(whole, config(), record.models, (near,)) is not None
    for name, value in (("altitude_m", site.altitude_m - 1.0), ("lat_deg", 36.5), ("declination_deg", 0.0)):
        with pytest.raises(InputError, match=rf"^sites\.kamioka\.{name}: is {value} now and was .*whole\.h5"):
            checkpoint.resume_point(whole, config(), record.models, (replace(site, **{name: value}),))


def test_an_edited_profile_is_another_atmosphere(tmp_path):
    """The path may change, the content not."""
    air = tmp_path / "air.csv"
    air.write_text("height_km,density_g_cm3\n" + "".join(f"{h},{1.2e-3 * np.exp(-h / 8)}\n" for h in range(0, 101, 5)))
    changed = {"atmosphere": {"model": "csv", "profile": str(air)}}
    first = make_setup(config(changed)).models
    air.write_text(air.read_text().replace("\n100,", "\n99,"))
    second = make_setup(config(changed)).models
    key, *_ = checkpoint.difference(config(changed), first, (), config(changed), second, ())
    assert key in ("atmosphere_profile_sha256", "atmosphere_top_km")


def interrupt_after(path, number):
    """Send this process a signal when the first checkpoint is there."""

    def wait_and_send():
        for _ in range(3000):
            if path.exists():
                os.kill(os.getpid(), number)
                return
            time.sleep(0.01)

    thread = threading.Thread(target=wait_and_send)
    thread.start()
    return thread


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGUSR1"])
def test_signals_stop_with_a_checkpoint(whole, tmp_path, differences, capsys, name):
    """One line says how far it got; going on gives the uninterrupted result."""
    path = tmp_path / "run.h5"
    sender = interrupt_after(path, getattr(signal, name))
    assert run_to_file(config(**OFTEN), path, threads=1) == "interrupted"
    sender.join()
    result = sim3d.load(path)
    assert 0 < result.n_batches < 10
    message = f"interrupted ({name}); {result.n_batches} of 10 batches are in {path}, go on with --resume"
    assert message in capsys.readouterr().err
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    run_to_file(config(), path, threads=2, resume=True)
    assert differences(whole, path) == []


def test_max_minutes(whole, tmp_path, differences, capsys, monkeypatch):
    """The command stops by itself with status 3, and says how to go on; a chain of such runs ends with status 0."""
    toml, path = tmp_path / "run.toml", tmp_path / "run.h5"
    toml.write_text(TOML.format(primaries=2000, more="max_minutes = 0.005"))
    arguments = ["run", str(toml), "-o", str(path), "--threads", "1", "--quiet", "--resume"]
    statuses = []
    while not statuses or statuses[-1] != 0:
        statuses.append(cli.main(arguments))
        assert len(statuses) < 30
    assert len(statuses) > 1
    assert set(statuses[:-1]) == {3}
    assert "stopped after run.max_minutes = 0.005" in capsys.readouterr().err
    assert differences(whole, path) == []


def test_an_existing_file_is_not_touched_without_being_asked(whole, tmp_path, capsys):
    toml = tmp_path / "run.toml"
    toml.write_text(TOML.format(primaries=2000, more=""))
    before = whole.read_bytes()
    assert cli.main(["run", str(toml), "-o", str(whole)]) == 2
    assert "--force to replace it or --resume to go on from it" in capsys.readouterr().err
    assert cli.main(["run", str(toml), "-o", str(whole), "--resume", "--force"]) == 2
    assert "give one of them" in capsys.readouterr().err
    assert whole.read_bytes() == before


def test_a_damaged_checkpoint_is_refused(whole, tmp_path):
    """One flipped byte, or a missing end."""
    path = tmp_path / "run.h5"
    data = bytearray(whole.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    with pytest.raises(InputError, match="SHA-256 differs"):
        run_to_file(config(), path, resume=True)
    path.write_bytes(whole.read_bytes()[:-100])
    with pytest.raises(InputError, match="truncated"):
        run_to_file(config(), path, resume=True)


def test_leftovers_of_killed_runs_go_away(tmp_path):
    """Half-written temporary files of this output, and nothing else."""
    path = tmp_path / "run[1].h5"
    mine, other = tmp_path / ".run[1].h5.host.12.tmp", tmp_path / ".run1.h5.host.12.tmp"
    for file in (mine, other):
        file.write_text("x")
    atomic_files.remove_leftovers(path)
    assert not mine.exists()
    assert other.exists()


def test_a_checkpoint_that_cannot_be_written(whole, tmp_path, monkeypatch, capsys, differences):
    """The run goes on, says so once, and the next one succeeds."""
    path = tmp_path / "run.h5"
    write, calls = result_file.write_result, []

    def fail_twice(record, target):
        calls.append(int(record.batches_done.sum()))
        if len(calls) in (2, 3):
            raise InputError(f"output: cannot write {target} (No space left on device)")
        write(record, target)

    monkeypatch.setattr(checkpoint, "write_result", fail_twice)
    assert run_to_file(config(**OFTEN), path, threads=1) == "complete"
    assert len(calls) > 3
    assert capsys.readouterr().err.count("No space left on device") == 1
    assert differences(whole, path) == []


def command(toml, path, *more):
    return [sys.executable, "-m", "sim3d.cli", "run", str(toml), "-o", str(path), "--quiet", *more]


def kill_often(tmp_path, differences, kills, primaries, seed):
    """Kill a run ``kills`` times with SIGKILL at random moments, going on each time, and compare with one run."""
    rng = np.random.default_rng(seed)
    toml, path = tmp_path / "run.toml", tmp_path / "run.h5"
    toml.write_text(TOML.format(primaries=primaries, more=""))
    done = 0
    for k in range(kills):
        process = subprocess.Popen(command(toml, path, "--resume", "--threads", str(1 + k % 2)))
        # begin to count when the file changes: starting takes seconds, and a kill before it tells little
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        for _ in range(6000):
            if process.poll() is not None or (path.exists() and path.stat().st_mtime_ns != stamp):
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.5))
        process.kill()
        process.wait()
        now = sim3d.load(path).n_batches  # whole, and nothing is ever lost
        assert now >= done
        done = now
    assert done < primaries // 200
    run_to_file(config(primaries=primaries), path, threads=2, resume=True)
    assert not list(tmp_path.glob(".*.tmp"))
    run_to_file(config(primaries=primaries), tmp_path / "whole.h5", threads=1)
    assert differences(tmp_path / "whole.h5", path) == []


@pytest.mark.slow
def test_killed_twice(tmp_path, differences):
    kill_often(tmp_path, differences, 2, 6000, 1)


@pytest.mark.slow
def test_killed_twenty_times(tmp_path, differences):
    kill_often(tmp_path, differences, 20, 60_000, 2)


def test_a_failing_primary_leaves_a_checkpoint(whole, tmp_path, monkeypatch, differences):
    """What was finished is in the file; repaired, the run goes on."""
    kernel = make_setup(config()).batch_function.__globals__["rotated_batch"]
    from sim3d.simulation import setup as setup_run

    def broken(task, scores, *rest):
        if task.first_index <= 700 < task.first_index + task.batch_size:
            scores.followed[0] = 700
            raise ZeroDivisionError("injected")
        return kernel(task, scores, *rest)

    path = tmp_path / "run.h5"
    with monkeypatch.context() as patch:
        patch.setattr(setup_run, "rotated_batch", broken)
        with pytest.raises(RunError, match=r"rank 0, primary 700: ZeroDivisionError: injected .* go on with --resume"):
            run_to_file(config(**OFTEN), path, threads=1)
    result = sim3d.load(path)
    assert result.attributes["outcome"] == "failed"
    assert not result.record.batches_done[3]
    assert result.n_batches >= 3
    run_to_file(config(), path, threads=1, resume=True)
    assert differences(whole, path) == []


def mounted(folder, *options):
    """Mount a small file system, or skip the test where that is not allowed."""
    folder.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", ",".join(options), "tmpfs", str(folder)]
    if subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("mounting needs root and its capabilities")


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 8 MB."""
    folder = tmp_path / "disk"
    mounted(folder, "size=8m")
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def run_until_first_checkpoint(tmp_path, path, primaries=2400):
    toml = tmp_path / "run.toml"
    toml.write_text(TOML.format(primaries=primaries, more=""))
    process = subprocess.Popen(
        command(toml, path, "--resume"), stderr=subprocess.PIPE, text=True, env=os.environ | {"TMPDIR": str(tmp_path)}
    )
    for _ in range(6000):
        if path.exists() or process.poll() is not None:
            break
        time.sleep(0.01)
    return process


@pytest.fixture(scope="module")
def longer(tmp_path_factory):
    path = tmp_path_factory.mktemp("longer") / "longer.h5"
    run_to_file(config(primaries=2400), path, threads=2)
    return path


@pytest.mark.parametrize("trouble", ["full", "read-only", pytest.param("removed", marks=pytest.mark.slow)])
def test_the_disk_fails_during_a_run(tmp_path, small_disk, longer, differences, trouble):
    """A warning, the result in the folder for temporary files in the end, and the old checkpoint goes on too."""
    folder = small_disk / "out"
    folder.mkdir()
    path = folder / "run.h5"
    process = run_until_first_checkpoint(tmp_path, path)
    if trouble == "full":
        with open(small_disk / "filler", "wb", buffering=0) as filler, contextlib.suppress(OSError):
            while True:
                filler.write(b"x" * 65536)
    elif trouble == "read-only":
        # mounted once more over itself: the run holds its lock open, so that the disk itself cannot become read-only
        subprocess.run(["mount", "--bind", folder, folder], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
    else:
        folder.rename(small_disk / "elsewhere")
    _, message = process.communicate(timeout=900)
    assert process.returncode == 2
    lines = message.strip().splitlines()
    assert sum("warning: no checkpoint" in line for line in lines) == 1
    assert lines[-1].startswith("sim3d: error: output: cannot write")
    rescued = Path(lines[-1].split("the result is in ")[1])
    assert differences(longer, rescued) == []
    if trouble == "full":
        (small_disk / "filler").unlink()
    elif trouble == "read-only":
        subprocess.run(["umount", "-l", folder], check=True)
    else:
        (small_disk / "elsewhere").rename(folder)
    left = sim3d.load(path)
    assert 0 < left.n_batches < 12
    run_to_file(config(primaries=2400), path, threads=2, resume=True)
    assert differences(longer, path) == []


def test_the_batches_are_marked_in_the_file(whole):
    with h5py.File(whole) as file:
        assert file["batches_done"].shape == (10,)
        assert file["batches_done"][()].all()
        assert file["provenance"].attrs["outcome"] == "complete"


def test_a_chosen_batch_size_stays_that_of_the_file(fake_result, tmp_path):
    """More primaries would choose a larger one; a size that is given stays, and is compared with the file's."""
    path = fake_result.write(tmp_path / "run.h5", batches=4)
    assert stored_batch_size(path) == 125
    sites = {"sites": [{"name": "kamioka"}]}
    for primaries in (1000, 10**6):
        config = make_config({**sites, "run": {"primaries": primaries}})
        assert config.run.batch_size != 125
        going_on = with_stored_batch_size(config, 125)
        assert (going_on.run.batch_size, going_on.run.primaries) == (125, primaries)
        assert going_on.sites == config.sites
    given = make_config({**sites, "run": {"primaries": 1000, "batch_size": 100}})
    assert with_stored_batch_size(given, 125) is given
    with pytest.raises(InputError, match=r"batches of run\.primaries"):
        with_stored_batch_size(make_config({**sites, "run": {"primaries": 10**10}}), 1)
