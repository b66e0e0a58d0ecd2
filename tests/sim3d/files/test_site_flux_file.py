"""Numbers as integers: what the rounding is, and what is not a number."""

from __future__ import annotations

import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files.site_flux_file import is_site_flux, packed, read_site_flux


@pytest.mark.parametrize(("kind", "steps"), [("u1", 254), ("u2", 65534), ("i2", 65534)])
def test_integers_are_within_half_a_step(kind, steps):
    values = np.random.default_rng(1).normal(3.0, 5.0, (7, 40))
    values[3, 4] = np.nan
    numbers, scale, offset = packed(values, kind)
    assert scale == pytest.approx((np.nanmax(values) - np.nanmin(values)) / steps)
    back = offset + scale * numbers.astype(float)
    assert np.nanmax(np.abs(back - np.where(np.isnan(values), np.nan, values))) <= 0.5 * scale * (1 + 1e-9)
    assert (numbers == np.iinfo(kind).max).sum() == 1
    assert numbers[3, 4] == np.iinfo(kind).max


def test_one_number_and_none():
    numbers, scale, offset = packed(np.full(3, 2.5), "u2")
    assert offset + scale * float(numbers[0]) == 2.5
    nearly = np.array([0.3, 0.3 * (1.0 + 1e-15)])
    numbers, scale, offset = packed(nearly, "i2")
    np.testing.assert_allclose(offset + scale * numbers.astype(float), 0.3)
    assert packed(np.zeros((0, 3)), "u1")[0].shape == (0, 3)


def test_files_that_are_none(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_site_flux(tmp_path / "x.h5")
    (tmp_path / "x.h5").write_text("text")
    with pytest.raises(InputError, match="cannot be read"):
        read_site_flux(tmp_path / "x.h5")
    assert not is_site_flux(tmp_path / "x.h5")
    assert not is_site_flux(tmp_path / "y.h5")
