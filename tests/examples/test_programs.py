"""The example programs, run on a small table by the packages they show."""

import importlib.util
import platform
import sys
from pathlib import Path

import numpy as np
import pytest

from sim3d.files import honda_writing
from sim3d.flux.interpolated import Flux

EXAMPLES = Path(__file__).parents[2] / "examples"


def load(name):
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def table(tmp_path):
    energies, cos_edges = 10 ** (np.arange(101) / 20 - 1), np.linspace(-1, 1, 21)
    cos = 0.5 * (cos_edges[1:] + cos_edges[:-1])
    shape = (energies**-2 / (1 + energies))[:, None] * (1.2 - 0.4 * np.abs(cos))
    flux = np.stack([scale * shape for scale in (280.0, 270.0, 140.0, 125.0)])[..., None]
    path = tmp_path / "kamioka-honda-aa.d"
    path.write_text("".join(honda_writing.blocks(flux, energies, cos_edges)))
    return path


@pytest.mark.skipif(
    sys.version_info >= (3, 13) or (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="nusquids has wheels for Python 3.11 and 3.12 on Linux x86_64 only",
)
def test_oscillated_kamioka(table, tmp_path, capsys, monkeypatch):
    program = load("oscillated_kamioka")
    monkeypatch.setattr(program, "ENERGY_GeV", np.geomspace(0.5, 100.0, 31))
    monkeypatch.setattr(program, "COS_ZENITH", np.linspace(-1.0, 1.0, 21))
    program.main([str(table), "-o", str(tmp_path / "plots")])
    said = capsys.readouterr().out
    assert float(said.split()[-1]) == pytest.approx(0.5, abs=0.1)
    name = Flux.load(table).table.name  # pictures are named after the flux, not after Kamioka
    assert (tmp_path / "plots" / f"oscillated-{name}.png").stat().st_size > 20_000
    assert (tmp_path / "plots" / f"oscillated-{name}.pdf").exists()


def test_event_weights(table, capsys):
    """Sums of simweights' weights are the integrals of the flux, within their errors."""
    program = load("event_weights")
    rows = program.rates(Flux.load(table))
    pulls = [(rate - exact) / error for _, _, _, rate, error, exact in rows]
    assert len(rows) == 16
    assert max(abs(pull) for pull in pulls) < 4
    assert all(error < 0.03 * exact for *_, error, exact in rows)
    program.main([str(table)])
    assert "numubar" in capsys.readouterr().out
