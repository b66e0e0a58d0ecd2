"""Checksums: any changed byte is found, also in a file that another program rewrote, and said in one line."""

import json
import subprocess

import h5py
import numpy as np
import pytest

import sim3d
from sim3d import cli
from sim3d.config.load import make_config
from sim3d.errors import InputError
from sim3d.files.checksums import SEAL_BYTES, data_digest, seal, seal_problem
from sim3d.files.result_file import verify_result
from sim3d.simulation.engine import run_to_file


@pytest.fixture(scope="module")
def stored(tmp_path_factory):
    path = tmp_path_factory.mktemp("integrity") / "run.h5"
    data = {
        "run": {"primaries": 400, "batch_size": 200},
        "primaries": {"energy_GeV": [2.0, 1000.0]},
        "transport": {"bending": False},
        "sampling": {"mode": "rotated"},
        "sites": [{"name": "kamioka"}],
    }
    run_to_file(make_config(data), path, threads=1)
    return path


def test_a_whole_file(stored, capsys):
    found = verify_result(stored)
    assert found["file"] == "sealed"
    assert cli.main(["info", "--verify", str(stored)]) == 0
    assert "every byte is as written" in capsys.readouterr().out
    assert cli.main(["info", "--verify", "--json", str(stored)]) == 0
    assert json.loads(capsys.readouterr().out)["data_sha256"] == found["data_sha256"]


def test_the_seal_is_what_sha256sum_says(stored):
    """The first line of the file can be checked with tools that everyone has."""
    line = stored.read_bytes()[:SEAL_BYTES].split(b"\n")[0].decode()
    command = f"tail -c +{SEAL_BYTES + 1} '{stored}' | sha256sum"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert line.split()[2] == done.stdout.split()[0]


def test_any_flipped_byte_is_found(stored, tmp_path, capsys):
    """In the seal, in the data, in HDF5's own structures: one line, status 2."""
    whole = stored.read_bytes()
    rng = np.random.default_rng(5)
    path = tmp_path / "flipped.h5"
    end_of_text = whole.index(b"\n")
    places = [0, 3, 20, end_of_text, 300, SEAL_BYTES, SEAL_BYTES + 9, len(whole) - 1]
    for place in [*places, *rng.integers(SEAL_BYTES, len(whole), 40)]:
        data = bytearray(whole)
        data[place] ^= int(rng.integers(1, 256))
        path.write_bytes(data)
        assert cli.main(["info", "--verify", str(path)]) == 2, place
        captured = capsys.readouterr()
        assert captured.out == ""
        assert captured.err.count("\n") == 1
        with pytest.raises(InputError):
            sim3d.load(path)


@pytest.mark.parametrize("keep", [0, 1, 100, 511, 512, 600, 5000, 0.5, -1])
def test_truncated(stored, tmp_path, capsys, keep):
    whole = stored.read_bytes()
    path = tmp_path / "cut.h5"
    path.write_bytes(whole[: int(len(whole) * keep) if isinstance(keep, float) else keep])
    assert cli.main(["info", "--verify", str(path)]) == 2
    message = capsys.readouterr().err
    assert message.count("\n") == 1
    assert "cut.h5" in message
    if keep in (600, 5000, 0.5, -1):
        assert f"truncated: {path.stat().st_size} of {len(whole)} bytes" in message


def rewritten(stored, path):
    """The same content written anew by another program, without a seal."""
    with h5py.File(stored) as old, h5py.File(path, "w") as new:
        new.attrs.update(old.attrs)
        for name in old:
            old.copy(name, new)
    return path


def test_a_rewritten_file(stored, tmp_path, capsys):
    """Its numbers can still be checked."""
    path = rewritten(stored, tmp_path / "copy.h5")
    assert verify_result(path)["file"] == "rewritten"
    assert cli.main(["info", "--verify", str(path)]) == 0
    assert "rewritten by another program" in capsys.readouterr().out
    with h5py.File(path, "r+") as file:
        file["sites/kamioka/hits"][0, 50, 20, 3] += 1
    with pytest.raises(InputError, match="its data do not agree"):
        verify_result(path)
    path = rewritten(stored, tmp_path / "other.h5")
    with h5py.File(path, "r+") as file:
        file.attrs["config_json"] = file.attrs["config_json"].replace('"seed": 1', '"seed": 2')
    with pytest.raises(InputError, match="its configuration does not agree"):
        verify_result(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["data_sha256"]
    with pytest.raises(InputError, match="no checksum"):
        verify_result(path)


def test_the_digest_sees_names_types_shapes_and_values():
    one = np.arange(6)
    same = data_digest([("a", one)])
    assert data_digest([("a", one.copy())]) == same
    others = [("b", one), ("a", one.astype(np.int32)), ("a", one.reshape(2, 3)), ("a", one[::-1])]
    assert len({same, *(data_digest([other]) for other in others)}) == 5


def test_foreign_files_have_no_seal(tmp_path):
    """Only what carries one is judged by it."""
    path = tmp_path / "x"
    path.write_bytes(b"anything")
    assert seal_problem(path) is None
    path.write_bytes(seal(b"content") + b"content")
    assert seal_problem(path) is None
    path.write_bytes(seal(b"content") + b"contend")
    assert "SHA-256" in seal_problem(path)
