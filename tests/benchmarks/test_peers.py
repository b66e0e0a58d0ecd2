"""The peers' benchmark: its rows, its sample of the scan, and that a peer which fails is left out with its reason."""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROW = {"name", "value", "unit", "peer", "ratio", "target", "met"}


@pytest.fixture(scope="module")
def peers() -> ModuleType:
    path = Path(__file__).parents[2] / "benchmarks" / "peers.py"
    spec = importlib.util.spec_from_file_location("peers", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_rows_and_targets(peers: ModuleType) -> None:
    line = peers.row("speed", 3, "1/s")
    assert set(line) == ROW
    assert line["met"] is None
    assert peers.with_target(line, 2.0)["met"] is True
    assert peers.with_target(line, 2.0, at_most=True)["met"] is False


def test_samples_come_from_above(peers: ModuleType) -> None:
    sample = peers.spectrum(500)
    up = peers.start(sphere=False) / np.linalg.norm(peers.start(sphere=False))
    assert ((sample.directions @ up) < 0.01).all()
    assert sample.rigidities.min() >= 1.0
    assert sample.rigidities.max() <= 60.0
    some, total = peers.scan_sample(200)
    assert len(some.rigidities) == 200
    assert total > 1_000_000


def test_a_peer_that_fails_is_left_out_with_its_reason(
    peers: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(peers, "FOLDER", tmp_path)
    answers = iter(
        [(0, ""), (1, "ERROR: no wheel for this platform"), (0, ""), (0, ""), (1, "x: libgfortran.so.5: no")]
    )

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        code, text = next(answers)
        return subprocess.CompletedProcess(command, code, "", text)

    monkeypatch.setattr(peers.subprocess, "run", run)
    (tmp_path / "gtracr").mkdir()
    (tmp_path / "otso").mkdir()
    with pytest.raises(peers.PeerError, match=r"gtracr==.* cannot be installed: ERROR: no wheel"):
        peers.run_peer("gtracr", {"lat": 1.0})
    with pytest.raises(peers.PeerError, match=r"OTSO==.* does not run: .*libgfortran5"):
        peers.run_peer("otso", {"lat": 1.0})
