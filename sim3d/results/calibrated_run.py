"""Errors of the model of a calibrated run: its parameters with their covariance, and the derivatives of its fluxes.

A run with ``[calibration]`` keeps the covariance in its result. The derivatives are those that it scored
(``scoring.gradients``); without them those that a calibration that ships has of the cascade equations, at no cost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sim3d.conventions.arrays import Array
from sim3d.conventions.model_modes import ModelModes
from sim3d.files.calibration_file import Calibration, read_calibration, shipped_calibrations
from sim3d.results.model_parameters import LogDerivatives, ParameterErrors

if TYPE_CHECKING:
    from sim3d.results.result import Result


def errors_of_result(result: Result) -> ParameterErrors | None:
    """Return the errors of the calibration that a run was made with.

    Parameters
    ----------
    result : Result

    Returns
    -------
    ParameterErrors or None
        None if the run had no calibration, or neither the run nor a calibration that ships has the derivatives.
    """
    found = result.attributes
    if "calibration_covariance" not in found or not result.record.config.scoring.neutrinos:
        return None
    names = tuple(json.loads(found["calibration_parameters"]))
    if not _scored(result, names) and _of_cascade(result) is None:
        return None
    prior = None
    if "calibration_prior" in found:
        prior = _symmetric(json.loads(found["calibration_prior"]), len(names))
    errors = ParameterErrors.of_matrix(
        names,
        _symmetric(json.loads(found["calibration_covariance"]), len(names)),
        json.loads(found["calibration_sigma"]),
        prior,
        float(found.get("calibration_scale", 1.0)),
    )
    return errors.with_modes(ModelModes.of_json(found["calibration_modes"]) if "calibration_modes" in found else None)


def derivatives_of_result(result: Result, site: str, errors: ParameterErrors) -> LogDerivatives:
    """Return the derivatives of a run's flux: those it scored, else those of its calibration.

    Parameters
    ----------
    result : Result
    site : str
    errors : ParameterErrors

    Returns
    -------
    LogDerivatives

    Raises
    ------
    InputError
        If a derivative is in neither.
    """
    if not _scored(result, errors.physical) and (of := _of_cascade(result)) and of.parameters == errors.physical:
        return LogDerivatives.of_cascade(of, errors)
    return LogDerivatives(result.gradients(site), errors)


def _scored(result: Result, names: Sequence[str]) -> bool:
    return set(names) <= set(result.record.config.scoring.parameters)


def _of_cascade(result: Result) -> Calibration | None:
    """The calibration of a run if it ships, is the same, and has derivatives by the cascade equations."""
    path = shipped_calibrations().get(result.record.config.calibration.name)
    found = None if path is None else read_calibration(path)
    if found is None or "neutrinos/slopes" not in found.arrays:
        return None
    own = json.loads(str(result.attributes.get("calibration_values", "[]")))
    return found if own == found.values.tolist() else None


def _symmetric(triangle: Sequence[float], n: int) -> Array:
    """Symmetric matrix from its lower triangle."""
    matrix = np.zeros((n, n))
    matrix[np.tril_indices(n)] = triangle
    return matrix + np.tril(matrix, -1).T
