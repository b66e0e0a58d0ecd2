"""netCDF-4 files: axes, attributes and texts."""

from __future__ import annotations

from pathlib import Path

import h5py
import numpy as np
import pytest

from sim3d.errors import InputError
from sim3d.files.netcdf import Variable, write_netcdf


def test_axes_and_attributes(tmp_path: Path) -> None:
    path = write_netcdf(
        tmp_path / "a.nc",
        {
            "x": Variable(("x",), np.arange(3.0), {"units": "m"}),
            "name": Variable(("x",), np.array(["a", "b", "ü"])),
            "f": Variable(("x",), np.ones(3)),
        },
        {"title": "test", "left_out": None},
    )
    with h5py.File(path) as file:
        assert file["x"].is_scale
        assert file["f"].dims[0][0].name == "/x"
        assert file["x"].attrs["units"] == "m"
        assert file.attrs["title"] == "test"
        assert "left_out" not in file.attrs
        assert file["name"].asstr()[2] == "ü"


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot write"):
        write_netcdf(tmp_path / "no" / "a.nc", {}, {})
