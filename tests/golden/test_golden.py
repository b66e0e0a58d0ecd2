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


@pytest.mark.parametrize("name", ["targeted", "analog", "rotated"])
def test_golden(make_golden, name):
    """Counters and hits are equal, fluxes per site and flavour agree to rounding.

    No kernel lets the compiler choose its rounding (:mod:`geomag.field.fma`), so that no verdict may change.
    After a deliberate change of physics or streams run ``python scripts/golden/make_golden.py`` and commit the file.
    """
    golden = json.loads((ROOT / "tests" / "data" / "golden.json").read_text())[name]
    now = make_golden.measure(name)
    assert now["counters"] == golden["counters"]
    for site, flavours in golden["sites"].items():
        for flavour, expected in flavours.items():
            assert expected["hits"] > 20
            found = now["sites"][site][flavour]
            assert found["hits"] == expected["hits"]
            for key in expected.keys() - {"hits"}:
                assert found[key] == pytest.approx(expected[key], rel=1e-9), (site, flavour, key)
