"""The coefficients of the IGRF are those that ppigrf's own reader gives."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import ppigrf.ppigrf
import pytest

from geomag.errors import GeomagInputError
from geomag.field import coefficients


def test_the_file_is_the_one_that_ppigrf_uses() -> None:
    assert coefficients.shipped_file() == Path(ppigrf.ppigrf.shc_fn)
    assert coefficients.generation_of(Path("IGRF13.shc")) == 13
    assert coefficients.generation_of(Path("chaos.shc")) == 0


def test_coefficients_are_those_of_ppigrf() -> None:
    generation, epochs, g, h = coefficients.shipped_coefficients()
    g_table, h_table = ppigrf.ppigrf.read_shc()
    assert generation == f"IGRF-{coefficients.generation_of(coefficients.shipped_file())}"
    assert epochs == [time.to_pydatetime() for time in g_table.index]
    for table, ours in ((g_table, g), (h_table, h)):
        assert len(table.columns) == sum(n + 1 for n in range(1, coefficients.MAX_DEGREE + 1))
        for n, m in table.columns:
            np.testing.assert_array_equal(ours[:, n, m], table[(n, m)])


def test_without_ppigrf_the_message_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coefficients, "find_spec", lambda name: None)
    with pytest.raises(GeomagInputError, match="install the package ppigrf"):
        coefficients.shipped_file()


def test_pandas_is_not_imported() -> None:
    code = "import sys; from geomag.field.igrf import FieldModel; FieldModel(); sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=dict(os.environ), check=False).returncode == 0
