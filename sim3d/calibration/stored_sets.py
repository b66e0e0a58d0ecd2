"""Read the measurements and responses of a stored calibration, so that its fit can be repeated without runs."""

from __future__ import annotations

import numpy as np

from sim3d.calibration.fit import FittedSet
from sim3d.calibration.predictions import SOLAR, Response
from sim3d.calibration.priors import MONTH_MV
from sim3d.conventions.arrays import Array
from sim3d.files.calibration_file import Calibration


def stored_sets(calibration: Calibration) -> tuple[FittedSet, ...]:
    """Return the measurements with the responses at the last centre.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    tuple of FittedSet
    """
    out = []
    for name, names in calibration.record["nuisances"].items():
        of = {
            key.removeprefix(f"sets/{name}/"): value
            for key, value in calibration.arrays.items()
            if key.startswith(f"sets/{name}/")
        }
        values, slopes, covariance, nuisances = (
            of[f"response/{key}"] for key in ("values", "slopes", "covariance", "nuisances")
        )
        response = Response(name, calibration.parameters, values, slopes, covariance, nuisances)
        points = (("all", len(of["data"])),)
        out.append(FittedSet(response, of["centre"], of["data"], of["data_covariance"], tuple(names), points))
    return tuple(out)


def stored_prior(calibration: Calibration) -> Array:
    """Return the prior covariance of the fit, own units: that of the file without the scatter of a month's Sun.

    Parameters
    ----------
    calibration : Calibration

    Returns
    -------
    float64 array (n, n)
    """
    prior = np.array(calibration.prior)
    if SOLAR in calibration.parameters:
        i = calibration.parameters.index(SOLAR)
        prior[i, i] -= MONTH_MV**2
    return prior
