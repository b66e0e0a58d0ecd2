"""Files written as a whole: the old one or the new one, whatever happens."""

import os
import platform
import subprocess
import sys

import pytest

from sim3d.errors import InputError
from sim3d.files.atomic_files import (
    check_output,
    protect,
    protected_inputs,
    remove_leftovers,
    replaced,
    text_writer,
    write_bytes,
)


def fail(path, problem):
    """Begin to replace a file and meet a problem."""
    with replaced(path) as temporary:
        temporary.write_text("two")
        raise problem


def test_the_new_file_or_the_old_one(tmp_path):
    path = tmp_path / "run.h5"
    with replaced(path) as temporary:
        temporary.write_text("one")
        assert not path.exists()
    assert path.read_text() == "one"
    with pytest.raises(ZeroDivisionError):
        fail(path, ZeroDivisionError())
    with pytest.raises(InputError, match=r"^output: cannot write .*run\.h5 \(No space left on device\)$"):
        fail(path, OSError(28, "No space left on device"))
    assert path.read_text() == "one"
    assert list(tmp_path.iterdir()) == [path]


def test_leftovers_belong_to_their_owner(tmp_path):
    """A killed run's half-written event file goes with those of its result."""
    owner, path = tmp_path / "run.h5", tmp_path / "run.events.h5"
    with replaced(path, owner) as temporary:
        temporary.write_text("x")
        remove_leftovers(path)
        assert temporary.exists()
        remove_leftovers(owner)
        assert not temporary.exists()
        temporary.write_text("y")
    assert path.read_text() == "y"


def test_a_folder_that_is_missing(tmp_path):
    with pytest.raises(InputError, match="cannot write"), replaced(tmp_path / "none" / "run.h5") as temporary:
        temporary.write_text("x")


def test_a_link_stays_and_its_file_is_replaced(tmp_path):
    """Also a link to a link, and one to a file that does not exist yet."""
    (tmp_path / "far").mkdir()
    link, second = tmp_path / "link.csv", tmp_path / "second.csv"
    link.symlink_to(tmp_path / "far" / "real.csv")
    second.symlink_to(link)
    for path in (link, second):
        write_bytes(path, b"one ", path.name.encode())
        assert (tmp_path / "far" / "real.csv").read_text() == f"one {path.name}"
        assert path.is_symlink()
    assert [one.name for one in (tmp_path / "far").iterdir()] == ["real.csv"]
    loop = tmp_path / "loop.csv"
    loop.symlink_to(loop)
    with pytest.raises(InputError, match=r"^output: cannot write .*loop\.csv"):
        write_bytes(loop, b"x")


def test_only_plain_files_are_replaced(tmp_path):
    device, pipe = tmp_path / "device.csv", tmp_path / "pipe.csv"
    device.symlink_to("/dev/full")
    os.mkfifo(pipe)
    for path, what in ((device, "a device"), (pipe, "a device, a pipe"), (tmp_path, "a folder")):
        with pytest.raises(InputError, match=f"{path.name} is {what}"):
            write_bytes(path, b"x")


def test_inputs_are_kept_while_they_are_protected(tmp_path):
    one, two, other = (tmp_path / name for name in ("one.csv", "two.csv", "other.csv"))
    one.write_text("1")
    two.hardlink_to(one)
    protect(other)  # outside: nothing happens
    with protected_inputs([one]):
        for path in (one, two):
            with pytest.raises(InputError, match=r"is an input of this command \(.*one\.csv\), name another file"):
                write_bytes(path, b"x")
        write_bytes(other, b"2")
        protect(other)
        with pytest.raises(InputError, match="is an input"):
            check_output(other)
    write_bytes(one, b"3")
    assert (one.read_text(), two.read_text(), other.read_text()) == ("3", "1", "2")


def test_permissions_of_the_old_file_stay(tmp_path):
    path = tmp_path / "run.h5"
    path.write_text("1")
    path.chmod(0o640)
    write_bytes(path, b"2")
    assert path.stat().st_mode & 0o777 == 0o640
    fresh, plain = write_bytes(tmp_path / "fresh", b""), tmp_path / "plain"
    plain.touch()
    assert fresh.stat().st_mode == plain.stat().st_mode


def test_text_is_utf_8_with_unix_line_ends_and_appears_at_the_end(tmp_path):
    path = tmp_path / "t.csv"
    with text_writer(path) as stream:
        stream.write("ü\n")
        assert not path.exists()
    assert path.read_bytes() == "ü\n".encode()


def test_long_names(tmp_path):
    """The name of the temporary file is not longer than file systems allow."""
    path = tmp_path / ("ü" * 120 + ".csv")
    assert write_bytes(path, b"x").read_bytes() == b"x"


def test_what_dead_processes_left_goes_and_what_living_ones_write_stays(tmp_path):
    path, host = tmp_path / "t.csv", platform.node()
    done = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    dead = tmp_path / f".t.csv.{host}.{int(done.stdout)}.tmp"
    alive, elsewhere = tmp_path / f".t.csv.{host}.1.tmp", tmp_path / ".t.csv.elsewhere.77.tmp"
    for one in (dead, alive, elsewhere):
        one.touch()
    write_bytes(path, b"x")
    assert set(tmp_path.iterdir()) == {path, alive, elsewhere}
