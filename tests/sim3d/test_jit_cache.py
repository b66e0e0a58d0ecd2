"""The cache of compiled kernels: keyed by sources, found without a home, without a race, and done without."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from numba.core.caching import IndexDataCacheFile

from sim3d import jit_cache
from sim3d.config.load import make_config
from sim3d.simulation import warm_up
from sim3d.simulation.setup import make_setup

DATA = {
    "run": {"primaries": 400, "batch_size": 200},
    "primaries": {"energy_GeV": [2.0, 1000.0]},
    "transport": {"bending": False},
    "sampling": {"mode": "rotated"},
    "sites": [{"name": "kamioka"}],
}
RUN = f"""
import hashlib, sys
{{before}}
import sim3d
from sim3d import jit_cache
record = sim3d.run({DATA!r}, threads=1).record
print(jit_cache.CACHE_FOLDER, hashlib.sha256(record.tallies[0].total.tobytes()).hexdigest())
"""


def environment(**changes):
    """This process's, without what chooses a cache; None removes a variable."""
    chosen = ("NUMBA_CACHE_DIR", "SIM3D_SET_NUMBA_CACHE_DIR", "SIM3D_CACHE_DIR", "XDG_CACHE_HOME")
    kept = {k: v for k, v in os.environ.items() if k not in chosen}
    return {**kept, **changes}


def start(before="", **changes):
    code = RUN.replace("{before}", before)
    return subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment(**changes))


def test_an_edited_source_has_another_folder(monkeypatch, tmp_path):
    """The hash is of every file that kernels depend on, so that code compiled from older ones is never served."""
    before = jit_cache.source_hash()
    assert jit_cache.source_hash() == before
    read = Path.read_bytes
    monkeypatch.setattr(Path, "read_bytes", lambda self: read(self) + (b"#" if self.name == "decays.py" else b""))
    assert jit_cache.source_hash() != before


def enabled(monkeypatch, folders):
    """What enabling the cache gives with these candidates, in an environment that chooses nothing."""
    for name in ("NUMBA_CACHE_DIR", "SIM3D_SET_NUMBA_CACHE_DIR"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr(jit_cache, "_candidates", lambda: folders)
    monkeypatch.setattr(jit_cache, "_point_numba_at", lambda folder: None)
    return jit_cache.enable()


def test_the_first_folder_that_can_be_written(monkeypatch, tmp_path):
    """A home that is not there or read-only is passed over; where none is left, nothing is cached."""
    assert enabled(monkeypatch, [Path("/proc/sim3d"), tmp_path / "a"]).parent == tmp_path / "a"
    assert enabled(monkeypatch, [Path("/proc/sim3d")]) is None


def test_without_a_home_the_folder_for_temporary_files_serves(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", "/proc/nobody")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("SIM3D_CACHE_DIR", raising=False)
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    folders = jit_cache._candidates()
    assert folders[0] == Path("/proc/nobody/.cache/sim3d")
    assert folders[-1].parent == tmp_path


SAVES = """
import sys
import sim3d
from numba.core.caching import IndexDataCacheFile
first = int(sys.argv[2])
for key in range(first, first + 60):
    IndexDataCacheFile(sys.argv[1], "kernel", "stamp").save(key, key)
"""


def test_two_processes_that_save_at_once_lose_nothing(tmp_path):
    """Versions of one function, compiled by two processes, all stay in the index, each with its own code."""
    code = [sys.executable, "-c", SAVES, str(tmp_path)]
    both = [subprocess.Popen([*code, first], env=environment(SIM3D_CACHE_DIR=str(tmp_path))) for first in ("0", "60")]
    assert [process.wait(timeout=120) for process in both] == [0, 0]
    index = IndexDataCacheFile(str(tmp_path), "kernel", "stamp")
    assert [index.load(key) for key in range(120)] == list(range(120))


def test_one_process_at_a_time_until_the_mark_is_there(monkeypatch, tmp_path):
    """Others wait for a lock in the folder; with the mark nobody does."""
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(warm_up, "CACHE_FOLDER", tmp_path)
    mark = warm_up._mark(make_setup(make_config(DATA)))
    assert mark.parent == tmp_path
    assert "rotated" in mark.name
    with warm_up._alone(mark, "rotated"), open(tmp_path / "lock-rotated", "w") as other:
        with pytest.raises(BlockingIOError):
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
        with warm_up._alone(mark, "targeted"):
            assert (tmp_path / "lock-targeted").exists()
    mark.touch()
    (tmp_path / "lock-rotated").unlink()
    with warm_up._alone(mark, "rotated"):
        assert not (tmp_path / "lock-rotated").exists()
    monkeypatch.setattr(warm_up, "CACHE_FOLDER", None)
    assert warm_up._mark(make_setup(make_config(DATA))) is None


@pytest.mark.slow
def test_processes_that_start_at_once_on_an_empty_folder(tmp_path):
    """All give the same result, and only one of them compiled."""
    processes = [start(SIM3D_CACHE_DIR=str(tmp_path)) for _ in range(4)]
    lines = {process.communicate(timeout=600)[0] for process in processes}
    assert {process.returncode for process in processes} == {0}
    assert len(lines) == 1
    assert lines.pop().startswith(str(tmp_path))


@pytest.mark.slow
def test_a_run_without_any_cache(tmp_path):
    """A read-only installation, no home, no folder for temporary files: every start compiles, nothing else."""
    before = "import tempfile; tempfile.gettempdir = lambda: '/proc'"
    bare, _ = (process := start(before, HOME="/proc/nobody")).communicate(timeout=600)
    assert process.returncode == 0
    cached, _ = start(SIM3D_CACHE_DIR=str(tmp_path)).communicate(timeout=600)
    assert bare.split()[0] == "None"
    assert bare.split()[1] == cached.split()[1]
