"""One writer of a result at a time: a second run, half of a job array or merge with the same output is refused."""

import dataclasses
import subprocess
import sys

import pytest

from sim3d.errors import InputError
from sim3d.files.event_journal import EventJournal
from sim3d.files.locks import sole_writer
from sim3d.files.result_file import read_result, write_result
from sim3d.simulation import engine
from sim3d.simulation.engine import run_to_file
from sim3d.simulation.merge import merge_to_file

HOLD = """
import sys
from pathlib import Path
from sim3d.files.locks import sole_writer
with sole_writer(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runs(fake_result, monkeypatch):
    """Runs that take no time: ``runs.during`` is called in the middle of each."""
    record = fake_result.record(sites=("ino",), batches=4)

    class Runs:
        config = record.config
        during = staticmethod(lambda: None)

    def simulate(*_, **__):
        Runs.during()
        return record

    class Setup:
        models = record.models

    monkeypatch.setattr(engine, "make_setup", lambda _: Setup)
    monkeypatch.setattr(engine, "simulate", simulate)
    Runs.record = record
    return Runs


@pytest.mark.parametrize("batches", [None, (0, 2)])
def test_the_second_run_is_refused(runs, tmp_path, batches):
    path = tmp_path / "x.h5"
    refused = []

    def again():
        other = None if batches is None else (2, 4)
        with pytest.raises(InputError, match=r"^output: another run is writing .*x\.h5; wait for it") as problem:
            run_to_file(runs.config, path, batches=other)
        refused.append(str(problem.value))
        # whatever name it is called by
        link = tmp_path / "link.h5"
        link.symlink_to(path)
        with pytest.raises(InputError, match="another run is writing"):
            run_to_file(runs.config, link, resume=True)
        with pytest.raises(InputError, match="another run is writing"):
            merge_to_file([tmp_path / "a.h5", tmp_path / "b.h5"], path)
        link.unlink()

    runs.during = again
    run_to_file(runs.config, path, batches=batches)
    assert len(refused) == 1
    assert read_result(path).config == runs.config
    # the lock is gone with the run, also after one that failed
    assert [one.name for one in tmp_path.iterdir()] == ["x.h5"]
    runs.during = lambda: 1 / 0
    with pytest.raises(ZeroDivisionError):
        run_to_file(runs.config, path)
    runs.during = lambda: None
    run_to_file(runs.config, path)


def test_a_result_that_came_in_between_is_kept(runs, tmp_path):
    """Two runs begin, and one ends before the other has the lock."""
    path = tmp_path / "x.h5"
    run_to_file(runs.config, path, replace=False)
    before = path.read_bytes()
    with pytest.raises(InputError, match=r"^output: .*x\.h5 exists"):
        run_to_file(runs.config, path, replace=False)
    assert path.read_bytes() == before


def test_the_lock_of_a_killed_run_does_not_stay(runs, tmp_path):
    path = tmp_path / "x.h5"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(InputError, match="another run is writing"):
            run_to_file(runs.config, path)
        holder.kill()
    run_to_file(runs.config, path)


def test_a_linked_result_keeps_its_link(runs, tmp_path, fake_result):
    """Its journal, its lock and its half-written files are beside the file that the link leads to."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    link = tmp_path / "x.h5"
    link.symlink_to(folder / "real.h5")
    seen = []

    def look():
        seen.append({one.name for one in folder.iterdir()})
        EventJournal(link, 4).close()
        seen.append({one.name for one in folder.iterdir()})

    runs.during = look
    run_to_file(runs.config, link)
    assert seen == [{".real.h5.lock"}, {".real.h5.lock", "real.events.part"}]
    assert [one.name for one in tmp_path.iterdir() if one.is_symlink()] == ["x.h5"]
    assert read_result(link).config == runs.config
    write_result(dataclasses.replace(runs.record, failure="once more"), link)
    assert link.is_symlink()
    assert read_result(folder / "real.h5").failure == "once more"


def test_only_one_holder(tmp_path):
    with sole_writer(tmp_path / "x.h5"):
        with pytest.raises(InputError, match="another run"), sole_writer(tmp_path / "x.h5"):
            pass
        with sole_writer(tmp_path / "y.h5"):
            pass
