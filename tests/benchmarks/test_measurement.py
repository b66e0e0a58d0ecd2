"""What a fit to a million events costs (benchmarks/measurement.py), against the targets that it states."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.slow
def test_a_million_events():
    """CPU time: fluxes with azimuth 0.3 s, a likelihood with 40 nuisances and its gradient 0.05 s; with errors 2 s."""
    spec = importlib.util.spec_from_file_location("measurement_costs", ROOT / "benchmarks" / "measurement.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    rows = module.rows()
    assert [row["target"] for row in rows] == [0.3, 0.05, 0.05, 2.0]
    for row in rows:
        assert row["met"], row
