"""Tasks spread over threads: order, the file of finished tasks, and what is refused on --resume."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim3d.commands.geomagnetic.distribution import SharedMap
from sim3d.errors import InputError


def square(task: int) -> np.ndarray:
    return np.array([task, task * task], dtype=float)


def test_results_come_in_order() -> None:
    shared = SharedMap(20, threads=3)
    found = list(shared(square, range(20)))
    np.testing.assert_array_equal(found, [square(i) for i in range(20)])


def test_an_interrupted_map_goes_on_where_it_was(tmp_path: Path) -> None:
    store = tmp_path / ".map.partial.h5"
    called: list[int] = []

    def fail_late(task: int) -> np.ndarray:
        called.append(task)
        if task == 9:
            raise KeyboardInterrupt
        return square(task)

    first = SharedMap(12, threads=1, store=store, inputs={"step": 0.1})
    first.section = "2020"
    with pytest.raises(KeyboardInterrupt):
        list(first(fail_late, range(12)))
    assert store.exists()
    again: list[int] = []

    def count(task: int) -> np.ndarray:
        again.append(task)
        return square(task)

    second = SharedMap(12, threads=1, store=store, inputs={"step": 0.1}, resume=True)
    second.section = "2020"
    np.testing.assert_array_equal(list(second(count, range(12))), [square(i) for i in range(12)])
    # whole blocks of two tasks were kept
    assert again == [8, 9, 10, 11]
    second.finish()
    assert not store.exists()


def test_sections_are_kept_apart(tmp_path: Path) -> None:
    shared = SharedMap(4, threads=1, store=tmp_path / "s.h5")
    shared.section = "1900"
    list(shared(square, range(2)))
    shared.section = "2000"
    assert [float(x[0]) for x in shared(lambda task: square(task + 5), range(2))] == [5.0, 6.0]


def test_other_inputs_and_broken_files_are_refused(tmp_path: Path) -> None:
    store = tmp_path / "s.h5"
    shared = SharedMap(2, threads=1, store=store, inputs={"step": 0.1})
    list(shared(square, range(2)))
    shared._write()
    with pytest.raises(InputError, match="other settings"):
        SharedMap(2, store=store, inputs={"step": 0.2}, resume=True)
    store.write_bytes(b"no such file")
    with pytest.raises(InputError, match="cannot be read"):
        SharedMap(2, store=store, inputs={"step": 0.1}, resume=True)
