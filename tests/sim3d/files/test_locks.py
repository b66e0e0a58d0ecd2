"""Locks between processes, and a package that needs no POSIX to read a result."""

import subprocess
import sys
import threading

import pytest

from sim3d.files import locks
from sim3d.files.locks import RunLock, alone

WITHOUT_FCNTL = """
import sys
sys.modules["fcntl"] = None
import sim3d, sim3d.api, sim3d.files.event_file
from sim3d.cli import main
from sim3d.errors import InputError
for name in sim3d._PUBLIC:
    getattr(sim3d, name)
try:
    sim3d.load("none.h5")
except InputError as problem:
    assert "no such file" in str(problem)
assert main(["info", "none.h5"]) == 2
assert not [name for name, module in sys.modules.items() if module is not None and hasattr(module, "flock")]
"""
HOLD = """
import sys
from pathlib import Path
from sim3d.files import locks
from sim3d.files.locks import RunLock
lock = RunLock(Path(sys.argv[1]))
print(lock.acquire(), flush=True)
sys.stdin.read()
"""


def test_results_are_read_without_fcntl(tmp_path):
    """As on Windows, where the module does not exist."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_FCNTL], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / "run.part"
    first, second = RunLock(path), RunLock(path)
    assert first.acquire()
    assert not second.acquire()
    second.release()  # does nothing: it is not the holder
    assert not second.acquire()
    first.release()
    assert second.acquire()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_a_killed_holder_leaves_no_lock(tmp_path):
    path = tmp_path / "run.part"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        assert not RunLock(path).acquire()
        holder.kill()
    lock = RunLock(path)
    assert lock.acquire()
    lock.release()


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    """There is no lock then, and no error."""
    fcntl = pytest.importorskip("fcntl")

    def refuse(*_):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(fcntl, "flock", refuse)
    two = [RunLock(tmp_path / "run.part") for _ in range(2)]
    assert all(lock.acquire() for lock in two)
    for lock in two:
        lock.release()
    with alone(tmp_path / "lock"):
        pass


def test_a_wait_for_a_lock_is_told(tmp_path, monkeypatch):
    """Told once, and only to those who must wait; the block runs when the other process has ended."""
    path, told = tmp_path / "lock", []
    monkeypatch.setattr(locks, "PATIENCE_S", 0.05)
    with alone(path, lambda: told.append("waits")):
        assert told == []
    held = tmp_path / ".lock.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout.readline() == "True\n"
        threading.Timer(0.5, holder.kill).start()
        with alone(held, lambda: told.append("waits")):
            assert holder.wait(5.0) is not None
    assert told == ["waits"]
