"""Tiny fixed runs give what they gave when tests/data/golden.json was made by scripts/golden/make_golden.py."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def make_golden():
    """The script, as a module."""
    spec = importlib.util.spec_from_file_location("make_golden", ROOT / "scripts" / "golden" / "make_golden.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


VERDICTS = 2
"""Trajectories whose verdict may change. Libraries of other machines round sines and logarithms in other ways; of the
124,629 rotations of one run, one trajectory near the limit of its path then is undecided instead of allowed."""


@pytest.mark.parametrize("name", ["targeted", "analog", "rotated"])
def test_golden(make_golden, name):
    """Counters and hits are equal but for single verdicts, fluxes per site and flavour agree to rounding.

    No kernel lets the compiler choose its rounding (:mod:`geomag.field.fma`).
    After a deliberate change of physics or streams run ``python scripts/golden/make_golden.py`` and commit the file.
    """
    golden = json.loads((ROOT / "tests" / "data" / "golden.json").read_text())[name]
    now = make_golden.measure(name)
    assert now["counters"] == pytest.approx(golden["counters"], rel=0.0, abs=VERDICTS)
    assert now["counters"]["primaries"] == golden["counters"]["primaries"]
    others = 0
    for site, flavours in golden["sites"].items():
        for flavour, expected in flavours.items():
            assert expected["hits"] > 20
            found = now["sites"][site][flavour]
            changed = abs(found["hits"] - expected["hits"])
            others += changed
            for key in expected.keys() - {"hits"}:
                # a hit that came or went has a weight of up to ten times the mean
                rel = 1e-9 + 10.0 * changed / expected["hits"]
                assert found[key] == pytest.approx(expected[key], rel=rel), (site, flavour, key)
    assert others <= VERDICTS
