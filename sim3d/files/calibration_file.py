"""File of a calibration (HDF5): values of the parameters, their covariance, chi2 and pulls, responses, provenance."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.model_modes import ModelModes
from sim3d.errors import InputError
from sim3d.files.atomic_files import write_bytes
from sim3d.files.hdf5_writing import hdf5_image

FORMAT = "sim3d-calibration 1"

_MODES = ("energies_GeV", "cos_zenith", "changes")

SHIPPED_FOLDER = Path(__file__).parents[1] / "reference" / "calibrations"
"""Folder of the calibrations that ship, ``<name>.h5``; it need not exist."""


@dataclass(frozen=True)
class Calibration:
    """A calibration as it is stored.

    Attributes
    ----------
    name : str
    parameters : tuple of str
    sigma : float64 array (n,)
        Standard deviations of the priors, own units.
    values : float64 array (n,)
        Best fit, own units.
    covariance : float64 array (n, n)
        After the fit and scaled by ``scale`` squared, own units.
    prior : float64 array (n, n)
        Before the fit, own units.
    scale : float
        Factor on the errors, sqrt(chi2 / dof) if above 1.
    record : dict
        Numbers of the fit, models, measurements, versions (JSON).
    arrays : dict of arrays
        Of each measurement, under ``sets/NAME/``: data, errors, predictions before and after, pulls, responses.
        ``neutrinos/slopes`` (4, energies, cosines, n): derivatives of ln(flux) by the cascade equations, if known, at
        ``neutrinos/energies_GeV`` and ``neutrinos/cos_zenith``.
    modes : ModelModes or None
        Errors that no parameter describes.
    """

    name: str
    parameters: tuple[str, ...]
    sigma: Array
    values: Array
    covariance: Array
    prior: Array
    scale: float
    record: dict[str, Any]
    arrays: dict[str, Array]
    modes: ModelModes | None = None

    @property
    def by_name(self) -> dict[str, float]:
        """Best fit by parameter, own units."""
        return dict(zip(self.parameters, self.values.tolist(), strict=True))


def write_calibration(path: Path, calibration: Calibration) -> Path:
    """Write a calibration; the same one gives the same bytes.

    Parameters
    ----------
    path : Path
    calibration : Calibration

    Returns
    -------
    Path
        The file written.
    """

    def fill(file: h5py.File) -> None:
        file.attrs["format"] = FORMAT
        file.attrs["name"] = calibration.name
        file.attrs["scale"] = calibration.scale
        file.attrs["record"] = json.dumps(calibration.record, sort_keys=True)
        file.attrs["parameters"] = json.dumps(calibration.parameters)
        for key in ("sigma", "values", "covariance", "prior"):
            file.create_dataset(key, data=getattr(calibration, key), track_times=False)
        for key, array in sorted(calibration.arrays.items()):
            file.create_dataset(key, data=array, track_times=False)
        if calibration.modes is not None:
            file.attrs["modes"] = json.dumps(calibration.modes.names)
            for key in _MODES:
                file.create_dataset(f"modes/{key}", data=getattr(calibration.modes, key), track_times=False)

    return write_bytes(path, hdf5_image(fill))


def read_calibration(path: Path) -> Calibration:
    """Read a calibration.

    Parameters
    ----------
    path : Path

    Returns
    -------
    Calibration

    Raises
    ------
    InputError
        If the file cannot be read or is no calibration.
    """
    if not path.is_file():
        raise InputError(f"{path}: no such calibration")
    try:
        with h5py.File(path, "r") as file:
            if file.attrs.get("format") != FORMAT:
                raise InputError(f"{path}: is no calibration of sim3d (its format must be {FORMAT!r})")
            arrays: dict[str, Array] = {}

            def take(name: str, item: Any) -> None:
                if isinstance(item, h5py.Dataset) and "/" in name:
                    arrays[name] = item[()]

            file.visititems(take)
            modes = None
            if "modes" in file.attrs:
                parts = {key: np.asarray(arrays.pop(f"modes/{key}")) for key in _MODES}
                modes = ModelModes(tuple(json.loads(file.attrs["modes"])), **parts)
            return Calibration(
                name=str(file.attrs["name"]),
                parameters=tuple(json.loads(file.attrs["parameters"])),
                sigma=np.asarray(file["sigma"][()]),
                values=np.asarray(file["values"][()]),
                covariance=np.asarray(file["covariance"][()]),
                prior=np.asarray(file["prior"][()]),
                scale=float(file.attrs["scale"]),
                record=json.loads(file.attrs["record"]),
                arrays=arrays,
                modes=modes,
            )
    except (OSError, KeyError, ValueError) as problem:
        raise InputError(f"{path}: cannot be read as a calibration: {str(problem)[:200]}") from None


def shipped_calibrations() -> dict[str, Path]:
    """Find the calibrations that ship with sim3d.

    Returns
    -------
    dict of Path
        File by name, in alphabetical order.
    """
    return {path.stem: path for path in sorted(SHIPPED_FOLDER.glob("*.h5"))}


def named_calibration(name: str) -> Path:
    """Find the file of a calibration that ships.

    Parameters
    ----------
    name : str

    Returns
    -------
    Path

    Raises
    ------
    InputError
        If none of this name ships.
    """
    known = shipped_calibrations()
    if name not in known:
        raise InputError("calibration.name", name, f"one of {', '.join([*known, 'none'])} (or give calibration.file)")
    return known[name]
