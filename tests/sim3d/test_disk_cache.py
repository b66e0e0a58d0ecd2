"""Tests of sim3d/disk_cache.py."""

import os

import numpy as np
import pytest

from hadronic import models
from sim3d import disk_cache
from sim3d.disk_cache import MOST_FILES, kept
from sim3d.simulation import variation


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(disk_cache, "_folder", lambda: tmp_path / "models")
    return tmp_path / "models"


def _never():
    raise AssertionError("made although it is kept")


def test_an_object_is_made_once_for_its_parts(folder):
    assert kept("toy", (1, "a"), lambda: [1.5]) == [1.5]
    assert kept("toy", (1, "a"), _never) == [1.5]
    assert kept("toy", (2, "a"), lambda: [2.5]) == [2.5]
    assert kept("other", (1, "a"), lambda: [3.5]) == [3.5]
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize("content", [b"", b"no pickle", b"\x80\x05]"])
def test_a_damaged_file_is_made_anew(folder, content):
    kept("toy", (), lambda: 1)
    (path,) = folder.iterdir()
    path.write_bytes(content)
    assert kept("toy", (), lambda: 2) == 2
    assert kept("toy", (), _never) == 2


def test_other_sources_make_other_files(folder, monkeypatch):
    kept("toy", (), lambda: 1)
    monkeypatch.setattr(disk_cache, "_sources", lambda: "other")
    assert kept("toy", (), lambda: 2) == 2


def test_the_files_not_used_for_longest_go(folder):
    for k in range(MOST_FILES + 3):
        kept("toy", (k,), lambda k=k: k)
        os.utime(max(folder.glob("toy-*"), key=lambda one: one.stat().st_mtime_ns), (k, k))
        kept("toy", (0,), lambda: 0)
        kept("rare", (), lambda: 0)
    assert len(list(folder.glob("toy-*"))) == MOST_FILES
    assert kept("toy", (MOST_FILES + 2,), _never) == MOST_FILES + 2
    assert kept("toy", (0,), _never) == 0
    assert kept("rare", (), _never) == 0


def test_what_killed_processes_left_is_removed(folder):
    kept("toy", (), lambda: 1)
    old, new = folder / "toy-1.part", folder / "toy-2.part"
    old.write_text("")
    new.write_text("")
    os.utime(old, (0.0, 0.0))
    kept("toy", (1,), lambda: 2)
    assert not old.exists()
    assert new.exists()


def test_without_a_folder_everything_is_made(monkeypatch, tmp_path):
    monkeypatch.setattr(disk_cache, "_folder", lambda: None)
    assert kept("toy", (), lambda: 1) == 1
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(disk_cache, "_folder", lambda: tmp_path / "file" / "models")
    assert kept("toy", (), lambda: 1) == 1


def test_a_kept_hadronic_model_is_the_one_that_was_built(folder):
    values = (("sigma:pion", 0.05),)
    found = []
    for _ in range(2):
        variation._shipped_at.cache_clear()
        models._shipped.cache_clear()
        found.append(variation._shipped_at("accelerator", None, values))
    variation._shipped_at.cache_clear()
    assert len(list(folder.glob("hadronic-*"))) == 1
    built, read = found
    assert built is not read
    assert (built.name, built.definition, built.provenance) == (read.name, read.definition, read.provenance)
    for one, other in zip(built.tables, read.tables, strict=True):
        assert one.dtype == other.dtype
        assert other.flags.c_contiguous
        assert other.flags.writeable == one.flags.writeable
        assert np.array_equal(one, other)
