"""Files written as a whole: the old one or the new one, whatever happens."""

import pytest

from sim3d.errors import InputError
from sim3d.files.atomic_files import remove_leftovers, replaced


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
