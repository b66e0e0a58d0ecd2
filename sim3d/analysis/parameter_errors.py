"""Covariance matrices of model parameters: hadronic yields from measurements or daemonflux, or a user's CSV file."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hadronic.reference import accelerator_covariance, daemonflux_errors
from sim3d.config.parameters import KNOTS_GEV, PARAMETERS, YIELD_SPECIES, check_name, yield_name
from sim3d.conventions.reference_files import data_lines
from sim3d.conventions.text_files import read_text
from sim3d.errors import InputError

Covariance = tuple[tuple[str, ...], NDArray[np.float64]]


def daemonflux_covariance() -> Covariance:
    """Compute the covariance of the yield parameters from the errors of daemonflux's Z factors.

    The errors at daemonflux's knots are taken as independent: its correlations between species and energies are not
    published with the table. Between its knots daemonflux is linear in ln E, and it has different knots for each
    species (p and n at 158 GeV and 2 PeV only, kaons not at 20 TeV). A parameter here between two of those knots
    depends on both, so neighbouring parameters are correlated.

    Returns
    -------
    names : tuple of str
        Parameters.
    matrix : float64 array (n, n)
        Covariance.
    """
    names = [yield_name(species, knot) for species in YIELD_SPECIES for knot in KNOTS_GEV[species]]
    matrix = np.zeros((len(names), len(names)))
    for species in YIELD_SPECIES:
        errors = daemonflux_errors()[species]
        energies = sorted(errors)
        knots = np.log(KNOTS_GEV[species])
        moves = np.stack([np.interp(knots, np.log(energies), unit) for unit in np.eye(len(energies))])
        own = moves.T @ np.diag([errors[energy] ** 2 for energy in energies]) @ moves
        places = [names.index(yield_name(species, knot)) for knot in KNOTS_GEV[species]]
        matrix[np.ix_(places, places)] = own
    return tuple(names), matrix


def measured_covariance() -> Covariance:
    """Return the covariance of the yields in the hadronic model ``accelerator``, made of measured particle production.

    Returns
    -------
    names : tuple of str
        Parameters; those of its knots that a run has.
    matrix : float64 array (n, n)
        Covariance.
    """
    every, matrix = accelerator_covariance()
    names = tuple(name for name in PARAMETERS if name in every)
    places = [every.index(name) for name in names]
    return names, matrix[np.ix_(places, places)]


def read_errors(path: Path) -> Covariance:
    """Read independent parameter errors from a CSV file with the columns ``parameter`` and ``error``.

    Parameters
    ----------
    path : Path

    Returns
    -------
    names : tuple of str
        Parameters, in the order of :data:`~sim3d.config.parameters.PARAMETERS`.
    matrix : float64 array (n, n)
        Diagonal covariance.

    Raises
    ------
    InputError
        If the file cannot be read, a name is not a parameter, or an error is negative, missing or repeated.
    """
    rows = list(csv.reader(data_lines(read_text(path).split("\n"))))
    if not rows or [cell.strip() for cell in rows[0]] != ["parameter", "error"]:
        raise InputError(f"{path}: the first row must be parameter,error")
    errors: dict[str, float] = {}
    for row in rows[1:]:
        name = row[0].strip()
        try:
            check_name(name)
            value = float(row[1])
        except (ValueError, IndexError) as problem:
            raise InputError(f"{path}: {','.join(row)}: {problem}") from None
        if not (np.isfinite(value) and value >= 0.0) or name in errors:
            raise InputError(f"{path}: {','.join(row)}: needs one finite error from 0 for each parameter")
        errors[name] = value
    names = tuple(name for name in PARAMETERS if name in errors)
    return names, np.diag([errors[name] ** 2 for name in names])


def covariance_of(text: str) -> Covariance:
    """Return the covariance named by the option ``--errors``.

    Parameters
    ----------
    text : str
        ``accelerator``, ``daemonflux``, or the path of a CSV file.

    Returns
    -------
    names : tuple of str
        Parameters.
    matrix : float64 array (n, n)
        Covariance.
    """
    if text == "accelerator":
        return measured_covariance()
    return daemonflux_covariance() if text == "daemonflux" else read_errors(Path(text))
