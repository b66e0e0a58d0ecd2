"""Values of the model parameters of a run: those of its calibration, plus those of the table ``[vary]``."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from sim3d.config.calibration import NO_CALIBRATION, CalibrationKeys
from sim3d.config.parameters import check_values
from sim3d.config.schema import Config
from sim3d.errors import InputError
from sim3d.files.calibration_file import Calibration, named_calibration, read_calibration


def calibration_of(config: Config) -> Calibration | None:
    """Read the calibration of a run, by its name or its file.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Calibration or None
        None if the run has none.

    Raises
    ------
    InputError
        As :func:`stated_calibration`.
    """
    return stated_calibration(config.calibration, config.hadronic.model, config.primaries.model)


def stated_calibration(keys: CalibrationKeys, hadronic: str, primaries: str) -> Calibration | None:
    """Read the calibration of given models, by its name or its file.

    Parameters
    ----------
    keys : CalibrationKeys
        Their name is not :data:`sim3d.config.calibration.AUTOMATIC`.
    hadronic, primaries : str
        Names of the models.

    Returns
    -------
    Calibration or None
        None if the keys are of none.

    Raises
    ------
    InputError
        For a name that does not ship, a file that cannot be read, or a calibration of other models: its values are
        changes of its own models.
    """
    if keys.file is None and keys.name == NO_CALIBRATION:
        return None
    path = named_calibration(keys.name) if keys.file is None else Path(keys.file)
    found = _read(path, path.stat().st_mtime_ns if path.is_file() else 0)
    of = found.record.get("models", {})
    for table, model in (("hadronic", hadronic), ("primaries", primaries)):
        if of.get(table, model) != model:
            raise InputError(
                f"{table}.model: {model!r} must be {of[table]!r}, of which the calibration {found.name} is (or "
                f'calibration.name = "{NO_CALIBRATION}")'
            )
    return found


@lru_cache(maxsize=2)
def _read(path: Path, _written: int) -> Calibration:
    """Read a file once: a run needs its values for the hadrons, the primaries and the result file."""
    return read_calibration(path)


def run_values(config: Config) -> dict[str, float]:
    """Return the values of the parameters at which a run is made.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict of float
        By name; the values of the calibration and of ``[vary]`` are added up.

    Raises
    ------
    InputError
        If the calibration cannot be read, or a sum is out of its range.
    """
    values = dict(config.vary)
    found = calibration_of(config)
    if found is None:
        return values
    for name, value in found.by_name.items():
        values[name] = values.get(name, 0.0) + value
    try:
        check_values(values)
    except ValueError as problem:
        raise InputError(f"calibration, vary: {problem}") from None
    return values


def calibration_entries(config: Config) -> dict[str, Any]:
    """List the calibration of a run for its result file; empty if it has none.

    Parameters
    ----------
    config : Config

    Returns
    -------
    dict
        ``calibration``: the name; ``calibration_parameters``, ``calibration_values``, ``calibration_sigma`` and
        ``calibration_covariance`` and ``calibration_prior`` (lower triangles, own units, 9 digits): JSON;
        ``calibration_scale``; ``calibration_modes``: errors that no parameter describes (JSON), if there are any.
    """
    found = calibration_of(config)
    if found is None:
        return {}
    lower = np.tril_indices(len(found.parameters))
    modes = {} if found.modes is None else {"calibration_modes": found.modes.as_json()}
    return {
        "calibration": found.name,
        "calibration_parameters": json.dumps(found.parameters),
        "calibration_values": json.dumps(found.values.tolist()),
        "calibration_sigma": json.dumps(found.sigma.tolist()),
        "calibration_covariance": _numbers(found.covariance[lower]),
        "calibration_prior": _numbers(found.prior[lower]),
        "calibration_scale": found.scale,
        **modes,
    }


def _numbers(values: np.ndarray) -> str:
    return json.dumps([float(f"{one:.9g}") for one in values])
