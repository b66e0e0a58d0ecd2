"""HDF5 on a disk that is full: an error that names the reason, in a process that ends in its own way."""

import subprocess
import sys

import h5py
import numpy as np
import pytest

from sim3d.files.hdf5_writing import CheckedStream, checked_hdf5, hdf5_image

WRITE = """
import resource, sys
from pathlib import Path
import numpy as np
from sim3d.files.hdf5_writing import checked_hdf5
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
written = 0
try:
    with checked_hdf5(Path(sys.argv[1]), 512) as (file, stream):
        data = file.create_dataset("x", shape=(100_000,), chunks=(1000,), dtype="f8")
        for place in range(0, 100_000, 1000):
            data.id.write_direct_chunk((place,), np.ones(1000).tobytes())
            written += 1
            stream.check()
except OSError as problem:
    print(problem.strerror, written)
"""


def fill(file):
    file.attrs["format"] = "x"
    file["a/b"] = np.arange(5.0)


def test_in_memory_and_by_stream_are_the_same_to_a_reader(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(hdf5_image(fill))
    other = tmp_path / "y.h5"
    with checked_hdf5(other, 512) as (file, stream):
        fill(file)
        stream.check()
    for one, block in ((path, 0), (other, 512)):
        with h5py.File(one) as file:
            assert file.userblock_size == block
            assert file.attrs["format"] == "x"
            assert file["a/b"][:].tolist() == [0, 1, 2, 3, 4]
    assert {one.name for one in tmp_path.iterdir()} == {"x.h5", "y.h5"}


@pytest.mark.parametrize(("limit", "most"), [(100, 1), (200_000, 30)])
def test_a_full_disk_is_an_error_and_not_a_crash(tmp_path, limit, most):
    """In the first chunk and in the middle; without the stream HDF5 ends the process by a segmentation fault."""
    command = [sys.executable, "-c", WRITE, str(tmp_path / "x.h5"), str(limit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    reason, written = done.stdout.rsplit(" ", 1)
    assert reason == "File too large"
    assert int(written) <= most  # it does not go on


def test_after_an_error_nothing_is_raised_until_asked_for(tmp_path):
    stream = CheckedStream(tmp_path / "x")
    stream.write(b"abc")
    stream.flush()
    stream.problem = OSError(28, "No space left on device")
    assert stream.write(b"more") == 4
    stream.seek(0)
    assert stream.read(3) == b"\0\0\0"
    assert stream.truncate(100) == 100
    stream.close()
    with pytest.raises(OSError, match="No space left"):
        stream.check()
    assert (tmp_path / "x").read_bytes() == b"abc"


def test_errors_of_the_caller_pass(tmp_path):
    with pytest.raises(ZeroDivisionError), checked_hdf5(tmp_path / "x.h5"):
        raise ZeroDivisionError
