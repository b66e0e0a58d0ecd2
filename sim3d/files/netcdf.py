"""Write arrays on named axes as a netCDF-4 file, by h5py: dimension scales, units and attributes.

A netCDF-4 file is an HDF5 file whose axes are dimension scales (Unidata, netCDF-4 file format).  It is read by xarray,
netCDF4 and ncview alike; no other library is needed to write it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sim3d.files.atomic_files import write_bytes
from sim3d.files.hdf5_writing import hdf5_image


@dataclass(frozen=True)
class Variable:
    """One array of the file.

    Attributes
    ----------
    axes : tuple of str
        Names of its axes, which are variables of one dimension themselves.
    values : array
        Numbers or strings.
    attributes : dict
        Such as ``units`` and ``long_name``.
    """

    axes: tuple[str, ...]
    values: Any
    attributes: Mapping[str, Any] = field(default_factory=dict)


def write_netcdf(path: Path, variables: Mapping[str, Variable], attributes: Mapping[str, Any]) -> Path:
    """Write a netCDF-4 file.

    Parameters
    ----------
    path : Path
        Replaced if it exists; its folder must exist.
    variables : mapping of Variable
        By name. A variable whose only axis is its own name is the coordinate of that axis.
    attributes : mapping
        Of the whole file: texts and numbers; None is left out.

    Returns
    -------
    Path
        That of the file.

    Raises
    ------
    InputError
        If the file cannot be written.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["Conventions"] = "CF-1.10"
        file.attrs.update({key: value for key, value in attributes.items() if value is not None})
        for name, one in variables.items():
            values = np.asarray(one.values)
            text = values.dtype.kind in "UO"
            data = file.create_dataset(
                name, data=values.astype(object) if text else values, dtype=h5py.string_dtype() if text else None
            )
            data.attrs.update(one.attributes)
            if one.axes == (name,):
                data.make_scale(name)
        for name, one in variables.items():
            if one.axes != (name,):
                for i, axis in enumerate(one.axes):
                    file[name].dims[i].attach_scale(file[axis])

    return write_bytes(path, hdf5_image(fill, track_order=True))
