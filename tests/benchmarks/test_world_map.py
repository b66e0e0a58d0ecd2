"""The benchmark of the world map: its sample, its rows, and that a peer which fails is left out with its reason."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture
def world_map(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("world_map")


def test_samples_are_of_the_map(world_map: ModuleType) -> None:
    lat, lon, total = world_map.places(30)
    assert total == 2592
    assert len(set(zip(lat, lon, strict=True))) == 30
    given, all_of_them = world_map.trajectories(100)
    assert 4e6 < all_of_them < 9e6
    np.testing.assert_allclose(np.round(given["rigidity_GV"] / 0.01) * 0.01, given["rigidity_GV"], atol=1e-9)


def test_rows_without_and_with_peers(world_map: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world_map, "own_seconds", lambda precise: 100.0 if precise else 50.0)

    def answer(peer: str, given: dict) -> dict:
        if peer == "gtracr":
            raise world_map.PeerError("no wheel")
        return {"places seconds 5% step": np.array(60.0), "map seconds 5% step": np.array(0.0)}

    monkeypatch.setattr(world_map, "run_peer", answer)
    said: list[str] = []
    rows = world_map.rows(report=said.append)
    assert said == ["gtracr is left out of the world map: no wheel"]
    assert rows[0]["met"] is True
    assert rows[-1]["value"] == pytest.approx(60.0 * 2592 / 6)
    assert rows[-1]["ratio"] == pytest.approx(259.2)
    # on a core twice as slow as the one of the target
    rows = world_map.rows(2.0, said.append)
    assert [row["value"] for row in rows if row["met"] is not None] == [200.0]
