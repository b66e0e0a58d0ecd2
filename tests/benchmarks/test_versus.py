"""Ratios of two revisions' measurements (benchmarks/versus.py)."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def versus():
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("versus", ROOT / "benchmarks" / "versus.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("ours", "theirs", "unit", "ratio", "verdict"),
    [
        ([1.1, 1.1, 1.1], [1.0, 1.0, 1.0], "s", 1.1, "slower"),
        ([1.01, 1.01, 1.01], [1.0, 1.0, 1.0], "CPU s", 1.01, "equal"),
        ([200.0, 200.0, 200.0], [100.0, 100.0, 100.0], "showers/s", 0.5, "faster"),
        ([50.0, 50.0, 50.0], [100.0, 100.0, 100.0], "1/(relative variance x CPU s)", 2.0, "slower"),
        ([1.0, 1.03, 1.6], [1.0, 1.0, 1.0], "MiB", 1.03, "equal"),
    ],
)
def test_ratio(versus, ours, theirs, unit, ratio, verdict):
    found = versus.compare(ours, theirs, unit, 0.02)
    assert found["ratio"] == pytest.approx(ratio)
    assert found["verdict"] == verdict


def test_a_single_measurement_has_no_spread(versus):
    assert versus.compare([1.0], [1.0], "s", 0.02)["spread"] is None


def test_table(versus):
    text = versus.table({"run": versus.compare([2.0] * 3, [1.0] * 3, "s", 0.02)}, "v1")
    assert text.splitlines()[2] == "| run | s | 2 | 1 | 2.000 | 0.000 | slower |"


def test_an_unknown_revision_is_refused(versus):
    with pytest.raises(SystemExit, match="no revision"):
        versus.other_checkout("no-such-revision")


def test_measurements_that_are_not_positive_are_refused(versus):
    with pytest.raises(ValueError, match="larger --scale"):
        versus.compare([1.0, 1.0], [1.0, -0.1], "s", 0.02)
